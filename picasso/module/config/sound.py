"""A tree without what is known to be wrong, so that rules of what fits together judge the rest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from picasso.module.config.problem import Path


def without(tree: Any, broken: Collection[Path]) -> Any:
    """Return a tree without the values at ``broken``; an entry of a list becomes None, so the others keep their index.

    Branches in which nothing is broken are those of ``tree``, not copies.
    """
    if not broken:
        return tree
    if () in broken:
        return None
    below: dict[str | int, list[Path]] = {}
    for path in broken:
        below.setdefault(path[0], []).append(path[1:])
    if isinstance(tree, dict):
        return {key: without(value, below.get(key, ())) for key, value in tree.items() if () not in below.get(key, ())}
    if isinstance(tree, list):
        return [without(value, below.get(index, ())) for index, value in enumerate(tree)]
    return tree


def is_broken(path: Path, broken: Iterable[Path]) -> bool:
    """Whether a value, or something that holds it, is known to be wrong."""
    return any(path[: len(known)] == known for known in broken)


def has_broken(path: Path, broken: Iterable[Path]) -> bool:
    """Whether a value, something in it or something that holds it is known to be wrong."""
    return any(path[: len(known)] == known[: len(path)] for known in broken)
