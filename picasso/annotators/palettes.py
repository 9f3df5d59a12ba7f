"""Colours by number: named palettes, the first of which people with any colour vision can tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.draw.styles import packed
from picasso.draw.values import ColorDraw
from picasso.errors import SpecError

_HEX: Final = {
    # M. Okabe and K. Ito, "Color Universal Design" (2008), its black replaced by a gray that shows on dark pictures
    "safe": "E69F00 56B4E9 009E73 F0E442 0072B2 D55E00 CC79A7 BBBBBB",
    # P. Tol, "Colour schemes" (2021): bright, vibrant, muted
    "bright": "4477AA EE6677 228833 CCBB44 66CCEE AA3377 BBBBBB",
    "vibrant": "EE7733 0077BB 33BBEE EE3377 CC3311 009988 BBBBBB",
    "muted": "CC6677 332288 DDCC77 117733 88CCEE 882255 44AA99 999933 AA4499",
    "gray": "FFFFFF BDBDBD 7F7F7F 404040",
}
NAMES: Final = tuple(_HEX)
"""Of the palettes that ship."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that numbers go through in turns; ``SpecError`` where there are none."""

    colors: tuple[ColorDraw, ...]
    """The first stands for number 0."""

    def __post_init__(self) -> None:
        if not self.colors:
            raise SpecError("Invalid palette: expected at least one colour")

    @classmethod
    def named(cls, name: str = "safe") -> Palette:
        """Return a palette that ships: ``safe``, ``bright``, ``vibrant``, ``muted`` or ``gray``.

        Raises:
            SpecError: There is none of this name.

        >>> Palette.named().colors[0].hex
        '#E69F00'
        """
        if name not in _HEX:
            raise SpecError(f"Invalid palette: unknown name {name!r}; one of {', '.join(NAMES)}")
        return cls.from_hex(_HEX[name].split())

    @classmethod
    def from_hex(cls, colors: Iterable[str]) -> Palette:
        """Return a palette of colours such as ``#E69F00``; see ``ColorDraw.from_hex``."""
        return cls(tuple(map(ColorDraw.from_hex, colors)))

    def __getitem__(self, number: int) -> ColorDraw:
        """Return the colour of a number, which may be any integer."""
        return self.colors[number % len(self.colors)]

    def __len__(self) -> int:
        return len(self.colors)

    def pick(self, numbers: ArrayLike) -> NDArray[np.int32]:
        """Return the colours of ``(N,)`` integers, packed as display lists hold them."""
        table = np.array([packed(color) for color in self.colors], np.int32)
        return table[np.asarray(numbers, np.int64).reshape(-1) % len(table)]


def faded(colors: NDArray[np.int32], opacity: float) -> NDArray[np.int32]:
    """Return packed colours, their alpha times ``opacity``, 0..1."""
    bits = colors.view(np.uint32)
    alpha = np.floor((bits >> 24) * opacity + 0.5).astype(np.uint32)
    found: NDArray[np.int32] = ((bits & 0xFFFFFF) | (alpha << 24)).view(np.int32)
    return found


def readable(colors: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell on which packed colours black letters are easier to read than white ones."""
    bits = colors.view(np.uint32)
    light = 299 * (bits & 255) + 587 * (bits >> 8 & 255) + 114 * (bits >> 16 & 255)
    found: NDArray[np.bool_] = light > 128_000
    return found


def as_color(color: Any) -> Any:
    """Return a colour for ``"#E69F00"`` and for what has ``r``, ``g`` and ``b``; others as they are."""
    if isinstance(color, str) and color.startswith("#"):
        return ColorDraw.from_hex(color)
    if all(hasattr(color, channel) for channel in "rgb"):
        return ColorDraw(color.r, color.g, color.b)
    return color


def one_color(name: str, color: Any) -> ColorDraw:
    """Return a colour as ``as_color`` reads it; ``TypeError`` for what is none."""
    found = as_color(color)
    if not isinstance(found, ColorDraw):
        raise TypeError(f"{name}: expected a ColorDraw or '#RRGGBB', got {color!r}")
    return found
