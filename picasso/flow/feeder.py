"""The thread of one source: opens it, feeds the engine, and opens it again when its policy says so."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, final

from picasso.engine.threads import EngineThread
from picasso.errors import ShutDownError, SourceRejectedError, UnreadableError
from picasso.flow.admission import Admission
from picasso.flow.beginning import Beginning
from picasso.flow.fanout import Fanout
from picasso.flow.output import Branch
from picasso.flow.source import closing_items, interrupt
from picasso.flow.state import SourceState, SourceStatus
from picasso.flow.watch import LOOK_S
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.engine import EngineStats, PicassoEngine
    from picasso.engine.clock import Bell, Clock
    from picasso.flow.restart import RestartPolicy
    from picasso.flow.source import Item, Source
    from picasso.flow.stage import Stage
    from picasso.flow.watch import IdlePolicy
    from picasso.transform import Rect

Annotate = Callable[["VideoFrame", "SurfaceView"], None]
"""Adds objects to a frame before it is sent; called in frame order on the thread of the source."""

OnState = Callable[[str, SourceState], object]
"""``(source_id, state)``: a source has come to another state; called on the thread of the source."""

logger: logging.Logger = logging.getLogger("picasso.flow")


@final
class Feeder:
    """One source on its way through the engine.

    Guarantees:

    - Source, ``annotate`` and ``send_frame`` are used by this thread only.
    - However the source ends, the engine is told to end its stream, every frame that was sent comes out or is counted,
      and then the sinks are closed.
    - ``stop``, ``pause``, ``resume`` and ``status`` may be called from any thread and do not wait.
    - ``look`` ends a stream that is silent while this thread waits for its next frame; never both at once.
    """

    def __init__(
        self,
        engine: PicassoEngine,
        source: Source,
        branches: Sequence[Branch],
        *,
        restart: RestartPolicy,
        annotate: Annotate | None,
        src_rect: Rect | None,
        stop_on_error: bool,
        silent_after_ns: int,
        on_state: OnState | None,
        clock: Clock,
        stage: Stage,
        admission: Admission,
    ) -> None:
        self.source_id: str = source.source_id
        self.branches = branches
        self.done: threading.Event = threading.Event()
        """The source is over and its sinks are told to close."""
        self._engine = engine
        self._source = source
        self._restart = restart
        self._annotate = annotate
        self._fanout = Fanout(source.source_id, engine, branches, src_rect)
        self._stop_on_error = stop_on_error
        self._silent_after_ns = silent_after_ns
        self._on_state = on_state
        self._clock = clock
        self._stage = stage
        self._admission = admission
        self._idle: IdlePolicy | None = getattr(source, "idle", None)
        self._turn = threading.Lock()
        """Over the stream of the source: a frame goes on, or the stream is ended because none comes."""
        self._opening = threading.Lock()
        """Over ``_paused``, ``_hurries`` and ``_is_reading``: who pauses knows whether there is a read to interrupt."""
        self._is_reading = False
        self._was_interrupted = False
        self._hurries = False
        """The next attempt to open it is made now."""
        self._bell: Bell = SimpleQueue()
        self._is_live = bool(getattr(source, "is_live", False))
        self._chance = random.Random()
        self._state = SourceState.WAITING
        self._stopping = threading.Event()
        self._paused = False
        self._failure: BaseException | None = None
        self._last_error: BaseException | None = None
        self._errors = itertools.count(1)
        self._read = 0
        self._attempt = 0
        self._restarts = 0
        self._is_open = False
        self._is_in_stage = False
        self._last_frame_ns = 0
        self._gap_ns = 0
        self._started_s = 0.0
        self._thread = EngineThread(target=self._run, name=f"feed-{source.source_id}", source_id=source.source_id)
        self._beginning = Beginning(engine, branches, self._thread)

    def start(self) -> None:
        """Set up the source in the engine, and begin to read it; what raises here ends the source and its sinks."""
        try:
            self._beginning.start()
        except BaseException as error:
            self._fail(error)
            self._be_over()
            raise

    def close_unread(self) -> None:
        """End the source and close its sinks, unless it was started."""
        if self._beginning.end_unread():
            self._be_over()

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is one that the end of the source waits for."""
        own = any(sink.is_current for branch in self.branches for sink in branch.sinks)
        return own or threading.current_thread() is self._thread

    @property
    def is_over(self) -> bool:
        """Whether the source has ended and its sinks are closed; where it was stopped, no one waits for the sinks."""
        return self.done.is_set() and (self._stopping.is_set() or self.join(time.monotonic()))

    @property
    def has_ended(self) -> bool:
        """Whether the source is read no further, and everything of it has come out; its sinks may still write."""
        return self._state.is_over

    def stop(self) -> None:
        """Read no further frame; what was sent still comes out."""
        self._stopping.set()
        self._source.stop()
        self._bell.put(None)

    def pause(self) -> None:
        """Read no further frame for now: a live source is closed, any other one stays open where it is."""
        with self._opening:
            self._paused = True
            if self._is_live and self._is_reading:
                self._was_interrupted = True
                interrupt(self._source)
        self._bell.put(None)

    def resume(self) -> None:
        """Read on; a live source is opened again."""
        with self._opening:
            self._paused = False
        self._bell.put(None)

    @property
    def can_reconnect(self) -> bool:
        """Whether it can be opened again now: a live source can, and one that waits for its next attempt."""
        waits = self._state in (SourceState.BACKING_OFF, SourceState.REJECTED)
        return not self._state.is_over and not self._paused and (self._is_live or waits)

    def reconnect(self) -> None:
        """Open the source again now: one that is open is closed first, one that waits to be opened waits no longer."""
        with self._opening:
            if not self._is_reading:
                self._hurries = True
            elif self._is_live:
                self._was_interrupted = True
                interrupt(self._source)
        self._bell.put(None)

    @property
    def may_idle(self) -> bool:
        """Whether its stream is ended when it says nothing."""
        return self._idle is not None

    @property
    def look_s(self) -> float:
        """Seconds between two looks."""
        return LOOK_S if self._idle is None else self._idle.check_s

    def look(self) -> None:
        """Notice that no frame has come for long: say so, and end the stream if the source has an ``IdlePolicy``."""
        if self._state not in (SourceState.LIVE, SourceState.SILENT) or not self._turn.acquire(blocking=False):
            return  # a frame is on its way
        try:
            if self._state in (SourceState.LIVE, SourceState.SILENT):
                self._look(self._clock.now_ns() - self._last_frame_ns)
        finally:
            self._turn.release()

    def _look(self, silent_ns: int) -> None:
        if silent_ns > self._silent_after_ns:
            self._become(SourceState.SILENT)
        if self._idle is not None and self._is_open and silent_ns >= self._idle.timeout_s * 1e9:
            logger.warning("source %r: no frame for %.1f s; its stream is ended", self.source_id, silent_ns / 1e9)
            self._try(self._end_streams)

    def note(self, error: BaseException) -> None:
        """Take notice of an error that the engine reported; log the first, second, fourth, eighth… Any thread."""
        self._last_error = error
        number = next(self._errors)
        if number & (number - 1) == 0:
            logger.error("source %r: error no. %d: %s", self.source_id, number, error)
        if self._stop_on_error and self._failure is None:
            self._failure = error
            self.stop()

    def join(self, deadline_s: float | None) -> bool:
        """Wait for the thread and for the sinks; tell whether all of them have ended."""
        return self._beginning.join(deadline_s)

    def status(self, stats: EngineStats) -> SourceStatus:
        """Where the source stands."""
        from picasso.engine import Step

        engine_stats = [stats.sources.get(branch.engine_id) or branch.final_stats for branch in self.branches]
        known = [one for one in engine_stats if one is not None]
        given_up = sum(branch.given_up for branch in self.branches if branch.engine_id not in stats.sources)
        totals = [one.latency[Step.TOTAL] for one in known]
        delivered = sum(branch.delivered for branch in self.branches)
        kept_back = Counter(getattr(self._source, "dropped", {}))
        busy_s = max((branch.last_delivery_s for branch in self.branches), default=0.0) - self._started_s
        return SourceStatus(
            self.source_id,
            self._shown_state(),
            getattr(self._source, "frame_count", None),
            (self._read + kept_back.total()) * len(self.branches),
            delivered,
            sum(sum(one.dropped.values()) for one in known)
            + given_up
            + kept_back.total() * len(self.branches)
            + self._fanout.dropped_shares,
            dict(self._fanout.dropped),
            {reason: count for reason, count in kept_back.items() if count},
            delivered / busy_s if delivered and busy_s > 0 else 0.0,
            max((total.p50_ns for total in totals), default=0) / 1e6,
            max((total.p99_ns for total in totals), default=0) / 1e6,
            self._restarts,
            self._gap_ns / 1e9,
            self._failure,
            self._last_error,
            tuple(sink.status() for branch in self.branches for sink in branch.sinks),
        )

    def _shown_state(self) -> SourceState:
        state = self._state
        silent_ns = self._clock.now_ns() - self._last_frame_ns
        is_silent = silent_ns > self._silent_after_ns and not self._turn.locked()
        return SourceState.SILENT if state is SourceState.LIVE and is_silent else state

    def _run(self) -> None:
        self._started_s = time.perf_counter()
        try:
            self._stage.open(self._fanout)
            self._is_in_stage = True
            is_over = self._stopping.is_set()
            while not is_over:
                if self._paused:
                    self._wait_while_paused()
                ended = self._stopping.is_set() or self._read_once()
                with self._turn:
                    self._end_streams()
                if self._is_live and (self._paused or self._was_interrupted):
                    self._was_interrupted = False
                    is_over = self._stopping.is_set()
                else:
                    is_over = not self._wait_for_restart(ended)
        except ShutDownError:
            pass  # the engine was shut down while we fed it
        except BaseException as error:  # noqa: BLE001 - reported in the outcome; the other sources go on
            self._fail(error)
        finally:
            self._finish()

    def _read_once(self) -> bool:
        """Open the source and feed it to its end; tell whether it ended in order."""
        self._become(SourceState.CONNECTING)
        try:
            with self._opening:
                if self._paused:
                    return True
                items = iter(self._source)
                self._is_reading, self._hurries = True, False
            with closing_items(items):
                for item in items:
                    if self._paused and not self._is_live:
                        self._wait_while_paused()
                    if self._stopping.is_set() or self._paused:
                        break
                    if self._is_admitted(item):
                        with self._turn:
                            self._feed(item)
        except ShutDownError:
            raise
        except Exception as error:  # noqa: BLE001 - what a reader or a detector raises concerns this source only
            self._last_error = error
            return False
        finally:
            with self._opening:
                self._is_reading = False
        return True

    def _is_admitted(self, item: Item) -> bool:
        """Tell whether an item goes on: the first frame of a stream only while not too many sources are in."""
        if self._is_open or isinstance(item, EndOfStream) or getattr(self._source, "is_admitted", False):
            return True
        while not self._admission.enter(self.source_id, None if self._is_live else self._bell):
            limit = self._admission.limit
            self._last_error = SourceRejectedError(
                f"source {self.source_id!r}: {limit} sources are in, and no more may"
            )
            if self._become(SourceState.REJECTED):
                logger.warning("%s", self._last_error)
            if self._is_live:
                self._read += 1
                self._fanout.drop(item[0], "max_sources")
                return False
            self._clock.wait(self._bell, None)
            if self._stopping.is_set():
                return False
        return True

    def _feed(self, item: Item) -> None:
        if isinstance(item, EndOfStream):
            self._end_streams()
            return
        frame, surface = item
        self._note_gap(self._clock.now_ns())
        self._become(SourceState.LIVE)
        self._attempt = 0
        self._is_open = True
        self._read += 1
        try:
            if self._annotate is not None:
                self._annotate(frame, surface)
            self._stage.frame(self.source_id, frame, surface)
        except BaseException:
            self._fanout.drop(frame, "error")
            raise
        self._last_frame_ns = self._clock.now_ns()  # waiting for the stage is not silence

    def _note_gap(self, now_ns: int) -> None:
        """Say for how long nothing came, where the source was lost or silent meanwhile."""
        gap_ns = now_ns - self._last_frame_ns
        if self._read and (self._attempt or gap_ns > self._silent_after_ns):
            self._gap_ns = gap_ns
            logger.warning("source %r: frames come again after a gap of %.1f s", self.source_id, gap_ns / 1e9)
        self._last_frame_ns = now_ns

    def _end_streams(self) -> None:
        """End the stream, if one is open. The caller has the turn."""
        if self._is_open:
            self._is_open = False
            try:
                self._stage.end_stream(self.source_id)
            finally:
                self._admission.leave(self.source_id)

    def _wait_while_paused(self) -> None:
        self._become(SourceState.PAUSED)
        while self._paused and not self._stopping.is_set():
            self._clock.wait(self._bell, None)
        self._last_frame_ns = self._clock.now_ns()
        self._become(SourceState.CONNECTING)

    def _wait_for_restart(self, ended: bool) -> bool:
        """Wait until the source may be opened again; False if it may not, or was stopped."""
        if self._stopping.is_set():
            return False
        self._attempt += 1
        delay_s = self._restart.delay_s(self._attempt, self._chance) if self._restart.on_end or not ended else None
        if delay_s is None:
            if not ended:
                self._failure = self._failure or self._last_error
            return False
        state = SourceState.BACKING_OFF
        if not ended and self._restart.reject_s is not None and isinstance(self._last_error, UnreadableError):
            state, delay_s = SourceState.REJECTED, self._restart.reject_s
        why = "it ended" if ended else self._last_error
        logger.warning("source %r: %s; it is opened again in %.1f s", self.source_id, why, delay_s)
        due_ns = self._clock.now_ns() + round(delay_s * 1e9)
        self._become(state)
        while not self._stopping.is_set() and not self._hurries and self._clock.now_ns() < due_ns:
            self._clock.wait(self._bell, due_ns)
        self._restarts += not self._stopping.is_set()
        return not self._stopping.is_set()

    def _become(self, state: SourceState) -> bool:
        """Come to a state; tell whether it is another one."""
        if state is self._state:
            return False
        self._state = state
        if self._on_state is not None:
            try:
                self._on_state(self.source_id, state)
            except Exception:
                logger.exception("source %r: on_state raised", self.source_id)
        return True

    def _fail(self, error: BaseException) -> None:
        self._last_error = error
        self._failure = self._failure or error

    def _finish(self) -> None:
        """Let the engine finish what it was sent, then close the sinks."""
        with self._turn:
            self._try(self._end_streams)
        self._admission.leave(self.source_id)
        if self._is_in_stage:
            self._try(self._stage.close, self.source_id)
        for branch in self.branches:
            self._try(self._engine.remove_source_spec, branch.engine_id)
            branch.finish()
        self._be_over()

    def _be_over(self) -> None:
        self._become(SourceState.ENDED if self._failure is None else SourceState.FAILED)
        self.done.set()

    def _try(self, step: Callable[..., object], *arguments: object) -> None:
        """Take a step of the end; one that fails must not keep the others from being taken."""
        try:
            step(*arguments)
        except ShutDownError:
            pass  # the engine was shut down: there is nothing left to end
        except BaseException as error:  # noqa: BLE001 - reported in the outcome
            self._fail(error)
