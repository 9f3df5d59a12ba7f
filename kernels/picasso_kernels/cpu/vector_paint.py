"""Painting by the register, as ``vector_rows`` does it with rows: tints, pictures that are laid over others, blur."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from picasso_kernels.cpu import blend_blocks
from picasso_kernels.cpu.blend_blocks import (
    average_block,
    lay_pixels_block,
    lay_swapped_pixels_block,
    lay_swapped_triples_block,
    lay_triples_block,
    tint_few,
    tint_many,
    tint_pixel_spots_block,
    tint_pixels_few,
    tint_sample_spots_block,
    tint_triple_spots_block,
    tint_triples_few,
    tint_triples_many,
)
from picasso_kernels.cpu.blur_blocks import BLURRED, step_block, take_block, turn_block, weave_block
from picasso_kernels.maths.memory import Bytes, tail
from picasso_kernels.paint import blend, blur, picture
from picasso_kernels.paint.blend import clear_margin

TINTS: Final = blend_blocks.TINTS
SPOTS: Final = blend_blocks.SPOTS
MARGIN: Final = blend.MARGIN

tint_samples_plain, tint_pixels_plain, tint_triples_plain = blend.tint_samples, blend.tint_pixels, blend.tint_triples
tint_pixel_spots_plain, tint_triple_spots_plain = blend.tint_pixel_spots, blend.tint_triple_spots
tint_sample_spots_plain = blend.tint_sample_spots
average_shares_plain = blend.average_shares
step_plain, take_plain, turn_plain, weave_plain = blur.step_lines, blur.take_lines, blur.turn_lines, blur.weave_row
BLUR_SUMS: Final = 4 * blur.LINES
"""Bytes of one number a line."""
BLUR_RING: Final = blur.WIDEST * BLUR_SUMS
lay_plain, lay_swapped_plain = picture.lay_row, picture.lay_swapped_row


def tint_samples(
    plane: Bytes,
    place: tuple[int, int, int],
    over: int,
    shares: Bytes,
    shares_at: int,
    space: int,
    count: int,
    rows: int,
) -> None:
    """See ``blend.tint_samples``. Blocks do not overlap: what is blended twice is wrong."""
    first, pitch, step = place
    done = 0
    if step == 1:
        while count - done >= TINTS:
            tint_many(tail(plane, first + done), pitch, over, tail(shares, shares_at + 2 * done), rows)
            done += TINTS
        while done < count and space - done >= MARGIN:
            tint_few(tail(plane, first + done), pitch, over, tail(shares, shares_at + 2 * done), rows)
            done += MARGIN
    if done < count:
        rest = first + done * step, pitch, step
        tint_samples_plain(plane, rest, over, shares, shares_at + 2 * done, space, count - done, rows)


def tint_pixels(
    pixels: Bytes, first: int, pitch: int, over: int, shares: Bytes, shares_at: int, space: int, count: int, rows: int
) -> None:
    """See ``blend.tint_pixels``. Blocks do not overlap."""
    done = 0
    while done < count and space - done >= MARGIN:
        tint_pixels_few(tail(pixels, first + 4 * done), pitch, over, tail(shares, shares_at + 2 * done), rows)
        done += MARGIN
    if done < count:
        first, shares_at = first + 4 * done, shares_at + 2 * done
        tint_pixels_plain(pixels, first, pitch, over, shares, shares_at, space - done, count - done, rows)


def tint_triples(
    pixels: Bytes, first: int, pitch: int, over: int, shares: Bytes, shares_at: int, space: int, count: int, rows: int
) -> None:
    """See ``blend.tint_triples``. Blocks do not overlap."""
    done = 0
    while count - done >= TINTS:
        tint_triples_many(tail(pixels, first + 3 * done), pitch, over, tail(shares, shares_at + 2 * done), rows)
        done += TINTS
    while done < count and space - done >= MARGIN:
        tint_triples_few(tail(pixels, first + 3 * done), pitch, over, tail(shares, shares_at + 2 * done), rows)
        done += MARGIN
    if done < count:
        first, shares_at = first + 3 * done, shares_at + 2 * done
        tint_triples_plain(pixels, first, pitch, over, shares, shares_at, space - done, count - done, rows)


def tint_pixel_spots(
    pixels: Bytes, first: int, over: int, alpha: int, spots: Bytes, spots_at: int, space: int, count: int
) -> None:
    """See ``blend.tint_pixel_spots``. The last block goes beyond the pixels where there is space."""
    done = 0
    while done < count and space - done >= SPOTS:
        tint_pixel_spots_block(tail(pixels, first + 4 * done), over, alpha, tail(spots, spots_at + done), count - done)
        done += SPOTS
    if done < count:
        first, spots_at = first + 4 * done, spots_at + done
        tint_pixel_spots_plain(pixels, first, over, alpha, spots, spots_at, space - done, count - done)


def tint_triple_spots(
    pixels: Bytes, first: int, over: int, alpha: int, spots: Bytes, spots_at: int, space: int, count: int
) -> None:
    """See ``blend.tint_triple_spots``."""
    done = 0
    while done < count and space - done >= SPOTS:
        tint_triple_spots_block(tail(pixels, first + 3 * done), over, alpha, tail(spots, spots_at + done), count - done)
        done += SPOTS
    if done < count:
        first, spots_at = first + 3 * done, spots_at + done
        tint_triple_spots_plain(pixels, first, over, alpha, spots, spots_at, space - done, count - done)


def tint_sample_spots(
    pixels: Bytes, first: int, over: int, alpha: int, spots: Bytes, spots_at: int, space: int, count: int
) -> None:
    """See ``blend.tint_sample_spots``."""
    done = 0
    while done < count and space - done >= SPOTS:
        tint_sample_spots_block(tail(pixels, first + done), over, alpha, tail(spots, spots_at + done), count - done)
        done += SPOTS
    if done < count:
        first, spots_at = first + done, spots_at + done
        tint_sample_spots_plain(pixels, first, over, alpha, spots, spots_at, space - done, count - done)


def lay_row(pixels: Bytes, first: int, step: int, over: Bytes, over_at: int, alpha: int, count: int) -> None:
    """See ``picture.lay_row``. Blocks do not overlap."""
    done = 0
    while count - done >= SPOTS:
        if step == 3:
            lay_triples_block(tail(pixels, first + 3 * done), tail(over, over_at + 4 * done), alpha)
        else:
            lay_pixels_block(tail(pixels, first + 4 * done), tail(over, over_at + 4 * done), alpha)
        done += SPOTS
    lay_plain(pixels, first + step * done, step, over, over_at + 4 * done, alpha, count - done)


def lay_swapped_row(pixels: Bytes, first: int, step: int, over: Bytes, over_at: int, alpha: int, count: int) -> None:
    """See ``picture.lay_swapped_row``. Blocks do not overlap."""
    done = 0
    while count - done >= SPOTS:
        if step == 3:
            lay_swapped_triples_block(tail(pixels, first + 3 * done), tail(over, over_at + 4 * done), alpha)
        else:
            lay_swapped_pixels_block(tail(pixels, first + 4 * done), tail(over, over_at + 4 * done), alpha)
        done += SPOTS
    lay_swapped_plain(pixels, first + step * done, step, over, over_at + 4 * done, alpha, count - done)


def step_lines(
    samples: Bytes, at: int, line_step: int, lines: int, slot: int, last_slot: int, out: Bytes, state: int
) -> None:
    """See ``blur.step_lines``."""
    done = 0
    if line_step == 1:
        past, last = state + 3 * BLUR_SUMS + slot * BLUR_SUMS, state + 3 * BLUR_SUMS + 2 * BLUR_RING
        while lines - done >= BLURRED:
            now, last_past = tail(out, state + 4 * done), tail(out, last + last_slot * BLUR_SUMS + 4 * done)
            step_block(tail(samples, at + done), tail(out, past + 4 * done), last_past, now)
            done += BLURRED
    if done < lines:
        step_plain(samples, at + done * line_step, line_step, lines - done, slot, last_slot, out, state + 4 * done)


def take_lines(lines: int, weight: int, out: Bytes, at: int, state: int) -> None:
    """See ``blur.take_lines``."""
    done = 0
    while lines - done >= BLURRED:
        take_block(tail(out, at + done), tail(out, state + 2 * BLUR_SUMS + 4 * done), weight)
        done += BLURRED
    if done < lines:
        take_plain(lines - done, weight, out, at + done, state + 4 * done)


def turn_lines(out: Bytes, tile: int, lines: int, places: int, at: int, pitch: int) -> None:
    """See ``blur.turn_lines``."""
    done = 0
    if places == BLURRED:
        while lines - done >= BLURRED:
            turn_block(tail(out, at + done * pitch), pitch, tail(out, tile + done))
            done += BLURRED
    if done < lines:
        turn_plain(out, tile + done, lines - done, places, at + done * pitch, pitch)


def weave_row(pixels: Bytes, first: int, step: int, planes: Bytes, at: int, plane: int, count: int) -> None:
    """See ``blur.weave_row``."""
    done = 0
    if step == 3:
        while count - done >= BLURRED:
            weave_block(tail(pixels, first + 3 * done), tail(planes, at + done), plane)
            done += BLURRED
    if done < count:
        weave_plain(pixels, first + step * done, step, planes, at + done, plane, count - done)


def average_shares(shares: Bytes, width: int, start: int, end: int) -> None:
    """See ``blend.average_shares``."""
    if end - start < MARGIN:
        average_shares_plain(shares, width, start, end)
        return
    for first in range(start, end, MARGIN):
        x = min(first, end - MARGIN)
        upper = tail(shares, 4 * x)
        average_block(tail(shares, 4 * width + 2 * x), upper, tail(upper, 2 * width))
    clear_margin(shares, 4 * width, end, width >> 1)


PAINT_FORMS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    blend.average_shares: average_shares,
    blend.tint_pixels: tint_pixels,
    blend.tint_triples: tint_triples,
    picture.lay_row: lay_row,
    blur.step_lines: step_lines,
    blur.take_lines: take_lines,
    blur.turn_lines: turn_lines,
    blur.weave_row: weave_row,
    picture.lay_swapped_row: lay_swapped_row,
    blend.tint_samples: tint_samples,
    blend.tint_pixel_spots: tint_pixel_spots,
    blend.tint_triple_spots: tint_triple_spots,
    blend.tint_sample_spots: tint_sample_spots,
}
"""Loop by loop, what runs in its place."""
