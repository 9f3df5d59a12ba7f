"""``draw_func.rendered_objects`` as draw values of the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    KeypointsDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    MaskDraw,
    ObjectDraw,
    PaddingDraw,
    PolygonDraw,
    TraceDraw,
)

_GREEN: Final = "00FF00FF"
_WHITE: Final = "FFFFFFFF"
_BLACK: Final = "000000FF"
_CLEAR: Final = "00000000"
_VEIL: Final = "00FF0080"


_FONT_SCALE: Final = 2.5
"""What a scale of 1 is for labels of the engine: capitals are 22 pixels high then, as OpenCV's are."""
_MOST_FONT_SCALE: Final = 200.0
_NAMES: Final = {"model": "namespace", "label": "draw_label"}
"""Placeholders of modules, and what they are for the engine."""
_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{\s*(model|label)\s*\}")


def looks_of(rendered_objects: Mapping[str, Mapping[str, Any] | None]) -> dict[tuple[str, str], ObjectDraw]:
    """Return what is drawn by element name and draw label.

    Args:
        rendered_objects: As in the YAML file.
    """
    return {
        (unit, label): object_draw(look or {})
        for unit, labels in rendered_objects.items()
        for label, look in (labels or {}).items()
    }


def object_draw(look: Mapping[str, Any]) -> ObjectDraw:
    """Return one look; an empty one is a green box with the label in white on black."""
    if not look:
        return ObjectDraw(_box({}), label=_label({}))
    box, label, dot = look.get("bbox"), look.get("label"), look.get("central_dot")
    return ObjectDraw(
        None if box is None and "bbox" not in look else _box(box or {}),
        central_dot=None if "central_dot" not in look else _dot(dot or {}),
        label=None if label is None and "label" not in look else _label(label or {}),
        blur=bool(look.get("blur")),
        mask=None if "mask" not in look else _mask(look["mask"] or {}),
        polygon=None if "polygon" not in look else _polygon(look["polygon"] or {}),
        trace=None if "trace" not in look else _trace(look["trace"] or {}),
        keypoints=None if "keypoints" not in look else _keypoints(look["keypoints"] or {}),
    )


def color(text: str) -> ColorDraw:
    """Return a colour of 8 hexadecimal digits, RRGGBBAA."""
    return ColorDraw(*bytes.fromhex(text))


def _box(look: Mapping[str, Any]) -> BoundingBoxDraw:
    return BoundingBoxDraw(
        border_color=color(look.get("border_color", _GREEN)),
        background_color=color(look.get("background_color", _CLEAR)),
        thickness=look.get("thickness", 2),
        padding=_padding(look.get("padding")),
    )


def _label(look: Mapping[str, Any], lines: tuple[str, ...] = ("{label}",)) -> LabelDraw:
    place = look.get("position") or {}
    kind = {
        "TopLeftOutside": LabelPositionKind.TopLeftOutside,
        "TopLeftInside": LabelPositionKind.TopLeftInside,
        "Center": LabelPositionKind.Center,
    }[place.get("position", "TopLeftOutside")]
    return LabelDraw(
        font_color=color(look.get("font_color", _WHITE)),
        background_color=color(look.get("background_color", _BLACK)),
        border_color=color(look.get("border_color", _CLEAR)),
        font_scale=min(look.get("font_scale", 0.5) * _FONT_SCALE, _MOST_FONT_SCALE),
        thickness=look.get("thickness", 1),
        position=LabelPosition(kind, place.get("margin_x", 0), place.get("margin_y", -10)),
        padding=_padding(look.get("padding")),
        format=[_template(line) for line in look.get("format", lines)],
    )


def _template(line: str) -> str:
    """Return a line of a label with the engine's names in its braces."""
    return _PLACEHOLDER.sub(lambda found: found[0] if found[1] is None else f"{{{_NAMES[found[1]]}}}", line)


def _dot(look: Mapping[str, Any]) -> DotDraw:
    return DotDraw(color(look.get("color", _GREEN)), look.get("radius", 5))


def _mask(look: Mapping[str, Any]) -> MaskDraw:
    return MaskDraw(color(look.get("color", _VEIL)))


def _polygon(look: Mapping[str, Any]) -> PolygonDraw:
    border, background = look.get("border_color", _GREEN), look.get("background_color", _CLEAR)
    return PolygonDraw(color(border), color(background), look.get("thickness", 2))


def _trace(look: Mapping[str, Any]) -> TraceDraw:
    return TraceDraw(color(look.get("color", _GREEN)), look.get("thickness", 2), look.get("length", 30))


def _keypoints(look: Mapping[str, Any]) -> KeypointsDraw:
    line = look.get("line_color")
    return KeypointsDraw(
        color(look.get("color", _GREEN)),
        radius=look.get("radius", 3),
        line_color=None if line is None else color(line),
        thickness=look.get("thickness", 2),
        skeleton=tuple((first, last) for first, last in look.get("skeleton", ())),
        min_confidence=look.get("min_confidence", 0.0),
    )


def _padding(sides: Mapping[str, int] | None) -> PaddingDraw:
    sides = sides or {}
    return PaddingDraw(sides.get("left", 0), sides.get("top", 0), sides.get("right", 0), sides.get("bottom", 0))


DEFAULT_DRAW: Final = ObjectDraw(_box({}), label=_label({}))
"""The built-in look of untracked objects."""
TRACKED_DRAW: Final = ObjectDraw(_box({}), label=_label({}, ("{label} #{track_id}",)))
"""That of tracked ones."""
