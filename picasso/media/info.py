"""What a file or stream holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from picasso.surface import ColorSpace


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
    """Turn that a player applies, degrees in -180..180, as the display matrix says."""
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

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height
