"""Resampling, a register at a time: the vector forms of the loops of ``rows`` and ``filter_rows``.

Each does what the loop that it is named after does to a fixed number of samples, bit for bit. It is a function on an
``Emitter`` and its arguments: addresses of bytes, and 64-bit integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from picasso_kernels.cpu.numba_adapter.extending import Value, for_range, variable
from picasso_kernels.cpu.numba_adapter.vectors import vector_function
from picasso_kernels.cpu.vector_ops import BYTES, I64, Emitter, vector
from picasso_kernels.maths.filter_rows import DOWN_BITS, LAST_BITS
from picasso_kernels.maths.pixel import FRACTION_BITS, WEIGHT_BITS

BLEND: Final = 64
"""Samples that ``blend_fine`` and ``blend_coarse`` make."""
PIXELS: Final = 16
"""Pixels that ``lerp_pixels_near``, ``lerp_pixels_far`` and ``mix_pixels`` make."""
SAMPLES: Final = 32
"""Samples that ``lerp_samples_near``, ``lerp_samples_far``, ``halve_block`` and ``sum_rows_block`` make."""
SUM_PIXELS: Final = 4
"""Pixels that ``sum_pixels_block`` makes."""
SUM_SAMPLES: Final = 16
"""Samples that ``sum_samples_block`` makes."""

_TO_15_BITS: Final = 15 - WEIGHT_BITS
"""``multiply_rounded`` divides by 2**15; weights are shifted up by this to be divided by 2**11 in effect."""


def block(lanes: Callable[[Emitter, Sequence[Value]], None]) -> Any:
    """Make of vector code a function that compiled kernels call; arrays and tails become addresses of bytes."""
    return vector_function(lambda context, builder, operands: lanes(Emitter(context, builder), operands))


def blend_fine_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.blend_rows``: out, upper, lower, weight."""
    out, upper_at, lower_at, weight = args
    b, bits = e.builder, e.same(16, FRACTION_BITS, BLEND)
    upper, lower = (b.shl(e.widen(e.load(at, BLEND, 8), 16), bits) for at in (upper_at, lower_at))
    share = e.splat(b.shl(weight, I64(_TO_15_BITS)), BLEND, 16)
    e.store(b.add(upper, e.multiply_rounded(b.sub(lower, upper), share)), out)


def blend_coarse_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.blend_rows``, for weights that count 128ths: out, upper, lower, weight in 1..127.

    Two products of bytes, summed in 16 bits, are all there is to it then.
    """
    out, upper_at, lower_at, weight = args
    shares = _coarse_shares(e, weight)
    for half in range(2):
        upper, lower = (e.load(e.skip(at, 32 * half), 32, 8) for at in (upper_at, lower_at))
        pairs = e.pick(upper, [lane // 2 + 32 * (lane % 2) for lane in range(64)], lower)
        e.store(e.dot_bytes(pairs, shares), e.skip(out, 64 * half))


def _coarse_shares(e: Emitter, weight: Value) -> Value:
    """Return the shares of the upper and the lower byte of each pair, 128 in all."""
    b = e.builder
    return e.view(e.splat(b.or_(b.sub(I64(128), weight), b.shl(weight, I64(8))), 32, 16), 8)


def lerp_pixels_near_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.lerp_pixels``, where eight neighbours lie within sixteen source pixels: out, wide, and three tables.

    The index of the first of each eight pixels and the distances of all from it name the lanes of two registers;
    the weights are there once a channel, in 32768ths.
    """
    out, wide, index, distance, weight = args
    if not e.has("avx512f"):
        lerp_pixels_far_lanes(e, [out, wide, index, weight])
        return
    halves = []
    for half in range(2):
        base = e.skip(wide, e.builder.shl(e.number(index, 8 * half, 16), I64(3)))
        pixels = e.load(base, 8, 64), e.load(e.skip(base, BYTES), 8, 64)
        places = e.widen(e.load(e.skip(distance, 16 * half), 8, 16), 64)
        after = e.builder.add(places, e.same(64, 1, 8))
        left, right = (e.view(e.permute(pixels, lanes), 16) for lanes in (places, after))
        halves.append(_lerp_narrow(e, left, right, e.load(e.skip(weight, 64 * half), 32, 16)))
    e.store(e.bytes_of(*halves), out)


def lerp_pixels_far_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.lerp_pixels``: out, wide, and the tables of indices and, once a channel, of weights in 32768ths.

    A load of 16 bytes brings a pixel and its right neighbour. Every other pixel goes into the one register, so that
    taking the left and the right halves of both moves nothing across the 16 bytes that x86 shuffles within.
    """
    out, wide, index, weight = args
    halves = []
    for half in range(2):
        places = [e.builder.shl(e.number(index, 8 * half + lane, 16), I64(3)) for lane in range(8)]
        pairs = [e.load(e.skip(wide, place), 2, 64) for place in places]
        even, odd = e.concat(pairs[::2]), e.concat(pairs[1::2])
        turns = ([lane // 2 * 2 + first + 8 * (lane % 2) for lane in range(8)] for first in (0, 1))
        left, right = (e.view(e.pick(even, lanes, odd), 16) for lanes in turns)
        halves.append(_lerp_narrow(e, left, right, e.load(e.skip(weight, 64 * half), 32, 16)))
    e.store(e.bytes_of(*halves), out)


def mix_pixels_lanes(e: Emitter, args: Sequence[Value], coarse: bool) -> None:
    """See ``rows.mix_pixels``: out, upper, lower, weight, and the tables of ``lerp_pixels_far_lanes``.

    Pixels come with their right neighbours, 8 bytes a row. ``coarse``: the weight is in 1..127.
    """
    out, upper, lower, weight, index, weights = args
    places = [e.builder.shl(e.number(index, pixel, 16), I64(2)) for pixel in range(PIXELS)]
    above, below = ([e.load(e.skip(row, place), 8, 8) for place in places] for row in (upper, lower))
    e.store(_mixed(e, above, below, weight, weights, range(8), coarse), out)


def mix_opaque_lanes(e: Emitter, args: Sequence[Value], coarse: bool) -> None:
    """See ``rows.mix_opaque``; as ``mix_pixels_lanes``, of pixels that come with their right neighbours in 6 bytes.

    Two bytes more are read: with the last of the block those before, as its neighbour may end the memory; with the
    others those behind, where the pixels of the next ones lie.
    """
    out, upper, lower, weight, index, weights = args
    places = [e.builder.mul(e.number(index, pixel, 16), I64(3)) for pixel in range(PIXELS)]
    above, below = ([e.load(e.skip(row, place), 8, 8) for place in places[:-1]] for row in (upper, lower))
    for row, at in ((above, upper), (below, lower)):
        last = e.load(e.skip(e.skip(at, places[-1]), -2), 8, 8)
        row.append(e.pick(last, [2, 3, 4, 5, 6, 7, 7, 7]))
    pixels = _mixed(e, above, below, weight, weights, (0, 1, 2, 2, 3, 4, 5, 5), coarse)
    e.store(e.builder.or_(pixels, e.constant(8, [0, 0, 0, 255] * PIXELS)), out)


def _mixed(
    e: Emitter,
    above: Sequence[Value],
    below: Sequence[Value],
    weight: Value,
    weights: Value,
    order: Sequence[int],
    coarse: bool,
) -> Value:
    """Return pixels that are blended of each two rows' 8 bytes, which are read in that order.

    Those of which two by two are even go one way, the odd ones another, so that nothing crosses the 16 bytes that x86
    shuffles within.
    """
    mixed = []
    for first in (0, 2):
        pixels = [4 * (i // 2) + first + i % 2 for i in range(PIXELS // 2)]
        high, low = (e.concat([row[pixel] for pixel in pixels]) for row in (above, below))
        pairs = []
        for half in (0, 1):
            lanes = [8 * (i // 16 * 2 + half) + order[i % 16 // 2] + 64 * (i % 2) for i in range(64)]
            pairs.append((_mix_coarse if coarse else _mix_fine)(e, high, low, lanes, weight))
        left, right = (
            e.view(
                e.pick(e.view(pairs[0], 64), [i // 2 * 2 + side + 8 * (i % 2) for i in range(8)], e.view(pairs[1], 64)),
                16,
            )
            for side in (0, 1)
        )
        shares = e.concat([e.load(e.skip(weights, 32 * i + 8 * first), 8, 16) for i in range(PIXELS // 4)])
        mixed.append(_lerp_narrow(e, left, right, shares))
    return e.alternate_bytes(*mixed)


def _mix_coarse(e: Emitter, above: Value, below: Value, lanes: Sequence[int], weight: Value) -> Value:
    """Blend the bytes that ``lanes`` pairs, as ``blend_coarse_lanes`` does."""
    return e.dot_bytes(e.pick(above, lanes, below), _coarse_shares(e, weight))


def _mix_fine(e: Emitter, above: Value, below: Value, lanes: Sequence[int], weight: Value) -> Value:
    """Blend the bytes that ``lanes`` pairs, as ``blend_fine_lanes`` does."""
    b, zero, bits = e.builder, e.same(8, 0, 64), e.same(16, FRACTION_BITS, 32)
    turned = [lane if i % 2 == 0 else lane % 64 + 64 for i, lane in enumerate(lanes)]
    high, low = (b.shl(e.view(e.pick(row, turned, zero), 16), bits) for row in (above, below))
    share = e.splat(b.shl(weight, I64(_TO_15_BITS)), 32, 16)
    return b.add(high, e.multiply_rounded(b.sub(low, high), share))


def lerp_samples_lanes(e: Emitter, args: Sequence[Value], near: bool) -> None:
    """See ``rows.lerp_samples``: out, wide, index, weight."""
    out, wide, index, weight = args
    left, right = _neighbours(e, near)(e, wide, index)
    weights = e.builder.shl(e.load(weight, SAMPLES, 16), e.same(16, _TO_15_BITS, SAMPLES))
    e.store(e.builder.trunc(_lerp_narrow(e, left, right, weights), vector(SAMPLES, 8)), out)


def _neighbours(e: Emitter, near: bool) -> Callable[[Emitter, Value, Value], tuple[Value, Value]]:
    """Choose what brings samples and their right neighbours."""
    if near and e.has("avx512bw"):
        return _near_samples
    return _turned_samples if near and e.has("ssse3") else _far_samples


def halve_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.halve_samples``: out, upper, lower."""
    out, *rows = args
    b, ones = e.builder, e.same(8, 1, 2 * SAMPLES)
    upper, lower = (e.dot_bytes(e.load(row, 2 * SAMPLES, 8), ones) for row in rows)
    total = b.add(b.add(upper, lower), e.same(16, 2, SAMPLES))
    e.store(b.trunc(b.lshr(total, e.same(16, 2, SAMPLES)), vector(SAMPLES, 8)), out)


def _near_samples(e: Emitter, wide: Value, index: Value) -> tuple[Value, Value]:
    """Return 32 samples of a wide row and their right neighbours, all within 64, by two permutations."""
    first = e.number(index, 0, 16)
    base = e.skip(wide, e.builder.shl(first, I64(1)))
    samples = e.load(base, 32, 16), e.load(e.skip(base, BYTES), 32, 16)
    places = e.builder.sub(e.load(index, SAMPLES, 16), e.splat(first, SAMPLES, 16))
    return e.permute(samples, places), e.permute(samples, e.builder.add(places, e.same(16, 1, SAMPLES)))


def _turned_samples(e: Emitter, wide: Value, index: Value) -> tuple[Value, Value]:
    """Return 32 samples of a wide row and their right neighbours, each four pairs of them within 16 bytes."""
    b, places = e.builder, e.widen(e.load(index, SAMPLES, 16), 32)
    distances = b.sub(places, e.pick(places, [i // 4 * 4 for i in range(SAMPLES)]))
    pairs = b.add(b.mul(distances, e.same(32, 0x02020202, SAMPLES)), e.same(32, 0x03020100, SAMPLES))
    starts = [e.skip(wide, b.shl(e.number(index, i, 16), I64(1))) for i in range(0, SAMPLES, 4)]
    samples = e.concat([e.load(start, 16, 8) for start in starts])
    return _split_pairs(e, e.view(e.turn_bytes(samples, e.view(pairs, 8)), 16))


def _far_samples(e: Emitter, wide: Value, index: Value) -> tuple[Value, Value]:
    """Return 32 samples of a wide row and their right neighbours, from anywhere."""
    return _split_pairs(e, e.view(e.gather(wide, 2, e.widen(e.load(index, SAMPLES, 16), 32), 32), 16))


def _split_pairs(e: Emitter, pairs: Value) -> tuple[Value, Value]:
    return e.pick(pairs, range(0, 2 * SAMPLES, 2)), e.pick(pairs, range(1, 2 * SAMPLES, 2))


def _lerp_narrow(e: Emitter, left: Value, right: Value, weights: Value) -> Value:
    """Blend 16-bit lanes by weights in 32768ths and round them to 0..255, still in 16 bits."""
    mixed = e.builder.add(left, e.multiply_rounded(e.builder.sub(right, left), weights))
    return e.multiply_rounded(mixed, e.same(16, 1 << (15 - FRACTION_BITS), left.type.count))


def sum_rows_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``filter_rows.sum_rows``: out, rows, places, weights, taps. 32 samples, two rows at a time."""
    out, rows, places, weights, taps = args
    b = e.builder
    sums = [variable(b, e.same(32, 1 << (DOWN_BITS - 1), 16)) for _ in range(2)]
    with for_range(b, b.lshr(taps, I64(1))) as loop:
        here = e.skip(places, b.shl(loop.index, I64(4)))
        upper, lower = (e.widen(e.load(e.skip(rows, e.number(here, i, 64)), 32, 8), 16) for i in range(2))
        pair = e.number(e.skip(weights, b.shl(loop.index, I64(2))), 0, 32)
        shares = e.view(e.splat(pair, 16, 32), 16)
        for half, total in enumerate(sums):
            lanes = [8 * (i // 8) + 4 * half + i % 8 // 2 + 32 * (i % 2) for i in range(32)]
            b.store(e.dot_pairs(e.pick(upper, lanes, lower), shares, b.load(total)), total)
    e.store(e.words_of(*(b.ashr(b.load(total), e.same(32, DOWN_BITS, 16)) for total in sums)), out)


def sum_pixels_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``filter_rows.sum_pixels``: out, wide, index, weights, count, taps. Four pixels, two taps at a time."""
    out, wide, index, weights, count, taps = args
    b = e.builder
    total = variable(b, e.same(32, 1 << (LAST_BITS - 1), 16))
    starts = [e.skip(wide, b.shl(e.number(index, pixel, 16), I64(3))) for pixel in range(4)]
    with for_range(b, b.lshr(taps, I64(1))) as loop:
        pairs = e.concat([e.load(e.skip(start, b.shl(loop.index, I64(4))), 8, 16) for start in starts])
        turned = e.pick(pairs, [8 * (i // 8) + 4 * (i % 2) + i % 8 // 2 for i in range(32)])
        entries = e.load(e.skip(weights, b.mul(b.shl(count, I64(2)), loop.index)), 4, 32)
        shares = e.view(e.pick(entries, [i // 4 for i in range(16)]), 16)
        b.store(e.dot_pairs(turned, shares, b.load(total)), total)
    _store_levels(e, b.load(total), out)


def sum_samples_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``filter_rows.sum_samples``: out, wide, index, weights, count, taps. 16 samples, two taps at a time."""
    out, wide, index, weights, count, taps = args
    b = e.builder
    total = variable(b, e.same(32, 1 << (LAST_BITS - 1), 16))
    places = e.widen(e.load(index, 16, 16), 32)
    with for_range(b, b.lshr(taps, I64(1))) as loop:
        pairs = e.gather(e.skip(wide, b.shl(loop.index, I64(2))), 2, places, 32)
        shares = e.load(e.skip(weights, b.mul(b.shl(count, I64(2)), loop.index)), 32, 16)
        b.store(e.dot_pairs(e.view(pairs, 16), shares, b.load(total)), total)
    _store_levels(e, b.load(total), out)


def _store_levels(e: Emitter, total: Value, out: Value) -> None:
    """Round sums of taps to bytes."""
    levels = e.clamp(e.builder.ashr(total, e.same(32, LAST_BITS, 16)))
    e.store(e.builder.trunc(levels, vector(16, 8)), out)


blend_fine = block(blend_fine_lanes)
blend_coarse = block(blend_coarse_lanes)
lerp_pixels_near = block(lerp_pixels_near_lanes)
lerp_pixels_far = block(lerp_pixels_far_lanes)
mix_pixels_coarse = block(partial(mix_pixels_lanes, coarse=True))
mix_pixels_fine = block(partial(mix_pixels_lanes, coarse=False))
mix_opaque_coarse = block(partial(mix_opaque_lanes, coarse=True))
mix_opaque_fine = block(partial(mix_opaque_lanes, coarse=False))
lerp_samples_near = block(partial(lerp_samples_lanes, near=True))
lerp_samples_far = block(partial(lerp_samples_lanes, near=False))
halve_block = block(halve_lanes)
sum_rows_block = block(sum_rows_lanes)
sum_pixels_block = block(sum_pixels_lanes)
sum_samples_block = block(sum_samples_lanes)
