"""The stock drawing: objects and their looks as two layers of a display list."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from picasso.draw import DisplayList, LabelDraw, LabelPosition, LabelPositionKind, ObjectDraw, Scene
from picasso.draw.lists import revisions
from picasso.module.drawing.looks import DEFAULT_DRAW, TRACKED_DRAW, looks_of
from picasso.module.meta import ObjectMeta
from picasso.module.meta.object import AUTO, FRAME

if TYPE_CHECKING:
    from picasso.module.meta import Frame
    from picasso.primitives import VideoFrame

_Part = tuple[int, ObjectDraw]
"""A row of a frame's columns, and what is drawn of it."""
Override = Callable[[ObjectMeta, ObjectDraw], ObjectDraw | None]
_MOST_SPLIT: Final = 4096
logger: logging.Logger = logging.getLogger("picasso.module")


class _Layers(NamedTuple):
    """One look, taken apart: what lies below, and what above all of that, lowest first."""

    under: tuple[ObjectDraw, ...]
    over: tuple[ObjectDraw, ...]


@final
class StockDrawing:
    """Draws the objects of frames as ``rendered_objects`` says. For one thread at a time.

    Upright boxes, blurs, masks and polygons are below; turned boxes, labels, keypoints, traces and dots of all objects
    lie above them. For each object in the order of ids: blur, mask, polygon, box, trace, keypoints, label, dot.
    """

    def __init__(self, rendered_objects: Mapping[str, Mapping[str, Any] | None] | None) -> None:
        """Take the looks by element name and draw label; without them every object has the built-in look.

        Args:
            rendered_objects: As in the YAML file.
        """
        self._looks = None if rendered_objects is None else looks_of(rendered_objects)
        self._scene = Scene()
        self._split: dict[tuple[int, bool], tuple[ObjectDraw, _Layers]] = {}
        self._letters: tuple[int, int] | None = None
        self._revision = 0
        self._skipped = 0

    def draw(self, frame: Frame, override: Override | None) -> DisplayList:
        """Return what is drawn for the objects of a frame.

        Args:
            frame: Its boxes are in total pixels.
            override: Changes the look of an object; not asked where there is no ``rendered_objects``.
        """
        video_frame, under, over = self._parts(frame, override)
        return self._list(video_frame, [*under, *over])

    def layers(self, frame: Frame, override: Override | None) -> tuple[DisplayList, DisplayList]:
        """Return the same as two lists: the layer below, and the one above it.

        Args:
            frame: Its boxes are in total pixels.
            override: As for ``draw``.
        """
        video_frame, under, over = self._parts(frame, override)
        return self._list(video_frame, under), self._list(video_frame, over)

    def _parts(self, frame: Frame, override: Override | None) -> tuple[VideoFrame, list[_Part], list[_Part]]:
        """Return the metadata whose rows are drawn, and rows and looks of each layer, lowest first."""
        video_frame = self._drawable(frame)
        wanted = self._wanted(video_frame, override)
        under: list[_Part] = []
        over: list[_Part] = []
        if not wanted:
            return video_frame, under, over
        boxes = video_frame.detection_boxes()
        angles = boxes[:, 4]
        is_turned = ~np.isnan(angles) & (angles % 180 != 0)
        turned, inside = is_turned.tolist(), self._inside(boxes, is_turned, frame)
        for row, look in wanted:
            if inside[row]:
                below, above = self._layers(look, turned[row])
                under += [(row, part) for part in below]
                over += [(row, part) for part in above]
            else:
                self._skip(video_frame, row)
        return video_frame, under, over

    def _drawable(self, frame: Frame) -> VideoFrame:
        """Return the metadata whose objects are drawn: where the map lists it, with the primary object, lowest."""
        video_frame, primary = frame.video_frame, None
        if self._looks is not None and (AUTO, FRAME) in self._looks:
            primary = frame.primary
        if primary is None:
            return video_frame
        whole = video_frame.copy()
        whole.create_object(AUTO, FRAME, detection_box=primary.bbox)
        return whole

    def _wanted(self, frame: VideoFrame, override: Override | None) -> list[tuple[int, ObjectDraw]]:
        """Return rows and looks of the objects that are drawn, in the order of ids."""
        ids = frame.object_column("id")
        order: Sequence[int] = range(len(ids)) if ids == sorted(ids) else sorted(range(len(ids)), key=ids.__getitem__)
        if (AUTO, FRAME) in (self._looks or ()):
            units = frame.object_column("namespace")
            order = sorted(order, key=lambda row: units[row] != AUTO)
        if self._looks is None:
            tracks = frame.object_column("track_id")
            return [(row, DEFAULT_DRAW if tracks[row] is None else TRACKED_DRAW) for row in order]
        keys = list(zip(frame.object_column("namespace"), frame.object_column("draw_label"), strict=True))
        found = [(row, look) for row in order if (look := self._looks.get(keys[row])) is not None]
        if override is None:
            return found
        asked = []
        for row, look in found:
            borrowed = frame.get_object(ids[row])
            if borrowed is not None:
                answer = override(ObjectMeta.of(frame, borrowed), look)
                if answer is not None:
                    asked.append((row, answer))
        return asked

    def _inside(self, boxes: np.ndarray[Any, Any], is_turned: np.ndarray[Any, Any], frame: Frame) -> list[bool]:
        """Tell for each box whether it has a size and something of it is in the frame; turned ones by their circle."""
        center, half = boxes[:, :2], boxes[:, 2:4] / 2
        reach = half
        if is_turned.any():
            reach = np.where(is_turned[:, None], np.hypot(half[:, :1], half[:, 1:]), half)
        in_frame = (half > 0) & (center + reach > 0) & (center - reach < (frame.width, frame.height))
        found: list[bool] = (in_frame & np.isfinite(center) & np.isfinite(half)).all(1).tolist()
        return found

    def _skip(self, video_frame: VideoFrame, row: int) -> None:
        self._skipped += 1
        if self._skipped & (self._skipped - 1) == 0:
            name = f"{video_frame.object_column('namespace')[row]}.{video_frame.object_column('label')[row]}"
            logger.warning(
                "source %r at pts %d: object %s is not drawn: its box (xc, yc, width, height, angle) %s has no size or "
                "is outside of the frame, %dx%d (no. %d)",
                video_frame.source_id,
                video_frame.pts,
                name,
                [round(float(side), 1) for side in video_frame.detection_boxes()[row]],
                video_frame.width,
                video_frame.height,
                self._skipped,
            )

    def _layers(self, look: ObjectDraw, is_turned: bool) -> _Layers:
        known = self._split.get((id(look), is_turned))
        if known is None:
            if len(self._split) >= _MOST_SPLIT:
                self._split.clear()
            known = self._split[id(look), is_turned] = (look, _split(look, is_turned))  # keeps it, and so its id
        return known[1]

    def _list(self, frame: VideoFrame, parts: list[_Part]) -> DisplayList:
        """Return a list of its own, not one that the scene writes over."""
        rows, draws = [row for row, _ in parts], [draw for _, draw in parts]
        made = self._scene.build_listed(frame, rows, draws, (frame.width, frame.height))
        may_blur = any(draw.blur for draw in draws)
        drawing = DisplayList(made.commands.copy(), made.glyphs.copy(), made.coverage, made.revision, may_blur)
        return self._stamped(drawing)

    def _stamped(self, drawing: DisplayList) -> DisplayList:
        """Give a list a number that no coverage but its own has, also none of another drawer's."""
        letters = drawing.revision, drawing.coverage.size
        if letters != self._letters:
            self._letters, self._revision = letters, next(revisions)
        drawing.revision = self._revision
        return drawing


def _split(look: ObjectDraw, is_turned: bool) -> _Layers:
    """Take a look apart; the label of a turned box is in its middle."""
    nothing = ObjectDraw(bbox_source=look.bbox_source)
    box, label = look.bounding_box, look.label
    if is_turned and label is not None:
        label = LabelDraw(
            label.font_color,
            label.background_color,
            label.border_color,
            label.font_scale,
            label.thickness,
            LabelPosition(LabelPositionKind.Center, 0, 0),
            label.padding,
            label.format,
        )
    under = replace(
        nothing, bounding_box=None if is_turned else box, blur=look.blur, mask=look.mask, polygon=look.polygon
    )
    over = replace(
        nothing, bounding_box=box if is_turned else None, label=label, trace=look.trace, keypoints=look.keypoints
    )
    dot = replace(nothing, central_dot=look.central_dot)
    return _Layers(*(tuple(part for part in layer if part != nothing) for layer in ((under,), (over, dot))))
