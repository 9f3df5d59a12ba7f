"""What a field means, at run time: ``help`` of a spec or a result shows the text of each of its fields.

Python keeps no text that stands below a field. It is read from the source when ``help`` or ``inspect.getdoc`` asks for
it, so that an import costs nothing for it. Where the source is not installed, ``help`` shows the names alone.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MemberDescriptorType
from typing import Any


def explain_fields(names: Mapping[str, object], *, also_on_fields: tuple[type, ...] = ()) -> None:
    """Give the classes among ``names``, and their bases of this package, the texts of their fields.

    Args:
        names: What a room exports, such as its ``globals()``.
        also_on_fields: Bases of the classes whose fields also have the text as their ``__doc__``. Reading such a field
            takes some ten nanoseconds more.
    """
    for thing in list(names.values()):
        if isinstance(thing, type) and thing.__module__.startswith("picasso"):
            for kind in thing.__mro__:
                _explain(kind, on_fields=issubclass(kind, also_on_fields))


def field_texts(kind: type) -> dict[str, str]:
    """Read what a ``kind`` says of its fields: below them, below what its constructor sets, or under ``Args:``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return {}
    texts = {name: inspect.cleandoc(text) for name, text in _texts(tree.body[0])}
    return {**getattr(kind, "_field_texts", {}), **_arguments(inspect.getdoc(kind) or ""), **texts}


def _texts(node: ast.AST) -> Iterator[tuple[str, str]]:
    body = getattr(node, "body", [])
    for statement, below in pairwise(body):
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            names = [getattr(target, "id", getattr(target, "attr", None)) for target in targets]
            yield from ((name, below.value.value) for name in names if name)
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            yield from _texts(statement)


def _arguments(text: str) -> dict[str, str]:
    found = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)*)", text, re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", found[1] if found else "", re.MULTILINE)
    return {name: textwrap.dedent(first.replace("\n        ", "\n")) for name, first in entries}


class _Texts(dict[str, str]):
    """The ``__slots__`` of a class as a mapping, in which ``help`` looks for the texts of slots."""

    def __init__(self, kind: type) -> None:
        slots = kind.__dict__["__slots__"]
        super().__init__(dict.fromkeys([slots] if isinstance(slots, str) else slots, ""))
        self._kind: type | None = kind

    def __getitem__(self, name: str) -> str:
        if self._kind is not None:
            kind, self._kind = self._kind, None
            self.update({name: text for name, text in field_texts(kind).items() if name in self})
        return super().__getitem__(name)


class _Field(property):
    """A slot whose ``__doc__`` is its text."""

    def __init__(self, slot: MemberDescriptorType, texts: _Texts) -> None:
        self._slot, self._texts = slot, texts
        super().__init__(slot.__get__, slot.__set__, slot.__delete__)

    @property
    def __doc__(self) -> str:
        return self._texts[self._slot.__name__]

    @__doc__.setter
    def __doc__(self, text: Any) -> None:
        """Leave out what ``property`` copies from the slot's own function."""


def _explain(kind: type, *, on_fields: bool) -> None:
    slots = kind.__dict__.get("__slots__", ())
    if not slots or isinstance(slots, dict) or not kind.__module__.startswith("picasso"):
        return
    texts = _Texts(kind)
    kind.__slots__ = texts  # type: ignore[attr-defined]
    for name in texts if on_fields else ():
        slot = kind.__dict__.get(name)
        if isinstance(slot, MemberDescriptorType) and not name.startswith("_"):
            setattr(kind, name, _Field(slot, texts))
