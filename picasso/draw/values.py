"""Colours, and what every draw value can do and has checked."""

from __future__ import annotations

import copy
import math
import operator
from dataclasses import dataclass
from typing import Self, TypeVar

from picasso.errors import SpecError

_T = TypeVar("_T")
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def whole(prefix: str, name: str, value: int, low: int, high: float) -> int:
    """Return ``value`` as an int; ``SpecError`` unless it is in ``low..high``, ``TypeError`` unless it is whole."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {value!r}") from None
    if not low <= number <= high:
        limits = f"at least {low}" if math.isinf(high) else f"in {low}..{high}"
        raise SpecError(f"{prefix}: {name} must be {limits}, got {number}")
    return number


def is_a(name: str, value: object, kind: type[_T]) -> _T:
    """Return ``value``; ``TypeError`` unless it is a ``kind``."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, got {value!r}")
    return value


class Value:
    """What every draw value can do."""

    __slots__ = ()

    def copy(self) -> Self:
        """Return an equal value."""
        return copy.copy(self)


@dataclass(frozen=True, slots=True)
class ColorDraw(Value):
    """A colour; each channel is 0–255, else ``SpecError``."""

    red: int = 0
    """0–255."""
    green: int = 255
    """0–255."""
    blue: int = 0
    """0–255."""
    alpha: int = 255
    """0 draws nothing, 255 covers what lies below."""

    def __post_init__(self) -> None:
        for name in ("red", "green", "blue", "alpha"):
            object.__setattr__(self, name, whole("Invalid color", name, getattr(self, name), 0, 255))

    @classmethod
    def transparent(cls) -> Self:
        """Return the colour that draws nothing."""
        return cls(0, 0, 0, 0)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Return the colour that ``#RRGGBB``, ``#RRGGBBAA``, ``#RGB`` or ``#RGBA`` names; the ``#`` may be left out.

        Raises:
            SpecError: The text is none of these.

        >>> ColorDraw.from_hex("#E69F00").rgba
        (230, 159, 0, 255)
        """
        digits = is_a("text", text, str).removeprefix("#")
        if len(digits) in {3, 4}:
            digits = "".join(digit * 2 for digit in digits)
        if len(digits) not in {6, 8} or not set(digits) <= _HEX_DIGITS:
            raise SpecError(f"Invalid color: expected #RRGGBB, #RRGGBBAA, #RGB or #RGBA, got {text!r}")
        return cls(*bytes.fromhex(digits))

    @property
    def hex(self) -> str:
        """The colour as ``#RRGGBB``, or ``#RRGGBBAA`` where it is not opaque."""
        return "#" + bytes(self.rgba[: 3 if self.alpha == 255 else 4]).hex().upper()

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        """Red, green, blue, alpha."""
        return self.red, self.green, self.blue, self.alpha

    @property
    def bgra(self) -> tuple[int, int, int, int]:
        """Blue, green, red, alpha."""
        return self.blue, self.green, self.red, self.alpha
