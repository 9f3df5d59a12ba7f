"""The two bases of every enumeration: members read from text, members that equal their number.

::

    class Platform(NativeEnum, unknown="Unknown platform: '{}'"):
        DGPU = 0, "dgpu", "gpu", "discrete"
        JETSON = 1, "jetson", "tegra"

    Platform.from_name("Tegra") == Platform.JETSON == 1
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar, Self


def exact(spelling: str) -> str:
    """Keep a spelling as it is: case and punctuation matter."""
    return spelling


def any_case(spelling: str) -> str:
    """Read capitals and small letters alike."""
    return spelling.lower()


def any_case_or_dash(spelling: str) -> str:
    """Read capitals and small letters alike, and ``-`` as ``_``."""
    return spelling.lower().replace("-", "_")


class TextEnum(Enum):
    """An enumeration whose members are found by their spellings.

    A member is declared as its value, followed by the spellings that ``from_name`` takes; with none given, it takes
    the member's own name. Two class keywords say how:

    - ``unknown``: the error of ``from_name``, with ``{}`` where the text goes.
    - ``fold``: applied to declared and to given spellings before they are compared.
    """

    _unknown: ClassVar[str]
    _fold: ClassVar[Callable[[str], str]]
    _spellings: tuple[str, ...]

    def __new__(cls, value: object, *spellings: str) -> Self:
        """Make the member of ``value``; called by the enum machinery only."""
        member = object.__new__(cls)
        member._value_ = value
        member._spellings = spellings
        return member

    def __init_subclass__(cls, *, unknown: str = "", fold: Callable[[str], str] = any_case, **keywords: Any) -> None:
        """Take the class keywords."""
        super().__init_subclass__(**keywords)
        cls._unknown = unknown or f"Unknown {cls.__name__}: '{{}}'"
        cls._fold = staticmethod(fold)

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Find a member by one of its spellings.

        Raises:
            TypeError: ``name`` is not a string.
            ValueError: No member has this spelling; the message lists those there are.
        """
        if not isinstance(name, str):
            raise TypeError(f"{cls.__name__}.from_name: expected str, got {type(name).__name__}")
        table = {cls._fold(spelling): member for member in cls for spelling in member._spellings or (member._name_,)}
        member = table.get(cls._fold(name))
        if member is None:
            raise ValueError(f"{cls._unknown.format(name)}; one of {', '.join(table)}")
        return member

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"

    __str__ = __repr__


class NativeEnum(TextEnum):
    """An enumeration of numbers: a member equals itself and its own int, and nothing of another enumeration."""

    _value_: int

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, int) and self._value_ == other)

    def __hash__(self) -> int:
        return hash(self._value_)

    def __index__(self) -> int:
        return self._value_


class NamedNativeEnum(NativeEnum):
    """A native enumeration where ``member.name()`` is a call that returns the lower-case name."""

    def name(self) -> str:  # type: ignore[override]  # the contract makes it a call, the standard library a property
        """Return the name of the member in lower case."""
        return self._name_.lower()
