"""Rows by the register: what the host compiler uses instead of the loops that cost the most.

A row is made in blocks; the last one overlaps the one before, so that no row ends in single steps. Rows shorter than
a block are made by the plain loop. Tests hold each to its loop, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from picasso_kernels.cpu import color_blocks, resample_blocks
from picasso_kernels.cpu.color_blocks import (
    collect_opaque_block,
    rgb_block,
    spread_rgb_block,
    yuv_paired_block,
    yuv_planar_block,
)
from picasso_kernels.cpu.resample_blocks import (
    blend_coarse,
    blend_fine,
    halve_block,
    lerp_pixels_far,
    lerp_pixels_near,
    lerp_samples_far,
    lerp_samples_near,
    mix_opaque_coarse,
    mix_opaque_fine,
    mix_pixels_coarse,
    mix_pixels_fine,
    sum_pixels_block,
    sum_rows_block,
    sum_samples_block,
)
from picasso_kernels.cpu.vector_numbers import NUMBER_FORMS
from picasso_kernels.cpu.vector_paint import PAINT_FORMS
from picasso_kernels.maths import filter_rows, rows
from picasso_kernels.maths.memory import Bytes, Ints, load8, load16, pixel, prefetch, store_pixel, tail
from picasso_kernels.maths.pixel import ONE

BLEND: Final = resample_blocks.BLEND
PIXELS: Final = resample_blocks.PIXELS
SAMPLES: Final = resample_blocks.SAMPLES
SUM_PIXELS: Final = resample_blocks.SUM_PIXELS
SUM_SAMPLES: Final = resample_blocks.SUM_SAMPLES
COLUMNS: Final = color_blocks.COLUMNS
LINE: Final = 64
"""Bytes of a cache line."""
HALF: Final = ONE // 2
COARSE: Final = ONE // 128
"""Weights that are multiples of this can be written in 128ths."""

collect_samples_plain, collect_opaque_plain = rows.collect_samples, rows.collect_opaque
spread_pixels_plain, rgb_plain = rows.spread_pixels, rows.rgb_row
blend_plain, lerp_pixels_plain, lerp_samples_plain = rows.blend_rows, rows.lerp_pixels, rows.lerp_samples
mix_pixels_plain, mix_opaque_plain, halve_plain = rows.mix_pixels, rows.mix_opaque, rows.halve_samples
pick_pixels_plain, pick_opaque_plain = rows.pick_pixels, rows.pick_opaque
yuv_planar_plain, yuv_paired_plain = rows.yuv_planar, rows.yuv_paired
sum_rows_plain, sum_pixels_plain, sum_samples_plain = (
    filter_rows.sum_rows,
    filter_rows.sum_pixels,
    filter_rows.sum_samples,
)


def collect_samples(out: Bytes, row: Bytes, step: int, count: int) -> None:
    """See ``rows.collect_samples``. LLVM makes vector code of steps that it knows: those of NV12 and UYVY."""
    if step == 2:
        collect_samples_plain(out, row, 2, count)
    elif step == 4:
        collect_samples_plain(out, row, 4, count)
    else:
        collect_samples_plain(out, row, step, count)


def collect_opaque(out: Bytes, row: Bytes, step: int, lane_step: int, count: int) -> None:
    """See ``rows.collect_opaque``."""
    if count < PIXELS or step != 3 or lane_step != 1:
        collect_opaque_plain(out, row, step, lane_step, count)
        return
    for start in range(0, count, PIXELS):
        i = min(start, count - PIXELS)
        collect_opaque_block(tail(out, 4 * i), tail(row, 3 * i))


def pick_pixels(out: Bytes, row: Bytes, step: int, lane_step: int, index: Ints, count: int) -> None:
    """See ``rows.pick_pixels``."""
    if step == 4 and lane_step == 1:
        for x in range(count):
            store_pixel(out, 4 * x, pixel(row, 4 * index[x]))
    else:
        pick_pixels_plain(out, row, step, lane_step, index, count)


def pick_opaque(out: Bytes, row: Bytes, step: int, lane_step: int, index: Ints, count: int) -> None:
    """See ``rows.pick_opaque``."""
    if lane_step == 1:
        for x in range(count):
            at = index[x] * step
            store_pixel(out, 4 * x, load16(row, at) & 0xFFFF | load8(row, at + 2) << 16 | rows.BLACK)
    else:
        pick_opaque_plain(out, row, step, lane_step, index, count)


def spread_pixels(out: Bytes, step: int, lane_step: int, lanes: int, row: Bytes, count: int) -> None:
    """See ``rows.spread_pixels``."""
    if count < PIXELS or step != 3 or lane_step != 1 or lanes != 3:
        spread_pixels_plain(out, step, lane_step, lanes, row, count)
        return
    for start in range(0, count, PIXELS):
        i = min(start, count - PIXELS)
        spread_rgb_block(tail(out, 3 * i), tail(row, 4 * i))


def blend_rows(out: Bytes, upper: Bytes, lower: Bytes, weight: int, soon: Bytes, size: int, count: int) -> None:
    """See ``rows.blend_rows``. Weights that count 128ths, those of the common ratios, take a shorter way."""
    if count < BLEND:
        blend_plain(out, upper, lower, weight, soon, size, count)
        return
    if weight == 0:
        lower, weight = upper, HALF
    share = lines_a_block(size, count // BLEND)
    if weight % COARSE == 0:
        for start in range(0, count, BLEND):
            i = min(start, count - BLEND)
            prefetch_lines(soon, start // BLEND * share, share, size)
            blend_coarse(tail(out, 2 * i), tail(upper, i), tail(lower, i), weight // COARSE)
    else:
        for start in range(0, count, BLEND):
            i = min(start, count - BLEND)
            prefetch_lines(soon, start // BLEND * share, share, size)
            blend_fine(tail(out, 2 * i), tail(upper, i), tail(lower, i), weight)


def lerp_pixels(out: Bytes, wide: Bytes, axis: Ints, near: int, soon: Bytes, size: int, count: int) -> None:
    """See ``rows.lerp_pixels``."""
    if count < PIXELS:
        lerp_pixels_plain(out, wide, axis, near, soon, size, count)
        return
    distances, weights = tail(axis, 2 * count), tail(axis, 3 * count)
    whole = count // PIXELS * PIXELS if near else 0
    share = lines_a_block(size, count // PIXELS)
    for i in range(0, whole, PIXELS):
        prefetch_lines(soon, i // PIXELS * share, share, size)
        lerp_pixels_near(tail(out, 4 * i), wide, tail(axis, i), tail(distances, i), tail(weights, 4 * i))
    for start in range(whole, count, PIXELS):
        i = min(start, count - PIXELS)
        prefetch_lines(soon, start // PIXELS * share, share, size)
        lerp_pixels_far(tail(out, 4 * i), wide, tail(axis, i), tail(weights, 4 * i))


def mix_pixels(
    out: Bytes, upper: Bytes, lower: Bytes, weight: int, axis: Ints, soon: Bytes, size: int, count: int
) -> None:
    """See ``rows.mix_pixels``."""
    if count < PIXELS:
        mix_pixels_plain(out, upper, lower, weight, axis, soon, size, count)
        return
    if weight == 0:
        lower, weight = upper, HALF
    weights = tail(axis, 3 * count)
    share = lines_a_block(size, count // PIXELS)
    for start in range(0, count, PIXELS):
        i = min(start, count - PIXELS)
        prefetch_lines(soon, start // PIXELS * share, share, size)
        to, index, shares = tail(out, 4 * i), tail(axis, i), tail(weights, 4 * i)
        if weight % COARSE == 0:
            mix_pixels_coarse(to, upper, lower, weight // COARSE, index, shares)
        else:
            mix_pixels_fine(to, upper, lower, weight, index, shares)


def mix_opaque(
    out: Bytes, upper: Bytes, lower: Bytes, weight: int, axis: Ints, soon: Bytes, size: int, count: int
) -> None:
    """See ``rows.mix_opaque``. Neighbouring indices lie two or more apart, which ``mix_opaque_lanes`` relies on."""
    if count < PIXELS:
        mix_opaque_plain(out, upper, lower, weight, axis, soon, size, count)
        return
    if weight == 0:
        lower, weight = upper, HALF
    weights = tail(axis, 3 * count)
    share = lines_a_block(size, count // PIXELS)
    for start in range(0, count, PIXELS):
        i = min(start, count - PIXELS)
        prefetch_lines(soon, start // PIXELS * share, share, size)
        to, index, shares = tail(out, 4 * i), tail(axis, i), tail(weights, 4 * i)
        if weight % COARSE == 0:
            mix_opaque_coarse(to, upper, lower, weight // COARSE, index, shares)
        else:
            mix_opaque_fine(to, upper, lower, weight, index, shares)


def lerp_samples(out: Bytes, wide: Bytes, axis: Ints, near: int, soon: Bytes, size: int, count: int) -> None:
    """See ``rows.lerp_samples``."""
    if count < SAMPLES:
        lerp_samples_plain(out, wide, axis, near, soon, size, count)
        return
    weights = tail(axis, count)
    share = lines_a_block(size, count // SAMPLES)
    for start in range(0, count, SAMPLES):
        i = min(start, count - SAMPLES)
        prefetch_lines(soon, start // SAMPLES * share, share, size)
        if near:
            lerp_samples_near(tail(out, i), wide, tail(axis, i), tail(weights, i))
        else:
            lerp_samples_far(tail(out, i), wide, tail(axis, i), tail(weights, i))


def halve_samples(out: Bytes, upper: Bytes, lower: Bytes, soon: Bytes, size: int, count: int) -> None:
    """See ``rows.halve_samples``."""
    if count < SAMPLES:
        halve_plain(out, upper, lower, soon, size, count)
        return
    share = lines_a_block(size, count // SAMPLES)
    for start in range(0, count, SAMPLES):
        i = min(start, count - SAMPLES)
        prefetch_lines(soon, start // SAMPLES * share, share, size)
        halve_block(tail(out, i), tail(upper, 2 * i), tail(lower, 2 * i))


def lines_a_block(size: int, blocks: int) -> int:
    """Return how many bytes, in whole cache lines, to fetch with each of ``blocks`` for ``size`` in all."""
    share: int = (size // blocks + LINE - 1) & -LINE
    return share


def prefetch_lines(soon: Bytes, start: int, share: int, size: int) -> None:
    """Fetch ``share`` bytes from ``start`` on, none beyond ``size``."""
    for at in range(start, min(start + share, size), LINE):
        prefetch(soon, at)


def sum_rows(out: Bytes, row: Bytes, places: Bytes, weights: Ints, taps: int, count: int) -> None:
    """See ``filter_rows.sum_rows``."""
    if count < SAMPLES:
        sum_rows_plain(out, row, places, weights, taps, count)
        return
    for start in range(0, count, SAMPLES):
        i = min(start, count - SAMPLES)
        sum_rows_block(tail(out, 2 * i), tail(row, i), places, weights, taps)


def sum_pixels(out: Bytes, wide: Bytes, index: Ints, weights: Ints, taps: int, count: int) -> None:
    """See ``filter_rows.sum_pixels``."""
    if count < SUM_PIXELS:
        sum_pixels_plain(out, wide, index, weights, taps, count)
        return
    for start in range(0, count, SUM_PIXELS):
        i = min(start, count - SUM_PIXELS)
        sum_pixels_block(tail(out, 4 * i), wide, tail(index, i), tail(weights, 2 * i), count, taps)


def sum_samples(out: Bytes, wide: Bytes, index: Ints, weights: Ints, taps: int, count: int) -> None:
    """See ``filter_rows.sum_samples``."""
    if count < SUM_SAMPLES:
        sum_samples_plain(out, wide, index, weights, taps, count)
        return
    for start in range(0, count, SUM_SAMPLES):
        i = min(start, count - SUM_SAMPLES)
        sum_samples_block(tail(out, i), wide, tail(index, i), tail(weights, 2 * i), count, taps)


def yuv_planar(
    luma0: Bytes, luma1: Bytes, u: Bytes, v: Bytes, upper: Bytes, lower: Bytes, k: Ints, ahead: int, count: int
) -> None:
    """See ``rows.yuv_planar``."""
    if count < COLUMNS:
        yuv_planar_plain(luma0, luma1, u, v, upper, lower, k, ahead, count)
        return
    for start in range(0, count, COLUMNS):
        i = min(start, count - COLUMNS)
        h, a, b = i >> 1, tail(upper, 4 * i), tail(lower, 4 * i)
        prefetch_columns(a, b, ahead)
        yuv_planar_block(tail(luma0, i), tail(luma1, i), tail(u, h), tail(v, h), a, b, k)


def yuv_paired(
    luma0: Bytes, luma1: Bytes, chroma: Bytes, upper: Bytes, lower: Bytes, k: Ints, ahead: int, count: int
) -> None:
    """See ``rows.yuv_paired``."""
    if count < COLUMNS:
        yuv_paired_plain(luma0, luma1, chroma, upper, lower, k, ahead, count)
        return
    for start in range(0, count, COLUMNS):
        i = min(start, count - COLUMNS)
        a, b = tail(upper, 4 * i), tail(lower, 4 * i)
        prefetch_columns(a, b, ahead)
        yuv_paired_block(tail(luma0, i), tail(luma1, i), tail(chroma, i), a, b, k)


def prefetch_columns(upper: Bytes, lower: Bytes, ahead: int) -> None:
    """Fetch the columns of two rows that lie ``ahead``."""
    for at in range(0, 4 * COLUMNS, LINE):
        prefetch(upper, at + ahead)
        prefetch(lower, at + ahead)


def rgb_row(out: Bytes, luma: Bytes, u: Bytes, v: Bytes, k: Ints, count: int) -> None:
    """See ``rows.rgb_row``."""
    if count < PIXELS:
        rgb_plain(out, luma, u, v, k, count)
        return
    for start in range(0, count, PIXELS):
        i = min(start, count - PIXELS)
        rgb_block(tail(out, 4 * i), tail(luma, i), tail(u, i), tail(v, i), k)


VECTOR_FORMS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    rows.collect_samples: collect_samples,
    rows.collect_opaque: collect_opaque,
    rows.spread_pixels: spread_pixels,
    rows.blend_rows: blend_rows,
    rows.lerp_pixels: lerp_pixels,
    rows.lerp_samples: lerp_samples,
    rows.mix_pixels: mix_pixels,
    rows.mix_opaque: mix_opaque,
    rows.pick_pixels: pick_pixels,
    rows.pick_opaque: pick_opaque,
    rows.halve_samples: halve_samples,
    filter_rows.sum_rows: sum_rows,
    filter_rows.sum_pixels: sum_pixels,
    filter_rows.sum_samples: sum_samples,
    rows.yuv_planar: yuv_planar,
    rows.yuv_paired: yuv_paired,
    rows.rgb_row: rgb_row,
    **NUMBER_FORMS,
    **PAINT_FORMS,
}
"""Loop by loop, what runs in its place."""
