"""Where the glyphs of a line stand: pens that advance along a baseline, in 1/64 pixel."""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Ints
from picasso_kernels.paint import display_list as at

MARK: Final = 0
"""The code point behind each line."""


def find_line(codes: Ints, number: int, line_ends: Ints) -> None:
    """Write where line ``number`` ends, in glyphs; where it starts is known. A line has a mark behind it."""
    end = line_ends[number]
    while codes[end + number] != MARK:
        end += 1
    line_ends[number + 1] = end


def lay_out_line(
    codes: Ints, number: int, line_ends: Ints, first_sprite: Ints, font: int, sprites: Ints, glyphs: Ints
) -> int:
    """Write one glyph for each code point of a line, as if the pen started at the origin; return the line's width.

    Args:
        codes: Code points, with a mark behind each line.
        number: Of the line: the number of marks before it.
        line_ends: For each line, where its glyphs end, after a 0.
        first_sprite: For each font and code point, the glyph's first sprite.
        font: Which font.
        sprites: The sprite table.
        glyphs: Written.

    Returns:
        The way of the pen, in 1/64 pixel; -1 where a glyph has no sprites yet.
    """
    pen = 0
    for place in range(line_ends[number], line_ends[number + 1]):
        sprite = first_sprite[font * at.CODE_POINTS + codes[place + number]]
        if sprite == 0:
            return -1
        near = pen + at.PEN_UNIT // (2 * at.PHASES)
        sprite += near * at.PHASES // at.PEN_UNIT % at.PHASES
        row = sprite * at.SPRITE_SIZE
        glyph = place * at.GLYPH_SIZE
        glyphs[glyph + at.GLYPH_LEFT] = sprites[row + at.SPRITE_DX] + near // at.PEN_UNIT
        glyphs[glyph + at.GLYPH_TOP] = sprites[row + at.SPRITE_DY]
        glyphs[glyph + at.GLYPH_WIDTH] = sprites[row + at.SPRITE_WIDTH]
        glyphs[glyph + at.GLYPH_HEIGHT] = sprites[row + at.SPRITE_HEIGHT]
        glyphs[glyph + at.GLYPH_OFFSET] = sprites[row + at.SPRITE_OFFSET]
        pen += sprites[row + at.SPRITE_ADVANCE]
    return pen


def move_glyphs(glyphs: Ints, start: int, end: int, right: int, down: int) -> None:
    """Move some glyphs by whole pixels."""
    for glyph in range(start * at.GLYPH_SIZE, end * at.GLYPH_SIZE, at.GLYPH_SIZE):
        glyphs[glyph + at.GLYPH_LEFT] += right
        glyphs[glyph + at.GLYPH_TOP] += down


def bound_glyphs(glyphs: Ints, start: int, end: int, commands: Ints, command: int) -> None:
    """Write the bounds of a text command: the smallest rectangle around its glyphs."""
    left, top, right, bottom = at.FAR, at.FAR, -at.FAR, -at.FAR
    for glyph in range(start * at.GLYPH_SIZE, end * at.GLYPH_SIZE, at.GLYPH_SIZE):
        if glyphs[glyph + at.GLYPH_WIDTH] > 0:
            left = min(left, glyphs[glyph + at.GLYPH_LEFT])
            top = min(top, glyphs[glyph + at.GLYPH_TOP])
            right = max(right, glyphs[glyph + at.GLYPH_LEFT] + glyphs[glyph + at.GLYPH_WIDTH])
            bottom = max(bottom, glyphs[glyph + at.GLYPH_TOP] + glyphs[glyph + at.GLYPH_HEIGHT])
    commands[command + at.LEFT] = left
    commands[command + at.TOP] = top
    commands[command + at.RIGHT] = right
    commands[command + at.BOTTOM] = bottom
