"""RGB and YUV: the matrices of ITU-R BT.601-7 and BT.709-6 as exact integers, and the arithmetic of one pixel.

With ``Kr`` and ``Kb`` of the recommendation, ``Kg = 1 - Kr - Kb``, all samples 0..255 and, in limited range, luma
16..235 and chroma 16..240 (item 3 of either recommendation at 8 bits; full range is that of JFIF)::

    Y = (Kr R + Kg G + Kb B) * luma_span / 255 + luma_floor
    U = (B - Y') / (2 (1 - Kb)) * chroma_span / 255 + 128        Y' = Kr R + Kg G + Kb B
    V = (R - Y') / (2 (1 - Kr)) * chroma_span / 255 + 128

The coefficients are rounded so that grey stays grey: those of luma sum to the rounded span, those of chroma to zero.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple

from picasso_kernels.maths.pixel import clamp8

TO_YUV_BITS: Final = 15
TO_RGB_BITS: Final = 13
CHROMA_CENTRE: Final = (128 << (TO_YUV_BITS + 2)) + (1 << (TO_YUV_BITS + 1))
"""128 of chroma of the sum of four pixels, and the half to round."""

KR_KB: Final = {
    "bt601": (Fraction(299, 1000), Fraction(114, 1000)),
    "bt709": (Fraction(2126, 10000), Fraction(722, 10000)),
}
"""Luma weights of red and blue by the name of the matrix."""


class ToYuv(NamedTuple):
    """Coefficients from RGB, in 2**-15."""

    y_red: int
    y_green: int
    y_blue: int
    luma_floor: int
    """Luma of black, 16 or 0, not scaled."""
    u_red: int
    u_green: int
    u_blue: int
    v_red: int
    v_green: int
    v_blue: int

    def swapped(self) -> ToYuv:
        """Return the coefficients for pixels with blue instead of red."""
        yr, yg, yb, floor, ur, ug, ub, vr, vg, vb = self
        return ToYuv(yb, yg, yr, floor, ub, ug, ur, vb, vg, vr)

    def exchanged(self) -> ToYuv:
        """Return the coefficients with those of V instead of those of U."""
        return ToYuv(*self[:4], *self[7:], *self[4:7])


class ToRgb(NamedTuple):
    """Coefficients to RGB, in 2**-13."""

    luma: int
    luma_floor: int
    red_v: int
    green_u: int
    green_v: int
    blue_u: int


def spans(full_range: bool) -> tuple[int, int, int]:
    """Return ``luma_floor, luma_span, chroma_span`` of 8-bit YUV."""
    return (0, 255, 255) if full_range else (16, 219, 224)


def to_yuv(matrix: str, full_range: bool) -> ToYuv:
    """Return the coefficients from RGB to YUV of ``matrix``, a key of ``KR_KB``."""
    kr, kb = KR_KB[matrix]
    floor, luma_span, chroma_span = spans(full_range)
    luma = Fraction(luma_span, 255) * (1 << TO_YUV_BITS)
    chroma = Fraction(chroma_span, 255) * (1 << TO_YUV_BITS)
    y_red, y_blue, u_blue = round(kr * luma), round(kb * luma), round(chroma / 2)
    u_red = -round(chroma * kr / (2 * (1 - kb)))
    v_blue = -round(chroma * kb / (2 * (1 - kr)))
    return ToYuv(
        y_red,
        round(luma) - y_red - y_blue,
        y_blue,
        floor,
        u_red,
        -u_blue - u_red,
        u_blue,
        u_blue,
        -u_blue - v_blue,
        v_blue,
    )


def to_rgb(matrix: str, full_range: bool) -> ToRgb:
    """Return the coefficients from YUV to RGB of ``matrix``, a key of ``KR_KB``."""
    kr, kb = KR_KB[matrix]
    floor, luma_span, chroma_span = spans(full_range)
    chroma = Fraction(255, chroma_span) * (1 << TO_RGB_BITS)
    kg = 1 - kr - kb
    return ToRgb(
        round(Fraction(255, luma_span) * (1 << TO_RGB_BITS)),
        floor,
        round(chroma * 2 * (1 - kr)),
        -round(chroma * 2 * (1 - kb) * kb / kg),
        -round(chroma * 2 * (1 - kr) * kr / kg),
        round(chroma * 2 * (1 - kb)),
    )


def luma_of(red: int, green: int, blue: int, k_red: int, k_green: int, k_blue: int, floor: int) -> int:
    """Return the luma of one pixel, 0..255; the coefficients come from ``ToYuv``."""
    half = 1 << (TO_YUV_BITS - 1)
    return ((k_red * red + k_green * green + k_blue * blue + half) >> TO_YUV_BITS) + floor


def chroma_of(red: int, green: int, blue: int, k_red: int, k_green: int, k_blue: int) -> int:
    """Return one chroma sample of a 2x2 block, 0..255; colours are the sums of its four pixels, 0..1020."""
    return clamp8((k_red * red + k_green * green + k_blue * blue + CHROMA_CENTRE) >> (TO_YUV_BITS + 2))


def channel_of(luma: int, chroma: int) -> int:
    """Return one channel, 0..255, of scaled luma and the scaled sum of its chroma, both in 2**-13."""
    return clamp8((luma + chroma + (1 << (TO_RGB_BITS - 1))) >> TO_RGB_BITS)
