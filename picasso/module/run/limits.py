"""How much may wait: in frames and in bytes of payload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

DECODER_LENGTH: Final = 5
"""Decoded frames of a source that wait for the elements beyond its pool, where nothing is set."""
MIN_FRAMES: Final = 8
"""Frames that may wait beyond a limit in bytes."""
INGRESS_LENGTH: Final = 200
"""Frames or packets of a source that wait for its decoder, where nothing is set."""
DEFAULT_BYTES: Final = 10 << 20
"""The limit of every queue in bytes where none is set."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much may wait in a queue; what is reached first counts. None means no limit."""

    frames: int | None = None
    """Frames, or batches where batches wait."""
    bytes: int | None = None
    """Bytes of payload; it never keeps a queue below 8 entries."""

    @classmethod
    def of(cls, length: int | None, size_bytes: int | None, default_length: int) -> Limit:
        """Read a pair of settings: None takes the default, 0 means no limit."""
        length = default_length if length is None else length
        size_bytes = DEFAULT_BYTES if size_bytes is None else size_bytes
        return cls(length or None, size_bytes or None)

    def is_full(self, frames: int, size_bytes: int) -> bool:
        """Tell whether nothing more may wait beside ``frames`` of ``size_bytes`` together."""
        by_length = self.frames is not None and frames >= self.frames
        by_bytes = self.bytes is not None and frames >= MIN_FRAMES and size_bytes >= self.bytes
        return by_length or by_bytes


@dataclass(frozen=True, slots=True)
class QueueUse:
    """What waits in a queue now, and what may."""

    length: int
    """Frames, or batches where batches wait."""
    bytes: int
    """Their payload: encoded where they have an encoded one, else their pixels."""
    limit: Limit


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What is taken of a pool now, and how large it is."""

    used: int
    size: int | None
    """None for no limit."""


def payload_bytes(frame: VideoFrame, surface: SurfaceView | None) -> int:
    """Return the bytes of a frame's payload: the encoded one where it brings one, else its pixels."""
    if frame.content.is_internal():
        return len(frame.content.get_data())
    if surface is None or not surface:
        return 0
    width, height = surface.size_wh
    if surface.is_cuda:
        return width * height * (2 * surface.channels or 3) // 2  # NV12 where there are several planes
    return sum(plane.nbytes for plane in surface.planes)
