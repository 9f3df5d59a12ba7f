"""Video of a file decoded by NVDEC, through PyNvVideoCodec: surfaces of NV12 or RGBA in GPU memory."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from fractions import Fraction
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
        self._end_ticks = 0  # of what was shown
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
            yield from self._order.flush()
            raise MediaError(f"{self._info.location}: NVDEC failed after {count} frames: {error}") from error
        if self._info.frame_count and self._is_short(count):
            raise MediaError(f"{self._info.location}: truncated after {count} of {self._info.frame_count} frames")

    def _is_short(self, count: int) -> bool:
        info = self._info
        half_s = 1 / (2 * (info.frame_rate or FALLBACK_RATE))
        end_s = self._end_ticks * self.time_base
        said_s = None if info.duration_ns is None else Fraction(info.start_ns + info.duration_ns, NS)
        return is_short(info.container, self._path, count, info.frame_count or 0, end_s + half_s, said_s)

    def close(self) -> None:
        """Let file and decoder go, which frames that are lent keep; harmless when repeated."""
        self._pictures.close()
        self._first = None

    def _decode(self, demuxer: Any, frames: Frames) -> Generator[tuple[DevicePicture, int | None], None, None]:
        """Yield the pictures from the one on that FFmpeg shows first: an edit list may leave out some before it."""
        to_ns = Ticks(self.time_base).to_ns
        begins = False
        for picture, ticks in self._decode_all(demuxer, frames):
            begins = begins or ticks is None or to_ns(ticks) >= self._info.start_ns
            if begins:
                if ticks is not None:
                    self._end_ticks = max(self._end_ticks, ticks + (picture.duration or 0))
                yield picture, ticks

    def _decode_all(self, demuxer: Any, frames: Frames) -> Iterator[tuple[DevicePicture, int | None]]:
        packets: dict[int, _Packet] = {}
        is_first = True
        for number, packet in enumerate(demuxer):
            packets[packet.pts] = _Packet(number, packet.duration or None, bool(packet.key))
            self._order.feed(number, self._times.of(_told(packet.pts), _told(packet.dts)))
            for pts, surface in frames.decode(packet):
                of, duration, key_frame = packets.pop(pts, _UNKNOWN)
                is_key = key_frame or is_first  # pictures of packets without times are not told apart
                is_first = False
                yield from self._order.show(of, DevicePicture(duration, is_key, surface))
        yield from self._order.flush()


class _Packet(NamedTuple):
    """What a packet says of its picture."""

    number: int
    duration: int | None
    key: bool


_UNKNOWN: Final = _Packet(NO_PACKET, None, False)
"""Of a picture whose time is not that of a packet."""
_NOT_TOLD: Final = -(2**63)
"""AV_NOPTS_VALUE of libavutil: a packet without a time."""


def _told(ticks: int | None) -> int | None:
    return None if ticks == _NOT_TOLD else ticks


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
