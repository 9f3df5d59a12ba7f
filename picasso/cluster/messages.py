"""What the head and its actors tell each other: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from picasso.observe.account import ModuleStatistics
from picasso.primitives.field_texts import explain_fields as _explain_fields


class Position(NamedTuple):
    """A place in what a source yields."""

    part: int
    """How many ends of streams came before: files of a folder, passes of a loop."""
    pts_ns: int
    """The time of a frame, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an actor is made of."""

    config: Any
    """The ``ModuleConfig`` of the module, with the sockets that are this actor's and without other sources."""
    actor: str
    folder: str
    """The working folder of the head."""
    lease_s: float


@dataclass(frozen=True, slots=True)
class SourcePulse:
    """How one source of an actor is doing."""

    epoch: int
    record: Mapping[str, Any]
    """As ``/sources`` shows it."""
    position: Position | None
    """Of the newest frame that every sink has taken; None before the first."""
    size_wh: tuple[int, int] | None
    """Of its pictures, in pixels."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What an actor answers when it is asked how it is."""

    incarnation: str
    stamp_s: float
    """What its clock says."""
    node: str
    pid: int
    state: str
    """Of its module."""
    failure: str
    """What ended its module before its time; empty where nothing did."""
    statistics: ModuleStatistics
    sources: Mapping[str, SourcePulse]
    addresses: Mapping[str, str]
    """Where it listens, by what it is: ``health``, ``metrics``, ``source 0``, ``sink 1``."""
    cpu_s: float
    """Seconds of processor time that its process has taken."""


@dataclass(frozen=True, slots=True)
class Order:
    """A source for an actor."""

    source_id: str
    entry: Mapping[str, Any]
    """As in ``pipeline.source``."""
    epoch: int
    """Rises each time that the source is placed, from 1."""
    known: Position | None = None
    """Of the newest frame that the head knows to be delivered."""
    existing: tuple[str, ...] | None = None
    """Files that were there before the first epoch; None for the first."""
    others: tuple[str, ...] = field(default=())
    """Ids of other sources: names of their files are not this one's."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where an actor goes on with a source."""

    source_id: str
    epoch: int
    basis: str
    """``start``: it is the first epoch. ``files``: behind what its files hold. ``report``: behind the newest frame that
    the head has heard of; later frames that were written are written again. ``live``: with the next frame that
    comes."""
    after: Position | None
    """The frame behind which it goes on."""
    safe_frames: int | None
    """Frames that the files of earlier epochs hold; None where no file tells."""
    existing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that was lost with its actor and runs again."""

    source_id: str
    """The source."""
    epoch: int
    """Of the run that goes on."""
    old: str
    """The actor that was lost."""
    new: str
    """The actor that goes on."""
    seconds: float
    """From the newest word of the old run to the first frame of the new one."""
    basis: str
    """As ``Resumption.basis``."""
    lost_frames: int
    """Frames that had come in and are in no output."""

    def __str__(self) -> str:
        frames = f"{self.lost_frames} frame{'' if self.lost_frames == 1 else 's'} lost"
        what = {
            "files": "it goes on behind what its files hold",
            "report": "it goes on behind the newest frame that was reported; later ones may be written twice",
            "live": "it goes on with what comes now",
        }.get(self.basis, "it begins again")
        return f"source {self.source_id!r}: {self.old} -> {self.new} after {self.seconds:.1f} s, {frames}; {what}"


_explain_fields(globals())
