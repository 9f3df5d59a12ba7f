"""Which span the running code is in: for log lines, which become events of it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from picasso.trace.span import Span

_CURRENT: Final[ContextVar[tuple[Span, ...]]] = ContextVar("picasso_spans", default=())


def current_span() -> Span | None:
    """Return the innermost span that was entered by ``with`` on this thread, or in this task; None outside of any."""
    entered = _CURRENT.get()
    return entered[-1] if entered else None


def enter(span: Span) -> None:
    """Be in ``span`` from now on."""
    _CURRENT.set((*_CURRENT.get(), span))


def leave(span: Span) -> None:
    """Be in ``span`` no more, nor in those that were entered after it."""
    entered = _CURRENT.get()
    for place in range(len(entered) - 1, -1, -1):
        if entered[place] is span:
            _CURRENT.set(entered[:place])
            return
