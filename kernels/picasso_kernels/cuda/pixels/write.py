"""What CUDA kernels write: each thread a block of 2x2 target pixels, or one sample of chroma from plane to plane.

A kernel is one of the writers below with a reader of ``pixels.read`` instead of ``pixels``. Threads are numbered by
``column`` and ``row`` of the block; those beyond the target do nothing.
"""

from __future__ import annotations

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Plane,
    byte_of,
    load_number,
    number_of,
    scaled_half,
    scaled_single,
    store_byte,
    store_half,
    store_word,
    store_word_pair,
)
from picasso_kernels.cuda.pixels.read import PixelPair, bilinear_pixels, chroma_grid, is_bar, luma_grid, sample
from picasso_kernels.maths.color import chroma_of, luma_of

BLACK: PixelPair = (0, 0, 0, 255, 0, 0, 0, 255)


def pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Read two pixels of the picture: stands for a reader, which a kernel is built with."""
    return bilinear_pixels(frame, column, row)


def write_pixels(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of a target of 4 bytes a pixel."""
    if 2 * column < frame.width and 2 * row < frame.height:
        upper = pixels(frame, column, 2 * row)
        lower = pixels(frame, column, 2 * row + 1)
        write_pixel_pair(frame, column, 2 * row, upper)
        if 2 * row + 1 < frame.height:
            write_pixel_pair(frame, column, 2 * row + 1, lower)


def write_pixels_by_rows(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of a target of 4 bytes a pixel a row after the other, for readers that take long."""
    if 2 * column < frame.width and 2 * row < frame.height:
        for line in range(2):
            if 2 * row + line < frame.height:
                write_pixel_pair(frame, column, 2 * row + line, pixels(frame, column, 2 * row + line))


def write_pixel_pair(frame: FrameRow, column: int, row: int, pair: PixelPair) -> None:
    """Write two pixels of a row, or the last one of an odd row."""
    at = row * frame.target_pitch + 8 * column
    first = pair[0] | pair[1] << 8 | pair[2] << 16 | pair[3] << 24
    second = pair[4] | pair[5] << 8 | pair[6] << 16 | pair[7] << 24
    if frame.wide_stores:
        store_word_pair(frame.target, at, first, second)
    else:
        store_word(frame.target, at, first)
        if 2 * column + 1 < frame.width:
            store_word(frame.target, at + 4, second)


def write_yuv420(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0: four of luma, one of each chroma from the sums of the block's colours."""
    if 2 * column < frame.width and 2 * row < frame.height:
        if is_bar(frame, column, row):
            write_black(frame, column, row)
            return
        upper = pixels(frame, column, 2 * row)
        lower = pixels(frame, column, 2 * row + 1)
        write_luma_pair(frame, column, 2 * row, upper)
        write_luma_pair(frame, column, 2 * row + 1, lower)
        red = upper[0] + upper[4] + lower[0] + lower[4]
        green = upper[1] + upper[5] + lower[1] + lower[5]
        blue = upper[2] + upper[6] + lower[2] + lower[6]
        u = chroma_of(red, green, blue, frame.u_red, frame.u_green, frame.u_blue)
        v = chroma_of(red, green, blue, frame.v_red, frame.v_green, frame.v_blue)
        write_chroma(frame, column, row, u, v)


def write_yuv420_by_rows(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 a row after the other, for readers that take long: what is held meanwhile are sums."""
    if 2 * column < frame.width and 2 * row < frame.height:
        red = green = blue = 0
        for line in range(2):
            pair = pixels(frame, column, 2 * row + line)
            write_luma_pair(frame, column, 2 * row + line, pair)
            red, green, blue = red + pair[0] + pair[4], green + pair[1] + pair[5], blue + pair[2] + pair[6]
        u = chroma_of(red, green, blue, frame.u_red, frame.u_green, frame.u_blue)
        v = chroma_of(red, green, blue, frame.v_red, frame.v_green, frame.v_blue)
        write_chroma(frame, column, row, u, v)


def write_black(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 of a bar."""
    at = 2 * row * frame.target_pitch + 2 * column
    store_two_bytes(frame, frame.target, at, frame.luma_black, frame.luma_black)
    store_two_bytes(frame, frame.target, at + frame.target_pitch, frame.luma_black, frame.luma_black)
    write_chroma(frame, column, row, 128, 128)


def write_luma_pair(frame: FrameRow, column: int, row: int, pair: PixelPair) -> None:
    """Write the luma of two pixels."""
    first = luma_of(pair[0], pair[1], pair[2], frame.y_red, frame.y_green, frame.y_blue, frame.luma_floor)
    second = luma_of(pair[4], pair[5], pair[6], frame.y_red, frame.y_green, frame.y_blue, frame.luma_floor)
    store_two_bytes(frame, frame.target, row * frame.target_pitch + 2 * column, first, second)


def write_chroma(frame: FrameRow, column: int, row: int, u: int, v: int) -> None:
    """Write one sample of each chroma."""
    at = row * frame.chroma_target_pitch + column * frame.chroma_target_step
    if frame.chroma_target_step == 2:
        store_two_bytes(frame, frame.target_u, at, u, v)
    else:
        store_byte(frame.target_u, at, u)
        store_byte(frame.target_v, at, v)


def store_two_bytes(frame: FrameRow, plane: Plane, offset: int, first: int, second: int) -> None:
    """Write two neighbouring bytes, in one access where rows are aligned for it."""
    if frame.wide_stores:
        store_half(plane, offset, first | second << 8)
    else:
        store_byte(plane, offset, first)
        store_byte(plane, offset + 1, second)


def write_luma_plane(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of luma of luma."""
    at = 2 * row * frame.target_pitch + 2 * column
    upper, upper_ = luma_or_black(frame, 2 * column, 2 * row), luma_or_black(frame, 2 * column + 1, 2 * row)
    lower, lower_ = luma_or_black(frame, 2 * column, 2 * row + 1), luma_or_black(frame, 2 * column + 1, 2 * row + 1)
    store_two_bytes(frame, frame.target, at, upper, upper_)
    store_two_bytes(frame, frame.target, at + frame.target_pitch, lower, lower_)


def luma_or_black(frame: FrameRow, column: int, row: int) -> int:
    """Resample luma, or return that of the bars."""
    value = sample(luma_grid(frame), frame.source, column, row)
    outside = load_number(frame.columns, 4 * column) | load_number(frame.rows, 4 * row)
    return frame.luma_black if outside < 0 else value


def write_chroma_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write one sample of each chroma of chroma; one that lies half in a bar is mixed with it."""
    shown = covered(column, frame.left, frame.right) * covered(row, frame.top, frame.bottom)
    grid = chroma_grid(frame)
    u, v = sample(grid, frame.source_u, column, row), sample(grid, frame.source_v, column, row)
    write_chroma(frame, column, row, shared(u, shown), shared(v, shown))


def write_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 plane by plane."""
    if 2 * column < frame.width and 2 * row < frame.height:
        if is_bar(frame, column, row):
            write_black(frame, column, row)
        else:
            write_luma_plane(frame, column, row)
            write_chroma_planes(frame, column, row)


def covered(block: int, start: int, end: int) -> int:
    """Return how many of the two pixels of a block lie in ``start..end``: 0, 1 or 2."""
    return max(min(2 * block + 2, end) - max(2 * block, start), 0)


def shared(chroma: int, shown: int) -> int:
    """Return the chroma of a block of which ``shown`` of 4 pixels show the picture and the others are black."""
    return (chroma * shown + 128 * (4 - shown) + 2) >> 2


def pad_at(frame: FrameRow, x: int, y: int) -> int:
    """Return the packed channels of a pixel in a bar, where readers give 0; elsewhere 0."""
    outside = load_number(frame.columns, 4 * x) | load_number(frame.rows, 4 * y)
    return frame.pad if outside < 0 else 0


def write_half_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of three planes of float16."""
    if 2 * column < frame.width and 2 * row < frame.height:
        write_half_pairs(frame, column, 2 * row, pixels(frame, column, 2 * row))
        if 2 * row + 1 < frame.height:
            write_half_pairs(frame, column, 2 * row + 1, pixels(frame, column, 2 * row + 1))


def write_half_pairs(frame: FrameRow, column: int, row: int, pair: PixelPair) -> None:
    """Write two pixels of a row to the three planes."""
    at = row * frame.target_pitch + 4 * column
    first, second = pad_at(frame, 2 * column, row), pad_at(frame, 2 * column + 1, row)
    red, red_ = pair[0] | byte_of(first, 0), pair[4] | byte_of(second, 0)
    green, green_ = pair[1] | byte_of(first, 1), pair[5] | byte_of(second, 1)
    blue, blue_ = pair[2] | byte_of(first, 2), pair[6] | byte_of(second, 2)
    write_half_pair(frame, frame.target, at, column, red, red_, frame.scale_red, frame.bias_red)
    write_half_pair(frame, frame.target_u, at, column, green, green_, frame.scale_green, frame.bias_green)
    write_half_pair(frame, frame.target_v, at, column, blue, blue_, frame.scale_blue, frame.bias_blue)


def write_half_pair(
    frame: FrameRow, plane: Plane, offset: int, column: int, first: int, second: int, scale: int, bias: int
) -> None:
    """Write two float16 of one plane."""
    low, high = scaled_half(number_of(first), scale, bias), scaled_half(number_of(second), scale, bias)
    if frame.wide_stores:
        store_word(plane, offset, low | high << 16)
    else:
        store_half(plane, offset, low)
        if 2 * column + 1 < frame.width:
            store_half(plane, offset + 2, high)


def write_single_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of three planes of float32."""
    if 2 * column < frame.width and 2 * row < frame.height:
        write_single_pairs(frame, column, 2 * row, pixels(frame, column, 2 * row))
        if 2 * row + 1 < frame.height:
            write_single_pairs(frame, column, 2 * row + 1, pixels(frame, column, 2 * row + 1))


def write_single_pairs(frame: FrameRow, column: int, row: int, pair: PixelPair) -> None:
    """Write two pixels of a row to the three planes."""
    at = row * frame.target_pitch + 8 * column
    first, second = pad_at(frame, 2 * column, row), pad_at(frame, 2 * column + 1, row)
    red, red_ = pair[0] | byte_of(first, 0), pair[4] | byte_of(second, 0)
    green, green_ = pair[1] | byte_of(first, 1), pair[5] | byte_of(second, 1)
    blue, blue_ = pair[2] | byte_of(first, 2), pair[6] | byte_of(second, 2)
    write_single_pair(frame, frame.target, at, column, red, red_, frame.scale_red, frame.bias_red)
    write_single_pair(frame, frame.target_u, at, column, green, green_, frame.scale_green, frame.bias_green)
    write_single_pair(frame, frame.target_v, at, column, blue, blue_, frame.scale_blue, frame.bias_blue)


def write_single_pair(
    frame: FrameRow, plane: Plane, offset: int, column: int, first: int, second: int, scale: int, bias: int
) -> None:
    """Write two float32 of one plane."""
    low, high = scaled_single(number_of(first), scale, bias), scaled_single(number_of(second), scale, bias)
    if frame.wide_stores:
        store_word_pair(plane, offset, low, high)
    else:
        store_word(plane, offset, low)
        if 2 * column + 1 < frame.width:
            store_word(plane, offset + 4, high)
