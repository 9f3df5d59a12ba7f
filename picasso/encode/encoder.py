"""The seam between pixels and bytes: what every encoder does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from picasso.encode.config import EncoderConfig
    from picasso.surface.formats import ColorSpace, VideoFormat
    from picasso.surface.view import SurfaceView


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """One access unit of a video stream, one image, or the pixels of one frame."""

    data: bytes
    """Annex-B for H.264 and HEVC, one temporal unit for AV1, a file for JPEG and PNG, tight rows for raw."""
    pts_ns: int
    """As it was given to ``encode``, exactly."""
    dts_ns: int | None
    """Never after ``pts_ns``; equal to it, as there are no B-frames."""
    duration_ns: int | None
    """As it was given to ``encode``."""
    keyframe: bool
    """Whether decoding can begin here; parameter sets are then part of ``data``."""


class Encoder(Protocol):
    """Turns surfaces into bytes, in order, one unit a surface.

    Owned by one thread at a time. ``encode`` is done with the surface when it returns, so the caller may write the
    next frame into it. An encoder that holds frames back answers with fewer units first and the rest in ``flush``.
    """

    @property
    def name(self) -> str:
        """Who does the work, e.g. ``"libx264"``."""

    @property
    def input_format(self) -> VideoFormat:
        """Format of the surfaces that ``encode`` takes."""

    @property
    def color(self) -> ColorSpace:
        """What the numbers of YUV surfaces must mean; the stream is tagged with it."""

    @property
    def extradata(self) -> bytes:
        """Parameter sets, Annex-B or OBUs; empty before the first unit, and where the codec has none."""

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        """Encode one frame.

        Args:
            surface: Of ``input_format`` and the configured size, on the host.
            pts_ns: When it is shown, nanoseconds; greater than that of the frame before.
            duration_ns: How long it is shown, nanoseconds, if known.
            force_keyframe: Make this frame a keyframe, also within the interval.

        Returns:
            The units that became ready, oldest first.

        Raises:
            EncoderError: The encoder failed, is closed, or ``pts_ns`` does not rise.
            SurfaceError: A surface of another format or size.
        """

    def flush(self) -> list[EncodedUnit]:
        """End the stream: return the units still held, oldest first. The encoder takes no frame afterwards."""

    def close(self) -> None:
        """Free everything, units still held too. May be called again."""

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Go on with ``config`` without a break in the stream.

        Returns:
            Whether that was possible; if not, nothing has changed and a new encoder is needed.
        """
