"""Is it the same file, and the same module, as when a result was made?"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from picasso.errors import PicassoError
from picasso.module.elements import CodePath
from picasso.module.elements.models.block import Model
from picasso.module.elements.models.finding import ModelFiles
from picasso.module.run.outputs import drawers

if TYPE_CHECKING:
    from picasso.cluster.files.inputs import InputFile
    from picasso.module.config import ModuleConfig, SinkConfig, SourceConfig

_BESIDE_RESULTS: Final = (
    *("log_level", "log_format", "log_repeats", "telemetry", "healthcheck_port", "web", "shutdown_auth", "dev_mode"),
    *("download_path", "queue_maxsize"),
)
"""Parameters that change nothing in a result."""
_REPLACED: Final = ("uri", "source_id", "loop", "eos_on_loop_end", "pace", "restart")
"""Properties of a source that its file takes the place of."""


class FileMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file was like: its content where it is here, what its store says where it is not."""

    size: int | None = None
    """Bytes."""
    sha256: str | None = None
    """Of the content, for files of this machine."""
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    """With size and times: where all four are as before, the content is not read again."""
    mark: str | None = None
    """The store's tag or time, for files of stores and servers."""

    def is_as_quickly_seen(self, now: FileMark) -> bool:
        """Whether size, times and inode are the same, so that the content is, too."""
        seen = self.size, self.mtime_ns, self.ctime_ns, self.inode
        return None not in seen and seen == (now.size, now.mtime_ns, now.ctime_ns, now.inode)


def glance(file: InputFile) -> FileMark:
    """Return what is known of a file without reading it.

    Raises:
        OSError: It is not there.
    """
    if file.remote is not None:
        return FileMark(size=file.remote.size, mark=file.remote.mark)
    status = os.stat(file.location)
    return FileMark(status.st_size, None, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def read_mark(path: str | os.PathLike[str]) -> FileMark:
    """Return what a file of this machine is like, content included.

    Raises:
        OSError: It cannot be read.
    """
    status = os.stat(path)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileMark(status.st_size, digest, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def is_same(then: FileMark, file: InputFile) -> bool:
    """Whether a file is what it was; it is read only where size, times or inode differ.

    A file of a store that says neither tag nor time is never known to be the same.

    Raises:
        OSError: It is not there.
    """
    now = glance(file)
    if file.remote is not None:
        return now.mark is not None and (then.mark, then.size) == (now.mark, now.size)
    if then.is_as_quickly_seen(now):
        return True
    return then.size == now.size and then.sha256 is not None and read_mark(file.location).sha256 == then.sha256


def module_digest(config: ModuleConfig, *, compat: bool = False) -> str:
    """Return the SHA-256 of what decides over the results of a module.

    That is the resolved configuration, without what its file takes the place of and without logs, ports and metrics;
    the files of the pyfuncs, filters and drawers that it names; and the files of models that are not fetched. Modules
    that those files import are not looked at, and neither is the version of the package.
    """
    tree: dict[str, Any] = {key: value for key, value in config.tree.items() if key != "pipeline"}
    tree["parameters"] = {key: value for key, value in config.parameters.items() if key not in _BESIDE_RESULTS}
    pipeline = config.tree["pipeline"]
    source = config.sources[0]
    tree["pipeline"] = {
        "elements": pipeline["elements"],
        "sink": pipeline["sink"],
        "source": {
            "element": source.element,
            "properties": {key: value for key, value in source.properties.items() if key not in _REPLACED},
            "filter": repr(source.frame_filter),
        },
    }
    code = {name: _digest_of(path) for name, path in _code_files(config)}
    models = {str(path): _digest_of(path) for path in _model_files(config)}
    text = json.dumps([tree, code, sorted(models.values()), compat], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _code_files(config: ModuleConfig) -> Iterator[tuple[str, Path]]:
    """Yield each module of user code that a configuration names, with its file."""
    code = CodePath.of(config.folder, config.parameters.get("code_root"))
    ends: tuple[SourceConfig | SinkConfig, ...] = (*config.sources, *config.sinks)
    filters = [one.frame_filter for one in ends if one.frame_filter is not None]
    elements = [*config.elements, *drawers(config)]
    converters = [str(name) for one in elements for name in _modules_below(one.model or {})]
    names = [*(one.module for one in elements), *(one.module for one in filters), *converters]
    for name in dict.fromkeys(filter(None, names)):
        path = code.file_of(name) or _installed(name)
        if path is not None:
            yield name, path


def _modules_below(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if value.get("module"):
            yield value["module"]
        for entry in value.values():
            yield from _modules_below(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _modules_below(entry)


def _installed(name: str) -> Path | None:
    if name.startswith("picasso."):
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    origin = None if spec is None else spec.origin
    return Path(origin) if origin is not None and Path(origin).is_file() else None


def _model_files(config: ModuleConfig) -> Iterator[Path]:
    for one in config.elements:
        if not one.model or one.model.get("remote"):
            continue
        try:
            model = Model.of(one.element, str(one.name), one.model)
            files = ModelFiles(model, config)
            for name in (model.model_file, model.label_file):
                if name:
                    yield files.find(name)
        except (PicassoError, OSError, TypeError, ValueError):
            continue  # the module says what is wrong when it starts
