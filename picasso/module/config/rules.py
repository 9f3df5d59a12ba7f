"""What the schema cannot say: values that must fit each other. Faults stop a module, warnings do not."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from picasso.errors import SpecError, TemplateError
from picasso.module.config import output as output_rules
from picasso.module.config.notation import MODELS, entries
from picasso.module.config.problem import Path, nearest
from picasso.module.config.schema import module_schema
from picasso.module.config.sound import is_broken
from picasso.module.config.validate import Fault
from picasso.module.logs import doubts
from picasso.observe.custom import label_faults
from picasso.trace import TraceEndpoint
from picasso.web.listener import is_loopback

Tree = dict[str, Any]
MAX_PORT: Final = 65535
MAX_SIDE: Final = 16384
"""Pixels of a picture's longest side."""
POOL_DEFAULT: Final = 4
"""Buffers of a pool that is not set."""
_WITHOUT_EFFECT: Final[dict[Path, str]] = {
    ("min_fps",): "has no effect: frames are taken as they come",
}
"""Keys below ``parameters`` that are read and change nothing."""


_NO_INGRESS: Final = "has no effect: this source reads a packet when its decoder takes one"
_INGRESS: Final = ("ingress_queue_length", "ingress_queue_byte_size")
_ONLY_ZEROMQ: Final = {
    "ingress_queue_length": _NO_INGRESS,
    "ingress_queue_byte_size": _NO_INGRESS,
    "low_latency_decoding": "has no effect: frames leave this decoder as soon as they can be shown",
}


def faults(tree: Tree, broken: set[Path]) -> list[Fault]:
    """Return what does not fit together.

    Args:
        tree: The resolved tree without the values at which the schema found faults.
        broken: The paths of those: what depends on one of them cannot be judged.
    """
    parameters = tree.get("parameters")
    if not isinstance(parameters, dict):
        return []
    blocks: dict[str, Callable[[Tree, Path], Iterable[Fault]]] = {
        "frame": functools.partial(_frame_faults, broken=broken),
        "telemetry": functools.partial(_telemetry_faults, broken=broken),
        "draw_func": _draw_faults,
        "etcd": _etcd_faults,
        "web": functools.partial(_web_faults, broken=broken),
    }
    found: list[Fault] = []
    for name, find in blocks.items():
        block = parameters.get(name)
        if isinstance(block, dict):
            found += find(block, ("parameters", name))
    for block, path in output_rules.blocks_of(parameters):
        found += output_rules.faults(block, path, broken)
    frame, output = parameters.get("frame"), parameters.get("output_frame")
    if isinstance(frame, dict) and isinstance(output, dict):
        found += output_rules.size_faults(frame, output, ("parameters", "frame"), broken)
    return found


def near_misses(tree: Tree) -> list[Fault]:
    """Return parameters of the user that are one letter away from a known key, of any resolved tree."""
    parameters = tree.get("parameters")
    known = module_schema()["properties"]["parameters"]["properties"]
    return [
        (("parameters", key), f"taken for a parameter of yours; did you mean {near!r}?")
        for key in (parameters if isinstance(parameters, dict) else ())
        if isinstance(key, str) and key not in known and (near := nearest(key, known)) and _is_one_edit(key, near)
    ]


def warnings(tree: Tree, given: set[Path]) -> list[Fault]:
    """Return what is allowed and probably not meant.

    Args:
        tree: The resolved, valid tree.
        given: Paths that the user's file has.
    """
    parameters = tree["parameters"]
    found = near_misses(tree)
    found += [(("parameters", "log_level"), text) for text in doubts(parameters["log_level"])]
    found += [(("parameters", *key), text) for key, text in _WITHOUT_EFFECT.items() if ("parameters", *key) in given]
    if ("parameters", "max_fps") in given and not parameters["max_fps_control"]:
        found.append((("parameters", "max_fps"), "has no effect: max_fps_control is false"))
    found += _source_warnings(tree)
    found += _tracing_warnings((parameters.get("telemetry") or {}).get("tracing") or {}, given)
    output = parameters.get("output_frame")
    found += _label_warnings(parameters.get("draw_func") or {}, ("parameters", "draw_func", "rendered_objects"))
    if parameters.get("draw_func") is not None and output is None:
        found.append((("parameters", "draw_func"), "nothing is drawn: output_frame is null"))
    if output:
        found += output_rules.warnings(output, ("parameters", "output_frame"))
    if output and output["codec"] == "copy" and (parameters["frame"].get("padding") or {}).get("keep"):
        found.append(
            (("parameters", "frame", "padding", "keep"), "false for codec copy, which sends the source's payload")
        )
    return found + _buffer_warnings(parameters, batch_size(tree))


def _source_warnings(tree: Tree) -> list[Fault]:
    """Return what sources are told that only the ZeroMQ source reads."""
    sources = tree["pipeline"]["source"]
    many = isinstance(sources, list)
    here = [entry for entry in (sources if many else [sources]) if entry["element"] != "zeromq_source_bin"]
    found: list[Fault] = [
        (("pipeline", "source", *([sources.index(entry)] if many else []), "properties", key), _ONLY_ZEROMQ[key])
        for entry in here
        for key, value in (entry.get("properties") or {}).items()
        if key in _ONLY_ZEROMQ and value is not None and not (key in _INGRESS and _is_address(entry))
    ]
    has_web = tree["parameters"].get("web") is not None
    if (
        tree["parameters"].get("shutdown_auth") is not None
        and not has_web
        and len(here) == (len(sources) if many else 1)
    ):
        found.append((("parameters", "shutdown_auth"), "has no effect: no source brings shutdown messages"))
    return found


def _is_address(entry: Tree) -> bool:
    """Whether a source reads a network or a device, on a thread that its decoder need not wait for."""
    uri = str((entry.get("properties") or {}).get("uri", ""))
    has_scheme = "://" in uri and not uri.lower().startswith("file://")
    return entry.get("element") == "v4l2src" or has_scheme or uri.startswith("/dev/video")


def batch_size(tree: Tree) -> int:
    """Return the frames of a batch: as set, else that of the first model, else 1."""
    size = tree["parameters"].get("batch_size")
    if size is not None:
        return int(size)
    for element, _path, enabled in entries(tree["pipeline"].get("elements") or [], ()):
        if enabled and str(element.get("element")).startswith(MODELS):
            return int((element.get("model") or {}).get("batch_size") or 1)
    return 1


def buffer_warning(streams: int, stream_pool: int | None, batch: int, muxer_pool: int | None) -> str | None:
    """Say that the pools do not fit, with all four numbers; None where they do, or where neither is set."""
    if stream_pool is None and muxer_pool is None:
        return None
    each, batches = stream_pool or POOL_DEFAULT, muxer_pool or POOL_DEFAULT
    if streams * each >= batch * batches:
        return None
    return (
        f"{streams} streams x {each} pictures (stream_buffer_pool_size) < {batch} frames a batch x {batches} batches "
        f"(muxer_buffer_pool_size): batches will wait for pictures"
    )


def _buffer_warnings(parameters: Tree, batch: int) -> list[Fault]:
    pools = parameters.get("stream_buffer_pool_size"), parameters.get("muxer_buffer_pool_size")
    streams = parameters["max_parallel_streams"]
    text = buffer_warning(streams, pools[0], batch, pools[1]) if streams else None
    if text is None:
        return []
    key = "stream_buffer_pool_size" if pools[0] is not None else "muxer_buffer_pool_size"
    return [(("parameters", key), text)]


def _frame_faults(frame: Tree, path: Path, broken: set[Path]) -> list[Fault]:
    base = 1 if (*path, "geometry_base") in broken else frame.get("geometry_base") or 8
    found: list[Fault] = []
    sizes: dict[Path, Any] = {("width",): frame.get("width"), ("height",): frame.get("height")}
    for side, pixels in (frame.get("padding") or {}).items():
        if side != "keep":
            sizes["padding", side] = pixels
    for key, pixels in sizes.items():
        if isinstance(pixels, int) and pixels % base:
            below, above = pixels - pixels % base, pixels - pixels % base + base
            text = f"{pixels} is not divisible by geometry_base {base}; {below} and {above} are"
            found.append(((*path, *key), text))
    for side, pads in (("width", ("left", "right")), ("height", ("top", "bottom"))):
        total = (frame.get(side) or 0) + sum((frame.get("padding") or {}).get(pad, 0) for pad in pads)
        if total > MAX_SIDE:
            found.append(((*path, side), f"{total} pixels with the padding: expected at most {MAX_SIDE}"))
    if (frame.get("width") is None) != (frame.get("height") is None):
        missing = "width" if frame.get("width") is None else "height"
        found.append(((*path, missing), "width and height are given together, or both are null"))
    return found


def _telemetry_faults(telemetry: Tree, path: Path, broken: set[Path]) -> list[Fault]:
    needs = (
        ("tracing", "jaeger", "endpoint"),
        ("tracing", "opentelemetry", "endpoint"),
        ("metrics", "prometheus", "port"),
    )
    found: list[Fault] = []
    for block, provider, key in needs:
        settings = telemetry.get(block) or {}
        is_missing = (settings.get("provider_params") or {}).get(key) is None
        is_judged = not is_broken((*path, block, "provider_params", key), broken)
        if settings.get("provider") == provider and is_missing and is_judged:
            found.append(((*path, block, "provider"), f"{provider} needs provider_params.{key}"))
    metrics = telemetry.get("metrics") or {}
    if metrics.get("provider") == "prometheus" and metrics.get("provider_params"):
        found += _prometheus_faults(metrics["provider_params"], (*path, "metrics", "provider_params"))
    tracing = telemetry.get("tracing") or {}
    if tracing.get("provider") is not None:
        found += _endpoint_faults(tracing.get("provider_params") or {}, (*path, "tracing", "provider_params"))
    return found


def _endpoint_faults(params: Tree, path: Path) -> list[Fault]:
    """Return what is wrong with the place that traces are sent to."""
    found: list[Fault] = []
    headers = params.get("headers")
    if params.get("endpoint") is not None:
        try:
            TraceEndpoint.parse(str(params["endpoint"]))
        except SpecError as error:
            found.append(((*path, "endpoint"), str(error).removeprefix("endpoint: ")))
    if headers is not None and not (
        isinstance(headers, dict) and all(isinstance(one, str) for one in headers.values())
    ):
        found.append(((*path, "headers"), "expected a mapping of texts"))
    return found


def _tracing_warnings(tracing: Tree, given: set[Path]) -> list[Fault]:
    """Return what is said of traces and changes nothing."""
    path = ("parameters", "telemetry", "tracing")
    if tracing.get("provider") is None:
        keys = ("sampling_period", "append_frame_meta_to_span", "root_span_name", "provider_params")
        return [((*path, key), "has no effect: provider is null") for key in keys if (*path, key) in given]
    known = ("endpoint", "service_name", "headers")
    others = [key for key in tracing.get("provider_params") or {} if key not in known]
    return [((*path, "provider_params", key), f"has no effect; there are {', '.join(known)}") for key in others]


def _prometheus_faults(params: Tree, path: Path) -> Iterator[Fault]:
    for key in params:
        if key not in ("port", "labels"):
            near = nearest(key, ("port", "labels"))
            yield (*path, key), "unknown key; " + (f"did you mean {near!r}?" if near else "there are port and labels")
    port = params.get("port")
    is_text = isinstance(port, str) and port.isdecimal()  # as ${oc.env:PORT} gives it
    if port is not None and not ((is_text or type(port) is int) and 0 <= int(port) <= MAX_PORT):
        yield (*path, "port"), f"expected a TCP port, 0 to {MAX_PORT}, got {port!r}"
    labels = params.get("labels")
    if labels is not None and not isinstance(labels, dict):
        yield (*path, "labels"), f"expected names and values, got {labels!r}"
    else:
        yield from (((*path, "labels", name), why) for name, why in label_faults(labels or {}))


def _etcd_faults(etcd: Tree, path: Path) -> list[Fault]:
    files = etcd.get("tls") or {}
    return [
        ((*path, "tls", key), f"no such file: {file}") for key, file in files.items() if not os.path.isfile(str(file))
    ]


def _web_faults(web: Tree, path: Path, broken: set[Path]) -> list[Fault]:
    host = web.get("host")
    if not host or web.get("token") or is_loopback(host) or is_broken((*path, "token"), broken):
        return []
    return [((*path, "token"), f"other machines reach {host}, so a token is needed, such as ${{oc.env:WEB_TOKEN}}")]


def _draw_faults(draw: Tree, path: Path) -> list[Fault]:
    if bool(draw.get("module")) == bool(draw.get("class_name")):
        return []
    missing = "class_name" if draw.get("module") else "module"
    return [((*path, missing), "module and class_name are given together")]


def _label_warnings(draw: Tree, path: Path) -> Iterator[Fault]:
    """Yield the lines of labels that are no templates, and are drawn as they stand."""
    from picasso.draw.label import Template  # only those who draw labels pay for it

    for element, labels in (draw.get("rendered_objects") or {}).items():
        for label, look in (labels or {}).items():
            block = look.get("label") if isinstance(look, dict) else None
            lines = block.get("format") if isinstance(block, dict) else None
            for index, line in enumerate(lines or ()):
                try:
                    Template.parse(line)
                except TemplateError as error:
                    yield (*path, element, label, "label", "format", index), f"drawn as it stands: {error}"


def _is_one_edit(word: str, other: str) -> bool:
    """Whether one letter more, less, other, or two neighbours exchanged make one word the other."""
    if abs(len(word) - len(other)) > 1 or word == other:
        return False
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    rests = {(word[start + a :], other[start + b :]) for a, b in ((1, 1), (1, 0), (0, 1))}
    swapped = word[start : start + 2][::-1] == other[start : start + 2] and word[start + 2 :] == other[start + 2 :]
    return swapped or any(one == two for one, two in rests)
