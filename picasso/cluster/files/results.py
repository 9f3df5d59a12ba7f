"""What came of each file, and how far a run is: plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

from picasso.errors import PicassoError

Why = Literal["done", "new", "failed before", "the file has changed", "the module has changed", "results are gone"]
"""What a run finds out about a file before it begins."""


class MapError(PicassoError, RuntimeError):
    """Some files of a run have failed; the message names the first, and ``outcome`` holds all results."""

    def __init__(self, text: str, outcome: MapOutcome) -> None:
        super().__init__(text)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file of a run."""

    file: str
    """Its absolute path, or its address."""
    shown: str
    """As it was given, without user and password."""
    name: str
    """The source's id, which names its results."""
    state: Literal["done", "failed"]
    """Whether there is a result."""
    is_new: bool
    """Whether this run did it; False for one that was done before."""
    outputs: tuple[Path, ...]
    """What was written; a folder of pictures is one entry."""
    frames: int
    """That left the module."""
    seconds: float
    """That the last attempt took."""
    attempts: int
    """Of the run that did it; a failed file may have had several."""
    error: str
    """In one line; empty where it is done."""
    note: str
    """What is worth knowing about a result, such as the damage that was let pass."""


@dataclass(frozen=True, slots=True)
class MapOutcome:
    """What came of all files, in their order."""

    results: tuple[FileResult, ...]
    """One for each file."""
    seconds: float
    """Of this run."""

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """Those without a result."""
        return tuple(one for one in self.results if one.state == "failed")

    @property
    def done(self) -> tuple[FileResult, ...]:
        """Those with a result, of this run or an earlier one."""
        return tuple(one for one in self.results if one.state == "done")

    @property
    def frames(self) -> int:
        """Frames of this run."""
        return sum(one.frames for one in self.results if one.is_new)

    def raise_for_failures(self) -> None:
        """Raise if a file has failed.

        Raises:
            MapError: Some have.
        """
        if failed := self.failed:
            first = failed[0]
            raise MapError(f"{len(failed)} of {len(self.results)} files failed; {first.shown}: {first.error}", self)

    def __iter__(self) -> Iterator[FileResult]:
        return iter(self.results)


@dataclass(frozen=True, slots=True)
class FileAtWork:
    """A file that is being worked on."""

    shown: str
    """As it was given, without user and password."""
    frames: int
    """Frames that left the module so far."""
    total: int | None
    """Frames to come in all, where the file says."""


@dataclass(frozen=True, slots=True)
class MapProgress:
    """How far a run is."""

    total: int
    """Files of the run, those that were done before included."""
    done_before: int
    """By earlier runs."""
    done: int
    """By this run."""
    failed: int
    """That will not be tried again by this run."""
    retried: int
    """Attempts that failed and were followed by another one, or will be."""
    at_work: tuple[FileAtWork, ...]
    """Those that were given to a process or a cluster."""
    frames: int
    """That left modules of this run so far."""
    frames_per_s: float
    """Over the run so far."""
    seconds: float
    """Since the run began."""
    eta_s: float | None
    """Seconds to the end, from the bytes of what is done and what is left; None before anything is known."""

    @property
    def left(self) -> int:
        """Files without a result, by number: neither done nor failed; those at work, of which frames come, included."""
        return self.total - self.done_before - self.done - self.failed


@final
@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file, and what a run would do with it."""

    file: str
    """Its absolute path, or its address."""
    name: str
    """The source's id, which names its results."""
    why: Why
    """What was found out about it."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is to be done."""
        return self.why == "done"
