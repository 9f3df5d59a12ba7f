"""Masks, keypoints and polygons of many objects, between pixels of the frame and the attributes of its objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.primitives.attribute import Attribute
from picasso.primitives.detections import Detections, Polygons
from picasso.primitives.geometry import wrapping_xyxy
from picasso.primitives.masks import BoolArray, Masks
from picasso.primitives.object_shapes import (
    KEYPOINTS,
    MASK,
    NAMESPACE,
    POLYGONS,
    decode_keypoints,
    decode_mask,
    decode_polygons,
    keypoints_attribute,
    mask_attribute,
    polygons_attribute,
    to_box,
    to_frame,
)
from picasso.primitives.object_store import DETECTION, ObjectStore

LARGEST_GRID: Final = 4096
"""Cells of a side of a mask's grid, which has a cell for each pixel of smaller boxes."""


def shape_attributes(detections: Detections) -> list[list[Attribute]]:
    """Return the attributes of each row that say what it looks like."""
    rows: list[list[Attribute]] = [[] for _ in range(len(detections))]
    for row, (made, box) in enumerate(zip(rows, detections.xywha, strict=True)):
        if detections.masks is not None:
            made.append(mask_attribute(grid_over_box(detections.masks, row, box)))
        if detections.keypoints is not None:
            made.append(keypoints_attribute(detections.keypoints[row], box))
        if detections.polygons is not None:
            made.append(polygons_attribute(detections.polygons[row], box))
    return rows


def grid_over_box(masks: Masks, row: int, box_xywha: NDArray[Any]) -> BoolArray:
    """Return a mask as a grid over a box, ``(height, width)``: each cell is the pixel that its centre falls into.

    A box whose sides are whole pixels has a cell for each pixel; what lies outside the box is lost.

    Args:
        masks: Masks of the picture.
        row: Which of them.
        box_xywha: ``(5,)`` centre, size in pixels, angle in degrees; NaN for no angle.
    """
    columns, lines = (min(max(round(float(side)), 1), LARGEST_GRID) for side in box_xywha[2:4])
    centers = np.stack(np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(lines) + 0.5) / lines), axis=-1)
    pixels = np.floor(to_frame(centers.reshape(-1, 2), box_xywha)).astype(np.int64)
    inside = pixels - masks.corners_xy[row]
    cut = masks.cuts[row]
    grid = np.zeros(len(inside), bool)
    within = (inside >= 0).all(axis=1) & (inside < cut.shape[::-1]).all(axis=1)
    grid[within] = cut[inside[within, 1], inside[within, 0]]
    return grid.reshape(lines, columns)


def mask_in_frame(grid: BoolArray, box_xywha: NDArray[Any], frame_wh: tuple[int, int]) -> tuple[int, int, BoolArray]:
    """Return left, top and a cut of the frame: each pixel is the cell that its centre falls into.

    Args:
        grid: ``(height, width)`` of cells over the box.
        box_xywha: ``(5,)`` centre, size in pixels, angle in degrees; NaN for no angle.
        frame_wh: Width and height of the frame in pixels; what lies outside is lost.
    """
    corners = np.nan_to_num(wrapping_xyxy(box_xywha[None])[0]).astype(np.float64)
    left, top = np.clip(np.floor(corners[:2]), 0, frame_wh).astype(int).tolist()
    right, bottom = np.clip(np.ceil(corners[2:]), 0, frame_wh).astype(int).tolist()
    centers = np.stack(np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5), axis=-1)
    cells = np.floor(to_box(centers.reshape(-1, 2), box_xywha) * grid.shape[::-1]).astype(np.int64)
    cut = np.zeros(len(cells), bool)
    within = (cells >= 0).all(axis=1) & (cells < grid.shape[::-1]).all(axis=1)
    cut[within] = grid[cells[within, 1], cells[within, 0]]
    return left, top, cut.reshape(max(bottom - top, 0), max(right - left, 0))


def read_shapes(store: ObjectStore, rows: Sequence[int], frame_wh: tuple[int, int]) -> dict[str, Any]:
    """Return the columns ``masks``, ``keypoints`` and ``polygons`` of objects, as far as any of them has one.

    Objects without a mask have an empty one; keypoints are as many as the object with the most of them has, those that
    are not there have confidence 0.
    """
    boxes = [store.boxes[DETECTION, :, row] for row in rows]
    tables = [store.attributes.get(int(store.ids[row]), {}) for row in rows]
    found: dict[str, Any] = {}
    masks = [table.get((NAMESPACE, MASK)) for table in tables]
    if any(masks):
        empty = (0, 0, np.zeros((0, 0), bool))
        cuts = [
            empty if one is None else mask_in_frame(decode_mask(one), box, frame_wh)
            for one, box in zip(masks, boxes, strict=True)
        ]
        found["masks"] = Masks(frame_wh, np.array([cut[:2] for cut in cuts]), tuple(cut[2] for cut in cuts))
    points = [table.get((NAMESPACE, KEYPOINTS)) for table in tables]
    if any(points):
        given = [
            np.zeros((0, 3)) if one is None else decode_keypoints(one, box)
            for one, box in zip(points, boxes, strict=True)
        ]
        found["keypoints"] = np.zeros((len(rows), max(map(len, given)), 3), np.float32)
        for place, of_object in zip(found["keypoints"], given, strict=True):
            place[: len(of_object)] = of_object
    rings = [table.get((NAMESPACE, POLYGONS)) for table in tables]
    if any(rings):
        of_each: list[Polygons] = [
            () if one is None else tuple(decode_polygons(one, box)) for one, box in zip(rings, boxes, strict=True)
        ]
        found["polygons"] = tuple(of_each)
    return found
