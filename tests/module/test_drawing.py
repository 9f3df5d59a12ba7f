"""What a module draws: the stock look, drawers of the user's, conditions, layers, and what happens with errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picasso.module import Module
from picasso.module.drawing.looks import object_draw
from picasso.module.elements import ElementError
from picasso.module.sinks import MemorySink
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

WIDTH, HEIGHT = 160, 96
GREEN, WHITE, RED, BLUE = [0, 255, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class Black:
    """Two black frames, whose boxes a pyfunc adds."""

    source_id = "cam"

    def __init__(self, frames: int = 2) -> None:
        self.frames = frames

    def __iter__(self) -> Iterator[Any]:
        for number in range(self.frames):
            frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT, time_base=(1, 10**9), pts=number * 33_333_333)
            surface = SurfaceView.allocate(VideoFormat.RGB, (WIDTH, HEIGHT))
            surface.memset(0)
            yield frame, surface

    def stop(self) -> None:
        pass


def run(
    tmp_path: Path,
    draw: Any,
    objects: str,
    *,
    code: str = "",
    frames: int = 2,
    **parameters: Any,
) -> list[Pixels]:
    """Run a module whose pyfunc adds ``objects``, lines of Python, and return its pictures."""
    (tmp_path / "adds.py").write_text(
        "from picasso.module import ObjectMeta\nfrom picasso.primitives import BBox, RBBox\n"
        "def It(frame):\n    add = lambda *a, **k: frame.add_obj_meta(ObjectMeta(*a, **k))\n"
        + "".join(f"    {line}\n" for line in objects.splitlines())
    )
    (tmp_path / "drawer.py").write_text(code)
    config = {
        "name": "m",
        "parameters": {
            "frame": {"width": WIDTH, "height": HEIGHT},
            "output_frame": {"codec": "raw-rgba"},
            "draw_func": draw,
            "code_root": None,
            **parameters,
        },
        "pipeline": {
            "elements": [{"element": "pyfunc", "module": str(tmp_path / "adds.py"), "class_name": "It"}],
            "sink": [{"element": "devnull_sink"}],
            "source": {"element": "videotestsrc"},
        },
    }
    if isinstance(draw, dict) and "class_name" in draw:
        draw["module"] = str(tmp_path / "drawer.py")
    sink = MemorySink()
    Module(config, sinks=[sink], sources=[Black(frames)]).run()
    found = [output.as_video_frame() for output in sink.outputs if output.is_video_frame]
    for frame in found:
        assert [one for one in frame.attributes if one[0] != "default"] == []
    shapes = [(frame.height, frame.width, 4) for frame in found]
    pictures = [np.frombuffer(frame.content.get_data(), np.uint8) for frame in found]
    return [picture.reshape(shape)[..., :3] for picture, shape in zip(pictures, shapes, strict=True)]


CAR = 'add("yolo", "car", BBox(80, 60, 60, 40), 0.5)'


def looks(**parts: Any) -> dict[str, Any]:
    return {"rendered_objects": {"yolo": {"car": parts}}}


def box_of(pixels: Pixels, color: list[int]) -> tuple[int, ...]:
    """Left, top, right and bottom of the pixels of a colour."""
    rows, columns = np.nonzero((pixels == color).all(-1))
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else ()


def test_without_a_map_every_object_has_the_built_in_look(tmp_path: Path) -> None:
    picture, _ = run(tmp_path, {}, CAR)
    assert box_of(picture, GREEN) == (49, 39, 111, 81)
    text = (picture == WHITE).all(-1)
    assert text[:30].sum() > 10
    assert text.sum() == text[:32].sum()


def test_tracked_objects_show_their_number(tmp_path: Path) -> None:
    plain, _ = run(tmp_path, {}, CAR)
    tracked, _ = run(tmp_path, {}, CAR.replace("0.5)", "0.5, 7)"))
    assert tracked[:32].sum() > 1.3 * plain[:32].sum()


def test_with_a_map_only_what_it_lists_is_drawn_and_an_empty_look_is_the_built_in_one(tmp_path: Path) -> None:
    objects = f'{CAR}\nadd("yolo", "bus", BBox(30, 60, 20, 20))\nadd("other", "car", BBox(130, 60, 20, 20))'
    listed, _ = run(tmp_path, {"rendered_objects": {"yolo": {"car": None}}}, objects)
    alone, _ = run(tmp_path, {}, CAR)
    assert (listed == alone).all()


def test_the_draw_label_is_what_is_looked_up_and_shown(tmp_path: Path) -> None:
    renamed = 'add("yolo", "vehicle", BBox(80, 60, 60, 40), draw_label="car")'
    assert (run(tmp_path, looks(), renamed)[0] == run(tmp_path, looks(), CAR)[0]).all()
    assert not run(tmp_path, looks(), 'add("yolo", "car", BBox(80, 60, 60, 40), draw_label="x")')[0].any()


def test_the_primary_object_is_drawn_where_the_map_lists_it(tmp_path: Path) -> None:
    fill = {"bbox": {"border_color": "00000000", "background_color": "0000FFFF"}}
    draw = {"rendered_objects": {"auto": {"frame": fill}, "yolo": {"car": {"bbox": {"border_color": "FF0000FF"}}}}}
    picture, _ = run(tmp_path, draw, f"{CAR}\nframe.roi = BBox(80, 48, 100, 80)")
    assert box_of(picture, RED) == (49, 39, 111, 81)
    assert box_of(picture, BLUE) == (30, 8, 130, 88)
    removed, _ = run(tmp_path, draw, f"{CAR}\nframe.remove_obj_meta(frame.primary)")
    assert not (removed == BLUE).all(-1).any()


PARTS = {
    "border": ({"bbox": {"border_color": "FF0000FF", "thickness": 4}}, RED, (48, 38, 112, 82)),
    "fill": ({"bbox": {"border_color": "00000000", "background_color": "0000FFFF"}}, BLUE, (50, 40, 110, 80)),
    "padding": (
        {
            "bbox": {
                "border_color": "00000000",
                "background_color": "0000FFFF",
                "padding": {"left": 3, "top": 2, "right": 5, "bottom": 7},
            }
        },
        BLUE,
        (47, 38, 115, 87),
    ),
    "dot": ({"central_dot": {"color": "FF0000FF", "radius": 8}}, RED, (73, 53, 87, 67)),
}


@pytest.mark.parametrize(("parts", "color", "box"), PARTS.values(), ids=PARTS)
def test_each_part_of_a_look_is_where_it_belongs(
    tmp_path: Path, parts: dict[str, Any], color: list[int], box: tuple[int, ...]
) -> None:
    found = box_of(run(tmp_path, looks(**parts), CAR)[0], color)
    assert np.abs(np.subtract(found, box)).max() <= (1 if "central_dot" in parts else 0)


def label(**parts: Any) -> dict[str, Any]:
    return looks(label={"background_color": "0000FFFF", "font_color": "00000000", **parts})


def test_the_padding_of_a_label_is_honoured(tmp_path: Path) -> None:
    inside = {"position": "TopLeftInside", "margin_x": 0, "margin_y": 0}
    plain = box_of(run(tmp_path, label(position=inside), CAR)[0], BLUE)
    padded = box_of(
        run(tmp_path, label(position=inside, padding={"left": 4, "top": 3, "right": 2, "bottom": 5}), CAR)[0], BLUE
    )
    assert plain[:2] == padded[:2] == (50, 40)
    assert (padded[2] - plain[2], padded[3] - plain[3]) == (6, 8)


POSITIONS = {
    "TopLeftInside": lambda box: box[:2] == (50, 40),
    "TopLeftOutside": lambda box: box[0] == 50 and abs(box[3] - 40) <= 1,
    "Center": lambda box: abs(box[0] + box[2] - 160) <= 1 and abs(box[1] + box[3] - 120) <= 1,
}


@pytest.mark.parametrize("position", POSITIONS)
def test_labels_stand_where_their_position_says(tmp_path: Path, position: str) -> None:
    place = {"position": position, "margin_x": 0, "margin_y": 0}
    for lines in (["{label}"], ["{label}", "{model}", "{track_id}"]):
        assert POSITIONS[position](box_of(run(tmp_path, label(position=place, format=lines), CAR)[0], BLUE))


def test_margins_move_a_label(tmp_path: Path) -> None:
    place = {"position": "TopLeftInside", "margin_x": 7, "margin_y": -5}
    assert box_of(run(tmp_path, label(position=place), CAR)[0], BLUE)[:2] == (57, 35)


def test_the_names_of_modules_stand_for_the_values_of_the_object() -> None:
    draw = object_draw({"label": {"format": ["{model} {label}", "{ model }{{label}} {confidence} {track_id}"]}})
    assert draw.label is not None
    assert draw.label.format == ["{namespace} {draw_label}", "{namespace}{{label}} {confidence} {track_id}"]


def test_a_line_that_makes_no_sense_is_drawn_as_it_stands_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        wrong, _ = run(tmp_path, looks(label={"format": ["{score}"]}), CAR)
    assert "label template '{score}': unknown name 'score'" in caplog.text
    right, _ = run(tmp_path, looks(label={"format": ["{{score}}"]}), CAR)
    assert (wrong == right).all()
    assert wrong.any()


OUTSIDE = {
    "right of the frame": "BBox(300, 60, 60, 40)",
    "above the frame": "BBox(80, -21, 60, 40)",
    "no width": "BBox(80, 60, 0, 40)",
    "no height": "BBox(80, 60, 60, 0)",
    "turned, outside": "RBBox(-60, 60, 60, 40, 30)",
}


@pytest.mark.parametrize("box", OUTSIDE.values(), ids=OUTSIDE)
def test_objects_without_size_or_outside_are_skipped_with_a_warning_and_the_others_are_drawn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, box: str
) -> None:
    with caplog.at_level(logging.WARNING):
        pictures = run(tmp_path, {}, f'add("yolo", "lost", {box})\n{CAR}')
    assert "source 'cam' at pts 0: object yolo.lost is not drawn" in caplog.text
    assert (pictures[0] == run(tmp_path, {}, CAR)[0]).all()
    assert len(pictures) == 2


def test_text_lies_above_the_boxes_of_later_objects(tmp_path: Path) -> None:
    inside = {"position": "TopLeftInside", "margin_x": 0, "margin_y": 0}
    parts = {
        "bbox": {"border_color": "00000000", "background_color": "0000FFFF"},
        "label": {"background_color": "FF0000FF", "font_color": "00000000", "position": inside},
    }
    cover = 'add("yolo", "car", BBox(80, 60, 62, 42), draw_label="cover")'
    draw = {"rendered_objects": {"yolo": {"car": parts, "cover": {"bbox": parts["bbox"]}}}}
    alone, _ = run(tmp_path, draw, CAR)
    covered, _ = run(tmp_path, draw, f"{CAR}\n{cover}")
    assert ((alone == RED).all(-1) == (covered == RED).all(-1)).all()
    assert box_of(covered, BLUE) == (49, 39, 111, 81)


def test_turned_boxes_lie_above_upright_ones_and_hold_their_label_in_the_middle(tmp_path: Path) -> None:
    turned = 'add("yolo", "car", RBBox(80, 60, 40, 20, 30))'
    upright = 'add("yolo", "cover", BBox(80, 60, 60, 40))'
    fill = {"border_color": "00000000", "background_color": "FF0000FF"}
    text = {"background_color": "0000FFFF", "font_color": "00000000", "position": {"position": "TopLeftOutside"}}
    draw = {
        "rendered_objects": {
            "yolo": {"car": {"bbox": fill, "label": text}, "cover": {"bbox": {**fill, "background_color": "00FF00FF"}}}
        }
    }
    picture, _ = run(tmp_path, draw, f"{turned}\n{upright}")
    assert (picture == RED).all(-1).sum() > 200
    left, top, right, bottom = box_of(picture, BLUE)
    assert abs(left + right - 160) <= 1
    assert abs(top + bottom - 120) <= 1


def test_the_dot_of_an_object_lies_above_its_label(tmp_path: Path) -> None:
    parts = {
        "central_dot": {"color": "FF0000FF", "radius": 3},
        "label": {"background_color": "0000FFFF", "position": {"position": "Center", "margin_x": 0, "margin_y": 0}},
    }
    assert run(tmp_path, looks(**parts), CAR)[0][60, 80].tolist() == RED


def test_a_blur_lies_below_the_box_of_its_object(tmp_path: Path) -> None:
    objects = f'add("yolo", "first", BBox(60, 60, 20, 40))\n{CAR}'
    draw = {
        "rendered_objects": {
            "yolo": {
                "first": {"bbox": {"border_color": "00000000", "background_color": "FFFFFFFF"}},
                "car": {"blur": True, "bbox": {"border_color": "FF0000FF"}},
            }
        }
    }
    picture, _ = run(tmp_path, draw, objects)
    assert box_of(picture, RED) == (49, 39, 111, 81)
    levels = picture[60, 52:108, 0]
    assert len(set(levels.tolist())) > 5


def test_only_frames_with_the_tag_of_the_condition_are_drawn_on(tmp_path: Path) -> None:
    draw = {**looks(), "condition": {"tag": "draw"}}
    pictures = run(tmp_path, draw, f"{CAR}\nif frame.frame_num: frame.set_tag('draw', False)")
    assert [bool(picture.any()) for picture in pictures] == [False, True]


PADDINGS = {"kept": True, "dropped": False}


@pytest.mark.parametrize("keep", PADDINGS.values(), ids=PADDINGS)
@pytest.mark.parametrize("edited", [False, True], ids=["untouched", "edited"])
def test_drawings_lie_on_the_pixels_of_their_boxes_with_padding(tmp_path: Path, keep: bool, edited: bool) -> None:
    frame = {"width": WIDTH, "height": HEIGHT, "padding": {"left": 16, "top": 8, "keep": keep}}
    objects = CAR + ("\nwith frame.edit_image(): pass" if edited else "")
    draw = looks(
        bbox={"border_color": "FF0000FF"},
        label={"background_color": "0000FFFF", "font_color": "00000000", "position": {"position": "Center"}},
    )
    picture, _ = run(tmp_path, draw, objects, frame=frame)
    assert picture.shape == ((HEIGHT + 8, WIDTH + 16, 3) if keep else (HEIGHT, WIDTH, 3))
    shift = np.array([0, 0, 0, 0] if keep else [16, 8, 16, 8])
    assert box_of(picture, RED) == tuple(np.array([49, 39, 111, 81]) - shift)
    left, _top, right, _bottom = box_of(picture, BLUE)
    assert abs((left + right) / 2 + shift[0] - 80) <= 1


MORE = """
from picasso.module import NvDsDrawFunc, Position
class Mine(NvDsDrawFunc):
    def draw_on_frame(self, frame_meta, artist):
        super().draw_on_frame(frame_meta, artist)
        artist.add_text(self.text, (4, 90), bg_color=(0, 0, 255, 255), font_color=(0, 0, 255, 255),
                        anchor_point_type=Position.LEFT_BOTTOM)
"""


@pytest.mark.parametrize("draw", [{}, looks(bbox={"border_color": "FF0000FF"}, label={})], ids=["all", "map"])
def test_a_drawer_adds_to_the_stock_drawing(tmp_path: Path, draw: dict[str, Any]) -> None:
    own = {**draw, "class_name": "Mine", "kwargs": {"text": "HEIGHT"}}
    mine, _ = run(tmp_path, own, CAR, code=MORE)
    stock, _ = run(tmp_path, draw, CAR)
    is_text = (mine == BLUE).all(-1)
    assert is_text[80:90, 4:40].all()
    assert (mine[~is_text] == stock[~is_text]).all()


BASE = """
from picasso.module import BaseNvDsDrawFunc
class Mine(BaseNvDsDrawFunc):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = (dict(self.rendered_objects["yolo"]["car"]), self.condition)
    def draw_on_frame(self, frame_meta, artist):
        assert self.seen == ({"blur": True}, {"tag": "draw"}), self.seen
        assert artist.frame_wh == (frame_meta.width, frame_meta.height)
        for one in frame_meta.objects:
            artist.add_bbox(one.bbox, 0, bg_color=self.color)
"""


def test_a_drawer_of_its_own_gets_the_map_and_the_condition_and_draws_what_it_says(tmp_path: Path) -> None:
    draw = {
        **looks(blur=True),
        "condition": {"tag": "draw"},
        "class_name": "Mine",
        "kwargs": {"color": [255, 0, 0, 255]},
    }
    pictures = run(tmp_path, draw, f"{CAR}\nframe.set_tag('draw')", code=BASE)
    assert [box_of(picture, RED) for picture in pictures] == [(50, 40, 110, 80)] * 2


RAW = """
from picasso.module import NvDsDrawFunc
from picasso.module.drawing import Artist
from picasso.module.pixels import alpha_comp, draw_rect, get_nvds_buf_surface, nvds_to_gpu_mat
import numpy as np
class Mine(NvDsDrawFunc):
    def draw(self, buffer, frame_meta):
        assert frame_meta in buffer
        with nvds_to_gpu_mat(buffer, frame_meta.frame_meta) as mat:
            draw_rect(mat, (10, 10, 30, 20), (255, 0, 0, 255), -1)
            alpha_comp(mat, np.full((4, 200, 4), (0, 0, 255, 255), np.uint8), start=(-3, 40))
            with Artist(mat, self.get_cuda_stream(frame_meta)) as artist:
                artist.add_circle((100, 80), 5, (0, 255, 0, 255), -1)
        with get_nvds_buf_surface(buffer, frame_meta) as array:
            array[90:, :, :3] = 255
"""


def test_a_drawer_may_write_to_the_pixels_as_existing_ones_do(tmp_path: Path) -> None:
    for picture in run(tmp_path, {"class_name": "Mine"}, CAR, code=RAW):
        assert box_of(picture, RED) == (10, 10, 30, 20)
        assert (picture[40:44] == BLUE).all()
        assert picture[80, 100].tolist() == GREEN
        assert (picture[90:] == 255).all()


OVERRIDES = """
from dataclasses import replace
from picasso.draw import ColorDraw
from picasso.module import NvDsDrawFunc
class Mine(NvDsDrawFunc):
    def override_draw_spec(self, object_meta, draw_spec):
        assert object_meta.label == "car", object_meta
        if object_meta.confidence < 0.3:
            return None
        box = replace(draw_spec.bounding_box, border_color=ColorDraw(255, 0, 0))
        return replace(draw_spec, bounding_box=box)
"""


def test_a_drawer_changes_the_look_of_listed_objects(tmp_path: Path) -> None:
    objects = f'{CAR}\nadd("yolo", "bus", BBox(30, 60, 20, 20))\nadd("yolo", "car", BBox(140, 60, 20, 20), 0.2)'
    picture, _ = run(tmp_path, {**looks(bbox={}), "class_name": "Mine"}, objects, code=OVERRIDES)
    assert box_of(picture, RED) == (49, 39, 111, 81)
    assert not (picture == GREEN).all(-1).any()


def test_without_a_map_looks_are_not_asked_for(tmp_path: Path) -> None:
    picture, _ = run(tmp_path, {"class_name": "Mine"}, 'add("yolo", "bus", BBox(80, 60, 60, 40))', code=OVERRIDES)
    assert box_of(picture, GREEN) == (49, 39, 111, 81)


RAISES = """
from picasso.module import NvDsDrawFunc
class Mine(NvDsDrawFunc):
    def draw_on_frame(self, frame_meta, artist):
        super().draw_on_frame(frame_meta, artist)
        if frame_meta.frame_num == 1:
            raise ValueError("no brush")
"""


def test_a_drawer_that_raises_stops_the_module_and_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ElementError, match=r"drawer\.py\.Mine: source 'cam' at pts 33333333: ValueError: no brush \(.*drawer\.py:7\)"
    ):
        run(tmp_path, {"class_name": "Mine"}, CAR, code=RAISES)


@pytest.mark.parametrize(("policy", "drawn"), [("pass", [True, False, True]), ("drop_frame", [True, True])])
def test_a_drawer_that_raises_follows_the_policy(tmp_path: Path, policy: str, drawn: list[bool]) -> None:
    pictures = run(tmp_path, {"class_name": "Mine"}, CAR, code=RAISES, frames=3, on_pyfunc_error=policy)
    assert [bool(picture.any()) for picture in pictures] == drawn


GONE = {
    "no module": ("Gone", "has no 'Gone'"),
    "no drawer": ("Plain", "Plain is not a pyfunc"),
}


@pytest.mark.parametrize(("name", "text"), GONE.values(), ids=GONE)
def test_a_drawer_that_is_none_is_refused(tmp_path: Path, name: str, text: str) -> None:
    code = "class Plain:\n    def __init__(self, **kwargs): pass\n"
    with pytest.raises(ElementError, match=text):
        run(tmp_path, {"class_name": name}, CAR, code=code)


def test_an_artist_in_a_pyfunc_draws_below_the_drawer(tmp_path: Path) -> None:
    objects = CAR + (
        "\nfrom picasso.module import Artist"
        "\nwith Artist(frame) as artist: artist.add_bbox(BBox(80, 60, 100, 80), 0, bg_color=(255, 0, 0))"
    )
    picture, _ = run(tmp_path, looks(bbox={}), objects)
    assert picture[60, 80].tolist() == RED
    assert box_of(picture, GREEN) == (49, 39, 111, 81)


def test_frames_that_are_only_drawn_on_keep_their_planes(tmp_path: Path) -> None:
    code = MORE + "        assert not frame_meta.pixels.is_converted\n"
    assert len(run(tmp_path, {"class_name": "Mine", "kwargs": {"text": "a"}}, CAR, code=code)) == 2
