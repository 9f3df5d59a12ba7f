"""Images of a display list: pixels with an opacity each, blended onto pixels or planes of 4:2:0."""

from __future__ import annotations

from picasso_kernels.maths.color import chroma_of, luma_of
from picasso_kernels.maths.memory import Bytes, Ints, load8, store8
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.blend import spot_share
from picasso_kernels.paint.coverage import FULL, mix, share_of
from picasso_kernels.paint.target import BASE, PITCH, PLANE, STEP, TO_YUV, WIDTH, sample_at


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
    color, step, first = commands[command + at.COLOR], target[STEP], min(target[BASE], target[2 * PLANE + BASE])
    alpha, is_blue_first = share_of(FULL, color), target[BASE] > target[2 * PLANE + BASE]
    for y in range(top, bottom):
        place, byte = image_pixel(commands, command, glyphs, left, y), first + y * target[PITCH] + left * step
        if place < 0 or left >= right:
            continue
        if step == 1:
            lay_gray_row(pixels, byte, coverage, place, alpha, target, right - left)
        elif is_blue_first:
            lay_swapped_row(pixels, byte, step, coverage, place, alpha, right - left)
        else:
            lay_row(pixels, byte, step, coverage, place, alpha, right - left)


def lay_row(pixels: Bytes, first: int, step: int, over: Bytes, over_at: int, alpha: int, count: int) -> None:
    """Blend a row of an image into pixels of three or four bytes.

    Args:
        pixels: Written.
        first: Byte of the first pixel.
        step: Bytes from a pixel to the next.
        over: The image: four bytes a pixel.
        over_at: Of its first pixel.
        alpha: Opacity, 0..256.
        count: Pixels.
    """
    for x in range(count):
        place, byte = over_at + 4 * x, first + x * step
        share = spot_share(over, place + 3, alpha)
        for channel in range(3):
            store8(pixels, byte + channel, mix(load8(pixels, byte + channel), load8(over, place + channel), share))
        if step > 3:
            store8(pixels, byte + 3, mix(load8(pixels, byte + 3), 255, share))


def lay_swapped_row(pixels: Bytes, first: int, step: int, over: Bytes, over_at: int, alpha: int, count: int) -> None:
    """Do as ``lay_row`` with pixels whose first byte is blue."""
    for x in range(count):
        place, byte = over_at + 4 * x, first + x * step
        share = spot_share(over, place + 3, alpha)
        for channel in range(3):
            store8(pixels, byte + channel, mix(load8(pixels, byte + channel), load8(over, place + 2 - channel), share))
        if step > 3:
            store8(pixels, byte + 3, mix(load8(pixels, byte + 3), 255, share))


def lay_gray_row(pixels: Bytes, first: int, over: Bytes, over_at: int, alpha: int, target: Ints, count: int) -> None:
    """Do as ``lay_row`` with pixels of one byte, of the lumas of the image."""
    k = TO_YUV
    for x in range(count):
        place = over_at + 4 * x
        red, green, blue = load8(over, place), load8(over, place + 1), load8(over, place + 2)
        light = luma_of(red, green, blue, target[k], target[k + 1], target[k + 2], target[k + 3])
        store8(pixels, first + x, mix(load8(pixels, first + x), light, spot_share(over, place + 3, alpha)))


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
