"""The inventory of public names, and what each of their docstrings must say."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest
from public_names import ROOMS, PublicFunction, names_of, public_classes, public_functions

import picasso

INVENTORY = Path(__file__).with_name("public_names.txt")
QUANTITY = re.compile(
    r"(^|_)(width|height|side|left|top|right|bottom|radius|thickness|timeout|seconds|secs|duration|pts|dts|deadline"
    r"|bitrate|bit_rate|interval|angle|pitch|margin|patience)(_|s?$)"
)
"""Names of what is measured rather than counted."""
UNIT_IN_NAME = re.compile(r"_(ns|us|ms|s|px|bytes|mib|wh|ltwh|ltrb|xy|xyxy|xywha|deg)$|^(secs|seconds)$")
UNIT_IN_TEXT = re.compile(
    r"\b(pixels?|px|(nano|milli)?seconds?|ns|degrees?|bytes?|bits?|frames?|ticks?|rows?|lines?|samples?)\b",
    re.IGNORECASE,
)
ARRAY = re.compile(r"\b(ArrayLike|NDArray|ndarray|FloatArray|Bytes)\b")
SHAPE = re.compile(r"``\((\.\.\.|[A-Z]|height|\d)[^`]*\)``|\bshapes?\b")
SECTION = re.compile(r"^(Args|Returns|Raises|Yields):\n((?:[ \t]+.*\n?|\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^ {4}\*{0,2}(\w+):", re.MULTILINE)

functions = pytest.mark.parametrize("function", public_functions(), ids=lambda function: function.name)


def sections(text: str) -> dict[str, str]:
    return {match[1]: match[2] for match in SECTION.finditer(text)}


def words(name: str) -> list[str]:
    return [part.rstrip("s") for part in name.lower().split("_") if len(part) > 2]


def test_the_inventory_of_public_names_is_the_one_written_down() -> None:
    """A name that appears or goes is a decision: write it into ``public_names.txt``, and into the change log."""
    actual = [f"{room}.{name}" for room in ROOMS for name in sorted(names_of(room))]
    assert INVENTORY.read_text().split() == actual


@pytest.mark.parametrize("room", ROOMS)
def test_all_is_sorted_whole_and_real(room: str) -> None:
    module = importlib.import_module(room)
    names = names_of(room)
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("_") or not hasattr(module, name)]
    strays = {name for name, thing in vars(module).items() if not name.startswith("_") and is_defined_in(thing, room)}
    assert strays <= set(names)


def is_defined_in(thing: object, room: str) -> bool:
    """Whether it is a class or function that a room's public door brings in from the room itself."""
    home = getattr(thing, "__module__", None)
    return (
        isinstance(home, str) and hasattr(thing, "__qualname__") and home.startswith(f"{room}.") and room != "picasso"
    )


@pytest.mark.parametrize(("name", "kind"), public_classes().items(), ids=public_classes())
def test_every_class_says_what_it_is(name: str, kind: type) -> None:
    assert_summary(name, (kind.__doc__ or "").strip())


@functions
def test_every_function_begins_with_one_sentence(function: PublicFunction) -> None:
    if function.node.name != "__init__":
        assert_summary(function.name, function.text)


def assert_summary(name: str, text: str) -> None:
    summary = text.split("\n\n", maxsplit=1)[0].strip()
    assert summary, f"{name} has no docstring"
    assert summary[0].isupper() or summary[0] in "`(\"'", f"{name}: {summary}"
    assert summary.endswith((".", ":", "::")), f"{name}: {summary}"


@functions
def test_every_parameter_is_explained(function: PublicFunction) -> None:
    """By an entry under Args, which then has all of them in order; or in the text, where more than three are named."""
    text = function.text
    if function.node.name == "__init__":
        text += "\n\n" + function.owner_text
    names = [arg.arg for arg in function.parameters]
    listed = ENTRY.findall(sections(text).get("Args", ""))
    if listed:
        assert listed == names or set(names) < set(listed)
    elif function.node.name != "__init__":  # fields explain themselves
        if len(names) > 3:
            assert not [name for name in names if f"``{name}``" not in text], f"{function.name}{names} needs Args"
        unexplained = [arg.arg for arg in function.parameters if not is_explained(arg, text + function.owner_text)]
        assert not unexplained, f"{function.name}: {text}"


def is_explained(arg: ast.arg, text: str) -> bool:
    """Whether the text has a word of the parameter's name, or of its type."""
    lowered = text.lower()
    kind = re.findall(r"[A-Z][a-z]+", ast.unparse(arg.annotation)) if arg.annotation else []
    return any(word in lowered for word in [f"``{arg.arg}``", *words(arg.arg), *(part.lower() for part in kind)])


@functions
def test_what_a_function_raises_is_said(function: PublicFunction) -> None:
    """Each error that its body raises by name stands in its docstring, or in that of its class."""
    text = function.text + function.owner_text
    raised = {
        node.exc.func.id
        for node in ast.walk(function.node)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name)
    }
    assert not [name for name in raised if name not in text and name != "AttributeError"]


@functions
def test_quantities_have_units(function: PublicFunction) -> None:
    """In the name, or in the text of the function or its class: what else is a timeout of 5?"""
    text = function.text + function.owner_text
    names = [arg.arg for arg in function.parameters if arg.annotation and is_number(arg.annotation)]
    if function.is_property and function.node.returns and is_number(function.node.returns):
        names.append(function.node.name)
    bare = [name for name in names if QUANTITY.search(name) and not UNIT_IN_NAME.search(name)]
    assert not bare or UNIT_IN_TEXT.search(text), f"{function.name}: {bare} in what unit?"


@functions
def test_arrays_have_shapes(function: PublicFunction) -> None:
    """As ``(N, 4)``, or a word on the shape, wherever an array goes in or out."""
    annotations = [*(arg.annotation for arg in function.parameters), function.node.returns]
    is_about_arrays = any(ARRAY.search(ast.unparse(kind)) for kind in annotations if kind)
    if is_about_arrays and function.node.name != "__init__":
        assert SHAPE.search(function.text + function.owner_text), f"{function.name}: arrays of what shape?"


def is_number(annotation: ast.expr) -> bool:
    return bool(re.search(r"\b(int|float|SupportsIndex|SupportsFloat)\b", ast.unparse(annotation)))


PACKAGE = Path(picasso.__path__[0])
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_examples_in_docstrings_are_true(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
