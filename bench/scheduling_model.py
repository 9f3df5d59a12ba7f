"""A model of an engine's threads: what rate do N sources reach on C processors?

Every source is two threads, as in the engine: one that sends, one that works. A frame is some Python in either, which
needs the interpreter's lock and a processor, and a few native calls, which need a processor. A lock that is taken is
waited for without a processor, and being woken costs time. Permits are handed over first come, first served. What is
left out: that processors share caches and memory, and that the system may take a processor away.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass

CAPACITY = 2
"""Frames in the inbox of a source."""
FRAMES = 400
"""Of each source, simulated."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one frame, in seconds."""

    send_s: float
    """Python of the thread that sends."""
    work_s: float
    """Python of the thread that works."""
    native_s: float
    """Native calls together."""
    calls: int = 2
    """Native calls of a frame: transform and paint, encode."""
    wake_s: float = 0.0
    """From a release to the moment when the waiting thread runs."""

    @property
    def python_s(self) -> float:
        return self.send_s + self.work_s

    @property
    def total_s(self) -> float:
        return self.python_s + self.native_s

    def bound(self, sources: int, processors: int) -> float:
        """Return the frames a second that nothing can exceed: sources, processors and the lock each set a limit."""
        return min(sources / (self.work_s + self.native_s), processors / self.total_s, 1 / self.python_s)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model says."""

    frames_a_second: float
    processors_busy: float
    lock_held: float
    """Share of the time, 0 to 1."""


class _Place:
    """Something that a limited number of threads can have; the others stand in line."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.line: deque[_Thread] = deque()


_Thread = Generator["_Wish", None, None]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a thread asks of the simulation: to pass some time, to have a place, to give one back, to be woken."""

    passes_s: float = 0.0
    takes: _Place | None = None
    gives: _Place | None = None
    watches: _Place | None = None
    """Sleep until someone gives this place back, without getting it."""


class _Simulation:
    def __init__(self, costs: Costs, processors: int) -> None:
        self.now_s = 0.0
        self.held_s = 0.0
        self.busy_s = 0.0
        self._wake_s = costs.wake_s
        self._processors = _Place(processors)
        self._lock = _Place(1)
        self._watchers: deque[_Thread] = deque()
        self._agenda: list[tuple[float, int, _Thread]] = []
        self._order = itertools.count()

    def start(self, thread: _Thread) -> None:
        self._plan(thread, 0.0)

    def run(self) -> None:
        while self._agenda:
            self.now_s, _, thread = heapq.heappop(self._agenda)
            for wish in thread:
                if not self._grant(thread, wish):
                    break

    def python(self, seconds: float) -> _Thread:
        """Compute with a processor and the lock."""
        yield _Wish(takes=self._processors)
        while not self._lock.free:
            yield _Wish(gives=self._processors)
            yield _Wish(watches=self._lock)
            yield _Wish(takes=self._processors)
        self._lock.free = 0
        self.held_s += seconds
        yield from self._computing(seconds)
        self._lock.free = 1
        if self._watchers:
            self._plan(self._watchers.popleft(), self._wake_s)
        yield _Wish(gives=self._processors)

    def native(self, seconds: float) -> _Thread:
        """Compute with a processor."""
        yield _Wish(takes=self._processors)
        yield from self._computing(seconds)
        yield _Wish(gives=self._processors)

    def _computing(self, seconds: float) -> _Thread:
        self.busy_s += seconds
        yield _Wish(passes_s=seconds)

    def _grant(self, thread: _Thread, wish: _Wish) -> bool:
        """Fulfil a wish; say whether the thread goes on at once."""
        if wish.passes_s:
            self._plan(thread, wish.passes_s)
            return False
        if wish.watches:
            self._watchers.append(thread)
            return False
        if wish.takes:
            if not wish.takes.free:
                wish.takes.line.append(thread)
                return False
            wish.takes.free -= 1
        if wish.gives:
            if wish.gives.line:
                wait_s = 0.0 if wish.gives is self._processors else self._wake_s
                self._plan(wish.gives.line.popleft(), wait_s)
            else:
                wish.gives.free += 1
        return True

    def _plan(self, thread: _Thread, after_s: float) -> None:
        heapq.heappush(self._agenda, (self.now_s + after_s, next(self._order), thread))


def simulate(costs: Costs, sources: int, processors: int, permits: int, frames: int = FRAMES) -> Outcome:
    """Let ``sources`` work off ``frames`` each, of which ``permits`` may compute at once."""
    simulation = _Simulation(costs, processors)
    computing = _Place(permits)

    def send(room: _Place, messages: _Place) -> _Thread:
        for _ in range(frames):
            yield from simulation.python(costs.send_s)
            yield _Wish(takes=room)
            yield _Wish(gives=messages)

    def work(room: _Place, messages: _Place) -> _Thread:
        for _ in range(frames):
            yield _Wish(takes=messages)
            yield _Wish(gives=room)
            yield _Wish(takes=computing)
            for _ in range(costs.calls):
                yield from simulation.python(costs.work_s / (costs.calls + 1))
                yield from simulation.native(costs.native_s / costs.calls)
            yield _Wish(gives=computing)
            yield from simulation.python(costs.work_s / (costs.calls + 1))

    for _ in range(sources):
        room, messages = _Place(CAPACITY), _Place(0)
        simulation.start(send(room, messages))
        simulation.start(work(room, messages))
    simulation.run()
    wall_s = simulation.now_s
    return Outcome(sources * frames / wall_s, simulation.busy_s / wall_s, simulation.held_s / wall_s)
