"""One row of the target made of rows of the source: collected, resampled, as bytes.

Vertical first, then horizontal: the vertical pass runs over contiguous bytes at every scale. Bilinear::

    wide[x] = lerp(widen(upper[x]), widen(lower[x]), y_weight)
    out[x] = narrow(lerp(wide[index[x]], wide[index[x] + 1], x_weight[x]))

Where a picture of pixels shrinks by more than 2, both happen at once, to the columns that are needed; where planes
shrink by exactly 2, samples are the means of four.

The filters of more taps sum ``TAP_BITS`` weights in 32 bits in both passes, and round twice.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.frame.job import (
    BASE,
    CACHE,
    COLUMNS,
    FAR,
    FILTER,
    HALVES,
    LANE_STEP,
    LANES,
    LAST_ROW,
    NEAR,
    OUT_COLUMNS,
    OUT_ROWS,
    PITCH,
    PLACES,
    READ,
    SLOT_BYTES,
    SLOTS,
    STEP,
    TAGS,
    WIDE,
    X_COPY,
    X_INDEX,
    X_TAPS,
    X_WEIGHT,
    Y_INDEX,
    Y_TAPS,
    Y_WEIGHT,
    Filter,
    Read,
)
from picasso_kernels.maths.filter_rows import sum_pixels, sum_rows, sum_samples
from picasso_kernels.maths.memory import Bytes, Ints, copy, load32, prefetch, store32, store64, tail
from picasso_kernels.maths.rows import (
    blend_rows,
    collect_opaque,
    collect_pixels,
    collect_samples,
    halve_samples,
    lerp_pixels,
    lerp_samples,
    mix_opaque,
    mix_pixels,
    narrow_row,
    pick_opaque,
    pick_pixels,
    pick_samples,
)

LINE: Final = 64
"""Bytes of a cache line."""
PICKS: Final = 64
"""Samples that are copied between two looks ahead: more lines at once than memory takes would hold up the machine."""
LATE: Final = 12
"""Bytes of the next rows that are fetched with each column of the second pass; the first pass fetches the rest.

The second pass computes more for each byte: memory has time there.
"""


def forget_rows(component: Ints, scratch: Bytes) -> None:
    """Empty the ring of collected rows, at the start of a frame."""
    for slot in range(component[SLOTS]):
        store32(scratch, component[TAGS] + 4 * slot, -1)


def source_row(component: Ints, plane: Bytes, scratch: Bytes, row: int) -> int:
    """Return where row ``row`` of the crop starts as tight samples: in ``plane`` if they lie so, else in scratch."""
    start: int = component[BASE] + row * component[PITCH]
    if component[READ] == Read.TIGHT:
        return start
    slot = row % component[SLOTS]
    at: int = component[CACHE] + slot * component[SLOT_BYTES]
    tag = component[TAGS] + 4 * slot
    if load32(scratch, tag) != row:
        store32(scratch, tag, row)
        collect_row(component, tail(plane, start), tail(scratch, at))
    return at


def collect_row(component: Ints, row: Bytes, out: Bytes) -> None:
    """Make a row of the crop tight."""
    step, lane_step, columns = component[STEP], component[LANE_STEP], component[COLUMNS]
    if component[READ] == Read.SAMPLES:
        collect_samples(out, row, step, columns)
    elif component[READ] == Read.PIXELS:
        collect_pixels(out, row, step, lane_step, columns)
    else:
        collect_opaque(out, row, step, lane_step, columns)


def target_row(component: Ints, plane: Bytes, table: Ints, scratch: Bytes, y: int, out: Bytes) -> None:
    """Write row ``y`` of the component's grid, ``OUT_COLUMNS`` tight samples."""
    if component[FILTER] == Filter.BILINEAR:
        bilinear_row(component, plane, table, scratch, y, out)
    elif component[FILTER] == Filter.TAPS:
        taps_row(component, plane, table, scratch, y, out)
    else:
        nearest_row(component, plane, table, y, out)


def nearest_row(component: Ints, plane: Bytes, table: Ints, y: int, out: Bytes) -> None:
    """Write a row of copied samples."""
    index = tail(table, component[Y_INDEX])
    row = tail(plane, component[BASE] + index[y] * component[PITCH])
    columns, lanes, read = component[OUT_COLUMNS], component[LANES], component[READ]
    if component[X_COPY] and read == Read.TIGHT:
        copy(out, row, columns * lanes)
        return
    if component[X_COPY]:
        collect_row(component, row, out)
        return
    soon = tail(plane, component[BASE] + index[min(y + 1, component[OUT_ROWS] - 1)] * component[PITCH])
    step, lane_step, size = component[STEP], component[LANE_STEP], component[COLUMNS] * component[STEP]
    for first in range(0, columns, PICKS):
        count, places = min(PICKS, columns - first), tail(table, component[X_INDEX] + first)
        for at in range(first * size // columns, (first + count) * size // columns, LINE):
            prefetch(soon, at)
        if lanes == 1:
            pick_samples(tail(out, first), row, step, places, count)
        elif read == Read.OPAQUE:
            pick_opaque(tail(out, 4 * first), row, step, lane_step, places, count)
        else:
            pick_pixels(tail(out, 4 * first), row, step, lane_step, places, count)


def bilinear_row(component: Ints, plane: Bytes, table: Ints, scratch: Bytes, y: int, out: Bytes) -> None:
    """Write a row of samples blended from two rows and two columns."""
    index, weights = tail(table, component[Y_INDEX]), tail(table, component[Y_WEIGHT])
    first, second, weight = index[y], index[y] + (weights[y] > 0), weights[y]
    following = min(y + 1, component[OUT_ROWS] - 1)
    start, size = rows_ahead(component, second, index[following], index[following] + (weights[following] > 0))
    axis, lanes, columns = tail(table, component[X_INDEX]), component[LANES], component[OUT_COLUMNS]
    if component[FAR] and component[READ] == Read.OPAQUE and component[STEP] == 3 and component[LANE_STEP] == 1:
        upper = component[BASE] + first * component[PITCH]
        lower = component[BASE] + min(second, component[LAST_ROW]) * component[PITCH]
        mix_opaque(out, tail(plane, upper), tail(plane, lower), weight, axis, tail(plane, start), size, columns)
        return
    rows = plane if component[READ] == Read.TIGHT else scratch
    upper = source_row(component, plane, scratch, first)
    lower = source_row(component, plane, scratch, min(second, component[LAST_ROW]))
    wide = tail(scratch, component[WIDE])
    if component[FAR]:
        soon = tail(plane, start)
        mix_pixels(out, tail(rows, upper), tail(rows, lower), weight, axis, soon, size, columns)
        return
    if component[HALVES]:
        halve_samples(out, tail(rows, upper), tail(rows, lower), tail(plane, start), size, columns)
        return
    soon, early = tail(plane, start), max(size - LATE * columns, 0)
    blend_rows(wide, tail(rows, upper), tail(rows, lower), weight, soon, early, component[COLUMNS] * lanes)
    soon, size = tail(soon, early), size - early
    if component[X_COPY]:
        narrow_row(out, wide, columns * lanes)
    elif lanes == 4:
        lerp_pixels(out, wide, axis, component[NEAR], soon, size, columns)
    else:
        lerp_samples(out, wide, axis, component[NEAR], soon, size, columns)


def rows_ahead(component: Ints, read: int, following: int, last: int) -> tuple[int, int]:
    """Return the first byte, and how many, of what the next row of the target reads and this one did not.

    This row reads up to the row ``read``, the next from ``following`` to ``last``.
    """
    start, last = max(following, read + 1), min(last, component[LAST_ROW])
    if last < start or component[PITCH] <= 0 or component[STEP] <= 0:
        return 0, 0
    size: int = (last - start) * component[PITCH] + component[COLUMNS] * component[STEP]
    return component[BASE] + start * component[PITCH], size


def taps_row(component: Ints, plane: Bytes, table: Ints, scratch: Bytes, y: int, out: Bytes) -> None:
    """Write a row of weighted sums over ``Y_TAPS`` rows and ``X_TAPS`` columns."""
    rows = plane if component[READ] == Read.TIGHT else scratch
    first, taps, lanes = table[component[Y_INDEX] + y], component[Y_TAPS], component[LANES]
    places, wide = tail(scratch, component[PLACES]), tail(scratch, component[WIDE])
    for tap in range(taps):
        row = min(first + tap, component[LAST_ROW])
        store64(places, 8 * tap, source_row(component, plane, scratch, row))
    weights = tail(table, component[Y_WEIGHT] + y * taps)
    sum_rows(wide, rows, places, weights, taps, component[COLUMNS] * lanes)
    index, weights = tail(table, component[X_INDEX]), tail(table, component[X_WEIGHT])
    if lanes == 4:
        sum_pixels(out, wide, index, weights, component[X_TAPS], component[OUT_COLUMNS])
    else:
        sum_samples(out, wide, index, weights, component[X_TAPS], component[OUT_COLUMNS])
