"""The painter: a display list onto pixels or onto planes of 4:2:0, row by row, in integers.

Pixels have four bytes, three, or one of gray. Convention: the surface is opaque; a fourth channel is drawn on as if
every colour had 255 there. Chroma of 4:2:0 takes the mean of the shares of its four pixels.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.color import chroma_of, luma_of
from picasso_kernels.maths.memory import Bytes, Ints, tail
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.blend import (
    MARGIN,
    average_shares,
    blend_samples,
    clear_margin,
    tint_pixel_run,
    tint_pixel_spots,
    tint_pixels,
    tint_sample_run,
    tint_sample_spots,
    tint_samples,
    tint_triple_run,
    tint_triple_spots,
    tint_triples,
)
from picasso_kernels.paint.blur import STATE_BYTES, smooth_pixels, smooth_plane, weave_row
from picasso_kernels.paint.coverage import FULL, reach, share_of, share_row, steady_rows
from picasso_kernels.paint.display_list import channel_of
from picasso_kernels.paint.mosaic import tile_pixels, tile_plane
from picasso_kernels.paint.picture import lay_pixels, lay_planes
from picasso_kernels.paint.target import HEIGHT, PITCH, PLANE, STEP, TO_YUV, WIDTH, sample_at

INLINE: Final = (
    *("paint.painter", "paint.coverage", "paint.display_list", "paint.target", "paint.blur", "paint.blend"),
    *("paint.picture", "paint.mosaic"),
    *("maths.color", "maths.memory"),
)
"""Files of short functions around loops of few turns: for ``compile.host``."""


def scratch_bytes(width: int, height: int, has_blur: bool) -> int:
    """Return how much working memory painting takes."""
    return 6 * width + (7 * width * height + 20 * width + STATE_BYTES if has_blur else 0)


def paint_pixels(commands: Ints, glyphs: Ints, coverage: Bytes, target: Ints, pixels: Bytes, scratch: Bytes) -> None:
    """Paint a display list onto pixels of one plane.

    Args:
        commands: ``COMMAND_SIZE`` numbers each.
        glyphs: ``GLYPH_SIZE`` numbers each.
        coverage: The pixels of the glyphs.
        target: The target table; its planes are the channels red, green and blue. Pixels of one byte are gray.
        pixels: The surface's memory.
        scratch: ``scratch_bytes`` bytes.
    """
    lists = tail(commands, 0), tail(glyphs, 0), tail(coverage, 0)
    paint_pixel_list(*lists, len(coverage), len(commands), tail(target, 0), tail(pixels, 0), tail(scratch, 0))


def paint_pixel_list(
    commands: Ints,
    glyphs: Ints,
    coverage: Bytes,
    room: int,
    end: int,
    target: Ints,
    pixels: Bytes,
    scratch: Bytes,
) -> None:
    """Do as ``paint_pixels`` on tails: Numba counts references to arrays in each turn of a loop.

    Args:
        commands: As of ``paint_pixels``.
        glyphs: The same.
        coverage: The same.
        room: Bytes of ``coverage``.
        end: Numbers of ``commands``.
        target: As of ``paint_pixels``.
        pixels: The same.
        scratch: The same.
    """
    for command in range(0, end, at.COMMAND_SIZE):
        top, bottom = max(commands[command + at.TOP], 0), min(commands[command + at.BOTTOM], target[HEIGHT])
        if commands[command + at.KIND] == at.BLUR:
            blur_pixels(commands, command, glyphs, coverage, top, bottom, target, pixels, scratch)
        elif commands[command + at.KIND] == at.IMAGE:
            lay_pixels(commands, command, glyphs, coverage, top, bottom, target, pixels)
        elif commands[command + at.KIND] == at.RUNS:
            run_pixels(commands, command, glyphs, coverage, room, target, pixels)
        else:
            first, last = steady_rows(commands, command)
            over = pixel_tint(commands[command + at.COLOR], target)
            y = top
            while y < bottom:
                left, right = reach(commands, command, glyphs, y)
                left, right = max(left, 0), min(right, target[WIDTH])
                rows = min(last, bottom) - y if first <= y < last else 1
                if left < right:
                    start, end = share_row(commands, command, glyphs, coverage, y, left, right, scratch, 2 * left)
                    if end - start < MARGIN:
                        start, end = right, right
                    clear_margin(scratch, 0, right, target[WIDTH])
                    tint_row(over, y, rows, left, start, target, pixels, scratch)
                    tint_row(over, y, rows, end, right, target, pixels, scratch)
                y += rows


def run_pixels(
    commands: Ints, command: int, glyphs: Ints, coverage: Bytes, room: int, target: Ints, pixels: Bytes
) -> None:
    """Blend a colour into the pixels of runs, within the bounds of their command."""
    color, step = commands[command + at.COLOR], target[STEP]
    over, alpha = pixel_tint(color, target), share_of(FULL, color)
    top, bottom = max(commands[command + at.TOP], 0), min(commands[command + at.BOTTOM], target[HEIGHT])
    start, end = max(commands[command + at.LEFT], 0), min(commands[command + at.RIGHT], target[WIDTH])
    base, pitch = row_of_pixels(target, 0), target[PITCH]
    first = commands[command + at.FIRST] * at.GLYPH_SIZE
    for run in range(first, first + commands[command + at.COUNT] * at.GLYPH_SIZE, at.GLYPH_SIZE):
        y, from_x = glyphs[run + at.GLYPH_TOP], glyphs[run + at.GLYPH_LEFT]
        left = max(from_x, start)
        count = min(from_x + glyphs[run + at.GLYPH_WIDTH], end) - left
        if top <= y < bottom and count > 0:
            offset, byte, space = glyphs[run + at.GLYPH_OFFSET], base + y * pitch + step * left, target[WIDTH] - left
            if offset >= at.SPOTS:
                spot = offset - at.SPOTS + left - from_x
                space = min(space, room - spot)
                if step == 4:
                    tint_pixel_spots(pixels, byte, over, alpha, coverage, spot, space, count)
                elif step == 3:
                    tint_triple_spots(pixels, byte, over, alpha, coverage, spot, space, count)
                else:
                    tint_sample_spots(pixels, byte, over & 255, alpha, coverage, spot, space, count)
            else:
                share = share_of(offset, color)
                if step == 4:
                    tint_pixel_run(pixels, byte, over, share, count)
                elif step == 3:
                    tint_triple_run(pixels, byte, over, share, count)
                else:
                    tint_sample_run(pixels, byte, over & 255, share, count)


def tint_row(over: int, y: int, rows: int, left: int, right: int, target: Ints, pixels: Bytes, shares: Bytes) -> None:
    """Blend a colour into the pixels ``left..right`` of ``rows`` rows from ``y`` on, by the shares of the first."""
    step, pitch, space, count = target[STEP], target[PITCH], target[WIDTH] - left, right - left
    first = row_of_pixels(target, y) + step * left
    if step == 4:
        tint_pixels(pixels, first, pitch, over, shares, 2 * left, space, count, rows)
    elif step == 3:
        tint_triples(pixels, first, pitch, over, shares, 2 * left, space, count, rows)
    else:
        tint_samples(pixels, (first, pitch, step), over & 255, shares, 2 * left, space, count, rows)


def row_of_pixels(target: Ints, y: int) -> int:
    """Return the first byte of row ``y``, red or blue."""
    return min(sample_at(target, 0, 0, y), sample_at(target, 2, 0, y))


def pixel_tint(color: int, target: Ints) -> int:
    """Return a colour as an opaque pixel, its channels in the order of the surface; of a gray one, its luma."""
    first, third = channel_of(color, 0), channel_of(color, 2)
    if target[STEP] == 1:
        k = TO_YUV
        return luma_of(first, channel_of(color, 1), third, target[k], target[k + 1], target[k + 2], target[k + 3])
    if sample_at(target, 2, 0, 0) < sample_at(target, 0, 0, 0):
        first, third = third, first
    return first | channel_of(color, 1) << 8 | third << 16 | 255 << 24


def blur_pixels(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    top: int,
    bottom: int,
    target: Ints,
    pixels: Bytes,
    scratch: Bytes,
) -> None:
    """Blur the pixels inside of a command's rectangle, or show means of squares; each channel alone."""
    left, right = max(commands[command + at.LEFT], 0), min(commands[command + at.RIGHT], target[WIDTH])
    width, height = right - left, bottom - top
    smooth = 6 * target[WIDTH]
    if width <= 0 or height <= 0:
        return
    cell, channels = commands[command + at.CELL], 3 if target[STEP] > 1 else 1
    if cell > 0 and is_whole(commands, command):
        first = min(sample_at(target, 0, left, top), sample_at(target, 2, left, top))
        tile_pixels(pixels, first, target[PITCH], target[STEP], width, height, cell, channels, scratch, smooth)
        return
    if cell == 0 and channels > 1:
        place = row_of_pixels(target, top) + left * target[STEP], target[PITCH], target[STEP]
        blur_channels(commands, command, glyphs, coverage, place, left, top, width, height, pixels, scratch, smooth)
        return
    for channel in range(channels):
        first, pitch, step = sample_at(target, channel, left, top), target[PITCH], target[STEP]
        if cell > 0:
            tile_plane(pixels, first, pitch, step, width, height, cell, scratch, smooth)
        else:
            smooth_plane(pixels, first, pitch, step, width, height, commands[command + at.SIGMA], scratch, smooth)
        for y in range(top, bottom):
            share_row(commands, command, glyphs, coverage, y, left, right, scratch, 0)
            row = sample_at(target, channel, left, y)
            blend_samples(pixels, row, step, scratch, smooth + (y - top) * width, 0, width)


def blur_channels(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    place: tuple[int, int, int],
    left: int,
    top: int,
    width: int,
    height: int,
    pixels: Bytes,
    scratch: Bytes,
    smooth: int,
) -> None:
    """Blur three channels at once; ``place`` is the byte of the top left pixel, and bytes to the next row and pixel."""
    first, pitch, step = place
    whole, plane = is_whole(commands, command), width * height
    smooth_pixels(pixels, first, pitch, step, width, height, commands[command + at.SIGMA], scratch, smooth)
    for y in range(height):
        row, blurred = first + y * pitch, smooth + y * width
        if whole:
            weave_row(pixels, row, step, scratch, blurred, plane, width)
        else:
            share_row(commands, command, glyphs, coverage, top + y, left, left + width, scratch, 0)
            for channel in range(3):
                blend_samples(pixels, row + channel, step, scratch, blurred + channel * plane, 0, width)


def is_whole(commands: Ints, command: int) -> bool:
    """Tell whether an upright rectangle ends where pixels do: it covers all that it touches altogether."""
    x, y = commands[command + at.CENTER_X], commands[command + at.CENTER_Y]
    half_w, half_h = commands[command + at.HALF_W], commands[command + at.HALF_H]
    edges = (x - half_w) | (x + half_w) | (y - half_h) | (y + half_h)
    upright: bool = commands[command + at.SIN] == 0 and edges & (at.ONE_PIXEL - 1) == 0
    return upright


def paint_planes(
    commands: Ints,
    glyphs: Ints,
    coverage: Bytes,
    target: Ints,
    luma: Bytes,
    blue: Bytes,
    red: Bytes,
    scratch: Bytes,
) -> None:
    """Paint a display list onto planes of 4:2:0, whose width and height are even.

    Args:
        commands: ``COMMAND_SIZE`` numbers each.
        glyphs: ``GLYPH_SIZE`` numbers each.
        coverage: The pixels of the glyphs.
        target: The target table; its planes are Y, U and V.
        luma: Memory of Y.
        blue: Memory of U.
        red: Memory of V, which may be that of U.
        scratch: ``scratch_bytes`` bytes.
    """
    lists = tail(commands, 0), tail(glyphs, 0), tail(coverage, 0)
    planes = tail(luma, 0), tail(blue, 0), tail(red, 0)
    paint_plane_list(*lists, len(commands), tail(target, 0), *planes, tail(scratch, 0))


def paint_plane_list(
    commands: Ints,
    glyphs: Ints,
    coverage: Bytes,
    list_end: int,
    target: Ints,
    luma: Bytes,
    blue: Bytes,
    red: Bytes,
    scratch: Bytes,
) -> None:
    """Do as ``paint_planes`` on tails, ``list_end`` numbers of commands."""
    for command in range(0, list_end, at.COMMAND_SIZE):
        top, bottom = max(commands[command + at.TOP], 0) & -2, min(commands[command + at.BOTTOM], target[HEIGHT])
        if commands[command + at.KIND] == at.BLUR:
            blur_planes(commands, command, glyphs, coverage, top, bottom, target, luma, blue, red, scratch)
        elif commands[command + at.KIND] == at.IMAGE:
            lay_planes(commands, command, glyphs, coverage, top, bottom, target, luma, blue, red)
        else:
            first, last = steady_rows(commands, command)
            tints = plane_tints(commands[command + at.COLOR], target)
            y = top
            while y < bottom:
                left, right = reach_block(commands, command, glyphs, y, target[WIDTH])
                start, end = share_block(commands, command, glyphs, coverage, y, left, right, target, scratch)
                rows = min(last, bottom) - y & -2 if first <= y < last - 1 else 2
                tint_planes(tints, y, rows, left, start, target, luma, blue, red, scratch)
                tint_planes(tints, y, rows, end, right, target, luma, blue, red, scratch)
                y += rows


def reach_block(commands: Ints, command: int, glyphs: Ints, y: int, width: int) -> tuple[int, int]:
    """Return the pixels ``left..right`` of rows ``y`` and ``y + 1`` that a command can touch; both even."""
    upper_left, upper_right = reach(commands, command, glyphs, y)
    lower_left, lower_right = reach(commands, command, glyphs, y + 1)
    left = max(min(upper_left, lower_left), 0) & -2
    return left, min((max(upper_right, lower_right) + 1) & -2, width)


def plane_tints(color: int, target: Ints) -> tuple[int, int, int]:
    """Return Y, U and V of a colour."""
    k = TO_YUV
    r, g, b = channel_of(color, 0), channel_of(color, 1), channel_of(color, 2)
    return (
        luma_of(r, g, b, target[k], target[k + 1], target[k + 2], target[k + 3]),
        chroma_of(4 * r, 4 * g, 4 * b, target[k + 4], target[k + 5], target[k + 6]),
        chroma_of(4 * r, 4 * g, 4 * b, target[k + 7], target[k + 8], target[k + 9]),
    )


def tint_planes(
    tints: tuple[int, int, int],
    y: int,
    rows: int,
    left: int,
    right: int,
    target: Ints,
    luma: Bytes,
    blue: Bytes,
    red: Bytes,
    shares: Bytes,
) -> None:
    """Blend Y, U and V of a colour into the pixels ``left..right`` of ``rows`` rows from ``y`` on; all even.

    The last row has the shares of the lower one of a block, the others those of the upper one.
    """
    if left >= right:
        return
    lower, mean, x = 2 * target[WIDTH] + 2 * left, 4 * target[WIDTH] + left, left >> 1
    count, space, last = right - left, target[WIDTH] - left, y + rows - 1
    place = sample_at(target, 0, left, y), target[PITCH], target[STEP]
    tint_samples(luma, place, tints[0], shares, 2 * left, space, count, rows - 1)
    place = sample_at(target, 0, left, last), target[PITCH], target[STEP]
    tint_samples(luma, place, tints[0], shares, lower, space, count, 1)
    count, space, rows = count >> 1, space >> 1, rows >> 1
    place = sample_at(target, 1, x, y >> 1), target[PLANE + PITCH], target[PLANE + STEP]
    tint_samples(blue, place, tints[1], shares, mean, space, count, rows)
    place = sample_at(target, 2, x, y >> 1), target[2 * PLANE + PITCH], target[2 * PLANE + STEP]
    tint_samples(red, place, tints[2], shares, mean, space, count, rows)


def share_block(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    y: int,
    left: int,
    right: int,
    target: Ints,
    shares: Bytes,
) -> tuple[int, int]:
    """Write the shares in the pixels ``left..right`` of rows ``y`` and ``y + 1``, and then their means over 2x2.

    Three rows of shares, each at 16 bits a column from the surface's left edge on. What lies within ``MARGIN`` columns
    to the right of them is 0.

    Returns:
        The pixels ``start..end`` in the middle of both rows that the command does not touch, both even; none unless
        there are ``MARGIN`` blocks of them.
    """
    width = target[WIDTH]
    lower = 2 * width
    start, end = share_row(commands, command, glyphs, coverage, y, left, right, shares, 2 * left)
    low_start, low_end = share_row(commands, command, glyphs, coverage, y + 1, left, right, shares, lower + 2 * left)
    start, end = (max(start, low_start) + 1) & -2, min(end, low_end) & -2
    if end - start < 2 * MARGIN:
        start, end = right, right
    if left < right:
        average_shares(shares, width, left >> 1, start >> 1)
        average_shares(shares, width, end >> 1, right >> 1)
        clear_margin(shares, 0, right, width)
        clear_margin(shares, lower, right, width)
    return start, end


def blur_planes(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    top: int,
    bottom: int,
    target: Ints,
    luma: Bytes,
    blue: Bytes,
    red: Bytes,
    scratch: Bytes,
) -> None:
    """Blur the samples inside of a command's rectangle, chroma half as wide as luma; ``top`` is even.

    Or show means of squares, whose sides are even.
    """
    left = max(commands[command + at.LEFT], 0) & -2
    right = min((commands[command + at.RIGHT] + 1) & -2, target[WIDTH])
    bottom = (bottom + 1) & -2
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return
    sigma, smooth, cell = commands[command + at.SIGMA], 6 * target[WIDTH], (commands[command + at.CELL] + 1) & -2
    first = sample_at(target, 0, left, top)
    if cell > 0:
        tile_plane(luma, first, target[PITCH], target[STEP], width, height, cell, scratch, smooth)
    else:
        smooth_plane(luma, first, target[PITCH], target[STEP], width, height, sigma, scratch, smooth)
    for y in range(top, bottom):
        share_row(commands, command, glyphs, coverage, y, left, right, scratch, 0)
        from_at = smooth + (y - top) * width
        blend_samples(luma, sample_at(target, 0, left, y), target[STEP], scratch, from_at, 0, width)
    for plane in range(1, 3):
        chroma = blue if plane == 1 else red
        first, entry = sample_at(target, plane, left // 2, top // 2), plane * PLANE
        pitch, step = target[entry + PITCH], target[entry + STEP]
        if cell > 0:
            tile_plane(chroma, first, pitch, step, width // 2, height // 2, cell // 2, scratch, smooth)
        else:
            smooth_plane(chroma, first, pitch, step, width // 2, height // 2, sigma // 2, scratch, smooth)
        for y in range(top, bottom, 2):
            share_block(commands, command, glyphs, coverage, y, left, right, target, scratch)  # a blur has no hole
            from_at = smooth + (y - top) // 2 * (width // 2)
            row = sample_at(target, plane, left // 2, y // 2)
            blend_samples(chroma, row, step, scratch, from_at, 4 * target[WIDTH] + left, width // 2)
