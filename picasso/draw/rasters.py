"""Polygons and masks as runs of a display list: who calls the kernels, with memory that grows to what they need."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.draw.lists import DisplayList, revisions, tints_of
from picasso.errors import ShapeError
from picasso_kernels.cpu.compile import host
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint import masks, ovals, raster
from picasso_kernels.paint import rings as ring_kernels

logger: logging.Logger = logging.getLogger(__name__)
Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]
_FEW: Final = 1 << 14
"""Runs, and pixels of edges, that there is room for to begin with."""
_MOST: Final = 1 << 21
"""Runs of one drawing: a picture of 4K has 8 million pixels."""
_BEHIND: Final = 8
"""Bytes behind the spots of a drawing, over which vector code may read."""
_NO_COVERAGE: Final = np.empty(0, np.uint8)


class _Memory(threading.local):
    """Working memory of each thread."""

    def __init__(self) -> None:
        self.glyphs = np.empty(_FEW * at.GLYPH_SIZE, np.int32)
        self.cells = np.empty(_FEW * raster.CELL_SIZE, np.int32)
        self.spots = np.empty(4 * _FEW, np.uint8)
        self.points = np.empty(0, np.int32)
        self.heads = np.empty(0, np.int32)

    def heads_of(self, size_wh: tuple[int, int]) -> Ints:
        size = raster.heads_size(*size_wh)
        if len(self.heads) < size:
            self.heads = np.empty(size, np.int32)
        return self.heads

    def points_for(self, count: int) -> Ints:
        if len(self.points) < count:
            self.points = np.empty(2 * count, np.int32)
        return self.points

    def grow(self) -> None:
        self.glyphs = np.empty(2 * len(self.glyphs), np.int32)
        self.cells = np.empty(2 * len(self.cells), np.int32)
        self.spots = np.empty(2 * len(self.spots), np.uint8)


_memory = _Memory()


def cover(
    points: ArrayLike,
    contour_ends: ArrayLike,
    shape_ends: ArrayLike,
    colors: ArrayLike,
    size_wh: tuple[int, int],
    *,
    even_odd: bool = False,
) -> DisplayList:
    """Return filled shapes, each of closed contours.

    Args:
        points: ``(P, 2)`` in pixels: the vertices of all contours. A shape with one that is not finite is left out.
        contour_ends: ``(C,)`` for each contour, the number of points up to its end.
        shape_ends: ``(N,)`` for each shape, the number of contours up to its end.
        colors: ``(N,)`` packed, see ``picasso.draw.styles.packed``.
        size_wh: Of the picture, outside of which nothing is drawn.
        even_odd: What is surrounded twice is outside. Otherwise it is inside where both contours go round the same way.
    """
    vertices = np.ascontiguousarray(points, np.float64).reshape(-1)
    ends, shapes = np.ascontiguousarray(contour_ends, np.int32), np.ascontiguousarray(shape_ends, np.int32)
    _check_ends(len(vertices) // 2, ends, shapes)
    return cover_checked(vertices, ends, shapes, colors, size_wh, even_odd=even_odd)


def cover_checked(
    vertices: Floats, ends: Ints, shapes: Ints, colors: ArrayLike, size_wh: tuple[int, int], *, even_odd: bool = False
) -> DisplayList:
    """Do as ``cover`` with ``(2 * P,)`` float64 and ends of int32 that are known to fit each other."""
    tints = tints_of(colors, len(shapes))
    heads = _memory.heads_of(size_wh)
    fixed = _memory.points_for(len(vertices))

    def run(commands: Ints) -> tuple[int, int]:
        lists = _memory.cells, _memory.spots, _memory.glyphs, commands
        found: int = host(raster.cover_shapes)(vertices, fixed, ends, shapes, tints, even_odd, *size_wh, heads, *lists)
        return found, int(heads[0])

    return _written(len(shapes), run)


def rings(
    table: Floats, pen: float, arc: tuple[float, float] | None, colors: ArrayLike, size_wh: tuple[int, int]
) -> DisplayList:
    """Return rings, drawn with a pen; see ``picasso_kernels.paint.rings``.

    Args:
        table: ``(N, RING_SIZE)`` in pixels. One that is not finite is left out.
        pen: Half the width of the pen, in pixels.
        arc: Where ellipses begin and end, in degrees clockwise from the right; None for whole ones.
        colors: ``(N,)`` packed, or one for all.
        size_wh: Of the picture, outside of which nothing is drawn.
    """
    tints = tints_of(colors, len(table))
    numbers, sizes = _arc_numbers(pen, arc), np.zeros(2, np.int32)
    flat = np.ascontiguousarray(table, np.float64).reshape(-1)

    def run(commands: Ints) -> tuple[int, int]:
        lists = _memory.spots, _memory.glyphs, sizes, commands
        found: int = host(ring_kernels.cover_rings)(flat, tints, numbers, *size_wh, *lists)
        return found, int(sizes[0])

    return _written(len(table), run)


@lru_cache(maxsize=64)
def _arc_numbers(pen: float, arc: tuple[float, float] | None) -> Floats:
    """Return the ``ARC_SIZE`` numbers of an arc."""
    kind, start, end = ovals.WHOLE, 0.0, 0.0
    if arc is not None and abs(arc[1] - arc[0]) < 360.0:
        start, end = (math.radians(angle) for angle in (min(arc), max(arc)))
        kind = ovals.SHORT if end - start <= math.pi else ovals.LONG
    return np.array([math.cos(start), math.sin(start), math.cos(end), math.sin(end), pen, kind])


def _written(count: int, run: Callable[[Ints], tuple[int, int]]) -> DisplayList:
    """Return what a kernel writes that gives the numbers of commands and of spots; the spots are the coverage."""
    commands = np.empty((count, at.COMMAND_SIZE), np.int32)
    shown, used = run(commands.reshape(-1)) if count else (0, 0)
    while shown < 0:
        if len(_memory.glyphs) >= _MOST * at.GLYPH_SIZE:
            logger.warning("shapes of more than %d runs are not drawn", _MOST)
            shown = 0
        else:
            _memory.grow()
            shown, used = run(commands.reshape(-1))
    if not shown:
        return DisplayList(commands[:0], np.zeros((0, at.GLYPH_SIZE), np.int32), _NO_COVERAGE, may_blur=False)
    last = commands[shown - 1]
    end = int(last[at.FIRST] + last[at.COUNT])
    glyphs = _memory.glyphs[: end * at.GLYPH_SIZE].reshape(-1, at.GLYPH_SIZE).copy()
    coverage = _memory.spots[: used + _BEHIND].copy() if used else _NO_COVERAGE
    return DisplayList(commands[:shown], glyphs, coverage, next(revisions), may_blur=False)


def scan(
    bitmaps: Sequence[NDArray[Any]], corners: ArrayLike, colors: ArrayLike, size_wh: tuple[int, int]
) -> DisplayList:
    """Return the pixels of bitmaps that are not 0.

    Args:
        bitmaps: Each ``(height, width)``, of bool or uint8.
        corners: ``(N, 2)`` whole pixels of the picture where their top left pixels lie.
        colors: ``(N,)`` packed.
        size_wh: Of the picture.
    """
    if not len(bitmaps):
        return _drawn(0, colors, lambda _: 0)
    flat, starts = _one_memory(bitmaps)
    table = np.zeros((len(bitmaps), masks.BITMAP_SIZE), np.int64)
    table[:, masks.BITMAP_START] = starts
    table[:, masks.BITMAP_PITCH] = [bitmap.shape[1] for bitmap in bitmaps]
    table[:, [masks.BITMAP_HEIGHT, masks.BITMAP_WIDTH]] = [bitmap.shape for bitmap in bitmaps]
    table[:, [masks.BITMAP_LEFT, masks.BITMAP_TOP]] = np.asarray(corners, np.int64).reshape(-1, 2)

    def run(commands: Ints) -> int:
        found: int = host(masks.scan_bitmaps)(flat, table.reshape(-1), *size_wh, _memory.glyphs, commands)
        return found

    return _drawn(len(bitmaps), colors, run)


def stretch(
    grids: Sequence[tuple[int, int, ArrayLike]], ltrb: ArrayLike, colors: ArrayLike, size_wh: tuple[int, int]
) -> DisplayList:
    """Return grids of cells that are stretched over boxes: a pixel is inside where the cell under its centre is.

    Args:
        grids: Each ``(height, width, runs)``: lengths of runs, row by row without gaps, outside and inside in turns.
        ltrb: ``(N, 4)`` left, top, right and bottom of the boxes, in pixels. One that is not finite is left out.
        colors: ``(N,)`` packed.
        size_wh: Of the picture.
    """
    runs = [np.asarray(lengths, np.int32).reshape(-1) for _, _, lengths in grids]
    boxes = np.asarray(ltrb, np.float64).reshape(-1, 4)
    boxes = np.where(np.isfinite(boxes).all(axis=1, keepdims=True), boxes, 0.0)
    table = np.zeros((len(grids), masks.GRID_SIZE), np.int64)
    table[:, masks.GRID_END] = np.cumsum([len(lengths) for lengths in runs], dtype=np.int64)
    table[1:, masks.GRID_FIRST] = table[:-1, masks.GRID_END]
    table[:, masks.GRID_HEIGHT] = [height for height, _, _ in grids]
    table[:, masks.GRID_WIDTH] = [width for _, width, _ in grids]
    table[:, masks.GRID_LEFT :] = np.floor(np.clip(boxes, -at.FAR, at.FAR) * at.ONE_PIXEL + 0.5)
    lengths = np.concatenate(runs) if runs else np.zeros(0, np.int32)

    def run(commands: Ints) -> int:
        found: int = host(masks.stretch_grids)(lengths, table.reshape(-1), *size_wh, _memory.glyphs, commands)
        return found

    return _drawn(len(grids), colors, run)


def _drawn(count: int, colors: ArrayLike, run: Callable[[Ints], int]) -> DisplayList:
    """Return what a kernel writes, of what can be seen."""
    commands = np.zeros((count, at.COMMAND_SIZE), np.int32)
    if not count:
        return DisplayList(commands, np.zeros((0, at.GLYPH_SIZE), np.int32), _NO_COVERAGE, may_blur=False)
    commands[:, at.KIND] = at.RUNS
    commands[:, at.COLOR] = colors
    while (runs := run(commands.reshape(-1))) < 0:
        if len(_memory.glyphs) >= _MOST * at.GLYPH_SIZE:
            logger.warning("shapes of more than %d runs are not drawn", _MOST)
            return _drawn(0, colors, run)
        _memory.grow()
    glyphs = _memory.glyphs[: runs * at.GLYPH_SIZE].reshape(-1, at.GLYPH_SIZE).copy()
    seen = (commands[:, at.COUNT] > 0) & (commands[:, at.COLOR].view(np.uint32) >> 24 > 0)
    return DisplayList(commands if seen.all() else commands[seen], glyphs, _NO_COVERAGE, may_blur=False)


def _one_memory(bitmaps: Sequence[NDArray[Any]]) -> tuple[NDArray[np.uint8], list[int]]:
    """Return memory in which all bitmaps lie, and where each starts; those of one array are not copied."""
    for bitmap in bitmaps:
        if bitmap.ndim != 2 or bitmap.itemsize != 1:
            raise ShapeError(f"masks: expected (height, width) of bool or uint8, got {bitmap.dtype} {bitmap.shape}")
    whole = bitmaps[0].base
    if isinstance(whole, np.ndarray) and whole.flags.c_contiguous and whole.itemsize == 1 and whole.size:
        start = whole.__array_interface__["data"][0]
        places = [bitmap.__array_interface__["data"][0] - start for bitmap in bitmaps]
        if all(
            bitmap.base is whole and bitmap.flags.c_contiguous and 0 <= place <= whole.size - bitmap.size
            for bitmap, place in zip(bitmaps, places, strict=True)
        ):
            return _writable(whole.reshape(-1).view(np.uint8)), places
    parts = [np.ascontiguousarray(bitmap).view(np.uint8).reshape(-1) for bitmap in bitmaps]
    starts = np.cumsum([0, *(part.size for part in parts)]).tolist()
    return _writable(np.concatenate(parts)), starts[:-1]


def _writable(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an array that may be written to, which is what machine code takes; it only reads here."""
    return array if array.flags.writeable else array.copy()


def _check_ends(points: int, contour_ends: Ints, shape_ends: Ints) -> None:
    """Make sure that the ends are those of the arrays: kernels check nothing."""
    for name, ends, count in (("contour_ends", contour_ends, points), ("shape_ends", shape_ends, len(contour_ends))):
        if (len(ends) and (ends[0] < 0 or (ends[1:] < ends[:-1]).any())) or (ends[-1] if len(ends) else 0) != count:
            raise ShapeError(f"{name}: expected numbers that grow to {count}, got {ends.tolist()}")
