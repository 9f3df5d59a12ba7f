"""Detections as lines of text: labels of YOLO, tracks of the MOT challenge."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from picasso.errors import MetadataError
from picasso.primitives.conversions.libraries import labelled, numbered
from picasso.primitives.nms import corners_of

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections

YoloForm = Literal["boxes", "rotated", "polygons", "keypoints"]
"""What a line says behind the class."""

_DIGITS: Final = 9
"""Of a number: float32 comes back as it was."""
_SMALLEST_RING: Final = 3


def to_yolo(
    found: Detections, size_wh: tuple[int, int], form: YoloForm | None = None, *, confidences: bool = False
) -> str:
    """Return a line for each row: the class, then numbers in fractions of the picture.

    ``boxes`` are centre and size, ``rotated`` four corners, ``polygons`` the largest ring, ``keypoints`` a box and x, y
    and visibility of each point. The confidence, if any, comes last.

    Raises:
        MetadataError: There are no such shapes, or no class, or an object has no ring.
    """
    form = _known(form or ("rotated" if found.is_rotated else "boxes"))
    width, height = size_wh
    lines = []
    for row, number in enumerate(numbered(found).tolist()):
        x, y, w, h = found.xywha[row, :4].astype(float).tolist()
        numbers = [x / width, y / height, w / width, h / height]
        if form == "rotated":
            numbers = (corners_of(found.xywha[row : row + 1])[0] / size_wh).reshape(-1).tolist()
        elif form == "polygons":
            numbers = (_largest_ring(found, row) / size_wh).reshape(-1).tolist()
        elif form == "keypoints":
            if found.keypoints is None:
                raise MetadataError("to_yolo: form 'keypoints': there are none")
            for px, py, sure in found.keypoints[row].astype(float).tolist():
                numbers += [px / width, py / height, 2.0 if sure > 0 else 0.0]
        if confidences and np.isfinite(found.confidences[row]):
            numbers.append(float(found.confidences[row]))
        lines.append(" ".join([str(number), *(f"{value:.{_DIGITS}g}" for value in numbers)]))
    return "".join(f"{line}\n" for line in lines)


def _largest_ring(found: Detections, row: int) -> Any:
    polygons = found.polygons
    if polygons is None and found.masks is not None:
        polygons = found.masks.take([row]).to_polygons() * (row + 1)
    if polygons is None:
        raise MetadataError("to_yolo: form 'polygons': there are neither polygons nor masks")
    if not polygons[row]:
        raise MetadataError(f"to_yolo: row {row} has no polygon")
    return max(polygons[row], key=_area)


def _area(ring: Any) -> float:
    x, y = np.asarray(ring, np.float64).T
    return float(abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()))


def text_of(source: str | os.PathLike[str]) -> str:
    """Return the text of a file that is named by a path, or by one line that ends in ``.txt``; other text as it is."""
    if isinstance(source, str) and ("\n" in source or not source.endswith(".txt")):
        return source
    return Path(source).read_text(encoding="utf-8")


def from_yolo(
    text: str | os.PathLike[str],
    size_wh: tuple[int, int],
    form: YoloForm = "boxes",
    *,
    names: Sequence[str] = (),
    keypoint_numbers: int = 3,
) -> dict[str, Any]:
    """Return the arguments of ``Detections.of`` that lines of labels stand for; the last number may be a confidence.

    Raises:
        MetadataError: A line is not of that form; the message says which.
    """
    _known(form)
    rows = [_numbers(line, number) for number, line in enumerate(text_of(text).splitlines(), 1) if line.strip()]
    classes = np.array([row[0] for row in rows], np.int64)
    arguments: dict[str, Any] = labelled(classes, names)
    bodies, scores = [], []
    for number, row in enumerate(rows, 1):
        body, score = _split(row[1:], form, keypoint_numbers)
        if body is None:
            raise MetadataError(f"line {number}: {len(row)} numbers: expected a class and {_EXPECTED[form]}")
        bodies.append(np.array(body, np.float64))
        scores.append(score)
    arguments["confidences"] = scores
    if form in {"boxes", "keypoints"}:
        boxes = np.array([body[:4] for body in bodies]).reshape(-1, 4) * (size_wh * 2)
        angle = np.full((len(boxes), 1), np.nan)
        arguments["xywha"] = np.concatenate([boxes, angle], axis=1)
    if form == "keypoints" and rows:
        points = np.array([body[4:] for body in bodies]).reshape(len(rows), -1, keypoint_numbers)
        points[..., :2] *= size_wh
        if keypoint_numbers == 3:
            points[..., 2] = points[..., 2] > 0
        arguments["keypoints"] = points
    if form in {"rotated", "polygons"}:
        rings = [body.reshape(-1, 2) * size_wh for body in bodies]
        if form == "polygons":
            arguments["polygons"] = [[ring] for ring in rings]
            arguments["xyxy"] = np.array([[*r.min(axis=0), *r.max(axis=0)] for r in rings]).reshape(-1, 4)
        else:
            arguments["xywha"] = np.array([_turned(ring) for ring in rings]).reshape(-1, 5)
    return arguments


_EXPECTED: Final = {
    "boxes": "4 numbers, or 5 with a confidence",
    "rotated": "8 numbers, or 9 with a confidence",
    "polygons": "3 corners or more, and perhaps a confidence",
    "keypoints": "4 numbers, points, and perhaps a confidence",
}


def _known(form: YoloForm) -> YoloForm:
    if form not in get_args(YoloForm):
        raise MetadataError(f"form {form!r}: expected one of {', '.join(get_args(YoloForm))}")
    return form


def _numbers(line: str, number: int) -> list[float]:
    try:
        row = [float(word) for word in line.split()]
    except ValueError as error:
        raise MetadataError(f"line {number}: expected numbers, got {line[:60]!r}") from error
    if not all(map(math.isfinite, row)):
        raise MetadataError(f"line {number}: expected finite numbers, got {line[:60]!r}")
    if not row[0].is_integer():
        raise MetadataError(f"line {number}: expected the number of a class, got {row[0]}")
    return row


def _split(row: list[float], form: YoloForm, keypoint_numbers: int) -> tuple[list[float] | None, float]:
    """Return what is said of the shape, None where the length does not fit, and the confidence, NaN for none."""
    count = len(row)
    if form in {"boxes", "rotated"}:
        wanted = 4 if form == "boxes" else 8
        fits, has_score = count in {wanted, wanted + 1}, count == wanted + 1
    elif form == "polygons":
        fits, has_score = count >= 2 * _SMALLEST_RING, count % 2 == 1
    else:
        points = count - 4
        fits, has_score = points >= 0 and points % keypoint_numbers in {0, 1}, points % keypoint_numbers == 1
    if not fits:
        return None, np.nan
    return (row[:-1], row[-1]) if has_score else (row, np.nan)


def _turned(ring: Any) -> list[float]:
    """Return the rotated box of four corners: its width lies along the first side."""
    across, down = (ring[1] - ring[0] + ring[2] - ring[3]) / 2, (ring[3] - ring[0] + ring[2] - ring[1]) / 2
    angle = np.degrees(np.arctan2(across[1], across[0]))
    return [*ring.mean(axis=0), np.hypot(*across), np.hypot(*down), angle]


def to_mot(found: Detections, frame: int) -> str:
    """Return lines of the MOT challenge: frame, track id, left, top, width, height, confidence, class, −1, −1.

    Args:
        found: Rows of one picture.
        frame: Number of the picture, from 1.
    """
    lines = []
    for row in range(len(found)):
        x0, y0, x1, y1 = found.xyxy[row].astype(float).tolist()
        sure = float(found.confidences[row])
        numbers = [x0, y0, x1 - x0, y1 - y0, 1.0 if np.isnan(sure) else sure]
        said = ",".join(f"{value:.{_DIGITS}g}" for value in numbers)
        lines.append(f"{frame},{found.track_ids[row]},{said},{found.class_ids[row]},-1,-1\n")
    return "".join(lines)


def from_mot(text: str | os.PathLike[str], names: Sequence[str] = ()) -> dict[int, dict[str, Any]]:
    """Return the arguments of ``Detections.of`` by the number of the frame, of lines of the MOT challenge.

    Raises:
        MetadataError: A line has fewer than 6 numbers, or something else; the message says which.
    """
    of_frame: dict[int, list[list[float]]] = {}
    for number, line in enumerate(text_of(text).splitlines(), 1):
        if not line.strip():
            continue
        row = _numbers(line.replace(",", " "), number)
        if len(row) < 6:
            raise MetadataError(f"line {number}: {len(row)} numbers: expected frame, id, left, top, width, height …")
        of_frame.setdefault(int(row[0]), []).append(
            [*row, *([1, -1] if len(row) < 7 else [-1] if len(row) < 8 else [])]
        )
    found = {}
    for frame, rows in sorted(of_frame.items()):
        numbers = np.array([row[:8] for row in rows])
        found[frame] = {
            "xyxy": np.concatenate([numbers[:, 2:4], numbers[:, 2:4] + numbers[:, 4:6]], axis=1),
            "track_ids": numbers[:, 1].astype(np.int64),
            "confidences": numbers[:, 6],
            **labelled(numbers[:, 7], names),
        }
        found[frame]["labels"] = ["" if label == "-1" else label for label in found[frame]["labels"]]
    return found
