"""What a file or stream holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from picasso.primitives import Orientation
from picasso.primitives.orientation import UPRIGHT
from picasso.surface import ColorSpace


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """One audio stream of a file, as its header describes it."""

    codec: str
    """FFmpeg's name of the codec, e.g. ``"aac"``; ``"unknown"`` where this FFmpeg has none."""
    sample_rate_hz: int | None
    """Samples per second of each channel, None where the header does not say."""
    channels: int | None
    """How many channels, None where the header does not say."""
    language: str | None
    """Three letters of ISO 639-2, None where the header does not say."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """The first video stream of a file, as its header and its first frame describe it."""

    location: str
    """File or URL, without user name and password."""
    container: str
    """FFmpeg's name of the container, e.g. ``"mov,mp4,m4a,3gp,3g2,mj2"``."""
    codec: str
    """FFmpeg's name of the codec, e.g. ``"h264"``."""
    width: int
    """Pixels a row, as stored: a rotation is not applied."""
    height: int
    """Rows, as stored."""
    pixel_format: str
    """FFmpeg's name of the decoder's format, e.g. ``"yuv420p"``."""
    color: ColorSpace | None
    """What the numbers of YUV pixels mean; None for RGB, and for spaces other than BT.601 and BT.709."""
    rotation_deg: int
    """Turn that a player applies, degrees counter-clockwise in -180..180, as the display matrix says and as ``ffprobe``
    shows it: -90 for a phone held upright. ``orientation`` says the same, and whether the picture is mirrored."""
    frame_rate: Fraction | None
    """Mean frames per second, None where the container does not tell."""
    time_base: Fraction
    """Seconds a tick of the stream's own timestamps."""
    start_ns: int
    """Time of the first frame, nanoseconds."""
    duration_ns: int | None
    """Length as the header says, nanoseconds, None for a live stream."""
    frame_count: int | None
    """Frames as the header says, None where it does not."""
    bit_rate: int | None
    """Bits per second as the header says, None where it does not."""
    sample_aspect_ratio: Fraction = Fraction(1)
    """Width of a stored pixel over its height; 1 where the file does not say."""
    orientation: Orientation | None = UPRIGHT
    """How the stored picture is turned for display; None where the display matrix is not a turn by quarters."""
    field_order: str = "progressive"
    """``progressive``, or FFmpeg's name of the order in which the two fields of a frame are stored and shown: ``tt``,
    ``bb``, ``tb``, ``bt``; ``unknown`` where frames are interlaced and the order is not told."""
    bit_depth: int = 8
    """Bits of a sample."""
    color_transfer: str | None = None
    """FFmpeg's name of the transfer function, e.g. ``"bt709"``, ``"smpte2084"`` (PQ), ``"arib-std-b67"`` (HLG); None
    where the file does not say."""
    color_primaries: str | None = None
    """FFmpeg's name of the primaries, e.g. ``"bt709"``, ``"bt2020"``; None where the file does not say."""
    color_matrix: str | None = None
    """FFmpeg's name of the YUV matrix, e.g. ``"bt709"``, ``"bt2020nc"``; None where the file does not say."""
    color_range: str | None = None
    """``tv`` (limited) or ``pc`` (full); None where the file does not say."""
    audio: tuple[AudioInfo, ...] = ()
    """The audio streams, in the order of the file."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels, as stored."""
        return self.width, self.height

    @property
    def upright_size_wh(self) -> tuple[int, int]:
        """Width and height in pixels after the rotation: of the pictures that a ``VideoReader`` gives."""
        return self.size_wh if self.orientation is None else self.orientation.size(self.size_wh)

    @property
    def upright_sample_aspect_ratio(self) -> Fraction:
        """Width of a pixel over its height after the rotation, of the pictures that a ``VideoReader`` gives."""
        scale_x, scale_y = self.display_scale_xy
        return scale_x / scale_y

    @property
    def display_scale_xy(self) -> tuple[Fraction, Fraction]:
        """What makes the pixels of an upright picture square: one side by ``sample_aspect_ratio``, the other by 1."""
        scale_xy = self.sample_aspect_ratio, Fraction(1)
        return scale_xy[::-1] if self.orientation is not None and self.orientation.swaps_sides else scale_xy

    @property
    def display_size_wh(self) -> tuple[int, int]:
        """Size in square pixels as players show it: stored width times ``sample_aspect_ratio``, height, then turned."""
        (width, height), (scale_x, scale_y) = self.upright_size_wh, self.display_scale_xy
        return max(round(width * scale_x), 1), max(round(height * scale_y), 1)

    @property
    def is_interlaced(self) -> bool:
        """Whether a frame holds two fields of different times."""
        return self.field_order != "progressive"

    @property
    def is_hdr(self) -> bool:
        """Whether the transfer function is PQ or HLG."""
        return self.color_transfer in {"smpte2084", "arib-std-b67"}
