"""Scores of candidates, a register at a time: the vector forms of the loops of ``scores``. See ``resample_blocks``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from picasso_kernels.cpu.numba_adapter.extending import Value
from picasso_kernels.cpu.resample_blocks import block
from picasso_kernels.cpu.vector_ops import I64, Emitter

SCORES: Final = 64
"""Numbers that ``raise_to_many`` and ``raise_to_one`` raise."""
MANY_ROWS: Final = 8
"""Rows that ``raise_to_many`` reads: as many streams of memory as a CPU follows."""


def raise_lanes(e: Emitter, args: Sequence[Value], rows: int) -> None:
    """See ``scores.raise_to_rows``, for that many rows: best, rows, pitch."""
    best, first, pitch = args
    most, step = e.load(best, SCORES, 32), e.builder.shl(pitch, I64(2))
    for row in range(rows):
        other = e.load(e.skip(first, e.builder.mul(step, I64(row))), SCORES, 32)
        most = e.builder.select(e.builder.icmp_signed(">", other, most), other, most)
    e.store(most, best)


raise_to_many = block(partial(raise_lanes, rows=MANY_ROWS))
raise_to_one = block(partial(raise_lanes, rows=1))
