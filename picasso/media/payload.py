"""Pictures of a stream that comes one message at a time: each payload holds the bytes of one frame."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from picasso.errors import MediaError, SurfaceError, require
from picasso.media.pictures import PictureWrapper
from picasso.surface import SurfaceView, VideoFormat

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame as Picture

T = TypeVar("T")

DECODERS: Final = {
    "h264": "h264",
    "avc": "h264",
    "hevc": "hevc",
    "h265": "hevc",
    "jpeg": "mjpeg",
    "mjpeg": "mjpeg",
    "swjpeg": "mjpeg",
    "png": "png",
    "av1": "libdav1d",
    "vp8": "vp8",
    "vp9": "vp9",
}
"""FFmpeg's decoders by the names that travel."""
RAW: Final = {
    "raw-rgba": VideoFormat.RGBA,
    "raw-rgb24": VideoFormat.RGB,
    "raw-rgb": VideoFormat.RGB,
    "raw-nv12": VideoFormat.NV12,
}
"""Pixels as they are, rows tightly packed."""
STILL: Final = frozenset(("mjpeg", "png"))
"""Each picture of these decodes on its own."""
MAX_HELD: Final = 64
"""Frames that a decoder may hold; a codec refers to 16 others at most."""
_KEY_H264: Final = re.compile(rb"\x00\x00\x01[\x05\x07\x25\x27\x45\x47\x65\x67]")
"""An IDR slice or a sequence parameter set, by nal_unit_type (ITU-T H.264, table 7-1)."""
_KEY_HEVC: Final = re.compile(rb"\x00\x00\x01[\x20\x22\x24\x26\x28\x2a\x40\x42]")
"""A slice of a random access point, a video or a sequence parameter set (ITU-T H.265, table 7-1)."""


def codec_name(name: str | None) -> str:
    """Return the one spelling of a codec's name: lower case with dashes; empty where there is none."""
    return (name or "").strip().lower().replace("_", "-")


def is_decodable(name: str | None) -> bool:
    """Whether ``PayloadDecoder`` takes the codec of this ``name``."""
    return codec_name(name) in DECODERS or codec_name(name) in RAW


def is_still(name: str | None) -> bool:
    """Whether each frame of the codec of this ``name`` decodes on its own."""
    codec = codec_name(name)
    return codec in RAW or DECODERS.get(codec) in STILL


def may_begin(name: str | None, data: bytes | memoryview) -> bool:
    """Whether a stream of the codec of this ``name`` may begin with ``data``, by what can be seen of the bytes."""
    codec = codec_name(name)
    if is_still(codec):
        return True
    find = {"h264": _KEY_H264, "hevc": _KEY_HEVC}.get(DECODERS.get(codec, ""))
    return find is not None and find.search(data) is not None


class PayloadDecoder(Generic[T]):
    """Decodes the payloads of one stream; belongs to one thread at a time.

    Every frame that is fed comes out with its picture, in the order in which they are shown, or is told as lost.
    """

    def __init__(self, codec: str | None, size_wh: tuple[int, int], *, low_latency: bool = False) -> None:
        """Open a decoder.

        Args:
            codec: Its name, such as ``h264``, ``jpeg`` or ``raw-rgba``.
            size_wh: Width and height in pixels that the frames say they have; raw pixels need it.
            low_latency: Whether pictures are shown as soon as they are decoded, which is wrong for B-frames.

        Raises:
            MediaError: There is no such decoder.
        """
        self.codec: str = codec_name(codec)
        self.size_wh = size_wh
        self._raw = RAW.get(self.codec)
        self._is_still = is_still(self.codec)
        self._held: dict[int, T] = {}
        self._lost: deque[T] = deque()
        self._next = 0
        if self._raw is None:
            self._context = self._open(low_latency)
            self._wrapper = PictureWrapper()

    def feed(self, frame: T, data: bytes | memoryview) -> list[tuple[T, SurfaceView]]:
        """Decode the payload of one frame; return the frames that are shown now, with their pictures.

        Args:
            frame: What comes out with the picture.
            data: Its bytes.

        Raises:
            MediaError: The bytes cannot be decoded; the frame counts as lost.
        """
        if self._raw is not None:
            return [(frame, self._raw_picture(data))]
        av = require("av")
        number, self._next = self._next, self._next + 1
        self._held[number] = frame
        packet = av.Packet(data)
        packet.pts = packet.dts = number
        packet.is_keyframe = self._is_still  # FFmpeg adds a PNG that is none to the picture before it
        try:
            pictures = self._context.decode(packet)
        except av.error.FFmpegError as error:
            self._lost.append(self._held.pop(number))
            raise MediaError(f"{self.codec}: {len(data)} bytes cannot be decoded: {error.strerror}") from None
        return list(self._shown(pictures))

    def flush(self) -> list[tuple[T, SurfaceView]]:
        """End the stream: return the frames that the decoder still held. It takes no further ones."""
        if self._raw is not None:
            return []
        av = require("av")
        try:
            shown = list(self._shown(self._context.decode(None)))
        except (EOFError, av.error.FFmpegError):
            shown = []
        self._lost.extend(self._held.values())
        self._held.clear()
        return shown

    def take_lost(self) -> list[T]:
        """Return the frames, since the last call, of which there will be no picture."""
        lost = list(self._lost)
        self._lost.clear()
        return lost

    @property
    def held(self) -> int:
        """Frames that were fed and have not come out yet."""
        return len(self._held)

    def _shown(self, pictures: list[Picture]) -> Iterator[tuple[T, SurfaceView]]:
        for picture in pictures:
            frame = self._held.pop(-1 if picture.pts is None else picture.pts, None)
            if frame is not None:
                yield frame, self._wrap(frame, picture)
        while len(self._held) > MAX_HELD:
            self._lost.append(self._held.pop(next(iter(self._held))))

    def _wrap(self, frame: T, picture: Picture) -> SurfaceView:
        try:
            return self._wrapper.wrap(picture)
        except (SurfaceError, MediaError) as error:
            self._lost.append(frame)
            raise MediaError(f"{self.codec}: {picture.width}x{picture.height}: {error}") from None

    def _open(self, low_latency: bool) -> VideoCodecContext:
        av = require("av")
        name = DECODERS.get(self.codec)
        if name is None:
            known = ", ".join(sorted({*DECODERS, *RAW}))
            raise MediaError(f"codec {self.codec!r} cannot be decoded; one of {known}")
        try:
            context: VideoCodecContext = av.CodecContext.create(name, "r")
            context.thread_count = 1  # each further thread is a frame that comes later
            context.thread_type = "NONE"
            if low_latency:
                context.flags |= av.codec.context.Flags.low_delay
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"codec {self.codec!r}: this FFmpeg has no decoder: {error}") from None
        return context

    def _raw_picture(self, data: bytes | memoryview) -> SurfaceView:
        width, height = self.size_wh
        assert self._raw is not None
        rows, channels = (height, self._raw.channels) if self._raw.channels else (height * 3 // 2, 1)
        expected = rows * width * channels
        if len(data) != expected:
            raise MediaError(f"{self.codec}: expected {expected} bytes for {width}x{height}, got {len(data)}")
        pixels = np.frombuffer(data, np.uint8)
        pixels.flags.writeable = False
        shape = (rows, width, channels) if channels > 1 else (rows, width)
        return SurfaceView.wrap(pixels.reshape(shape), self._raw)
