"""What a module that runs for one file reads and writes: its source is the file, its sinks write below a folder."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from picasso.media import safe_file_name
from picasso.module.config import ConfigError, SinkConfig, load_config
from picasso.module.config.edges import METADATA_CHUNK
from picasso.module.config.file_names import folder_pattern, metadata_pattern, video_pattern

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig, Problem

FILE_SINKS: Final[Mapping[str, str]] = {
    "video_file_sink": "location",
    "image_file_sink": "location",
    "metadata_json_sink": "location",
    "file_sink": "file_path",
}
"""Sinks that write files, and the property that says where."""
_HARMLESS: Final = ("devnull_sink",)
_NOT_OF_A_FILE: Final = frozenset(("uri", "source_id", "loop", "eos_on_loop_end", "pace", "restart", "rtsp_transport"))
"""Properties of ``uridecodebin`` that its file takes the place of."""
_FIELD_FILE: Final = re.compile(r"\{file(?=[:}])")
_GO_ON: Final = "picasso run reads several sources and sends; map writes files, one source at a time"


@dataclass(frozen=True, slots=True)
class FittedModule:
    """A module that can run for one file after the other."""

    config: ModuleConfig
    """As loaded, without what belongs to one running module: ports, the reloading of code."""
    patterns: tuple[str | None, ...]
    """For each sink where it writes, below the folder of the results; None for one that writes nothing."""

    def for_file(self, path: str, shown: str, name: str, folder: Path) -> ModuleConfig:
        """Return the configuration for one file.

        Args:
            path: The file, in this machine's file system, or an address that FFmpeg reads.
            shown: What frames have as their tag ``location``.
            name: The source's id.
            folder: Where sinks write.
        """
        (source,) = self.config.sources
        kept = source.properties if source.element == "uridecodebin" else {}
        properties = {key: value for key, value in kept.items() if key not in _NOT_OF_A_FILE}
        properties |= {"uri": path, "source_id": name, "shown": shown, "loop": False, "restart": False}
        entry = dataclasses.replace(source, element="uridecodebin", properties=properties)
        prefix = str(folder).replace("{", "{{").replace("}", "}}")
        sinks = [
            sink if pattern is None else _placed(sink, f"{prefix}/{pattern}", str(folder / pattern), name)
            for sink, pattern in zip(self.config.sinks, self.patterns, strict=True)
        ]
        return dataclasses.replace(self.config, sources=(entry,), sinks=tuple(sinks))

    def outputs_in(self, folder: Path, name: str) -> tuple[str, ...]:
        """Return what was written for a file below a folder, as it will be called; a folder of pictures is one output.

        Files of streams that a pyfunc makes get the file's name before theirs, so that those of two files differ.
        """
        safe = safe_file_name(name)
        folders = {
            pattern.format(source=safe)
            for sink, pattern in zip(self.config.sinks, self.patterns, strict=True)
            if sink.element == "image_file_sink" and pattern is not None
        }
        mine = re.compile(rf"(?<![A-Za-z0-9]){re.escape(safe)}(?![A-Za-z0-9])")
        found = []
        for below in sorted(_files_below(folder, folders)):
            wanted = below if mine.search(below) else os.path.join(*os.path.split(f"{safe}-{below}"))
            if wanted != below:
                target = folder / wanted
                target.parent.mkdir(parents=True, exist_ok=True)
                (folder / below.rstrip("/")).rename(str(target).rstrip("/"))
            found.append(wanted)
        return tuple(found)


def fitted(module: str | os.PathLike[str] | Mapping[str, Any]) -> FittedModule:
    """Load a module and look whether it can run for one file at a time.

    Args:
        module: Its file, or the tree of one.

    Raises:
        ConfigError: It cannot be loaded, has several sources, or sinks that write no files.
    """
    config = load_config(module, replaced=("source", "sink"))
    problems = [*_source_problems(config), *_sink_problems(config)]
    if problems:
        raise ConfigError(problems, config.warnings)
    patterns = [_pattern(sink) for sink in config.sinks]
    shared = _shared_folder([pattern for pattern in patterns if pattern is not None])
    below = [None if one is None else os.path.relpath(one, shared) for one in patterns]
    for index, pattern in enumerate(below):
        if pattern is not None and pattern in below[:index]:
            place = (*config.sinks[index].path, "properties", FILE_SINKS[config.sinks[index].element])
            problems.append(config.problem(place, f"sink {below.index(pattern)} writes {pattern}, too"))
    if problems:
        raise ConfigError(problems)
    quiet = {"web": None, "healthcheck_port": None, "shutdown_auth": None, "dev_mode": False}
    telemetry = dict(config.parameters.get("telemetry") or {})
    if telemetry.get("metrics"):
        telemetry["metrics"] = {**telemetry["metrics"], "provider": None, "provider_params": None}
    parameters = {**config.parameters, **quiet, "telemetry": telemetry or None}
    elements = tuple(dataclasses.replace(one, dev_mode=False) for one in config.elements)
    alone = dataclasses.replace(config, parameters=parameters, elements=elements, watch=None)
    return FittedModule(alone, tuple(below))


def _source_problems(config: ModuleConfig) -> Iterator[Problem]:
    several = config.sources[1:]
    for source in several[:1]:
        text = f"map runs a module for one file at a time, and this one has {len(several) + 1} sources; {_GO_ON}"
        yield config.problem(source.path, text)


def _sink_problems(config: ModuleConfig) -> Iterator[Problem]:
    choices = ", ".join(FILE_SINKS)
    given = [sink for sink in config.sinks if not _is_default(sink, config)]
    for sink in given:
        if sink.element not in FILE_SINKS and sink.element not in _HARMLESS:
            text = (
                f"map writes files, and {sink.element} does not: what it has sent of a file that is tried again would "
                f"be sent twice. Write by one of {choices}, or send by picasso run"
            )
            yield config.problem((*sink.path, "element"), text)
    if not any(sink.element in FILE_SINKS for sink in config.sinks) and not any(
        sink.element not in _HARMLESS for sink in given
    ):
        yield config.problem(("pipeline", "sink"), f"map needs a sink that writes files: one of {choices}")


def _is_default(sink: SinkConfig, config: ModuleConfig) -> bool:
    return config.origin(sink.path).file is None


def _pattern(sink: SinkConfig) -> str | None:
    """Return where a sink writes as an absolute pattern, with the fields that keep files apart."""
    key = FILE_SINKS.get(sink.element)
    if key is None:
        return None
    said = sink.properties.get(key)
    if sink.element == "video_file_sink":
        text = video_pattern(str(said))
    elif sink.element == "image_file_sink":
        text = folder_pattern(str(said))
    elif sink.element == "metadata_json_sink":
        size = sink.properties.get("chunk_size")
        text = metadata_pattern(str(said), METADATA_CHUNK if size is None else size)
    else:
        path = Path(str(said).replace("{", "{{").replace("}", "}}"))
        text = str(path.with_name(f"{path.stem}-{{source}}{path.suffix}"))
    return os.path.abspath(_FIELD_FILE.sub("{source", text))


def _shared_folder(patterns: Sequence[str]) -> str:
    """Return the folder that all patterns begin with, before the first field of any."""
    fixed = []
    for pattern in patterns:
        parts = []
        for part in PurePath(pattern).parts[:-1]:
            if "{" in part:
                break
            parts.append(part)
        fixed.append(str(PurePath(*parts)))
    return os.path.commonpath(fixed)


def _placed(sink: SinkConfig, pattern: str, plain: str, name: str) -> SinkConfig:
    key = FILE_SINKS[sink.element]
    where = pattern
    if sink.element == "file_sink":  # it knows no fields
        where = plain.replace("{source}", safe_file_name(name)).replace("{{", "{").replace("}}", "}")
    return dataclasses.replace(sink, properties={**sink.properties, key: where})


def _files_below(folder: Path, whole: set[str]) -> Iterator[str]:
    """Yield the files below a folder, and with a slash behind them the folders that are taken as a whole."""
    for path, names, files in os.walk(folder):
        below = os.path.relpath(path, folder)
        for name in list(names):
            one = os.path.normpath(os.path.join(below, name))
            if one in whole:
                names.remove(name)
                yield f"{one}/"
        yield from (os.path.normpath(os.path.join(below, name)) for name in files)
