"""Colour, a register at a time: the vector forms of the loops of ``rows`` that convert or repack pixels.

See ``resample_blocks``: each does what the loop that it is named after does to a fixed number of pixels, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from picasso_kernels.cpu.numba_adapter.extending import Value
from picasso_kernels.cpu.resample_blocks import PIXELS, block
from picasso_kernels.cpu.vector_ops import BYTES, I64, Emitter
from picasso_kernels.maths.color import TO_RGB_BITS, TO_YUV_BITS

COLUMNS: Final = 64
"""Columns that ``yuv_planar_block`` and ``yuv_paired_block`` convert, on two rows; the others make ``PIXELS``."""

_CHROMA_BITS: Final = TO_YUV_BITS + 2
"""Chroma is made of sums of four pixels."""
_CHROMA_START: Final = (128 << _CHROMA_BITS) + (1 << (_CHROMA_BITS - 1))


def yuv_lanes(e: Emitter, upper: Value, lower: Value, k: Value) -> tuple[Value, Value, list[Value]]:
    """Return luma of two rows of 64 pixels, and their chroma as four vectors of 32 bits: two of U, two of V."""
    b = e.builder
    luma_k, u_k, v_k = (_coefficients(e, k, first) for first in (0, 4, 7))
    start = b.add(b.shl(e.number(k, 3, 64), I64(TO_YUV_BITS)), I64(1 << (TO_YUV_BITS - 1)))
    luma_start, chroma_start = e.splat(start, 16, 32), e.same(32, _CHROMA_START, 16)
    lumas: tuple[list[Value], list[Value]] = ([], [])
    sums = []
    for part in range(4):
        lines = []
        for line, row in enumerate((upper, lower)):
            lines.append(_split(e, e.load(e.skip(row, BYTES * part), 16, 32)))
            lumas[line].append(b.lshr(_weigh(e, lines[-1], luma_k, luma_start), e.same(32, TO_YUV_BITS, 16)))
        sums.append([b.add(above, below) for above, below in zip(*lines, strict=True)])
    chroma: tuple[list[Value], list[Value]] = ([], [])
    for low, high in (sums[:2], sums[2:]):
        blocks = [_add_neighbours(e, *halves) for halves in zip(low, high, strict=True)]
        for weights, plane in zip((u_k, v_k), chroma, strict=True):
            plane.append(b.ashr(_weigh(e, blocks, weights, chroma_start), e.same(32, _CHROMA_BITS, 16)))
    return e.saturate(lumas[0]), e.saturate(lumas[1]), [*chroma[0], *chroma[1]]


def _split(e: Emitter, pixels: Value) -> tuple[Value, Value]:
    """Return the first and third channel of pixels, and the second and fourth, as 16-bit lanes."""
    mask = e.same(32, 0x00FF00FF, 16)
    shifted = e.builder.lshr(pixels, e.same(32, 8, 16))
    return e.view(e.builder.and_(pixels, mask), 16), e.view(e.builder.and_(shifted, mask), 16)


def _add_neighbours(e: Emitter, low: Value, high: Value) -> Value:
    """Return the sums of neighbouring pixels of two 16-bit lanes each, which hold them."""
    low, high = e.view(low, 32), e.view(high, 32)
    left, right = (e.view(e.pick(low, range(first, 32, 2), high), 16) for first in (0, 1))
    return e.builder.add(left, right)


def _coefficients(e: Emitter, k: Value, first: int) -> tuple[Value, Value]:
    """Return three coefficients, of red, green and blue, as weights of the lanes of ``_split``."""
    red, green, blue = (e.number(k, first + i, 64) for i in range(3))
    return _pair(e, red, blue), _pair(e, green, I64(0))


def _pair(e: Emitter, low: Value, high: Value) -> Value:
    """Return two signed 16-bit numbers over and over."""
    b = e.builder
    return e.view(e.splat(b.or_(b.and_(low, I64(0xFFFF)), b.shl(high, I64(16))), 16, 32), 16)


def _weigh(e: Emitter, lanes: Sequence[Value], weights: Sequence[Value], total: Value) -> Value:
    return e.dot_pairs(lanes[1], weights[1], e.dot_pairs(lanes[0], weights[0], total))


def yuv_planar_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.yuv_planar``: luma of the upper and lower row, U, V, upper, lower, coefficients."""
    luma0, luma1, chroma = yuv_lanes(e, *args[4:])
    planes = e.saturate(chroma)
    e.store(luma0, args[0])
    e.store(luma1, args[1])
    e.store(e.pick(planes, range(32)), args[2])
    e.store(e.pick(planes, range(32, 64)), args[3])


def yuv_paired_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.yuv_paired``: luma of the upper and lower row, pairs, upper, lower, coefficients."""
    luma0, luma1, chroma = yuv_lanes(e, *args[3:])
    e.store(luma0, args[0])
    e.store(luma1, args[1])
    e.store(e.pick(e.saturate(chroma), [lane // 2 + 32 * (lane % 2) for lane in range(64)]), args[2])


def rgb_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.rgb_row``: out, luma, U, V, coefficients."""
    out, *samples, k = args
    b = e.builder
    scale, floor, red_v, green_u, green_v, blue_u = (e.number(k, i, 64) for i in range(6))
    luma, u, v = (e.widen(e.load(row, PIXELS, 8), 32) for row in samples)
    u_high, v_high = (b.shl(chroma, e.same(32, 16, PIXELS)) for chroma in (u, v))
    luma_u, luma_v = (e.view(b.or_(luma, chroma), 16) for chroma in (u_high, v_high))

    def start(chroma: Value) -> Value:
        """Return the rounding less what the offsets of luma and chroma weigh."""
        offsets = b.add(b.mul(floor, scale), b.shl(chroma, I64(7)))
        return e.splat(b.sub(I64(1 << (TO_RGB_BITS - 1)), offsets), PIXELS, 32)

    green = e.dot_pairs(e.view(v_high, 16), _pair(e, I64(0), green_v), start(b.add(green_u, green_v)))
    totals = [
        e.dot_pairs(luma_v, _pair(e, scale, red_v), start(red_v)),
        e.dot_pairs(luma_u, _pair(e, scale, green_u), green),
        e.dot_pairs(luma_u, _pair(e, scale, blue_u), start(blue_u)),
    ]
    pixels = e.same(32, 0xFF000000, PIXELS)
    for channel, total in enumerate(totals):
        level = e.clamp(b.ashr(total, e.same(32, TO_RGB_BITS, PIXELS)))
        pixels = b.or_(pixels, b.shl(level, e.same(32, 8 * channel, PIXELS)))
    e.store(pixels, out)


def collect_opaque_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.collect_opaque``, for tight pixels of three bytes: out, row. Four pixels at a time."""
    out, row = args
    alpha = e.constant(8, [255 * (lane % 4 == 3) for lane in range(16)])
    for part, start in enumerate((0, 12, 24, 32)):  # the last load ends where the pixels end
        first = 12 * part - start
        lanes = [first + lane // 4 * 3 + min(lane % 4, 2) for lane in range(16)]
        e.store(e.builder.or_(e.pick(e.load(e.skip(row, start), 16, 8), lanes), alpha), e.skip(out, 16 * part))


def spread_rgb_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``rows.spread_pixels``, for tight pixels of three bytes: out, row. Four pixels at a time.

    Each store writes four bytes too many, which the next one replaces; the last one is cut.
    """
    out, row = args
    kept = [lane // 3 * 4 + lane % 3 for lane in range(12)]
    for part in range(4):
        packed = e.pick(e.load(e.skip(row, 16 * part), 16, 8), [*kept, *[0] * 4])
        pieces = [range(16)] if part < 3 else [range(8), range(8, 12)]
        for piece in pieces:
            e.store(e.pick(packed, piece), e.skip(out, 12 * part + piece[0]))


yuv_planar_block = block(yuv_planar_lanes)
yuv_paired_block = block(yuv_paired_lanes)
rgb_block = block(rgb_lanes)
collect_opaque_block = block(collect_opaque_lanes)
spread_rgb_block = block(spread_rgb_lanes)
