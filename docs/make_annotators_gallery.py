"""Draw docs/images/annotators.png: each annotator on the same picture, beside supervision's where it has one.

Run ``python docs/make_annotators_gallery.py``; needs ``pip install supervision pillow``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from picasso import annotators as an
from picasso.annotators.labels import Captions
from picasso.draw.cpu import CpuPainter
from picasso.primitives import Detections
from picasso.surface import SurfaceView

Image = np.ndarray[Any, np.dtype[np.uint8]]
HERE = Path(__file__).parent
CELL_WH = (384, 216)
COLUMNS = 3
ICON = 24


def picture() -> Image:
    """Return a street that needs no file: sky, road, houses."""
    width, height = CELL_WH
    y, x = np.mgrid[:height, :width]
    sky = np.stack([120 + y // 2, 150 + y // 3, 190 + y // 6], axis=2).clip(0, 255)
    houses = ((x // 48) * 37 % 90 + 60 > 150 - y) & (y < 150)
    shade = 90 + (x // 48) * 23 % 60
    sky[houses] = np.stack([shade, shade - 12, shade - 20], axis=2)[houses]
    windows = houses & (x % 16 > 9) & (y % 20 > 11)
    sky[windows] = (215, 205, 150)
    sky[y >= 150] = (88, 90, 94)
    sky[(y >= 178) & (y < 182) & (x % 60 > 28)] = (225, 225, 215)
    return sky.astype(np.uint8)


def objects() -> Detections:
    """Return three objects with masks and skeletons."""
    xyxy = np.array([(40, 110, 130, 195), (170, 95, 215, 200), (255, 120, 350, 185)], np.float64)
    y, x = np.mgrid[: CELL_WH[1], : CELL_WH[0]]
    masks = [
        ((2 * x - left - right) / (right - left)) ** 2 + ((2 * y - top - bottom) / (bottom - top)) ** 2 < 1
        for left, top, right, bottom in xyxy
    ]
    shares = np.array([(0.5, 0.1), (0.5, 0.3), (0.2, 0.5), (0.8, 0.5), (0.5, 0.6), (0.3, 0.95), (0.7, 0.95)])
    keypoints = xyxy[:, None, :2] + shares * (xyxy[:, None, 2:] - xyxy[:, None, :2])
    return Detections.of(
        xyxy,
        ["car", "person", "bus"],
        class_ids=[0, 1, 2],
        confidences=[0.94, 0.81, 0.55],
        track_ids=[4, 7, 9],
        masks=np.array(masks),
        keypoints=keypoints,
    )


EDGES = ((0, 1), (1, 2), (1, 3), (1, 4), (4, 5), (4, 6))


def icon() -> Image:
    """Return a warning sign."""
    y, x = np.mgrid[:ICON, :ICON]
    inside = np.abs(x - ICON / 2 + 0.5) < y / 2
    return np.dstack([np.where(inside, value, 0) for value in (255, 200, 0)] + [inside * 255]).astype(np.uint8)


def cells() -> list[tuple[str, Any, Any]]:
    """Return for each picture its title, our annotator, and supervision's or None."""
    import supervision as sv

    zone, line = an.PolygonZone([(20, 60), (240, 60), (220, 205), (20, 205)]), an.LineZone((20, 150), (364, 130))
    zone.trigger(objects())
    other_zone = sv.PolygonZone(zone.polygon.astype(int))
    other_zone.trigger(theirs())
    edges = [(first + 1, second + 1) for first, second in EDGES]
    return [
        ("BoxAnnotator", an.BoxAnnotator(), sv.BoxAnnotator()),
        ("RoundBoxAnnotator", an.RoundBoxAnnotator(), sv.RoundBoxAnnotator()),
        ("BoxCornerAnnotator", an.BoxCornerAnnotator(), sv.BoxCornerAnnotator()),
        ("OrientedBoxAnnotator", an.OrientedBoxAnnotator(), None),
        ("EllipseAnnotator", an.EllipseAnnotator(), sv.EllipseAnnotator()),
        ("CircleAnnotator", an.CircleAnnotator(), sv.CircleAnnotator()),
        ("DotAnnotator", an.DotAnnotator(), sv.DotAnnotator()),
        ("TriangleAnnotator", an.TriangleAnnotator(), sv.TriangleAnnotator()),
        ("ColorAnnotator", an.ColorAnnotator(), sv.ColorAnnotator()),
        ("MaskAnnotator", an.MaskAnnotator(), sv.MaskAnnotator()),
        ("PolygonAnnotator", an.PolygonAnnotator(opacity=0.3), sv.PolygonAnnotator()),
        ("HaloAnnotator", an.HaloAnnotator(), sv.HaloAnnotator()),
        ("BackgroundOverlayAnnotator", an.BackgroundOverlayAnnotator(), sv.BackgroundOverlayAnnotator()),
        ("BlurAnnotator", an.BlurAnnotator(), sv.BlurAnnotator()),
        ("PixelateAnnotator", an.PixelateAnnotator(12), sv.PixelateAnnotator(12)),
        ("LabelAnnotator", an.LabelAnnotator(), sv.LabelAnnotator()),
        ("PercentageBarAnnotator", an.PercentageBarAnnotator(), sv.PercentageBarAnnotator()),
        ("VertexAnnotator", an.VertexAnnotator(), sv.VertexAnnotator()),
        ("EdgeAnnotator", an.EdgeAnnotator(skeleton=EDGES), sv.EdgeAnnotator(edges=edges)),
        ("VertexLabelAnnotator", an.VertexLabelAnnotator(), sv.VertexLabelAnnotator()),
        ("VertexRingAnnotator", an.VertexRingAnnotator(), None),
        ("TraceAnnotator", an.TraceAnnotator(), sv.TraceAnnotator()),
        ("HeatMapAnnotator", an.HeatMapAnnotator(30), sv.HeatMapAnnotator(radius=30)),
        ("CropAnnotator", an.CropAnnotator(scale=0.8), sv.CropAnnotator(scale_factor=0.8)),
        ("IconAnnotator", an.IconAnnotator(icon()), None),
        ("PolygonZoneAnnotator", an.PolygonZoneAnnotator(zone, opacity=0.2), sv.PolygonZoneAnnotator(other_zone)),
        ("LineZoneAnnotator", an.LineZoneAnnotator(line), None),
    ]


def theirs() -> Any:
    """Return the objects as supervision's."""
    import supervision as sv

    found = objects()
    return sv.Detections(
        xyxy=found.xyxy,
        mask=found.masks.to_dense() if found.masks else None,
        confidence=found.confidences,
        class_id=found.class_ids,
        tracker_id=found.track_ids,
        data={"class_name": found.labels.astype(str)},
    )


def drawn(annotator: Any, name: str, ours: bool) -> Image:
    """Return the picture with what an annotator draws; a trace has a way behind it."""
    import supervision as sv

    if annotator is None:
        return np.full_like(picture(), 245)
    given: Any = objects() if ours else theirs()
    scene = picture()
    if name.startswith(("Vertex", "Edge")) and not ours:
        found = objects()
        points = found.keypoints[..., :2].astype(np.float32) if found.keypoints is not None else None
        given = sv.KeyPoints(xy=points, class_id=found.class_ids)
    if name == "PolygonZoneAnnotator" and not ours:
        return annotator.annotate(scene)
    if name == "TraceAnnotator":
        for step in range(12, 0, -1):
            moved = objects() if ours else theirs()
            moved.xyxy[:, [0, 2]] -= 4 * step
            moved.xyxy[:, [1, 3]] -= 8 * np.sin(step / 2)
            annotator.annotate(picture(), moved)
    return annotator.annotate(scene, given)


def titled(image: Image, title: str) -> Image:
    """Write a title above a picture."""
    band = np.full((26, image.shape[1], 3), 255, np.uint8)
    text = Captions(14, padding=3)
    white = np.array([-1], np.int32)
    list_of = text.drawing([title], white, np.array([[2.0, 2.0]]), (0.0, 0.0), (band.shape[1], 26))
    CpuPainter().paint(SurfaceView.wrap(band), list_of)
    return np.concatenate([band, image])


def main() -> None:
    """Write the picture."""
    import supervision as sv

    tiles = []
    for name, ours, other in cells():
        gap = np.full((CELL_WH[1], 4, 3), 255, np.uint8)
        pair = np.concatenate([drawn(ours, name, True), gap, drawn(other, name, False)], axis=1)
        whole = titled(pair, f"{name}   ours | supervision {sv.__version__}")
        tiles.append(np.pad(whole, ((4, 4), (4, 4), (0, 0)), constant_values=255))
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[start : start + COLUMNS], axis=1) for start in range(0, len(tiles), COLUMNS)]
    sheet = np.concatenate(rows)
    target = HERE / "images" / "annotators.png"
    from PIL import Image as Pillow

    Pillow.fromarray(sheet).resize((sheet.shape[1] // 2, sheet.shape[0] // 2), Pillow.Resampling.LANCZOS).quantize(
        160
    ).save(target, optimize=True)


if __name__ == "__main__":
    main()
