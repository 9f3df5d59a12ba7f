"""What drawing labelled boxes on 720p costs, beside OpenCV drawing the same.

python -m pytest bench/test_draw.py --benchmark-only -o addopts=
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    LabelDraw,
    LabelPosition,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    Painter,
    Scene,
)
from picasso.draw import skia as reference
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

SIZE_WH = (1280, 720)
COLORS = {"person": (255, 60, 60), "car": (60, 200, 255)}
COUNTS = pytest.mark.parametrize("count", [20, 200])


def frame_of(count: int, degrees: float = float("nan")) -> VideoFrame:
    """Make a frame with boxes of 30 to 120 pixels all over it."""
    rng = np.random.default_rng(0)
    centers, halves = rng.uniform((80, 80), (1200, 640), (count, 2)), rng.uniform(15, 60, (count, 2))
    frame = VideoFrame("bench", "30/1", *SIZE_WH)
    labels = [list(COLORS)[number % len(COLORS)] for number in range(count)]
    corners = np.hstack([centers - halves, centers + halves])
    frame.add_detections("bench", corners, labels, confidences=rng.uniform(size=count))
    frame.detection_boxes()[:, 4] = degrees
    return frame


def specs() -> ObjectDrawSpec:
    """Draw a border of two pixels and, above it, label and confidence on a ground of its colour."""
    table = ObjectDrawSpec()
    for name, rgb in COLORS.items():
        color, place = ColorDraw(*rgb), LabelPosition(margin_y=0)
        lines = ["{label} {confidence}"]
        label = LabelDraw(ColorDraw(0, 0, 0), color, position=place, padding=PaddingDraw(2, 1, 2, 1), format=lines)
        table.insert("bench", name, ObjectDraw(BoundingBoxDraw(color), label=label))
    return table


def opencv(picture: npt.NDArray[np.uint8], frame: VideoFrame, line: int) -> None:
    """Draw the same by one call a shape, as people write it."""
    texts = frame.object_column("label"), frame.object_column("confidence")
    for (x, y, w, h, _), name, confidence in zip(frame.detection_boxes().tolist(), *texts, strict=True):
        color, left, top = (*COLORS[name], 255), int(x - w / 2), int(y - h / 2)
        cv2.rectangle(picture, (left, top), (int(x + w / 2), int(y + h / 2)), color, 2, line)
        text = f"{name} {confidence:.2f}"
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
        cv2.rectangle(picture, (left, top - height - 6), (left + width + 4, top), color, -1)
        cv2.putText(picture, text, (left + 2, top - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0, 255), 1, line)


def rgba() -> npt.NDArray[np.uint8]:
    return np.full((SIZE_WH[1], SIZE_WH[0], 4), 128, np.uint8)


def painting(form: VideoFormat, frame: VideoFrame) -> Callable[[], None]:
    painter, surface = Painter(), SurfaceView.allocate(form, SIZE_WH)
    painter.set_specs(specs())
    painter.paint(surface, frame, {})
    return lambda: painter.paint(surface, frame, {})


@COUNTS
@pytest.mark.benchmark(group="draw labelled boxes on 720p")
@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.I420, VideoFormat.NV12], ids=lambda form: form.name())
def test_painter(benchmark: BenchmarkFixture, form: VideoFormat, count: int) -> None:
    benchmark(painting(form, frame_of(count)))


@COUNTS
@pytest.mark.benchmark(group="draw labelled boxes on 720p")
def test_painter_on_turned_boxes(benchmark: BenchmarkFixture, count: int) -> None:
    benchmark(painting(VideoFormat.RGBA, frame_of(count, degrees=25.0)))


@COUNTS
@pytest.mark.benchmark(group="draw labelled boxes on 720p")
@pytest.mark.parametrize("line", [cv2.LINE_AA, cv2.LINE_8], ids=["antialiased", "jagged"])
def test_opencv(benchmark: BenchmarkFixture, line: int, count: int) -> None:
    cv2.setNumThreads(1)
    picture, frame = rgba(), frame_of(count)
    benchmark(lambda: opencv(picture, frame, line))


@COUNTS
@pytest.mark.benchmark(group="draw labelled boxes on 720p")
def test_skia(benchmark: BenchmarkFixture, count: int) -> None:
    scene, surface = Scene(), SurfaceView.wrap(rgba())
    scene.set_specs(specs())
    drawing = scene.build(frame_of(count), {}, SIZE_WH)
    benchmark(lambda: reference.paint(drawing, surface))


@COUNTS
@pytest.mark.benchmark(group="make the display list")
def test_scene(benchmark: BenchmarkFixture, count: int) -> None:
    scene, frame = Scene(), frame_of(count)
    scene.set_specs(specs())
    benchmark(lambda: scene.build(frame, {}, SIZE_WH))


@pytest.mark.benchmark(group="make the display list")
@pytest.mark.parametrize("text", ["سيارة", "कार", "car\nred"], ids=["arabic", "devanagari", "two lines"])
def test_scene_of_shaped_labels(benchmark: BenchmarkFixture, text: str) -> None:
    scene, frame = Scene(), frame_of(20)
    for obj in frame.get_all_objects():
        obj.draw_label = text
    label, table = LabelDraw(ColorDraw(0, 0, 0), format=["{draw_label} {confidence}"]), ObjectDrawSpec()
    for name in COLORS:
        table.insert("bench", name, ObjectDraw(label=label))
    scene.set_specs(table)
    benchmark(lambda: scene.build(frame, {}, SIZE_WH))


@pytest.mark.benchmark(group="blur a box of 720p")
@pytest.mark.parametrize("side", [60, 300])
@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.I420], ids=lambda form: form.name())
def test_blur(benchmark: BenchmarkFixture, form: VideoFormat, side: int) -> None:
    frame = VideoFrame("bench", "30/1", *SIZE_WH)
    frame.add_detections("bench", np.array([[300, 200, 300 + side, 200 + side]]), ["face"])
    table, painter, surface = ObjectDrawSpec(), Painter(), SurfaceView.allocate(form, SIZE_WH)
    table.insert("bench", "face", ObjectDraw(blur=True))
    painter.set_specs(table)
    benchmark(lambda: painter.paint(surface, frame, {}))


@pytest.mark.benchmark(group="blur a box of 720p")
@pytest.mark.parametrize("side", [60, 300])
def test_opencv_blur(benchmark: BenchmarkFixture, side: int) -> None:
    cv2.setNumThreads(1)
    region = rgba()[200 : 200 + side, 300 : 300 + side]
    sigma = min(max(side / 10, 2), 40)
    benchmark(lambda: cv2.GaussianBlur(region, (0, 0), sigma, dst=region, borderType=cv2.BORDER_REPLICATE))
