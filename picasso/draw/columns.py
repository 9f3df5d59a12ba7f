"""The values of label placeholders: a column of texts for many objects at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from picasso.draw.label import CONVERSIONS, decimal_texts, whole_texts

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

_SIDES: Final = {"xc": 0, "yc": 1, "width": 2, "height": 3, "angle": 4}


class ObjectColumns:
    """Gives the texts of placeholders for the objects of a frame, in their order; each column is made once."""

    __slots__ = ("_columns", "_frame")

    def __init__(self, frame: VideoFrame) -> None:
        """Read the objects of ``frame`` when asked."""
        self._frame = frame
        self._columns: dict[str, Sequence[str]] = {}

    def __getitem__(self, name: str) -> Sequence[str]:
        """Return the texts of the placeholder ``name``, one of ``picasso.draw.label.FIELDS``."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._make(name)
        return column

    def _make(self, name: str) -> Sequence[str]:
        values, conversion = values_of(self._frame, name), CONVERSIONS[name]
        if conversion == "%s":
            return values
        return whole_texts(values) if conversion == "%d" else decimal_texts(values, conversion)


def values_of(frame: VideoFrame, name: str) -> Sequence[Any]:
    """Return the values of a placeholder for the objects of ``frame``, in their order; absent ones are None or NaN."""
    values: Sequence[Any]
    if name == "confidence":
        values = frame.confidences().tolist()
        return values
    kind, _, side = name.partition("_")
    if side in _SIDES:
        boxes = frame.detection_boxes() if kind == "det" else frame.track_boxes()
        values = boxes[:, _SIDES[side]].tolist()
        return values
    return frame.object_column(name)
