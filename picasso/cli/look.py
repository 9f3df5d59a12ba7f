"""How the commands draw an object: a box, a dot and a label in one colour."""

from __future__ import annotations

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    PaddingDraw,
)

RGB = tuple[int, int, int]

AMBER: RGB = (255, 176, 0)
GREEN: RGB = (64, 224, 96)
CYAN: RGB = (0, 208, 255)
PALETTE_RGB: tuple[RGB, ...] = (AMBER, GREEN, CYAN, (255, 96, 160), (176, 144, 255), (240, 240, 240))
"""Colours for kinds of objects, in the order in which they are handed out."""


def object_draw(color_rgb: RGB, *, blurred: bool) -> ObjectDraw:
    """A box, a dot and a label ``<kind> <track>`` in one colour, over a blur if the object is to be hidden."""
    color = ColorDraw(*color_rgb, 255)
    return ObjectDraw(
        bounding_box=BoundingBoxDraw(border_color=color, thickness=2),
        central_dot=DotDraw(color, radius=4),
        label=LabelDraw(
            font_color=ColorDraw(0, 0, 0, 255),
            background_color=color,
            font_scale=1.25,
            position=LabelPosition(LabelPositionKind.TopLeftInside, 0, 0),
            padding=PaddingDraw(4, 1, 4, 2),
            format=["{label} {track_id}"],
        ),
        blur=blurred,
    )
