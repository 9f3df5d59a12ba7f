"""What labels say where a number is absent, where they stand at the edge, and images of Pillow of any mode."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import picasso
from picasso import annotators as an
from picasso.annotators import Found
from picasso.draw import ColorDraw
from picasso.errors import SurfaceError
from picasso.primitives import Detections
from picasso.surface import SurfaceView

WIDTH, HEIGHT = 160, 120
FOUND = Detections.of([[20, 40, 60, 80]], ["car"], confidences=[0.5])


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("{label} {confidence:.2f}", ["banana 0.90", "nan", "pan nan"]),
        ("{label} #{track_id:02d} {confidence:.0%}", ["banana #07 90%", "nan #", "pan nan #"]),
        ("{confidence:.1f} {label}", ["0.9 banana", " nan", " pan nan"]),
        ("{track_id} {index} {label}", ["7 0 banana", " 1 nan", " 2 pan nan"]),
        ("{label}", ["banana", "nan", "pan nan"]),
    ],
)
def test_a_number_that_is_absent_leaves_no_text_and_labels_keep_their_letters(form: str, texts: list[str]) -> None:
    found = Detections.of(
        np.zeros((3, 4)), ["banana", "nan", "pan nan"], confidences=[0.9, np.nan, np.nan], track_ids=[7, -1, -1]
    )
    assert list(an.LabelAnnotator(texts=form)._texts_of(Found.of(found))) == texts


def edges_of(box: tuple[float, ...], position: str, size_wh: tuple[int, int] = (WIDTH, HEIGHT)) -> tuple[int, ...]:
    """Draw one label, and return left, top, right and bottom of its pixels; nothing where there are none."""
    picture = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    label = an.LabelAnnotator("#FFFFFF", texts="car", position=position, opacity=1)
    label.annotate(picture, Detections.of([box], "car"))
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else ()


@pytest.mark.parametrize("position", sorted(an.ANCHORS))
@pytest.mark.parametrize("box", [(40, 0, 90, 60), (-30, -20, 20, 50), (130, 50, 159, 110), (100, 80, 200, 200)])
def test_a_label_at_the_edge_of_the_picture_is_whole(box: tuple[float, ...], position: str) -> None:
    left, top, right, bottom = edges_of((60, 50, 100, 80), "center")
    at_edge = edges_of(box, position)
    assert (at_edge[2] - at_edge[0], at_edge[3] - at_edge[1]) == (right - left, bottom - top)


def test_a_box_outside_of_the_picture_has_no_label_and_a_small_picture_shows_a_part() -> None:
    assert edges_of((-90, -90, -50, -50), "bottom_right") == ()
    assert edges_of((500, 10, 600, 50), "top_left") == ()
    assert edges_of((0, 0, 5, 5), "top_left", (10, 8)) == (0, 0, 10, 8)


def test_one_annotator_may_stand_without_a_list(tmp_path: Path) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    alone = picasso.annotate(picture, FOUND, an.BoxAnnotator())
    assert alone.any()
    assert (alone == picasso.annotate(picture, FOUND, [an.BoxAnnotator()])).all()
    source, drawn = tmp_path / "in.mp4", tmp_path / "out.mp4"
    picasso.write_video(source, [picture])
    white = an.ColorAnnotator("#FFFFFF", opacity=1)
    picasso.process_video(source, drawn, lambda *_: FOUND, annotators=white)
    with picasso.VideoReader(drawn, pixel_format="gray") as reader:
        assert np.asarray(reader[0][1])[60, 40] > 240


def paletted() -> Image.Image:
    image = Image.new("P", (WIDTH, HEIGHT), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    return image


@pytest.mark.parametrize(
    ("make", "pixel"),
    [
        (paletted, [200, 100, 50]),
        (lambda: Image.new("1", (WIDTH, HEIGHT), 1), [255, 255, 255]),
        (lambda: Image.new("LA", (WIDTH, HEIGHT), (90, 128)), [90, 90, 90, 128]),
        (lambda: Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0)), [255, 0, 0]),
        (lambda: Image.new("YCbCr", (WIDTH, HEIGHT), (120, 128, 128)), [120, 120, 120]),
        (lambda: Image.new("RGB", (WIDTH, HEIGHT), (1, 2, 3)), [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("copy", [True, False])
def test_an_image_of_pillow_keeps_its_colors(make: Callable[[], Any], pixel: list[int], copy: bool) -> None:
    image = make()
    before = image.tobytes()
    drawn = picasso.annotate(image, FOUND, an.ColorAnnotator("#00FF00", opacity=1), copy=copy)
    assert drawn[5, 5].tolist() == pixel
    assert drawn[60, 40, :3].tolist() == [0, 255, 0]
    assert image.tobytes() == before


@pytest.mark.parametrize("mode", ["P", "CMYK", "HSV", "LA", "1", "I;16"])
def test_numbers_that_are_no_colors_of_a_picture_are_not_taken_for_them(mode: str) -> None:
    with pytest.raises(SurfaceError, match=rf"mode '{mode}': pass image\.convert\('RGB'\)"):
        SurfaceView.wrap(Image.new(mode, (WIDTH, HEIGHT)))


def test_texts_may_be_numbers_or_absent_and_places_and_colors_those_of_supervision() -> None:
    class Position(Enum):
        BOTTOM_RIGHT = "BOTTOM_RIGHT"

    def drawn(texts: list[Any], **look: Any) -> Any:
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        return an.LabelAnnotator(**look).annotate(picture, FOUND, texts)

    ours = drawn(["12"], color=ColorDraw(255, 0, 0), font_color=ColorDraw(0, 0, 255), position="bottom_right")
    red = SimpleNamespace(r=255, g=0, b=0)
    assert (drawn([12], color=red, font_color="#0000FF", position=Position.BOTTOM_RIGHT) == ours).all()
    assert (ours == (255, 0, 0)).all(axis=2).any()
    assert not drawn([None]).any()
    with pytest.raises(TypeError, match="font_color: expected a ColorDraw or '#RRGGBB', got 'blue'"):
        an.LabelAnnotator(font_color="blue")
