"""The blur, a register at a time: the vector forms of the loops of ``blur``; see ``resample_blocks``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from picasso_kernels.cpu.numba_adapter.extending import Value
from picasso_kernels.cpu.resample_blocks import block
from picasso_kernels.cpu.vector_ops import I64, Emitter, vector
from picasso_kernels.paint.blur import LINES, TURN, WIDEST

BLURRED: Final = 16
"""Lines, or pixels, that the blocks make."""
_SUMS: Final = 4 * LINES
_RING: Final = WIDEST * _SUMS


def step_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``blur.step_lines``: samples, their past in the first two boxes and in the third, the sums."""
    samples, past, last_past, state = args
    b, added = e.builder, e.widen(e.load(samples, BLURRED, 8), 32)
    pasts = past, e.skip(past, _RING), last_past
    for number, place in enumerate(pasts):
        sums = e.skip(state, number * _SUMS)
        total = b.sub(b.add(e.load(sums, BLURRED, 32), added), e.load(place, BLURRED, 32))
        e.store(added, place)
        e.store(total, sums)
        added = total


def take_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``blur.take_lines``: out, sums, weight."""
    out, sums, weight = args
    b = e.builder
    product = b.mul(e.widen(e.load(sums, BLURRED, 32), 64), e.splat(weight, BLURRED, 64))
    means = b.lshr(b.add(product, e.same(64, 1 << 31, BLURRED)), e.same(64, 32, BLURRED))
    e.store(b.trunc(means, vector(BLURRED, 8)), out)


def turn_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``blur.turn_lines``: out, pitch, tile. Four rounds that interleave what lies half of them apart."""
    out, pitch, tile = args
    rows = [e.load(e.skip(tile, LINES * place), TURN, 8) for place in range(TURN)]
    half = TURN // 2
    low = [lane // 2 + TURN * (lane % 2) for lane in range(TURN)]
    for _ in range(4):
        pairs = [(rows[row], rows[row + half]) for row in range(half)]
        rows = [e.pick(a, [lane + start for lane in low], b) for a, b in pairs for start in (0, half)]
    for line, row in enumerate(rows):
        e.store(row, e.skip(out, e.builder.mul(pitch, I64(line))))


def weave_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``blur.weave_row``, for pixels of three bytes: pixels, planes, bytes from a plane to the next."""
    pixels, planes, plane = args
    first, second = e.load(planes, BLURRED, 8), e.load(e.skip(planes, plane), BLURRED, 8)
    third = e.load(e.skip(planes, e.builder.mul(plane, I64(2))), BLURRED, 8)
    two = e.concat([first, second])
    both = e.pick(third, [lane % BLURRED for lane in range(2 * BLURRED)])
    lanes = [(0, BLURRED, 2 * BLURRED)[lane % 3] + lane // 3 for lane in range(3 * BLURRED)]
    e.store(e.pick(two, lanes, both), pixels)


step_block = block(step_lanes)
take_block = block(take_lanes)
turn_block = block(turn_lanes)
weave_block = block(weave_lanes)
