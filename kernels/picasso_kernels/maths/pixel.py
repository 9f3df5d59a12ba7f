"""The arithmetic of one sample: positions, blending, rounding. Integers only, so every compiler agrees.

A *sample* is one channel of one pixel, or one value of a plane, 0..255. Between the two passes of a resampling it is
kept with ``FRACTION_BITS`` more bits, 0..32640, which fits the 16-bit lanes of a vector register.
"""

from __future__ import annotations

from typing import Final

WEIGHT_BITS: Final = 11
"""Bilinear weights count 2048ths."""
ONE: Final = 1 << WEIGHT_BITS
FRACTION_BITS: Final = 7
"""Bits that a sample gains between the vertical and the horizontal pass."""


def widen(sample: int) -> int:
    """Give a sample its fraction bits, all zero."""
    return sample << FRACTION_BITS


def narrow(wide: int) -> int:
    """Round a wide sample to 0..255, half up."""
    return (wide + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS


def lerp(a: int, b: int, weight: int) -> int:
    """Blend two wide samples; ``weight`` in 0..2047 is the share of ``b`` in 2048ths. Rounds half up."""
    return a + (((b - a) * weight + ONE // 2) >> WEIGHT_BITS)


def clamp8(value: int) -> int:
    """Force into 0..255."""
    return min(max(value, 0), 255)


def place_numerator(target: int, target_unit: int, start: int, size: int, crop: int, crop_size: int) -> int:
    """Return where the centre of a target sample falls in the source, in luma pixels times ``2 * size``.

    One axis. The target rectangle ``start, size`` shows the source rectangle ``crop, crop_size`` (in luma pixels).
    Target sample ``target`` covers ``target_unit`` luma pixels: 1, or 2 for the chroma of 4:2:0.
    """
    centre = (2 * target + 1) * target_unit - 2 * start
    return 2 * size * crop + centre * crop_size


def position(numerator: int, size: int, source_unit: int, first: int, last: int) -> int:
    """Return the source position of a bilinear sample in 2048ths of a source sample.

    ``numerator`` comes from ``place_numerator``; a source sample covers ``source_unit`` luma pixels and its centre is
    its position, the convention of OpenCV's ``INTER_LINEAR``. The nearest 2048th is taken, half up; positions beyond
    the centres of the samples ``first`` and ``last`` stay on them.
    """
    whole = 2 * size * source_unit
    exact = numerator - size * source_unit
    rounded = (exact * ONE + whole // 2) // whole
    return min(max(rounded, first * ONE), last * ONE)


def nearest(numerator: int, size: int, source_unit: int, first: int, last: int) -> int:
    """Return the source sample that covers the centre of the target sample (the one to the right on a border)."""
    return min(max(numerator // (2 * size * source_unit), first), last)
