"""Comparisons with numbers and texts, for queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ctypes import c_float
from typing import Any, ClassVar, Final, Generic, Self, SupportsFloat, SupportsIndex, TypeVar

from picasso.primitives.checks import real, text, whole

_V = TypeVar("_V")


class _Expression(Generic[_V]):
    """A comparison: its name, and what is compared with."""

    __slots__ = ("_form", "_test")
    __hash__: Any = None

    _operators: ClassVar[dict[str, Callable[[Any, Any], bool]]]

    def __init__(self, form: dict[str, Any], test: Callable[[Any], bool]) -> None:
        self._form = form
        self._test = test

    @classmethod
    def _value(cls, value: Any) -> Any:
        """Return what is kept of an argument; ``TypeError`` unless it is of the right type."""
        raise NotImplementedError

    @classmethod
    def _shown(cls, value: Any) -> Any:
        """Return what JSON says of a value that is kept."""
        return value

    @classmethod
    def of(cls, name: str, argument: Any) -> Self:
        """Make the comparison of a name.

        Args:
            name: Such as ``"eq"``.
            argument: What is compared with; a list for ``between`` and ``one_of``.

        Raises:
            TypeError: The argument is of another type.
            ValueError: There is no such comparison.
        """
        if name == "one_of":
            kept = [cls._value(value) for value in _listed(argument)]
            return cls({name: [cls._shown(value) for value in kept]}, lambda subject: subject in kept)
        if name == "between" and cls is not StringExpression:
            low, high = (cls._value(value) for value in _listed(argument))
            return cls({name: [cls._shown(low), cls._shown(high)]}, lambda subject: low <= subject <= high)
        operator = cls._operators.get(name)
        if operator is None:
            raise ValueError(f"unknown variant `{name}`, expected one of {cls.names()}")
        value = cls._value(argument)
        return cls({name: cls._shown(value)}, lambda subject: operator(subject, value))

    @classmethod
    def names(cls) -> str:
        """Return the names of the comparisons, for messages."""
        more = ("one_of",) if cls is StringExpression else ("between", "one_of")
        return ", ".join(f"`{name}`" for name in (*cls._operators, *more))

    @property
    def form(self) -> dict[str, Any]:
        """The comparison as JSON has it, such as ``{"gt": 0.5}``."""
        return self._form

    def matches(self, subject: _V) -> bool:
        """Say whether the comparison is true of ``subject``."""
        return self._test(subject)

    def __repr__(self) -> str:
        ((name, argument),) = self._form.items()
        several = isinstance(argument, list)
        inside = ", ".join(map(repr, argument)) if several else repr(argument)
        return f"{name.title().replace('_', '') if several else name.upper()}({inside})"


def _listed(argument: Any) -> Iterable[Any]:
    if isinstance(argument, str) or not isinstance(argument, Iterable):
        raise TypeError(f"expected several values, got {argument!r}")
    return argument


_NUMBERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda subject, value: subject == value,
    "ne": lambda subject, value: subject != value,
    "lt": lambda subject, value: subject < value,
    "le": lambda subject, value: subject <= value,
    "gt": lambda subject, value: subject > value,
    "ge": lambda subject, value: subject >= value,
}


class FloatExpression(_Expression[float]):
    """A comparison with numbers, in the precision of float32; made by the factory of its name."""

    __slots__ = ()
    _operators = _NUMBERS

    @classmethod
    def _value(cls, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, SupportsFloat):
            raise TypeError(f"Invalid argument. Only f32 values are allowed, got {value!r}")
        return c_float(real("value", value)).value

    @classmethod
    def _shown(cls, value: float) -> float:
        return shortest(value)

    def matches(self, subject: float) -> bool:
        """Say whether the comparison is true of ``subject``, rounded to float32."""
        return self._test(c_float(subject).value)

    @classmethod
    def eq(cls, value: float) -> Self:
        """Be equal to ``value``."""
        return cls.of("eq", value)

    @classmethod
    def ne(cls, value: float) -> Self:
        """Be another number than ``value``."""
        return cls.of("ne", value)

    @classmethod
    def lt(cls, value: float) -> Self:
        """Be less than ``value``."""
        return cls.of("lt", value)

    @classmethod
    def le(cls, value: float) -> Self:
        """Be at most ``value``."""
        return cls.of("le", value)

    @classmethod
    def gt(cls, value: float) -> Self:
        """Be more than ``value``."""
        return cls.of("gt", value)

    @classmethod
    def ge(cls, value: float) -> Self:
        """Be at least ``value``."""
        return cls.of("ge", value)

    @classmethod
    def between(cls, a: float, b: float) -> Self:
        """Be at least ``a`` and at most ``b``."""
        return cls.of("between", (a, b))

    @classmethod
    def one_of(cls, *values: float) -> Self:
        """Be equal to one of ``values``; of none when there are none."""
        return cls.of("one_of", values)


class IntExpression(_Expression[int]):
    """A comparison with whole numbers of 64 bits; made by the factory of its name."""

    __slots__ = ()
    _operators = _NUMBERS

    @classmethod
    def _value(cls, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, SupportsIndex):
            raise TypeError(f"Invalid argument. Only i64 values are allowed, got {value!r}")
        return whole("value", value)

    @classmethod
    def eq(cls, value: int) -> Self:
        """Be equal to ``value``."""
        return cls.of("eq", value)

    @classmethod
    def ne(cls, value: int) -> Self:
        """Be another number than ``value``."""
        return cls.of("ne", value)

    @classmethod
    def lt(cls, value: int) -> Self:
        """Be less than ``value``."""
        return cls.of("lt", value)

    @classmethod
    def le(cls, value: int) -> Self:
        """Be at most ``value``."""
        return cls.of("le", value)

    @classmethod
    def gt(cls, value: int) -> Self:
        """Be more than ``value``."""
        return cls.of("gt", value)

    @classmethod
    def ge(cls, value: int) -> Self:
        """Be at least ``value``."""
        return cls.of("ge", value)

    @classmethod
    def between(cls, a: int, b: int) -> Self:
        """Be at least ``a`` and at most ``b``."""
        return cls.of("between", (a, b))

    @classmethod
    def one_of(cls, *values: int) -> Self:
        """Be equal to one of ``values``; of none when there are none."""
        return cls.of("one_of", values)


class StringExpression(_Expression[str]):
    """A comparison with texts, in which case matters; made by the factory of its name."""

    __slots__ = ()
    _operators: ClassVar[dict[str, Callable[[Any, Any], bool]]] = {
        "eq": lambda subject, value: subject == value,
        "ne": lambda subject, value: subject != value,
        "contains": lambda subject, value: value in subject,
        "not_contains": lambda subject, value: value not in subject,
        "starts_with": lambda subject, value: subject.startswith(value),
        "ends_with": lambda subject, value: subject.endswith(value),
    }

    @classmethod
    def _value(cls, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"Invalid argument. Only String values are allowed, got {value!r}")
        return text("value", value)

    @classmethod
    def eq(cls, value: str) -> Self:
        """Be equal to ``value``."""
        return cls.of("eq", value)

    @classmethod
    def ne(cls, value: str) -> Self:
        """Be another text than ``value``."""
        return cls.of("ne", value)

    @classmethod
    def contains(cls, value: str) -> Self:
        """Have ``value`` in it."""
        return cls.of("contains", value)

    @classmethod
    def not_contains(cls, value: str) -> Self:
        """Not have ``value`` in it."""
        return cls.of("not_contains", value)

    @classmethod
    def starts_with(cls, value: str) -> Self:
        """Begin with ``value``."""
        return cls.of("starts_with", value)

    @classmethod
    def ends_with(cls, value: str) -> Self:
        """End with ``value``."""
        return cls.of("ends_with", value)

    @classmethod
    def one_of(cls, *values: str) -> Self:
        """Be equal to one of ``values``; of none when there are none."""
        return cls.of("one_of", values)


def shortest(value: float) -> float:
    """Return the number that is written with the fewest digits and rounds to this float32."""
    for digits in range(1, 10):
        short = float(f"{value:.{digits}g}")
        if c_float(short).value == value:
            return short
    return value
