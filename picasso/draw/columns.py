"""The values of label placeholders: a column of texts for many objects at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from picasso.draw.label import decimal_texts, whole_texts

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

_TEXTS: Final = frozenset({"namespace", "label", "draw_label"})
_WHOLE: Final = frozenset({"id", "parent_id", "track_id"})
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
        if name in _TEXTS:
            return self._frame.object_column(name)
        if name in _WHOLE:
            return whole_texts(self._frame.object_column(name))
        if name == "confidence":
            return decimal_texts(self._frame.confidences().tolist(), 2)
        kind, _, side = name.partition("_")
        boxes = self._frame.detection_boxes() if kind == "det" else self._frame.track_boxes()
        return decimal_texts(boxes[:, _SIDES[side]].tolist(), 1)
