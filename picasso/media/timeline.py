"""When frames are shown: one line of time over missing, wrong and repeated timestamps, restarts and loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from picasso.engine.policies import PtsResetPolicy
from picasso.media.times import Ticks, to_ns

if TYPE_CHECKING:
    from picasso.engine.clock import Bell, Clock

T = TypeVar("T")

FALLBACK_RATE: Final = Fraction(30)
"""Frames per second of streams that do not tell."""
MOST_WAITING: Final = 16
"""Frames that wait for a time that can be trusted; then they get times by their durations."""
_LONG: Final = 4
"""A step is a jump if it is longer than this many of the steps before."""
_NEAR_NS: Final = 600 * 10**9
"""Times this close to each other, except for a whole turn of the counter, lie on both sides of the turn."""


class Placed(NamedTuple, Generic[T]):
    """A frame on the line."""

    item: T
    pts_ns: int
    """When it is shown, nanoseconds, at least 0."""
    duration_ns: int
    """How long, nanoseconds, at least 1."""
    begins: bool
    """Whether the times start again with this frame: at a restart of the stream, or at the next pass."""


class _Waiting(NamedTuple, Generic[T]):
    item: T
    own_ns: int | None
    duration_ns: int


class Timeline(Generic[T]):
    """Gives frames, which come in the order in which they are shown, times in nanoseconds that rise strictly.

    - Times that rise are kept exactly, however far apart: a gap stays a gap, a variable rate stays variable.
    - A frame without a time, or with one that does not fit between its neighbours, gets one: between theirs, or by
      durations where there is no neighbour that can be trusted. The neighbours keep theirs.
    - Times that start again, which is a fall from which they rise on, begin another part; the policy says where it
      lies. Each pass of a loop is a part as well.
    - A counter of that many bits that begins at 0 again goes on.
    - The first time is kept, or moved to 0 if it is below.

    A frame waits for the next one only if its time is missing, falls, or jumps, and for at most ``MOST_WAITING``.
    """

    def __init__(
        self,
        time_base: Fraction,
        frame_rate: Fraction | None,
        policy: PtsResetPolicy = PtsResetPolicy.CONTINUE,
        counter_bits: int | None = None,
    ) -> None:
        """Begin a line.

        Args:
            time_base: Seconds a tick.
            frame_rate: Nominal frames per second, for frames without a duration; None: 30.
            policy: What happens to times that start again.
            counter_bits: Bits of the container's counter of ticks, None if it never begins at 0 again.
        """
        self._ticks = Ticks(time_base)
        self._frame_ns = max(to_ns(1, 1 / (frame_rate or FALLBACK_RATE)), 1)
        self._policy = policy
        self._turn = None if counter_bits is None else 2**counter_bits
        self._near = self._ticks.from_ns(_NEAR_NS)
        self._counted: int | None = None
        """The last tick of this part, turns of the counter included."""
        self._waiting: list[_Waiting[T]] = []
        self._last_ns: int | None = None
        """When the last frame of this part is shown, as a time of the stream."""
        self._last_duration_ns = 0
        self._step_ns = self._frame_ns
        """How far apart frames were lately."""
        self._longest_ns = _LONG * self._frame_ns
        """The longest step that is not a jump."""
        self._duration: tuple[int | None, int] = None, self._frame_ns
        """The latest duration, in ticks and nanoseconds: most frames last as long as the one before."""
        self._offset_ns = 0
        """From times of the stream to the line."""
        self.offsets_ns: list[int] = []
        """From times of the stream to the line, for each part so far."""
        self._end_ns = 0
        """Where the last frame ends, on the line."""
        self._useless: set[int | None] = set()
        """What stood in place of times when there was no use in waiting any longer."""
        self.restarts: int = 0
        """How often the times started again, loops not counted."""
        self.made: int = 0
        """Frames that got a time because their own was missing or wrong."""

    def add(self, item: T, ticks: int | None, duration_ticks: int | None) -> Iterable[Placed[T]]:
        """Take the next frame and give those whose times are sure now, in order: they are to be used up at once."""
        known_ticks, duration_ns = self._duration
        if duration_ticks != known_ticks:
            duration_ns = self._ticks.to_ns(duration_ticks) if duration_ticks and duration_ticks > 0 else 0
            duration_ns = duration_ns or self._frame_ns
            self._duration = duration_ticks, duration_ns
        own_ns = None
        if ticks is not None:
            own_ns = self._ticks.to_ns(ticks if self._turn is None else self._count(ticks))
            last_ns = self._last_ns
            if not self._waiting and last_ns is not None and 0 < own_ns - last_ns <= self._longest_ns:
                if self._useless:
                    self._useless.clear()
                return (self._follow(item, own_ns, own_ns - last_ns, duration_ns),)
        frame = _Waiting(item, own_ns, duration_ns)
        if not self._waiting and own_ns is not None and self._last_ns is None:
            return (self._settle(frame, own_ns),)
        if not self._waiting and own_ns in self._useless:
            return (self._append(frame),)
        self._waiting.append(frame)
        return self._decide()

    def flush(self) -> Iterator[Placed[T]]:
        """Yield what waits: no frame comes after it."""
        for frame in self._take(len(self._waiting)):
            if frame.own_ns is not None and (self._last_ns is None or frame.own_ns > self._last_ns):
                yield self._settle(frame, frame.own_ns)
            else:
                yield self._append(frame)

    def next_pass(self) -> None:
        """Let the next frame begin another part. The frames before must have been flushed."""
        self._last_ns = self._counted = None

    def _decide(self) -> Iterator[Placed[T]]:
        """Place waiting frames as far as the last of them shows where they lie."""
        newest_ns, count, last_ns = self._waiting[-1].own_ns, len(self._waiting), self._last_ns
        if newest_ns is not None and last_ns is None:
            yield from self._lead_up_to(newest_ns)
        elif newest_ns is not None and last_ns is not None:
            first = self._rises_from()
            is_witnessed = self._waiting[first].own_ns is not None and first < count - 1
            if is_witnessed and self._waiting[first].own_ns == last_ns:  # equal times do not fall
                first += next(i for i, frame in enumerate(self._waiting[first + 1 :], 1) if frame.own_ns is not None)
            first_ns = self._waiting[first].own_ns
            if is_witnessed and first_ns is not None and first_ns > last_ns:  # a gap
                yield from self._bridge(first, last_ns, first_ns)
                yield from self._keep(count - first)
            elif self._fits(last_ns, newest_ns):
                yield from self._bridge(count - 1, last_ns, newest_ns)
                yield from self._keep(1)
            elif is_witnessed:  # a restart
                yield from map(self._append, self._take(first))
                yield from self._keep(count - first)
            elif count > 1 and newest_ns <= last_ns < (self._waiting[-2].own_ns or last_ns):  # a gap, and then?
                yield from map(self._append, self._take(count - 2))
                yield from self._keep(1)
        if len(self._waiting) >= MOST_WAITING:
            self._useless = {frame.own_ns for frame in self._waiting}
            yield from map(self._append, self._take(len(self._waiting)))

    def _rises_from(self) -> int:
        """Return the first of the waiting frames from which the known times rise to the newest."""
        first = len(self._waiting) - 1
        least_ns = self._waiting[first].own_ns
        for index in range(first - 1, -1, -1):
            own_ns = self._waiting[index].own_ns
            if own_ns is not None and least_ns is not None:
                if own_ns >= least_ns:
                    break
                first, least_ns = index, own_ns
        return first

    def _fits(self, last_ns: int, newest_ns: int) -> bool:
        """Tell whether the newest frame is back on the line, with room for those that wait before it."""
        room_ns, count = newest_ns - last_ns, len(self._waiting)
        doubtful = any(frame.own_ns is not None for frame in self._waiting[:-1])
        least_ns = max(min(self._step_ns, self._frame_ns) // 2 if doubtful else 1, 1)
        return count > 1 and least_ns * count <= room_ns <= self._longest_ns * count

    def _keep(self, count: int) -> Iterator[Placed[T]]:
        """Place frames at their own times; those without one between their neighbours."""
        while count:
            size = next(size for size in range(1, count + 1) if self._waiting[size - 1].own_ns is not None)
            own_ns = self._waiting[size - 1].own_ns or 0
            if size > 1 and self._last_ns is not None:
                yield from self._bridge(size - 1, self._last_ns, own_ns)
            yield self._settle(self._take(1)[0], own_ns)
            count -= size

    def _bridge(self, count: int, last_ns: int, next_ns: int) -> Iterator[Placed[T]]:
        """Place frames between two times: evenly where these are close, by durations before a gap."""
        frames = self._take(count)
        room_ns = next_ns - last_ns
        needed_ns = self._last_duration_ns + sum(frame.duration_ns for frame in frames)
        if not 0 < count < room_ns or (needed_ns < room_ns and room_ns > self._longest_ns * (count + 1)):
            yield from map(self._append, frames)
            return
        for index, frame in enumerate(frames, 1):
            own_ns = last_ns + room_ns * index // (count + 1)
            end_ns = last_ns + room_ns * (index + 1) // (count + 1)
            self.made += 1
            yield self._settle(frame._replace(duration_ns=end_ns - own_ns), own_ns)

    def _lead_up_to(self, newest_ns: int) -> Iterator[Placed[T]]:
        """Place the frames before the first time of a part, by their durations."""
        *before, newest = self._take(len(self._waiting))
        own_ns = newest_ns - sum(frame.duration_ns for frame in before)
        for frame in before:
            self.made += 1
            yield self._settle(frame, own_ns)
            own_ns += frame.duration_ns
        yield self._settle(newest, newest_ns)

    def _append(self, frame: _Waiting[T]) -> Placed[T]:
        """Place a frame where the last one ends."""
        self.made += 1
        return self._settle(frame, 0 if self._last_ns is None else self._last_ns + self._last_duration_ns)

    def _settle(self, frame: _Waiting[T], own_ns: int) -> Placed[T]:
        """Place a frame at a time of the stream."""
        if own_ns == frame.own_ns:
            self._useless.clear()
        if self._last_ns is not None and own_ns > self._last_ns:
            return self._follow(frame.item, own_ns, own_ns - self._last_ns, frame.duration_ns)
        self.restarts += self._last_ns is not None
        begins = bool(self.offsets_ns)
        goes_on = begins and self._policy is PtsResetPolicy.CONTINUE
        self._offset_ns = self._end_ns - own_ns if goes_on else max(-own_ns, 0)
        self.offsets_ns.append(self._offset_ns)
        self._last_ns, self._last_duration_ns = own_ns, frame.duration_ns
        self._end_ns = own_ns + self._offset_ns + frame.duration_ns
        return Placed(frame.item, own_ns + self._offset_ns, frame.duration_ns, begins)

    def _follow(self, item: T, own_ns: int, step_ns: int, duration_ns: int) -> Placed[T]:
        """Place a frame behind the last one of its part."""
        if step_ns != self._step_ns:
            self._step_ns = max(step_ns, self._step_ns * 7 // 8)
            self._longest_ns = _LONG * max(self._step_ns, self._frame_ns)
        self._last_ns, self._last_duration_ns = own_ns, duration_ns
        pts_ns = own_ns + self._offset_ns
        self._end_ns = pts_ns + duration_ns
        return tuple.__new__(Placed, (item, pts_ns, duration_ns, False))  # without the constructor's own step

    def _take(self, count: int) -> list[_Waiting[T]]:
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _count(self, tick: int) -> int:
        """Continue a counter that begins at 0 again; a tick far from the last stays in the same turn."""
        if self._turn is None:
            return tick
        if self._counted is not None:
            last = self._counted
            nearest = tick + (last - tick + self._turn // 2) // self._turn * self._turn
            is_near = abs(nearest - last) <= self._near
            tick = nearest if is_near else tick % self._turn + last // self._turn * self._turn
        self._counted = tick
        return tick


class Pacer:
    """Holds frames back until their time has come; the first one sets the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bell: Bell = SimpleQueue()
        self._start_ns: int | None = None
        self.stopped: bool = False

    def wait(self, pts_ns: int) -> None:
        """Return when the frame is due, or when stopped; one that is late is due at once."""
        if self._start_ns is None:
            self._start_ns = self._clock.now_ns() - pts_ns
        due_ns = self._start_ns + pts_ns
        while not self.stopped and self._clock.now_ns() < due_ns:
            self._clock.wait(self._bell, due_ns)

    def stop(self) -> None:
        """Let everything through from now on. Any thread."""
        self.stopped = True
        self._bell.put(None)
