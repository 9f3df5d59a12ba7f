"""What is public: the names that the rooms export, and the functions, methods and properties behind them."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

ROOMS = [
    "picasso",
    "picasso.errors",
    "picasso.signals",
    "picasso.primitives",
    "picasso.surface",
    "picasso.transform",
    "picasso.draw",
    "picasso.annotators",
    "picasso.encode",
    "picasso.engine",
    "picasso.media",
    "picasso.flow",
    "picasso.verbs",
    "picasso.infer",
    "picasso.track",
    "picasso.observe",
    "picasso.wire",
    "picasso.client",
    "picasso.trace",
    "picasso.cluster",
    "picasso.testing",
    "picasso.cli",
]


@dataclass(frozen=True)
class PublicFunction:
    """A function, method, property or constructor that users can call."""

    name: str
    node: ast.FunctionDef
    owner_text: str
    """The docstring of its class, where it has one."""
    is_property: bool = False

    @property
    def text(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def parameters(self) -> list[ast.arg]:
        """The arguments without ``self``, ``cls`` and what hypothesis gives; stars are their names."""
        spec = self.node.args
        named = [*spec.posonlyargs, *spec.args, *([spec.vararg] if spec.vararg else []), *spec.kwonlyargs]
        named += [spec.kwarg] if spec.kwarg else []
        return [arg for arg in named if arg.arg not in {"self", "cls"} and not arg.arg.startswith("_")]


def names_of(room: str) -> list[str]:
    """The names in a room's ``__all__``; a single file exports the classes and functions that it defines."""
    module = importlib.import_module(room)
    if hasattr(module, "__path__"):
        return list(module.__all__)
    return [name for name, thing in vars(module).items() if is_ours(thing) and not name.startswith("_")]


def exported(room: str) -> dict[str, Any]:
    """The classes and functions that a room exports."""
    module = importlib.import_module(room)
    things = {name: getattr(module, name) for name in names_of(room)}
    return {name: thing for name, thing in things.items() if is_ours(thing)}


def is_ours(thing: object) -> bool:
    """Whether it is a class or function of this package."""
    return isinstance(thing, type | FunctionType) and thing.__module__.startswith("picasso")


def public_classes() -> dict[str, type]:
    """Every class behind a public name."""
    found = {f"{room}.{name}": thing for room in ROOMS for name, thing in exported(room).items()}
    return {name: thing for name, thing in found.items() if isinstance(thing, type)}


@cache
def public_functions() -> list[PublicFunction]:
    """Everything that can be called, once, under the first of its names."""
    found: dict[int, PublicFunction] = {}
    for room in ROOMS:
        for name, thing in exported(room).items():
            functions = (
                class_functions(f"{room}.{name}", thing) if isinstance(thing, type) else plain(room, name, thing)
            )
            for key, function in functions:
                found.setdefault(key, function)
    return list(found.values())


def plain(room: str, name: str, thing: FunctionType) -> Iterator[tuple[int, PublicFunction]]:
    thing = inspect.unwrap(thing)
    if node := definition(thing):
        yield id(thing), PublicFunction(f"{room}.{name}", node, "")


def class_functions(name: str, kind: type) -> Iterator[tuple[int, PublicFunction]]:
    """The functions in the body of a class and of its bases, as far as they are ours."""
    for base in kind.__mro__:
        if not base.__module__.startswith("picasso"):
            continue
        for key, member in vars(base).items():
            raw = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            raw = getattr(raw, "func", raw)  # cached_property
            if not isinstance(raw, FunctionType) or (key.startswith("_") and key != "__init__"):
                continue
            if node := definition(raw):
                is_property = isinstance(member, property) or raw is not getattr(member, "__func__", member)
                owner = "\n".join(inspect.cleandoc(c.__doc__ or "") for c in (kind, base))
                yield id(raw), PublicFunction(f"{name}.{key}", node, owner, is_property=is_property)


def definition(function: FunctionType) -> ast.FunctionDef | None:
    """The source of a function; None where it was generated, as a dataclass's constructor."""
    path, line = function.__code__.co_filename, function.__code__.co_firstlineno
    return definitions(path).get((function.__name__, line)) if "picasso" in path else None


@cache
def definitions(path: str) -> dict[tuple[str, int], ast.FunctionDef]:
    found = [node for node in ast.walk(ast.parse(Path(path).read_text())) if isinstance(node, ast.FunctionDef)]
    first = {node: min([node.lineno, *(d.lineno for d in node.decorator_list)]) for node in found}
    return {(node.name, first[node]): node for node in found}
