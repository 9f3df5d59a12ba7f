"""A Gaussian blur, in integers, as three box filters in a row.

Box filters in a row come near a Gaussian (W. Wells, "Efficient synthesis of Gaussian filters by cascaded uniform
filters", 1986); three are within 5 % of full scale here. Their width ``d = sigma * 3 * sqrt(2 * pi) / 4`` is that of
the W3C's Filter Effects, as are the three widths ``d, d, d + 1`` where ``d`` is even. Beyond its ends, a line goes on
with its first and its last sample.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Bytes, load8, load32, store8, store32

LINES: Final = 64
"""Lines that go side by side."""
WIDEST: Final = 77
"""Samples of the widest box, for a sigma of 40 pixels."""
_SUMS: Final = 4 * LINES
"""Bytes of one number a line."""
_RING: Final = WIDEST * _SUMS
"""Bytes of the past of one box filter."""
TURN: Final = 16
"""Samples of each line that are kept before they are written one after another."""
_TILE: Final = 3 * _SUMS + 3 * _RING
STATE_BYTES: Final = _TILE + TURN * LINES
"""Bytes that the three sums, their past and the last samples take."""


def box_width(sigma: int) -> int:
    """Return the width in samples of the boxes that make a Gaussian of ``sigma``, in 1/256 sample; at least 1."""
    return max((sigma * 123206 + (1 << 23)) >> 24, 1)


def smooth_plane(
    plane: Bytes, first: int, pitch: int, step: int, width: int, height: int, sigma: int, out: Bytes, out_at: int
) -> None:
    """Write a blurred copy of a rectangle of samples, rows without gaps.

    Args:
        plane: Memory of the samples.
        first: Byte of the top left one.
        pitch: Bytes from a row to the next.
        step: Bytes from a sample to the next.
        width: Samples a row.
        height: Rows.
        sigma: In 1/256 sample, up to 40 samples.
        out: Written.
        out_at: Where the result starts, ``width * height`` bytes; ``STATE_BYTES`` and as many bytes again follow.
    """
    turned = out_at + width * height
    state = turned + width * height
    for line in range(0, width, LINES):
        lines = min(LINES, width - line)
        smooth_lines(plane, first + line * step, step, pitch, lines, height, sigma, out, turned + line * height, state)
    for line in range(0, height, LINES):
        lines = min(LINES, height - line)
        smooth_lines(out, turned + line, 1, height, lines, width, sigma, out, out_at + line * width, state)


def smooth_pixels(
    pixels: Bytes, first: int, pitch: int, step: int, width: int, height: int, sigma: int, out: Bytes, out_at: int
) -> None:
    """Write a blurred copy of the first three channels of a rectangle of pixels: three planes, rows without gaps.

    Args:
        pixels: Memory of the pixels.
        first: Byte of the top left one.
        pitch: Bytes from a row to the next.
        step: Bytes from a pixel to the next.
        width: Pixels a row.
        height: Rows.
        sigma: In 1/256 sample, up to 40 samples.
        out: Written.
        out_at: Where the planes start; ``step * width * height`` bytes and ``STATE_BYTES`` follow.
    """
    size, plane = step * width, width * height
    turned = out_at + 3 * plane
    state = turned + size * height
    for line in range(0, size, LINES):
        lines = min(LINES, size - line)
        smooth_lines(pixels, first + line, 1, pitch, lines, height, sigma, out, turned + line * height, state)
    for channel in range(3):
        start, to = turned + channel * height, out_at + channel * plane
        for line in range(0, height, LINES):
            lines = min(LINES, height - line)
            smooth_lines(out, start + line, 1, step * height, lines, width, sigma, out, to + line * width, state)


def weave_row(pixels: Bytes, first: int, step: int, planes: Bytes, at: int, plane: int, count: int) -> None:
    """Write a row of three planes, ``plane`` bytes apart, as the first channels of ``count`` pixels."""
    for x in range(count):
        for channel in range(3):
            store8(pixels, first + x * step + channel, load8(planes, at + channel * plane + x))


def smooth_lines(
    samples: Bytes,
    first: int,
    line_step: int,
    step: int,
    lines: int,
    count: int,
    sigma: int,
    out: Bytes,
    out_at: int,
    state: int,
) -> None:
    """Blur some lines that lie side by side, and write them one after another.

    Args:
        samples: Memory of the lines.
        first: Byte of the first sample of the first line.
        line_step: Bytes from a line to the next.
        step: Bytes from a sample of a line to the next.
        lines: How many, up to ``LINES``.
        count: Samples a line.
        sigma: In 1/256 sample.
        out: Written.
        out_at: Where the result starts: ``count`` bytes a line.
        state: Where ``STATE_BYTES`` bytes of ``out`` are free.
    """
    width = box_width(sigma)
    last_width = width + 1 - width % 2
    reach = (2 * width + last_width - 3) // 2
    area = width * width * last_width
    weight = ((1 << 32) + area // 2) // area
    start_lines(samples, first, line_step, lines, width, last_width, out, state)
    for place in range(count + reach):
        sample = first + min(place, count - 1) * step
        step_lines(samples, sample, line_step, lines, place % width, place % last_width, out, state)
        if place >= reach:
            done = place - reach
            kept = done % TURN
            take_lines(lines, weight, out, state + _TILE + kept * LINES, state)
            if kept == TURN - 1 or done == count - 1:
                turn_lines(out, state + _TILE, lines, kept + 1, out_at + done - kept, count)


def start_lines(
    samples: Bytes, first: int, line_step: int, lines: int, width: int, last_width: int, out: Bytes, state: int
) -> None:
    """Fill sums and past as if the first sample of each line continued before it without end."""
    for line in range(lines):
        total = load8(samples, first + line * line_step)
        for number in range(3):
            box = last_width if number == 2 else width
            past = state + 3 * _SUMS + number * _RING + 4 * line
            for slot in range(box):
                store32(out, past + slot * _SUMS, total)
            total *= box
            store32(out, state + number * _SUMS + 4 * line, total)


def step_lines(
    samples: Bytes, at: int, line_step: int, lines: int, slot: int, last_slot: int, out: Bytes, state: int
) -> None:
    """Take the next sample of each line into the sums; the slots say where what leaves the boxes lies in their past."""
    past = state + 3 * _SUMS + slot * _SUMS
    last_past = state + 3 * _SUMS + 2 * _RING + last_slot * _SUMS
    for line in range(lines):
        entry = 4 * line
        sample = load8(samples, at + line * line_step)
        first = load32(out, state + entry) + sample - load32(out, past + entry)
        second = load32(out, state + _SUMS + entry) + first - load32(out, past + _RING + entry)
        third = load32(out, state + 2 * _SUMS + entry) + second - load32(out, last_past + entry)
        store32(out, past + entry, sample)
        store32(out, past + _RING + entry, first)
        store32(out, last_past + entry, second)
        store32(out, state + entry, first)
        store32(out, state + _SUMS + entry, second)
        store32(out, state + 2 * _SUMS + entry, third)


def take_lines(lines: int, weight: int, out: Bytes, at: int, state: int) -> None:
    """Write the means that the sums stand for, one sample a line, side by side."""
    for line in range(lines):
        store8(out, at + line, (load32(out, state + 2 * _SUMS + 4 * line) * weight + (1 << 31)) >> 32)


def turn_lines(out: Bytes, tile: int, lines: int, places: int, at: int, pitch: int) -> None:
    """Write ``places`` samples of each line one after another, which lie ``LINES`` bytes apart in the tile."""
    for line in range(lines):
        for place in range(places):
            store8(out, at + line * pitch + place, load8(out, tile + place * LINES + line))
