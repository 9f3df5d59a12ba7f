"""Many sources through one engine: they join, pause and leave while it runs, and each has an outcome."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from picasso.draw import ObjectDrawSpec
from picasso.encode import EncoderConfig
from picasso.engine import (
    Callbacks,
    CodecSpec,
    ErrorStage,
    EvictionDecision,
    GeneralSpec,
    OutputMessage,
    PicassoEngine,
    SourceSpec,
)
from picasso.engine.clock import Clock, MonotonicClock
from picasso.errors import ShutDownError
from picasso.flow.admission import Admission
from picasso.flow.feeder import Annotate, Feeder, OnState
from picasso.flow.output import Branch, Output
from picasso.flow.restart import NEVER, RestartPolicy
from picasso.flow.sink import Sink
from picasso.flow.source import Source
from picasso.flow.stage import Direct, Stage
from picasso.flow.state import SourceStatus
from picasso.flow.watch import Watch
from picasso.primitives import VideoFrame
from picasso.signals import hold_stop, stop_on_signals
from picasso.transform import Rect, TransformConfig

REFRESH_S: Final = 0.1
"""Seconds between two calls of ``on_progress``."""
MOMENT_S: Final = 1.0
"""Seconds more that sinks get to close, once their sources are given up."""
GRACE_S: Final = 10.0
"""Seconds that a stop waits for frames on their way and for sinks, by default."""
WAITING_FRAMES: Final = 2
"""Frames of a source that wait for its worker: enough to keep it busy, few enough to keep latency and memory low."""
OWN_CALLBACKS: Final = ("on_encoded_frame", "on_bypass_frame", "on_error", "on_eviction")
"""Callbacks of the engine that a runner uses itself; it calls the user's as well."""

OnProgress = Callable[[Sequence[SourceStatus]], object]
"""Gets the status of every source, now and then, while ``Runner.run`` waits; called on the thread that waits."""


class Runner:
    """Runs sources through one engine of its own, each read by a thread of its own, into sinks of its own.

    ::

        runner = Runner(draw=specs, encoder=EncoderConfig(Codec.H264, 1280, 720))
        for name, url in cameras.items():
            runner.add(Camera(url, name), sinks=[Segments("rec/{source}/{time}.mp4", seconds=60)])
        runner.run()

    Guarantees:

    - A source that fails ends alone, or is opened again as its policy says; the others do not notice.
    - Frames of one source reach each of its sinks in order. A sink that fails is left out; the others go on.
    - What was read came out, or is counted as dropped: ``status.read == status.delivered + status.dropped``.
    - ``stop`` lets frames on their way come out and closes every sink.

    Every method may be called from any thread. ``run``, ``remove`` and ``close`` wait, so they refuse to be called by
    the sinks and callbacks that they would wait for; ``stop`` does not wait.
    """

    def __init__(
        self,
        spec: SourceSpec | None = None,
        *,
        draw: ObjectDrawSpec | None = None,
        encoder: EncoderConfig | None = None,
        transform: TransformConfig | None = None,
        general: GeneralSpec | None = None,
        callbacks: Callbacks | None = None,
        stage: Stage | None = None,
        on_state: OnState | None = None,
        silent_after_s: float = 5.0,
        max_sources: int = 0,
        clock: Clock | None = None,
        engine_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Start the engine; no source is read before ``start`` or ``run``.

        Args:
            spec: What is done with the frames of sources that ``add`` gets no spec for.
            draw: Instead of ``spec``: what is drawn.
            encoder: Instead of ``spec``: codec and size. Without it, frames are passed on as they are.
            transform: Instead of ``spec``: crop, letterbox and filter on the way to the encoder.
            general: The engine's; by default 2 frames of a source wait for its worker.
            callbacks: Further callbacks of the engine. Those that the runner uses itself are called as well.
            stage: What happens to frames before they are sent to the engine; by default nothing.
            on_state: ``(source_id, state)``, called on the thread of a source whenever its state changes.
            silent_after_s: Seconds without a frame after which an open source counts as silent.
            max_sources: Sources whose streams may be open at once, 0 for no limit. Further ones are rejected until one
                ends: a live source loses frames, which are counted, any other one waits.
            clock: For back-off and silence; by default the system's monotonic clock.
            engine_options: Further keyword arguments of ``PicassoEngine``.

        Raises:
            ValueError: ``spec`` comes together with one of ``draw``, ``encoder`` and ``transform``.
        """
        if spec is not None and any(part is not None for part in (draw, encoder, transform)):
            raise ValueError("Runner: spec already says what draw, encoder and transform say; give one or the other")
        self.silent_after_s = silent_after_s
        self._default = spec or _spec(draw, encoder, transform)
        self._on_state = on_state
        self._stage = stage or Direct()
        self._clock = clock or MonotonicClock()
        self._admission = Admission(max_sources)
        self._watch = Watch(self._clock, lambda: list(self._feeders.values()))
        self._user = callbacks or Callbacks()
        self._feeders: dict[str, Feeder] = {}
        self._branches: dict[str, tuple[Feeder, Branch]] = {}
        self._lock = threading.Lock()
        """Over who is in the runner, and whether it has started and is closed; no one waits under it."""
        self._is_started = False
        self._is_closed = False
        own = {name: getattr(self, f"_{name}") for name in OWN_CALLBACKS}
        if self._user.on_gated_frame is not None:  # without it the engine drops such frames
            own["on_gated_frame"] = self._on_gated_frame
        self._engine = PicassoEngine(
            general or GeneralSpec(inflight_queue_size=WAITING_FRAMES),
            replace(self._user, **own),
            clock=self._clock,
            **dict(engine_options or {}),
        )

    @property
    def engine(self) -> PicassoEngine:
        """The engine, for changing specs of running sources and for its statistics."""
        return self._engine

    def add(
        self,
        source: Source,
        *,
        sinks: Sequence[Sink] = (),
        spec: SourceSpec | None = None,
        outputs: Sequence[Output] | None = None,
        restart: RestartPolicy | None = None,
        annotate: Annotate | None = None,
        src_rect: Rect | None = None,
        stop_on_error: bool = False,
    ) -> None:
        """Add a source; in a runner that has started, it is read at once.

        Args:
            source: What to read.
            sinks: Where its frames go.
            spec: What the engine does with them; by default the runner's.
            outputs: Instead of ``sinks`` and ``spec``: several ways out, each with a name, a spec and sinks.
            restart: When it is opened again; by default as the source says, else never.
            annotate: Adds objects to a frame before it is sent; called on the source's thread.
            src_rect: Part of each picture to take; None takes all of it.
            stop_on_error: Whether the first frame that fails ends the source; else it is counted and reported.

        Raises:
            ValueError: The source id is in use, outputs share a name, or ``outputs`` comes with ``sinks`` or ``spec``.
            ShutDownError: The runner is closed.
            TypeError: It is no source, or a sink is none.
        """
        if not hasattr(source, "source_id"):
            raise TypeError(
                f"Runner.add: expected a source, got {type(source).__name__}: File(path, name) reads a file, "
                "Camera(url, name) a live stream"
            )
        if outputs is None:
            outputs = [Output(spec or self._default, sinks)]
        elif sinks or spec is not None:
            raise ValueError("Runner.add: outputs already say what sinks and spec say; give one or the other")
        branches = [Branch(source.source_id, output) for output in outputs]
        names = [branch.engine_id for branch in branches]
        feeder = Feeder(
            self._engine,
            source,
            branches,
            restart=_restart_of(source) if restart is None else restart,
            annotate=annotate,
            src_rect=src_rect,
            stop_on_error=stop_on_error,
            silent_after_ns=round(self.silent_after_s * 1e9),
            on_state=self._on_state,
            clock=self._clock,
            stage=self._stage,
            admission=self._admission,
        )
        with self._lock:
            if self._is_closed:
                raise ShutDownError("Runner.add: the runner is closed")
            taken = [name for name in names if name in self._branches or names.count(name) > 1]
            if source.source_id in self._feeders or taken:
                raise ValueError(f"Runner.add: {(taken or [source.source_id])[0]!r} is in use; names must be unique")
            self._feeders[source.source_id] = feeder
            self._branches.update((branch.engine_id, (feeder, branch)) for branch in branches)
            is_started = self._is_started
        if is_started:
            self._watch_over([feeder])
            try:
                feeder.start()
            except BaseException:
                feeder.join(None)
                self._forget(feeder)
                raise

    def remove(self, source_id: str) -> SourceStatus:
        """End a source behind the frames that were read, close its sinks, forget it, and say how it fared.

        Raises:
            KeyError: There is no such source.
            RuntimeError: It is called on a thread of the source or of a sink of it, which it would wait for.
        """
        feeder = self._feeder(source_id)
        self._refuse_to_wait_for(feeder)
        feeder.stop()
        feeder.close_unread()
        feeder.join(None)
        status = feeder.status(self._engine.stats())
        self._forget(feeder)
        return status

    def pause(self, source_id: str) -> None:
        """Hold a source: a live one is closed, any other one stays open where it is.

        Raises:
            KeyError: There is no such source.
        """
        self._feeder(source_id).pause()

    def resume(self, source_id: str) -> None:
        """Read a paused source on; a live one is opened again.

        Raises:
            KeyError: There is no such source.
        """
        self._feeder(source_id).resume()

    def reconnect(self, source_id: str) -> bool:
        """Open a live source again now, or one that waits for its next attempt; tell whether it is one of those.

        Raises:
            KeyError: There is no such source.
        """
        feeder = self._feeder(source_id)
        can = feeder.can_reconnect
        if can:
            feeder.reconnect()
        return can

    def can_reconnect(self, source_id: str) -> bool:
        """Whether ``reconnect`` would open a source again.

        Raises:
            KeyError: There is no such source.
        """
        return self._feeder(source_id).can_reconnect

    def has(self, source_id: str) -> bool:
        """Whether there is a source of that name. Costs next to nothing."""
        return source_id in self._feeders

    def statuses(self) -> list[SourceStatus]:
        """How every source is doing, or how it fared, in the order in which they were added."""
        stats = self._engine.stats()
        return [feeder.status(stats) for feeder in list(self._feeders.values())]

    @property
    def has_ended(self) -> bool:
        """Whether every source has ended or failed. Unlike ``statuses`` it costs next to nothing."""
        return all(feeder.has_ended for feeder in list(self._feeders.values()))

    def start(self) -> None:
        """Begin to read every source.

        Raises:
            Exception: What the engine has against the spec of a source; the others run, and ``close`` ends them.
        """
        with self._lock:
            feeders = [] if self._is_started or self._is_closed else list(self._feeders.values())
            self._is_started = True
        self._watch_over(feeders)
        failures: list[BaseException] = []
        for feeder in feeders:
            try:
                feeder.start()
            except Exception as error:  # noqa: BLE001 - raised below; a source that does not start keeps none waiting
                failures.append(error)
        if failures:
            raise failures[0]

    def _watch_over(self, feeders: Sequence[Feeder]) -> None:
        """Have someone notice silence, where anybody wants to know of it."""
        if self._on_state is not None or any(feeder.may_idle for feeder in feeders):
            self._watch.start()
            self._watch.look_again()

    def run(self, on_progress: OnProgress | None = None) -> list[SourceStatus]:
        """Read all sources to their ends, finish every sink, and say how each source fared.

        In the main thread SIGTERM and SIGHUP end it like Ctrl-C: every sink is finished, then ``Stopped`` is raised.

        Args:
            on_progress: Called about ten times a second with the statuses, on this thread.
        """
        try:
            self._wait(on_progress)
        finally:
            self.close()
        return self.statuses()

    def _wait(self, on_progress: OnProgress | None) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        with stop_on_signals() if is_main else nullcontext():
            self.start()
            while busy := [feeder for feeder in list(self._feeders.values()) if not feeder.is_over]:
                busy[0].join(time.monotonic() + REFRESH_S)
                if on_progress is not None:
                    on_progress(self.statuses())

    def stop(self) -> None:
        """Read no further frame of any source; ``run`` returns when what was read has come out. Does not wait."""
        for feeder in list(self._feeders.values()):
            feeder.stop()

    def close(self, timeout_s: float = GRACE_S) -> bool:
        """Stop, let what was read come out, close every sink, end the engine; may be called again.

        Args:
            timeout_s: Seconds for all of that together. What is left then is given up, counted and logged.

        Returns:
            Whether everything ended in time.

        Raises:
            RuntimeError: It is called on a thread of a source or of a sink, which it would wait for; call ``stop``.
        """
        for feeder in list(self._feeders.values()):
            self._refuse_to_wait_for(feeder)
        with self._lock:
            self._is_closed = True
            feeders = list(self._feeders.values())
        with hold_stop():
            return self._close(feeders, timeout_s)

    def _close(self, feeders: Sequence[Feeder], timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        self._watch.stop(timeout_s)
        for feeder in feeders:
            feeder.stop()
            feeder.close_unread()
        joined = [feeder.join(deadline_s) for feeder in feeders]
        in_time = all(joined)
        self._engine.shutdown(max(deadline_s - time.monotonic(), 0.0) if in_time else 0.0)
        if not in_time:  # a sink that blocks must not keep the others from finishing their files
            deadline_s = time.monotonic() + MOMENT_S
            for feeder in feeders:
                for branch in feeder.branches:
                    branch.finish()
            for feeder in feeders:
                feeder.join(deadline_s)
        return in_time

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _feeder(self, source_id: str) -> Feeder:
        try:
            return self._feeders[source_id]
        except KeyError:
            known = ", ".join(map(repr, self._feeders)) or "none"
            raise KeyError(f"no source {source_id!r}; there are: {known}") from None

    def _forget(self, feeder: Feeder) -> None:
        with self._lock:
            if self._feeders.get(feeder.source_id) is feeder:
                del self._feeders[feeder.source_id]
                for branch in feeder.branches:
                    del self._branches[branch.engine_id]

    def _refuse_to_wait_for(self, feeder: Feeder) -> None:
        if feeder.is_current or self._watch.is_current or self._engine.is_calling_back:
            name = threading.current_thread().name
            raise RuntimeError(f"Runner: thread {name!r} belongs to a source that would be waited for; call stop")

    def _on_encoded_frame(self, output: OutputMessage) -> None:
        self._deliver(output)
        if self._user.on_encoded_frame is not None:
            self._user.on_encoded_frame(output)

    def _on_bypass_frame(self, output: OutputMessage) -> None:
        self._deliver(output)
        if self._user.on_bypass_frame is not None:
            self._user.on_bypass_frame(output)

    def _on_gated_frame(self, output: OutputMessage) -> None:
        self._deliver(output)
        if self._user.on_gated_frame is not None:
            self._user.on_gated_frame(output)

    def _deliver(self, output: OutputMessage) -> None:
        found = self._branches.get(output.source_id)
        if found is not None:
            found[1].deliver(output)
            if output.is_eos:
                found[1].final_stats = self._engine.stats().sources.get(output.source_id)

    def _on_error(self, source_id: str, stage: ErrorStage, error: BaseException, frame: VideoFrame | None) -> None:
        found = self._branches.get(source_id)
        if found is not None:
            found[1].given_up += frame is not None and isinstance(error, ShutDownError)
            found[0].note(error)
        if self._user.on_error is not None:
            self._user.on_error(source_id, stage, error, frame)

    def _on_eviction(self, source_id: str) -> EvictionDecision:
        """Keep sources that are silent: their feeder says when they are over."""
        if self._user.on_eviction is not None:
            return self._user.on_eviction(source_id)
        return EvictionDecision.keep_for(3600)


def _restart_of(source: Source) -> RestartPolicy:
    policy = getattr(source, "restart", NEVER)
    return policy if isinstance(policy, RestartPolicy) else NEVER


def _spec(draw: ObjectDrawSpec | None, encoder: EncoderConfig | None, transform: TransformConfig | None) -> SourceSpec:
    if encoder is None:
        return SourceSpec(codec=CodecSpec.bypass())
    return SourceSpec(codec=CodecSpec.encode(transform or TransformConfig(), encoder), draw=draw)
