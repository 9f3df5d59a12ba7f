"""What stands in labels: code points, from texts that are kept and from numbers that a frame has.

A label is written by tokens, pairs of a kind and a text: the text itself, or a value of the object. Numbers read as
Python's ``%d``, ``%.1f`` and ``%.2f`` write them; one that is absent is no text.
"""

from __future__ import annotations

import math
from typing import Final

from picasso_kernels.maths.memory import Ints

TEXT: Final = 0
"""A text that is kept: the second number of the token says which."""
NAMESPACE: Final = 1
LABEL: Final = 2
LINE_END: Final = 3
IDENTITY: Final = 4
TRACK: Final = 5
"""The number of the track."""
CONFIDENCE: Final = 6
BOX: Final = 7
"""A side of the detection box, by the second number: xc, yc, width, height, angle."""
TRACK_BOX: Final = 8
"""The same of the track box."""
TOKEN_SIZE: Final = 2

MOST_DIGITS: Final = 24
"""Code points that a number takes at most."""
NOT_WRITTEN: Final = -1
"""Instead of an end: the number is one that is not written here."""
NO_NUMBER: Final = -(1 << 63)
"""Instead of a whole number that is absent."""
_FAR: Final = 1e12
"""Fractions beyond are not written here: a hundred times as much has no half left that is exact."""
_SPLIT: Final = 134217729.0
"""2^27 + 1: cuts a float64 into two halves whose products are exact (T. J. Dekker, 1971)."""
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48


def put_text(texts: Ints, text_ends: Ints, number: int, codes: Ints, end: int) -> int:
    """Append the text of a number; return the new end. ``text_ends`` says where each ends, after a 0."""
    for place in range(text_ends[number], text_ends[number + 1]):
        codes[end] = texts[place]
        end += 1
    return end


def put_whole(value: int, codes: Ints, end: int) -> int:
    """Append a whole number as ``%d`` writes it; return the new end."""
    if value < 0:
        codes[end] = _MINUS
        return put_digits(-value, 1, codes, end + 1)
    return put_digits(value, 1, codes, end)


def put_digits(value: int, least: int, codes: Ints, end: int) -> int:
    """Append a number of 0 or more, with zeros before it up to ``least`` digits; return the new end."""
    digits, rest = 1, value // 10
    while rest > 0 or digits < least:
        digits += 1
        rest //= 10
    rest = value
    for place in range(end + digits - 1, end - 1, -1):
        codes[place] = _ZERO + rest % 10
        rest //= 10
    return end + digits


def put_fraction(value: float, decimals: int, codes: Ints, end: int) -> int:
    """Append a number as ``%.1f`` or ``%.2f`` writes it: the nearest, a tie to the even digit.

    Returns:
        The new end; ``NOT_WRITTEN`` where the number is too large, or infinite.
    """
    size = abs(value)
    if not size < _FAR:
        return NOT_WRITTEN
    unit = 100 if decimals == 2 else 10
    whole = nearest_multiple(size, unit)
    if math.copysign(1.0, value) < 0:
        codes[end] = _MINUS
        end += 1
    end = put_digits(whole // unit, 1, codes, end)
    codes[end] = _POINT
    return put_digits(whole % unit, decimals, codes, end + 1)


def nearest_multiple(size: float, unit: int) -> int:
    """Return the whole number that is nearest to ``size * unit``, exactly; of two, the even one."""
    product = size * unit
    whole = int(product)
    rest = product - whole
    if rest < 0.5:
        return whole
    if rest > 0.5:
        return whole + 1
    lost = rounding_error(size, float(unit), product)
    if lost > 0 or (lost == 0 and whole % 2 == 1):
        return whole + 1
    return whole


def rounding_error(a: float, b: float, product: float) -> float:
    """Return what rounding ``a * b`` to ``product`` has lost (T. J. Dekker)."""
    a_high = _SPLIT * a - (_SPLIT * a - a)
    b_high = _SPLIT * b - (_SPLIT * b - b)
    a_low, b_low = a - a_high, b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
