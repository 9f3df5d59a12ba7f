"""The parameters of the module that runs in this process, as ``param_storage()`` gives them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any


class Parameters(dict[str, Any]):
    """Parameters by name; nested ones are reached by key or by attribute: ``p['frame'].width``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no parameter {name!r}; there are: {', '.join(self)}") from None

    @classmethod
    def of(cls, tree: Any) -> Any:
        """Copy a tree, its mappings becoming ``Parameters``."""
        if isinstance(tree, Mapping):
            return cls((key, cls.of(value)) for key, value in tree.items())
        return [cls.of(value) for value in tree] if isinstance(tree, list) else copy.copy(tree)


_current = Parameters()


def param_storage() -> Parameters:
    """Return the parameters of the running module by name, as below ``parameters``; a missing one is a ``KeyError``.

    It is filled when a module is loaded, and the same object for the life of the process.
    """
    return _current


def fill(tree: Mapping[str, Any]) -> None:
    """Take the parameters of a module that was loaded; those of one before are forgotten."""
    fresh = Parameters.of(tree)
    _current.clear()
    _current.update(fresh)


def flat(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a tree with its path, as ``config()`` knows it: ``frame.width``, ``list[0]``."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
        return
    if isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from flat(value, f"{path}[{index}]")
    yield path, tree
