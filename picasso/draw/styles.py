"""Draw values as rows of numbers: a table that grows by one row for each new look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from picasso.draw.glyphs import GlyphAtlas
from picasso.draw.label import Template, parse_lines
from picasso.draw.spec import (
    BBoxSource,
    BoundingBoxDraw,
    DotDraw,
    LabelDraw,
    LabelPositionKind,
    ObjectDraw,
    PaddingDraw,
)
from picasso.draw.values import ColorDraw
from picasso_kernels.paint import display_list, glyph_layout

Ints = npt.NDArray[np.int32]

_ANCHORS = {
    LabelPositionKind.TopLeftInside: display_list.INSIDE,
    LabelPositionKind.TopLeftOutside: display_list.OUTSIDE,
    LabelPositionKind.Center: display_list.CENTER,
}
_MOST_PADDING = display_list.FAR // 4
"""Padding has no upper limit of its own; beyond this one, nothing of it is on any surface."""
_MOST_STYLES = 4096
"""Rows kept; a callback that makes a new look for each object of each frame starts a new table."""


@dataclass(frozen=True, slots=True)
class ResolvedDraw:
    """What is known of one draw value beside its row."""

    draw: ObjectDraw
    templates: tuple[Template, ...]
    """One for each line of the label."""
    font: int
    """Number of the label's font in the atlas."""
    lines: int
    """How many lines the label has: one for each template, or more where a value has line breaks."""


class StyleTable:
    """Numbers the draw values and keeps their rows, in the layout of ``picasso_kernels.paint.display_list``."""

    __slots__ = (
        "_atlas",
        "_by_handle",
        "_by_lines",
        "_by_value",
        "alike",
        "fields",
        "has_shapes",
        "looks",
        "may_blur",
        "pattern",
        "rows",
    )

    rows: Ints
    """``STYLE_SIZE`` numbers a style."""
    alike: bool
    """Whether the labels of all looks are written by the same templates."""
    pattern: str
    """Of the first look, the lines of its label as a ``%`` format of values, with a mark behind each."""
    fields: tuple[str, ...]
    """Of the first look, whose values these are."""
    may_blur: bool
    """Whether a look blurs."""
    has_shapes: bool
    """Whether a look has masks, polygons, traces or keypoints."""

    def __init__(self, atlas: GlyphAtlas) -> None:
        """Start empty; fonts are numbered by ``atlas``."""
        self._atlas = atlas
        self.clear()

    def clear(self) -> None:
        """Forget all styles."""
        self.rows = np.zeros(16 * display_list.STYLE_SIZE, np.int32)
        self.looks: list[ResolvedDraw] = []
        self.alike, self.may_blur, self.pattern, self.fields = True, False, "", ()
        self.has_shapes = False
        self._by_value: dict[ObjectDraw, int] = {}
        self._by_handle: dict[int, tuple[ObjectDraw, int]] = {}
        self._by_lines: dict[tuple[int, int], int] = {}

    @property
    def is_full(self) -> bool:
        """Whether it is time to start a new table."""
        return len(self._by_handle) + len(self._by_lines) >= _MOST_STYLES

    def number(self, draw: ObjectDraw) -> int:
        """Return the number of a draw value; equal values share one."""
        known = self._by_handle.get(id(draw))  # hashing a whole value costs more than everything else here
        if known is not None:
            return known[1]
        number = self._by_value.get(draw)
        if number is None:
            number = self._add(draw)
        self._by_handle[id(draw)] = (draw, number)  # keeps the value alive, and so its id its own
        return number

    def with_lines(self, number: int, lines: int) -> int:
        """Return the number of the style that is style ``number`` with a label of ``lines`` lines instead."""
        other = self._by_lines.get((number, lines))
        if other is None:
            other = self._by_lines[number, lines] = self._append(replace(self.looks[number], lines=lines))
            rows = self.rows.reshape(-1, display_list.STYLE_SIZE)
            rows[other] = rows[number]
            rows[other, display_list.STYLE_LINES] = lines
        return other

    def _append(self, look: ResolvedDraw) -> int:
        """Make room for another row; return its number."""
        self.looks.append(look)
        if len(self.looks) * display_list.STYLE_SIZE > self.rows.size:
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        return len(self.looks) - 1

    def _add(self, draw: ObjectDraw) -> int:
        size = round(12 * draw.label.font_scale * display_list.PEN_UNIT) if draw.label else 0
        templates = parse_lines(tuple(draw.label.format)) if draw.label and size else ()
        look = ResolvedDraw(draw, templates, self._atlas.font(size) if size else 0, len(templates))
        number = self._append(look)
        self.rows.reshape(-1, display_list.STYLE_SIZE)[number] = _row(look, size)
        if number == 0:
            self.pattern = "".join([line.direct + chr(glyph_layout.MARK) for line in templates])
            self.fields = tuple(chain.from_iterable(line.fields for line in templates))
        self.alike = self.alike and look.templates is self.looks[0].templates
        self.may_blur = self.may_blur or bool(draw.blur)
        self.has_shapes = self.has_shapes or draw.has_shapes
        self._by_value[draw] = number
        return number


def _row(look: ResolvedDraw, font_size: int) -> Ints:
    draw = look.draw
    row = np.zeros(display_list.STYLE_SIZE, np.int32)
    row[display_list.STYLE_BLUR] = draw.blur
    row[display_list.STYLE_TRACK] = draw.bbox_source is BBoxSource.TrackingBox
    if draw.bounding_box is not None:
        _write_box(row, draw.bounding_box)
    if draw.central_dot is not None:
        _write_dot(row, draw.central_dot)
    if draw.label is not None and look.templates:
        row[display_list.STYLE_LINES] = len(look.templates)
        row[display_list.STYLE_FONT] = look.font
        row[display_list.STYLE_FONT_SIZE] = font_size
        _write_label(row, draw.label)
    return row


def _write_box(row: Ints, box: BoundingBoxDraw) -> None:
    row[display_list.STYLE_BOX_FILL] = packed(box.background_color)
    row[display_list.STYLE_BOX_BORDER] = packed(box.border_color)
    row[display_list.STYLE_BOX_THICKNESS] = box.thickness
    row[display_list.STYLE_BOX_PAD : display_list.STYLE_BOX_PAD + 4] = _held(box.padding)


def _write_dot(row: Ints, dot: DotDraw) -> None:
    row[display_list.STYLE_DOT_COLOR] = packed(dot.color)
    row[display_list.STYLE_DOT_RADIUS] = dot.radius


def _write_label(row: Ints, label: LabelDraw) -> None:
    row[display_list.STYLE_LABEL_FILL] = packed(label.background_color)
    row[display_list.STYLE_LABEL_BORDER] = packed(label.border_color)
    row[display_list.STYLE_LABEL_THICKNESS] = label.thickness
    row[display_list.STYLE_LABEL_PAD : display_list.STYLE_LABEL_PAD + 4] = _held(label.padding)
    row[display_list.STYLE_FONT_COLOR] = packed(label.font_color)
    row[display_list.STYLE_ANCHOR] = _ANCHORS[label.position.position]
    row[display_list.STYLE_MARGIN_X] = label.position.margin_x
    row[display_list.STYLE_MARGIN_Y] = label.position.margin_y


def _held(padding: PaddingDraw) -> list[int]:
    return [min(side, _MOST_PADDING) for side in padding.padding]


def packed(color: ColorDraw) -> int:
    """Return a colour as one int32, as display lists hold it."""
    return int.from_bytes(bytes(color.rgba), "little", signed=True)
