"""What the drawing tests share: frames with objects, and how their drawings are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from picasso.draw import ColorDraw, DisplayList, ObjectDraw, ObjectDrawSpec, Scene
from picasso.primitives import IdCollisionResolutionPolicy, RBBox, VideoFrame, VideoObject
from picasso_kernels.paint import display_list as at

WHITE, BLACK = ColorDraw(255, 255, 255), ColorDraw(0, 0, 0)
RED, GREEN, BLUE = ColorDraw(255, 0, 0), ColorDraw(0, 255, 0), ColorDraw(0, 0, 255)
KINDS = {at.RECT: "rect", at.BLUR: "blur", at.DISC: "disc", at.TEXT: "text"}

Box = tuple[float, ...]


def frame_of(
    *boxes: Box, label: str = "car", tracks: dict[int, Box] | None = None, ids: Sequence[int] = range(1000)
) -> VideoFrame:
    """Make a frame of 640x480 with an object ``det/<label>`` for each box ``xc yc width height [angle]``."""
    frame = VideoFrame("cam", "30/1", 640, 480)
    for number, box in zip(ids, boxes, strict=False):
        track = (tracks or {}).get(number)
        frame.add_object(
            VideoObject(
                id=number,
                namespace="det",
                label=label,
                detection_box=RBBox(*box),
                attributes=[],
                track_id=None if track is None else 100 + number,
                track_box=None if track is None else RBBox(*track),
            ),
            IdCollisionResolutionPolicy.Error,
        )
    return frame


def specs_of(draw: ObjectDraw, label: str = "car") -> ObjectDrawSpec:
    """Make a spec that draws ``det/<label>`` so."""
    specs = ObjectDrawSpec()
    specs.insert("det", label, draw)
    return specs


def scene_of(draw: ObjectDraw, frame: VideoFrame, size_wh: tuple[int, int] = (640, 480)) -> DisplayList:
    """Make the display list of a frame whose cars are drawn so."""
    scene = Scene()
    scene.set_specs(specs_of(draw))
    return scene.build(frame, {}, size_wh)


def kinds(drawing: DisplayList) -> list[str]:
    """Name the commands."""
    return [KINDS[kind] for kind in drawing.commands[:, at.KIND].tolist()]


def bounds(drawing: DisplayList) -> list[tuple[int, ...]]:
    """Return left, top, right, bottom of each command."""
    return [tuple(row) for row in drawing.commands[:, at.LEFT : at.BOTTOM + 1].tolist()]


def colors(drawing: DisplayList) -> list[ColorDraw]:
    """Return the colour of each command."""
    return [ColorDraw(*np.int32(color).tobytes()) for color in drawing.commands[:, at.COLOR].tolist()]


def halves(drawing: DisplayList) -> npt.NDArray[np.float64]:
    """Return half the width and height of each command, in pixels."""
    return drawing.commands[:, [at.HALF_W, at.HALF_H]] / at.ONE_PIXEL
