"""What a module writes down while it runs: its account and its records, and who tells them what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from picasso.engine.clock import MonotonicClock
from picasso.errors import TransportError
from picasso.flow import SourceState
from picasso.module.config import ConfigError
from picasso.module.events import MODULE, SOURCE, ModuleEvent
from picasso.module.run.accounts import Accounts
from picasso.module.run.sink_threads import SinkThreads
from picasso.module.run.statistics import Statistician
from picasso.module.run.tracing import Tracing
from picasso.observe.custom import AllMetrics
from picasso.observe.records import Recorder

if TYPE_CHECKING:
    from prometheus_client import Metric

    from picasso.engine import OutputMessage
    from picasso.engine.clock import Clock
    from picasso.flow import Runner, Source, SourceStatus
    from picasso.module.config import ModuleConfig
    from picasso.module.params.etcd import EtcdMirror
    from picasso.module.run.auxiliary import AuxiliaryStreams
    from picasso.module.run.batcher import Batcher
    from picasso.module.run.ingresses import Ingresses
    from picasso.module.run.pipeline import Pipeline
    from picasso.module.run.stage import ModuleStage
    from picasso.observe.account import ModuleStatistics
    from picasso.observe.exporter import MetricsServer, Registry

logger: logging.Logger = logging.getLogger("picasso.module")


@final
class Books:
    """Everything that is known of a module; lines, metrics and pages read it and count nothing themselves.

    Safe from any thread.
    """

    def __init__(
        self,
        config: ModuleConfig,
        clock: Clock,
        ingresses: Ingresses,
        on_all_failed: Callable[[BaseException], object],
    ) -> None:
        """Begin with nothing counted, and without sinks.

        Args:
            config: The configuration.
            clock: The module's.
            ingresses: Its sockets, which know what sources counted that are gone.
            on_all_failed: Told what the last sink raised.
        """
        parameters = config.parameters
        self._config = config
        self.runner: Runner | None = None
        self.accounts: Accounts = Accounts(now_ns=clock.now_ns)
        self.tracing: Tracing = Tracing(config, self.accounts)
        self.sinks: SinkThreads = SinkThreads(
            config.name, parameters["queue_maxsize"] or 0, on_all_failed, self._taken, self.tracing.of
        )
        self.emit: Callable[[OutputMessage], None] = self.sinks.put
        """Takes what leaves the module, on its way to the sinks."""
        self._statistician = Statistician(
            config.name,
            self.accounts,
            self._statuses,
            ingresses.statuses,
            refused=ingresses.refused,
            is_real=isinstance(clock, MonotonicClock),
        )
        self._settings: Mapping[str, Any] = parameters["telemetry"].get("metrics") or {}
        self.recorder: Recorder = Recorder(self._settings, lambda: self._statistician.stages(list(self.sinks)))
        self.metrics: AllMetrics = AllMetrics(is_exported=self._settings.get("provider") is not None)
        """The counters and gauges of pyfuncs."""
        self._statistician.metrics = self.metrics
        self.server: MetricsServer | None = None
        """Where metrics are read from, while the module runs and has a provider."""

    def open(
        self, batcher: Batcher, stage: ModuleStage, pipeline: Pipeline, runner: Runner, etcd: EtcdMirror | None
    ) -> None:
        """Take the parts of a module that is about to run."""
        self.runner = runner
        self.tracing.open()
        part = self._statistician
        part.batcher, part.stage, part.pipeline, part.etcd = batcher, stage, pipeline, etcd

    def follow(self, auxiliary: AuxiliaryStreams) -> None:
        """Write down what happens to the frames of auxiliary streams, too."""
        self._statistician.auxiliary = auxiliary

    def serve(self, state: Callable[[], str]) -> None:
        """Let metrics be read, where the configuration names a provider.

        Args:
            state: Says where the module stands.

        Raises:
            ConfigError: The port cannot be listened at.
        """
        if self._settings.get("provider") is None:
            return
        from picasso.observe.exporter import MetricsServer

        params = self._settings.get("provider_params") or {}
        if int(params["port"]) == self._config.parameters.get("healthcheck_port"):
            return  # health is served there, and metrics with it
        try:
            self.server = MetricsServer(self.registry(state), int(params["port"]))
        except TransportError as error:
            path = ("parameters", "telemetry", "metrics", "provider_params", "port")
            raise ConfigError([self._config.problem(path, str(error))]) from None
        logger.info("metrics: http://<this host>:%d%s", self.server.port, "/metrics")

    def registry(self, state: Callable[[], str]) -> Registry:
        """Return everything that Prometheus may read of the module; ``state`` says where that stands.

        Raises:
            MissingDependencyError: prometheus-client is not installed.
        """
        from picasso.observe.exporter import Registry
        from picasso.observe.families import custom_families, record_families
        from picasso.observe.module_families import module_families

        def collect() -> Iterator[Metric]:
            yield from module_families(self.statistics(state()))
            yield from record_families(self.recorder.of_each_kind())
            yield from custom_families(self.metrics.all())

        return Registry(collect, (self._settings.get("provider_params") or {}).get("labels"))

    def close(self) -> None:
        """Take the last records, and send the last spans: no frame leaves any more. Then metrics are read no longer.

        May be called again.
        """
        self.recorder.finish()
        self.tracing.close()
        if self.server is not None:
            self.server.close()

    def statistics(self, state: str) -> ModuleStatistics:
        """Take a snapshot."""
        return self._statistician.take(state, list(self.sinks))

    def deliver(self, output: OutputMessage) -> None:
        """Count what leaves the module, and hand it to the sinks."""
        stage = self._statistician.stage
        assert stage is not None
        stage.finish(output, self.emit)
        if not output.is_eos:
            self.recorder.frame_left(output.as_video_frame().object_count)

    def tell_module(self, state: str, failure: BaseException | None) -> None:
        """Tell sinks that want to know which state the module has come to."""
        self.sinks.tell(ModuleEvent(MODULE, self._config.name, state, error="" if failure is None else str(failure)))

    def tell_source(self, source_id: str, state: SourceState) -> None:
        """Tell sinks that want to know which state a source has come to."""
        error = ""
        if state is SourceState.FAILED:
            errors = [status.last_error for status in self._statuses() if status.source_id == source_id]
            error = "".join(str(one) for one in errors if one is not None)
        self.sinks.tell(ModuleEvent(SOURCE, self._config.name, str(state), source_id, error))

    @contextmanager
    def noticing(self, source: Source) -> Iterator[None]:
        """Take notice of a source that joins, unless the context raises."""
        before = self._statistician.notice(source)
        try:
            yield
        except BaseException:
            self._statistician.notice(before)
            raise
        self._statistician.has_joined(source.source_id)

    def came_ns(self, source_id: str) -> tuple[int, int] | None:
        """Return when the bytes of the newest frame of a source were received and decoded, where it tells."""
        return self._statistician.came_ns(source_id)

    def forget(self, last: SourceStatus) -> None:
        """Take notice of a source that is gone, and how it fared."""
        self._statistician.forget(last)

    def _statuses(self) -> list[SourceStatus]:
        return [] if self.runner is None else self.runner.statuses()

    def _taken(self, output: OutputMessage) -> None:
        self.accounts.taken(output.as_video_frame())
