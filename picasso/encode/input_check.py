"""What every encoder checks before it looks at a pixel."""

from __future__ import annotations

from picasso.errors import EncoderError, SurfaceError
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.view import SurfaceView


class InputCheck:
    """Lets in surfaces of one format, size and colour, with rising timestamps, until it is closed."""

    __slots__ = ("_closed", "_color", "_format", "_last_pts_ns", "_name", "_size_wh")

    def __init__(self, name: str, format: VideoFormat, size_wh: tuple[int, int], color: ColorSpace) -> None:
        self._name = name
        self._format = format
        self._size_wh = size_wh
        self._color = color if format.is_yuv else None
        self._last_pts_ns: int | None = None
        self._closed = False

    def admit(self, surface: SurfaceView, pts_ns: int) -> None:
        """Check one frame.

        Raises:
            EncoderError: The encoder is closed, or ``pts_ns`` does not rise.
            SurfaceError: Another format, size or colour than the encoder's.
        """
        self.check_open()
        if self._last_pts_ns is not None and pts_ns <= self._last_pts_ns:
            raise EncoderError(f"{self._name}: Input PTS reordering detected: {pts_ns} ns after {self._last_pts_ns} ns")
        if surface.format is not self._format or surface.size_wh != self._size_wh or surface.color != self._color:
            raise SurfaceError(
                f"{self._name}: expected {_describe(self._format, self._size_wh, self._color)}, "
                f"got {_describe(surface.format, surface.size_wh, surface.color)}"
            )
        self._last_pts_ns = pts_ns

    def check_open(self) -> None:
        """Raise ``EncoderError`` once ``close`` was called."""
        if self._closed:
            raise EncoderError(f"{self._name}: the encoder is closed")

    def close(self) -> None:
        """Let nothing in any more."""
        self._closed = True


def _describe(format: VideoFormat, size_wh: tuple[int, int], color: ColorSpace | None) -> str:
    meaning = f" {color.matrix.value} {'full' if color.full_range else 'limited'} range" if color else ""
    return f"{format.name()} {size_wh[0]}x{size_wh[1]}{meaning}"
