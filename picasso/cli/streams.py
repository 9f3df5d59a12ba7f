"""Sources through one engine: each is fed from its own thread, and what comes out goes to its own sinks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from picasso.cli.progress import Progress, Status
from picasso.engine import (
    Callbacks,
    EngineStats,
    GeneralSpec,
    OutputMessage,
    PicassoEngine,
    PtsResetPolicy,
    SourceSpec,
    Step,
    StreamResetReason,
)
from picasso.errors import ShutDownError
from picasso.signals import hold_stop
from picasso_kernels.processes.pool import cancelled_by_an_error

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView
    from picasso.transform import Rect

REFRESH_S = 0.1
"""Seconds between two looks at the progress."""
PATIENCE_S = 3600.0
"""Seconds without a frame after which a source is over; a reader gives up on a dead network much earlier."""

WAITING_FRAMES = 2
"""Frames of a source that wait for its worker: enough to keep it busy, few enough to keep latency and memory low."""

Frames = Iterable[tuple["VideoFrame", "SurfaceView"]]
Annotate = Callable[["VideoFrame", "SurfaceView"], None]
OnRender = Callable[[str, int, int, int, "VideoFrame"], None]


class Sink(Protocol):
    """Takes what comes out of one source; called from one thread at a time."""

    def write(self, output: OutputMessage) -> object:
        """Take one encoded frame."""
        ...

    def close(self) -> object:
        """Finish the file and put it in its place. May be called again."""
        ...

    def abandon(self) -> Path | None:
        """Leave what was there; returns where the frames so far are, None if there are none. May be called again."""
        ...


@dataclass(frozen=True, slots=True)
class Stream:
    """One source on its way from a reader to its sinks."""

    source_id: str
    spec: SourceSpec
    open_frames: Callable[[], AbstractContextManager[Frames]]
    """Opens the reader, on the thread that will read it."""
    sinks: Sequence[Sink]
    annotate: Annotate | None = None
    """Adds objects to a frame before it is sent; called in frame order on the feeding thread."""
    src_rect: Rect | None = None
    """What to take of each frame; None for all."""
    total: int | None = None
    """Frames to come, if known."""
    rehearse: Callable[[], AbstractContextManager[Frames]] | None = None
    """Gives copies of the first frames without taking them; None where ``open_frames`` can be called twice."""
    stop: Callable[[], object] | None = None
    """Ends the reader from another thread, whatever it waits for."""
    verify: Callable[[], object] | None = None
    """Called after the last frame, before the files are put in their place; what it raises fails the stream."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one source fared."""

    source_id: str
    delivered: int
    """Frames that reached the sinks."""
    dropped: int
    """Frames that were sent and never came out."""
    frames_per_s: float
    """Delivered frames over the time from the first read to the last delivery."""
    p50_ms: float
    """Median time from sending a frame until its sinks have it, waiting included."""
    p99_ms: float
    failure: BaseException | None
    """What ended the source before its time, if anything did."""


def run(
    streams: Sequence[Stream],
    progress: Progress,
    *,
    on_render: OnRender | None = None,
    on_restart: PtsResetPolicy = PtsResetPolicy.CONTINUE,
) -> list[Outcome]:
    """Run all streams to their ends through one engine, at once.

    A stream that fails ends early and says why in its outcome; the others go on. Its files are not put in their place;
    those of the others are, also when the run is stopped by Ctrl-C or another signal.

    Args:
        streams: Each with a source id of its own.
        progress: Told about ten times a second how far they are.
        on_render: The engine's callback of that name, for sources whose spec asks for it.
        on_restart: What becomes of times that start again.
    """
    runs = {stream.source_id: _Run(stream) for stream in streams}
    callbacks = Callbacks(
        on_encoded_frame=lambda output: runs[output.source_id].deliver(output),
        on_render=on_render,
        on_stream_reset=lambda source_id, reason: runs[source_id].expect(reason, on_restart),
        on_error=lambda source_id, _stage, error, _frame: runs[source_id].fail(error),
    )
    general = GeneralSpec("picasso-cli", PATIENCE_S, WAITING_FRAMES, on_restart)
    engine = PicassoEngine(general, callbacks)
    is_good = False
    try:
        with engine, progress, cancelled_by_an_error():
            for each in runs.values():
                each.start(engine)
            while busy := [each for each in runs.values() if not each.done.is_set()]:
                busy[0].done.wait(REFRESH_S)
                stats = engine.stats()
                progress.show([each.status(stats) for each in runs.values()])
        is_good = True
    except BaseException as error:
        is_good = _is_stop(error)
        raise
    finally:
        with hold_stop():
            for each in runs.values():
                each.stop()
            for each in runs.values():
                each.close(is_good=is_good)
    return [each.outcome(engine.stats()) for each in runs.values()]


def _is_stop(error: BaseException | None) -> bool:
    """Whether Ctrl-C or another signal is behind an error: a terminal that is closed cannot be written to either."""
    seen: set[int] = set()
    while error is not None and not isinstance(error, KeyboardInterrupt) and id(error) not in seen:
        seen.add(id(error))  # contexts may go round in a circle
        error = error.__context__
    return isinstance(error, KeyboardInterrupt)


class _Run:
    """One stream while it runs. All but ``deliver`` and ``fail`` belong to the thread that runs them all."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._feeder: threading.Thread | None = None
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._delivered = 0
        self._ends_of_parts = 0
        """Sentinels to come that end a part of the stream and not all of it."""
        self._started_s = self._ended_s = time.perf_counter()
        self.done = threading.Event()

    def start(self, engine: PicassoEngine) -> None:
        """Set up the source and begin to feed it."""
        engine.set_source_spec(self._stream.source_id, self._stream.spec)
        name = f"feed-{self._stream.source_id}"
        feeder = threading.Thread(target=self._feed, args=(engine,), name=name, daemon=True)
        try:
            feeder.start()
        except RuntimeError as error:  # the system gives no more threads
            self.fail(error)
            self.done.set()
        else:
            self._feeder = feeder

    def stop(self) -> None:
        """Feed no further frame."""
        self._stopping.set()
        if self._stream.stop is not None:
            self._stream.stop()

    def deliver(self, output: OutputMessage) -> None:
        """Hand one output to the sinks; the last sentinel ends the stream. Called by the source's worker."""
        if output.is_eos and not self._ends_of_parts:
            self.done.set()
            return
        for sink in self._stream.sinks:
            sink.write(output)
        if output.is_eos:
            self._ends_of_parts -= 1
            return
        self._delivered += 1
        self._ended_s = time.perf_counter()

    def expect(self, reason: StreamResetReason, policy: PtsResetPolicy) -> None:
        """Take note that times start again, before the sentinel that may follow. Called by the source's worker."""
        self._ends_of_parts += policy.sends_eos and reason.kind == "pts_decreased"

    def fail(self, error: BaseException) -> None:
        """Note the first failure and feed no further frame. Any thread."""
        self._failure = self._failure or error
        self.stop()

    def status(self, stats: EngineStats) -> Status:
        """Where the stream stands."""
        seconds = max(self._ended_s - self._started_s, 1e-9)
        return Status(
            self._stream.source_id,
            self._delivered,
            self._stream.total,
            frames_per_s=self._delivered / seconds if self._delivered else 0.0,
            dropped=sum(stats.sources[self._stream.source_id].dropped.values()),
        )

    def close(self, *, is_good: bool) -> None:
        """Wait for the feeding thread and finish the files; the engine is shut down by now."""
        if self._feeder is not None:
            self._feeder.join()
        if is_good and self._failure is None and self._stream.verify is not None and self.done.is_set():
            try:
                self._stream.verify()
            except Exception as error:  # noqa: BLE001 - whatever it raises fails this stream alone
                self.fail(error)
        for sink in self._stream.sinks:
            if is_good and self._failure is None:
                try:
                    sink.close()
                except OSError as error:
                    self.fail(error)
        if not is_good or self._failure is not None:
            left = [path for sink in self._stream.sinks if (path := sink.abandon()) is not None]
            if left and self._failure is not None:
                self._failure.add_note(f"what was written is in {' and '.join(map(str, left))}")

    def outcome(self, stats: EngineStats) -> Outcome:
        """Sum up."""
        status = self.status(stats)
        latency = stats.sources[self._stream.source_id].latency[Step.TOTAL]
        return Outcome(
            status.source_id,
            status.done,
            status.dropped,
            status.frames_per_s,
            latency.p50_ns / 1e6,
            latency.p99_ns / 1e6,
            self._failure,
        )

    def _feed(self, engine: PicassoEngine) -> None:
        stream = self._stream
        self._started_s = time.perf_counter()
        try:
            with stream.open_frames() as frames:
                for frame, surface in frames:
                    if self._stopping.is_set():
                        break
                    if stream.annotate is not None:
                        stream.annotate(frame, surface)
                    engine.send_frame(stream.source_id, frame, surface, stream.src_rect)
        except ShutDownError:
            return  # interrupted: the engine was closed under us
        except Exception as error:  # noqa: BLE001 - whatever a reader or detector raises ends this stream alone
            self.fail(error)
        with suppress(ShutDownError):
            engine.send_eos(stream.source_id)
