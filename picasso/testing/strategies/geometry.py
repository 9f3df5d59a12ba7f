"""Sizes, boxes, points and placements."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import DTypeLike, NDArray

from picasso.transform import (
    MIN_EFFECTIVE_DIM,
    ComputeMode,
    DstPadding,
    Interpolation,
    Padding,
    Placement,
    Rect,
    TransformConfig,
)

Floats = NDArray[np.floating[Any]]
SizeWH = tuple[int, int]
FULL_HD: SizeWH = (1920, 1080)


def sizes(min_side: int = 1, max_side: int = 4096, *, even: bool = False) -> st.SearchStrategy[SizeWH]:
    """Make ``(width, height)`` in pixels.

    Args:
        min_side: Shortest side.
        max_side: Longest side, ends included.
        even: Whether both sides are even, as 4:2:0 pictures need them.
    """
    unit = 2 if even else 1
    side = st.integers(-(-min_side // unit), max_side // unit).map(lambda units: units * unit)
    return st.tuples(side, side)


@st.composite
def boxes(
    draw: st.DrawFn,
    size_wh: SizeWH = FULL_HD,
    *,
    min_count: int = 0,
    max_count: int = 8,
    inside: bool = False,
    dtype: DTypeLike = np.float64,
) -> Floats:
    """Make ``(N, 4)`` upright boxes, corners ``x0 y0 x1 y1`` in pixels, ``x0 <= x1`` and ``y0 <= y1``.

    Args:
        draw: Given by hypothesis.
        size_wh: Size of the picture.
        min_count: Fewest boxes.
        max_count: Most boxes.
        inside: Whether they lie in the picture; otherwise they may reach one picture's size beyond each edge.
        dtype: float32 or float64; values are those of float32 either way.
    """
    count = draw(st.integers(min_count, max_count))
    x = draw(_coordinates((count, 2), size_wh[0], inside=inside))
    y = draw(_coordinates((count, 2), size_wh[1], inside=inside))
    x.sort(axis=1)
    y.sort(axis=1)
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).astype(dtype)


@st.composite
def rotated_boxes(
    draw: st.DrawFn,
    size_wh: SizeWH = FULL_HD,
    *,
    min_count: int = 0,
    max_count: int = 8,
    min_side: float = 0.5,
    dtype: DTypeLike = np.float64,
) -> Floats:
    """Make ``(N, 5)`` rotated boxes: centre x and y, width and height in pixels, degrees; NaN where there is no angle.

    Args:
        draw: Given by hypothesis.
        size_wh: Size of the picture; centres may lie one picture's size beyond each edge, sides are at most as long.
        min_count: Fewest boxes.
        max_count: Most boxes.
        min_side: Shortest side of a box in pixels.
        dtype: float32 or float64; values are those of float32 either way.
    """
    count = draw(st.integers(min_count, max_count))
    sides = st.floats(min_side, max(*size_wh, min_side), width=32)
    angles = st.just(float("nan")) | st.floats(-360, 360, width=32)
    columns = [
        draw(_coordinates((count,), size_wh[0], inside=False)),
        draw(_coordinates((count,), size_wh[1], inside=False)),
        *(draw(npst.arrays(np.float32, count, elements=elements, fill=st.nothing())) for elements in (sides, sides)),
        draw(npst.arrays(np.float32, count, elements=angles, fill=st.nothing())),
    ]
    return np.stack(columns, axis=1).astype(dtype)


@st.composite
def points(
    draw: st.DrawFn,
    size_wh: SizeWH = FULL_HD,
    *,
    max_polygons: int = 0,
    max_count: int = 8,
    dtype: DTypeLike = np.float64,
) -> Floats:
    """Make ``(N, 2)`` points ``x y`` in pixels, or with ``max_polygons`` ``(M, N, 2)``: M polygons of N corners.

    Args:
        draw: Given by hypothesis.
        size_wh: Size of the picture; points may lie one picture's size beyond each edge.
        max_polygons: Most polygons; 0 makes plain points.
        max_count: Most points, or most corners of a polygon.
        dtype: float32 or float64; values are those of float32 either way.
    """
    shape: tuple[int, ...] = (draw(st.integers(0, max_count)),)
    if max_polygons:
        shape = (draw(st.integers(0, max_polygons)), *shape)
    x = draw(_coordinates(shape, size_wh[0], inside=False))
    y = draw(_coordinates(shape, size_wh[1], inside=False))
    return np.stack([x, y], axis=-1).astype(dtype)


@st.composite
def rects(draw: st.DrawFn, size_wh: SizeWH, *, min_side: int = 1) -> Rect:
    """Make a rectangle of whole pixels inside a picture.

    Args:
        draw: Given by hypothesis.
        size_wh: Size of the picture, at least ``min_side`` each way.
        min_side: Shortest side of the rectangle in pixels.
    """
    left = draw(st.integers(0, size_wh[0] - min_side))
    top = draw(st.integers(0, size_wh[1] - min_side))
    width = draw(st.integers(min_side, size_wh[0] - left))
    height = draw(st.integers(min_side, size_wh[1] - top))
    return Rect(top, left, width, height)


@st.composite
def transform_configs(draw: st.DrawFn, target_wh: SizeWH | None = None) -> TransformConfig:
    """Make a ``TransformConfig``: every padding, filter and compute mode, with an inset or without.

    Args:
        draw: Given by hypothesis.
        target_wh: Size of the target, of which an inset leaves at least 16 x 16 pixels; by default there is no inset.
    """
    padding = draw(st.sampled_from(list(Padding)))
    interpolation = draw(st.sampled_from(sorted(Interpolation, key=int)))
    inset = None
    if target_wh is not None and min(target_wh) >= MIN_EFFECTIVE_DIM and draw(st.booleans()):
        left, right = draw(_margins(target_wh[0] - MIN_EFFECTIVE_DIM))
        top, bottom = draw(_margins(target_wh[1] - MIN_EFFECTIVE_DIM))
        inset = DstPadding(left, top, right, bottom)
    return TransformConfig(padding, inset, interpolation, draw(st.sampled_from(list(ComputeMode))))


@st.composite
def placements(
    draw: st.DrawFn,
    min_side: int = 1,
    max_side: int = 4096,
    *,
    source_wh: SizeWH | None = None,
    target_wh: SizeWH | None = None,
    even: bool = False,
) -> Placement:
    """Make a ``Placement`` as ``Placement.compute`` does: a crop or none, an inset or none, every padding.

    Args:
        draw: Given by hypothesis.
        min_side: Shortest side of source, crop and target in pixels.
        max_side: Longest side of source and target in pixels.
        source_wh: Size of the source; by default any.
        target_wh: Size of the target; by default any.
        even: Whether sizes that are not given are even.
    """
    source_wh = source_wh or draw(sizes(min_side, max_side, even=even))
    target_wh = target_wh or draw(sizes(min_side, max_side, even=even))
    rect = draw(st.none() | rects(source_wh, min_side=min(min_side, *source_wh)))
    return Placement.compute(source_wh, target_wh, draw(transform_configs(target_wh)), rect)


def _coordinates(shape: tuple[int, ...], side: int, *, inside: bool) -> st.SearchStrategy[NDArray[np.float32]]:
    low, high = (0, side) if inside else (-side, 2 * side)
    return npst.arrays(np.float32, shape, elements=st.floats(low, high, width=32), fill=st.nothing())


def _margins(room: int) -> st.SearchStrategy[tuple[int, int]]:
    """Make two margins that together take ``room`` pixels at most."""
    return st.integers(0, room).flatmap(lambda first: st.tuples(st.just(first), st.integers(0, room - first)))
