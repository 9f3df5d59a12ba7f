"""One row of the picture as pixels, made of the components of the source."""

from __future__ import annotations

from picasso_kernels.frame.job import (
    COMPONENT,
    READER,
    SAMPLE_ROW_BYTES,
    SAMPLE_ROWS,
    TO_RGB,
    WIDTH,
    Reader,
)
from picasso_kernels.frame.resample import target_row
from picasso_kernels.maths.memory import Bytes, Ints, Planes, tail
from picasso_kernels.maths.rows import grey_pixels, rgb_row


def pixel_row(job: Ints, table: Ints, scratch: Bytes, sources: Planes, y: int, out: Bytes) -> None:
    """Write row ``y`` of the picture as pixels whose channels are in the order of the source."""
    if job[READER] == Reader.PIXELS:
        target_row(job, sources[0], table, scratch, y, out)
        return
    size = job[SAMPLE_ROW_BYTES]
    luma = tail(scratch, job[SAMPLE_ROWS])
    target_row(job, sources[0], table, scratch, y, luma)
    if job[READER] == Reader.GREY:
        grey_pixels(out, luma, job[WIDTH])
        return
    u, v = tail(luma, size), tail(luma, 2 * size)
    target_row(tail(job, COMPONENT), sources[1], table, scratch, y, u)
    target_row(tail(job, 2 * COMPONENT), sources[2], table, scratch, y, v)
    rgb_row(out, luma, u, v, tail(job, TO_RGB), job[WIDTH])
