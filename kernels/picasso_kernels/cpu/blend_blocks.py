"""Blending, a register at a time: the vector forms of the loops of ``blend``; see ``resample_blocks``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from picasso_kernels.cpu.numba_adapter.extending import Value, for_range
from picasso_kernels.cpu.resample_blocks import block
from picasso_kernels.cpu.vector_ops import I64, Emitter, vector
from picasso_kernels.paint.blend import MARGIN
from picasso_kernels.paint.coverage import FULL

TINTS: Final = 16
"""Samples that ``tint_many``, and pixels that ``tint_triples_many`` makes; the others make ``MARGIN``."""


SPOTS: Final = 8
"""Pixels that the blocks of ``tint_pixel_spots`` and its like make."""


def tint_lanes(e: Emitter, args: Sequence[Value], count: int) -> None:
    """See ``blend.tint_samples``: ``count`` samples side by side, pitch, a value, its shares in 0..256, and rows."""
    plane, pitch, over, shares_at, rows = args
    _tint_rows(e, plane, pitch, e.splat(over, count, 16), e.load(shares_at, count, 16), rows)


def tint_pixels_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``blend.tint_pixels``: ``MARGIN`` pixels side by side, pitch, a pixel, its shares in 0..256, and rows."""
    pixels, pitch, over, shares_at, rows = args
    color = e.widen(e.view(e.splat(over, MARGIN, 32), 8), 16)
    shares = e.pick(e.load(shares_at, MARGIN, 16), [lane // 4 for lane in range(4 * MARGIN)])
    _tint_rows(e, pixels, pitch, color, shares, rows)


def tint_triples_lanes(e: Emitter, args: Sequence[Value], count: int) -> None:
    """See ``blend.tint_triples``: ``count`` pixels side by side, pitch, a pixel, its shares in 0..256, and rows."""
    pixels, pitch, over, shares_at, rows = args
    shares = e.pick(e.load(shares_at, count, 16), [lane // 3 for lane in range(3 * count)])
    _tint_rows(e, pixels, pitch, _triples(e, over, count), shares, rows)


def _triples(e: Emitter, over: Value, count: int) -> Value:
    """Return the three low bytes of a number, again and again, as 16-bit lanes."""
    color = e.view(e.splat(over, count, 32), 8)
    return e.widen(e.pick(color, [4 * (lane // 3) + lane % 3 for lane in range(3 * count)]), 16)


def tint_spots_lanes(e: Emitter, args: Sequence[Value], channels: int) -> None:
    """See ``blend.tint_pixel_spots``: pixels, a pixel, opacity, coverage, how many of ``SPOTS`` pixels count."""
    pixels, over, alpha, spots, count = args
    b = e.builder
    values = e.widen(e.load(spots, SPOTS, 8), 32)
    values = b.add(values, b.lshr(values, e.same(32, 7, SPOTS)))
    shares = b.add(b.mul(values, e.splat(alpha, SPOTS, 32)), e.same(32, FULL // 2, SPOTS))
    shares = b.lshr(shares, e.same(32, 8, SPOTS))
    counted = b.icmp_signed("<", e.constant(32, range(SPOTS)), e.splat(count, SPOTS, 32))
    shares = b.trunc(b.select(counted, shares, e.same(32, 0, SPOTS)), vector(SPOTS, 16))
    shares = e.pick(shares, [lane // channels for lane in range(channels * SPOTS)])
    if channels == 3:
        color = _triples(e, over, SPOTS)
    else:
        color = e.widen(e.view(e.splat(over, SPOTS, 32), 8), 16) if channels == 4 else e.splat(over, SPOTS, 16)
    _tint_rows(e, pixels, I64(0), color, shares, I64(1))


def lay_lanes(e: Emitter, args: Sequence[Value], channels: int, swapped: bool) -> None:
    """See ``picture.lay_row``: ``SPOTS`` pixels, the image, opacity."""
    pixels, over_at, alpha = args
    b = e.builder
    over = e.load(over_at, 4 * SPOTS, 8)
    values = e.widen(e.pick(over, [4 * lane + 3 for lane in range(SPOTS)]), 32)
    values = b.add(values, b.lshr(values, e.same(32, 7, SPOTS)))
    shares = b.add(b.mul(values, e.splat(alpha, SPOTS, 32)), e.same(32, FULL // 2, SPOTS))
    shares = b.trunc(b.lshr(shares, e.same(32, 8, SPOTS)), vector(SPOTS, 16))
    shares = e.pick(shares, [lane // channels for lane in range(channels * SPOTS)])
    order = (2, 1, 0, 3) if swapped else (0, 1, 2, 3)
    lanes = [4 * (lane // channels) + order[lane % channels] for lane in range(channels * SPOTS)]
    opaque = e.same(8, 255, 4 * SPOTS)
    lanes = [4 * SPOTS if lane % 4 == 3 else lane for lane in lanes]
    _tint_rows(e, pixels, I64(0), e.widen(e.pick(over, lanes, opaque), 16), shares, I64(1))


def _tint_rows(e: Emitter, first: Value, pitch: Value, over: Value, shares: Value, rows: Value) -> None:
    """Blend 16-bit lanes into the bytes at ``first`` and at the same place of the following rows."""
    b, count = e.builder, shares.type.count
    left = b.sub(e.same(16, FULL, count), shares)
    added = b.add(b.mul(over, shares), e.same(16, FULL // 2, count))
    with for_range(b, rows) as loop:
        row = e.skip(first, b.mul(loop.index, pitch))
        mixed = b.add(b.mul(e.widen(e.load(row, count, 8), 16), left), added)
        e.store(b.trunc(b.lshr(mixed, e.same(16, 8, count)), vector(count, 8)), row)


def average_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``blend.average_shares``: out, upper, lower; ``MARGIN`` means."""
    out, upper, lower = args
    sums = e.builder.add(e.load(upper, 2 * MARGIN, 16), e.load(lower, 2 * MARGIN, 16))
    total = e.dot_pairs(sums, e.same(16, 1, 2 * MARGIN), e.same(32, 2, MARGIN))
    e.store(e.builder.trunc(e.builder.lshr(total, e.same(32, 2, MARGIN)), vector(MARGIN, 16)), out)


tint_many = block(partial(tint_lanes, count=TINTS))
tint_few = block(partial(tint_lanes, count=MARGIN))
tint_pixels_few = block(tint_pixels_lanes)
tint_triples_many = block(partial(tint_triples_lanes, count=TINTS))
tint_triples_few = block(partial(tint_triples_lanes, count=MARGIN))
tint_pixel_spots_block = block(partial(tint_spots_lanes, channels=4))
tint_triple_spots_block = block(partial(tint_spots_lanes, channels=3))
tint_sample_spots_block = block(partial(tint_spots_lanes, channels=1))
lay_triples_block = block(partial(lay_lanes, channels=3, swapped=False))
lay_pixels_block = block(partial(lay_lanes, channels=4, swapped=False))
lay_swapped_triples_block = block(partial(lay_lanes, channels=3, swapped=True))
lay_swapped_pixels_block = block(partial(lay_lanes, channels=4, swapped=True))
average_block = block(average_lanes)
