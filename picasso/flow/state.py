"""How a source of a runner is doing, and how it fared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MOST_REASONS: Final = 64
"""Words for which frames are counted as dropped, in one place; those beyond, which are words of users, count as
``other``."""
OTHER: Final = "other"


def bounded_reason(reason: str, known: Collection[str]) -> str:
    """Return the word under which a drop is counted where words are ``known``: users may make up any number of them."""
    reason = str(reason)
    return reason if reason in known or len(known) < MOST_REASONS else OTHER


class SourceState(StrEnum):
    """Where a source of a runner stands."""

    WAITING = "waiting"
    """The runner has not started."""
    CONNECTING = "connecting"
    """It is being opened; no frame has come yet."""
    LIVE = "live"
    """Frames come."""
    SILENT = "silent"
    """It is open, and no frame has come for ``Runner.silent_after_s``."""
    BACKING_OFF = "backing_off"
    """It failed or ended, and is opened again after a pause."""
    REJECTED = "rejected"
    """It cannot be decoded, or too many sources are in; it is tried again."""
    PAUSED = "paused"
    """``Runner.pause`` holds it."""
    ENDED = "ended"
    """It ended in order, or ``Runner.stop`` or ``Runner.remove`` ended it; its sinks are closed."""
    FAILED = "failed"
    """An error ended it; its sinks are closed."""

    @property
    def is_over(self) -> bool:
        """Whether no further frame will come."""
        return self in (SourceState.ENDED, SourceState.FAILED)


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """Where one sink of a source stands."""

    name: str
    """The sink's own description."""
    written: int
    """Frames that it took."""
    dropped: int
    """Frames that it did not take: its queue was full and its policy discards, or it had failed."""
    waiting: int
    """Frames in its queue now."""
    failure: BaseException | None
    """What the sink raised first; it takes nothing more."""
    came: int = 0
    """Frames that it was given: ``came == written + dropped`` and what waits or is being written."""
    dropped_by: Mapping[str, int] = field(default_factory=dict)
    """The dropped frames by reason: ``overflow``, ``failed``, ``lost``, ``stopped``, or what the sink says."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Where one source stands. In a runner that is done, it is how the source fared.

    ``read == delivered + dropped`` once the source is over.
    """

    source_id: str
    """Its name."""
    state: SourceState
    """What it does now."""
    total: int | None
    """Frames to come in all, where the source says."""
    read: int
    """Frames that were read, counted for each output; those that the source itself kept back count as well."""
    delivered: int
    """Frames that came out of the engine, counted for each output."""
    dropped: int
    """Frames that the source, the stage or the engine dropped, for every reason together, counted for each output."""
    stage_dropped: Mapping[str, int]
    """Frames that the runner's stage did not send to the engine, by its reasons."""
    source_dropped: Mapping[str, int]
    """Frames that the source kept back, by its reasons: see ``Source.dropped``."""
    frames_per_s: float
    """Delivered frames over the time from the first read to the last delivery."""
    p50_ms: float
    """Median time from sending a frame until its sinks have queued it, in milliseconds."""
    p99_ms: float
    """The same time, which 99 of 100 frames did not exceed."""
    restarts: int
    """How often it was opened again."""
    gap_s: float
    """Seconds without a frame when the source was last lost or silent and came back; 0 where that has not been."""
    failure: BaseException | None
    """What ended it; None while it runs, and where it ended in order."""
    last_error: BaseException | None
    """The newest error, whether or not it ended the source."""
    sinks: tuple[SinkStatus, ...]
    """Where each of its sinks stands."""
