"""From an entry of ``pipeline.source`` to a socket that many sources come through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.errors import require
from picasso.module.elements.frame_filter import follow_filter, load_filter
from picasso.module.run.limits import DECODER_LENGTH, Limit
from picasso.module.sources.wire_ingress import IngressSettings, WireIngress
from picasso.wire import Reader

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.module.config import ModuleConfig, SourceConfig
    from picasso.module.elements import CodePath


def open_ingress(config: SourceConfig, module: ModuleConfig, code: CodePath, clock: Clock) -> WireIngress:
    """Make the ingress of a socket; the socket is opened when the module starts.

    Raises:
        MissingDependencyError: The ``wire`` extra is not installed.
    """
    given = {key: value for key, value in config.properties.items() if value is not None}
    kind, bind = given.get("socket_type", "ROUTER"), given.get("bind", True)
    source_id, prefix = given.get("source_id"), given.get("source_id_prefix")
    require("zmq", extra="wire")
    accepts = None
    if config.frame_filter is not None and module.parameters["dev_mode"]:
        accepts = follow_filter(config.frame_filter, config.path, "ingress_frame_filter", module, code)
    elif config.frame_filter is not None:
        accepts = load_filter(config.frame_filter, code)

    def open_reader() -> Reader:
        return Reader(
            given["socket"],
            kind=kind,
            bind=bind,
            source_id=source_id,
            source_id_prefix=prefix,
            receive_hwm=given.get("receive_hwm", 50),
            blacklist_size=given.get("blacklist_size", 1024),
            blacklist_ttl_s=given.get("blacklist_ttl", 10),
        )

    return WireIngress(open_reader, _settings(given, module), accepts=accepts, clock=clock)


def _settings(given: dict[str, Any], module: ModuleConfig) -> IngressSettings:
    output = module.output_frame
    return IngressSettings(
        source_timeout_s=given.get("source_timeout", 10),
        eviction_interval_s=given.get("source_eviction_interval", 1),
        queue_frames=given.get("ingress_queue_length", 200),
        queue_bytes=given.get("ingress_queue_byte_size", 10 << 20),
        eos_on_resolution_change=given.get("eos_on_frame_resolution_change", True),
        low_latency_decoding=given.get("low_latency_decoding", False),
        decoder_limit=Limit.of(given.get("decoder_queue_length"), given.get("decoder_queue_byte_size"), DECODER_LENGTH),
        max_sources=module.parameters["max_parallel_streams"] or 0,
        shutdown_auth=module.parameters.get("shutdown_auth"),
        keeps_payload=output is not None and output.codec == "copy",
    )
