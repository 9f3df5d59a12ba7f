"""``dev_mode``: a module's file that changes while the module runs; arguments are taken, all else is refused."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

from picasso.module.config.problem import ConfigError, Path
from picasso.module.watched import WatchedFile

if TYPE_CHECKING:
    from picasso.module.config.model import ModuleConfig, Tree

MAX_LINES: Final = 10
"""Refused changes that are named, each on a line of the log."""
logger: logging.Logger = logging.getLogger("picasso.module")


@dataclass(frozen=True, slots=True)
class _Follower:
    """Who takes changed arguments."""

    paths: tuple[Path, ...]
    """Where in the tree they stand."""
    kwargs_of: Callable[[ModuleConfig], Tree | None]
    take: Callable[[Tree], object]


class ConfigWatch:
    """Looks at a module's file, and hands changed ``kwargs`` to those whose they are.

    Any thread may call any method; the file is looked at by one of them at a time.
    """

    def __init__(self, config: ModuleConfig, load: Callable[[], ModuleConfig]) -> None:
        """Begin with what the file says now.

        Args:
            config: What was loaded of it.
            load: Loads it again.
        """
        self._file = WatchedFile(FilePath(config.file))
        self._tree = config.tree
        self._load = load
        self._followers: list[_Follower] = []
        self._refused: list[Path] = []
        self._lock = threading.Lock()

    def follow(
        self,
        *paths: Path,
        kwargs_of: Callable[[ModuleConfig], Tree | None],
        take: Callable[[Tree], object],
    ) -> None:
        """Have changed arguments handed over.

        Args:
            paths: Where in the tree they stand.
            kwargs_of: Returns them from a new configuration; None where it has no such thing any more.
            take: Gets them; called on the thread that looks.
        """
        self._followers.append(_Follower(paths, kwargs_of, take))

    def look(self) -> None:
        """Look at the file, and act if it has changed. Costs next to nothing where it has not."""
        if not self._lock.acquire(blocking=False):
            return  # another thread is at it
        try:
            if self._file.has_changed():
                self._read()
        finally:
            self._lock.release()

    def _read(self) -> None:
        try:
            new = self._load()
        except ConfigError as error:
            for problem in error.problems[:MAX_LINES]:
                logger.error("not loaded again: %s", problem)
            return
        changed = list(_differences(self._tree, new.tree, ()))
        taken: list[Path] = []
        for follower in self._followers:
            own = [path for path in changed if any(path[: len(start)] == start for start in follower.paths)]
            kwargs = follower.kwargs_of(new) if own else None
            if kwargs is not None:
                taken += own
                follower.take(kwargs)
        refused = [path for path in changed if path not in taken]
        if refused != self._refused:
            for path in refused[:MAX_LINES]:
                logger.warning("%s", new.problem(path, "changed; takes effect when the module is started again"))
        self._refused = refused
        for path in taken:
            self._tree = _with(self._tree, new.tree, path)


def _differences(old: Any, new: Any, path: Path) -> Iterator[Path]:
    """Yield where two trees differ; lists of different lengths differ as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if key in old and key in new:
                yield from _differences(old[key], new[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, (*path, index))
    elif old != new or type(old) is not type(new):
        yield path


def _with(old: Any, new: Any, path: Path) -> Any:
    """Return the old tree with what the new one has at a path."""
    if not path:
        return new
    key = path[0]
    if isinstance(old, list):
        return [_with(one, new[key], path[1:]) if index == key else one for index, one in enumerate(old)]
    if len(path) == 1 and key not in new:
        return {name: value for name, value in old.items() if name != key}
    return {**old, key: _with(old.get(key), new[key], path[1:])}
