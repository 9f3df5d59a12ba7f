"""What sources and sinks cannot be told: names of files that are not names, pictures that a sink does not write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from picasso.errors import MediaError, SpecError
from picasso.module.config.file_names import folder_pattern, metadata_pattern, video_pattern
from picasso.module.config.problem import Path
from picasso.module.config.validate import Fault
from picasso.wire.endpoint import Endpoint

Tree = dict[str, Any]
VIDEO_SUFFIXES: Final = (".mp4", ".mov", ".mkv")
METADATA_CHUNK: Final = 10_000
_TAKES: Final = {"video_file_sink": ("h264", "hevc", "av1", "jpeg", "copy"), "image_file_sink": ("jpeg", "png", "copy")}
"""Codecs that a sink for pictures writes."""
_FILE: Final = {"video_file_sink": "location", "image_file_sink": "location", "metadata_json_sink": "location"}
_FILE_NAME: Final = {**_FILE, "file_sink": "file_path"}


def edge_faults(tree: Tree) -> list[Fault]:
    """Return what is wrong at the edges of a module.

    Args:
        tree: The resolved tree without the values at which the schema found faults.
    """
    pipeline, parameters = tree.get("pipeline"), tree.get("parameters")
    if not isinstance(pipeline, dict):
        return []
    output = parameters.get("output_frame") if isinstance(parameters, dict) else None
    codec = output.get("codec") if isinstance(output, dict) else None
    found: list[Fault] = []
    files: dict[str, int] = {}
    for index, sink in _entries(pipeline.get("sink")):
        path: Path = ("pipeline", "sink", index)
        found += [*_sink_faults(sink, path, codec), *_same_file(sink, path, files)]
        found += _socket_faults(sink, path, reads=False)
    sources, names = pipeline.get("source"), set[str]()
    for index, source in _entries(sources):
        path = ("pipeline", "source", index) if isinstance(sources, list) else ("pipeline", "source")
        found += _source_faults(source.get("properties") or {}, (*path, "properties"))
        found += [*_same_name(source, path, names), *_socket_faults(source, path, reads=True)]
    return found


def edge_warnings(tree: Tree) -> list[Fault]:
    """Return what sinks will not write, which is allowed."""
    if tree["parameters"].get("output_frame"):
        return []
    return [
        (("pipeline", "sink", index, "element"), f"{sink['element']} writes nothing: output_frame is null")
        for index, sink in _entries(tree["pipeline"].get("sink"))
        if sink.get("element") in _TAKES
    ]


def _entries(value: Any) -> list[tuple[int, Tree]]:
    """Return the entries that are mappings, with their places; one that stands for a list has place 0."""
    entries = value if isinstance(value, list) else [value]
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]


def _sink_faults(sink: Tree, path: Path, codec: str | None) -> list[Fault]:
    kind, properties = str(sink.get("element")), sink.get("properties") or {}
    found: list[Fault] = []
    takes = _TAKES.get(kind)
    if codec is not None and takes is not None and codec not in takes:
        found.append(((*path, "element"), f"{kind} does not write {codec}; one of {', '.join(takes)}"))
    name = properties.get(_FILE.get(kind, ""))
    if isinstance(name, str):
        try:
            _pattern(kind, name, properties)
        except (ValueError, MediaError) as error:
            found.append(((*path, "properties", _FILE[kind]), str(error)))
    return found


def _pattern(kind: str, name: str, properties: Mapping[str, Any]) -> str:
    """Return the pattern of a sink's files; raise where it is none."""
    if kind == "metadata_json_sink":
        size = properties.get("chunk_size")
        return metadata_pattern(name, METADATA_CHUNK if size is None else size)
    if kind == "image_file_sink":
        return folder_pattern(name)
    pattern = video_pattern(name)
    if not name.lower().endswith(VIDEO_SUFFIXES):
        raise ValueError(f"{name}: unknown container; one of {', '.join(VIDEO_SUFFIXES)}")
    return pattern


def _same_file(sink: Tree, path: Path, taken: dict[str, int]) -> list[Fault]:
    """Find a file that another sink writes as well; ``taken`` knows those before."""
    key = _FILE_NAME.get(str(sink.get("element")))
    name = (sink.get("properties") or {}).get(key) if key else None
    if not isinstance(name, str) or sink.get("element") == "image_file_sink":
        return []
    index = taken.setdefault(name, int(path[-1]))
    return [] if index == path[-1] else [((*path, "properties", str(key)), f"sink {index} writes {name}, too")]


def _source_faults(properties: Mapping[str, Any], path: Path) -> list[Fault]:
    start_s, stop_s = properties.get("start_s"), properties.get("stop_s")
    if isinstance(stop_s, int | float) and isinstance(start_s, int | float) and start_s >= stop_s:
        return [((*path, "stop_s"), f"{stop_s} s: expected more than start_s = {start_s}")]
    return []


def _same_name(source: Tree, path: Path, names: set[str]) -> list[Fault]:
    """Find a source that is called as another one is; ``names`` knows those before."""
    said = source.get("properties") or {}
    if source.get("element") == "zeromq_source_bin" or not isinstance(said, dict):
        return []
    name, place = said.get("source_id"), (*path, "properties", "source_id")
    if name is None:
        name, place = source.get("name"), (*path, "name")
    if not isinstance(name, str) or name not in names:
        names.add(str(name))
        return []
    return [(place, f"the source id {name!r} is in use")]


def _socket_faults(entry: Tree, path: Path, *, reads: bool) -> list[Fault]:
    """Find what is wrong with the endpoint of a ZeroMQ source or sink."""
    if entry.get("element") != ("zeromq_source_bin" if reads else "zeromq_sink"):
        return []
    properties, place = entry.get("properties") or {}, (*path, "properties")
    found: list[Fault] = []
    try:
        if isinstance(properties.get("socket"), str):
            Endpoint.parse(properties["socket"], reads=reads, kind=properties.get("socket_type"))
    except SpecError as error:
        found.append(((*place, "socket"), str(error)))
    if properties.get("source_id") is not None and properties.get("source_id_prefix") is not None:
        found.append(((*place, "source_id_prefix"), "given together with source_id; one of them"))
    return found
