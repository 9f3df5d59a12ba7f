"""Frames to send: a picture of a file, or the frames of a video as the file holds them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from picasso.errors import MediaError, PictureError, require
from picasso.media.times import NS, Ticks
from picasso.primitives import Attribute, AttributeValue, VideoFrame, VideoFrameContent

if TYPE_CHECKING:
    from picasso.primitives import VideoFrameUpdate

EXTERNAL: Final = VideoFrameContent.external("zeromq")
FALLBACK_RATE: Final = Fraction(30)
CODECS: Final = {
    "h264": "h264",
    "hevc": "hevc",
    "av1": "av1",
    "vp8": "vp8",
    "vp9": "vp9",
    "mjpeg": "jpeg",
    "png": "png",
}
"""Codecs of files that travel, by FFmpeg's names."""
_FILTERS: Final = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
"""What gives units of a file start codes, and repeats the parameter sets with each keyframe."""
Built = tuple[VideoFrame, bytes]
"""A frame and its payload."""


class FrameSource(ABC):
    """Makes one frame."""

    @property
    @abstractmethod
    def source_id(self) -> str:
        """The source that the frame belongs to."""

    @abstractmethod
    def with_update(self, update: VideoFrameUpdate) -> FrameSource:
        """Return the same frame, with one ``update`` more."""

    @abstractmethod
    def build_frame(self) -> Built:
        """Return the frame's metadata and its payload."""


class ImageSource(FrameSource):
    """A JPEG or PNG file as a frame; the file's header says which it is."""

    def __init__(
        self,
        source_id: str,
        file: str | os.PathLike[str] | BinaryIO,
        pts: int = 0,
        framerate: tuple[int, int] = (30, 1),
        updates: Iterable[VideoFrameUpdate] | None = None,
    ) -> None:
        """Name the file.

        Args:
            source_id: The source.
            file: Its path, or an object that is open for reading bytes.
            pts: When the picture is shown, in nanoseconds.
            framerate: Frames per second, as numerator and denominator.
            updates: What is done to the frame's metadata, in order.

        Raises:
            PictureError: There is no such file, or it is neither path nor open file; it is a ``ValueError``, too.
        """
        if isinstance(file, str | os.PathLike):
            if not Path(file).is_file():
                raise PictureError(f"{os.fspath(file)}: does not exist.")
        elif not hasattr(file, "read"):
            raise PictureError(f"{file!r}: File path or file handle is expected.")
        self._source_id = source_id
        self._file = file
        self._pts = pts
        self._framerate = framerate
        self._updates = list(updates or ())

    @property
    def source_id(self) -> str:
        """The source that the frame belongs to."""
        return self._source_id

    @property
    def filepath(self) -> str | None:
        """The path of the file; None where an open file was given."""
        return os.fspath(self._file) if isinstance(self._file, str | os.PathLike) else None

    @property
    def pts(self) -> int:
        """When the picture is shown, in nanoseconds."""
        return self._pts

    @property
    def framerate(self) -> tuple[int, int]:
        """Frames per second, as numerator and denominator."""
        return self._framerate

    @property
    def updates(self) -> list[VideoFrameUpdate]:
        """What is done to the frame's metadata, as a copy."""
        return self._updates.copy()

    @property
    def duration(self) -> int:
        """How long the picture is shown, in nanoseconds."""
        return NS * self._framerate[1] // self._framerate[0]

    def with_pts(self, pts: int) -> Self:
        """Return the same picture, shown at ``pts`` nanoseconds."""
        return type(self)(self._source_id, self._file, pts, self._framerate, self._updates)

    def with_framerate(self, framerate: tuple[int, int]) -> Self:
        """Return the same picture, with this ``framerate``."""
        return type(self)(self._source_id, self._file, self._pts, framerate, self._updates)

    def with_update(self, update: VideoFrameUpdate) -> Self:
        """Return the same picture, with one ``update`` more."""
        return type(self)(self._source_id, self._file, self._pts, self._framerate, [*self._updates, update])

    def build_frame(self) -> Built:
        """Read the file.

        Raises:
            MediaError: It cannot be read; where it holds no picture, it is a ``PictureError``.
        """
        data = self._read()
        codec, (width, height) = _describe(data, self.filepath or "the picture")
        frame = VideoFrame(
            self._source_id,
            self._framerate,
            width,
            height,
            EXTERNAL,
            codec=codec,
            keyframe=True,
            time_base=(1, NS),
            pts=self._pts,
            duration=self.duration,
        )
        if self.filepath is not None:
            _set_location(frame, self.filepath)
        _apply(frame, self._updates)
        return frame, data

    def _read(self) -> bytes:
        if not isinstance(self._file, str | os.PathLike):
            data = self._file.read()
            self._file.seek(0)
            return data
        try:
            return Path(self._file).read_bytes()
        except OSError as error:
            raise MediaError(f"{os.fspath(self._file)}: {error.strerror}") from None


class JpegSource(ImageSource):
    """A JPEG file as a frame."""


class PngSource(ImageSource):
    """A PNG file as a frame."""


class VideoSource:
    """The frames of a video file in the order of decoding, as the file holds them: nothing is decoded or encoded."""

    def __init__(
        self, source_id: str, file: str | os.PathLike[str], *, updates: Iterable[VideoFrameUpdate] | None = None
    ) -> None:
        """Name the file; it is opened when it is read.

        Args:
            source_id: The source.
            file: Its path.
            updates: What is added to the metadata of every frame.
        """
        self.source_id = source_id
        self._path = os.fspath(file)
        self._updates = list(updates or ())
        self.frame_count: int | None = None
        """Frames of the file, as its header says; None before it is open, and where it does not say."""

    def __iter__(self) -> Iterator[Built]:
        """Read the file once more.

        Raises:
            MediaError: It cannot be read, or its codec does not travel.
        """
        av = require("av")
        try:
            with av.open(self._path) as container:
                yield from self._frames(av, container)
        except (av.error.FFmpegError, OSError) as error:
            if isinstance(error, MediaError):
                raise
            raise MediaError(f"{self._path}: {error.strerror or error}") from None

    def _frames(self, av: Any, container: Any) -> Iterator[Built]:
        if not container.streams.video:
            raise MediaError(f"{self._path}: holds no video")
        stream = container.streams.video[0]
        name = stream.codec_context.name
        codec = CODECS.get(name)
        if codec is None:
            known = ", ".join(sorted(CODECS.values()))
            raise MediaError(f"{self._path}: {name} does not travel; one of {known} does: picasso encode makes one")
        self.frame_count = stream.frames or None
        to_annexb = None
        if codec in _FILTERS:
            to_annexb = av.BitStreamFilterContext(_FILTERS[codec], in_stream=stream)
        rate = Fraction(stream.average_rate) if stream.average_rate else FALLBACK_RATE
        ticks = Ticks(Fraction(stream.time_base))
        first_ns: int | None = None
        last_ns = 0
        for packet in container.demux(stream):
            for unit in to_annexb.filter(packet if packet.size else None) if to_annexb else [packet]:
                if not unit.size:
                    continue
                pts = unit.pts if unit.pts is not None else unit.dts
                if pts is None:
                    raise MediaError(f"{self._path}: has no times; picasso encode gives it some")
                if first_ns is None:
                    first_ns = min(ticks.to_ns(pts), 0)
                dts_ns = last_ns if unit.dts is None else ticks.to_ns(unit.dts) - first_ns
                last_ns = max(dts_ns, last_ns)  # some containers do not tell when the first frames are decoded
                yield self._frame(unit, codec, stream, rate, ticks, max(ticks.to_ns(pts) - first_ns, 0), last_ns)

    def _frame(
        self, unit: Any, codec: str, stream: Any, rate: Fraction, ticks: Ticks, pts_ns: int, dts_ns: int
    ) -> Built:
        frame = VideoFrame(
            self.source_id,
            (rate.numerator, rate.denominator),
            stream.width,
            stream.height,
            EXTERNAL,
            codec=codec,
            keyframe=bool(unit.is_keyframe),
            time_base=(1, NS),
            pts=pts_ns,
            dts=dts_ns,
            duration=ticks.to_ns(unit.duration) if unit.duration else round(NS / rate),
        )
        _set_location(frame, self._path)
        _apply(frame, self._updates)
        return frame, bytes(unit)


def _set_location(frame: VideoFrame, path: str) -> None:
    frame.set_attribute(Attribute("default", "location", [AttributeValue.string(path)], None, True, False))


def _apply(frame: VideoFrame, updates: Iterable[VideoFrameUpdate]) -> None:
    for update in updates:
        frame.update(update)


def _describe(data: bytes, place: str) -> tuple[str, tuple[int, int]]:
    """Return the codec of a picture, and its width and height in pixels, by its header."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        if len(data) >= 24:
            return "png", (int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))
    elif data[:2] == b"\xff\xd8":
        at = 2
        while at + 9 <= len(data) and data[at] == 0xFF:
            marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame, of any process
                return "jpeg", (int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7]))
            at += 1 if marker == 0xFF else 2 + length
    else:
        raise PictureError(f"{place}: Not a JPEG or PNG file.")
    raise PictureError(f"{place}: Failed to get image size from image header.")
