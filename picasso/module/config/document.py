"""YAML text as a tree of plain values that remembers the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from picasso.module.config.problem import Path, Problem

Tree = dict[str, Any]
"""A mapping of YAML: plain dictionaries, lists and scalars."""

_FLOAT: Final = re.compile(
    r"""^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
    |\.[0-9_]+(?:[eE][-+][0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
"""Numbers of YAML 1.2, which PyYAML's 1.1 takes for text where they have no dot: ``1e3``."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where it is built
    """PyYAML's safe loader with floats of YAML 1.2, and without dates, which JSON does not know."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file."""

    name: str
    """The file, as messages name it."""
    tree: Tree
    lines: Mapping[Path, int]
    """The line of each key and list entry, from 1, by its path."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the text itself."""


def parse(text: str, name: str) -> Document:
    """Parse the text of one YAML document.

    What is wrong, a duplicate key among it, goes into ``problems``; an unreadable text gives an empty tree.
    """
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            tree = {} if node is None else _value(loader, node, (), lines, problems, name)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(filter(None, (error.context, error.problem)))
        return Document(name, {}, {}, [Problem(f"not YAML: {why}", (), name, mark.line + 1 if mark else None)])
    except yaml.YAMLError as error:
        return Document(name, {}, {}, [Problem(f"not YAML: {error}", (), name, None)])
    if not isinstance(tree, dict):
        problems.append(
            Problem(f"expected a mapping with name, parameters and pipeline, got {tree!r:.60}", (), name, 1)
        )
        tree = {}
    return Document(name, tree, lines, problems)


def _value(
    loader: _Loader, node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem], name: str
) -> Any:
    """Return the plain value of a node, noting where its parts stand."""
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        tree: Tree = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            key = str(key)
            line = key_node.start_mark.line + 1
            here = (*path, key)
            if key in tree:
                problems.append(Problem(f"the key is given twice, first in line {lines[here]}", here, name, line))
            lines[here] = line
            tree[key] = _value(loader, value_node, here, lines, problems, name)
        return tree
    if isinstance(node, yaml.SequenceNode):
        entries = []
        for index, entry in enumerate(node.value):
            lines[*path, index] = entry.start_mark.line + 1
            entries.append(_value(loader, entry, (*path, index), lines, problems, name))
        return entries
    return loader.construct_object(node, deep=True)
