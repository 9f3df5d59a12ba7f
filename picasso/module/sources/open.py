"""From an entry of ``pipeline.source`` to a source of ``picasso.flow``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from picasso.module.config import ConfigError
from picasso.module.sources.testpattern import PatternSource
from picasso.module.sources.uri import UriSource

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.flow import Source
    from picasso.module.config import ModuleConfig, SourceConfig

WIRE: Final = "zeromq_source_bin"
"""The kind whose sources come and go through a socket; ``open_ingress`` makes it."""
INGRESS: Final = frozenset(
    (
        *("source_timeout", "source_eviction_interval", "blacklist_size", "blacklist_ttl", "ingress_queue_length"),
        *("ingress_queue_byte_size", "decoder_queue_length", "decoder_queue_byte_size"),
        *("eos_on_frame_resolution_change", "low_latency_decoding"),
    )
)
"""Properties that the ingress reads, not the source."""


def open_source(config: SourceConfig, module: ModuleConfig, clock: Clock) -> Source:
    """Make a source; it is opened when it is read.

    Raises:
        ConfigError: Its kind is not built yet, or its properties cannot be used.
    """
    properties = {key: value for key, value in config.properties.items() if value is not None and key not in INGRESS}
    try:
        if config.element == "uridecodebin":
            return UriSource(clock=clock, **properties)
        if config.element == "v4l2src":
            return _camera(properties, clock)
        if config.element == "videotestsrc":
            return _pattern(properties, clock)
    except (ValueError, OSError) as error:
        raise ConfigError([module.problem((*config.path, "properties"), str(error))]) from None
    raise ConfigError([module.problem((*config.path, "element"), f"{config.element} cannot be run yet")])


def _camera(properties: dict[str, Any], clock: Clock) -> UriSource:
    options = {}
    if "width" in properties and "height" in properties:
        options["video_size"] = f"{properties['width']}x{properties['height']}"
    if "framerate" in properties:
        options["framerate"] = str(properties["framerate"])
    source_id = properties.get("source_id")
    return UriSource(
        properties["device"], source_id, restart=properties.get("restart", True), options=options, clock=clock
    )


def _pattern(properties: dict[str, Any], clock: Clock) -> PatternSource:
    names = {"num-buffers": "frames", "is-live": "is_live"}
    arguments = {names.get(key, key): value for key, value in properties.items()}
    if "framerate" in arguments:
        arguments["framerate"] = str(arguments["framerate"])
    return PatternSource(clock=clock, **arguments)
