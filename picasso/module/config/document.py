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

Pair = tuple[yaml.Node, yaml.Node]
"""A key and its value."""

_FLOAT: Final = re.compile(
    r"""^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
    |\.[0-9_]+(?:[eE][-+][0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
"""Numbers of YAML 1.2, which PyYAML's 1.1 takes for text where they have no dot: ``1e3``."""
MAX_DEPTH: Final = 50
MAX_VALUES: Final = 100_000
"""Limits of a tree. An alias costs a few bytes of text and may repeat, or contain, everything before it."""


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
            tree = {} if node is None else _Reading(loader, lines, problems, name).value(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(filter(None, (error.context, error.problem))) + _advice(text, error)
        return Document(name, {}, {}, [Problem(f"not YAML: {why}", (), name, mark.line + 1 if mark else None)])
    except yaml.YAMLError as error:
        return Document(name, {}, {}, [Problem(f"not YAML: {error}", (), name, None)])
    if not isinstance(tree, dict):
        problems.append(
            Problem(f"expected a mapping with name, parameters and pipeline, got {tree!r:.60}", (), name, 1)
        )
        tree = {}
    return Document(name, tree, lines, problems)


def _advice(text: str, error: yaml.MarkedYAMLError) -> str:
    """Return what to do where braces of YAML and those of ``${…}`` meet, which is what most often is no YAML."""
    lines = text.splitlines()
    numbers = {mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None}
    is_meant = any(re.search(r"(?<![\"'])\$\{", line) for number in numbers for line in lines[number : number + 1])
    return '; inside braces, ${…} stands in quotes: "${…}"' if "flow" in (error.context or "") and is_meant else ""


class _Reading:
    """One pass over the nodes of a document."""

    def __init__(self, loader: _Loader, lines: dict[Path, int], problems: list[Problem], name: str) -> None:
        self._loader = loader
        self._lines = lines
        self._problems = problems
        self._name = name
        self._values = 0
        """Mappings that were read before, whose ``<<`` has been taken apart."""

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return the plain value of a node, noting where its parts stand."""
        self._values += 1
        if len(path) > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"nested more than {MAX_DEPTH} deep, or an alias holds itself", problem_mark=node.start_mark
            )
        if self._values > MAX_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MAX_VALUES} values, aliases counted each time", problem_mark=node.start_mark
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            entries = []
            for index, entry in enumerate(node.value):
                self._lines[*path, index] = entry.start_mark.line + 1
                entries.append(self.value(entry, (*path, index)))
            return entries
        return self._loader.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Tree:
        """Return a mapping; its own keys win over those that ``<<`` brings, and only those may not be there twice."""
        own, merged = self._pairs(node)
        tree: Tree = {}
        seen: set[str] = set()
        for key_node, value_node in merged:
            key = self._key(key_node)
            if key not in tree:  # of several mappings, the first one that has the key
                self._lines[*path, key] = key_node.start_mark.line + 1
                tree[key] = self.value(value_node, (*path, key))
        for key_node, value_node in own:
            key, line = self._key(key_node), key_node.start_mark.line + 1
            here = (*path, key)
            if key in seen:
                text = f"the key is given twice, first in line {self._lines[here]}"
                self._problems.append(Problem(text, here, self._name, line))
            seen.add(key)
            if key in tree:
                self._forget(here)
            self._lines[here] = line
            tree[key] = self.value(value_node, here)
        return tree

    def _key(self, node: yaml.Node) -> str:
        if node.tag == "tag:yaml.org,2002:value":  # a lone "="
            node.tag = "tag:yaml.org,2002:str"
        return str(self._loader.construct_object(node, deep=True))

    def _pairs(self, node: yaml.MappingNode, depth: int = 0) -> tuple[list[Pair], list[Pair]]:
        """Return a mapping's own keys with their values, and those that ``<<`` brings, first come first."""
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="a merge key holds itself", problem_mark=node.start_mark)
        own: list[Pair] = []
        merged: list[Pair] = []
        for key_node, value_node in node.value:
            if key_node.tag != "tag:yaml.org,2002:merge":
                own.append((key_node, value_node))
                continue
            for one in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                if not isinstance(one, yaml.MappingNode):
                    raise yaml.MarkedYAMLError(
                        problem="<< takes a mapping, or a list of mappings", problem_mark=one.start_mark
                    )
                theirs, below = self._pairs(one, depth + 1)
                merged += [*theirs, *below]
        return own, merged

    def _forget(self, path: Path) -> None:
        """Forget the lines below a key whose value is replaced."""
        for below in [known for known in self._lines if known[: len(path)] == path and known != path]:
            del self._lines[below]
