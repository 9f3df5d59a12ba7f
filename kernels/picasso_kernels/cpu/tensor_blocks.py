"""Numbers of tensors, a register at a time: the vector forms of the loops of ``numbers``.

See ``resample_blocks``: each does what the loop that it is named after does to 16 pixels, bit for bit. Where a CPU
has a fused multiplication and addition, numbers are computed, elsewhere they are looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from picasso_kernels.cpu.numba_adapter.extending import Value
from picasso_kernels.cpu.resample_blocks import PIXELS, block
from picasso_kernels.cpu.vector_ops import I64, Emitter
from picasso_kernels.maths.numbers import CHANNELS, ENTRIES, LEVELS

_PACKED: Final = [4 * (number // CHANNELS) + number % CHANNELS for number in range(CHANNELS * PIXELS)]
"""Which byte of 16 pixels each number of interleaved channels comes from."""


def _look_up(e: Emitter, size: int, row: Value, numbers: Value, places: Sequence[tuple[int, Value]]) -> None:
    """Write the number of each byte of a row that ``places`` names, where it says."""
    b = e.builder
    for byte, out in places:
        level = e.number(row, byte, 8)
        entry = e.skip(numbers, b.shl(b.add(level, I64(LEVELS * (byte % 4))), I64(size.bit_length() - 1)))
        e.store(e.load(entry, 1, 8 * size), out)


def _scaled(e: Emitter, size: int, levels: Value, factors: Value, offsets: Value) -> Value:
    made = e.multiply_add(e.floats(levels), factors, offsets)
    return made if size == 4 else e.halves(made)


def _planar(e: Emitter, size: int, args: Sequence[Value], *, stream: bool = False) -> None:
    *planes, row, numbers = args
    if not e.computes_floats(size):
        places = [
            (4 * x + channel, e.skip(plane, size * x)) for x in range(PIXELS) for channel, plane in enumerate(planes)
        ]
        _look_up(e, size, row, numbers, places)
        return
    pixels, behind = e.load(row, PIXELS, 32), e.skip(numbers, size * ENTRIES)
    for channel, plane in enumerate(planes):
        shifted = e.builder.lshr(pixels, e.same(32, 8 * channel, PIXELS))
        levels = e.builder.and_(shifted, e.same(32, 255, PIXELS))
        factors, offsets = (e.splat_float(behind, channel + first, PIXELS) for first in (0, CHANNELS))
        made = _scaled(e, size, levels, factors, offsets)
        if stream:
            e.stream(made, plane, size * PIXELS)
        else:
            e.store(made, plane)


def _packed(e: Emitter, size: int, args: Sequence[Value]) -> None:
    out, row, numbers = args
    if not e.computes_floats(size):
        _look_up(e, size, row, numbers, [(byte, e.skip(out, size * number)) for number, byte in enumerate(_PACKED)])
        return
    pixels, behind = e.load(row, 4 * PIXELS, 8), e.skip(numbers, size * ENTRIES)
    three = [
        e.load_floats(e.skip(behind, 4 * first), 4) for first in (0, CHANNELS - 1)
    ]  # the last ends with the memory
    for part in range(CHANNELS):
        numbers_here = range(PIXELS * part, PIXELS * (part + 1))
        levels = e.widen(e.pick(pixels, [_PACKED[number] for number in numbers_here]), 32)
        factors = e.pick(three[0], [number % CHANNELS for number in numbers_here])
        offsets = e.pick(three[1], [number % CHANNELS + 1 for number in numbers_here])
        e.store(_scaled(e, size, levels, factors, offsets), e.skip(out, size * PIXELS * part))


def planar32_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``numbers.numbers32``, for planes: three planes, row, numbers."""
    _planar(e, 4, args)


def planar16_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``numbers.numbers16``, for planes: three planes, row, numbers."""
    _planar(e, 2, args)


def planar32_stream_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """As ``planar32_lanes``, for tensors that are larger than the caches: three planes, row, numbers."""
    _planar(e, 4, args, stream=True)


def planar16_stream_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """As ``planar16_lanes``, for tensors that are larger than the caches: three planes, row, numbers."""
    _planar(e, 2, args, stream=True)


def planar8_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``numbers.numbers8``, for planes whose numbers are the levels: three planes, row."""
    *planes, row = args
    pixels = e.load(row, 4 * PIXELS, 8)
    for channel, plane in enumerate(planes):
        e.store(e.pick(pixels, range(channel, 4 * PIXELS, 4)), plane)


def packed32_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``numbers.numbers32``, for interleaved channels: out, row, numbers."""
    _packed(e, 4, args)


def packed16_lanes(e: Emitter, args: Sequence[Value]) -> None:
    """See ``numbers.numbers16``, for interleaved channels: out, row, numbers."""
    _packed(e, 2, args)


planar32_block = block(planar32_lanes)
planar16_block = block(planar16_lanes)
planar32_stream_block = block(planar32_stream_lanes)
planar16_stream_block = block(planar16_stream_lanes)
planar8_block = block(planar8_lanes)
packed32_block = block(packed32_lanes)
packed16_block = block(packed16_lanes)
