"""Functions that expressions may call: those of the language, and those that the rooms above provide."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from picasso.primitives.expression import Function, Value

_provided: dict[str, Function] = {}


def provide_functions(table: Mapping[str, Function]) -> None:
    """Let every expression call further functions, by name."""
    _provided.update(table)


def functions() -> Mapping[str, Function]:
    """Return every function that can be called, by name."""
    return {**_LANGUAGE, **_provided}


def _tells(kind: type) -> Function:
    def tell(arguments: list[Value]) -> bool:
        (value,) = _exactly(arguments, 1)
        return type(value) is kind

    return tell


def _of_texts(compare: Callable[[str, str], bool]) -> Function:
    def compared(arguments: list[Value]) -> bool:
        text, part = _exactly(arguments, 2)
        if not isinstance(text, str) or not isinstance(part, str):
            raise TypeError("takes two texts")
        return compare(text, part)

    return compared


def _exactly(arguments: list[Value], count: int) -> list[Value]:
    if len(arguments) != count:
        raise TypeError(f"takes {count} argument{'s' * (count > 1)}, got {len(arguments)}")
    return arguments


def _if(arguments: list[Value]) -> Value:
    condition, then, otherwise = _exactly(arguments, 3)
    if not isinstance(condition, bool):
        raise TypeError("takes true or false first")
    return then if condition else otherwise


def _typeof(arguments: list[Value]) -> Value:
    (value,) = _exactly(arguments, 1)
    names: dict[type, str] = {bool: "boolean", int: "int", float: "float", str: "string", list: "tuple"}
    return names.get(type(value), "empty")


def _length(arguments: list[Value]) -> Value:
    (value,) = _exactly(arguments, 1)
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list):
        return len(value)
    raise TypeError("takes a text or a tuple")


def _contains(arguments: list[Value]) -> Value:
    several, value = _exactly(arguments, 2)
    if not isinstance(several, list):
        raise TypeError("takes a tuple and a value")
    return any(type(each) is type(value) and each == value for each in several)


def _of_numbers(compute: Callable[..., float | int], count: int | None = 1) -> Function:
    def computed(arguments: list[Value]) -> Value:
        numbers: list[Any] = arguments
        if count is not None:
            _exactly(arguments, count)
        if not numbers or any(type(number) not in (int, float) for number in numbers):
            raise TypeError("takes numbers")
        return compute(*numbers)

    return computed


def _of_text(change: Callable[[str], str]) -> Function:
    def changed(arguments: list[Value]) -> Value:
        (value,) = _exactly(arguments, 1)
        if not isinstance(value, str):
            raise TypeError("takes a text")
        return change(value)

    return changed


def _rounded(value: float) -> float:
    """Round half away from zero."""
    return math.copysign(math.floor(abs(value) + 0.5), value) if math.isfinite(value) else value


_LANGUAGE: Final[dict[str, Function]] = {
    "is_boolean": _tells(bool),
    "is_float": _tells(float),
    "is_int": _tells(int),
    "is_string": _tells(str),
    "is_tuple": _tells(list),
    "is_empty": _tells(type(None)),
    "starts_with": _of_texts(str.startswith),
    "ends_with": _of_texts(str.endswith),
    "if": _if,
    "typeof": _typeof,
    "len": _length,
    "contains": _contains,
    "min": _of_numbers(lambda *numbers: min(numbers), None),
    "max": _of_numbers(lambda *numbers: max(numbers), None),
    "round": _of_numbers(_rounded),
    "floor": _of_numbers(lambda number: float(math.floor(number))),
    "ceil": _of_numbers(lambda number: float(math.ceil(number))),
    "math::abs": _of_numbers(abs),
    "math::sqrt": _of_numbers(math.sqrt),
    "math::pow": _of_numbers(math.pow, 2),
    "str::to_uppercase": _of_text(str.upper),
    "str::to_lowercase": _of_text(str.lower),
    "str::trim": _of_text(str.strip),
    "str::regex_matches": _of_texts(lambda subject, pattern: re.search(pattern, subject) is not None),
}
