"""How much waits somewhere, and how much may: in frames and in bytes of payload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIN_FRAMES: Final = 8
"""Frames that may wait beyond a limit in bytes."""
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
        """Read a pair of settings: None takes the default, 0 means no limit.

        Args:
            length: Entries that may wait.
            size_bytes: Bytes that may wait; the default is 10 MiB.
            default_length: Entries where ``length`` is None.
        """
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
    """How much may wait."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What is taken of a pool now, and how large it is."""

    used: int
    """How many are taken."""
    size: int | None
    """None for no limit."""


NO_QUEUE: Final = QueueUse(0, 0, Limit())
"""That of a queue that is not there."""
