"""The inventory of public names, and what each of their docstrings must say.

One test a rule: it looks at every public name and lists all that break the rule.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pydoc
import re
import tomllib
from pathlib import Path
from types import MemberDescriptorType

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


def sections(text: str) -> dict[str, str]:
    return {match[1]: match[2] for match in SECTION.finditer(text)}


def words(name: str) -> list[str]:
    return [part.rstrip("s") for part in name.lower().split("_") if len(part) > 2]


def test_the_inventory_of_public_names_is_the_one_written_down() -> None:
    """A name that appears or goes is a decision: write it into ``public_names.txt``, and into the change log."""
    actual = [f"{room}.{name}" for room in ROOMS for name in sorted(names_of(room))]
    written = INVENTORY.read_text().split()
    assert (sorted({*actual} - {*written}), sorted({*written} - {*actual})) == ([], [])
    assert written == actual


def test_all_is_sorted_whole_and_real() -> None:
    wrong = []
    for room in ROOMS:
        module, names = importlib.import_module(room), names_of(room)
        wrong += [f"{room}.{name} twice" for name in {*names} if names.count(name) > 1]
        wrong += [f"{room}.{name}" for name in names if name.startswith("_") or not hasattr(module, name)]
        defined = {name for name, thing in vars(module).items() if name[0] != "_" and is_defined_in(thing, room)}
        wrong += [f"{room}.{name} is not in __all__" for name in defined - {*names}]
    assert not wrong


def is_defined_in(thing: object, room: str) -> bool:
    """Whether it is a class or function that a room's public door brings in from the room itself."""
    home = getattr(thing, "__module__", None)
    return (
        isinstance(home, str) and hasattr(thing, "__qualname__") and home.startswith(f"{room}.") and room != "picasso"
    )


def test_every_docstring_begins_with_one_sentence() -> None:
    texts = {name: (kind.__doc__ or "").strip() for name, kind in public_classes().items()}
    texts |= {function.name: function.text for function in public_functions() if function.node.name != "__init__"}
    assert len(texts) > 500
    assert not [f"{name}: {text[:80]!r}" for name, text in texts.items() if not begins_with_a_sentence(text)]


def begins_with_a_sentence(text: str) -> bool:
    summary = text.split("\n\n", maxsplit=1)[0].strip()
    return bool(summary) and (summary[0].isupper() or summary[0] in "`(\"'") and summary.endswith((".", ":", "::"))


def test_every_parameter_is_explained() -> None:
    """By an entry under Args, which then has all of them in order; or in the text, where more than three are named."""
    assert not [reason for function in public_functions() for reason in unexplained(function)]


def unexplained(function: PublicFunction) -> list[str]:
    text = function.text
    if function.node.name == "__init__":
        text += "\n\n" + function.owner_text
    names = [arg.arg for arg in function.parameters]
    listed = ENTRY.findall(sections(text).get("Args", ""))
    if listed:
        return [] if listed == names or set(names) < set(listed) else [f"{function.name}: Args has {listed} of {names}"]
    if function.node.name == "__init__":  # fields explain themselves
        return []
    if len(names) > 3 and (bare := [name for name in names if f"``{name}``" not in text]):
        return [f"{function.name} needs Args: {bare}"]
    bare = [arg.arg for arg in function.parameters if not is_explained(arg, text + function.owner_text)]
    return [f"{function.name}: {bare}"] if bare else []


def is_explained(arg: ast.arg, text: str) -> bool:
    """Whether the text has a word of the parameter's name, or of its type."""
    lowered = text.lower()
    kind = re.findall(r"[A-Z][a-z]+", ast.unparse(arg.annotation)) if arg.annotation else []
    return any(word in lowered for word in [f"``{arg.arg}``", *words(arg.arg), *(part.lower() for part in kind)])


def test_what_a_function_raises_is_said() -> None:
    """Each error that its body raises by name stands in its docstring, or in that of its class."""
    wrong = []
    for function in public_functions():
        raised = {
            node.exc.func.id
            for node in ast.walk(function.node)
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name)
        }
        text = function.text + function.owner_text
        wrong += [f"{function.name}: {name}" for name in raised - {"AttributeError"} if name not in text]
    assert not wrong


def test_quantities_have_units() -> None:
    """In the name, or in the text of the function or its class: what else is a timeout of 5?"""
    wrong = []
    for function in public_functions():
        names = [arg.arg for arg in function.parameters if arg.annotation and is_number(arg.annotation)]
        if function.is_property and function.node.returns and is_number(function.node.returns):
            names.append(function.node.name)
        bare = [name for name in names if QUANTITY.search(name) and not UNIT_IN_NAME.search(name)]
        if bare and not UNIT_IN_TEXT.search(function.text + function.owner_text):
            wrong.append(f"{function.name}: {bare} in what unit?")
    assert not wrong


def test_arrays_have_shapes() -> None:
    """As ``(N, 4)``, or a word on the shape, wherever an array goes in or out."""
    wrong = []
    for function in public_functions():
        annotations = [*(arg.annotation for arg in function.parameters), function.node.returns]
        is_about_arrays = any(ARRAY.search(ast.unparse(kind)) for kind in annotations if kind)
        if is_about_arrays and function.node.name != "__init__":
            wrong += [function.name] if not SHAPE.search(function.text + function.owner_text) else []
    assert not wrong


def is_number(annotation: ast.expr) -> bool:
    return bool(re.search(r"\b(int|float|SupportsIndex|SupportsFloat)\b", ast.unparse(annotation)))


def test_the_examples_in_docstrings_are_true() -> None:
    package = Path(picasso.__path__[0])
    paths = [path for path in sorted(package.rglob("*.py")) if ">>> " in path.read_text()]
    assert paths
    wrong = []
    for path in paths:
        module = importlib.import_module(".".join(path.relative_to(package.parent).with_suffix("").parts))
        result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)  # prints what differs
        if result.failed or not result.attempted:
            wrong.append(str(path))
    assert not wrong


def test_help_shows_what_each_field_means() -> None:
    """A field is a slot, or a property: ``inspect.getdoc`` finds its text, and so ``help`` of its class shows it."""
    bare, fields = [], 0
    for name, kind in public_classes().items():
        for key in dir(kind):
            member = getattr(kind, key, None)
            if not key.startswith("_") and isinstance(member, property | MemberDescriptorType):
                fields += 1
                bare += [f"{name}.{key}"] if not inspect.getdoc(member) else []
    assert fields > 1000
    assert not bare
    shown = pydoc.render_doc(picasso.GeneralSpec, renderer=pydoc.plaintext)
    assert "idle_timeout_secs\n |      Seconds without a message after which ``on_eviction`` is asked" in shown


@pytest.mark.parametrize(
    "field",
    [
        *(f"GeneralSpec.{name}" for name in ("idle_timeout_secs", "inflight_queue_size", "name")),
        *(f"ConditionalSpec.{name}" for name in ("encode_attribute", "render_attribute")),
        *(f"CodecSpec.{name}" for name in ("is_bypass", "is_drop", "is_encode")),
        *(f"OutputMessage.{name}" for name in ("is_eos", "is_video_frame")),
        *(f"SourceSpec.{name}" for name in ("codec", "conditional", "draw")),
        "PngProps.compression_level",
    ],
)
def test_fields_that_the_reference_explains_have_a_docstring_of_their_own(field: str) -> None:
    kind, _, name = field.partition(".")
    assert getattr(getattr(picasso, kind), name).__doc__.endswith(".")


@pytest.mark.parametrize(
    ("name", "rooms"),
    [("BoxAnnotator", ["annotators"]), ("Runner", ["flow"]), ("ColorDraw", ["draw"]), ("imread", []), ("_homes", [])],
)
def test_a_name_that_another_room_has_is_pointed_to(name: str, rooms: list[str]) -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(picasso, name)
    text = f"module 'picasso' has no attribute {name!r}"
    assert str(raised.value) == text + "".join(f"; there is picasso.{room}.{name}" for room in rooms)


def test_the_version_is_that_of_the_package() -> None:
    """A checkout that runs as it is has no metadata to ask."""
    said = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert picasso.__version__ == said
