"""How much of a pixel a command covers, 0 to ``FULL``: one pixel at a time, or a row at once.

A rectangle's coverage is the product of two overlaps, of the pixel with the rectangle along each of its axes: exact for
an upright one, within 5 % of the area along the edges of a rotated one. Rows give the numbers of the pixels, sooner.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Bytes, Ints, load8, load16, store16
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.display_list import alpha_of

FULL: Final = 256
"""Coverage of a pixel that lies inside."""
_HALF: Final = at.ONE_PIXEL // 2


def share_of(coverage: int, color: int) -> int:
    """Return the share of a command's colour in the pixel, 0..256: coverage times opacity."""
    alpha = alpha_of(color)
    return (coverage * (alpha + (alpha >> 7)) + FULL // 2) >> 8


def mix(under: int, over: int, share: int) -> int:
    """Blend two samples; ``share`` in 0..256 is that of ``over``."""
    return (under * (FULL - share) + over * share + FULL // 2) >> 8


def mix_pair(under: int, over: int, share: int) -> int:
    """Do as ``mix`` with two samples at once, in bits 0..7 and 16..23."""
    return ((under * (FULL - share) + over * share + (FULL // 2) * 0x10001) >> 8) & 0xFF00FF


def overlap(place: int, half: int) -> int:
    """Return how much of the pixel around ``place`` lies within ``half`` of the origin, in 1/256, along one axis."""
    return max(min(place + _HALF, half) - max(place - _HALF, -half), 0)


def box_coverage(dx: int, dy: int, half_w: int, half_h: int, cos: int, sin: int) -> int:
    """Return the coverage of a pixel by a rectangle, whose centre is ``dx, dy`` away from the pixel's."""
    along = (dx * cos + dy * sin + at.ONE_TURN // 2) >> at.TURN_BITS
    across = (dy * cos - dx * sin + at.ONE_TURN // 2) >> at.TURN_BITS
    return (overlap(along, half_w) * overlap(across, half_h) + FULL // 2) >> 8


def rect_coverage(commands: Ints, command: int, x: int, y: int) -> int:
    """Return the coverage of pixel ``x, y`` by a rectangle without its hole."""
    dx = x * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_X]
    dy = y * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_Y]
    cos, sin = commands[command + at.COS], commands[command + at.SIN]
    outer = box_coverage(dx, dy, commands[command + at.HALF_W], commands[command + at.HALF_H], cos, sin)
    return outer - box_coverage(dx, dy, commands[command + at.INNER_W], commands[command + at.INNER_H], cos, sin)


def disc_coverage(commands: Ints, command: int, x: int, y: int) -> int:
    """Return the coverage of pixel ``x, y`` by a disc: how far its centre is inside, in pixels, plus 1/2."""
    radius = commands[command + at.HALF_W]
    dx = x * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_X]
    dy = y * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_Y]
    square = dx * dx + dy * dy
    if square >= (radius + at.ONE_PIXEL) * (radius + at.ONE_PIXEL):
        return 0
    if radius >= at.ONE_PIXEL and square <= (radius - at.ONE_PIXEL) * (radius - at.ONE_PIXEL):
        return FULL
    distance: int = (radius + square // radius) >> 1  # two steps of Newton's towards the root, exact near the edge
    if distance > 0:
        distance = (distance + square // distance) >> 1
    coverage: int = min(max(radius - distance + _HALF, 0), FULL)
    return coverage


def glyph_coverage(glyphs: Ints, glyph: int, coverage: Bytes, x: int, y: int) -> int:
    """Return the coverage of pixel ``x, y`` by one glyph."""
    column, row = x - glyphs[glyph + at.GLYPH_LEFT], y - glyphs[glyph + at.GLYPH_TOP]
    width = glyphs[glyph + at.GLYPH_WIDTH]
    if not (0 <= column < width and 0 <= row < glyphs[glyph + at.GLYPH_HEIGHT]):
        return 0
    value = load8(coverage, glyphs[glyph + at.GLYPH_OFFSET] + row * width + column)
    return value + (value >> 7)


def first_run(glyphs: Ints, first: int, count: int, x: int, y: int) -> int:
    """Return the first of ``count`` runs, ordered by row and column, that ends behind ``x`` in row ``y``, or later."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) >> 1
        glyph = middle * at.GLYPH_SIZE
        top = glyphs[glyph + at.GLYPH_TOP]
        if top < y or (top == y and glyphs[glyph + at.GLYPH_LEFT] + glyphs[glyph + at.GLYPH_WIDTH] <= x):
            low = middle + 1
        else:
            high = middle
    return low


def run_coverage(commands: Ints, command: int, glyphs: Ints, coverage: Bytes, x: int, y: int) -> int:
    """Return the coverage of pixel ``x, y`` by runs."""
    first, count = commands[command + at.FIRST], commands[command + at.COUNT]
    run = first_run(glyphs, first, count, x, y)
    if run == first + count:
        return 0
    glyph = run * at.GLYPH_SIZE
    if glyphs[glyph + at.GLYPH_TOP] != y or glyphs[glyph + at.GLYPH_LEFT] > x:
        return 0
    offset: int = glyphs[glyph + at.GLYPH_OFFSET]
    if offset < at.SPOTS:
        return offset
    value = load8(coverage, offset - at.SPOTS + x - glyphs[glyph + at.GLYPH_LEFT])
    return value + (value >> 7)


def pixel_coverage(commands: Ints, command: int, glyphs: Ints, coverage: Bytes, x: int, y: int) -> int:
    """Return the coverage of pixel ``x, y`` by any command that has one colour.

    Of a text, it is that of its most covering glyph.
    """
    kind = commands[command + at.KIND]
    if kind == at.RECT:
        return rect_coverage(commands, command, x, y)
    if kind == at.DISC:
        return disc_coverage(commands, command, x, y)
    if kind == at.RUNS:
        return run_coverage(commands, command, glyphs, coverage, x, y)
    most = 0
    first = commands[command + at.FIRST] * at.GLYPH_SIZE
    for glyph in range(first, first + commands[command + at.COUNT] * at.GLYPH_SIZE, at.GLYPH_SIZE):
        most = max(most, glyph_coverage(glyphs, glyph, coverage, x, y))
    return most


def span(dy: int, center_x: int, half_w: int, half_h: int, cos: int, sin: int, grow: int) -> tuple[int, int]:
    """Return the pixels ``start..end`` of a row whose centres lie in a rectangle grown by ``grow`` on each side.

    For an upright rectangle, the row counts as one that meets it.

    Args:
        dy: From the rectangle's centre to that of the row, in 1/256 pixel.
        center_x: Of the rectangle.
        half_w: Half its width.
        half_h: Half its height.
        cos: Of its rotation, at least as large as ``sin``.
        sin: Of its rotation.
        grow: In 1/256 pixel; negative shrinks.
    """
    wide, high = half_w + grow, half_h + grow
    if wide < 0 or high < 0:
        return 0, 0
    low, top = -wide, wide
    if sin != 0:
        low = -(((wide << at.TURN_BITS) + dy * sin) // cos)
        top = ((wide << at.TURN_BITS) - dy * sin) // cos
    if sin > 0:
        low = max(low, -(((high << at.TURN_BITS) - dy * cos) // sin))
        top = min(top, ((high << at.TURN_BITS) + dy * cos) // sin)
    elif sin < 0:
        low = max(low, -(((high << at.TURN_BITS) + dy * cos) // -sin))
        top = min(top, ((high << at.TURN_BITS) - dy * cos) // -sin)
    start = (low + center_x + _HALF - 1) >> at.PIXEL_BITS
    return start, max(start, ((top + center_x - _HALF) >> at.PIXEL_BITS) + 1)


def reach(commands: Ints, command: int, glyphs: Ints, y: int) -> tuple[int, int]:
    """Return the pixels ``start..end`` of row ``y`` that the command can touch; of runs, none if ``start > end``."""
    left, right = commands[command + at.LEFT], commands[command + at.RIGHT]
    if commands[command + at.KIND] == at.RUNS:
        first, count = commands[command + at.FIRST], commands[command + at.COUNT]
        run = first_run(glyphs, first, count, left, y)
        end = first_run(glyphs, run, first + count - run, left, y + 1)
        if run == end:
            return right, left
        run, end = run * at.GLYPH_SIZE, (end - 1) * at.GLYPH_SIZE
        return glyphs[run + at.GLYPH_LEFT], glyphs[end + at.GLYPH_LEFT] + glyphs[end + at.GLYPH_WIDTH]
    if commands[command + at.KIND] <= at.BLUR and commands[command + at.SIN] != 0:
        dy = y * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_Y]
        start, end = span(
            dy, commands[command + at.CENTER_X], commands[command + at.HALF_W], commands[command + at.HALF_H],
            commands[command + at.COS], commands[command + at.SIN], _HALF + 1,
        )  # fmt: skip
        return max(left, start), min(right, end)
    return left, right


def plateau(commands: Ints, command: int, y: int) -> tuple[int, int]:
    """Return the pixels ``start..end`` in the middle of row ``y`` where the coverage by a rectangle is the same."""
    half_w, half_h = commands[command + at.HALF_W], commands[command + at.HALF_H]
    if has_hole(commands, command):
        half_w, half_h = commands[command + at.INNER_W], commands[command + at.INNER_H]
    dy = y * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_Y]
    return span(
        dy, commands[command + at.CENTER_X], half_w, half_h,
        commands[command + at.COS], commands[command + at.SIN], -_HALF - 1,
    )  # fmt: skip


def steady_rows(commands: Ints, command: int) -> tuple[int, int]:
    """Return the rows ``start..end`` within an upright rectangle, or within its hole, which have the same shares."""
    if commands[command + at.KIND] > at.BLUR or commands[command + at.SIN] != 0:
        return 0, 0
    half_h = commands[command + at.INNER_H] if has_hole(commands, command) else commands[command + at.HALF_H]
    y = commands[command + at.CENTER_Y]
    return (y - half_h + at.ONE_PIXEL - 1) >> at.PIXEL_BITS, (y + half_h) >> at.PIXEL_BITS


def has_hole(commands: Ints, command: int) -> bool:
    """Tell whether a rectangle is a stroke around something."""
    inside: bool = commands[command + at.INNER_W] > 0 and commands[command + at.INNER_H] > 0
    return inside


def share_row(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    y: int,
    left: int,
    right: int,
    shares: Bytes,
    shares_at: int,
) -> tuple[int, int]:
    """Write a command's share in the pixels ``left..right`` of row ``y``, 16 bits each.

    Returns:
        The pixels ``start..end`` in the middle that it does not touch, if ``start < end``.
    """
    kind, color = commands[command + at.KIND], commands[command + at.COLOR]
    if kind == at.TEXT:
        share_text_row(commands, command, glyphs, coverage, y, left, right, shares, shares_at)
        return 0, 0
    if kind == at.RUNS:
        return share_runs_row(commands, command, glyphs, coverage, y, left, right, shares, shares_at)
    if kind == at.DISC:
        for x in range(left, right):
            store16(shares, shares_at + 2 * (x - left), share_of(disc_coverage(commands, command, x, y), color))
        return 0, 0
    start, end = plateau(commands, command, y)
    start = min(max(start, left), right)
    end = min(max(end, start), right)
    share = share_of(rect_coverage(commands, command, start, y), color)
    share_rect_run(commands, command, y, left, start, shares, shares_at)
    for x in range(start - left, end - left):
        store16(shares, shares_at + 2 * x, share)
    share_rect_run(commands, command, y, end, right, shares, shares_at + 2 * (end - left))
    return (start, end) if share == 0 else (0, 0)


def share_rect_run(commands: Ints, command: int, y: int, left: int, right: int, shares: Bytes, shares_at: int) -> None:
    """Write a rectangle's share in the pixels ``left..right`` of row ``y``, each by itself."""
    color, cos, sin = commands[command + at.COLOR], commands[command + at.COS], commands[command + at.SIN]
    half_w, half_h = commands[command + at.HALF_W], commands[command + at.HALF_H]
    inner_w, inner_h = commands[command + at.INNER_W], commands[command + at.INNER_H]
    x_at, dy = _HALF - commands[command + at.CENTER_X], y * at.ONE_PIXEL + _HALF - commands[command + at.CENTER_Y]
    if sin != 0:
        for x in range(left, right):
            dx = x * at.ONE_PIXEL + x_at
            outer = box_coverage(dx, dy, half_w, half_h, cos, sin)
            inner = box_coverage(dx, dy, inner_w, inner_h, cos, sin)
            store16(shares, shares_at + 2 * (x - left), share_of(outer - inner, color))
        return
    high, low = overlap(dy, half_h), overlap(dy, inner_h)
    for x in range(left, right):
        dx = x * at.ONE_PIXEL + x_at
        outer = (overlap(dx, half_w) * high + FULL // 2) >> 8
        inner = (overlap(dx, inner_w) * low + FULL // 2) >> 8
        store16(shares, shares_at + 2 * (x - left), share_of(outer - inner, color))


def share_text_row(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    y: int,
    left: int,
    right: int,
    shares: Bytes,
    shares_at: int,
) -> None:
    """Write a text's share in the pixels ``left..right`` of row ``y``, 16 bits each."""
    color = commands[command + at.COLOR]
    for x in range(right - left):
        store16(shares, shares_at + 2 * x, 0)
    first = commands[command + at.FIRST] * at.GLYPH_SIZE
    for glyph in range(first, first + commands[command + at.COUNT] * at.GLYPH_SIZE, at.GLYPH_SIZE):
        row, width = y - glyphs[glyph + at.GLYPH_TOP], glyphs[glyph + at.GLYPH_WIDTH]
        if 0 <= row < glyphs[glyph + at.GLYPH_HEIGHT]:
            start = glyphs[glyph + at.GLYPH_LEFT]
            from_at = glyphs[glyph + at.GLYPH_OFFSET] + row * width - start
            to_at = shares_at - 2 * left
            for x in range(max(start, left), min(start + width, right)):
                value = load8(coverage, from_at + x)
                share = share_of(value + (value >> 7), color)
                store16(shares, to_at + 2 * x, max(load16(shares, to_at + 2 * x), share))


def share_runs_row(
    commands: Ints,
    command: int,
    glyphs: Ints,
    coverage: Bytes,
    y: int,
    left: int,
    right: int,
    shares: Bytes,
    shares_at: int,
) -> tuple[int, int]:
    """Do as ``share_row`` for runs: between two of them, the widest gap is what they do not touch."""
    color = commands[command + at.COLOR]
    last = commands[command + at.FIRST] + commands[command + at.COUNT]
    run = first_run(glyphs, commands[command + at.FIRST], commands[command + at.COUNT], left, y)
    reached, hole_start, hole_end = left, left, left
    while run < last and glyphs[run * at.GLYPH_SIZE + at.GLYPH_TOP] == y and reached < right:
        glyph = run * at.GLYPH_SIZE
        start = min(max(glyphs[glyph + at.GLYPH_LEFT], reached), right)
        end = min(max(glyphs[glyph + at.GLYPH_LEFT] + glyphs[glyph + at.GLYPH_WIDTH], start), right)
        for x in range(reached - left, start - left):
            store16(shares, shares_at + 2 * x, 0)
        if start - reached > hole_end - hole_start:
            hole_start, hole_end = reached, start
        offset = glyphs[glyph + at.GLYPH_OFFSET]
        if offset >= at.SPOTS:
            spots = offset - at.SPOTS + left - glyphs[glyph + at.GLYPH_LEFT]
            for x in range(start - left, end - left):
                value = load8(coverage, spots + x)
                store16(shares, shares_at + 2 * x, share_of(value + (value >> 7), color))
        else:
            share = share_of(offset, color)
            for x in range(start - left, end - left):
                store16(shares, shares_at + 2 * x, share)
        reached = end
        run += 1
    for x in range(reached - left, right - left):
        store16(shares, shares_at + 2 * x, 0)
    if right - reached > hole_end - hole_start:
        hole_start, hole_end = reached, right
    return hole_start, hole_end
