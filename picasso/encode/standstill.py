"""Calls into an encoder whose threads may end up waiting for each other.

libsvtav1 4.1 at low delay does so on a busy machine, about once in 30,000 frames: each of its threads waits, nothing is
left that could wake one, and the call never returns. So the call runs on a thread of its own. Where it takes long, the
threads are looked at: as long as one of them runs, or waits for a processor, the encoder is slow. When all sleep, and
none has run at all for half a second, it stands still.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from picasso.encode.scheduling import TASKS
from picasso.encode.thread_reserve import starting

T = TypeVar("T")
Answer = tuple[bool, Any]

LOOK_S: Final = 0.1
LOOKS: Final = 5
"""How often in a row nothing may have run, ``LOOK_S`` apart."""


class StandstillError(Exception):
    """The call will never return; its thread is left behind."""


class WatchedCalls:
    """Runs calls into one encoder, one at a time, on a thread of its own.

    Args:
        threads: The system's numbers of the encoder's own threads.
    """

    def __init__(self, threads: Iterable[int]) -> None:
        self._asked: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._is_stuck = False
        with starting:
            self._thread = threading.Thread(
                target=_answer, args=(self._asked, self._answers), name="picasso-encoder", daemon=True
            )
            self._thread.start()
        self._end = weakref.finalize(self, self._asked.put, None)
        self._threads = (*threads, self._thread.native_id or 0)

    def call(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, or raise what it raises.

        Raises:
            StandstillError: The encoder's threads wait for each other. No other call may follow.
        """
        self._asked.put(work)
        before, unchanged = None, 0
        while True:
            try:
                is_value, answer = self._answers.get(timeout=LOOK_S)
                break
            except Empty:
                now = _runs_of_sleepers(self._threads)
                unchanged = unchanged + 1 if now is not None and now == before else 0
                before = now
                if unchanged >= LOOKS:
                    self._is_stuck = True
                    self._thread.name = "left-behind-encoder"  # no leak: it cannot end
                    raise StandstillError from None
        if not is_value:
            raise answer
        result: T = answer
        return result

    def close(self) -> None:
        """End the thread, unless a call holds it."""
        self._end()
        if not self._is_stuck:
            self._thread.join()


def _answer(asked: SimpleQueue[Callable[[], Any] | None], answers: SimpleQueue[Answer]) -> None:
    while (work := asked.get()) is not None:
        try:
            answer = (True, work())
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            answer = (False, error)
        del work  # the encoder is freed by who closes it
        answers.put(answer)
        del answer


def _runs_of_sleepers(threads: Iterable[int]) -> list[bytes] | None:
    """Return how often each thread was given up or taken from a processor; None where one is not asleep."""
    found = []
    for thread in threads:
        try:
            with open(f"{TASKS}/{thread}/status", "rb") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            continue  # it ended
        except OSError:
            return None
        if not any(line.startswith(b"State:\tS") for line in lines):
            return None
        found += [line for line in lines if b"ctxt_switches" in line]
    return found or None
