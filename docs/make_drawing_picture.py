"""Make ``drawing.png`` again: ``python docs/make_drawing_picture.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import skia

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    Painter,
)
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView

SIZE_WH = (640, 240)
INK, PAPER = ColorDraw(20, 24, 32), ColorDraw(250, 250, 246)
ORANGE, TEAL, VIOLET = ColorDraw(255, 149, 0), ColorDraw(0, 178, 169), ColorDraw(120, 94, 240)
OBJECTS = {
    "person": RBBox(90, 130, 70, 120),
    "plate": RBBox(255, 140, 130, 60, -14),
    "face": RBBox(410, 130, 96, 96),
    "car": RBBox(555, 130, 110, 80, 25),
}


def background() -> npt.NDArray[np.uint8]:
    """Slanted stripes on a soft gradient, so that a blur shows."""
    width, height = SIZE_WH
    y, x = np.mgrid[:height, :width]
    stripes = 18 * (((x + y) // 12) % 2)
    picture = np.empty((height, width, 4), np.uint8)
    for channel, (start, end) in enumerate([(84, 130), (98, 140), (122, 150)]):
        picture[..., channel] = start + (end - start) * x // width + stripes
    picture[..., 3] = 255
    return picture


def specs() -> ObjectDrawSpec:
    """Show borders, fills, padding, dots, blur and the three places of a label."""
    tight = PaddingDraw(4, 1, 4, 2)
    above = LabelPosition(margin_y=0)
    inside = LabelPosition(LabelPositionKind.TopLeftInside, 6, 6)
    center = LabelPosition(LabelPositionKind.Center, 0, 0)
    table = ObjectDrawSpec()
    looks = {
        "person": ObjectDraw(
            BoundingBoxDraw(ORANGE, thickness=3),
            DotDraw(ORANGE, 5),
            LabelDraw(INK, ORANGE, position=above, padding=tight, format=["{label} {confidence}"]),
        ),
        "plate": ObjectDraw(
            BoundingBoxDraw(TEAL, ColorDraw(0, 178, 169, 70), 2, PaddingDraw(6, 6, 6, 6)),
            label=LabelDraw(PAPER, INK, TEAL, 1.0, 1, above, tight, ["{label} {det_angle}°"]),
        ),
        "face": ObjectDraw(
            BoundingBoxDraw(PAPER, thickness=1), label=LabelDraw(PAPER, position=center, format=["blurred"]), blur=True
        ),
        "car": ObjectDraw(
            BoundingBoxDraw(VIOLET, thickness=4),
            DotDraw(PAPER, 3),
            LabelDraw(PAPER, VIOLET, font_scale=0.9, position=inside, padding=tight, format=["#{id}", "{label}"]),
        ),
    }
    for label, look in looks.items():
        table.insert("demo", label, look)
    return table


def main() -> None:
    """Draw and write the picture."""
    frame = VideoFrame("docs", "30/1", *SIZE_WH)
    for label, box in OBJECTS.items():
        frame.create_object("demo", label, confidence=0.94, detection_box=box)
    picture, painter = background(), Painter()
    painter.set_specs(specs())
    painter.paint(SurfaceView.wrap(picture), frame, {})
    skia.Image.fromarray(picture).save(str(Path(__file__).with_name("drawing.png")), skia.kPNG)


if __name__ == "__main__":
    main()
