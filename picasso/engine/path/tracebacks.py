"""What an error keeps alive: its traceback, and by it the locals of every function that it came through.

Only frames of this package are ever touched. Those of users, and generators, which clearing would close, stay as they
are: debuggers and error trackers read them later.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FrameType, TracebackType

OURS = frozenset({"picasso", "picasso_kernels"})
MOST_ERRORS = 1000
"""Causes, contexts and members of groups that are looked at; those behind them keep their locals."""
_SUSPENDS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


# The attributes themselves: a class of errors may have properties of these names, which raise.
_traceback: Callable[[BaseException], TracebackType | None] = vars(BaseException)["__traceback__"].__get__
_cause: Callable[[BaseException], BaseException | None] = vars(BaseException)["__cause__"].__get__
_context: Callable[[BaseException], BaseException | None] = vars(BaseException)["__context__"].__get__
_members: Callable[[BaseException], tuple[BaseException, ...]] = vars(BaseExceptionGroup)["exceptions"].__get__


def text_of(error: BaseException) -> str:
    """Return ``str(error)``, or the name of its type where that raises."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  # the error is the user's, and so is its text
        return type(error).__name__


def running_frames() -> list[FrameType]:
    """Return the frames of this package that run now, on the calling thread, the innermost first."""
    frames = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _is_ours(frame):
            frames.append(frame)
        frame = frame.f_back
    return frames


def clear(frames: Iterable[FrameType]) -> None:
    """Clear the locals of the frames that have ended."""
    for frame in frames:
        with suppress(RuntimeError):  # it still runs
            frame.clear()


def clear_ended(error: BaseException) -> None:
    """Clear the locals of this package's functions that have ended and that ``error`` or what is behind it leads to."""
    waiting, seen = [error], {id(error)}
    while waiting:
        each = waiting.pop()
        traceback = _traceback(each)
        while traceback is not None:
            if _is_ours(traceback.tb_frame):
                clear([traceback.tb_frame])
            traceback = traceback.tb_next
        for other in _behind(each):
            if id(other) not in seen and len(seen) < MOST_ERRORS:
                seen.add(id(other))
                waiting.append(other)


def forget_earlier_trips(error: BaseException) -> None:
    """Shorten the traceback of an error that was caught by the same function before.

    An error object that is raised again and again collects the frames of every time, and all that they hold.
    """
    traceback = _traceback(error)
    if traceback is None:
        return
    catcher = traceback.tb_frame.f_code
    while (following := traceback.tb_next) is not None:
        if following.tb_frame.f_code is catcher:
            traceback.tb_next = None
            return
        traceback = following


def _behind(error: BaseException) -> Iterable[BaseException]:
    """Return the cause, the context, and the members of a group."""
    found = [each for each in (_cause(error), _context(error)) if each is not None]
    if issubclass(type(error), BaseExceptionGroup):  # ``isinstance`` asks the error for its class
        found.extend(_members(error)[:MOST_ERRORS])
    return found


def _is_ours(frame: FrameType) -> bool:
    name = dict.get(frame.f_globals, "__name__")
    return isinstance(name, str) and str.partition(name, ".")[0] in OURS and not frame.f_code.co_flags & _SUSPENDS
