"""The quick way to a display list: the same list as by the slow one, for any objects and any labels."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from frames import BLACK, BLUE, GREEN, RED, WHITE, frame_of, specs_of
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from picasso.draw import BBoxSource, BoundingBoxDraw, DotDraw, LabelDraw, ObjectDraw, ObjectDrawSpec, Scene, frame_lists
from picasso.draw.looks import LookTable
from picasso.draw.styles import StyleTable
from picasso.primitives import RBBox, VideoFrame
from picasso.testing.strategies.drawing import label_lines
from picasso_kernels.cpu.compile import prepare, pure
from picasso_kernels.cpu.forms import interpreted
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint import label_text
from picasso_kernels.paint.compose_frame import compose_frame

SIZE_WH = (640, 480)
NAMES = ["car", "50%", "%s", "banana", "a\0b", "ü", "two\nlines", "שלום", "人", ""]
LOOKS = st.sampled_from(
    [
        ObjectDraw(BoundingBoxDraw(RED)),
        ObjectDraw(BoundingBoxDraw(RED, GREEN), DotDraw(BLUE), blur=True),
        ObjectDraw(bbox_source=BBoxSource.TrackingBox, central_dot=DotDraw(BLUE)),
    ]
)
SPOTS = st.floats(-100, 700, width=32) | st.sampled_from([math.inf, -math.inf, math.nan, 1e30, 0.25, -0.05])


@pytest.fixture(scope="module", autouse=True)
def _machine_code() -> None:
    prepare(compose_frame)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """Make what ``add`` takes."""
    return {
        "namespace": draw(st.sampled_from(["det", "other"])),
        "label": draw(st.sampled_from(NAMES)),
        "box": draw(st.tuples(SPOTS, SPOTS, SPOTS, SPOTS, st.none() | SPOTS)),
        "confidence": draw(st.none() | st.floats(width=64)),
        "track_id": draw(st.none() | st.integers(-(2**63) + 1, 2**63 - 1)),
        "draw_label": draw(st.sampled_from([None, None, None, "own"])),
        "is_child": draw(st.sampled_from([False, False, True])),
    }


def add(frame: VideoFrame, made: dict[str, Any]) -> None:
    box, (first, *_) = RBBox(*made["box"]), [*frame.get_all_objects(), None]
    parent = first.id if made["is_child"] and first is not None else None
    obj = frame.create_object(
        made["namespace"], made["label"], parent_id=parent, confidence=made["confidence"], detection_box=box
    )
    if made["track_id"] is not None:
        obj.set_track_info(made["track_id"], box)
    if made["draw_label"] is not None:
        obj.draw_label = made["draw_label"]


def slow(scene: Scene, frame: VideoFrame) -> tuple[list[Any], list[Any]]:
    drawing = scene._listed(frame, *scene._resolve(frame, {}), SIZE_WH)
    return drawing.commands.tolist(), drawing.glyphs.tolist() if len(drawing) else []


@settings(deadline=None)
@given(
    st.lists(objects(), max_size=6),
    st.lists(st.tuples(st.sampled_from(NAMES), LOOKS, st.lists(label_lines(broken=False), max_size=2)), max_size=5),
    st.none() | LOOKS,
    st.booleans(),
)
def test_a_list_made_at_once_is_that_made_step_by_step(made, specs, default, clamps) -> None:
    frame, table, scene = VideoFrame("cam", "30/1", 640, 480), ObjectDrawSpec(), Scene(clamp_labels=clamps)
    for one in made:
        add(frame, one)
    for name, look, lines in specs:
        label = LabelDraw(WHITE, BLACK, RED, format=lines)
        table.insert("det", name, ObjectDraw(look.bounding_box, look.central_dot, label, look.blur, look.bbox_source))
    if default is not None:
        table.insert_default("other", default)
    scene.set_specs(table)
    expected = slow(scene, frame)  # makes the letters
    quick = scene._quick.build(frame, SIZE_WH)
    event(f"at once: {quick is not None}")
    if quick is not None:
        assert quick.commands.tolist() == expected[0]
        if len(quick):
            assert quick.glyphs.tolist() == expected[1]


def test_plain_labels_of_any_values_are_made_at_once() -> None:
    lines = ["{label} {confidence}", "{id} {track_id} {det_xc}x{track_height}"]
    scene, frame = Scene(), frame_of((100.25, 100, 40, 20), (200, 99.95, 40, 20), ids=[7, 3], tracks={3: (9, 9, 4, 4)})
    scene.set_specs(specs_of(ObjectDraw(BoundingBoxDraw(RED), label=LabelDraw(WHITE, BLACK, format=lines))))
    expected = slow(scene, frame)
    quick = scene._quick.build(frame, SIZE_WH)
    assert quick is not None
    assert (quick.commands.tolist(), quick.glyphs.tolist()) == expected


def test_a_frame_whose_objects_change_is_looked_at_again() -> None:
    scene, frame = Scene(), frame_of((100, 100, 40, 20), (200, 100, 40, 20))
    scene.set_specs(specs_of(ObjectDraw(BoundingBoxDraw(RED))))
    assert len(scene.build(frame, {}, SIZE_WH)) == 2
    frame.get_object(0).label = "bus"  # type: ignore[union-attr]  # the very list that was seen
    assert len(scene.build(frame, {}, SIZE_WH)) == 1
    frame.get_object(0).label = "car"  # type: ignore[union-attr]
    assert len(scene.build(frame, {}, SIZE_WH)) == 2


def test_what_is_drawn_of_an_object_comes_from_its_entry_else_from_its_namespace() -> None:
    table, scene, frame = ObjectDrawSpec(), Scene(), frame_of((100, 100, 40, 20), label="bus")
    table.insert_default("det", ObjectDraw(BoundingBoxDraw(RED)))
    table.insert("det", "car", ObjectDraw(BoundingBoxDraw(GREEN)))
    scene.set_specs(table)
    add(frame, {"namespace": "det", "label": "car", "box": (9, 9, 4, 4), "confidence": None, "track_id": None,
                "draw_label": None, "is_child": False})  # fmt: skip
    add(frame, {"namespace": "none", "label": "car", "box": (9, 9, 4, 4), "confidence": None, "track_id": None,
                "draw_label": None, "is_child": False})  # fmt: skip
    quick = scene._quick.build(frame, SIZE_WH)
    assert quick is not None
    assert [number & 0xFFFFFF for number in quick.commands[:, at.COLOR].tolist()] == [0x0000FF, 0x00FF00]


def test_kinds_are_numbered_when_they_come_again_and_forgotten_when_they_are_too_many() -> None:
    styles = StyleTable(Scene()._atlas)
    looks = LookTable(styles, {}, {"det": styles.number(ObjectDraw(BoundingBoxDraw(RED)))})
    assert looks.find(["det"], ["first"])  # nothing was known: a stream begins
    assert not looks.find(["det"], ["second"])
    assert looks.find(["det"], ["second"])
    assert looks.look_of[:1].tolist() == [1]
    for number in range(5000):
        looks.find(["det"], [str(number)])
        looks.find(["det"], [str(number)])
    assert looks.looks.size < 3 * 4200
    assert looks.find(["det", "det"], ["4999", "4998"])


def test_a_copy_of_a_list_is_not_read_where_the_list_lay() -> None:
    scene, frame = Scene(), frame_of((100, 100, 40, 20))
    scene.set_specs(specs_of(ObjectDraw(BoundingBoxDraw(RED))))
    drawing = scene.build(frame, {}, SIZE_WH)
    assert drawing.address == drawing.glyphs.__array_interface__["data"][0]
    for twin in (copy.copy(drawing), copy.deepcopy(drawing), pickle.loads(pickle.dumps(drawing))):
        assert not twin.address
        assert twin.commands.tolist() == drawing.commands.tolist()
        assert (twin.revision, twin.may_blur) == (drawing.revision, drawing.may_blur)


def test_lists_grow_with_objects_and_letters() -> None:
    scene = Scene()
    for objects_, letters in [(1, 10), (100, 300), (3, 2)]:
        frame = frame_of(*[(100, 100, 40, 20)] * objects_, label="x" * letters)
        scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(WHITE, BLACK, format=["{label}"])), "x" * letters))
        expected, quick = slow(scene, frame), scene._quick.build(frame, SIZE_WH)
        assert quick is not None
        assert (quick.commands.tolist(), quick.glyphs.tolist()) == expected


def test_more_letters_than_labels_have_are_cut_as_ever() -> None:
    scene, frame = Scene(), frame_of(*[(100, 100, 40, 20)] * 200, label="x" * 400)
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(WHITE, BLACK, format=["{label}"])), "x" * 400))
    scene.build(frame, {}, SIZE_WH)
    assert scene._quick.build(frame, SIZE_WH) is None
    assert scene.build(frame, {}, SIZE_WH).commands[-1, at.COUNT] == 256


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(SPOTS, SPOTS, SPOTS, SPOTS, SPOTS), min_size=1, max_size=3))
def test_machine_code_makes_the_interpreters_lists(boxes) -> None:
    scene, frame = Scene(), frame_of(*[(0, 0, 1, 1)] * len(boxes))
    frame.detection_boxes()[:] = boxes
    look = ObjectDraw(BoundingBoxDraw(RED, GREEN, 3), DotDraw(BLUE, 4), LabelDraw(BLACK, WHITE, RED), blur=True)
    scene.set_specs(specs_of(look))
    scene.build(frame, {}, SIZE_WH)
    lists = []
    for code in (interpreted(compose_frame), None):
        with pytest.MonkeyPatch.context() as patch:
            if code is not None:
                patch.setattr(frame_lists, "ready", lambda _kernel, code=code: code)
            made = scene._quick.build(frame, SIZE_WH)
        lists.append(None if made is None else (made.commands.tolist(), made.glyphs.tolist()))
    assert lists[0] == lists[1]


def written(put: Any, *values: Any) -> str | None:
    """Return what a function of ``label_text`` writes, run by the interpreter."""
    codes = [0] * label_text.MOST_DIGITS
    end = pure(put)(*values, codes, 0)
    return None if end < 0 else "".join(map(chr, codes[:end]))


@given(st.integers(-(2**63) + 1, 2**63 - 1))
@example(0)
@example(-(2**63) + 1)
def test_whole_numbers_read_as_python_writes_them(number: int) -> None:
    assert written(label_text.put_whole, number) == f"{number}"


@settings(max_examples=300)
@given(st.floats(-1e12, 1e12, exclude_min=True, exclude_max=True) | st.integers(-80_000, 80_000).map(lambda n: n / 800))
@example(-0.0)
@example(-0.001)
@example(0.125)
@example(0.375)
@example(2.675)
@example(0.005)
@example(1.005)
@example(0.045)
@example(999_999_999_999.99)
@example(5e-324)
def test_fractions_read_as_python_writes_them(number: float) -> None:
    assert written(label_text.put_fraction, number, 2) == f"{number:.2f}"
    assert written(label_text.put_fraction, number, 1) == f"{number:.1f}"


@pytest.mark.parametrize("number", [1e12, -1e300, math.inf, -math.inf])
def test_numbers_beyond_are_left_to_python(number: float) -> None:
    assert written(label_text.put_fraction, number, 2) is None


def test_machine_code_writes_the_same_digits() -> None:
    """Ties and what is next to them: where products round, and where they do not."""
    ties = np.arange(0, 2000) / 200
    values = np.concatenate([ties, np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf), ties * 1e7])
    frame, scene = frame_of(*[(100, 100, 40, 20)] * len(values), ids=range(len(values))), Scene()
    frame.confidences()[:] = values
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(WHITE, format=["{confidence}"]))))
    expected, quick = slow(scene, frame), scene._quick.build(frame, SIZE_WH)
    assert quick is not None
    assert (quick.commands.tolist(), quick.glyphs.tolist()) == expected
