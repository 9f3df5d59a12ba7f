"""Detections as COCO's JSON: images, annotations, categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from picasso.errors import MetadataError
from picasso.primitives.masks import Masks

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections


def coco_document(pictures: Iterable[tuple[Mapping[str, Any], Detections]]) -> dict[str, Any]:
    """Return ``images``, ``annotations`` and ``categories`` of pictures and what was found in each.

    A category is a class by its id, or a label where no class is known. Annotations have COCO's keys: ``bbox``,
    ``area``, ``score``, ``segmentation`` as run-length codes, or polygons where there is no mask, ``keypoints``. Beside
    them stand ``track_id``, ``namespace``, ``xywha`` of rotated boxes and ``keypoint_scores``.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories = _Categories()
    for image, found in pictures:
        images.append(dict(image))
        for made in _annotations(found, categories):
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"], **made})
    return {"images": images, "annotations": annotations, "categories": categories.listed()}


class _Categories:
    """Numbers of classes and labels: those of classes as they are, labels without a class behind them."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._of_label: dict[str, int] = {}

    def number(self, class_id: int, label: str) -> int:
        if class_id != -1 and self._names.setdefault(class_id, label) == label:
            return class_id
        if label not in self._of_label:
            self._of_label[label] = next(n for n in range(len(self._names) + 1) if n not in self._names)
            self._names[self._of_label[label]] = label
        return self._of_label[label]

    def listed(self) -> list[dict[str, Any]]:
        return [{"id": number, "name": name, "supercategory": ""} for number, name in sorted(self._names.items())]


def _annotations(found: Detections, categories: _Categories) -> list[dict[str, Any]]:
    codes = None if found.masks is None else found.masks.to_rle()
    rows = []
    for row, area in enumerate(found.area.tolist()):
        x0, y0, x1, y1 = found.xyxy[row].tolist()
        made: dict[str, Any] = {
            "category_id": categories.number(int(found.class_ids[row]), found.labels[row]),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": area,
            "iscrowd": 0,
        }
        if np.isfinite(found.confidences[row]):
            made["score"] = float(found.confidences[row])
        if codes is not None:
            made["segmentation"] = codes[row]
        elif found.polygons is not None:
            made["segmentation"] = [ring.reshape(-1).tolist() for ring in found.polygons[row]]
        if codes is not None and found.polygons is not None:
            made["polygons"] = [ring.reshape(-1).tolist() for ring in found.polygons[row]]
        if found.keypoints is not None:
            points = found.keypoints[row].tolist()
            made["keypoints"] = [number for x, y, sure in points for number in (x, y, 2 if sure > 0 else 0)]
            made["num_keypoints"] = sum(sure > 0 for _x, _y, sure in points)
            made["keypoint_scores"] = [sure for _x, _y, sure in points]
        if np.nan_to_num(found.xywha[row, 4]):
            made["xywha"] = found.xywha[row].tolist()
        if found.track_ids[row] != -1:
            made["track_id"] = int(found.track_ids[row])
        if found.namespaces[row]:
            made["namespace"] = found.namespaces[row]
        rows.append(made)
    return rows


def read_coco(document: Any) -> dict[Any, dict[str, Any]]:
    """Return the arguments of ``Detections.of`` by the ids of images, those without annotations too.

    Raises:
        MetadataError: It is neither a document of COCO nor a list of its results.
    """
    if isinstance(document, Sequence) and not isinstance(document, str | bytes):
        document = {"annotations": document}
    if not isinstance(document, Mapping) or "annotations" not in document:
        raise MetadataError("coco: expected 'annotations' beside 'images' and 'categories', or a list of results")
    try:
        names = {one["id"]: one["name"] for one in document.get("categories", ())}
        of_image: dict[Any, list[Mapping[str, Any]]] = {one["id"]: [] for one in document.get("images", ())}
    except (TypeError, KeyError) as error:
        raise MetadataError("coco: expected 'id' of each image, 'id' and 'name' of each category") from error
    for one in document["annotations"]:
        try:
            of_image.setdefault(one["image_id"], []).append(one)
        except (TypeError, KeyError) as error:
            raise MetadataError(f"coco: an annotation without 'image_id': {str(one)[:80]}") from error
    return {number: _arguments(rows, names) for number, rows in of_image.items()}


def _arguments(rows: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> dict[str, Any]:
    try:
        boxes = np.array([one["bbox"] for one in rows], np.float64).reshape(-1, 4)
        classes = [int(one["category_id"]) for one in rows]
    except (KeyError, ValueError, TypeError) as error:
        raise MetadataError(
            f"coco: an annotation needs 'bbox' [x, y, width, height] and 'category_id': {error}"
        ) from error
    arguments: dict[str, Any] = {
        "class_ids": classes,
        "labels": [str(names.get(number, number)) for number in classes],
        "confidences": [one.get("score", np.nan) for one in rows],
        "track_ids": [one.get("track_id", -1) for one in rows],
        "namespace": [one.get("namespace", "") for one in rows],
    }
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    if any("xywha" in one for one in rows):
        upright = np.concatenate(
            [boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:], np.full((len(rows), 1), np.nan)], axis=1
        )
        arguments["xywha"] = [one.get("xywha", box) for one, box in zip(rows, upright.tolist(), strict=True)]
    else:
        arguments["xyxy"] = corners
    if rows and all("keypoints" in one for one in rows):
        arguments["keypoints"] = _keypoints(rows)
    return arguments | _outlines(rows)


def _keypoints(rows: Sequence[Mapping[str, Any]]) -> Any:
    try:
        points = np.array([one["keypoints"] for one in rows], np.float64).reshape(len(rows), -1, 3)
        for row, one in enumerate(rows):
            points[row, :, 2] = one.get("keypoint_scores", points[row, :, 2] > 0)
    except (TypeError, ValueError) as error:
        raise MetadataError(f"coco: expected as many keypoints x, y, v in each annotation: {error}") from error
    return points


def _outlines(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return masks where any row has a run-length code, else polygons."""
    given = [one.get("segmentation") for one in rows]
    found: dict[str, Any] = {}
    if any(isinstance(one, Mapping) for one in given):
        size = next((one["size"][1], one["size"][0]) for one in given if isinstance(one, Mapping))
        parts = [
            Masks.from_rle([one]) if isinstance(one, Mapping) else Masks.from_polygons([_rings(one)], size)
            for one in given
        ]
        found["masks"] = Masks.concatenate(parts)
        given = [one.get("polygons") for one in rows]
    if any(isinstance(one, list) for one in given):
        found["polygons"] = [_rings(one) for one in given]
    return found


def _rings(segmentation: Any) -> list[Any]:
    try:
        return [np.array(ring, np.float64).reshape(-1, 2) for ring in segmentation or ()]
    except (TypeError, ValueError) as error:
        raise MetadataError(f"coco: expected rings x, y, x, y … in 'segmentation': {error}") from error
