"""Whether the boxes of a frame can leave the module: finite numbers, sizes that are not negative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from picasso.primitives import VideoFrame

if TYPE_CHECKING:
    from picasso.module.meta.frame import Frame
    from picasso.module.meta.object import ObjectMeta

FARTHEST: Final = 1e30
"""Pixels and degrees beyond which a number is refused: it would become infinite where boxes are moved."""
MOST_NAMED: Final = 4
"""Objects that a message names."""


def take_out_unsound(frame: VideoFrame) -> str:
    """Remove the objects of a frame whose boxes or confidence are not numbers that can leave; say which, and why.

    Convention: NaN is refused where a number has to be, and stands for nothing as an angle, a confidence or the whole
    of a track box. Children of a removed object lose their parent.

    Args:
        frame: The frame; one without objects costs nothing.

    Returns:
        What was wrong, in words; empty where nothing was.
    """
    count = frame.object_count
    if not count or _are_sound(frame, count):
        return ""
    found = {one.id: text for one in frame.get_all_objects() if (text := _fault(frame, one.id))}
    if not found:
        return ""
    named = [f"{_name(frame, number)}: {text}" for number, text in list(found.items())[:MOST_NAMED]]
    more = f"; and {len(found) - MOST_NAMED} more objects" if len(found) > MOST_NAMED else ""
    frame.delete_objects_with_ids(found)
    return "; ".join(named) + more


def take_out_unsound_of(frame: Frame) -> str:
    """Do the same in a module; a primary object whose box cannot leave gets the whole frame again."""
    said = take_out_unsound(frame.video_frame)
    primary = frame.primary_in_use
    if primary is not None and (text := _fault_of_primary(primary)):
        frame.reset_primary()
        said = "; ".join(filter(None, (said, f"the primary object: {text}")))
    return said


def _are_sound(frame: VideoFrame, count: int) -> bool:
    """Look at all objects at once; True where none is wrong. NaN of a track box is looked at where there is one."""
    columns = frame.box_columns()[:, :, :count]
    numbers, tracks = columns[0, :4], columns[1, :4]
    if not np.isfinite(numbers).all():
        return False
    lowest, highest = np.fmin.reduce(columns, axis=None), np.fmax.reduce(columns, axis=None)
    if lowest < -FARTHEST or highest > FARTHEST or np.fmin.reduce(columns[:, 2:4], axis=None) < 0:
        return False
    is_tracked = tracks[0] == tracks[0]
    if is_tracked.any() and np.isnan(tracks[:, is_tracked]).any():
        return False
    return not np.isinf(frame.confidences()).any()


def _fault(frame: VideoFrame, number: int) -> str:
    one = frame.get_object(number)
    if one is None:
        return ""
    boxes = (("detection box", one.detection_box), ("track box", one.track_box))
    for name, box in boxes:
        if box is not None and (text := _fault_of_numbers((*box.as_xcycwh(), box.angle))):
            return f"{name} {text}"
    confidence = one.confidence
    if confidence is not None and not abs(confidence) <= FARTHEST:
        return f"confidence {confidence}: expected a finite number or None"
    return ""


def _fault_of_primary(primary: ObjectMeta) -> str:
    box = primary.fields.detection_box
    return _fault_of_numbers((*box.as_xcycwh(), box.angle))


def _fault_of_numbers(values: tuple[float | None, ...]) -> str:
    """Say what is wrong with centre, size and angle of a box; empty where nothing is."""
    *numbers, angle = values
    shown = f"({', '.join('none' if value is None else f'{value:g}' for value in values)})"
    if not all(value is not None and abs(value) <= FARTHEST for value in numbers):
        return f"{shown}: expected finite numbers xc, yc, width, height"
    if any(value is not None and value < 0 for value in numbers[2:]):
        return f"{shown}: expected a width and a height of at least 0"
    return "" if angle is None or abs(angle) <= FARTHEST else f"{shown}: expected a finite angle or none"


def _name(frame: VideoFrame, number: int) -> str:
    one = frame.get_object(number)
    return f"object {number}" if one is None else f"object {number} ({one.namespace}.{one.label})"
