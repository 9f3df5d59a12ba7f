"""Video of a file decoded by NVDEC, through PyNvVideoCodec: surfaces of NV12 or RGBA in GPU memory."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from av.format import ContainerFormat

from picasso.errors import DeviceError, MediaError
from picasso.media.location import Kind, Place
from picasso.media.nvdec_frames import Frames, HeldFrames, RgbaFrames, StreamPicture
from picasso.media.order import NO_PACKET, DisplayOrder, PacketTimes
from picasso.media.policy import LIST_FORMATS
from picasso.media.timeline import FALLBACK_RATE
from picasso.media.times import NS, Ticks
from picasso.media.wholeness import COUNT_SLOTS, is_short
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.media.info import MediaInfo

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


class DevicePicture(NamedTuple):
    """A decoded frame on the GPU; its duration is in ticks of ``NvdecSource.time_base``."""

    duration: int | None
    key_frame: bool
    surface: SurfaceView


class NvdecSource:
    """One pass over a file; the first frame is decoded at once, so that what NVDEC cannot read is refused early."""

    def __init__(self, path: str, info: MediaInfo, demuxer: Any, frames: Frames) -> None:
        """Open a file.

        Args:
            path: The file, as FFmpeg is told.
            info: What FFmpeg says of it.
            demuxer: PyNvVideoCodec's, of the file, at its start.
            frames: Decodes packets to surfaces.
        """
        self._info = info
        self.time_base: Fraction = Fraction(demuxer.GetTimebaseNum(), demuxer.GetTimebaseDen())
        self._order: DisplayOrder[DevicePicture] = DisplayOrder(lambda: True)
        self._times = PacketTimes(ContainerFormat(info.container.split(",")[0], "r"))
        self._path = Path(path.removeprefix("file:"))
        self._pictures = self._decode(demuxer, frames)
        self._first = next(self._pictures, None)
        if self._first is None:
            raise MediaError(f"{info.location}: NVDEC decodes no picture of it")

    @property
    def moved(self) -> int:
        """Frames so far that got the time of another packet."""
        return self._order.moved

    def frames(self) -> Iterator[tuple[DevicePicture, int | None]]:
        """Yield the frames in the order in which they are shown, with their times in ticks; once.

        Raises:
            MediaError: The decoder failed, or the file is shorter than its header says.
        """
        count = end_ticks = 0
        pictures = chain(iter(() if self._first is None else (self._first,)), self._pictures)
        self._first = None  # an iterator that is used up holds nothing
        try:
            for shown in pictures:
                picture, ticks = shown
                if ticks is not None and (end := ticks + (picture.duration or 0)) > end_ticks:
                    end_ticks = end
                yield shown
                count += 1
        except RuntimeError as error:
            yield from self._order.flush()
            raise MediaError(f"{self._info.location}: NVDEC failed after {count} frames: {error}") from error
        if self._info.frame_count and self._is_short(count, end_ticks):
            raise MediaError(f"{self._info.location}: truncated after {count} of {self._info.frame_count} frames")

    def _is_short(self, count: int, end_ticks: int) -> bool:
        info = self._info
        half_s = 1 / (2 * (info.frame_rate or FALLBACK_RATE))
        end_s = end_ticks * self.time_base
        said_s = None if info.duration_ns is None else Fraction(info.start_ns + info.duration_ns, NS)
        return is_short(info.container, self._path, count, info.frame_count or 0, end_s + half_s, said_s)

    def close(self) -> None:
        """Let file and decoder go, which frames that are lent keep; harmless when repeated."""
        self._pictures.close()
        self._first = None

    def _decode(self, demuxer: Any, frames: Frames) -> Generator[tuple[DevicePicture, int | None], None, None]:
        """Yield the pictures from the one on that FFmpeg shows first: an edit list may leave out some before it."""
        to_ns, shown = Ticks(self.time_base).to_ns, self._decode_all(demuxer, frames)
        for picture, ticks in shown:
            if ticks is None or to_ns(ticks) >= self._info.start_ns:
                yield picture, ticks
                del picture  # its user may let it go
                break
        yield from shown

    def _decode_all(self, demuxer: Any, frames: Frames) -> Iterator[tuple[DevicePicture, int | None]]:
        packets: dict[int, _Packet] = {}
        time_of, feed, show, decode = self._times.of, self._order.feed, self._order.show, frames.decode
        is_first = True
        for number, packet in enumerate(demuxer):
            pts, dts = packet.pts, packet.dts
            packets[pts] = number, packet.duration or None, bool(packet.key)
            feed(number, time_of(None if pts == _NOT_TOLD else pts, None if dts == _NOT_TOLD else dts))
            for pts, surface in decode(packet):
                of, duration, key_frame = packets.pop(pts, _UNKNOWN)
                is_key = key_frame or is_first  # pictures of packets without times are not told apart
                is_first = False
                yield from show(of, tuple.__new__(DevicePicture, (duration, is_key, surface)))
        yield from self._order.flush()


_Packet = tuple[int, int | None, bool]
"""What a packet says of its picture: its number, the duration, and whether it is a keyframe."""
_UNKNOWN: Final[_Packet] = NO_PACKET, None, False
"""Of a picture whose time is not that of a packet."""
_NOT_TOLD: Final = -(2**63)
"""AV_NOPTS_VALUE of libavutil: a packet without a time."""


def open_nvdec(place: Place, info: MediaInfo, gpu_id: int, *, rgba: bool = False) -> NvdecSource:
    """Open a file on a GPU; pictures are NV12 as they are decoded, or converted to RGBA.

    Raises:
        MediaError: It is not a file, or its pictures are not 8 bit 4:2:0 of even size, or NVDEC refuses them.
        DeviceError: There is no such GPU.
        MissingDependencyError: PyNvVideoCodec or the CUDA bindings are not installed.
    """
    is_plain = (
        place.kind is Kind.FILE and info.container not in LIST_FORMATS
    )  # NVDEC opens everything that a list names
    if not is_plain or place.path is None or not place.path.is_file():
        raise MediaError(f"{info.location}: NVDEC reads files")
    if info.container in COUNT_SLOTS:
        raise MediaError(
            f"{info.location}: NVDEC needs to know when pictures are shown, and {info.container} does not tell"
        )
    if info.pixel_format not in _EIGHT_BIT_420 or info.color is None or info.width % 2 or info.height % 2:
        raise MediaError(f"{info.location}: {info.pixel_format} {info.width}x{info.height} does not fit NV12 surfaces")
    from picasso.encode.nvenc import load_library
    from picasso.surface.cuda_memory import new_stream

    name = str(place.path.absolute())  # which no protocol of FFmpeg's begins with
    stream = new_stream(gpu_id)
    library = load_library()
    try:
        demuxer = library.CreateDemuxer(name)
        with stream.device.current():
            decoder = library.CreateDecoder(
                gpuid=gpu_id,
                codec=demuxer.GetNvCodecId(),
                cudacontext=int(stream.device.context),
                cudastream=stream.address,
                usedevicememory=True,
            )
        picture = StreamPicture((info.width, info.height), info.color, stream)
        return NvdecSource(name, info, demuxer, (RgbaFrames if rgba else HeldFrames)(decoder, picture))
    except (MediaError, DeviceError):
        raise
    except Exception as error:
        raise MediaError(f"{info.location}: NVDEC refuses it: {' '.join(str(error).split())[:300]}") from error
