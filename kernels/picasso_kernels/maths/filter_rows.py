"""Row loops of the filters of more than two taps: weighted sums over rows, then over columns.

Weights count 16384ths and sum to 16384; there is an even number of them, which lets machines take two at a time.
Between the passes samples have 6 more bits, which leaves room for what the negative lobes of a filter add.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Bytes, Ints, load8, load16, load64, store8, store16
from picasso_kernels.maths.pixel import clamp8

TAP_BITS: Final = 14
SUM_FRACTION_BITS: Final = 6
DOWN_BITS: Final = TAP_BITS - SUM_FRACTION_BITS
"""What the sum over rows is shifted down by."""
LAST_BITS: Final = TAP_BITS + SUM_FRACTION_BITS
"""What the sum over columns is shifted down by."""


def sum_rows(out: Bytes, rows: Bytes, places: Bytes, weights: Ints, taps: int, count: int) -> None:
    """Sum ``taps`` rows of ``count`` bytes to a wide row.

    Args:
        out: The wide row.
        rows: Where all the rows are.
        places: For each tap where in ``rows`` its row starts, 64 bits.
        weights: For each tap its weight.
        taps: An even number.
        count: Samples.
    """
    for i in range(count):
        total = 1 << (DOWN_BITS - 1)
        for tap in range(taps):
            total += load8(rows, load64(places, 8 * tap) + i) * weights[tap]
        store16(out, 2 * i, total >> DOWN_BITS)


def sum_pixels(out: Bytes, wide: Bytes, index: Ints, weights: Ints, taps: int, count: int) -> None:
    """Sum ``taps`` neighbours of a wide row of pixels to ``count`` pixels of bytes.

    Args:
        out: Row of pixels.
        wide: Wide row of pixels.
        index: For each target pixel its first neighbour.
        weights: For each pair of taps, for each target pixel, two weights.
        taps: An even number.
        count: Pixels.
    """
    for x in range(count):
        for lane in range(4):
            start, total = 8 * index[x] + 2 * lane, 1 << (LAST_BITS - 1)
            for tap in range(taps):
                total += load16(wide, start + 8 * tap) * weights[2 * count * (tap >> 1) + 2 * x + (tap & 1)]
            store8(out, 4 * x + lane, clamp8(total >> LAST_BITS))


def sum_samples(out: Bytes, wide: Bytes, index: Ints, weights: Ints, taps: int, count: int) -> None:
    """Sum ``taps`` neighbours of a wide row of samples to bytes, as ``sum_pixels`` does."""
    for x in range(count):
        start, total = 2 * index[x], 1 << (LAST_BITS - 1)
        for tap in range(taps):
            total += load16(wide, start + 2 * tap) * weights[2 * count * (tap >> 1) + 2 * x + (tap & 1)]
        store8(out, x, clamp8(total >> LAST_BITS))
