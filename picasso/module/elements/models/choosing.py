"""What of a frame a model looks at: the frame, its region, or objects of one element and label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from picasso.errors import ModelError
from picasso.primitives import BBox, RBBox

if TYPE_CHECKING:
    from picasso.module.elements.models.block import ModelInput
    from picasso.module.elements.models.views import Boxes
    from picasso.module.meta import Frame, ObjectMeta

MetaHook = Callable[[Any], Any]


class Regions(NamedTuple):
    """What of one frame is looked at."""

    boxes: Boxes | None
    """``(N, 4)`` corners in pixels of the frame; None for the whole frame."""
    objects: Sequence[ObjectMeta | None]
    """Whose boxes they are; None for the frame itself."""


def regions_of(frame: Frame, spec: ModelInput, prepare_meta: MetaHook | None) -> Regions | None:
    """Return what of a frame is looked at; None for nothing.

    Args:
        frame: The frame.
        spec: What the model wants.
        prepare_meta: Called with each object; returns the box that is looked at instead.

    Raises:
        ModelError: ``prepare_meta`` returned no box.
    """
    if spec.is_whole_frame:
        return _whole(frame, prepare_meta)
    unit, label = spec.element_and_label
    found = frame.get_detections(unit, label)
    if not len(found.ids):
        return None
    boxes = found.xyxy
    rows = np.flatnonzero(_within(boxes, spec))
    if not len(rows):
        return None
    objects = [frame.object_of(number) for number in found.ids[rows].tolist()]
    boxes = boxes[rows]
    if prepare_meta is not None:
        boxes = np.array([_prepared(one, prepare_meta) for one in objects], np.float32).reshape(-1, 4)
    return Regions(boxes, objects)


def _whole(frame: Frame, prepare_meta: MetaHook | None) -> Regions | None:
    if not frame.has_primary:
        return None
    primary = frame.primary_in_use
    if primary is None and prepare_meta is None:
        return Regions(None, [None])
    primary = frame.primary
    assert primary is not None
    box = _corners(primary.bbox) if prepare_meta is None else _prepared(primary, prepare_meta)
    if box == (0.0, 0.0, float(frame.width), float(frame.height)):
        return Regions(None, [None])
    return Regions(np.array([box], np.float32), [None])


def _within(boxes: Boxes, spec: ModelInput) -> Any:
    """Return which boxes are within the limits of sizes, and have an area."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    good = (width > 0) & (height > 0)
    for sizes, least, most in (
        (width, spec.object_min_width, spec.object_max_width),
        (height, spec.object_min_height, spec.object_max_height),
    ):
        good &= sizes >= (least or 0)
        if most:
            good &= sizes <= most
    return good


def _prepared(one: ObjectMeta, prepare_meta: MetaHook) -> tuple[float, ...]:
    """Return the corners that a hook gives for a copy of an object."""
    answer = prepare_meta(one.detached())
    if not isinstance(answer, BBox | RBBox):
        raise ModelError(f"preprocess_object_meta returned {answer!r:.80}; expected a BBox")
    return _corners(answer)


def _corners(box: BBox | RBBox) -> tuple[float, ...]:
    upright = box.wrapping_box if isinstance(box, RBBox) and box.angle else box
    return tuple(map(float, upright.as_ltrb()))
