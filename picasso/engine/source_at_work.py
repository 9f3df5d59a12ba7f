"""Which source the running code works for: for lines of the log, which say so."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

_SOURCE: Final[ContextVar[str | None]] = ContextVar("picasso_source", default=None)


def source_at_work() -> str | None:
    """Return the id of the source that this thread, or this task, works for; None where it works for none or many."""
    return _SOURCE.get()


def work_for(source_id: str | None) -> None:
    """Say that this thread, or this task, works for a source from now on; None for no source, or many.

    Args:
        source_id: The source.
    """
    _SOURCE.set(source_id)
