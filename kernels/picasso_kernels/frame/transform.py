"""The transform of a whole frame: crop, scale, letterbox, black bars and colour, in one call.

What the picture is: the source, resampled in its own components (RGB pixels; or luma and chroma planes, each from its
own samples) onto the target's rectangle, then converted. A 4:2:0 target made of RGB is exactly what converting the
finished RGBA target gives, bars included: each chroma sample is the mean of its 2x2 pixels.
"""

from __future__ import annotations

from picasso_kernels.frame.bars import blend_bars, fill_bars
from picasso_kernels.frame.job import (
    BASE,
    COMPONENT,
    COMPONENTS,
    DIRECT,
    HEIGHT,
    LEFT,
    LUMA_BLACK,
    OPAQUE,
    OUT,
    OUT_BASE,
    OUT_LANE_STEP,
    OUT_LANES,
    OUT_PITCH,
    OUT_PLANE,
    OUT_STEP,
    PITCH,
    ROW_BYTES,
    ROWS,
    SAMPLE_ROW_BYTES,
    SAMPLE_ROWS,
    STORE,
    SWAP,
    TARGET_HEIGHT,
    TARGET_WIDTH,
    TO_YUV,
    TOP,
    WIDTH,
    WRITER,
    Store,
    Writer,
)
from picasso_kernels.frame.picture import pixel_row
from picasso_kernels.frame.resample import forget_rows, target_row
from picasso_kernels.frame.tensor import write_tensor
from picasso_kernels.maths.memory import Bytes, Ints, Planes, copy, tail
from picasso_kernels.maths.rows import (
    BLACK,
    fill_pixels,
    order_pixels,
    spread_pixels,
    spread_samples,
    yuv_paired,
    yuv_planar,
)


def transform_frame(
    job: Ints,
    table: Ints,
    scratch: Bytes,
    source0: Bytes,
    source1: Bytes,
    source2: Bytes,
    target0: Bytes,
    target1: Bytes,
    target2: Bytes,
) -> None:
    """Write every pixel of the target.

    Args:
        job: The numbers of ``picasso_kernels.frame.job``, ``JOB`` of them, int64.
        table: Indices and weights of the columns and rows, int16.
        scratch: Working memory; its contents mean nothing before and after.
        source0: First plane of the source; formats of fewer planes name it again.
        source1: Second plane.
        source2: Third plane.
        target0: First plane of the target.
        target1: Second plane; of a tensor the numbers that ``maths.numbers`` looks up.
        target2: Third plane.
    """
    job, table, scratch = tail(job, 0), tail(table, 0), tail(scratch, 0)
    sources = (tail(source0, 0), tail(source1, 0), tail(source2, 0))
    targets = (tail(target0, 0), tail(target1, 0), tail(target2, 0))
    for component in range(COMPONENTS):
        forget_rows(tail(job, component * COMPONENT), scratch)
    if job[WRITER] == Writer.PLANES:
        write_plane(job, 0, sources[0], table, scratch, targets[0])
        write_plane(job, 1, sources[1], table, scratch, targets[1])
        write_plane(job, 2, sources[2], table, scratch, targets[2])
    elif job[WRITER] == Writer.PIXELS:
        write_pixels(job, table, scratch, sources, targets[0])
    elif job[WRITER] == Writer.TENSOR:
        write_tensor(job, table, scratch, sources, targets[0], targets[1])
    else:
        write_blocks(job, table, scratch, sources, targets)


def write_pixels(job: Ints, table: Ints, scratch: Bytes, sources: Planes, target: Bytes) -> None:
    """Write a target of interleaved channels."""
    plane = tail(job, OUT)
    left, right, width, top = job[LEFT], job[LEFT] + job[WIDTH], job[TARGET_WIDTH], job[TOP]
    black = tail(scratch, job[ROWS] + 2 * job[ROW_BYTES])
    fill_pixels(black, BLACK, width)
    for y in range(job[TARGET_HEIGHT]):
        row = tail(target, plane[OUT_BASE] + y * plane[OUT_PITCH])
        if top <= y < top + job[HEIGHT]:
            write_pixel_row(job, table, scratch, sources, y - top, tail(row, left * plane[OUT_STEP]))
            put_pixels(job, row, black, left)
            put_pixels(job, tail(row, right * plane[OUT_STEP]), black, width - right)
        else:
            put_pixels(job, row, black, width)


def write_pixel_row(job: Ints, table: Ints, scratch: Bytes, sources: Planes, y: int, out: Bytes) -> None:
    """Write row ``y`` of the picture into the target, by way of scratch unless it comes out right."""
    if job[STORE] == Store.DIRECT:
        pixel_row(job, table, scratch, sources, y, out)
        return
    row = tail(scratch, job[ROWS])
    pixel_row(job, table, scratch, sources, y, row)
    order_pixels(row, row, job[SWAP], job[OPAQUE], job[WIDTH])
    put_pixels(job, out, row, job[WIDTH])


def put_pixels(job: Ints, out: Bytes, row: Bytes, count: int) -> None:
    """Write finished pixels to a target of any steps."""
    step, lane_step, lanes = job[OUT + OUT_STEP], job[OUT + OUT_LANE_STEP], job[OUT_LANES]
    if lanes == 4 and step == 4 and lane_step == 1:
        copy(out, row, 4 * count)
    else:
        spread_pixels(out, step, lane_step, lanes, row, count)


def write_blocks(job: Ints, table: Ints, scratch: Bytes, sources: Planes, targets: Planes) -> None:
    """Write a 4:2:0 target of rows of pixels, two at a time.

    The rows cover the picture's rectangle grown to even coordinates; what the picture leaves of them is black.
    """
    left, top, bottom = job[LEFT], job[TOP], job[TOP] + job[HEIGHT]
    width, height = job[TARGET_WIDTH], job[TARGET_HEIGHT]
    first, last, start, end = left >> 1, (left + job[WIDTH] + 1) >> 1, top >> 1, (bottom + 1) >> 1
    rows, size, inset = tail(scratch, job[ROWS]), job[ROW_BYTES], 4 * (left & 1)
    black = tail(rows, 2 * size)
    fill_pixels(rows, BLACK, 3 * size >> 2)
    for block in range(start, end):
        upper, lower, y = black, black, 2 * block - top
        if job[DIRECT]:
            upper = tail(sources[0], job[BASE] + y * job[PITCH])
            lower = tail(upper, job[PITCH])
        else:
            if y >= 0:
                upper = rows
                pixel_row(job, table, scratch, sources, y, tail(upper, inset))
            if y + 1 < job[HEIGHT]:
                lower = tail(rows, size)
                pixel_row(job, table, scratch, sources, y + 1, tail(lower, inset))
        convert_rows(job, scratch, upper, lower, first, last - first, block, targets)
    fill_bars(targets[0], tail(job, OUT), width, height, 2 * first, 2 * start, 2 * last, 2 * end, job[LUMA_BLACK])
    for index in range(1, 3):
        plane = tail(job, OUT + index * OUT_PLANE)
        fill_bars(targets[index], plane, width >> 1, height >> 1, first, start, last, end, 128)


def convert_rows(
    job: Ints, scratch: Bytes, upper: Bytes, lower: Bytes, x: int, count: int, block: int, targets: Planes
) -> None:
    """Convert two rows of ``count`` blocks of 2x2 pixels, and write them from block ``(x, block)`` of the target on."""
    y_plane, u_plane, v_plane = tail(job, OUT), tail(job, OUT + OUT_PLANE), tail(job, OUT + 2 * OUT_PLANE)
    luma0 = tail(targets[0], y_plane[OUT_BASE] + 2 * block * y_plane[OUT_PITCH] + 2 * x * y_plane[OUT_STEP])
    luma1 = tail(luma0, y_plane[OUT_PITCH])
    u = tail(targets[1], u_plane[OUT_BASE] + block * u_plane[OUT_PITCH] + x * u_plane[OUT_STEP])
    v = tail(targets[2], v_plane[OUT_BASE] + block * v_plane[OUT_PITCH] + x * v_plane[OUT_STEP])
    ahead, k = 2 * job[PITCH] if job[DIRECT] else 0, tail(job, TO_YUV)
    if job[STORE] == Store.PLANAR:
        yuv_planar(luma0, luma1, u, v, upper, lower, k, ahead, 2 * count)
    elif job[STORE] == Store.PAIRED:
        yuv_paired(luma0, luma1, u, upper, lower, k, ahead, 2 * count)
    else:
        first, size = tail(scratch, job[SAMPLE_ROWS]), job[SAMPLE_ROW_BYTES]
        second, us = tail(first, size), tail(first, 2 * size)
        vs = tail(us, count)
        yuv_planar(first, second, us, vs, upper, lower, k, ahead, 2 * count)
        spread_samples(luma0, y_plane[OUT_STEP], first, 2 * count)
        spread_samples(luma1, y_plane[OUT_STEP], second, 2 * count)
        spread_samples(u, u_plane[OUT_STEP], us, count)
        spread_samples(v, v_plane[OUT_STEP], vs, count)


def write_plane(job: Ints, index: int, source: Bytes, table: Ints, scratch: Bytes, target: Bytes) -> None:
    """Write one plane of a 4:2:0 target of the same plane of the source.

    A chroma sample that lies partly in a bar is the mean of its four pixels' shares, those of the bar being 128.
    """
    component, plane = tail(job, index * COMPONENT), tail(job, OUT + index * OUT_PLANE)
    row = tail(scratch, job[SAMPLE_ROWS])
    shift, black = (1, 128) if index else (0, job[LUMA_BLACK])
    left, right, top, bottom = job[LEFT], job[LEFT] + job[WIDTH], job[TOP], job[TOP] + job[HEIGHT]
    first, last, start, end = left >> shift, (right + shift) >> shift, top >> shift, (bottom + shift) >> shift
    step = plane[OUT_STEP]
    for y in range(start, end):
        out = tail(target, plane[OUT_BASE] + y * plane[OUT_PITCH] + first * step)
        if step == 1:
            target_row(component, source, table, scratch, y - start, out)
        else:
            target_row(component, source, table, scratch, y - start, row)
            spread_samples(out, step, row, last - first)
        if shift:
            blend_bars(out, step, left, right, min(2 * y + 2, bottom) - max(2 * y, top))
    width, height = job[TARGET_WIDTH] >> shift, job[TARGET_HEIGHT] >> shift
    fill_bars(target, plane, width, height, first, start, last, end, black)
