"""What ``telemetry.tracing`` asks for: where spans go, and which frames have them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, final

from picasso.errors import require
from picasso.module.logs import LogLevels
from picasso.module.sinks.open import Named
from picasso.trace import SpanPipe, TraceEndpoint, Tracer

if TYPE_CHECKING:
    from picasso.engine import OutputMessage
    from picasso.flow import Sink
    from picasso.module.config import ModuleConfig
    from picasso.module.run.accounts import Accounts

CLOSE_S: Final = 3.0
"""Seconds that the end of a module waits for spans to be sent."""
logger: logging.Logger = logging.getLogger("picasso.module")


@final
class Tracing:
    """The traces of a module. Where no provider is set, it does nothing, and loads nothing."""

    def __init__(self, config: ModuleConfig, accounts: Accounts) -> None:
        """Read the settings; nothing is sent yet.

        Args:
            config: The configuration.
            accounts: What knows each frame.

        Raises:
            MissingDependencyError: There is a provider, and the extra ``traces`` is not installed.
        """
        self._config = config
        self._settings: dict[str, Any] = config.parameters["telemetry"].get("tracing") or {}
        self._accounts = accounts
        self._tracer: Tracer | None = None
        self.is_on: bool = self._settings.get("provider") is not None
        """Whether frames are traced."""
        if self.is_on:
            require("opentelemetry.sdk.trace", extra="traces")

    def open(self) -> None:
        """Begin to trace, and say where spans go."""
        if not self.is_on:
            return
        name, settings = self._config.name, self._settings
        params = settings.get("provider_params") or {}
        endpoint = TraceEndpoint.parse(str(params["endpoint"]))
        pipe = SpanPipe(endpoint, str(params.get("service_name") or name), headers=params.get("headers"))
        period = settings["sampling_period"]
        which = f"1 frame in {period}" if period > 0 else "no frame of its own"
        note = f" ({endpoint.note})" if endpoint.note else ""
        text = "module %r: traces of %s, and of each that brings one, go by OTLP over HTTP to %s%s"
        logger.info(text, name, which, endpoint.shown, note)
        self._tracer = self._accounts.tracer = Tracer(
            pipe,
            settings.get("root_span_name") or name,
            sampling_period=period,
            frame_json=bool(settings.get("append_frame_meta_to_span")),
            now_ns=self._accounts.now_ns,
            takes=LogLevels.parse(self._config.parameters["log_level"]).filter,
        )

    def of(self, sink: Sink) -> Sink:
        """Return a ``sink`` that writes traced frames within spans."""
        return TracedSink(sink, self._accounts) if self.is_on else sink

    def close(self) -> None:
        """Send the spans that wait, for three seconds at most. May be called again."""
        if self._tracer is not None:
            self._accounts.tracer = None
            self._tracer.close(CLOSE_S)


@final
class TracedSink(Named):
    """A sink that writes each traced frame within a span, ``write/`` and its name."""

    def __init__(self, sink: Sink, accounts: Accounts) -> None:
        """Put spans around a sink; ``accounts`` know the traces of frames."""
        super().__init__(sink)
        self._accounts = accounts

    def write(self, output: OutputMessage) -> object:
        """Write the ``output``."""
        trace = None if output.is_eos else self._accounts.trace_at_sinks(output.as_video_frame())
        if trace is None:
            return self._sink.write(output)
        with trace.stage.child(f"write/{self.name}", ends_itself=True):
            return self._sink.write(output)
