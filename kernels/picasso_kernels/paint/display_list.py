"""The display list: what a picture's drawing consists of, as tables of int32 that every painter reads alike.

**Commands**, one row of ``COMMAND_SIZE`` numbers each, painted in their order. Positions and lengths are in 1/256
pixel (``ONE_PIXEL``), the centre of the top left pixel is at (128, 128); bounds are whole pixels, right and bottom
excluded, and enclose every pixel that the command can touch; they may lie outside the surface.

========== ========= ===============================================================================================
column     kinds     meaning
========== ========= ===============================================================================================
KIND       all       RECT, DISC, TEXT, RUNS, IMAGE or BLUR
LEFT TOP   all       bounds
RIGHT
BOTTOM
COLOR      all       red + green * 2^8 + blue * 2^16 + alpha * 2^24, wrapped into int32; of a BLUR, opaque black
CENTER_X   RECT DISC centre
CENTER_Y   BLUR
HALF_W     RECT DISC half the width and height before rotation; of a disc, its radius
HALF_H     BLUR
INNER_W    RECT      half the width and height of the hole: a stroke is a rectangle without its inside; 0 means no hole
INNER_H
COS SIN    RECT BLUR rotation about the centre, in 1/16384; COS >= |SIN|, quarter turns being done by swapping sides
SIGMA      BLUR      of the Gaussian, in 1/256 pixel
CELL       BLUR      0, or the side of the squares in pixels of which each shows its mean, instead of the Gaussian
FIRST      TEXT RUNS its first glyph
           IMAGE
COUNT      TEXT RUNS how many glyphs there are
========== ========= ===============================================================================================

**Glyphs**, one row of ``GLYPH_SIZE`` each: the whole pixel of the top left corner, width and height, and where the
coverage starts, a byte a pixel, rows without gaps. A pixel under several glyphs of one text takes the highest coverage.

The glyphs of RUNS are one pixel high, and their offset is their coverage itself, 1..256; from ``SPOTS`` on, each pixel
has its own, and ``offset - SPOTS`` is where they start. They are ordered by row and
then by column and do not overlap: any shape, as a rasteriser gives it. The glyph of an IMAGE has four bytes a pixel:
red, green, blue, and alpha, which the alpha of the command's colour scales.

The tables that lists are composed from: **sprites** are glyphs relative to the pen on the baseline, and how far the
pen goes on; **styles** are draw values as numbers.
"""

from __future__ import annotations

RECT = 0
BLUR = 1
DISC = 2
TEXT = 3
RUNS = 4
IMAGE = 5

KIND = 0
LEFT = 1
TOP = 2
RIGHT = 3
BOTTOM = 4
COLOR = 5
CENTER_X = 6
CENTER_Y = 7
HALF_W = 8
HALF_H = 9
INNER_W = 10
INNER_H = 11
COS = 12
SIN = 13
SIGMA = 14
FIRST = 14
COUNT = 15
CELL = 15
COMMAND_SIZE = 16

GLYPH_LEFT = 0
GLYPH_TOP = 1
GLYPH_WIDTH = 2
GLYPH_HEIGHT = 3
GLYPH_OFFSET = 4
GLYPH_SIZE = 5

SPOTS = 257
"""Offset of a run whose pixels have coverages of their own, which start with the first byte of all coverage."""

SPRITE_DX = 0
SPRITE_DY = 1
SPRITE_WIDTH = 2
SPRITE_HEIGHT = 3
SPRITE_OFFSET = 4
SPRITE_ADVANCE = 5
"""In 1/64 pixel."""
SPRITE_SIZE = 6

OPAQUE_BLACK = -(1 << 24)
PIXEL_BITS = 8
ONE_PIXEL = 1 << PIXEL_BITS
TURN_BITS = 14
ONE_TURN = 1 << TURN_BITS
"""The cosine of no angle."""
FAR = 1 << 20
"""Coordinates stay within this many pixels, far outside of any surface."""
PEN_UNIT = 64
"""Pens move by 1/64 pixel."""
PHASES = 4
"""Sprites a glyph has, one for each quarter of a pixel where the pen can stand."""
CODE_POINTS = 0x110000

STYLE_BLUR = 0
STYLE_TRACK = 1
STYLE_BOX_FILL = 2
STYLE_BOX_BORDER = 3
STYLE_BOX_THICKNESS = 4
STYLE_BOX_PAD = 5
"""Left, top, right, bottom: four columns."""
STYLE_DOT_COLOR = 9
STYLE_DOT_RADIUS = 10
STYLE_LINES = 11
STYLE_LABEL_FILL = 12
STYLE_LABEL_BORDER = 13
STYLE_LABEL_THICKNESS = 14
STYLE_LABEL_PAD = 15
"""Left, top, right, bottom: four columns."""
STYLE_FONT_COLOR = 19
STYLE_FONT = 20
"""Which part of the glyph table the font has."""
STYLE_FONT_SIZE = 21
"""In 1/64 pixel (``PEN_UNIT``)."""
STYLE_ANCHOR = 22
"""INSIDE, OUTSIDE or CENTER."""
STYLE_MARGIN_X = 23
STYLE_MARGIN_Y = 24
STYLE_TOKENS = 25
"""The first token of the label, for ``compose_frame``."""
STYLE_TOKENS_END = 26
STYLE_SIZE = 27

INSIDE = 0
OUTSIDE = 1
CENTER = 2

COMMANDS_PER_OBJECT = 7
"""At most: blur, box, its border, dot, label, its border, text."""


def alpha_of(color: int) -> int:
    """Opacity of a packed colour, 0..255."""
    return (color >> 24) & 255


def channel_of(color: int, index: int) -> int:
    """Red, green, blue or alpha (``index`` 0..3) of a packed colour."""
    return (color >> (8 * index)) & 255
