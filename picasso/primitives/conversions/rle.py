"""Masks as COCO writes them: lengths of runs, column by column, as numbers or as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.errors import MetadataError, ShapeError

BoolArray = NDArray[np.bool_]
_LARGEST: Final = 1 << 28
"""Pixels of a picture that a mask is decoded for; a larger one is a mistake, or an attack."""
_FIRST_CHARACTER: Final = 48
_LONGEST: Final = 12
"""Characters of a number: 60 bits."""


def encode_rle(left: int, top: int, cut: BoolArray, size_wh: tuple[int, int]) -> dict[str, Any]:
    """Return a mask as ``{"size": [height, width], "counts": text}``, as ``pycocotools`` compresses it.

    Args:
        left: Column of the cut's corner in the picture.
        top: Row of it.
        cut: ``(height, width)``; what lies outside is not of the object.
        size_wh: Width and height of the picture in pixels.
    """
    return {"size": [size_wh[1], size_wh[0]], "counts": to_text(_runs(left, top, cut, size_wh))}


def _runs(left: int, top: int, cut: BoolArray, size_wh: tuple[int, int]) -> list[int]:
    """Return lengths of runs, the first of pixels that are not of the object, down each column."""
    height = size_wh[1]
    columns = np.zeros((cut.shape[1], height + 2), np.int8)  # a pixel more at each end: no run crosses a column
    columns[:, 1 + top : 1 + top + cut.shape[0]] = cut.T
    edges = np.diff(columns, axis=1)
    of_column, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    begins, stops = ((left + of_column) * height + at for at in (starts, ends))
    joined = begins[1:] == stops[:-1]  # the bottom of a column and the top of the next follow each other
    begins, stops = np.delete(begins, np.flatnonzero(joined) + 1), np.delete(stops, np.flatnonzero(joined))
    bounds = np.stack([begins, stops], axis=1).reshape(-1)
    runs: list[int] = np.diff(bounds, prepend=0, append=size_wh[0] * height).tolist()
    return runs[:-1] if len(runs) > 1 and not runs[-1] else runs


def decode_rle(rle: Any) -> BoolArray:
    """Return the mask ``(height, width)`` of a run-length code, with counts as numbers or as text.

    Raises:
        MetadataError: It is none: a key is missing, or the runs do not add up to the picture.
    """
    try:
        height, width = (int(side) for side in rle["size"])
        counts = rle["counts"]
        runs = from_text(counts) if isinstance(counts, str | bytes) else [int(run) for run in counts]
    except MetadataError:
        raise
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise MetadataError(f"rle: expected 'size' [height, width] and 'counts', got {str(rle)[:80]}") from error
    if height < 0 or width < 0 or height * width > _LARGEST:
        raise MetadataError(f"rle: expected a picture of at most {_LARGEST} pixels, got {width}x{height}")
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise MetadataError(f"rle: expected runs that add up to {width}x{height}, got {sum(runs)}")
    values = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(values.reshape(width, height).T)


def to_text(runs: Sequence[int]) -> str:
    """Return COCO's text of runs: from the third on differences to the one before the last, five bits a character."""
    text = []
    for index, run in enumerate(runs):
        number = run - runs[index - 2] if index > 2 else run
        while True:
            bits, number = number & 0x1F, number >> 5
            more = number != -1 if bits & 0x10 else number != 0
            text.append(chr(_FIRST_CHARACTER + (bits | 0x20 if more else bits)))
            if not more:
                break
    return "".join(text)


def from_text(text: str | bytes) -> list[int]:
    """Return the runs of COCO's text.

    Raises:
        MetadataError: A character is none of its, or the last number does not end.
    """
    codes = [
        code - _FIRST_CHARACTER for code in (text if isinstance(text, bytes) else text.encode("latin1", "replace"))
    ]
    runs: list[int] = []
    number = shift = 0
    for code in codes:
        if not 0 <= code < 64 or shift > 5 * _LONGEST:
            raise MetadataError(f"rle: expected COCO's text of runs, got {text[:40]!r}")
        number |= (code & 0x1F) << shift
        shift += 5
        if not code & 0x20:
            if code & 0x10:
                number -= 1 << shift
            runs.append(number + runs[-2] if len(runs) > 2 else number)
            number = shift = 0
    if shift:
        raise MetadataError("rle: the text of runs ends within a number")
    return runs


def rings_of(cut: BoolArray) -> list[NDArray[np.float64]]:
    """Return the outlines of a mask along the edges of its pixels, each ``(M, 2)`` of x and y.

    Filled by the even-odd rule they are the mask, pixel by pixel. Outer rings run clockwise on the screen, holes the
    other way; corners on a straight line are left out.
    """
    padded = np.pad(cut, 1).astype(np.int8)
    down, across = np.diff(padded, axis=0)[:, 1:-1], np.diff(padded, axis=1)[1:-1]
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    sides = [
        (down == 1, (0, 0, 1, 0)),  # the top of a pixel, to the right
        (down == -1, (1, 0, 0, 0)),  # the bottom of a pixel, to the left
        (across == 1, (0, 1, 0, 0)),  # the left of a pixel, upwards
        (across == -1, (0, 0, 0, 1)),  # the right of a pixel, downwards
    ]
    for there, step in sides:
        rows, columns = np.nonzero(there)
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
            following.setdefault((x + step[0], y + step[1]), []).append((x + step[2], y + step[3]))
    rings = []
    while following:
        rings.append(_ring(following))
    return rings


def _ring(following: dict[tuple[int, int], list[tuple[int, int]]]) -> NDArray[np.float64]:
    """Take one ring out of the edges."""
    start = place = next(iter(following))
    came = (0, 0)
    ring: list[tuple[int, int]] = []
    while True:
        ends = following[place]
        # where two pixels touch at a corner, turn right: the ring stays with its own pixel
        picked = min(range(len(ends)), key=lambda number: _turn(came, place, ends[number])) if len(ends) > 1 else 0
        after = ends.pop(picked)
        if not ends:
            del following[place]
        way = (after[0] - place[0], after[1] - place[1])
        if way != came:
            ring.append(place)
        came, place = way, after
        if place == start:
            break
    if came == _sign(ring[0], ring[1]):
        del ring[0]  # the ring began within a straight line
    return np.array(ring, np.float64)


def _sign(start: tuple[int, int], end: tuple[int, int]) -> tuple[int, int]:
    """Return the step from one corner towards the next."""
    (x0, y0), (x1, y1) = start, end
    return (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)


def _turn(came: tuple[int, int], place: tuple[int, int], end: tuple[int, int]) -> int:
    """Return −1 for a turn to the right on the screen, 1 for one to the left."""
    way = (end[0] - place[0], end[1] - place[1])
    return -(came[0] * way[1] - came[1] * way[0])


def fill_rings(rings: Sequence[NDArray[Any]], size_wh: tuple[int, int]) -> tuple[int, int, BoolArray]:
    """Return left, top and a cut of the pixels whose centres lie inside rings by the even-odd rule.

    Args:
        rings: Each ``(M, 2)`` of x and y in pixels.
        size_wh: Width and height of the picture in pixels; what lies outside is lost.

    Raises:
        ShapeError: A ring has another shape, or a corner is not finite.
    """
    corners = [np.asarray(ring, np.float64) for ring in rings]
    if any(ring.ndim != 2 or ring.shape[1] != 2 or not np.isfinite(ring).all() for ring in corners):
        raise ShapeError("polygons: expected rings (M, 2) of finite numbers")
    corners = [ring for ring in corners if len(ring)]
    if not corners:
        return 0, 0, np.zeros((0, 0), bool)
    every = np.concatenate(corners)
    left, top = np.clip(np.floor(every.min(axis=0)), 0, size_wh).astype(int).tolist()
    right, bottom = np.clip(np.ceil(every.max(axis=0)), 0, size_wh).astype(int).tolist()
    crossings = np.zeros((max(bottom - top, 0), max(right - left, 0) + 1), np.int64)
    for ring in corners:
        for (x0, y0), (x1, y1) in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True):
            low, high = sorted((y0, y1))
            first, end = (min(max(int(np.ceil(y - 0.5)), top), bottom) for y in (low, high))
            if first >= end:
                continue
            lines = np.arange(first, end)
            at = x0 + (lines + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
            columns = np.clip(np.ceil(at - 0.5) - left, 0, crossings.shape[1] - 1).astype(int)
            np.add.at(crossings, (lines - top, columns), 1)
    return left, top, (np.cumsum(crossings, axis=1) % 2 == 1)[:, :-1]
