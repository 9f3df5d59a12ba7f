"""From boxes, styles and texts to the display list: layers, rotation, anchors, glyphs.

Plain numbers on flat arrays, so that the same lines run as Python and compiled. Boxes are ``xc yc width height angle``
in pixels and degrees, turning from x towards y (clockwise on screen); an angle of NaN is none.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

from picasso_kernels.maths.memory import Ints
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.display_list import alpha_of
from picasso_kernels.paint.glyph_layout import bound_glyphs, find_line, lay_out_line, move_glyphs

SHAPE_SIZE: Final = 7
"""Numbers of a shape: see ``put_shapes``."""
Floats: TypeAlias = Any
"""Flat table of numbers: a 1-D C-contiguous float32 array, or in the reference a list."""


def compose(
    boxes: Floats,
    capacity: int,
    rows: Ints,
    style_of: Ints,
    styles: Ints,
    codes: Ints,
    first_sprite: Ints,
    sprites: Ints,
    width: int,
    height: int,
    clamp_labels: bool,
    line_ends: Ints,
    glyphs: Ints,
    commands: Ints,
) -> int:
    """Write the display list of some objects of a frame.

    Args:
        boxes: Ten columns of ``capacity`` rows: the five numbers of the detection boxes, then of the track boxes.
        capacity: Rows a column has room for.
        rows: Which rows to draw, back to front.
        style_of: The style of each of ``rows``.
        styles: ``STYLE_SIZE`` numbers a style.
        codes: The code points of all lines of all labels, in the order of ``rows``, with ``MARK`` behind each line.
        first_sprite: For each font and code point, the glyph's first sprite.
        sprites: The sprite table.
        width: Of the surface; commands that lie outside are left out.
        height: Of the surface.
        clamp_labels: Move labels into the surface.
        line_ends: Written: for each line, where its glyphs end, after a 0; room for one more than ``codes`` has.
        glyphs: Written: one for each code point, all 0 where it is not drawn, as at the end instead of the marks.
        commands: Written: room for ``COMMANDS_PER_OBJECT`` for each of ``rows``.

    Returns:
        How many commands the list has; -1 where a glyph has no sprites yet.
    """
    return compose_rows(
        boxes, capacity, rows, len(rows), style_of, styles, codes, len(codes), first_sprite, sprites, width, height,
        clamp_labels, line_ends, glyphs, commands,
    )  # fmt: skip


def compose_rows(
    boxes: Floats,
    capacity: int,
    rows: Ints,
    count: int,
    style_of: Ints,
    styles: Ints,
    codes: Ints,
    letters: int,
    first_sprite: Ints,
    sprites: Ints,
    width: int,
    height: int,
    clamp_labels: bool,
    line_ends: Ints,
    glyphs: Ints,
    commands: Ints,
) -> int:
    """Do as ``compose`` with the first ``count`` of ``rows`` and the first ``letters`` of ``codes``."""
    for entry in range(letters * at.GLYPH_SIZE):
        glyphs[entry] = 0
    line_ends[0] = 0
    end = 0
    line = 0
    for index in range(count):
        style = style_of[index] * at.STYLE_SIZE
        line_end = line + styles[style + at.STYLE_LINES]
        for number in range(line, line_end):
            find_line(codes, number, line_ends)
        box = rows[index]
        if styles[style + at.STYLE_TRACK] and not math.isnan(boxes[box + 5 * capacity]):
            box += 5 * capacity
        x, y = float(boxes[box]), float(boxes[box + capacity])
        box_w, box_h = float(boxes[box + 2 * capacity]), float(boxes[box + 3 * capacity])
        cos, sin = direction(float(boxes[box + 4 * capacity]))
        if is_drawable(x, y, box_w, box_h):
            start = end
            end = put_box(x, y, box_w / 2.0, box_h / 2.0, cos, sin, styles, style, commands, end)
            if line_end > line:
                label_w = lay_out(codes, line_ends, line, line_end, first_sprite, styles, style, sprites, glyphs)
                if label_w < 0:
                    return -1
                label_h = label_height(styles, style, line_end - line)
                left, top = label_corner(x, y, box_w / 2.0, box_h / 2.0, cos, sin, styles, style, label_w, label_h)
                if clamp_labels:
                    left = max(min(left, width - label_w), 0)
                    top = max(min(top, height - math.ceil(label_h)), 0)
                end = put_label(left, top, label_w, math.ceil(label_h), styles, style, commands, end)
                end = put_text(left, top, line_ends, line, line_end, styles, style, glyphs, commands, end)
            end = keep_visible(commands, start, end, width, height)
        line = line_end
    return end


def is_drawable(x: float, y: float, width: float, height: float) -> bool:
    """Tell whether a box is finite and has no negative side."""
    return math.isfinite(x) and math.isfinite(y) and 0 <= width < math.inf and 0 <= height < math.inf


def put_box(
    x: float,
    y: float,
    half_w: float,
    half_h: float,
    cos: float,
    sin: float,
    styles: Ints,
    style: int,
    commands: Ints,
    end: int,
) -> int:
    """Append an object's blur, rectangle, border and dot; return the new end."""
    if styles[style + at.STYLE_BLUR]:
        end = put(commands, end, at.BLUR, at.OPAQUE_BLACK, x, y, half_w, half_h, -1.0, cos, sin)
        sigma = min(max(0.2 * min(half_w, half_h), 2.0), 40.0)
        commands[(end - 1) * at.COMMAND_SIZE + at.SIGMA] = math.floor(sigma * at.ONE_PIXEL + 0.5)
    pad = style + at.STYLE_BOX_PAD
    pull_x, pull_y = (styles[pad + 2] - styles[pad]) / 2.0, (styles[pad + 3] - styles[pad + 1]) / 2.0
    padded_x, padded_y = x + pull_x * cos - pull_y * sin, y + pull_x * sin + pull_y * cos
    padded_w = half_w + (styles[pad] + styles[pad + 2]) / 2.0
    padded_h = half_h + (styles[pad + 1] + styles[pad + 3]) / 2.0
    color = styles[style + at.STYLE_BOX_FILL]
    end = put(commands, end, at.RECT, color, padded_x, padded_y, padded_w, padded_h, -1.0, cos, sin)
    color, edge = styles[style + at.STYLE_BOX_BORDER], styles[style + at.STYLE_BOX_THICKNESS] / 2.0
    end = put(commands, end, at.RECT, color, padded_x, padded_y, padded_w, padded_h, edge, cos, sin)
    color, radius = styles[style + at.STYLE_DOT_COLOR], float(styles[style + at.STYLE_DOT_RADIUS])
    return put(commands, end, at.DISC, color, x, y, radius, radius, -1.0, 1.0, 0.0)


def put_label(
    left: int, top: int, label_w: int, label_h: int, styles: Ints, style: int, commands: Ints, end: int
) -> int:
    """Append a label's box and its border; return the new end."""
    half_w, half_h = label_w / 2.0, label_h / 2.0
    x, y = left + half_w, top + half_h
    end = put(commands, end, at.RECT, styles[style + at.STYLE_LABEL_FILL], x, y, half_w, half_h, -1.0, 1.0, 0.0)
    edge = styles[style + at.STYLE_LABEL_THICKNESS] / 2.0
    return put(commands, end, at.RECT, styles[style + at.STYLE_LABEL_BORDER], x, y, half_w, half_h, edge, 1.0, 0.0)


def put_text(
    left: int,
    top: int,
    line_ends: Ints,
    line: int,
    line_end: int,
    styles: Ints,
    style: int,
    glyphs: Ints,
    commands: Ints,
    end: int,
) -> int:
    """Move the glyphs of a label's lines to their places, append their command, and return the new end."""
    pad = style + at.STYLE_LABEL_PAD
    font_size = styles[style + at.STYLE_FONT_SIZE] / at.PEN_UNIT
    for number in range(line, line_end):
        baseline = top + styles[pad + 1] + math.floor(font_size * (1.0 + 1.25 * (number - line)) + 0.5)
        move_glyphs(glyphs, line_ends[number], line_ends[number + 1], left + styles[pad], baseline)
    first, last = line_ends[line], line_ends[line_end]
    command = start_command(commands, end, at.TEXT, styles[style + at.STYLE_FONT_COLOR])
    commands[command + at.FIRST] = first
    commands[command + at.COUNT] = last - first
    bound_glyphs(glyphs, first, last, commands, command)
    return end + (alpha_of(styles[style + at.STYLE_FONT_COLOR]) > 0)


def lay_out(
    codes: Ints,
    line_ends: Ints,
    line: int,
    line_end: int,
    first_sprite: Ints,
    styles: Ints,
    style: int,
    sprites: Ints,
    glyphs: Ints,
) -> int:
    """Write the glyphs of a label's lines, each from its own origin.

    Returns:
        The width of the label in whole pixels; -1 where a glyph has no sprites yet.
    """
    font = styles[style + at.STYLE_FONT]
    widest = 0
    for number in range(line, line_end):
        pen = lay_out_line(codes, number, line_ends, first_sprite, font, sprites, glyphs)
        if pen < 0:
            return -1
        widest = max(widest, pen)
    pad = style + at.STYLE_LABEL_PAD
    width: int = (widest + at.PEN_UNIT - 1) // at.PEN_UNIT + styles[pad] + styles[pad + 2]
    return width


def label_height(styles: Ints, style: int, lines: int) -> float:
    """Return the height of a label in pixels."""
    pad = style + at.STYLE_LABEL_PAD
    line_height = 1.25 * (styles[style + at.STYLE_FONT_SIZE] / at.PEN_UNIT)
    height: float = lines * line_height + styles[pad + 1] + styles[pad + 3]
    return height


def label_corner(
    x: float,
    y: float,
    half_w: float,
    half_h: float,
    cos: float,
    sin: float,
    styles: Ints,
    style: int,
    label_w: int,
    label_h: float,
) -> tuple[int, int]:
    """Return the whole pixel nearest to a label's top left corner, by the upright rectangle around the box."""
    anchor = styles[style + at.STYLE_ANCHOR]
    if anchor == at.CENTER:
        left, top = x - label_w / 2.0, y - label_h / 2.0
    else:
        left = x - half_w * abs(cos) - half_h * abs(sin)
        top = y - half_w * abs(sin) - half_h * abs(cos)
        if anchor == at.OUTSIDE:
            top -= label_h
    return fixed(left + styles[style + at.STYLE_MARGIN_X], 1), fixed(top + styles[style + at.STYLE_MARGIN_Y], 1)


def direction(angle: float) -> tuple[float, float]:
    """Return cosine and sine of an angle in degrees, exact at quarter turns; of no turn where it is not finite."""
    if not math.isfinite(angle):
        return 1.0, 0.0
    turned = angle % 360.0
    quarters = math.floor(turned / 90.0 + 0.5)
    rest = math.radians(turned - 90.0 * quarters)
    cos, sin = math.cos(rest), math.sin(rest)
    for _ in range(quarters & 3):
        cos, sin = -sin, cos
    return cos, sin


def fixed(value: float, unit: int) -> int:
    """Return a number of pixels in 1/``unit`` pixel, the nearest, kept from going out of range."""
    return math.floor(min(max(value, -at.FAR), at.FAR) * unit + 0.5)


def put(
    commands: Ints,
    end: int,
    kind: int,
    color: int,
    x: float,
    y: float,
    half_w: float,
    half_h: float,
    edge: float,
    cos: float,
    sin: float,
) -> int:
    """Append a rectangle or disc unless it is invisible; return the new end.

    Args:
        commands: Written.
        end: How many commands there are.
        kind: RECT, BLUR or DISC.
        color: Packed.
        x: Centre, in pixels.
        y: Centre.
        half_w: Half the width before rotation.
        half_h: Half the height before rotation.
        edge: Half the width of the stroke along the edges, or -1 to fill.
        cos: Of the rotation.
        sin: Of the rotation.
    """
    if alpha_of(color) == 0 or edge == 0 or (kind == at.DISC and half_w <= 0):
        return end
    if abs(cos) < abs(sin):
        cos, sin, half_w, half_h = sin, -cos, half_h, half_w
    if cos < 0:
        cos, sin = -cos, -sin
    command = start_command(commands, end, kind, color)
    grow = max(edge, 0.0)
    commands[command + at.CENTER_X] = fixed(x, at.ONE_PIXEL)
    commands[command + at.CENTER_Y] = fixed(y, at.ONE_PIXEL)
    commands[command + at.HALF_W] = fixed(half_w + grow, at.ONE_PIXEL)
    commands[command + at.HALF_H] = fixed(half_h + grow, at.ONE_PIXEL)
    commands[command + at.INNER_W] = fixed(max(half_w - edge, 0.0), at.ONE_PIXEL) if edge > 0 else 0
    commands[command + at.INNER_H] = fixed(max(half_h - edge, 0.0), at.ONE_PIXEL) if edge > 0 else 0
    commands[command + at.COS] = math.floor(cos * at.ONE_TURN + 0.5)
    commands[command + at.SIN] = math.floor(sin * at.ONE_TURN + 0.5)
    bound(commands, command)
    return end + 1


def put_shapes(shapes: Floats, colors: Ints, kind: int, width: int, height: int, commands: Ints) -> int:
    """Write the commands of many rectangles, discs or blurs: those that can be seen.

    Args:
        shapes: ``SHAPE_SIZE`` numbers each: centre, halves of width and height, edge, cosine and sine, as for ``put``.
            What is not finite, has a negative side, or no size and no edge, is left out.
        colors: One for each, packed.
        kind: RECT, BLUR or DISC.
        width: Of the surface.
        height: Of the surface.
        commands: Written: room for as many as there are colours.

    Returns:
        How many commands there are.
    """
    end = 0
    for number in range(len(colors)):
        at_x = number * SHAPE_SIZE
        x, y, half_w, half_h = shapes[at_x], shapes[at_x + 1], shapes[at_x + 2], shapes[at_x + 3]
        edge, cos, sin = shapes[at_x + 4], shapes[at_x + 5], shapes[at_x + 6]
        if is_drawable(x, y, half_w, half_h) and (edge > 0 or (half_w > 0 and half_h > 0)):
            start = end
            end = put(commands, end, kind, colors[number], x, y, half_w, half_h, edge, cos, sin)
            end = keep_visible(commands, start, end, width, height)
    return end


def start_command(commands: Ints, end: int, kind: int, color: int) -> int:
    """Clear the row of command number ``end`` except for its kind and colour; return where it starts."""
    command = end * at.COMMAND_SIZE
    for column in range(at.COMMAND_SIZE):
        commands[command + column] = 0
    commands[command + at.KIND] = kind
    commands[command + at.COLOR] = color
    return command


def bound(commands: Ints, command: int) -> None:
    """Write the bounds of a rectangle or disc: every pixel that it can touch."""
    cos, sin = commands[command + at.COS], abs(commands[command + at.SIN])
    half_w, half_h = commands[command + at.HALF_W], commands[command + at.HALF_H]
    reach_x = (half_w * cos + half_h * sin) >> at.TURN_BITS
    reach_y = (half_w * sin + half_h * cos) >> at.TURN_BITS
    if sin > 0 or commands[command + at.KIND] == at.DISC:
        reach_x += at.ONE_PIXEL
        reach_y += at.ONE_PIXEL
    x, y = commands[command + at.CENTER_X], commands[command + at.CENTER_Y]
    commands[command + at.LEFT] = (x - reach_x) >> at.PIXEL_BITS
    commands[command + at.TOP] = (y - reach_y) >> at.PIXEL_BITS
    commands[command + at.RIGHT] = -((-x - reach_x) >> at.PIXEL_BITS)
    commands[command + at.BOTTOM] = -((-y - reach_y) >> at.PIXEL_BITS)


def keep_visible(commands: Ints, start: int, end: int, width: int, height: int) -> int:
    """Remove the commands of ``start..end`` that lie outside the surface, or hold nothing; return the new end."""
    kept = start
    for number in range(start, end):
        command = number * at.COMMAND_SIZE
        left, right = max(commands[command + at.LEFT], 0), min(commands[command + at.RIGHT], width)
        top, bottom = max(commands[command + at.TOP], 0), min(commands[command + at.BOTTOM], height)
        if left < right and top < bottom:
            for column in range(at.COMMAND_SIZE):
                commands[kept * at.COMMAND_SIZE + column] = commands[command + column]
            kept += 1
    return kept
