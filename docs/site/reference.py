"""The reference: a page for each room, an entry for each of its public names, made of docstrings and annotations."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import sys
from enum import Enum
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests" / "house"))
from public_names import ROOMS as NAMED
from public_names import names_of

ROOMS = [*NAMED, *(room for room in ("picasso.module", "picasso.module.models") if room not in NAMED)]
"""The rooms that the inventory of public names holds, and what a pyfunc uses."""

INTRODUCTION = """Python API
==========

Every public name, by room. The names of ``picasso`` itself are those that most programs need; each is loaded when it
is first used. :ref:`genindex` lists all names by letter.
"""


def is_described(thing: object) -> bool:
    """Whether it carries a docstring of its own: a class or a function."""
    return isinstance(thing, type) or hasattr(thing, "__code__")


def homes() -> dict[int, str]:
    """By the identity of a class or function: the public name under which it is described."""
    found: dict[int, str] = {}
    for room in [room for room in ROOMS if room != "picasso"]:
        module = importlib.import_module(room)
        for name in names_of(room):
            if is_described(thing := getattr(module, name)):
                found.setdefault(id(thing), f"{room}.{name}")
    return found


def entries() -> dict[str, str]:
    """By the last part of a name: the full name under which the reference describes it."""
    described = homes()
    found = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in names_of(room):
            found[name] = described.get(id(getattr(module, name)), f"{room}.{name}")
    return found


def page_of(room: str) -> str:
    """The page of a room, as reStructuredText: what it is, a table of its names, an entry for each."""
    module, names = importlib.import_module(room), sorted(names_of(room), key=str.lower)
    described = homes()
    text = f"{room}\n{'=' * len(room)}\n\n.. automodule:: {room}\n   :no-members:\n\n.. currentmodule:: {room}\n\n"
    text += ".. list-table::\n   :widths: 30 70\n\n"
    for name in names:
        text += f"   * - :py:obj:`~{room}.{name}`\n     - {first_sentence(room, name)}\n"
    text += "\n"
    for name in names:
        home = described.get(id(getattr(module, name)), f"{room}.{name}")
        text += entry(room, name) if home == f"{room}.{name}" else pointer(room, name, home)
    return text


def entry(room: str, name: str) -> str:
    """The entry of a name in the room that describes it."""
    thing = getattr(importlib.import_module(room), name)
    if inspect.ismodule(thing):
        return f".. automodule:: {thing.__name__}\n   :members:\n   :imported-members:\n\n"
    if isinstance(thing, type):
        options = ["members:", "inherited-members:", "show-inheritance:"]
        options += ["undoc-members:"] if issubclass(thing, Enum) else ["special-members: __call__, __getitem__"]
        listed = "".join(f"   :{option}\n" for option in options)
        return f".. auto{directive(thing)}:: {room}.{name}\n{listed}\n"
    if is_described(thing):
        return f".. autofunction:: {room}.{name}\n\n"
    return f".. py:data:: {room}.{name}\n\n   {said_of(room, name)}\n\n"


def pointer(room: str, name: str, home: str) -> str:
    """The entry of a name that another room describes."""
    kind = directive(getattr(importlib.import_module(room), name))
    return f".. py:{kind}:: {name}\n\n   {first_sentence(room, name)} The same as :py:obj:`{home}`.\n\n"


def directive(thing: object) -> str:
    """What Sphinx calls such a thing."""
    if isinstance(thing, type):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function"


def first_sentence(room: str, name: str) -> str:
    """What a name is, in a line."""
    thing = getattr(importlib.import_module(room), name)
    text = inspect.getdoc(thing) or "" if is_described(thing) or inspect.ismodule(thing) else said_of(room, name)
    return " ".join(text.split("\n\n", maxsplit=1)[0].split()).rstrip(":") or name


def said_of(room: str, name: str) -> str:
    """The text below the assignment of a constant or type, in any file of the room."""
    home = Path(str(importlib.import_module(room).__file__)).parent
    for path in sorted(home.rglob("*.py")):
        for node, after in itertools.pairwise(ast.parse(path.read_text()).body):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            is_named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
            if is_named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                return " ".join(str(after.value.value).split())
    raise ValueError(f"{room}.{name} has no text below its assignment")


def write(target: Path) -> None:
    """Write the pages of all rooms, and their list, into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        (target / f"{room}.rst").write_text(page_of(room))
    listed = "".join(f"   {room}\n" for room in ROOMS)
    (target / "index.rst").write_text(f"{INTRODUCTION}\n.. toctree::\n   :maxdepth: 1\n\n{listed}")
