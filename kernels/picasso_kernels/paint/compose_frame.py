"""From the columns of a frame's objects to its display list in one call: what is drawn, its text, its commands."""

from __future__ import annotations

import math
from typing import Final

from picasso_kernels.maths.memory import Ints, tail
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint import label_text
from picasso_kernels.paint.compose import Floats, compose_rows
from picasso_kernels.paint.glyph_layout import MARK
from picasso_kernels.paint.label_text import (
    NO_NUMBER,
    NOT_WRITTEN,
    put_fraction,
    put_text,
    put_whole,
)

INLINE: Final = tuple(
    f"paint.{name}" for name in ("compose_frame", "compose", "display_list", "glyph_layout", "label_text")
)
LOOK_STYLE: Final = 0
"""Of what a kind of object looks like: its style."""
LOOK_NAMESPACE: Final = 1
"""The text of its namespace."""
LOOK_LABEL: Final = 2
"""The text of its label."""
LOOK_SIZE: Final = 3

NO_GLYPH: Final = -1
"""Instead of a number of commands: a glyph has no sprites yet."""
NO_TEXT: Final = -2
"""A number of a label is one that is not written here."""
NO_ROOM: Final = -3
"""``codes`` is too small for all labels."""
LETTERS_AT: Final = 32
"""Bits of what is returned, below those of the number of letters: the number of commands."""
LISTS_UNIT: Final = at.COMMAND_SIZE
"""Commands start at a multiple of as many numbers."""


def compose_frame(
    boxes: Floats,
    capacity: int,
    count: int,
    ids: Ints,
    track_ids: Ints,
    confidences: Floats,
    look_of: Ints,
    looks: Ints,
    styles: Ints,
    tokens: Ints,
    texts: Ints,
    text_ends: Ints,
    first_sprite: Ints,
    sprites: Ints,
    width: int,
    height: int,
    clamp_labels: bool,
    codes: Ints,
    letters: int,
    scratch: Ints,
    lists: Ints,
) -> int:
    """Write the display list of the objects of a frame, in the order of their ids.

    Args:
        boxes: See ``compose``.
        capacity: Rows a column of ``boxes`` has room for.
        count: Objects.
        ids: Of each object.
        track_ids: Of each object; ``NO_NUMBER`` for none.
        confidences: Of each object; NaN for none.
        look_of: For each object its entry in ``looks``, -1 for one that is not drawn.
        looks: ``LOOK_SIZE`` numbers each.
        styles: ``STYLE_SIZE`` numbers a style; ``STYLE_TOKENS`` and ``STYLE_TOKENS_END`` say what its label has.
        tokens: ``TOKEN_SIZE`` numbers each, see ``label_text``.
        texts: Code points of all texts that are kept.
        text_ends: Where each ends, after a 0.
        first_sprite: See ``compose``.
        sprites: See ``compose``.
        width: Of the surface; commands that lie outside are left out.
        height: Of the surface.
        clamp_labels: Move labels into the surface.
        codes: Written: the code points of all labels.
        letters: How many ``codes`` has room for.
        scratch: Written: room for two numbers an object, and one more than there are letters.
        lists: Written: the glyphs, then, from a multiple of ``LISTS_UNIT`` on, the commands. Room for one glyph for
            each letter, ``COMMANDS_PER_OBJECT`` for each object, and ``LISTS_UNIT``.

    Returns:
        The number of commands, and by ``LETTERS_AT`` bits higher that of glyphs; ``NO_GLYPH``, ``NO_TEXT`` or
        ``NO_ROOM`` where there is no list.
    """
    drawn = order_rows(ids, look_of, count, scratch)
    style_of = tail(scratch, count)
    end = 0
    for index in range(drawn):
        row = scratch[index]
        look = look_of[row] * LOOK_SIZE
        style_of[index] = looks[look + LOOK_STYLE]
        style = looks[look + LOOK_STYLE] * at.STYLE_SIZE
        for token in range(styles[style + at.STYLE_TOKENS], styles[style + at.STYLE_TOKENS_END]):
            kind, value = tokens[token * label_text.TOKEN_SIZE], tokens[token * label_text.TOKEN_SIZE + 1]
            if kind <= label_text.LABEL:
                if kind != label_text.TEXT:
                    value = looks[look + (LOOK_LABEL if kind == label_text.LABEL else LOOK_NAMESPACE)]
                if end + text_ends[value + 1] - text_ends[value] >= letters:
                    return NO_ROOM
                end = put_text(texts, text_ends, value, codes, end)
            elif end + label_text.MOST_DIGITS >= letters:
                return NO_ROOM
            elif kind == label_text.LINE_END:
                codes[end] = MARK
                end += 1
            else:
                end = put_number(kind, value, row, boxes, capacity, ids, track_ids, confidences, codes, end)
                if end < 0:
                    return NO_TEXT
    line_ends = tail(scratch, 2 * count)
    first = (end * at.GLYPH_SIZE + LISTS_UNIT - 1) // LISTS_UNIT * LISTS_UNIT
    made = compose_rows(
        boxes, capacity, tail(scratch, 0), drawn, style_of, tail(styles, 0), tail(codes, 0), end,
        tail(first_sprite, 0), tail(sprites, 0), width, height, clamp_labels, line_ends, tail(lists, 0),
        tail(lists, first),
    )  # fmt: skip
    return NO_GLYPH if made < 0 else made | end << LETTERS_AT


def order_rows(ids: Ints, look_of: Ints, count: int, rows: Ints) -> int:
    """Write the rows of the objects that are drawn, in the order of their ids; return how many there are."""
    drawn = 0
    for row in range(count):
        if look_of[row] >= 0:
            place = drawn
            while place > 0 and ids[rows[place - 1]] > ids[row]:
                rows[place] = rows[place - 1]
                place -= 1
            rows[place] = row
            drawn += 1
    return drawn


def put_number(
    kind: int,
    side: int,
    row: int,
    boxes: Floats,
    capacity: int,
    ids: Ints,
    track_ids: Ints,
    confidences: Floats,
    codes: Ints,
    end: int,
) -> int:
    """Append a number of an object; return the new end, or ``NOT_WRITTEN``."""
    if kind == label_text.IDENTITY:
        return NOT_WRITTEN if ids[row] == NO_NUMBER else put_whole(ids[row], codes, end)
    if kind == label_text.TRACK:
        return end if track_ids[row] == NO_NUMBER else put_whole(track_ids[row], codes, end)
    if kind == label_text.CONFIDENCE:
        value = float(confidences[row])
        return end if math.isnan(value) else put_fraction(value, 2, codes, end)
    column = side + 5 if kind == label_text.TRACK_BOX else side
    value = float(boxes[row + column * capacity])
    return end if math.isnan(value) else put_fraction(value, 1, codes, end)
