"""The painter of CUDA kernels: each thread a block of 2x2 pixels, each warp 32 blocks of a row, all commands in order.

A warp asks first which commands touch its 64x2 pixels, 32 of them at a time, one a lane; only those are painted. So a
whole display list is one launch, and pixels that nothing touches are not even read. Coverage is that of ``coverage``, a
pixel at a time, and the result that of ``paint``; only rotated rectangles and discs are computed in 64 bits. A blur
reads its surroundings, which other warps may be painting, and has two kernels of its own, a mosaic two others; a list
is painted in pieces between them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from picasso_kernels.cuda.instructions import Pair, Plane, Quad, Table, lane, lanes, lowest_vote, vote
from picasso_kernels.maths.color import chroma_of, luma_of
from picasso_kernels.maths.memory import load8, pixel, store8, store_pixel
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import (
    FULL,
    glyph_coverage,
    mix,
    mix_pair,
    overlap,
    pixel_coverage,
    rect_coverage,
    share_of,
)
from picasso_kernels.paint.display_list import channel_of
from picasso_kernels.paint.mosaic import mean_of_tile
from picasso_kernels.paint.picture import image_pixel, image_share, weighted


class Sheet(NamedTuple):
    """What is painted on what: a piece of a display list, and a surface."""

    commands: Table
    glyphs: Table
    coverage: Plane
    pixels: Plane
    """Pixels of 4 bytes, or luma."""
    blue: Plane
    """U."""
    red: Plane
    """V."""
    scratch: Plane
    """Working memory of a blur, a byte for each of its samples, three times."""
    curve: Table
    """Weights of a blur's samples along a line, those of ``blur.smooth_lines`` multiplied out."""
    first: int
    """Of the commands to paint; the one to blur by."""
    end: int
    width: int
    height: int
    pitch: int
    chroma_pitch: int
    chroma_step: int
    blue_first: int
    """1 where blue comes first in a pixel."""
    curve_size: int
    """Samples of the curve, odd."""
    curve_weight: int
    """One by their sum, in 2**-32."""
    left: int
    """The rectangle to blur, in samples."""
    top: int
    columns: int
    lines: int
    sample_step: int
    """Bytes from a sample to be blurred to the next."""
    sample_pitch: int
    plane_step: int
    """Bytes from a plane to be blurred to the next: channels of pixels take turns."""
    cell: int
    """Samples of a side of a square of a mosaic."""
    shared: int
    """2 where a sample's share is the mean of 2x2 pixels, else 1."""
    y_red: int
    y_green: int
    y_blue: int
    luma_floor: int
    u_red: int
    u_green: int
    u_blue: int
    v_red: int
    v_green: int
    v_blue: int


TABLES: Final = 8
"""How many of the fields are addresses; they come first."""


def touches(sheet: Sheet, number: int, left: int, top: int, right: int, bottom: int) -> bool:
    """Tell whether a command, if there is one of this number, can touch a rectangle of pixels."""
    if number >= sheet.end:
        return False
    command = number * at.COMMAND_SIZE
    if sheet.commands[command + at.LEFT] >= right or sheet.commands[command + at.RIGHT] <= left:
        return False
    if sheet.commands[command + at.TOP] >= bottom or sheet.commands[command + at.BOTTOM] <= top:
        return False
    return not in_hole(sheet.commands, command, left, top, right, bottom)


def in_hole(commands: Table, command: int, left: int, top: int, right: int, bottom: int) -> bool:
    """Tell whether a rectangle of pixels lies in the hole of an upright stroke, which is most of a box."""
    if commands[command + at.KIND] != at.RECT or commands[command + at.SIN] != 0:
        return False
    x, y = commands[command + at.CENTER_X], commands[command + at.CENTER_Y]
    width, height = commands[command + at.INNER_W], commands[command + at.INNER_H]
    if left * at.ONE_PIXEL < x - width or right * at.ONE_PIXEL > x + width:
        return False
    return not (top * at.ONE_PIXEL < y - height or bottom * at.ONE_PIXEL > y + height)


def share_at(sheet: Sheet, command: int, x: int, y: int) -> int:
    """Return the share of a command's colour, or of a blur, in one pixel, 0..256."""
    commands = sheet.commands
    across = commands[command + at.LEFT] <= x < commands[command + at.RIGHT]
    if not (across and commands[command + at.TOP] <= y < commands[command + at.BOTTOM]):
        return 0
    if commands[command + at.KIND] == at.BLUR:
        return rect_coverage(commands, command, x, y)
    covered = pixel_coverage(commands, command, sheet.glyphs, sheet.coverage, x, y)
    return share_of(covered, commands[command + at.COLOR])


def block_shares(sheet: Sheet, command: int, x: int, y: int) -> Quad:
    """Return a command's shares in the four pixels from ``x, y`` on, row by row, as ``share_at`` gives them."""
    kind = sheet.commands[command + at.KIND]
    if kind == at.RECT and sheet.commands[command + at.SIN] == 0:
        return upright_shares(sheet.commands, command, x, y)
    if kind == at.TEXT:
        return text_shares(sheet, command, x, y)
    first, second = share_at(sheet, command, x, y), share_at(sheet, command, x + 1, y)
    return first, second, share_at(sheet, command, x, y + 1), share_at(sheet, command, x + 1, y + 1)


def upright_shares(commands: Table, command: int, x: int, y: int) -> Quad:
    """Return the shares of an upright rectangle: products of what columns and rows have in common with it."""
    dx = x * at.ONE_PIXEL + at.ONE_PIXEL // 2 - commands[command + at.CENTER_X]
    dy = y * at.ONE_PIXEL + at.ONE_PIXEL // 2 - commands[command + at.CENTER_Y]
    half_w, half_h = commands[command + at.HALF_W], commands[command + at.HALF_H]
    hole_w, hole_h = commands[command + at.INNER_W], commands[command + at.INNER_H]
    left, right = overlap(dx, half_w), overlap(dx + at.ONE_PIXEL, half_w)
    upper, lower = overlap(dy, half_h), overlap(dy + at.ONE_PIXEL, half_h)
    hole_left, hole_right = overlap(dx, hole_w), overlap(dx + at.ONE_PIXEL, hole_w)
    hole_upper, hole_lower = overlap(dy, hole_h), overlap(dy + at.ONE_PIXEL, hole_h)
    color = commands[command + at.COLOR]
    return (
        share_of(product(left, upper) - product(hole_left, hole_upper), color),
        share_of(product(right, upper) - product(hole_right, hole_upper), color),
        share_of(product(left, lower) - product(hole_left, hole_lower), color),
        share_of(product(right, lower) - product(hole_right, hole_lower), color),
    )


def product(across: int, down: int) -> int:
    """Return the area of two overlaps, 0..256."""
    return (across * down + FULL // 2) >> 8


def text_shares(sheet: Sheet, command: int, x: int, y: int) -> Quad:
    """Return the shares of a text: of the most covering of the glyphs that touch the block."""
    glyphs, coverage = sheet.glyphs, sheet.coverage
    most00 = most01 = most10 = most11 = 0
    first = sheet.commands[command + at.FIRST] * at.GLYPH_SIZE
    for glyph in range(first, first + sheet.commands[command + at.COUNT] * at.GLYPH_SIZE, at.GLYPH_SIZE):
        column, row = x - glyphs[glyph + at.GLYPH_LEFT], y - glyphs[glyph + at.GLYPH_TOP]
        if -2 < column < glyphs[glyph + at.GLYPH_WIDTH] and -2 < row < glyphs[glyph + at.GLYPH_HEIGHT]:
            most00 = max(most00, glyph_coverage(glyphs, glyph, coverage, x, y))
            most01 = max(most01, glyph_coverage(glyphs, glyph, coverage, x + 1, y))
            most10 = max(most10, glyph_coverage(glyphs, glyph, coverage, x, y + 1))
            most11 = max(most11, glyph_coverage(glyphs, glyph, coverage, x + 1, y + 1))
    color = sheet.commands[command + at.COLOR]
    return share_of(most00, color), share_of(most01, color), share_of(most10, color), share_of(most11, color)


def paint_pixel_block(sheet: Sheet, column: int, row: int) -> None:
    """Paint 2x2 pixels of 4 bytes."""
    x, y = 2 * column, 2 * row
    warp_left = x - 2 * lane()
    loaded = False
    word00 = word01 = word10 = word11 = 0
    for base in range(sheet.first, sheet.end, lanes()):
        votes = vote(touches(sheet, base + lane(), warp_left, y, warp_left + 2 * lanes(), y + 2))
        if votes != 0 and not loaded:
            loaded = True
            word00, word01 = read_pixel(sheet, x, y), read_pixel(sheet, x + 1, y)
            word10, word11 = read_pixel(sheet, x, y + 1), read_pixel(sheet, x + 1, y + 1)
        while votes != 0:
            command = (base + lowest_vote(votes)) * at.COMMAND_SIZE
            votes = votes & (votes - 1)
            if sheet.commands[command + at.KIND] == at.IMAGE:
                word00, word01 = lay_pixel(sheet, command, x, y, word00), lay_pixel(sheet, command, x + 1, y, word01)
                word10 = lay_pixel(sheet, command, x, y + 1, word10)
                word11 = lay_pixel(sheet, command, x + 1, y + 1, word11)
            else:
                shares = block_shares(sheet, command, x, y)
                color = sheet.commands[command + at.COLOR]
                word00 = tint_pixel(sheet, color, shares[0], word00)
                word01 = tint_pixel(sheet, color, shares[1], word01)
                word10 = tint_pixel(sheet, color, shares[2], word10)
                word11 = tint_pixel(sheet, color, shares[3], word11)
    if loaded:
        write_pixel(sheet, x, y, word00)
        write_pixel(sheet, x + 1, y, word01)
        write_pixel(sheet, x, y + 1, word10)
        write_pixel(sheet, x + 1, y + 1, word11)


def read_pixel(sheet: Sheet, x: int, y: int) -> int:
    """Return the pixel at ``x, y``, nothing beyond the surface."""
    return pixel(sheet.pixels, y * sheet.pitch + 4 * x) if x < sheet.width and y < sheet.height else 0


def write_pixel(sheet: Sheet, x: int, y: int, word: int) -> None:
    """Write the pixel at ``x, y``, nothing beyond the surface."""
    if x < sheet.width and y < sheet.height:
        store_pixel(sheet.pixels, y * sheet.pitch + 4 * x, word)


def tint_pixel(sheet: Sheet, color: int, share: int, word: int) -> int:
    """Blend a colour into one pixel."""
    if share == 0:
        return word
    first, third = channel_of(color, 0), channel_of(color, 2)
    even = third | first << 16 if sheet.blue_first else first | third << 16
    low = mix_pair(word & 0xFF00FF, even, share)
    return low | mix_pair((word >> 8) & 0xFF00FF, channel_of(color, 1) | 255 << 16, share) << 8


def lay_pixel(sheet: Sheet, command: int, x: int, y: int, word: int) -> int:
    """Blend one pixel of an image into one pixel."""
    place = image_pixel(sheet.commands, command, sheet.glyphs, x, y)
    share = image_share(sheet.coverage, place, sheet.commands[command + at.COLOR])
    return tint_pixel(sheet, image_color(sheet, place), share, word) if share > 0 else word


def image_color(sheet: Sheet, place: int) -> int:
    """Return the colour of a pixel of an image, as commands have it."""
    red, green = load8(sheet.coverage, place), load8(sheet.coverage, place + 1)
    return red | green << 8 | load8(sheet.coverage, place + 2) << 16


def paint_plane_block(sheet: Sheet, column: int, row: int) -> None:
    """Paint 2x2 pixels of 4:2:0."""
    x, y = 2 * column, 2 * row
    warp_left = x - 2 * lane()
    inside = x < sheet.width and y < sheet.height
    at_luma, at_chroma = y * sheet.pitch + x, row * sheet.chroma_pitch + column * sheet.chroma_step
    loaded = False
    luma00 = luma01 = luma10 = luma11 = blue = red = 0
    for base in range(sheet.first, sheet.end, lanes()):
        votes = vote(touches(sheet, base + lane(), warp_left, y, warp_left + 2 * lanes(), y + 2))
        if votes != 0 and inside and not loaded:
            loaded = True
            luma00, luma01 = load8(sheet.pixels, at_luma), load8(sheet.pixels, at_luma + 1)
            at_lower = at_luma + sheet.pitch
            luma10, luma11 = load8(sheet.pixels, at_lower), load8(sheet.pixels, at_lower + 1)
            blue, red = load8(sheet.blue, at_chroma), load8(sheet.red, at_chroma)
        while votes != 0:
            command = (base + lowest_vote(votes)) * at.COMMAND_SIZE
            votes = votes & (votes - 1)
            if sheet.commands[command + at.KIND] == at.IMAGE:
                luma00, luma01 = lay_luma(sheet, command, x, y, luma00), lay_luma(sheet, command, x + 1, y, luma01)
                luma10 = lay_luma(sheet, command, x, y + 1, luma10)
                luma11 = lay_luma(sheet, command, x + 1, y + 1, luma11)
                blue, red = lay_chroma(sheet, command, x, y, blue, red)
            else:
                share00, share01, share10, share11 = block_shares(sheet, command, x, y)
                total = share00 + share01 + share10 + share11
                if total != 0:
                    light, over_blue, over_red = yuv_of(sheet, sheet.commands[command + at.COLOR])
                    luma00, luma01 = mix(luma00, light, share00), mix(luma01, light, share01)
                    luma10, luma11 = mix(luma10, light, share10), mix(luma11, light, share11)
                    mean = (total + 2) >> 2
                    blue, red = mix(blue, over_blue, mean), mix(red, over_red, mean)
    if loaded:
        store8(sheet.pixels, at_luma, luma00)
        store8(sheet.pixels, at_luma + 1, luma01)
        store8(sheet.pixels, at_luma + sheet.pitch, luma10)
        store8(sheet.pixels, at_luma + sheet.pitch + 1, luma11)
        store8(sheet.blue, at_chroma, blue)
        store8(sheet.red, at_chroma, red)


def lay_luma(sheet: Sheet, command: int, x: int, y: int, under: int) -> int:
    """Blend one pixel of an image into luma."""
    place = image_pixel(sheet.commands, command, sheet.glyphs, x, y)
    share = image_share(sheet.coverage, place, sheet.commands[command + at.COLOR])
    return mix(under, yuv_of(sheet, image_color(sheet, place))[0], share) if share > 0 else under


def lay_chroma(sheet: Sheet, command: int, x: int, y: int, blue: int, red: int) -> Pair:
    """Blend four pixels of an image into chroma."""
    total = reds = greens = blues = 0
    for part in range(4):
        place = image_pixel(sheet.commands, command, sheet.glyphs, x + (part & 1), y + (part >> 1))
        share = image_share(sheet.coverage, place, sheet.commands[command + at.COLOR])
        if share > 0:
            color = image_color(sheet, place)
            total, reds = total + share, reds + share * channel_of(color, 0)
            greens, blues = greens + share * channel_of(color, 1), blues + share * channel_of(color, 2)
    if total == 0:
        return blue, red
    r, g, b = weighted(reds, total), weighted(greens, total), weighted(blues, total)
    share = (total + 2) >> 2
    return (
        mix(blue, chroma_of(r, g, b, sheet.u_red, sheet.u_green, sheet.u_blue), share),
        mix(red, chroma_of(r, g, b, sheet.v_red, sheet.v_green, sheet.v_blue), share),
    )


def yuv_of(sheet: Sheet, color: int) -> tuple[int, int, int]:
    """Return a colour as luma and chroma."""
    red, green, blue = channel_of(color, 0), channel_of(color, 1), channel_of(color, 2)
    return (
        luma_of(red, green, blue, sheet.y_red, sheet.y_green, sheet.y_blue, sheet.luma_floor),
        chroma_of(4 * red, 4 * green, 4 * blue, sheet.u_red, sheet.u_green, sheet.u_blue),
        chroma_of(4 * red, 4 * green, 4 * blue, sheet.v_red, sheet.v_green, sheet.v_blue),
    )


def smooth_down(sheet: Sheet, column: int, row: int) -> None:
    """Blur one sample of each plane along its column, into scratch."""
    if column < sheet.columns and row < sheet.lines:
        reach = sheet.curve_size // 2
        for plane in range(3 if sheet.plane_step else 1):
            base = plane * sheet.plane_step + (sheet.left + column) * sheet.sample_step
            total = 0
            for place in range(sheet.curve_size):
                line = sheet.top + min(max(row + place - reach, 0), sheet.lines - 1)
                total += sheet.curve[place] * load8(sheet.pixels, base + line * sheet.sample_pitch)
            value = mean_of_curve(total, sheet.curve_weight)
            store8(sheet.scratch, (plane * sheet.lines + row) * sheet.columns + column, value)


def smooth_across(sheet: Sheet, column: int, row: int) -> None:
    """Blur one sample of each plane along its row, from scratch, and blend it in by the command's share."""
    if column < sheet.columns and row < sheet.lines:
        reach = sheet.curve_size // 2
        share = mean_share(sheet, sheet.left + column, sheet.top + row)
        for plane in range(3 if sheet.plane_step else 1):
            line = (plane * sheet.lines + row) * sheet.columns
            total = 0
            for place in range(sheet.curve_size):
                sample = min(max(column + place - reach, 0), sheet.columns - 1)
                total += sheet.curve[place] * load8(sheet.scratch, line + sample)
            value = mean_of_curve(total, sheet.curve_weight)
            place = plane * sheet.plane_step + (sheet.left + column) * sheet.sample_step
            place += (sheet.top + row) * sheet.sample_pitch
            store8(sheet.pixels, place, mix(load8(sheet.pixels, place), value, share))


def tile_means(sheet: Sheet, column: int, row: int) -> None:
    """Write the means of one square of each plane into scratch."""
    across, down = tiles(sheet.columns, sheet.cell), tiles(sheet.lines, sheet.cell)
    if column < across and row < down:
        left, top = column * sheet.cell, row * sheet.cell
        right, bottom = min(left + sheet.cell, sheet.columns), min(top + sheet.cell, sheet.lines)
        for plane in range(3 if sheet.plane_step else 1):
            first = plane * sheet.plane_step + sheet.left * sheet.sample_step + sheet.top * sheet.sample_pitch
            value = mean_of_tile(sheet.pixels, first, sheet.sample_pitch, sheet.sample_step, left, top, right, bottom)
            store8(sheet.scratch, (plane * down + row) * across + column, value)


def lay_tiles(sheet: Sheet, column: int, row: int) -> None:
    """Blend the mean of its square into one sample of each plane, by the command's share."""
    if column < sheet.columns and row < sheet.lines:
        across, down = tiles(sheet.columns, sheet.cell), tiles(sheet.lines, sheet.cell)
        tile = row // sheet.cell * across + column // sheet.cell
        share = mean_share(sheet, sheet.left + column, sheet.top + row)
        for plane in range(3 if sheet.plane_step else 1):
            place = plane * sheet.plane_step + (sheet.left + column) * sheet.sample_step
            place += (sheet.top + row) * sheet.sample_pitch
            value = load8(sheet.scratch, plane * down * across + tile)
            store8(sheet.pixels, place, mix(load8(sheet.pixels, place), value, share))


def tiles(samples: int, cell: int) -> int:
    """Return how many squares there are along a side, the last one perhaps cut."""
    return (samples + cell - 1) // cell


def mean_of_curve(total: int, weight: int) -> int:
    """Divide a weighted sum by the sum of its weights; ``weight`` is one by that, in 2**-32."""
    return (total * weight + (1 << 31)) >> 32


def mean_share(sheet: Sheet, x: int, y: int) -> int:
    """Return the share of the blur in a sample: in its pixel, or on average in its four."""
    command = sheet.first * at.COMMAND_SIZE
    if sheet.shared == 1:
        return share_at(sheet, command, x, y)
    upper = share_at(sheet, command, 2 * x, 2 * y) + share_at(sheet, command, 2 * x + 1, 2 * y)
    lower = share_at(sheet, command, 2 * x, 2 * y + 1) + share_at(sheet, command, 2 * x + 1, 2 * y + 1)
    return (upper + lower + 2) >> 2


PAINTERS: Final = {
    "paint_pixels": paint_pixel_block,
    "paint_planes": paint_plane_block,
    "smooth_down": smooth_down,
    "smooth_across": smooth_across,
    "tile_means": tile_means,
    "lay_tiles": lay_tiles,
}
"""Every kernel that paints, by its name."""
