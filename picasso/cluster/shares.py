"""The configuration of one actor: that of the module, with its own sockets, free ports and labels."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from picasso.wire.endpoint import Endpoint

if TYPE_CHECKING:
    from picasso.module.config.model import ModuleConfig, SinkConfig, SourceConfig

WIRE: Final = "zeromq_source_bin"
WIRE_SINK: Final = "zeromq_sink"


def entries_of(config: ModuleConfig) -> list[dict[str, Any]]:
    """Return the entries of ``pipeline.source``, resolved, in the order of ``config.sources``."""
    found = config.tree["pipeline"]["source"]
    return [dict(entry) for entry in (found if isinstance(found, list) else [found])]


def sockets_of(config: ModuleConfig) -> list[SourceConfig]:
    """Return the sources that come through sockets: each is one actor's for good."""
    return [one for one in config.sources if one.element == WIRE]


def share_of(config: ModuleConfig, sockets: Sequence[SourceConfig], labels: Mapping[str, str]) -> ModuleConfig:
    """Return the configuration of an actor: no page, free ports, its labels on every metric.

    Args:
        config: The module's.
        sockets: The sockets that are the actor's.
        labels: ``node`` and ``actor``, or what else is to stand on its metrics.
    """
    parameters = copy.deepcopy({key: value for key, value in config.parameters.items() if key != "telemetry"})
    telemetry = dict(config.parameters["telemetry"])
    metrics = dict(telemetry.get("metrics") or {})
    params = dict(metrics.get("provider_params") or {})
    params["labels"] = {**(params.get("labels") or {}), **labels}
    if metrics.get("provider") is not None:
        params["port"] = 0
    telemetry["metrics"] = {**metrics, "provider_params": params}
    parameters |= {"telemetry": telemetry, "web": None}
    if parameters.get("healthcheck_port") is not None:
        parameters["healthcheck_port"] = 0
    return dataclasses.replace(
        config,
        parameters=parameters,
        sources=tuple(sockets),
        sinks=tuple(_with_free_address(sink, labels.get("actor", "")) for sink in config.sinks),
        watch=None,
    )


def _with_free_address(sink: SinkConfig, actor: str) -> SinkConfig:
    """Return a sink whose socket, where it binds one, is the actor's own, as actors may share a machine.

    That is a free port of TCP, or a path with the name of the actor: of two that bind one path, ZeroMQ silences one.
    """
    if sink.element != WIRE_SINK:
        return sink
    properties = {key: value for key, value in sink.properties.items() if value is not None}
    endpoint = Endpoint.parse(
        properties["socket"], reads=False, kind=properties.get("socket_type"), bind=properties.get("bind", True)
    )
    if not endpoint.bind:
        return sink
    if endpoint.address.startswith("tcp://"):
        free = endpoint.address.rpartition(":")[0] + ":*"
    elif endpoint.address.startswith("ipc://") and actor:
        free = f"{endpoint.address}-{actor}"
    else:
        return sink
    tail = "" if endpoint.source_id is None else f":{endpoint.source_id}"
    text = f"{endpoint.kind}+bind:{free}{tail}"
    return dataclasses.replace(sink, properties={**sink.properties, "socket": text})
