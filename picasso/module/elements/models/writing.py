"""What a model found becomes objects and attributes of a frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.module.meta.attribute import AttributeMeta, to_attribute
from picasso.primitives import keypoints_attribute, mask_attribute, polygons_attribute
from picasso.primitives.geometry import ANGLE, xywha_to_xyxy, xyxy_to_xywha
from picasso.transform import place, place_xywha, unplace, unplace_detections

if TYPE_CHECKING:
    from picasso.infer import Label
    from picasso.module.elements.models.views import View
    from picasso.module.meta import Frame
    from picasso.primitives import Attribute, Detections
    from picasso.primitives.masks import Masks
    from picasso.transform import Placement

LARGEST_GRID: Final = 1024
"""Cells of a side of a mask's grid."""


def write_objects(
    view: View, namespace: str, found: Detections, placement: Placement, parent_id: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Add what a model found to a frame: boxes clipped to the picture, masks, keypoints and polygons with them.

    Args:
        view: The frame, and the pixels that were looked at.
        namespace: Name of the element.
        found: Objects in pixels of the tensor.
        placement: Where the pixels of the surface lie in the tensor.
        parent_id: The object that they belong to.

    Returns:
        The ids, and which rows they are; rows of which nothing is within the picture are left out.
    """
    has_shapes = found.masks is not None or found.keypoints is not None or found.polygons is not None
    if not has_shapes and not np.nan_to_num(found.xywha[:, ANGLE]).any():
        return _write_upright(view, namespace, found, placement, parent_id)
    boxes = unplace_detections(dataclasses.replace(found, masks=None), placement)
    turned = np.nan_to_num(boxes.xywha[:, ANGLE]) != 0
    xywha, rows = _clipped(boxes.xywha, turned, placement.source_wh)
    if not len(rows):
        return np.zeros(0, np.int64), rows
    ids = _add(view, namespace, xywha, found, rows, parent_id)
    if has_shapes:
        for number, row in zip(ids.tolist(), rows.tolist(), strict=True):
            _write_shapes(view.frame, number, boxes, found.masks, row, xywha[row], placement)
    return ids, rows


def _write_upright(
    view: View, namespace: str, found: Detections, placement: Placement, parent_id: int | None
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Do as ``write_objects`` with upright boxes alone, in half of its time."""
    width, height = placement.source_wh
    with np.errstate(invalid="ignore"):
        corners = np.clip(unplace(found.xyxy, placement), 0, np.array([width, height, width, height], np.float32))
        rows = np.flatnonzero((corners[:, 2:] > corners[:, :2]).all(axis=1))
    if not len(rows):
        return np.zeros(0, np.int64), rows
    is_all = len(rows) == len(corners)
    corners = view.to_frame(corners if is_all else corners[rows])
    labels, confidences = (column if is_all else column[rows] for column in (found.labels, found.confidences))
    ids = view.frame.video_frame.add_detections(namespace, corners, labels, confidences=confidences)
    if parent_id is not None:
        for number in ids.tolist():
            view.frame.video_frame.set_parent_by_id(number, parent_id)
    return ids, rows


def write_frame_objects(
    frame: Frame, namespace: str, found: Detections, parent_id: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Add objects whose boxes are in pixels of the frame; as ``write_objects``."""
    turned = np.nan_to_num(found.xywha[:, ANGLE]) != 0
    xywha, rows = _clipped(found.xywha, turned, (frame.width, frame.height))
    if not len(rows):
        return np.zeros(0, np.int64), rows
    return _add_rows(frame, namespace, xywha[rows], found, rows, parent_id), rows


def attributes_of(namespace: str, labels: Iterable[Label], internal: frozenset[str]) -> list[Attribute]:
    """Return the attributes that labels make, those of one name together.

    Args:
        namespace: Name of the element.
        labels: What a model says of one thing.
        internal: Names of those that do not leave the module.
    """
    by_name: dict[str, list[AttributeMeta]] = {}
    for label in labels:
        sureness = 1.0 if label.confidence is None else label.confidence
        by_name.setdefault(label.name, []).append(AttributeMeta(namespace, label.name, label.value, sureness))
    return [to_attribute(metas, internal=name in internal) for name, metas in by_name.items()]


def _clipped(
    xywha: NDArray[np.float32], turned: NDArray[np.bool_], size_wh: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Clip upright boxes to a picture; return all, and which of them have an area within it."""
    corners = xywha_to_xyxy(xywha)
    limits = np.array([*size_wh, *size_wh], np.float32)
    clipped = np.clip(corners, 0, limits)
    size = clipped[:, 2:] - clipped[:, :2]
    whole = np.isfinite(corners).all(axis=1) & (xywha[:, 2:4] > 0).all(axis=1)
    rows = np.flatnonzero(whole & (size > 0).all(axis=1))
    made = np.where(turned[:, None], xywha, xyxy_to_xywha(clipped)).astype(np.float32)
    return made, rows


def _add(
    view: View,
    namespace: str,
    xywha: NDArray[np.float32],
    found: Detections,
    rows: NDArray[np.intp],
    parent_id: int | None,
) -> NDArray[np.int64]:
    there = xywha[rows]
    if view.placement is not None:
        if np.nan_to_num(there[:, ANGLE]).any():
            there = place_xywha(there, view.placement).astype(np.float32)
        else:
            there = xyxy_to_xywha(place(xywha_to_xyxy(there), view.placement)).astype(np.float32)
    return _add_rows(view.frame, namespace, there, found, rows, parent_id)


def _add_rows(
    frame: Frame,
    namespace: str,
    xywha: NDArray[np.float32],
    found: Detections,
    rows: NDArray[np.intp],
    parent_id: int | None,
) -> NDArray[np.int64]:
    angles = xywha[:, ANGLE]
    video_frame = frame.video_frame
    ids = video_frame.add_detections(
        namespace,
        xywha_to_xyxy(xywha),
        found.labels[rows],
        angles=None if np.isnan(angles).all() else angles,
        confidences=found.confidences[rows],
    )
    if parent_id is not None:
        for number in ids.tolist():
            video_frame.set_parent_by_id(number, parent_id)
    return ids


def _write_shapes(
    frame: Frame,
    object_id: int,
    boxes: Detections,
    masks: Masks | None,
    row: int,
    box: NDArray[np.float32],
    placement: Placement,
) -> None:
    """Write what is inside a box: fractions of it are the same in the tensor, in the picture and in the frame."""
    one = frame.video_frame.get_object(object_id)
    if one is None:
        return
    if boxes.keypoints is not None:
        one.set_attribute(keypoints_attribute(boxes.keypoints[row], box))
    if boxes.polygons is not None:
        one.set_attribute(polygons_attribute(boxes.polygons[row], box))
    if masks is not None:
        grid = _grid(masks, row, place_xywha(box[None], placement)[0])
        if grid is not None:
            one.set_attribute(mask_attribute(grid))


def _grid(masks: Masks, row: int, box_xywha: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return a mask over a box in pixels of the tensor, a cell for each pixel; None where the box has no area."""
    cut, (left, top) = masks.cuts[row], masks.corners_xy[row].tolist()
    width, height = (int(np.clip(np.ceil(side), 1, LARGEST_GRID)) for side in box_xywha[2:4])
    if not np.isfinite(box_xywha[:4]).all() or cut.size == 0:
        return np.zeros((height, width), bool) if np.isfinite(box_xywha[:4]).all() else None
    angle = float(np.nan_to_num(box_xywha[ANGLE]))
    x = ((np.arange(width) + 0.5) / width - 0.5) * box_xywha[2]
    y = ((np.arange(height) + 0.5) / height - 0.5) * box_xywha[3]
    if not angle:
        columns = np.floor(x + box_xywha[0]).astype(np.int64) - left
        rows = np.floor(y + box_xywha[1]).astype(np.int64) - top
        good_columns, good_rows = (columns >= 0) & (columns < cut.shape[1]), (rows >= 0) & (rows < cut.shape[0])
        grid = np.zeros((height, width), bool)
        grid[np.ix_(good_rows, good_columns)] = cut[np.ix_(rows[good_rows], columns[good_columns])]
        return grid
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    columns = np.floor(x[None] * cosine - y[:, None] * sine + box_xywha[0]).astype(np.int64) - left
    rows = np.floor(x[None] * sine + y[:, None] * cosine + box_xywha[1]).astype(np.int64) - top
    good = (columns >= 0) & (columns < cut.shape[1]) & (rows >= 0) & (rows < cut.shape[0])
    grid = np.zeros((height, width), bool)
    grid[good] = cut[rows[good], columns[good]]
    return grid


def set_attributes(frame: Frame, ids: Sequence[int], attributes: Sequence[Iterable[Attribute]]) -> None:
    """Give each object its attributes."""
    for number, those in zip(ids, attributes, strict=True):
        one = frame.video_frame.get_object(number)
        if one is not None:
            for attribute in those:
                one.set_attribute(attribute)
