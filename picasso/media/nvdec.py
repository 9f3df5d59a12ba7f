"""Video of a file decoded by NVDEC, through PyNvVideoCodec: NV12 surfaces in GPU memory."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.errors import DeviceError, MediaError
from picasso.surface import ColorSpace, SurfaceView, VideoFormat

if TYPE_CHECKING:
    from picasso.media.ffmpeg import Location
    from picasso.media.info import MediaInfo
    from picasso_kernels.cuda_driver import Stream

_EIGHT_BIT_420: Final = frozenset({"yuv420p", "yuvj420p", "nv12"})
_DEVICE: Final = re.compile(r"cuda(?::(\d+))?")


def gpu_of(device: str) -> int | None:
    """Return the GPU that ``cpu``, ``cuda`` or ``cuda:N`` names; None for the CPU.

    Raises:
        ValueError: Anything else.
    """
    if device == "cpu":
        return None
    match = _DEVICE.fullmatch(device)
    if match is None:
        raise ValueError(f"device {device!r}: expected cpu, cuda or cuda:N")
    return int(match[1] or 0)


@dataclass(frozen=True, slots=True)
class DevicePicture:
    """A decoded frame on the GPU; times are in ticks of ``NvdecSource.time_base``."""

    pts: int
    duration: int | None
    key_frame: bool
    surface: SurfaceView


Keeper = Callable[[Any, tuple[int, int], ColorSpace | None], SurfaceView]
"""Makes a surface of a decoder's frame, whose memory is used again, that stays valid as long as it is held."""


class NvdecSource:
    """One pass over a file; the first frame is decoded at once, so that what NVDEC cannot read is refused early."""

    def __init__(self, path: str, info: MediaInfo, library: Any, decoder: Any, keep: Keeper) -> None:
        """Open a file.

        Args:
            path: The file.
            info: What FFmpeg says of it.
            library: The module ``PyNvVideoCodec``.
            decoder: What its ``CreateDecoder`` made.
            keep: What becomes of each frame.
        """
        self._info = info
        self._decoder = decoder
        self._keep = keep
        self._demuxer = library.CreateDemuxer(path)
        self.time_base = Fraction(self._demuxer.GetTimebaseNum(), self._demuxer.GetTimebaseDen())
        self._pictures = self._decode()
        self._first = next(self._pictures, None)
        if self._first is None:
            raise MediaError(f"{info.location}: NVDEC decodes no picture of it")

    def frames(self) -> Iterator[DevicePicture]:
        """Yield the frames in the order in which they are shown; once.

        Raises:
            MediaError: The decoder failed, or the file is shorter than its header says.
        """
        count = 0
        if self._first is not None:
            first, self._first = self._first, None
            yield first
            count = 1
        try:
            for picture in self._pictures:
                yield picture
                count += 1
        except RuntimeError as error:
            raise MediaError(f"{self._info.location}: NVDEC failed after {count} frames: {error}") from error
        if self._info.frame_count and count < self._info.frame_count:
            raise MediaError(f"{self._info.location}: truncated after {count} of {self._info.frame_count} frames")

    def _decode(self) -> Iterator[DevicePicture]:
        times: dict[int, tuple[int | None, bool]] = {}
        size_wh = (self._info.width, self._info.height)
        for packet in self._demuxer:
            times[packet.pts] = (packet.duration or None, bool(packet.key))
            for frame in self._decoder.Decode(packet):
                pts = frame.getPTS()
                duration, key_frame = times.pop(pts, (None, False))
                yield DevicePicture(pts, duration, key_frame, self._keep(frame, size_wh, self._info.color))


def open_nvdec(location: Location, info: MediaInfo, gpu_id: int) -> NvdecSource:
    """Open a file on a GPU.

    Raises:
        MediaError: It is no file, or its pictures are not 8 bit 4:2:0 of even size, or NVDEC refuses them.
        DeviceError: There is no such GPU.
        MissingDependencyError: PyNvVideoCodec or the CUDA bindings are not installed.
    """
    if not isinstance(location, str | Path) or not Path(location).is_file():
        raise MediaError(f"{info.location}: NVDEC reads files")
    if info.pixel_format not in _EIGHT_BIT_420 or info.color is None or info.width % 2 or info.height % 2:
        raise MediaError(f"{info.location}: {info.pixel_format} {info.width}x{info.height} does not fit NV12 surfaces")
    from picasso.encode.nvenc import load_library

    stream = _stream_of(gpu_id)
    library = load_library()
    try:
        stream.device.make_current()
        demuxer = library.CreateDemuxer(str(location))
        decoder = library.CreateDecoder(
            gpuid=gpu_id,
            codec=demuxer.GetNvCodecId(),
            cudacontext=int(stream.device.context),
            cudastream=stream.address,
            usedevicememory=True,
        )
        return NvdecSource(str(location), info, library, decoder, functools.partial(_keep_on_device, stream))
    except (MediaError, DeviceError):
        raise
    except Exception as error:
        raise MediaError(f"{info.location}: NVDEC refuses it: {' '.join(str(error).split())[:300]}") from error


@functools.cache
def _stream_of(gpu_id: int) -> Stream:
    """Return the stream that all readers of a GPU use: surfaces refer to it as long as they live."""
    from picasso.surface.cuda_memory import open_device

    device = open_device(gpu_id)
    from picasso_kernels.cuda_driver import Stream

    return Stream(device)


def _keep_on_device(stream: Stream, frame: Any, size_wh: tuple[int, int], color: ColorSpace | None) -> SurfaceView:
    """Copy a frame on the GPU: the decoder writes the next pictures into the same memory."""
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso_kernels.cuda_driver import Rows, copy_rows

    surface = allocate_on_device(VideoFormat.NV12, size_wh, stream, color)
    stream.wait()
    for source, target in zip(frame.cuda(), surface.device_planes, strict=True):
        interface = source.__cuda_array_interface__
        rows, width = target.shape[0], size_wh[0]
        if interface["shape"][0] != rows:
            raise MediaError(f"NVDEC gives {interface['shape'][0]} rows where {rows} are expected")
        from_decoder = Rows(True, interface["data"][0], interface["strides"][0])
        copy_rows(from_decoder, Rows(True, target.ptr, target.strides[0]), (rows, width))
    stream.device.wait_for(0)
    return surface
