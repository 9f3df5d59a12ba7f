"""Detections as columns of a table: pandas, polars, Arrow, and any other that has named columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.errors import MetadataError
from picasso.primitives.masks import Masks

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections

Columns = dict[str, Any]

_BOX: Final = ("x0", "y0", "x1", "y1")
_TURNED: Final = ("xc", "yc", "width", "height", "angle")
_TRACK: Final = tuple(f"track_{name}" for name in _TURNED)
_PLAIN: Final = ("id", "namespace", "label", "class_id", "confidence", "track_id")
_SHAPES: Final = ("mask", "keypoints", "polygons")
KNOWN: Final = frozenset((*_PLAIN, *_BOX, *_TURNED, *_TRACK, *_SHAPES))
"""Names of columns that ``data`` cannot have beside them."""


def to_columns(found: Detections) -> Columns:
    """Return a column for each number and text of the rows.

    Track boxes come if any row has one; ``mask`` holds COCO's run-length codes, ``keypoints`` and ``polygons`` lists,
    and so do columns of ``data`` that have more than one number a row.

    Raises:
        MetadataError: A column of ``data`` has a name of these.
    """
    columns: Columns = {
        "id": found.ids,
        "namespace": found.namespaces.tolist(),
        "label": found.labels.tolist(),
        "class_id": found.class_ids,
        "confidence": found.confidences,
        "track_id": found.track_ids,
    }
    columns |= dict(zip(_BOX, found.xyxy.T.copy(), strict=True))
    columns |= dict(zip(_TURNED, found.xywha.T.copy(), strict=True))
    if np.isfinite(found.track_xywha).any():
        columns |= dict(zip(_TRACK, found.track_xywha.T.copy(), strict=True))
    if found.masks is not None:
        columns["mask"] = found.masks.to_rle()
    if found.keypoints is not None:
        columns["keypoints"] = found.keypoints.tolist()
    if found.polygons is not None:
        columns["polygons"] = [[ring.tolist() for ring in rings] for rings in found.polygons]
    if taken := sorted(KNOWN & set(found.data)):
        raise MetadataError(f"data: {taken[0]!r} is the name of another column")
    for name, column in found.data.items():
        columns[name] = column if column.ndim == 1 and column.dtype != object else column.tolist()
    return columns


def from_columns(columns: Mapping[str, Any]) -> Columns:
    """Return the arguments of ``Detections.of`` that columns stand for; all but the box may be left out.

    Raises:
        MetadataError: There is neither a box by corners nor one by centre and size.
    """
    given: Columns = {}
    if set(_TURNED[:4]) <= columns.keys():
        angles = columns.get("angle")
        parts = [_floats(columns[name]) for name in _TURNED[:4]]
        parts.append(np.full(len(parts[0]), np.nan, np.float32) if angles is None else _floats(angles))
        given["xywha"] = np.stack(parts, axis=1)
    if set(_BOX) <= columns.keys():
        given["xyxy"] = np.stack([_floats(columns[name]) for name in _BOX], axis=1)
    if not given:
        raise MetadataError(f"expected columns {', '.join(_BOX)} or {', '.join(_TURNED[:4])}, got {', '.join(columns)}")
    if set(_TRACK) <= columns.keys():
        given["track_xywha"] = np.stack([_floats(columns[name]) for name in _TRACK], axis=1)
    for name, argument in (("id", "ids"), ("class_id", "class_ids"), ("track_id", "track_ids")):
        if name in columns:
            given[argument] = [_whole(number) for number in columns[name]]
    if "confidence" in columns:
        given["confidences"] = _floats(columns["confidence"])
    for name, argument in (("label", "labels"), ("namespace", "namespace")):
        if name in columns:
            given[argument] = list(columns[name])
    if len(next(iter(given.values()))):
        given |= _shapes(columns)
    given["data"] = {name: np.array(list(column)) for name, column in columns.items() if name not in KNOWN}
    return given


def _shapes(columns: Mapping[str, Any]) -> Columns:
    given: Columns = {}
    if "mask" in columns:
        given["masks"] = Masks.from_rle(list(columns["mask"]))
    if "keypoints" in columns:
        given["keypoints"] = np.array([_plain(row) for row in columns["keypoints"]], np.float32)
    if "polygons" in columns:
        given["polygons"] = [
            [np.array(_plain(ring), np.float64).reshape(-1, 2) for ring in rings] for rings in columns["polygons"]
        ]
    return given


def _plain(nested: Any) -> Any:
    """Return lists of lists: tables may hold arrays of arrays."""
    return [_plain(one) for one in nested] if isinstance(nested, list | tuple | np.ndarray) else nested


def _whole(number: Any) -> int:
    """Return a whole number, −1 for one that the table lacks, which may be NaN."""
    return -1 if number is None or np.isnan(number) else int(number)


def _floats(column: Any) -> Any:
    return np.array([np.nan if value is None else value for value in column], np.float32)
