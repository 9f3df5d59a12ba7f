"""Labels: what stands in them, in which colours, and where, so that they do not cover each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.annotators.base import Annotator, Floats, Found, Ints
from picasso.annotators.palettes import one_color, readable
from picasso.annotators.shapes import Color, anchor_of, outside_share, points_at, positive
from picasso.draw import batches
from picasso.draw.attached import moved_apart
from picasso.draw.lists import DisplayList
from picasso.draw.scene import Scene
from picasso.draw.spec import LabelDraw, LabelPosition, LabelPositionKind, ObjectDraw, PaddingDraw
from picasso.draw.styles import packed
from picasso.draw.values import ColorDraw
from picasso.errors import SpecError
from picasso.surface import SurfaceView
from picasso_kernels.paint import display_list as at

Texts = Sequence[str] | Callable[[Any], Sequence[str]]
_BASE_PX: Final = 12
"""The font of a label of scale 1."""
_EVERYWHERE: Final = (at.FAR, at.FAR)
_LIMIT: Final = at.FAR // 2
_OPAQUE: Final = ColorDraw(0, 0, 0)


class Captions:
    """Texts on boxes of their size. Not for several threads at once."""

    def __init__(self, font_px: float, *, padding: int, font_family: str = "sans-serif") -> None:
        """Write in a font of ``font_px`` pixels, ``padding`` pixels from the edges of the boxes."""
        position = LabelPosition(LabelPositionKind.TopLeftInside, 0, 0)
        room = PaddingDraw(padding, padding, padding, padding)
        self._look = ObjectDraw(
            label=LabelDraw(ColorDraw(255, 255, 255), _OPAQUE, None, font_px / _BASE_PX, 1, position, room)
        )
        self._scene = Scene(font_family)

    def drawing(
        self,
        texts: Sequence[str],
        colors: Ints,
        anchors: Floats,
        share: tuple[float, float],
        size_wh: tuple[int, int],
        *,
        font_color: ColorDraw | None = None,
        spread: bool = False,
        boxes: Floats | None = None,
    ) -> DisplayList:
        """Return captions.

        Args:
            texts: N; line breaks begin lines. One without a letter that shows is left out.
            colors: ``(N,)`` packed, of the boxes.
            anchors: ``(N, 2)`` pixels.
            share: Which point of each box lies on its anchor, as a share of its width and height.
            size_wh: Of the picture.
            font_color: Of the letters; None is black or white, by which is easier to read.
            spread: Move boxes so that they neither cover each other nor leave the picture, where there is room.
            boxes: ``(N, 4)`` what they belong to: those of boxes in the picture do not leave it, where there is room.
        """
        has_place: list[bool] = np.logical_and.reduce(np.isfinite(anchors), axis=1).tolist()
        rows = [row for row, text in enumerate(texts) if text and has_place[row] and not text.isspace()]
        shown = np.array(rows, np.int64)
        if not len(shown):
            return batches.boxes([], 0, size_wh)
        drawing = self._scene.build_texts([texts[row] for row in shown.tolist()], self._look, _EVERYWHERE)
        commands = drawing.commands
        is_box = commands[:, at.KIND] == at.RECT
        sizes = commands[is_box][:, [at.RIGHT, at.BOTTOM]] - commands[is_box][:, [at.LEFT, at.TOP]]
        corners = np.floor(np.clip(anchors[shown], -_LIMIT, _LIMIT) - sizes * np.array(share) + 0.5).astype(np.int64)
        if spread:
            corners = spread_out(corners, sizes.astype(np.int64), size_wh)
        elif boxes is not None and (corners.min() < 0 or (corners + sizes - size_wh).max() > 0):
            owners_ltrb = boxes[shown]
            is_seen = np.logical_and(owners_ltrb[:, 2:] >= 0, owners_ltrb[:, :2] <= size_wh).all(axis=1, keepdims=True)
            kept = np.clip(corners, 0, np.maximum(np.array(size_wh) - sizes, 0))
            corners = np.where(is_seen, kept, corners)
        fills = colors[shown]
        letters = np.where(readable(fills), packed(_OPAQUE), -1) if font_color is None else packed(font_color)
        owners = np.cumsum(is_box) - 1
        commands[:, at.COLOR] = np.where(is_box, fills[owners], np.broadcast_to(letters, fills.shape)[owners])
        placed = moved_apart(drawing, corners[owners])
        return batches.seen(placed, size_wh)


def spread_out(corners: NDArray[np.int64], sizes: NDArray[np.int64], size_wh: tuple[int, int]) -> NDArray[np.int64]:
    """Return corners of boxes that keep their places, or move as little as possible off those before them.

    Args:
        corners: ``(N, 2)`` left and top, in pixels.
        sizes: ``(N, 2)`` width and height.
        size_wh: Of the picture, inside of which they stay.
    """
    found = np.empty_like(corners)
    room = np.maximum(np.array(size_wh) - sizes, 0)
    wished = np.clip(corners, 0, room)
    for row in range(len(corners)):
        found[row] = _free_place(wished[row], sizes[row], room[row], found[:row], sizes[:row])
    return found


def _free_place(
    wish: NDArray[np.int64],
    size: NDArray[np.int64],
    room: NDArray[np.int64],
    taken: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the place nearest to the wish where a box covers none of those that are taken; else the wish."""
    for reach, most in _REACHES:
        near = (np.abs(2 * (taken - wish) + sizes - size) < 2 * size * np.array(reach) + sizes + size).all(axis=1)
        others, their = taken[near], sizes[near]
        if not (np.abs(2 * (others - wish) + their - size) < their + size).all(axis=1).any():
            return wish
        nearest = np.argsort(np.abs(others - wish).sum(axis=1), kind="stable")[:most]
        edges = others[nearest], their[nearest]
        across = np.concatenate([wish[:1], edges[0][:, 0] - size[0], edges[0][:, 0] + edges[1][:, 0]])
        down = np.concatenate([wish[1:], edges[0][:, 1] - size[1], edges[0][:, 1] + edges[1][:, 1]])
        places = np.stack([np.repeat(across, len(down)), np.tile(down, len(across))], axis=1)
        places = places[((places >= 0) & (places <= room)).all(axis=1)]
        places = places[np.argsort(np.abs(places - wish).sum(axis=1), kind="stable")]
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            covered = (np.abs(2 * (taken[None] - some[:, None]) + sizes - size) < sizes + size).all(axis=2).any(axis=1)
            if not covered.all():
                found: NDArray[np.int64] = some[covered.argmin()]
                return found
    return wish


_REACHES: Final = (((1, 2), 8), ((3, 8), 32))
"""How many times its own size away a label looks for neighbours to stand beside, and beside how many."""
_AT_ONCE: Final = 32
"""Places that are tried together."""


class LabelAnnotator(Annotator):
    """Writes a label at each box: any script, several lines, black or white letters by which is easier to read."""

    def __init__(
        self,
        color: Color = None,
        texts: str | Texts = "{label} {confidence:.2f}",
        font_px: float = 14,
        position: str = "top_left",
        font_color: ColorDraw | str | None = None,
        padding: int = 4,
        smart_position: bool = False,
        font_family: str = "sans-serif",
        **options: Any,
    ) -> None:
        """Write labels.

        Args:
            color: Of the boxes behind the letters, as for ``Annotator``.
            texts: A format of ``label``, ``confidence``, ``class_id``, ``track_id`` and ``index``; or what makes a text
                for each object of the detections.
            font_px: Height of the font in pixels.
            position: Where it stands, outside of the box: one of ``ANCHORS``; ``center`` is inside. At the edge of the
                picture it moves inwards, so that it can be read.
            font_color: Of the letters, also as ``"#000000"``; None chooses black or white.
            padding: Pixels between the letters and the edge.
            smart_position: Move labels so that they do not cover each other either.
            font_family: As of ``Painter``.
            options: As for ``Annotator``.

        Raises:
            SpecError: The format has another name, or a number is out of range.
        """
        super().__init__(color, **options)
        self._anchor, self._spread = anchor_of(position), smart_position
        self._font_color = None if font_color is None else one_color("font_color", font_color)
        self._captions = Captions(positive("font_px", font_px), padding=padding, font_family=font_family)
        self._texts = _checked(texts) if isinstance(texts, str) else texts

    def annotate(self, scene: Any, detections: Any, labels: Sequence[str] | None = None) -> Any:
        """Draw on ``scene`` as ``Annotator.annotate`` does; ``labels`` has a text for each object instead."""
        if labels is None:
            return super().annotate(scene, detections)
        texts, self._texts = self._texts, labels
        try:
            return super().annotate(scene, detections)
        finally:
            self._texts = texts

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        texts = self._texts_of(found)
        if len(texts) != len(found):
            raise SpecError(f"texts: expected {len(found)}, one for each object, got {len(texts)}")
        share = outside_share(self._anchor)
        anchors, colors = points_at(found.xyxy, self._anchor), self._colors(found)
        how = {"font_color": self._font_color, "spread": self._spread, "boxes": found.xyxy}
        return [self._captions.drawing(texts, colors, anchors, share, size_wh, **how)]  # type: ignore[arg-type]

    def _texts_of(self, found: Found) -> Sequence[str]:
        if callable(self._texts) or not isinstance(self._texts, str):
            texts: Sequence[Any] = self._texts(found.source) if callable(self._texts) else self._texts
            return ["" if text is None else str(text) for text in texts]
        used = {name: "{" + name in self._texts for name in _FIELDS}
        numbers = found.column("class_ids", "class_id") if used["class_id"] else None
        count = len(found)
        columns = (
            found.labels if used["label"] else [""] * count,
            _there(found.confidences.tolist()) if used["confidence"] else [0.0] * count,
            [0] * count if numbers is None else np.asarray(numbers).tolist(),
            _there(found.track_ids) if used["track_id"] else [""] * count,
            range(count),
        )
        form = self._texts
        rows = zip(*columns, strict=True)
        texts = [form.format(**dict(zip(_FIELDS, row, strict=True))) for row in rows]
        if used["confidence"] or used["track_id"]:
            return [text.replace(f" {_MARK}", "").replace(_MARK, "") for text in texts]
        return texts


_MARK: Final = "\0"
"""Stands in a text for a number that is absent; it goes, with the space before it."""


class _Absent:
    """A confidence or a track that an object does not have, in any format of numbers."""

    def __format__(self, _form: str) -> str:
        return _MARK

    __str__ = __repr__ = lambda _self: _MARK


_ABSENT: Final = _Absent()


def _there(numbers: Sequence[float | None]) -> list[float | _Absent]:
    return [_ABSENT if number is None or isnan(number) else number for number in numbers]


_FIELDS: Final = ("label", "confidence", "class_id", "track_id", "index")


def _checked(form: str) -> str:
    """Return a format; ``SpecError`` where it does not work."""
    try:
        form.format(label="", confidence=0.5, class_id=0, track_id=0, index=0)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise SpecError(f"texts: {form!r} is not a format of {', '.join(_FIELDS)}: {error}") from None
    return form
