"""What the artist is told: colours, points, paddings, checked with an error that names the argument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from picasso.draw import ColorDraw, PaddingDraw
from picasso.errors import SpecError

Color = Sequence[int] | ColorDraw
Padding = Sequence[float] | PaddingDraw
Point = tuple[float, float]


def color_of(name: str, value: Color) -> ColorDraw:
    """Return a colour.

    Raises:
        SpecError: ``value`` has not 3 or 4 channels of 0..255.
        TypeError: It is not a sequence of whole numbers.
    """
    if isinstance(value, ColorDraw):
        return value
    given: Any = value
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray):
        raise TypeError(f"{name}: expected (red, green, blue, alpha), got {value!r}")
    if len(value) not in (3, 4):
        raise SpecError(f"{name}: expected (red, green, blue, alpha), got {tuple(value)}")
    try:
        return ColorDraw(*value)
    except (SpecError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from None


def padding_of(value: Padding) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom.

    Raises:
        SpecError: ``value`` has not four numbers, or one is negative or not finite.
    """
    sides = numbers_of("padding", value.padding if isinstance(value, PaddingDraw) else value, 4)
    if min(sides) < 0:
        raise SpecError(f"padding: each side is at least 0, got {sides}")
    return sides[0], sides[1], sides[2], sides[3]


def number_of(name: str, value: float) -> float:
    """Return a finite number of at least 0.

    Raises:
        SpecError: ``value`` is another one.
        TypeError: It is not a number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    if not (math.isfinite(number) and number >= 0):
        raise SpecError(f"{name}: expected a number of at least 0, got {value!r}")
    return number


def point_of(name: str, value: Any) -> Point:
    """Return a point: a pair of numbers, or anything with ``x`` and ``y``."""
    pair = (value.x, value.y) if hasattr(value, "x") and hasattr(value, "y") else value
    x, y = numbers_of(name, pair, 2)
    return x, y


def points_of(name: str, values: Any) -> list[Point]:
    """Return points; those of a ``PolygonalArea``, an array ``(N, 2)``, or a sequence.

    Raises:
        SpecError: There are none, or one is not a pair of numbers.
    """
    points = [point_of(name, value) for value in getattr(values, "vertices", values)]
    if not points:
        raise SpecError(f"{name}: expected at least one point, got none")
    return points


def numbers_of(name: str, values: Any, count: int) -> tuple[float, ...]:
    """Return ``count`` finite numbers.

    Raises:
        SpecError: ``values`` are others.
    """
    try:
        numbers = tuple(map(float, values))
    except (TypeError, ValueError):
        raise SpecError(f"{name}: expected {count} numbers, got {values!r}") from None
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise SpecError(f"{name}: expected {count} finite numbers, got {values!r}")
    return numbers
