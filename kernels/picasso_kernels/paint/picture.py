"""Images of a display list: pixels with an opacity each, blended onto pixels or planes of 4:2:0."""

from __future__ import annotations

from picasso_kernels.maths.color import chroma_of, luma_of
from picasso_kernels.maths.memory import Bytes, Ints, load8, store8
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import mix, share_of
from picasso_kernels.paint.target import BASE, PLANE, STEP, TO_YUV, WIDTH, sample_at


def image_pixel(commands: Ints, command: int, glyphs: Ints, x: int, y: int) -> int:
    """Return the byte where a pixel of the picture starts in the coverage of an image; -1 outside of the image."""
    glyph = commands[command + at.FIRST] * at.GLYPH_SIZE
    column, row = x - glyphs[glyph + at.GLYPH_LEFT], y - glyphs[glyph + at.GLYPH_TOP]
    width = glyphs[glyph + at.GLYPH_WIDTH]
    if not (0 <= column < width and 0 <= row < glyphs[glyph + at.GLYPH_HEIGHT]):
        return -1
    place: int = glyphs[glyph + at.GLYPH_OFFSET] + 4 * (row * width + column)
    return place


def image_share(coverage: Bytes, place: int, color: int) -> int:
    """Return the share of an image's pixel, 0..256; 0 where there is none."""
    if place < 0:
        return 0
    alpha = load8(coverage, place + 3)
    return share_of(alpha + (alpha >> 7), color)


def lay_pixels(
    commands: Ints, command: int, glyphs: Ints, coverage: Bytes, top: int, bottom: int, target: Ints, pixels: Bytes
) -> None:
    """Blend an image into the rows ``top..bottom`` of pixels of four bytes, three, or one."""
    glyph = commands[command + at.FIRST] * at.GLYPH_SIZE
    start, width = glyphs[glyph + at.GLYPH_LEFT], glyphs[glyph + at.GLYPH_WIDTH]
    left, right = max(start, 0), min(start + width, target[WIDTH])
    color, step, k = commands[command + at.COLOR], target[STEP], TO_YUV
    to_green, to_blue = target[PLANE + BASE] - target[BASE], target[2 * PLANE + BASE] - target[BASE]
    for y in range(top, bottom):
        place, byte = image_pixel(commands, command, glyphs, left, y), sample_at(target, 0, left, y)
        for _ in range(right - left if place >= 0 else 0):
            alpha = load8(coverage, place + 3)
            share = share_of(alpha + (alpha >> 7), color)
            red, green, blue = load8(coverage, place), load8(coverage, place + 1), load8(coverage, place + 2)
            if step == 1:
                red = luma_of(red, green, blue, target[k], target[k + 1], target[k + 2], target[k + 3])
            store8(pixels, byte, mix(load8(pixels, byte), red, share))
            if step > 1:
                store8(pixels, byte + to_green, mix(load8(pixels, byte + to_green), green, share))
                store8(pixels, byte + to_blue, mix(load8(pixels, byte + to_blue), blue, share))
            if step > 3:
                fourth = byte + to_green + 2
                store8(pixels, fourth, mix(load8(pixels, fourth), 255, share))
            place, byte = place + 4, byte + step


def lay_planes(
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
) -> None:
    """Blend an image into planes of 4:2:0; ``top`` is even.

    Chroma takes the mean of the four shares, of the colour that is the mean of the four by their shares.
    """
    left, right = max(commands[command + at.LEFT], 0) & -2, min(commands[command + at.RIGHT], target[WIDTH])
    color, k = commands[command + at.COLOR], TO_YUV
    for y in range(top, bottom, 2):
        for x in range(left, right, 2):
            total = reds = greens = blues = 0
            for part in range(4):
                column, row = x + (part & 1), y + (part >> 1)
                place = image_pixel(commands, command, glyphs, column, row)
                share = image_share(coverage, place, color)
                if share > 0:
                    r, g, b = load8(coverage, place), load8(coverage, place + 1), load8(coverage, place + 2)
                    byte = sample_at(target, 0, column, row)
                    light = luma_of(r, g, b, target[k], target[k + 1], target[k + 2], target[k + 3])
                    store8(luma, byte, mix(load8(luma, byte), light, share))
                    total, reds, greens, blues = total + share, reds + share * r, greens + share * g, blues + share * b
            if total > 0:
                r, g, b = weighted(reds, total), weighted(greens, total), weighted(blues, total)
                share = (total + 2) >> 2
                byte = sample_at(target, 1, x >> 1, y >> 1)
                tint = chroma_of(r, g, b, target[k + 4], target[k + 5], target[k + 6])
                store8(blue, byte, mix(load8(blue, byte), tint, share))
                byte = sample_at(target, 2, x >> 1, y >> 1)
                tint = chroma_of(r, g, b, target[k + 7], target[k + 8], target[k + 9])
                store8(red, byte, mix(load8(red, byte), tint, share))


def weighted(sum_of_shares: int, total: int) -> int:
    """Return four times the mean of four channel values, each of which counts by its share."""
    return (4 * sum_of_shares + total // 2) // total
