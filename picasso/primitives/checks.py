"""What a number or a text must be before it is kept: each check returns the value or says what was wrong with it."""

from __future__ import annotations

from operator import index
from typing import SupportsFloat, SupportsIndex

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
MAX_DIMENSION = 2**31 - 1
"""Largest width or height in pixels; far beyond any codec, small enough for float arithmetic to stay finite."""


def text(name: str, value: str) -> str:
    """Return ``value``.

    Raises:
        TypeError: It is not a string.
        ValueError: It holds half a surrogate pair, which no file or socket takes.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected str, got {type(value).__name__}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{name}: {value!r} cannot be written as UTF-8") from error
    return value


def real(name: str, value: SupportsFloat) -> float:
    """Return ``value`` as float; ``TypeError`` for a text."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name}: expected float, got {type(value).__name__}")
    return float(value)


def whole(name: str, value: SupportsIndex, low: int = INT64_MIN, high: int = INT64_MAX) -> int:
    """Return ``value`` as int.

    Raises:
        TypeError: It is not a whole number.
        ValueError: It lies below ``low``.
        OverflowError: It lies above ``high``, or below what 64 bits hold.
    """
    if type(value) is int and low <= value <= high:
        return value
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name}: expected int, got {value!r}") from None
    if low <= number <= high:
        return number
    if number > high or number < INT64_MIN:
        raise OverflowError(f"{name}: {number} does not fit, at most {high} and at least {low}")
    raise ValueError(f"{name}: must be at least {low}, got {number}")


def optional_whole(name: str, value: SupportsIndex | None, low: int = INT64_MIN) -> int | None:
    """Return ``value`` as int or ``None``; errors as ``whole``."""
    return None if value is None else whole(name, value, low)


def dimension(name: str, value: SupportsIndex) -> int:
    """Return a size in pixels, 1 … ``MAX_DIMENSION``; errors as ``whole``."""
    return whole(name, value, 1, MAX_DIMENSION)
