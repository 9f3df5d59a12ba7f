"""JPEG files decoded on a GPU by nvJPEG: surfaces of RGB in device memory."""

from __future__ import annotations

import ctypes
from typing import Any, Final, Self

from picasso.encode.nvjpeg_library import OUT, Handles, JpegImage, load_nvjpeg
from picasso.errors import MediaError
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda_memory import allocate_on_device, new_stream

_INTERLEAVED_RGB: Final = 5
"""``NVJPEG_OUTPUT_RGBI``."""
_PLANES: Final = 4


class JpegDecoder:
    """Decodes JPEG on one GPU, on a stream of its own. For one thread.

    Close it, or use it in a ``with`` block; one that is dropped gives back what it holds, too.

    What nvJPEG cannot decode raises `MediaError`: arithmetic coding, lossless files, 12 bits. An orientation that a
    camera wrote beside the picture is not applied; `read_image` takes care of it.
    """

    def __init__(self, gpu_id: int = 0, *, library: Any = None) -> None:
        """Open nvJPEG.

        Args:
            gpu_id: Which GPU, counted from 0.
            library: What ``load_nvjpeg`` returned; loaded if None.

        Raises:
            MissingDependencyError: nvJPEG or the CUDA bindings are not installed.
            DeviceError: There is no such GPU.
            MediaError: nvJPEG refuses.
        """
        stream = new_stream(gpu_id)
        self._stream = stream
        self._handles = Handles(load_nvjpeg() if library is None else library, MediaError, stream.at_rest)
        try:
            with stream.device.current():
                self._handle = self._handles.make("", OUT)
                self._state = self._handles.make("JpegState", self._handle, OUT)
        except MediaError:
            self.close()
            raise

    def decode(self, data: bytes) -> SurfaceView:
        """Decode a file.

        Args:
            data: The whole file.

        Returns:
            RGB in GPU memory. Its pixels are ready for what waits for ``surface.cuda_stream``, as all of picasso does;
            the host does not wait for them.

        Raises:
            MediaError: nvJPEG cannot decode it; the message has its status.
        """
        size_wh = self.size_of(data)
        surface = allocate_on_device(VideoFormat.RGB, size_wh, self._stream)
        image, (plane,) = JpegImage(), surface.device_planes
        image.channel[0], image.pitch[0] = plane.ptr, plane.strides[0]
        how = _INTERLEAVED_RGB, ctypes.byref(image), self._stream.address
        with self._stream.device.current():
            self._handles.call("nvjpegDecode", self._handle, self._state, data, len(data), *how)
        return surface

    def size_of(self, data: bytes) -> tuple[int, int]:
        """Return width and height of a file in pixels.

        Raises:
            MediaError: It is no JPEG file, or the decoder is closed.
        """
        if not self._handles.is_open:
            raise MediaError("the decoder is closed")
        components, subsampling = ctypes.c_int(), ctypes.c_int()
        widths, heights = (ctypes.c_int * _PLANES)(), (ctypes.c_int * _PLANES)()
        self._handles.call(
            "nvjpegGetImageInfo",
            self._handle,
            data,
            len(data),
            ctypes.byref(components),
            ctypes.byref(subsampling),
            widths,
            heights,
        )
        return widths[0], heights[0]

    def close(self) -> None:
        """Wait for what is under way, and give everything back; harmless when repeated."""
        self._handles.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
