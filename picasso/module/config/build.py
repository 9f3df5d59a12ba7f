"""The objects of a valid tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picasso.module.config.merge import Origin
from picasso.module.config.model import (
    BufferQueues,
    DrawFunc,
    ElementConfig,
    FilterConfig,
    FrameConfig,
    ModuleConfig,
    OutputFrame,
    Padding,
    SinkConfig,
    SourceConfig,
    Tree,
)
from picasso.module.config.notation import entries
from picasso.module.config.output import RAW
from picasso.module.config.problem import Path, Problem
from picasso.module.config.rules import batch_size


def build(
    tree: Tree, origins: Mapping[Path, Origin], file: str, folder: str | None, warnings: tuple[Problem, ...]
) -> ModuleConfig:
    """Build the configuration of a tree that the schema and the rules have passed."""
    parameters, pipeline = tree["parameters"], tree["pipeline"]
    output = _output(parameters["output_frame"])
    sources = pipeline["source"] if isinstance(pipeline["source"], list) else [pipeline["source"]]
    many = isinstance(pipeline["source"], list)
    found = entries(pipeline["elements"] or [], ("pipeline", "elements"))
    return ModuleConfig(
        name=tree["name"],
        file=file,
        folder=folder,
        parameters=parameters,
        frame=_frame(parameters["frame"], output),
        output_frame=output,
        draw_func=_draw(parameters["draw_func"]) if output is not None else None,
        buffer_queues=None if parameters["buffer_queues"] is None else BufferQueues(**parameters["buffer_queues"]),
        batch_size=batch_size(tree),
        sources=tuple(
            source_of(entry, ("pipeline", "source", index) if many else ("pipeline", "source"))
            for index, entry in enumerate(sources)
        ),
        elements=tuple(_element(element, path, parameters) for element, path, enabled in found if enabled),
        sinks=tuple(_sink(entry, ("pipeline", "sink", index)) for index, entry in enumerate(pipeline["sink"])),
        tree=tree,
        origins=origins,
        warnings=warnings,
    )


def _frame(frame: Tree, output: OutputFrame | None) -> FrameConfig:
    sides = dict(frame.get("padding") or {})
    keep = bool(sides.pop("keep", True)) and not (output is not None and output.codec == "copy")
    padding = Padding(**sides, keep=keep) if any(sides.values()) else None
    return FrameConfig(frame["width"], frame["height"], padding, frame["geometry_base"])


def _output(output: Tree | None) -> OutputFrame | None:
    if not output:
        return None
    return OutputFrame(
        output["codec"],
        output.get("encoder"),
        output.get("encoder_params") or {},
        output.get("profile"),
        None if output["codec"] in RAW else (output.get("condition") or {}).get("tag"),
    )


def _draw(draw: Tree | None) -> DrawFunc | None:
    if draw is None:
        return None
    rendered = draw.get("rendered_objects")
    return DrawFunc(
        draw.get("module"),
        draw.get("class_name"),
        draw.get("kwargs") or {},
        None
        if rendered is None
        else {unit: {k: v or {} for k, v in (labels or {}).items()} for unit, labels in rendered.items()},
        (draw.get("condition") or {}).get("tag"),
    )


def source_of(entry: Tree, path: Path) -> SourceConfig:
    """Build one entry of ``pipeline.source``, which stands at ``path``."""
    frame_filter = _filter(entry.get("ingress_frame_filter"))
    properties, name = dict(entry.get("properties") or {}), entry.get("name")
    if name is not None and entry["element"] != "zeromq_source_bin" and properties.get("source_id") is None:
        properties["source_id"] = name
    return SourceConfig(entry["element"], name, properties, frame_filter, path)


def _sink(entry: Tree, path: Path) -> SinkConfig:
    frame_filter = _filter(entry.get("egress_frame_filter"))
    return SinkConfig(entry["element"], entry.get("name"), entry.get("properties") or {}, frame_filter, path)


def _filter(entry: Tree | None) -> FilterConfig | None:
    return None if entry is None else FilterConfig(entry["module"], entry["class_name"], entry.get("kwargs") or {})


def _element(element: Tree, path: Path, parameters: Mapping[str, Any]) -> ElementConfig:
    return ElementConfig(
        element=element["element"],
        name=element.get("name"),
        module=element.get("module"),
        class_name=element.get("class_name"),
        kwargs=element.get("kwargs") or {},
        dev_mode=bool(element.get("dev_mode", parameters["dev_mode"])),
        on_error=element.get("on_error") or parameters["on_pyfunc_error"],
        model=element.get("model"),
        properties=element.get("properties") or {},
        path=path,
    )
