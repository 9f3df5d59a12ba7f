"""Hand-made display lists: every kind of command, upright and turned, inside and over the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from picasso import annotators as an
from picasso.draw.lists import DisplayList
from picasso.primitives import Detections
from picasso.surface import SurfaceView
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.blur import box_width

_BLUE = 0x80FF4020 - (1 << 32)
_RED = 0xFF1020F0 - (1 << 32)
_GREEN = 0x4000FF00


def rectangle(
    kind: int, color: int, center: tuple[float, float], half: tuple[float, float], degrees: float = 0
) -> list[int]:
    """Return the row of a rectangle, disc or blur, its bounds wide enough."""
    row = [0] * at.COMMAND_SIZE
    reach = math.ceil(math.hypot(*half)) + 2
    row[at.KIND], row[at.COLOR] = kind, color
    row[at.LEFT], row[at.TOP] = (math.floor(place) - reach for place in center)
    row[at.RIGHT], row[at.BOTTOM] = (math.ceil(place) + reach for place in center)
    row[at.CENTER_X], row[at.CENTER_Y] = (round(place * at.ONE_PIXEL) for place in center)
    row[at.HALF_W], row[at.HALF_H] = (round(length * at.ONE_PIXEL) for length in half)
    row[at.COS] = round(math.cos(math.radians(degrees)) * at.ONE_TURN)
    row[at.SIN] = round(math.sin(math.radians(degrees)) * at.ONE_TURN)
    return row


def stroke(color: int, center: tuple[float, float], half: tuple[float, float], degrees: float) -> list[int]:
    """Return the row of a rectangle with a hole, 1.5 pixels wide."""
    row = rectangle(at.RECT, color, center, half, degrees)
    row[at.INNER_W], row[at.INNER_H] = (round((length - 1.5) * at.ONE_PIXEL) for length in half)
    return row


def pieces(kind: int, color: int, ltrb: tuple[int, int, int, int], first: int, count: int) -> list[int]:
    """Return the row of runs or of an image."""
    row = [0] * at.COMMAND_SIZE
    row[at.KIND], row[at.COLOR], row[at.FIRST], row[at.COUNT] = kind, color, first, count
    row[at.LEFT], row[at.TOP], row[at.RIGHT], row[at.BOTTOM] = ltrb
    return row


def shapes() -> DisplayList:
    """Return shapes, a letter of 5x6 pixels twice, runs of one coverage and of many, and an image over the edge."""
    text = [0] * at.COMMAND_SIZE
    text[at.KIND], text[at.COLOR], text[at.FIRST], text[at.COUNT] = at.TEXT, _BLUE, 0, 2
    text[at.LEFT], text[at.TOP], text[at.RIGHT], text[at.BOTTOM] = 3, 4, 14, 12
    glyphs = [[3, 4, 5, 6, 0], [9, 6, 5, 6, 0]]
    commands = [
        rectangle(at.RECT, _RED, (8.3, 7.6), (5.2, 4.1)),
        stroke(_GREEN, (15.0, 11.0), (7.0, 6.0), 20.0),
        rectangle(at.RECT, _BLUE, (1.0, 18.0), (6.0, 3.0), -30.0),
        rectangle(at.DISC, _RED, (18.5, 5.25), (3.5, 3.5)),
        text,
        stroke(_BLUE, (12.0, 10.0), (13.0, 11.0), 0.0),
        pieces(at.RUNS, _RED, (3, 11, 21, 15), 2, 7),
        pieces(at.IMAGE, 0xB0000000 - (1 << 32), (-1, 13, 6, 18), 9, 1),
    ]
    glyphs += [[3, 11, 4, 1, 256], [9, 11, 1, 1, 40], [10, 11, 11, 1, 200], [5, 12, 3, 1, 256]]
    glyphs += [[3, 13, 6, 1, at.SPOTS + 31], [11, 13, 9, 1, at.SPOTS + 2], [20, 14, 1, 1, 9]]
    glyphs.append([-1, 13, 7, 5, 30])
    coverage = np.random.default_rng(2).integers(0, 256, 30 + 4 * 35, np.uint8)
    return DisplayList(np.array(commands, np.int32), np.array(glyphs, np.int32), coverage)


def annotated(size_wh: tuple[int, int]) -> DisplayList:
    """Return what every annotator draws that neither blurs nor shows squares, over three boxes that overlap."""
    boxes = np.array([(2.5, 3, 14, 16), (8, 1, 22.25, 12), (-4, 9, 9, 19)])
    y, x = np.mgrid[: size_wh[1], : size_wh[0]]
    masks = np.array([(x - left) ** 2 + (y - top) ** 2 < 40 for left, top, _, _ in boxes])
    keypoints = np.stack([boxes[:, :2] + 2, boxes[:, 2:] - 2, boxes[:, :2] + 5], axis=1)
    found = Detections.of(
        boxes, ["a", "b", "c"], class_ids=[0, 1, 2], confidences=[0.9, 0.4, 0.6], track_ids=[1, 2, 3], masks=masks,
        keypoints=keypoints,
    )  # fmt: skip
    picture = SurfaceView.wrap(np.random.default_rng(3).integers(0, 256, (size_wh[1], size_wh[0], 3), np.uint8))
    zone, line = an.PolygonZone([(1, 1), (20, 3), (12, 18)]), an.LineZone((2, 18), (22, 4))
    trace, look = an.TraceAnnotator(), {"opacity": 0.6}
    trace.drawing(found.replace(xyxy=boxes - 5), size_wh)
    usual: list[an.Annotator] = [
        *(an.BackgroundOverlayAnnotator(), an.HaloAnnotator(sigma=2), an.HeatMapAnnotator(6), an.MaskAnnotator()),
        *(an.PolygonAnnotator(opacity=0.3), an.ColorAnnotator(), an.BoxAnnotator(**look), an.RoundBoxAnnotator()),
        *(an.BoxCornerAnnotator(thickness=2, corner_length=4), trace),
        *(an.EllipseAnnotator(**look), an.CircleAnnotator(**look), an.DotAnnotator(), an.TriangleAnnotator()),
        *(an.EdgeAnnotator(skeleton=[(0, 1), (1, 2)]), an.VertexAnnotator(radius=2), an.VertexRingAnnotator()),
        *(an.PercentageBarAnnotator(width=9, height=4), an.LabelAnnotator(font_px=7, padding=1), an.CropAnnotator()),
        *(an.PolygonZoneAnnotator(zone, opacity=0.2, font_px=6), an.LineZoneAnnotator(line, font_px=6)),
    ]
    return an.drawing(usual, found, size_wh, picture)


def mosaic(cell: int) -> tuple[DisplayList, dict[str, int]]:
    """Return one mosaic in a turned rectangle, and the box of pixels that it goes over."""
    drawing, box, _ = blurs()
    drawing.commands[0, at.CELL] = cell
    return drawing, box


def blurs() -> tuple[DisplayList, dict[str, int], dict[str, Any]]:
    """Return one blur, the box of pixels that it goes over, and its curve."""
    row = rectangle(at.BLUR, 0xFF000000 - (1 << 32), (10.0, 9.0), (6.0, 5.0), 10.0)
    row[at.SIGMA] = 2 * at.ONE_PIXEL
    row[at.LEFT], row[at.TOP], row[at.RIGHT], row[at.BOTTOM] = 2, 1, 19, 18
    width = box_width(row[at.SIGMA])
    boxes = (width, width, width + 1 - width % 2)
    area = math.prod(boxes)
    curve = np.ones(1, np.int64)
    for box in boxes:
        curve = np.convolve(curve, np.ones(box, np.int64))
    numbers = {"curve": curve.tolist(), "curve_size": len(curve), "curve_weight": ((1 << 32) + area // 2) // area}
    drawing = DisplayList(np.array([row], np.int32), np.zeros((0, at.GLYPH_SIZE), np.int32), np.zeros(0, np.uint8))
    return drawing, {"left": 2, "top": 1, "columns": 17, "lines": 17}, numbers
