"""A module that runs: configuration, sources, elements, engine and sinks, from start to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from picasso.engine import Callbacks, GeneralSpec, SourceSpec
from picasso.engine.clock import Clock, MonotonicClock
from picasso.flow import Output, Runner, Sink, Source, SourceState, SourceStatus
from picasso.module.compat import answered_imports
from picasso.module.config import ModuleConfig, load_config
from picasso.module.elements import CodePath
from picasso.module.params import fill, use_dynamic
from picasso.module.run.assembly import Sizes, batcher_of, steps_of
from picasso.module.run.auxiliary import AuxiliaryStreams
from picasso.module.run.books import Books
from picasso.module.run.credentials import refuse_credentials
from picasso.module.run.encoders import prove_auxiliary, with_proven_encoder
from picasso.module.run.ending import GRACE_S, Ending
from picasso.module.run.ingresses import Ingresses
from picasso.module.run.inprocess import Outcome, SentSources, ends_of, parts_replaced, standing_clock, surface_of
from picasso.module.run.pipeline import Pipeline
from picasso.module.run.reading import configured_ingresses, configured_sources, given_sources, report_failure
from picasso.module.run.services import serve
from picasso.module.run.stage import ModuleStage
from picasso.module.run.state import ModuleState, StateFile
from picasso.module.run.web import ModuleWeb, with_port
from picasso.module.sinks import MemorySink, open_sink
from picasso.module.sources import limited
from picasso.observe.account import ModuleStatistics
from picasso.primitives import EndOfStream
from picasso.signals import Stop, Stopped, hold_stop, stop_on_signals

if TYPE_CHECKING:
    from picasso.engine import ErrorStage, PicassoEngine
    from picasso.module.params.etcd import EtcdMirror
    from picasso.module.run.accounts import Accounts
    from picasso.primitives import VideoFrame

REFRESH_S: Final = 0.1
FINISH_S: Final = 300.0
"""Seconds that a module waits for frames on their way which was asked to let everything out."""
logger: logging.Logger = logging.getLogger("picasso.module")


class Module:
    """A module: made from a file or a mapping, run once.

    ::

        Module.from_file("module.yml").run()

    ``run`` reads every source to its end, or until ``stop`` or a signal, lets what was read come out, and closes every
    sink. A source that fails does not stop the others; an element that fails stops the module.

    In a test, a module needs no file and no socket::

        with Module(config) as module:
            module.send(frame, pixels)
            assert module.run()["cam"][0].is_encoded

    Frames come from ``send`` where the mapping names no source and ``$ZMQ_SRC_ENDPOINT`` is not set, or where
    ``sources`` replace those of the configuration. What comes out is kept in memory where the mapping names no sink and
    ``$ZMQ_SINK_ENDPOINT`` is not set, or where ``sources`` are given without ``sinks``; with frames that are sent or
    ``sources`` that are given, the clock then stands still unless one is given.
    """

    def __init__(
        self,
        config: ModuleConfig | Mapping[str, Any],
        *,
        sources: Sequence[Source | str | os.PathLike[str]] | None = None,
        sinks: Sequence[Sink] | Literal["configured"] | None = None,
        clock: Clock | None = None,
        compat: bool = False,
        web: int | None = None,
    ) -> None:
        """Build everything but what needs a device, a file or a socket.

        Args:
            config: The configuration, or the tree of one.
            sources: Instead of those of the configuration: sources, or files; none for frames that ``send`` brings. A
                file takes the ``source_id`` that the configuration gives the source in its place.
            sinks: Instead of those of the configuration; ``"configured"`` takes those although ``sources`` are given.
            clock: Tells the time and waits; by default the system's monotonic clock, or a ``FakeClock`` as said
                above.
            compat: Whether imports of ``savant`` and ``savant_rs`` are answered while it runs, as
                ``parameters.compat`` says, too.
            web: The port of control and the live page, instead of that of ``parameters.web``; 0 takes a free one.

        Raises:
            ConfigError: Something is wrong, or cannot be run yet.
            ValueError: Two of the ``sources`` have one name.
        """
        has_source, has_sink = ends_of(config)
        self._kept = MemorySink() if sinks is None and (sources is not None or not has_sink) else None
        if sources is None and not has_source:
            sources = ()
        given_sinks = [self._kept] if self._kept is not None else None if sinks == "configured" else sinks
        replaced = [name for name, own in (("source", sources), ("sink", given_sinks)) if own is not None]
        loaded = config if isinstance(config, ModuleConfig) else load_config(config, replaced=replaced)
        self.config: ModuleConfig = with_port(loaded, web)
        self.state: ModuleState = ModuleState.INITIALIZING
        self.failure: BaseException | None = None
        """What ended the module before its time."""
        self.stopped_by: signal.Signals | None = None
        """The signal that ended it, in order."""
        self._stands_still = clock is None and self._kept is not None and sources is not None
        self.clock: Clock | MonotonicClock = clock or (standing_clock() if self._stands_still else MonotonicClock())
        """What the module waits by."""
        self._code = CodePath.of(self.config.folder, self.config.parameters.get("code_root"))
        refuse_credentials(self.config)
        self._compat = compat or bool(self.config.parameters.get("compat"))
        self._answers = ExitStack()
        with answered_imports(self._compat):
            if sources is None:
                self._sources = configured_sources(self.config, self._code, self.clock)
                self._ingresses = configured_ingresses(self.config, self._code, self.clock)
            else:
                self._sources = given_sources(sources, self.config, self._code, self.clock)
                self._ingresses = Ingresses([])
        self._given_sinks = given_sinks
        self._sent = SentSources(lambda: self.state, self._add, lambda: self.failure)
        self._books = Books(self.config, self.clock, self._ingresses, self._all_sinks_failed)
        self.accounts: Accounts = self._books.accounts
        """What came in, and what became of it."""
        self._sinks = self._books.sinks
        self.web: ModuleWeb = ModuleWeb(
            lambda: self.config,
            self._code,
            self.clock,
            self._sources,
            self._ingresses,
            self._books,
            state=lambda: str(self.state),
            statistics=self.statistics,
            add=self._add,
            finish=self.finish,
        )
        """Where health, control and the live page are, while they listen."""
        self._auxiliary = AuxiliaryStreams(self.config.parameters, self._engine, self.web.has, self._sinks.put)
        self._ending = Ending(self.config.name, self._sinks)
        self._ending.auxiliary = self._auxiliary
        self._state_file = StateFile()
        self._become(ModuleState.INITIALIZING)
        self._etcd: EtcdMirror | None = None
        self._runner: Runner | None = None
        self._stopped = threading.Event()
        self._grace_s = GRACE_S
        self._changed = threading.Event()
        """The state of a source has changed, or the module is to stop."""
        self._started_s = 0.0
        self._sizes = Sizes(self.config, self._sources if sources is None else None)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """Load a module from a YAML file; ``-`` reads standard input.

        Args:
            path: The file.
            options: What the class takes by keyword.

        Raises:
            ConfigError: Something is wrong; the error holds everything that is.
        """
        replaced = parts_replaced(options.get("sources"), options.get("sinks"))
        return cls(load_config(path, replaced=replaced), **options)

    def start(self) -> None:
        """Open sinks, start elements, and begin to read.

        Raises:
            ConfigError, ElementError, EtcdError, MediaError: Something cannot be opened or refuses to start.
            RuntimeError: It was started before: a module runs once.
        """
        if self.state is not ModuleState.INITIALIZING:
            raise RuntimeError(f"Module.start: the module is {self.state}; a module runs once, make another one")
        self._started_s = time.monotonic()
        self._become(ModuleState.STARTING)
        try:
            self.web.start()
            self._open()
        except BaseException:
            self._close_all()
            raise
        self._become(ModuleState.RUNNING)
        logger.info("module %r runs after %.2f s", self.config.name, time.monotonic() - self._started_s)

    def run(self, on_progress: Callable[[Sequence[SourceStatus]], object] | None = None) -> Outcome:
        """Start, read all sources to their ends, finish every sink, and say what came of it.

        A module that has started goes on; sources that ``send`` feeds end behind what was sent. In the main thread
        SIGINT, SIGTERM and SIGHUP end it in order, and it returns as if its sources had ended; ``stopped_by`` says
        which signal it was. A second signal ends the process at once.

        Args:
            on_progress: Called about ten times a second with the statuses, on this thread.

        Raises:
            ElementError: An element failed.
        """
        is_main = threading.current_thread() is threading.main_thread()
        with stop_on_signals(exits=False) if is_main else nullcontext(Stop()) as stop:
            try:
                self._run(on_progress)
            except Stopped as stopped:
                self.stopped_by = stopped.signum
                stop.is_obeyed = True
        if self.failure is not None:
            raise self.failure
        return Outcome(self.statuses(), () if self._kept is None else self._kept.outputs)

    def _run(self, on_progress: Callable[[Sequence[SourceStatus]], object] | None) -> None:
        try:
            if self.state is ModuleState.INITIALIZING:
                self.start()
            self._sent.end()
            self._wait(on_progress)
        finally:
            self.close(self._grace_s)

    def _wait(self, on_progress: Callable[[Sequence[SourceStatus]], object] | None) -> None:
        while not self._stopped.is_set():
            self._changed.clear()
            self._state_file.beat()
            if on_progress is not None:
                on_progress(self.statuses())
            is_open = not self._ingresses.is_over or self.web.awaits_sources
            if not is_open and (self._runner is None or self._runner.has_ended):
                if not self._stopped.is_set():
                    self._auxiliary.finish()
                return
            self._changed.wait(REFRESH_S)

    def send(self, frame: VideoFrame, pixels: Any) -> None:
        """Send one frame of the source that it names, and return when the module has taken it. Any thread.

        Args:
            frame: The metadata, boxes in pixels of the picture; it is copied.
            pixels: The picture: ``(height, width, 3)`` RGB, ``(height, width, 4)`` RGBA or ``(height, width)`` grey as
                uint8, which is copied, or a ``SurfaceView``, which is handed over.

        Raises:
            RuntimeError: The module has not started.
            ShapeError: ``pixels`` do not have the frame's size.
            ShutDownError: The module has stopped; where an element stopped it, its error is the cause.
        """
        self._sent.send(frame.source_id, (frame.copy(), surface_of(frame, pixels)))

    def send_eos(self, source_id: str) -> None:
        """End the stream of a source that ``send`` feeds; another may begin.

        Raises:
            RuntimeError: The module has not started.
            ShutDownError: The module has stopped.
        """
        self._sent.send(source_id, EndOfStream(source_id))

    def stop(self) -> None:
        """Read no further frame; ``run`` returns when what was read has come out. Any thread."""
        self._stopped.set()
        self._changed.set()
        self._ingresses.stop()
        if self._runner is not None:
            self._runner.stop()

    def finish(self) -> None:
        """Read no further frame, and let ``run`` return when everything has come out, within five minutes.

        A shutdown message of the wire does this. Any thread; does not wait.
        """
        self._grace_s = FINISH_S
        self.web.await_no_source()
        for source in self._sources:
            source.stop()
        self._sent.end()
        self._ingresses.finish()
        self._changed.set()

    @property
    def addresses(self) -> list[str | None]:
        """Where the sockets of ``zeromq_source_bin`` are bound, or what they call; None for one that is not open."""
        return self._ingresses.addresses

    def close(self, timeout_s: float = GRACE_S) -> None:
        """Stop, let what was read come out, stop the elements, close every sink. May be called again, by any thread.

        Args:
            timeout_s: Seconds for all of that together; frames that are left then are counted as dropped.
        """
        with hold_stop(), self._ending.alone(timeout_s) as is_alone:
            if is_alone and self.state is not ModuleState.STOPPED:
                self._become(ModuleState.STOPPING)
                self._close_all(timeout_s)

    def statuses(self) -> list[SourceStatus]:
        """How each source is doing, or how it fared."""
        return [] if self._runner is None else self._ingresses.statuses(self._runner.statuses())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        from picasso.module.params.etcd import open_etcd

        self.config = with_proven_encoder(self.config)
        prove_auxiliary(self.config)
        config, parameters = self.config, self.config.parameters
        self._answers.enter_context(answered_imports(self._compat))
        fill(parameters)
        self._etcd = open_etcd(parameters.get("etcd"))
        use_dynamic(self._etcd)
        steps = steps_of(config, self._code, max(len(self._sources), 1))  # models are loaded before sockets are opened
        given = self._given_sinks
        for one in config.sinks if given is None else ():  # what is open is closed if a later one cannot be opened
            self._sinks.add(open_sink(one, config, self._code))
        for sink in given or ():
            self._sinks.add(sink)
        self._ingresses.open()
        batcher = batcher_of(config, self._sizes, self.clock)
        stage = ModuleStage(
            config,
            batcher,
            lambda source_id, spec: self._engine().set_source_spec(source_id, spec),
            self.accounts,
            self._sizes.egress,
            lists_primary=self._compat,
            came_ns=self._books.came_ns,
            overrides=self.web.overrides,
            views=self.web.views,
        )
        pipeline = Pipeline(
            batcher,
            steps,
            queues=config.buffer_queues,
            deliver=stage.deliver,
            drop=stage.drop,
            fail=self._fail,
            now_ns=self.clock.now_ns,
        )
        self._stage = stage
        self._ending.batcher, self._ending.stage, self._ending.pipeline = batcher, stage, pipeline
        self._runner = Runner(
            SourceSpec(),
            general=GeneralSpec(config.name, inflight_queue_size=self._sizes.egress.frames or 1 << 20),
            callbacks=Callbacks(on_encoded_frame=self._auxiliary.came_out, on_error=self._lost, on_step=stage.step),
            stage=stage,
            on_state=self._note_state,
            max_sources=parameters["max_parallel_streams"] or 0,
            clock=self.clock,
        )
        self._ending.runner = self._runner
        self._books.open(batcher, stage, pipeline, self._runner, self._etcd)
        self.web.use(self._runner)
        for source in self._sources:
            self._add(source if self._stands_still else limited(source, parameters, self.clock))
        serve(pipeline, self._auxiliary, self._books)
        self._books.serve(lambda: str(self.state))
        pipeline.start()
        self._runner.start()
        self._ingresses.start(self._runner, self._add, self.finish, self._books.forget)

    def _note_state(self, source_id: str, state: SourceState) -> None:
        self._ingresses.note_state(source_id, state)
        if state is SourceState.FAILED and not self._stopped.is_set():
            report_failure(source_id, self.statuses())
        self._books.tell_source(source_id, state)
        self._changed.set()

    def _add(self, source: Source) -> None:
        """Let a source into the runner."""
        assert self._runner is not None
        if self._auxiliary.has(source.source_id):
            raise ValueError(f"the source id {source.source_id!r} is in use by an auxiliary stream")
        self._sizes.take_limit_of(source)
        with self._books.noticing(source):
            self._runner.add(source, outputs=[Output(SourceSpec(), on_output=self._books.deliver)])
        self._sizes.check(max(self._stage.open_sources + 1, len(self._sources)))

    def _all_sinks_failed(self, error: BaseException) -> None:
        """Stop when the last sink has failed: nothing would come of what is read. Frames flow before it is running."""
        if self.state in {ModuleState.STARTING, ModuleState.RUNNING}:
            self.failure = self.failure or error
            logger.error("module %r stops: its last sink has failed: %s", self.config.name, error)
            self.stop()

    def _engine(self) -> PicassoEngine:
        if self._runner is None:
            raise RuntimeError("the module has not started")
        return self._runner.engine

    def _lost(self, source_id: str, stage: ErrorStage, error: BaseException, frame: VideoFrame | None) -> None:
        """Take notice of a frame that the engine lost; what a callback raised loses none."""
        if frame is not None and self._stage.lose(frame, error):
            logger.warning("source %r: the frame at pts %d is lost: %s", source_id, frame.pts, error)
        elif frame is not None and not stage.is_callback:
            self._auxiliary.lost(frame, error)

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error
        logger.error("module %r stops: %s", self.config.name, error)
        self._stage.release()
        self.stop()

    def statistics(self) -> ModuleStatistics:
        """Take a snapshot: what became of the frames of every source, what waits where, what every stage has done."""
        return self._books.statistics(str(self.state))

    def metrics_text(self) -> str:
        """Return what Prometheus may read of the module; ``MissingDependencyError`` without prometheus-client."""
        return self._books.registry(lambda: str(self.state)).text()

    @property
    def metrics_port(self) -> int | None:
        """The port that metrics are read from while it runs; None where no provider exports them."""
        return None if self._books.server is None else self._books.server.port

    def _close_all(self, timeout_s: float = GRACE_S) -> None:
        deadline_s = time.monotonic() + timeout_s
        self.web.close_views()
        self._ingresses.stop()
        self._ingresses.join(deadline_s)
        self._ending.run(timeout_s)
        self._books.close()
        self.failure = self.failure or self._sinks.failure
        if self._etcd is not None:
            use_dynamic(None)
            self._etcd.close()
        self._answers.close()
        self._become(ModuleState.STOPPED)
        self.web.stop()
        logger.info("%s", self.statistics())

    def _become(self, state: ModuleState) -> None:
        self.state = state
        self._state_file.write(state)
        self._books.tell_module(state, self.failure)
