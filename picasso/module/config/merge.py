"""A module's file over the built-in defaults, each value with the place it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from picasso.module.config.document import Document, Tree
from picasso.module.config.problem import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from."""

    file: str | None
    """None for the built-in defaults."""
    line: int | None = None
    variables: tuple[str, ...] = ()
    """Environment variables that were set and went into it."""

    def __str__(self) -> str:
        place = "default" if self.file is None else self.file if self.line is None else f"{self.file}:{self.line}"
        return ", ".join([place, *(f"${variable}" for variable in self.variables)])


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged tree, before interpolation."""

    tree: Tree
    origins: dict[Path, Origin]
    """Of every leaf, and of every key that the user's file has."""

    def origin(self, path: Path) -> Origin:
        """Return where a value came from; a value without an origin of its own has that of what holds it."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, Origin(None))


def merge(defaults: Tree, user: Document) -> Merged:
    """Merge a module's file over the defaults: mappings recursively, lists and scalars replace.

    A source that is given replaces the default source as a whole; an explicit null keeps it. Null for any other default
    that is a mapping keeps that mapping too: ``parameters:`` with nothing below says nothing.
    """
    defaults = _copy(defaults)
    given = user.tree.get("pipeline")
    if isinstance(given, dict) and given.get("source"):
        defaults["pipeline"]["source"] = None
    origins: dict[Path, Origin] = {}
    tree = _merged(defaults, user.tree, (), user, origins)
    for path, _value in leaves(tree):
        origins.setdefault(path, Origin(None))
    return Merged(tree, origins)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every scalar and every empty mapping or list with its path."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            yield from leaves(entry, (*path, index))
    else:
        yield path, value


def _merged(base: Any, over: Any, path: Path, user: Document, origins: dict[Path, Origin]) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        tree = dict(base)
        for key, value in over.items():
            tree[key] = _merged(base.get(key), value, (*path, key), user, origins)
        return tree
    if isinstance(base, dict) and over is None:
        return base
    if path == ("pipeline", "sink") and over is None:
        return base
    _note(over, path, user, origins)
    return _copy(over)


def _note(value: Any, path: Path, user: Document, origins: dict[Path, Origin]) -> None:
    origins[path] = Origin(user.name, user.lines.get(path))
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        _note(entry, (*path, key), user, origins)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value
