"""Video of a file decoded by NVDEC, through PyNvVideoCodec: surfaces of NV12 or RGBA in GPU memory."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.errors import DeviceError, MediaError
from picasso.surface import ColorSpace, DevicePlane, SurfaceView, VideoFormat
from picasso.transform import Placement

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


def open_nvdec(location: Location, info: MediaInfo, gpu_id: int, *, rgba: bool = False) -> NvdecSource:
    """Open a file on a GPU; pictures are NV12 as they are decoded, or converted to RGBA.

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
        keep = _rgba_keeper(stream) if rgba else functools.partial(_keep_on_device, stream)
        return NvdecSource(str(location), info, library, decoder, keep)
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
    decoded = view_of_frame(frame, size_wh, color, stream.device.index)
    stream.wait()
    for source, target in zip(decoded.device_planes, surface.device_planes, strict=True):
        there, here = Rows(True, source.ptr, source.strides[0]), Rows(True, target.ptr, target.strides[0])
        copy_rows(there, here, (target.shape[0], size_wh[0]))
    stream.device.wait_for(0)
    return surface


def _rgba_keeper(stream: Stream) -> Keeper:
    """Return what converts a decoder's frames to RGBA, by the transform's own kernel."""
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso.transform.cuda import CudaTransformer

    transformer = CudaTransformer(stream.device.index, stream)
    placements: dict[tuple[int, int], Placement] = {}

    def convert(frame: Any, size_wh: tuple[int, int], color: ColorSpace | None) -> SurfaceView:
        placement = placements.setdefault(size_wh, Placement.identity(size_wh))
        surface = allocate_on_device(VideoFormat.RGBA, size_wh, stream)
        decoded = view_of_frame(frame, size_wh, color, stream.device.index)
        stream.wait()  # the decoder's copies are on it
        transformer.transform(decoded, placement, surface)
        transformer.wait()  # the decoder's memory is used again
        return surface

    return convert


def view_of_frame(frame: Any, size_wh: tuple[int, int], color: ColorSpace | None, gpu_id: int) -> SurfaceView:
    """View the planes of a decoder's frame as NV12, as long as the decoder leaves them alone.

    Args:
        frame: What ``Decode`` gave.
        size_wh: Width and height of the picture.
        color: What its numbers mean.
        gpu_id: Where it is.

    Raises:
        MediaError: The frame has planes of other rows.
    """
    planes = []
    for given, shape in zip(frame.cuda(), VideoFormat.NV12.planes, strict=True):
        interface, wanted = given.__cuda_array_interface__, shape.of(size_wh)
        if interface["shape"][0] != wanted[0]:
            raise MediaError(f"NVDEC gives {interface['shape'][0]} rows where {wanted[0]} are expected")
        strides = (interface["strides"][0], *wanted[2:], 1)
        planes.append(DevicePlane(interface["data"][0], wanted, strides, read_only=True, stream=None, owner=frame))
    return SurfaceView(tuple(planes), VideoFormat.NV12, size_wh, color, gpu_id=gpu_id)
