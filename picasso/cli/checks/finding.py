"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a finding turned out."""

    OK = "ok"
    ABSENT = "absent"
    """Not here, and picasso works without it."""
    BROKEN = "broken"
    """Not here or not working, and picasso needs it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw."""

    area: str
    """Group of checks, e.g. ``"encoders"``."""
    name: str
    """What was looked at, e.g. ``"H264"``."""
    state: State
    detail: str
    """What was seen: a version, a figure, or the reason of the failure."""
    fix: str | None = None
    """What to do about it, when something can be done."""

    @classmethod
    def failed(
        cls, area: str, name: str, error: BaseException | str, *, needed: bool, fix: str | None = None
    ) -> Finding:
        """A finding about something that is missing or fails, with the reason on one line."""
        reason = error if isinstance(error, str) else str(error) or type(error).__name__
        return cls(area, name, State.BROKEN if needed else State.ABSENT, " ".join(reason.split()), fix)
