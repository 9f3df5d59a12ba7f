"""Detections as supervision, ultralytics, torchvision and norfair have them. What is read is read by its attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.errors import MetadataError, require
from picasso.primitives.masks import Masks
from picasso.primitives.nms import corners_of

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections

Arguments = dict[str, Any]
"""Arguments of ``Detections.of``."""

_CLASS_NAME: Final = "class_name"
_CORNERS: Final = "xyxyxyxy"
_OWN: Final = ("id", "namespace", "keypoints", "polygons", "xywha")
"""Columns of supervision's ``data`` that hold what it has no field for."""


def to_supervision(found: Detections) -> Any:
    """Return ``supervision.Detections``."""
    supervision = require("supervision", hint="pip install supervision")
    data: dict[str, Any] = {_CLASS_NAME: found.labels.astype(str), **found.data}
    if found.is_rotated:
        data |= {_CORNERS: corners_of(found.xywha).astype(np.float32), "xywha": found.xywha}
    if (found.ids != -1).any():
        data["id"] = found.ids
    if any(found.namespaces):
        data["namespace"] = found.namespaces.astype(str)
    if found.keypoints is not None:
        data["keypoints"] = found.keypoints
    if found.polygons is not None:
        data["polygons"] = [[ring.tolist() for ring in rings] for rings in found.polygons]
    return supervision.Detections(
        xyxy=found.xyxy.copy(),
        mask=None if found.masks is None else found.masks.to_dense(),
        confidence=None if np.isnan(found.confidences).all() else found.confidences,
        class_id=numbered(found).astype(int),
        tracker_id=None if (found.track_ids == -1).all() else found.track_ids.astype(int),
        data=data,
    )


def numbered(found: Detections) -> NDArray[np.int64]:
    """Return class ids; where none is known, labels are numbered in their order, so that colours differ."""
    if len(found) and (found.class_ids == -1).all():
        return np.unique(found.labels.astype(str), return_inverse=True)[1].astype(np.int64)
    return found.class_ids


def from_supervision(given: Any) -> Arguments:
    """Return what ``supervision.Detections`` hold.

    Raises:
        MetadataError: It is something else.
    """
    if not hasattr(given, "xyxy") or not hasattr(given, "data"):
        raise MetadataError(f"expected supervision's Detections, got {type(given).__name__}")
    data = dict(given.data)
    labels = data.pop(_CLASS_NAME, None)
    own = {name: data.pop(name) for name in _OWN if name in data}
    corners = data.pop(_CORNERS, None)
    if corners is not None and "xywha" not in own:
        own["xywha"] = _turned_boxes(np.asarray(corners, np.float64).reshape(-1, 4, 2))
    count = len(given.xyxy)
    arguments: Arguments = {
        "labels": None if labels is None else [str(label) for label in labels],
        "class_ids": given.class_id,
        "confidences": given.confidence,
        "track_ids": None if given.tracker_id is None else [-1 if one is None else one for one in given.tracker_id],
        "masks": None if given.mask is None else Masks.from_dense(np.asarray(given.mask)),
        "ids": own.get("id"),
        "namespace": [str(name) for name in own.get("namespace", [""] * count)],
        "keypoints": own.get("keypoints"),
        "polygons": own.get("polygons"),
        "data": data,
    }
    if "xywha" in own:
        return {"xywha": np.asarray(own["xywha"]), **arguments}
    return {"xyxy": np.asarray(given.xyxy).reshape(-1, 4), **arguments}


def _turned_boxes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return boxes ``(N, 5)`` with corners ``(N, 4, 2)``, which follow each other around; the first edge is the width.

    The angle is 0 to 180 degrees.
    """
    across, down = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    angles = np.degrees(np.arctan2(across[:, 1], across[:, 0])) % 180
    sides = [np.hypot(*edge.T) for edge in (across, down)]
    return np.column_stack([corners.mean(axis=1), *sides, angles])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a result, with the attributes that ultralytics gives it, as arrays."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def __len__(self) -> int:
        return len(next(iter(self.fields.values())))


def to_ultralytics(found: Detections, size_wh: tuple[int, int]) -> Part:
    """Return a result with the attributes that those of ultralytics have, as NumPy arrays.

    ``boxes`` or ``obb``, ``masks``, ``keypoints``, ``names`` and ``orig_shape``.

    Args:
        found: Rows of one picture.
        size_wh: Its width and height in pixels.
    """
    classes = numbered(found)
    common = {
        "conf": found.confidences,
        "cls": classes.astype(np.float32),
        "id": None if (found.track_ids == -1).all() else found.track_ids.astype(np.float32),
    }
    boxes = obb = None
    if found.is_rotated:
        turned = found.xywha.copy()
        turned[:, 4] = np.radians(np.nan_to_num(turned[:, 4]))
        obb = Part(
            {"xywhr": turned, "xyxyxyxy": corners_of(found.xywha).astype(np.float32), "xyxy": found.xyxy, **common}
        )
    else:
        boxes = Part({"xyxy": found.xyxy, "xywh": found.xywha[:, :4], **common})
    masks = keypoints = None
    if found.masks is not None:
        outlines = [max(rings, key=len, default=np.zeros((0, 2))) for rings in found.masks.to_polygons()]
        masks = Part({"data": found.masks.to_dense().astype(np.float32), "xy": outlines})
    if found.keypoints is not None:
        points = found.keypoints
        keypoints = Part({"data": points, "xy": points[..., :2], "conf": points[..., 2]})
    names = dict(sorted(zip(classes.tolist(), found.labels.tolist(), strict=True)))
    return Part(
        {
            "boxes": boxes,
            "obb": obb,
            "masks": masks,
            "keypoints": keypoints,
            "probs": None,
            "names": names,
            "orig_shape": size_wh[::-1],
        }
    )


def from_ultralytics(result: Any) -> Arguments:
    """Return what a result of ultralytics holds, of a detector, a segmenter, a pose model or one of rotated boxes.

    Raises:
        MetadataError: It holds no boxes.
    """
    boxes, obb = getattr(result, "boxes", None), getattr(result, "obb", None)
    part = obb if obb is not None else boxes
    if part is None and isinstance(result, Sequence):
        raise MetadataError(f"expected the result of one picture, got a {type(result).__name__}: pass results[0]")
    if part is None:
        raise MetadataError("the result holds neither boxes nor obb: results of classifiers are no detections")
    classes = as_array(part.cls).astype(np.int64).reshape(-1)
    names = result.names if isinstance(result.names, Mapping) else dict(enumerate(result.names))
    arguments: Arguments = {
        "class_ids": classes,
        "labels": [str(names.get(number, number)) for number in classes.tolist()],
        "confidences": as_array(part.conf),
        "track_ids": None if part.id is None else as_array(part.id).astype(np.int64),
    }
    if obb is not None:
        turned = as_array(obb.xywhr).astype(np.float32).reshape(-1, 5)
        turned[:, 4] = np.degrees(turned[:, 4])
        arguments["xywha"] = turned
    else:
        arguments["xyxy"] = as_array(part.xyxy).reshape(-1, 4)
    masks, keypoints = getattr(result, "masks", None), getattr(result, "keypoints", None)
    if masks is not None:
        arguments["masks"] = _masks_of(masks, tuple(int(side) for side in result.orig_shape))
    if keypoints is not None and as_array(keypoints.data).size:
        arguments["keypoints"] = as_array(keypoints.data)
    return arguments


def _masks_of(masks: Any, shape_hw: tuple[int, ...]) -> Masks:
    """Return masks in pixels of the picture; those of the model's input come as the outlines that the result scaled."""
    data = as_array(masks.data)
    if data.shape[1:] == shape_hw:
        return Masks.from_dense(data > 0.5)
    return Masks.from_polygons(
        [[np.asarray(outline).reshape(-1, 2)] for outline in masks.xy], (shape_hw[1], shape_hw[0])
    )


def to_torchvision(found: Detections, as_tensor: Callable[[NDArray[Any]], Any]) -> dict[str, Any]:
    """Return the dictionary that torchvision's detectors give.

    Args:
        found: Rows of one picture.
        as_tensor: Makes a tensor of an array, such as ``torch.from_numpy``.
    """
    made: dict[str, Any] = {
        "boxes": as_tensor(found.xyxy.copy()),
        "labels": as_tensor(numbered(found).copy()),
        "scores": as_tensor(found.confidences.copy()),
    }
    if found.masks is not None:
        made["masks"] = as_tensor(found.masks.to_dense()[:, None].astype(np.float32))
    if found.keypoints is not None:
        made["keypoints"] = as_tensor(found.keypoints.copy())
    return made


def from_torchvision(given: Mapping[str, Any], names: Sequence[str] = ()) -> Arguments:
    """Return what a dictionary of torchvision holds: ``boxes``, ``labels``, ``scores``, ``masks``, ``keypoints``.

    Raises:
        MetadataError: There are no boxes.
    """
    if not isinstance(given, Mapping):
        raise MetadataError(f"expected the dictionary of one picture, got a {type(given).__name__}: pass output[0]")
    if "boxes" not in given:
        raise MetadataError(f"expected 'boxes', got {', '.join(given) or 'nothing'}")
    arguments: Arguments = {"xyxy": as_array(given["boxes"]).reshape(-1, 4)}
    if "labels" in given:
        arguments |= labelled(as_array(given["labels"]), names)
    if "scores" in given:
        arguments["confidences"] = as_array(given["scores"])
    if "masks" in given:
        masks = as_array(given["masks"])
        arguments["masks"] = Masks.from_dense((masks[:, 0] if masks.ndim == 4 else masks) > 0.5)
    if "keypoints" in given:
        arguments["keypoints"] = as_array(given["keypoints"])
    return arguments


def labelled(class_ids: NDArray[Any], names: Sequence[str]) -> Arguments:
    """Return class ids and what they are called; a class without a name is called by its number."""
    numbers = class_ids.astype(np.int64).reshape(-1)
    labels = [names[number] if 0 <= number < len(names) else str(number) for number in numbers.tolist()]
    return {"class_ids": numbers, "labels": labels}


@dataclass(slots=True)
class NorfairDetection:
    """What norfair asks of a detection."""

    points: NDArray[np.float64]
    """``(2, 2)`` top left and bottom right in pixels."""
    scores: NDArray[np.float64]
    """``(2,)`` of each point."""
    label: str
    data: dict[str, Any]


def to_norfair(found: Detections, make: Callable[..., Any] = NorfairDetection) -> list[Any]:
    """Return a list of detections with the attributes that norfair reads.

    Args:
        found: Rows of one picture.
        make: What is called with ``points``, ``scores``, ``label`` and ``data`` of each, such as ``norfair.Detection``.
    """
    return [
        make(
            points=one.xyxy.astype(np.float64).reshape(2, 2),
            scores=np.full(2, float(one.confidence)),
            label=one.label,
            data={"class_id": one.class_id},
        )
        for one in found
    ]


def from_norfair(given: Iterable[Any]) -> Arguments:
    """Return what a list of norfair's detections or tracked objects holds.

    Of a tracked object the box is its estimate, and its id the track's.
    """
    rows = list(given)
    boxes, scores, tracks, classes = [], [], [], []
    for one in rows:
        last = getattr(one, "last_detection", one)
        points = getattr(one, "estimate", None)
        boxes.append(np.asarray(last.points if points is None else points, np.float64).reshape(-1, 2))
        found = getattr(last, "scores", None)
        scores.append(np.nan if found is None else float(np.min(found)))
        number = getattr(one, "id", None)
        tracks.append(-1 if number is None else int(number))
        data = getattr(last, "data", None)
        classes.append(data.get("class_id", -1) if isinstance(data, Mapping) else -1)
    return {
        "xyxy": np.array([[*box.min(axis=0), *box.max(axis=0)] for box in boxes]).reshape(-1, 4),
        "labels": ["" if getattr(one, "label", None) is None else str(one.label) for one in rows],
        "confidences": np.array(scores),
        "track_ids": np.array(tracks, np.int64),
        "class_ids": np.array(classes, np.int64),
    }


def as_array(value: Any) -> NDArray[Any]:
    """Return an array of an array or a tensor, also of one on a GPU."""
    for name in ("detach", "cpu", "numpy"):
        if not isinstance(value, np.ndarray) and hasattr(value, name):
            value = getattr(value, name)()
    return np.asarray(value)
