"""From an entry of ``pipeline.sink`` to a sink: its kind, its properties, its filter."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from picasso.flow import LeftOut, Sink
from picasso.module.config import ConfigError
from picasso.module.elements.frame_filter import FrameFilter, follow_filter, load_filter
from picasso.module.sinks.files import ImageFileSink, MetadataFileSink, VideoFileSink
from picasso.module.sinks.simple import ConsoleSink, DevNullSink, FileSink

if TYPE_CHECKING:
    from picasso.engine import OutputMessage
    from picasso.module.config import ModuleConfig, SinkConfig
    from picasso.module.elements import CodePath
    from picasso.module.events import ModuleEvent
    from picasso.primitives import VideoFrame


def _open_wire(**properties: Any) -> Sink:
    from picasso.module.sinks.wire import WireSink  # needs the wire extra

    return WireSink(**properties)


def _open_mqtt(**properties: Any) -> Sink:
    from picasso.module.sinks.mqtt import MqttSink  # needs the mqtt extra

    return MqttSink(**properties)


def _open_webhook(**properties: Any) -> Sink:
    from picasso.module.sinks.webhook import WebhookSink

    return WebhookSink(**properties)


KINDS: Final[Mapping[str, Callable[..., Sink]]] = {
    "console_sink": ConsoleSink,
    "file_sink": FileSink,
    "devnull_sink": DevNullSink,
    "video_file_sink": VideoFileSink,
    "image_file_sink": ImageFileSink,
    "metadata_json_sink": MetadataFileSink,
    "zeromq_sink": _open_wire,
    "mqtt_sink": _open_mqtt,
    "webhook_sink": _open_webhook,
}
logger: logging.Logger = logging.getLogger("picasso.module")


def open_sink(config: SinkConfig, module: ModuleConfig, code: CodePath) -> Sink:
    """Open a sink.

    Raises:
        ConfigError: Its properties cannot be used.
        MediaError: It cannot be opened.
    """
    properties = {key: value for key, value in config.properties.items() if value is not None}
    if config.element in ("mqtt_sink", "webhook_sink"):
        properties["module"] = module.name
    try:
        sink: Sink = KINDS[config.element](**properties)
    except ValueError as error:
        raise ConfigError([module.problem((*config.path, "properties"), str(error))]) from None
    if config.name is not None:
        sink = Named(sink, config.name)
    if config.frame_filter is None:
        return sink
    if module.parameters["dev_mode"]:
        return Filtered(sink, follow_filter(config.frame_filter, config.path, "egress_frame_filter", module, code))
    return Filtered(sink, load_filter(config.frame_filter, code))


class Named:
    """A sink under a name of the user's."""

    def __init__(self, sink: Sink, name: str | None = None) -> None:
        """Call a sink by ``name``, or as it calls itself."""
        self._sink = sink
        self.name: str = name or str(getattr(sink, "name", type(sink).__name__))

    @property
    def address(self) -> str | None:
        """Where the sink is bound, or what it calls; None for one without a socket."""
        address: str | None = getattr(self._sink, "address", None)
        return address

    @property
    def lost(self) -> int:
        """Frames that the sink took and lost later."""
        return int(getattr(self._sink, "lost", 0))

    def write(self, output: OutputMessage) -> object:
        """Write the ``output``."""
        return self._sink.write(output)

    def on_event(self, event: ModuleEvent) -> None:
        """Tell the sink of an ``event``, where it wants to know."""
        on_event = getattr(self._sink, "on_event", None)
        if on_event is not None:
            on_event(event)

    def stop(self) -> None:
        """End a ``write`` that waits, where the sink can."""
        stop = getattr(self._sink, "stop", None)
        if stop is not None:
            stop()

    def close(self) -> None:
        """Close the sink."""
        self._sink.close()


class Filtered(Named):
    """A sink that gets only the frames that a function of the user's lets pass; ends of streams always pass."""

    def __init__(self, sink: Sink, accepts: FrameFilter | None) -> None:
        """Put ``accepts`` before a sink; None lets everything pass."""
        super().__init__(sink)
        self._accepts = accepts
        self._has_failed = False

    def write(self, output: OutputMessage) -> object:
        """Write the ``output`` if it passes; a filter that raises lets it pass."""
        if output.is_eos or self._passes(output.as_video_frame()):
            return self._sink.write(output)
        return LeftOut("filter")

    def _passes(self, frame: VideoFrame) -> bool:
        if self._accepts is None:
            return True
        try:
            return bool(self._accepts(frame))
        except Exception as error:  # noqa: BLE001 - a filter never stops a module
            if not self._has_failed:
                self._has_failed = True
                logger.warning(
                    "egress filter of %s raised, frames pass: %s: %s", self.name, type(error).__name__, error
                )
            return True
