"""Draw docs/images/annotators.png: each annotator on the same picture, beside supervision's where it has one.

Run ``python docs/make_annotators_gallery.py``; needs ``pip install supervision pillow``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np

from picasso import annotators as an
from picasso.annotators.labels import Captions
from picasso.draw.cpu import CpuPainter
from picasso.draw.values import ColorDraw
from picasso.primitives import Detections
from picasso.surface import SurfaceView

Image = np.ndarray[Any, np.dtype[np.uint8]]
Draw: TypeAlias = Callable[[Image], Image]
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


def cells() -> list[tuple[str, Draw, Draw | None]]:
    """Return for each picture its title, what draws ours, and what draws supervision's under the same name, or None.

    Where supervision has an annotator that is covered here by another, ours is drawn by that.
    """
    import supervision as sv

    zone, line = an.PolygonZone([(20, 60), (240, 60), (220, 205), (20, 205)]), an.LineZone((20, 150), (364, 130))
    zone.trigger(objects())
    their_zone, their_line = (
        sv.PolygonZone(zone.polygon.astype(int)),
        sv.LineZone(sv.Point(20, 150), sv.Point(364, 130)),
    )
    their_zone.trigger(theirs())
    for down in (-120, 120):
        moved, their_moved = objects(), theirs()
        moved.xyxy[:, 1::2] += down
        their_moved.xyxy[:, 1::2] += down
        line.trigger(moved)
        their_line.trigger(their_moved)
    edges = [(first + 1, second + 1) for first, second in EDGES]
    by_label = an.LineZoneAnnotator(line, by_label=True)
    rows = [
        *pairs(),
        ("PolygonAnnotator", of(an.PolygonAnnotator(opacity=0.3)), by(sv.PolygonAnnotator())),
        ("PixelateAnnotator", of(an.PixelateAnnotator(12)), by(sv.PixelateAnnotator(12))),
        ("HeatMapAnnotator", of(an.HeatMapAnnotator(30)), by(sv.HeatMapAnnotator(radius=30))),
        ("CropAnnotator", of(an.CropAnnotator(scale=0.8)), by(sv.CropAnnotator(scale_factor=0.8))),
        ("TraceAnnotator", trace(an.TraceAnnotator(), objects), trace(sv.TraceAnnotator(), theirs)),
        ("IconAnnotator", of(an.IconAnnotator(icon())), their_icon),
        ("ComparisonAnnotator", our_comparison, their_comparison),
        ("VertexAnnotator", of(an.VertexAnnotator()), points(sv.VertexAnnotator())),
        ("EdgeAnnotator", of(an.EdgeAnnotator(skeleton=EDGES)), points(sv.EdgeAnnotator(edges=edges))),
        ("VertexLabelAnnotator", of(an.VertexLabelAnnotator()), points(sv.VertexLabelAnnotator())),
        ("VertexRingAnnotator", of(an.VertexRingAnnotator()), None),
        (
            "PolygonZoneAnnotator",
            an.PolygonZoneAnnotator(zone, opacity=0.2).annotate,
            on(sv.PolygonZoneAnnotator(their_zone, opacity=0.2)),
        ),
        ("LineZoneAnnotator", an.LineZoneAnnotator(line).annotate, on(sv.LineZoneAnnotator(), their_line)),
        (
            "LineZoneAnnotatorMulticlass",
            by_label.annotate,
            on(sv.LineZoneAnnotatorMulticlass(text_scale=0.4), [their_line]),
        ),
    ]
    return rows + [(name, of(an.VertexRingAnnotator()), points(getattr(sv, name)())) for name in LEFT_OUT]


LEFT_OUT = tuple(f"VertexEllipse{kind}Annotator" for kind in ("", "Area", "Halo", "Outline"))
"""Those that draw a covariance; ours draws a confidence."""


def pairs() -> list[tuple[str, Draw, Draw | None]]:
    """Return what has the same name and no arguments in both."""
    import supervision as sv

    names = (
        *("Box", "RoundBox", "BoxCorner", "OrientedBox", "Ellipse", "Circle", "Dot", "Triangle", "Color", "Mask"),
        *("Halo", "BackgroundOverlay", "Blur", "Label", "PercentageBar"),
    )
    found: list[tuple[str, Draw, Draw | None]] = [
        (f"{name}Annotator", of(getattr(an, f"{name}Annotator")()), by(getattr(sv, f"{name}Annotator")()))
        for name in names
    ]
    found.append(
        ("RichLabelAnnotator", of(an.LabelAnnotator(texts=SCRIPTS)), by(sv.RichLabelAnnotator(font_size=14), SCRIPTS))
    )
    return found


SCRIPTS = ("voiture à gauche", "Привет", "άνθρωπος")


def of(annotator: Any) -> Draw:
    """Return what draws the objects by an annotator of ours."""
    return lambda scene: annotator.annotate(scene, objects())


def by(annotator: Any, *extra: Any) -> Draw:
    """Return what draws the objects by supervision's."""
    return lambda scene: annotator.annotate(scene, theirs(), *map(list, extra))


def on(annotator: Any, *extra: Any) -> Draw:
    """Return what draws by an annotator of supervision's that takes no detections."""
    return lambda scene: annotator.annotate(scene, *extra)


def points(annotator: Any) -> Draw:
    """Return what draws the keypoints by supervision's."""
    import supervision as sv

    found = objects()
    assert found.keypoints is not None
    xy = found.keypoints[..., :2].astype(np.float32)
    spread = np.broadcast_to(np.diag([14.0, 6.0]).astype(np.float32), (*xy.shape[:2], 2, 2)).copy()
    given = sv.KeyPoints(
        xy=xy, class_id=found.class_ids, visible=np.ones(xy.shape[:2], bool), data={"covariance": spread}
    )
    return lambda scene: annotator.annotate(scene, given)


def trace(annotator: Any, given: Callable[[], Any]) -> Draw:
    """Return what draws the ways behind the objects."""

    def draw(scene: Image) -> Image:
        for step in range(12, 0, -1):
            moved = given()
            moved.xyxy[:, [0, 2]] -= 4 * step
            moved.xyxy[:, [1, 3]] -= 8 * np.sin(step / 2)
            annotator.annotate(picture(), moved)
        drawn: Image = annotator.annotate(scene, given())
        return drawn

    return draw


def their_icon(scene: Image) -> Image:
    """Draw an icon, of a file, at each box."""
    import supervision as sv
    from PIL import Image as Pillow

    with TemporaryDirectory() as folder:
        path = Path(folder) / "icon.png"
        Pillow.fromarray(icon()[..., [2, 1, 0, 3]]).save(path)
        drawn: Image = sv.IconAnnotator((ICON, ICON)).annotate(scene, theirs(), str(path))
    return drawn


def moved_boxes() -> tuple[Detections, Detections]:
    """Return boxes, and others that lie beside them."""
    first = objects().replace(masks=None)
    return first, first.replace(xyxy=first.xyxy + np.array([14, 10, 14, 10], np.float32))


def our_comparison(scene: Image) -> Image:
    """Draw two findings, each in a colour of its own."""
    for given, color in zip(moved_boxes(), ("#FF0000", "#00FF00"), strict=True):
        an.ColorAnnotator(ColorDraw.from_hex(color), 0.5).annotate(scene, given)
    return scene


def their_comparison(scene: Image) -> Image:
    """Draw the same by supervision's."""
    import supervision as sv

    first, second = (sv.Detections(xyxy=found.xyxy) for found in moved_boxes())
    drawn: Image = sv.ComparisonAnnotator(opacity=0.5).annotate(scene, first, second)
    return drawn


def theirs() -> Any:
    """Return the objects as supervision's."""
    import supervision as sv

    found = objects()
    corners = found.xyxy[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    return sv.Detections(
        xyxy=found.xyxy,
        mask=found.masks.to_dense() if found.masks else None,
        confidence=found.confidences,
        class_id=found.class_ids,
        tracker_id=found.track_ids,
        data={"class_name": found.labels.astype(str), "xyxyxyxy": corners},
    )


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
        beside = np.full_like(picture(), 245) if other is None else other(picture())
        pair = np.concatenate([ours(picture()), gap, beside], axis=1)
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
