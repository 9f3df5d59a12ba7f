"""What the fields of a spec may hold: checks that run on every assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from picasso.errors import SpecError

T = TypeVar("T")
Check = Callable[[str, Any], object]
"""Takes the place, ``Class.field``, and the value; returns the value to keep, or raises."""

MAX_SECONDS = 10**9
"""Thirty years: longer than any wait, and few enough nanoseconds for 64 bits."""


class Checked:
    """Base of classes whose assignments pass a check first, those of the constructor too.

    An assignment raises ``TypeError`` for the wrong kind of value and ``SpecError`` for one out of range.
    """

    __slots__ = ()
    _checks: ClassVar[Mapping[str, Check]]

    def __setattr__(self, name: str, value: Any) -> None:
        if check := self._checks.get(name):
            value = check(f"{type(self).__name__}.{name}", value)
        object.__setattr__(self, name, value)


class Copyable(Protocol):
    """Something with an equal twin that changes on its own."""

    def copy(self) -> Any:
        """Return the twin."""


def is_a(kind: type[T]) -> Callable[[str, object], T]:
    """Make the check that takes instances of ``kind``."""

    def check(place: str, value: object) -> T:
        if not isinstance(value, kind):
            raise TypeError(f"{place}: expected {kind.__name__}, got {value!r}")
        return value

    return check


def copy_of(kind: type[Copyable]) -> Check:
    """Make the check that takes instances of ``kind`` and keeps a copy."""
    check = is_a(kind)
    return lambda place, value: check(place, value).copy()


def optional(check: Check) -> Check:
    """Make the check that also takes None."""
    return lambda place, value: None if value is None else check(place, value)


def seconds(place: str, value: Any) -> float:
    """Take a number of seconds greater than 0, at most ``MAX_SECONDS``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{place}: expected a number of seconds, got {value!r}")
    if not 0 < value <= MAX_SECONDS:
        raise SpecError(f"{place} = {value}: expected a finite number of seconds greater than 0, at most {MAX_SECONDS}")
    return value


def count(place: str, value: Any) -> int:
    """Take a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{place}: expected int, got {value!r}")
    if value < 1:
        raise SpecError(f"{place} = {value}: expected at least 1")
    return value


def attribute_key(place: str, value: Any) -> tuple[str, str]:
    """Take the namespace and name of an attribute."""
    if not (isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)):
        raise TypeError(f"{place}: expected (namespace, name) or None, got {value!r}")
    return value
