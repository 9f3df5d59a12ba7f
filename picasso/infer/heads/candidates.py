"""From the candidates of one picture to its objects: what all heads of detectors share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ModelError
from picasso.infer.heads.protocol import HeadSettings, Outputs, ScaleXY
from picasso.infer.selectors import Selected
from picasso.primitives import Detections
from picasso.primitives.detections import NO_ID, UNTRACKED, as_keypoints
from picasso.primitives.geometry import wrapping_xyxy, xywha_to_xyxy

Floats = NDArray[np.float32]
_NO_ROWS, _NO_NUMBERS, _NO_CLASSES = np.zeros(0, np.intp), np.zeros(0, np.float32), np.zeros(0, np.int64)
_FEW = 4096
"""Scores up to which NumPy is as fast as machine code of ours."""
_MOST_CLASSES = 1 << 24
"""Whole numbers that float32 tells apart."""


def only_output(head: str, outputs: Outputs, rank: int) -> Floats:
    """Return the one output of ``rank`` axes, as float32.

    Raises:
        ModelError: There is none, or there are several.
    """
    fitting = {name: value for name, value in outputs.items() if value.ndim == rank}
    if len(fitting) != 1:
        raise ModelError(f"{head}: expected one output of {rank} axes, got {shown(outputs)}")
    return _as_floats(head, *next(iter(fitting.items())))


def named_output(head: str, outputs: Outputs, name: str, rank: int) -> Floats:
    """Return the output of a name, as float32.

    Raises:
        ModelError: It is not there, or has not ``rank`` axes.
    """
    value = outputs.get(name)
    if value is None or value.ndim != rank:
        raise ModelError(f"{head}: expected an output {name!r} of {rank} axes, got {shown(outputs)}")
    return _as_floats(head, name, value)


def _as_floats(head: str, name: str, value: NDArray[Any]) -> Floats:
    if value.dtype.kind not in "fiub":
        raise ModelError(f"{head}: expected numbers, got {name} of {value.dtype}")
    return value.astype(np.float32, copy=False)


def class_numbers(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return classes that a model says as any numbers; −1, which no rule names, for what is none."""
    good = (values >= 0) & (values < _MOST_CLASSES)
    return np.where(good, values, -1).astype(np.int64)


def check_classes(head: str, count: int, classes: int | None) -> None:
    """Refuse an output of ``count`` classes where the model has another number of them.

    Raises:
        ModelError: It has none, or not ``classes``.
    """
    if count < 1 or classes not in {None, count}:
        wanted = "at least 1" if classes is None else str(classes)
        raise ModelError(f"{head}: the output has {count} classes: expected {wanted}")


@lru_cache(maxsize=16)
def cells(input_wh: tuple[int, int], strides: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return the column and row of each cell, ``(N, 2)``, and the cell's side in pixels, ``(N, 1)``.

    The grids follow each other; the cells of a grid follow each other row by row.
    """
    corners, sides = [], []
    for stride in strides:
        columns, rows = -(-input_wh[0] // stride), -(-input_wh[1] // stride)
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        corners.append(grid.astype(np.float32))
        sides.append(np.full((len(grid), 1), stride, np.float32))
    return np.concatenate(corners), np.concatenate(sides)


def shown(outputs: Outputs) -> str:
    """Return names and shapes, for an error."""
    return ", ".join(f"{name} {value.shape}" for name, value in outputs.items()) or "no outputs"


def scales_of(count: int, scales_xy: Sequence[ScaleXY] | None) -> Sequence[ScaleXY]:
    """Return a scale for each picture.

    Raises:
        ModelError: There are fewer, or more.
    """
    if scales_xy is None:
        return [(1.0, 1.0)] * count
    if len(scales_xy) != count:
        raise ModelError(f"scales_xy: expected {count}, one for each picture, got {len(scales_xy)}")
    return scales_xy


def best_class(scores: Floats, settings: HeadSettings) -> tuple[NDArray[np.intp], Floats, NDArray[np.int64]]:
    """Return the candidates that may be objects: rows, confidence and class of each.

    One call of machine code, without the GIL, where scores lie without gaps and the code is there.

    Args:
        scores: ``(C, N)``, a row for each class. A candidate with a NaN among them is none.
        settings: Which classes are looked at, and the least confidence.
    """
    floor = settings.selector.floor
    if scores.size > _FEW and scores.flags.c_contiguous and scores.flags.writeable:
        from picasso_kernels.cpu.compile import ready
        from picasso_kernels.maths.scores import CANDIDATE, SEGMENT, find_candidates

        find = ready(find_candidates)
        if find is not None:
            classes, count = scores.shape
            bits, found = scores.reshape(-1).view(np.int32), np.empty(CANDIDATE * count, np.int32)
            number = find(bits, 0, count, classes, count, _bits_of(floor), np.empty(SEGMENT, np.int32), found)
            if not number:
                return _NO_ROWS, _NO_NUMBERS, _NO_CLASSES
            rows, confidences, numbers = found[: CANDIDATE * number].reshape(-1, CANDIDATE).T
            return rows.astype(np.intp), confidences.view(np.float32), numbers.astype(np.int64)
    best = scores.max(axis=0) if len(scores) else np.zeros(scores.shape[1], np.float32)
    chosen = np.flatnonzero(best > floor)
    return chosen, best[chosen], scores[:, chosen].argmax(axis=0) if len(scores) else np.zeros(0, np.int64)


@lru_cache(maxsize=64)
def _bits_of(number: float) -> int:
    """Return the bits of a number of 0 or more as float32, of which 0 has two forms."""
    return int((np.float32(number) + np.float32(0)).view(np.int32))


def objects_of(xywha: NDArray[Any], confidences: NDArray[Any], chosen: Selected, **columns: Any) -> Detections:
    """Return the candidates that the selector chose; ``xywha`` is ``(N, 4)`` or ``(N, 5)``.

    ``Detections.of`` checks what is known to be right here; to leave that out saves half of the time.
    """
    rows = chosen.rows
    count = len(rows)
    if "keypoints" in columns:
        columns["keypoints"] = as_keypoints(columns["keypoints"])
    if not count:
        return Detections(*_NOTHING, **columns)
    boxes, tracks = np.full((2, count, 5), np.nan, np.float32)
    boxes[:, : xywha.shape[1]] = xywha[rows]
    corners = wrapping_xyxy(boxes) if xywha.shape[1] == 5 else xywha_to_xyxy(boxes)
    namespaces = np.empty(count, object)
    namespaces[:] = ""
    return Detections(
        ids=np.full(count, NO_ID),
        xyxy=corners.astype(np.float32, copy=False),
        xywha=boxes,
        namespaces=namespaces,
        labels=chosen.labels,
        confidences=confidences[rows].astype(np.float32, copy=False),
        track_ids=np.full(count, UNTRACKED),
        track_xywha=tracks,
        class_ids=chosen.class_ids,
        **columns,
    )


_EMPTY = Detections.empty()
_NOTHING = tuple(getattr(_EMPTY, column.name) for column in dataclasses.fields(Detections)[:9])
"""The columns that all detections have, of none: arrays without entries, which nothing can change."""
