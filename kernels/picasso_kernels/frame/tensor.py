"""A tensor of a frame: what a model reads, in the order of memory that it wants."""

from __future__ import annotations

from picasso_kernels.frame.job import (
    GREY,
    HEIGHT,
    LEFT,
    NUMBER_BYTES,
    OPAQUE,
    OUT,
    OUT_BASE,
    OUT_LANE_STEP,
    OUT_PITCH,
    OUT_STEP,
    PAD,
    ROW_BYTES,
    ROWS,
    SAMPLE_ROWS,
    STREAM,
    SWAP,
    TARGET_HEIGHT,
    TARGET_WIDTH,
    TO_YUV,
    TOP,
    WIDTH,
)
from picasso_kernels.frame.picture import pixel_row
from picasso_kernels.maths.memory import Bytes, Ints, Planes, tail
from picasso_kernels.maths.numbers import numbers8, numbers16, numbers32
from picasso_kernels.maths.rows import fill_pixels, grey_pixels, luma_row, order_pixels


def write_tensor(job: Ints, table: Ints, scratch: Bytes, sources: Planes, out: Bytes, numbers: Bytes) -> None:
    """Write a picture's share of a tensor, bars included; ``numbers`` are those of ``maths.numbers``."""
    left, right, width, top = job[LEFT], job[LEFT] + job[WIDTH], job[TARGET_WIDTH], job[TOP]
    row = tail(scratch, job[ROWS])
    pad = tail(row, 2 * job[ROW_BYTES])
    fill_pixels(pad, job[PAD], width)
    for y in range(job[TARGET_HEIGHT]):
        if top <= y < top + job[HEIGHT]:
            colour_row(job, table, scratch, sources, y - top, row)
            put_numbers(job, out, 0, y, pad, numbers, left)
            put_numbers(job, out, left, y, row, numbers, job[WIDTH])
            put_numbers(job, out, right, y, pad, numbers, width - right)
        else:
            put_numbers(job, out, 0, y, pad, numbers, width)


def colour_row(job: Ints, table: Ints, scratch: Bytes, sources: Planes, y: int, row: Bytes) -> None:
    """Write row ``y`` of the picture as pixels whose channels are those of the tensor."""
    pixel_row(job, table, scratch, sources, y, row)
    if job[SWAP]:
        order_pixels(row, row, 1, job[OPAQUE], job[WIDTH])
    if job[GREY]:
        luma = tail(scratch, job[SAMPLE_ROWS])
        luma_row(luma, row, tail(job, TO_YUV), job[WIDTH])
        grey_pixels(row, luma, job[WIDTH])


def put_numbers(job: Ints, out: Bytes, x: int, y: int, row: Bytes, numbers: Bytes, count: int) -> None:
    """Write the numbers of ``count`` pixels from ``(x, y)`` of the target on."""
    step, lane_step, size = job[OUT + OUT_STEP], job[OUT + OUT_LANE_STEP], job[NUMBER_BYTES]
    first = tail(out, job[OUT + OUT_BASE] + y * job[OUT + OUT_PITCH] + x * step)
    if size == 4:
        numbers32(first, step, lane_step, row, numbers, job[STREAM], count)
    elif size == 2:
        numbers16(first, step, lane_step, row, numbers, job[STREAM], count)
    else:
        numbers8(first, step, lane_step, row, numbers, count)
