"""From an entry of ``pipeline.source`` to a source of ``picasso.flow``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from picasso.flow import IdlePolicy
from picasso.module.config import ConfigError
from picasso.module.elements.frame_filter import find_filter, follow_filter
from picasso.module.run.limits import INGRESS_LENGTH, Limit
from picasso.module.sources.guarded import GuardedSource
from picasso.module.sources.testpattern import PatternSource
from picasso.module.sources.uri import UriSource

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.flow import Source
    from picasso.module.config import ModuleConfig, SourceConfig
    from picasso.module.elements import CodePath

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
SOURCE_TIMEOUT_S: Final = 10.0
EVICTION_INTERVAL_S: Final = 1.0
BLACKLIST_SIZE: Final = 1024
BLACKLIST_TTL_S: Final = 10.0


def open_source(
    config: SourceConfig,
    module: ModuleConfig,
    code: CodePath,
    clock: Clock,
    wrap: Callable[[Source], Source] | None = None,
) -> Source:
    """Make a source behind the rules of ingress; it is opened when it is read.

    Args:
        config: Its entry.
        module: The module.
        code: Where filters are looked for.
        clock: What it waits by.
        wrap: Put around the source, behind the rules.

    Raises:
        ConfigError: Its kind is not built yet, its properties cannot be used, or its filter cannot be loaded.
    """
    source = _open(config, module, clock)
    return guarded(source if wrap is None else wrap(source), config, module, code)


def guarded(source: Source, config: SourceConfig | None, module: ModuleConfig, code: CodePath) -> GuardedSource:
    """Put the rules of ingress before a source, as its entry says; without one, the rules with their defaults.

    Raises:
        ConfigError: The filter cannot be loaded.
    """
    given = {} if config is None else config.properties
    properties = {key: value for key, value in given.items() if value is not None}
    accepts = None
    if config is not None and config.frame_filter is not None:
        try:
            accepts = (
                follow_filter(config.frame_filter, config.path, "ingress_frame_filter", module, code)
                if module.parameters["dev_mode"]
                else find_filter(config.frame_filter, code)
            )
        except Exception as error:
            text = f"the filter cannot be loaded: {error}"
            raise ConfigError([module.problem((*config.path, "ingress_frame_filter"), text)]) from error
    size, ttl_s = properties.get("blacklist_size", BLACKLIST_SIZE), properties.get("blacklist_ttl", BLACKLIST_TTL_S)
    return GuardedSource(
        source,
        accepts=accepts,
        eos_on_resolution_change=properties.get("eos_on_frame_resolution_change", True),
        idle=IdlePolicy(
            properties.get("source_timeout", SOURCE_TIMEOUT_S),
            properties.get("source_eviction_interval", EVICTION_INTERVAL_S),
        ),
        reject_s=ttl_s if size else None,
    )


def _open(config: SourceConfig, module: ModuleConfig, clock: Clock) -> Source:
    properties = {key: value for key, value in config.properties.items() if value is not None and key not in INGRESS}
    try:
        carries = module.output_frame is not None and module.output_frame.codec == "copy"
        if config.element == "uridecodebin":
            return _uri({**properties, "payload": carries}, _ingress(config), clock)
        if config.element == "v4l2src":
            return _camera({**properties, "payload": carries}, _ingress(config), clock)
        if config.element == "videotestsrc":
            if carries:
                text = "videotestsrc brings no coded frames, which codec copy sends on"
                raise ConfigError([module.problem((*config.path, "element"), text)])
            return _pattern(properties, clock)
    except (ValueError, OSError) as error:
        raise ConfigError([module.problem((*config.path, "properties"), str(error))]) from None
    raise ConfigError([module.problem((*config.path, "element"), f"{config.element} cannot be run yet")])


def _ingress(config: SourceConfig) -> Limit:
    """Return how many packets may wait for the decoder."""
    properties = config.properties
    return Limit.of(properties.get("ingress_queue_length"), properties.get("ingress_queue_byte_size"), INGRESS_LENGTH)


def _uri(properties: dict[str, Any], ingress: Limit, clock: Clock) -> UriSource:
    if "framerate" in properties:
        properties["framerate"] = str(properties["framerate"])
    return UriSource(ingress=ingress, clock=clock, **properties)


def _camera(properties: dict[str, Any], ingress: Limit, clock: Clock) -> UriSource:
    options = {}
    if "width" in properties and "height" in properties:
        options["video_size"] = f"{properties['width']}x{properties['height']}"
    if "framerate" in properties:
        options["framerate"] = str(properties["framerate"])
    source_id = properties.get("source_id")
    return UriSource(
        properties["device"],
        source_id,
        restart=properties.get("restart", True),
        options=options,
        is_live=True,
        payload=properties["payload"],
        ingress=ingress,
        clock=clock,
    )


def _pattern(properties: dict[str, Any], clock: Clock) -> PatternSource:
    names = {"num-buffers": "frames", "is-live": "is_live"}
    arguments = {names.get(key, key): value for key, value in properties.items()}
    if "framerate" in arguments:
        arguments["framerate"] = str(arguments["framerate"])
    return PatternSource(clock=clock, **arguments)
