"""Detections through a placement and back: boxes, rotated boxes, masks, keypoints and polygons alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ShapeError
from picasso.primitives.detections import Detections
from picasso.primitives.geometry import ANGLE, wrapping_xyxy
from picasso.primitives.masks import BoolArray, Masks
from picasso.transform.mapping import (
    nearest,
    place,
    place_points,
    place_xywha,
    unplace,
    unplace_points,
    unplace_xywha,
)
from picasso.transform.placement import Placement, RectLTWH

Mover = Callable[[Any, Placement], NDArray[Any]]


def place_detections(detections: Detections, placement: Placement) -> Detections:
    """Map detections from source to target pixels, as ``placement`` says.

    Convention: boxes, keypoints and polygons are continuous pixels and never clipped; rotated boxes follow
    ``place_xywha``; masks follow ``place_mask``, so what a crop cuts off is lost.

    Raises:
        ShapeError: Masks are not of the source's size.
    """
    masks = detections.masks
    if masks is not None:
        masks = _move_masks(masks, placement.source_wh, placement.crop_ltwh, placement.target_wh, placement.inner_ltwh)
    return _moved(detections, placement, (place, place_xywha, place_points), masks)


def unplace_detections(detections: Detections, placement: Placement) -> Detections:
    """Map detections from target back to source pixels: the inverse of ``place_detections``, with what it says.

    Raises:
        ShapeError: Masks are not of the target's size.

    >>> placement = Placement.compute((1280, 720), (640, 640))
    >>> found = Detections.of([[50, 165, 150, 185]], "car", keypoints=[[[50, 165, 0.9]]])
    >>> back = unplace_detections(found, placement)
    >>> back.xyxy.tolist(), back.keypoints[0, :, :2].tolist()
    ([[100.0, 50.0, 300.0, 90.0]], [[100.0, 50.0]])
    """
    masks = detections.masks
    if masks is not None:
        masks = _move_masks(masks, placement.target_wh, placement.inner_ltwh, placement.source_wh, placement.crop_ltwh)
    return _moved(detections, placement, (unplace, unplace_xywha, unplace_points), masks)


def _moved(
    detections: Detections, placement: Placement, movers: tuple[Mover, Mover, Mover], masks: Masks | None
) -> Detections:
    move_corners, move_xywha, move_points = movers
    keypoints, polygons = detections.keypoints, detections.polygons
    if keypoints is not None:
        keypoints = np.concatenate([move_points(keypoints[..., :2], placement), keypoints[..., 2:]], axis=-1)
    if polygons is not None:
        polygons = tuple(tuple(move_points(ring, placement) for ring in rings) for rings in polygons)
    xywha = move_xywha(detections.xywha, placement)
    turned = np.nan_to_num(detections.xywha[:, ANGLE]) != 0
    xyxy = move_corners(detections.xyxy, placement)
    if turned.any():
        xyxy[turned] = wrapping_xyxy(xywha[turned])
    return dataclasses.replace(
        detections,
        xyxy=xyxy,
        xywha=xywha,
        track_xywha=move_xywha(detections.track_xywha, placement),
        masks=masks,
        keypoints=keypoints,
        polygons=polygons,
    )


def _move_masks(
    masks: Masks, from_wh: tuple[int, int], from_ltwh: RectLTWH, to_wh: tuple[int, int], to_ltwh: RectLTWH
) -> Masks:
    """Move each cut as ``place_mask`` moves a whole picture."""
    if masks.size_wh != from_wh:
        width, height = masks.size_wh
        raise ShapeError(f"masks: expected those of a picture of {from_wh[0]}x{from_wh[1]}, got {width}x{height}")
    columns = nearest(from_ltwh[0], from_ltwh[2], to_ltwh[2])
    rows = nearest(from_ltwh[1], from_ltwh[3], to_ltwh[3])
    corners, cuts = np.zeros((len(masks), 2), np.int64), []
    for number, ((left, top), cut) in enumerate(zip(masks.corners_xy.tolist(), masks.cuts, strict=True)):
        first_row, picked_rows = _within(rows, top, cut.shape[0])
        first_column, picked_columns = _within(columns, left, cut.shape[1])
        corners[number] = (to_ltwh[0] + first_column, to_ltwh[1] + first_row)
        moved: BoolArray = cut[picked_rows[:, None], picked_columns]
        cuts.append(moved)
    return Masks(to_wh, corners, tuple(cuts))


def _within(positions: NDArray[np.int64], start: int, length: int) -> tuple[int, NDArray[np.int64]]:
    """Return the first of rising ``positions`` that falls into a cut, and where in it each of them falls."""
    first, end = np.searchsorted(positions, [start, start + length])
    return int(first), positions[first:end] - start
