"""Signals that end a program, as an exception that lets it finish its files.

::

    with stop_on_signals():
        with StreamWriter("out.mp4") as writer:
            ...  # SIGTERM, SIGHUP and Ctrl-C end this as an exception would: the file is finished
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

__all__ = ["Stop", "Stopped", "hold_stop", "stop_on_signals"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the end that ``kill``, ``docker stop`` and ``systemctl stop`` ask for, and a terminal that is closed."""
_SAME_HANGUP_S: Final = 1.0
"""A terminal that is closed says so several times, all of them within this time."""


class Stopped(KeyboardInterrupt):
    """A signal asks the program to end. ``except Exception`` does not catch it."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum: signal.Signals = signal.Signals(signum)
        """Which one."""

    @property
    def exit_code(self) -> int:
        """What a shell calls a program that ended so: 128 and the signal's number."""
        return 128 + self.signum


class Stop:
    """What became of the signals so far; ``stop_on_signals`` makes it."""

    def __init__(self) -> None:
        self.signum: signal.Signals | None = None
        """The signal that came, None while none did."""
        self.is_obeyed = False
        """Whether the signal was the ordinary end of what ran, as of a service: the exit code is the program's own."""
        self._holds = 0
        self._is_due = False
        self._came_s = 0.0
        self._before: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> int | None:
        """What a shell calls a program that ended so: 128 and the signal's number; None while none came."""
        return None if self.signum is None else 128 + self.signum

    def _install(self, signals: tuple[signal.Signals, ...]) -> None:
        for one in signals:
            before = signal.getsignal(one)
            if before is not None and before is not signal.SIG_IGN:  # nohup, a shell's background job, or an embedder's
                self._before[one] = before
                signal.signal(one, self._receive)

    def _restore(self) -> None:
        for one, before in self._before.items():
            signal.signal(one, before)

    def _receive(self, signum: int, _frame: FrameType | None) -> None:
        """Raise for the first signal; the system ends the process at the second."""
        if self.signum is None:
            self.signum = signal.Signals(signum)
            self._came_s = time.monotonic()
            for one in self._before:
                if one is not signal.SIGHUP or signum != signal.SIGHUP:
                    signal.signal(one, signal.SIG_DFL)
            self._raise()
        elif time.monotonic() - self._came_s > _SAME_HANGUP_S:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)

    def _raise_if_due(self) -> None:
        """Raise for a signal that came in a block of ``hold_stop``; once."""
        if self._is_due and not self._holds:
            self._raise()

    def _raise(self) -> None:
        assert self.signum is not None
        self._is_due = self._holds > 0
        if not self._is_due:
            raise Stopped(self.signum)


_current: Stop | None = None
_interrupts: Final[list[int]] = []
"""Ctrl-C without ``stop_on_signals`` that came in a block of ``hold_stop`` and was not raised yet."""


@contextlib.contextmanager
def stop_on_signals(*signals: signal.Signals, exits: bool = True) -> Iterator[Stop]:
    """Let SIGTERM and SIGHUP end this block as Ctrl-C does: by an exception on the main thread, ``Stopped``.

    So writers and engines in ``with`` blocks inside finish what they have. A second signal ends the process at once,
    even if something hangs; what was written by then plays. After the block, handlers are as they were, and if a signal
    ended it, the program exits with 128 and the signal's number. Signals that are ignored stay ignored, as ``nohup``
    wants it. A block within another one does nothing of its own.

    Args:
        signals: Which ones; SIGINT, SIGTERM and SIGHUP by default.
        exits: Whether ``SystemExit`` leaves the block, in place of ``Stopped``.

    Yields:
        What came so far.

    Raises:
        RuntimeError: This is not the main thread, which alone can take signals.
        SystemExit: A signal ended the block; its code is 128 and the signal's number.
    """
    global _current  # noqa: PLW0603  # a process has one set of handlers
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            f"stop_on_signals works on the main thread only; this is {threading.current_thread().name!r}"
        )
    if _current is not None:
        yield _current
        return
    _current = stop = Stop()
    try:
        stop._install(signals or SIGNALS)
        yield stop
        stop._raise_if_due()
    except Stopped as stopped:
        if exits:
            raise SystemExit(stopped.exit_code) from None
        raise
    finally:
        _current = None
        stop._restore()


@contextlib.contextmanager
def hold_stop() -> Iterator[None]:
    """Let a signal of ``stop_on_signals``, and a plain Ctrl-C, wait until this block is over.

    For what must not be left half done: a fragment of a file and what is known of it, a rename. On other threads than
    the main one, and for handlers of SIGINT that are not Python's own, it does nothing. Where the block fails, its own
    exception leaves it, and the signal waits for the end of the next such block; an empty one will do.

    Raises:
        KeyboardInterrupt: A signal came meanwhile, and the block ended well; ``Stopped`` under ``stop_on_signals``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stop = _current
    if stop is None:
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, lambda number, _frame: _interrupts.append(number))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if _interrupts:
            _interrupts.clear()
            raise KeyboardInterrupt
        return
    stop._holds += 1
    try:
        yield
    finally:
        stop._holds -= 1
    stop._raise_if_due()
