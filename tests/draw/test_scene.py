"""From frames to display lists: which layers, in which order, where."""

from __future__ import annotations

import math

import pytest
from frames import BLACK, BLUE, GREEN, RED, WHITE, bounds, colors, frame_of, halves, kinds, scene_of, specs_of
from hypothesis import event, given, settings
from hypothesis import strategies as st

from picasso.draw import (
    BBoxSource,
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    Scene,
)
from picasso.draw.scene import _ListMemory
from picasso.primitives import RBBox, VideoFrame
from picasso.testing.strategies.drawing import label_lines
from picasso_kernels.paint import display_list as at

CLEAR = ColorDraw.transparent()
EVERYTHING = ObjectDraw(
    BoundingBoxDraw(RED, GREEN),
    DotDraw(BLUE),
    LabelDraw(BLACK, WHITE, RED),
    blur=True,
)


def label_box(position: LabelPosition, box: tuple[float, ...], label: LabelDraw | None = None) -> tuple[int, ...]:
    """Return left, top, right, bottom of a label's box."""
    label = label or LabelDraw(WHITE, BLACK, position=position, format=["abc"])
    return bounds(scene_of(ObjectDraw(label=label), frame_of(box)))[0]


def test_the_layers_of_an_object_lie_in_the_order_of_the_contract() -> None:
    drawing = scene_of(EVERYTHING, frame_of((100, 100, 40, 20)))
    assert kinds(drawing) == ["blur", "rect", "rect", "disc", "rect", "rect", "text"]
    assert colors(drawing)[1:] == [GREEN, RED, BLUE, WHITE, RED, BLACK]


def test_objects_lie_in_the_order_of_their_ids_each_complete() -> None:
    frame = frame_of((100, 100, 40, 20), (200, 100, 40, 20), ids=[7, 3])
    drawing = scene_of(ObjectDraw(BoundingBoxDraw(RED), DotDraw(BLUE)), frame)
    assert kinds(drawing) == ["rect", "disc"] * 2
    assert [left for left, *_ in bounds(drawing)] == [179, 197, 79, 97]


@pytest.mark.parametrize(
    "draw",
    [
        ObjectDraw(),
        ObjectDraw(BoundingBoxDraw(CLEAR, CLEAR)),
        ObjectDraw(BoundingBoxDraw(RED, CLEAR, thickness=0)),
        ObjectDraw(central_dot=DotDraw(CLEAR)),
        ObjectDraw(central_dot=DotDraw(RED, radius=0)),
        ObjectDraw(label=LabelDraw(CLEAR, CLEAR, CLEAR)),
        ObjectDraw(label=LabelDraw(RED, font_scale=0)),
        ObjectDraw(label=LabelDraw(RED, format=[""])),
    ],
)
def test_what_cannot_be_seen_is_not_in_the_list(draw: ObjectDraw) -> None:
    assert len(scene_of(draw, frame_of((100, 100, 40, 20)))) == 0


def test_objects_without_a_spec_are_not_drawn() -> None:
    assert len(scene_of(EVERYTHING, frame_of((100, 100, 40, 20), label="bus"))) == 0


@pytest.mark.parametrize(
    ("thickness", "padding", "expected"),
    [
        (2, PaddingDraw(), (79, 89, 121, 111)),
        (1, PaddingDraw(), (79, 89, 121, 111)),
        (4, PaddingDraw(1, 2, 3, 4), (77, 86, 125, 116)),
    ],
)
def test_a_border_lies_on_the_padded_edge(thickness, padding, expected) -> None:
    draw = ObjectDraw(BoundingBoxDraw(RED, thickness=thickness, padding=padding))
    assert bounds(scene_of(draw, frame_of((100, 100, 40, 20)))) == [expected]


def test_padding_turns_with_the_box() -> None:
    """Ten pixels on the right of a box that is turned by 90 degrees lie below it."""
    draw = ObjectDraw(BoundingBoxDraw(background_color=RED, padding=PaddingDraw(right=10)))
    drawing = scene_of(draw, frame_of((100, 100, 40, 20, 90)))
    assert bounds(drawing) == [(90, 80, 110, 130)]


def test_blur_and_dot_ignore_padding() -> None:
    draw = ObjectDraw(BoundingBoxDraw(padding=PaddingDraw(9, 9, 9, 9)), DotDraw(RED, 5), blur=True)
    assert bounds(scene_of(draw, frame_of((100, 100, 40, 20)))) == [(80, 90, 120, 110), (94, 94, 106, 106)]


@pytest.mark.parametrize(("side", "sigma"), [(4, 2), (20, 2), (25, 2.5), (100, 10), (400, 40), (4000, 40)])
def test_the_blur_follows_the_shorter_side(side: float, sigma: float) -> None:
    drawing = scene_of(ObjectDraw(blur=True), frame_of((100, 100, side, side + 5)))
    assert drawing.commands[0, at.SIGMA] == sigma * at.ONE_PIXEL


@pytest.mark.parametrize(
    ("source", "tracks", "center"),
    [
        (BBoxSource.DetectionBox, {0: (300, 200, 10, 10)}, 100),
        (BBoxSource.TrackingBox, {0: (300, 200, 10, 10)}, 300),
        (BBoxSource.TrackingBox, None, 100),
    ],
)
def test_the_source_of_the_box_is_chosen(source, tracks, center) -> None:
    draw = ObjectDraw(central_dot=DotDraw(RED, 5), bbox_source=source)
    assert bounds(scene_of(draw, frame_of((100, 100, 40, 20), tracks=tracks)))[0][0] == center - 6


# By hand: font 12, line 15, so a label without padding is 15 high; the box spans 80..120, 90..110.
@pytest.mark.parametrize(
    ("position", "left", "top"),
    [
        (LabelPosition(LabelPositionKind.TopLeftOutside, 0, 0), 80, 75),
        (LabelPosition(LabelPositionKind.TopLeftOutside, 5, -10), 85, 65),
        (LabelPosition(LabelPositionKind.TopLeftInside, 0, 0), 80, 90),
        (LabelPosition(LabelPositionKind.TopLeftInside, -3, 4), 77, 94),
    ],
)
def test_labels_hang_on_the_top_left_corner(position, left, top) -> None:
    box = label_box(position, (100, 100, 40, 20))
    assert box[:2] == (left, top)
    assert box[3] - box[1] == 15


def test_a_centred_label_lies_around_the_centre() -> None:
    left, top, right, bottom = label_box(LabelPosition(LabelPositionKind.Center, 0, 0), (100, 100, 40, 20))
    assert left + right == pytest.approx(200, abs=1)
    assert top + bottom == pytest.approx(200, abs=1)


def test_labels_hang_on_the_upright_rectangle_around_a_turned_box() -> None:
    """30 degrees: half width 20 cos + 10 sin = 22.32, half height 20 sin + 10 cos = 18.66."""
    left, top, *_ = label_box(LabelPosition(LabelPositionKind.TopLeftInside, 0, 0), (100, 100, 40, 20, 30))
    assert (left, top) == (round(100 - 22.32), round(100 - 18.66))


def test_labels_ignore_the_padding_of_the_box_and_have_their_own() -> None:
    position = LabelPosition(LabelPositionKind.TopLeftInside, 0, 0)
    plain = label_box(position, (100, 100, 40, 20))
    padded = label_box(
        position,
        (100, 100, 40, 20),
        LabelDraw(WHITE, BLACK, position=position, padding=PaddingDraw(1, 2, 3, 4), format=["abc"]),
    )
    assert padded == (80, 90, plain[2] + 4, plain[3] + 6)


def test_lines_stand_below_each_other() -> None:
    """Two lines of font 24: the box is 60 high, baselines at 24 and 54; an M stands on its baseline."""
    label = LabelDraw(WHITE, BLACK, font_scale=2.0, position=LabelPosition(margin_y=0), format=["M", "MMM"])
    drawing = scene_of(ObjectDraw(label=label), frame_of((100, 100, 40, 20)))
    (_, top, _, bottom), _ = bounds(drawing)
    assert bottom - top == 60
    glyphs = drawing.glyphs[:4]
    feet = glyphs[:, at.GLYPH_TOP] + glyphs[:, at.GLYPH_HEIGHT]
    assert feet.tolist() == [top + 24] + [top + 54] * 3


def test_the_widest_line_makes_the_width() -> None:
    def width(*lines: str) -> int:
        label = LabelDraw(WHITE, BLACK, format=lines)
        left, _, right, _ = bounds(scene_of(ObjectDraw(label=label), frame_of((100, 100, 40, 20))))[0]
        return right - left

    assert width("MM", "i") == width("MM") == pytest.approx(2 * 10.36, abs=1)


def test_templates_are_filled_for_each_object() -> None:
    draw = ObjectDraw(label=LabelDraw(WHITE, format=["{label} {id}", "{track_id}|{confidence}|{det_xc}"]))
    frame = frame_of((100, 100, 40, 20), (200, 100, 40, 20), tracks={1: (200, 100, 40, 20)})
    frame.get_object(0).confidence = 0.5  # type: ignore[union-attr]  # it is there
    drawing = scene_of(draw, frame)
    assert drawing.commands[:, at.COUNT].tolist() == [len("car 0" + "|0.50|100.0"), len("car 1" + "101||200.0")]


def test_labels_of_several_looks_go_to_their_objects() -> None:
    frame = frame_of((100, 100, 40, 20), (200, 100, 40, 20), (300, 100, 40, 20))
    scene = Scene()
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(WHITE, format=["{id}"]))))
    overrides = {1: ObjectDraw(label=LabelDraw(RED, font_scale=2.0, format=["one", "two"])), 9: ObjectDraw()}
    drawing = scene.build(frame, overrides, (640, 480))
    assert drawing.commands[:, at.COUNT].tolist() == [1, 6, 1]
    assert colors(drawing) == [WHITE, RED, WHITE]


def test_an_override_replaces_the_spec_even_by_nothing() -> None:
    frame = frame_of((100, 100, 40, 20), (200, 100, 40, 20))
    scene = Scene()
    scene.set_specs(specs_of(ObjectDraw(BoundingBoxDraw(RED))))
    assert [left for left, *_ in bounds(scene.build(frame, {0: ObjectDraw()}, (640, 480)))] == [179]
    assert colors(scene.build(frame, {0: ObjectDraw(BoundingBoxDraw(BLUE))}, (640, 480))) == [BLUE, RED]


def test_a_scene_keeps_its_specs_whatever_becomes_of_the_object() -> None:
    specs = specs_of(ObjectDraw(BoundingBoxDraw(RED)))
    scene = Scene()
    scene.set_specs(specs)
    specs.insert("det", "car", ObjectDraw())
    assert len(scene.build(frame_of((100, 100, 40, 20)), {}, (640, 480))) == 1


def test_ever_new_looks_do_not_pile_up() -> None:
    scene, frame = Scene(), frame_of((100, 100, 40, 20))
    for number in range(5000):
        draw = ObjectDraw(BoundingBoxDraw(ColorDraw(number % 256, number // 256)))
        assert len(scene.build(frame, {0: draw}, (640, 480))) == 1
    assert scene._styles.rows.nbytes < 1 << 20


@settings(deadline=None, max_examples=60)
@given(
    st.lists(label_lines(), max_size=3),
    st.lists(
        st.tuples(
            st.sampled_from(["car", "50%", "%s", "banana", "a\0b", "ü"]),
            st.none() | st.floats(0, 1, width=32),
            st.none() | st.integers(-5, 2**40),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_texts_written_at_once_are_those_written_one_by_one(lines, objects) -> None:
    """For all lines and all absent values, and where a name has the mark of a line's end in it."""
    frame, specs, scene = VideoFrame("cam", "30/1", 640, 480), ObjectDrawSpec(), Scene()
    for label, confidence, track_id in objects:
        box = RBBox(100, 100, 40, 20)
        obj = frame.create_object("det", label, detection_box=box, confidence=confidence)
        if track_id is not None:
            obj.set_track_info(track_id, box)
        specs.insert("det", label, ObjectDraw(label=LabelDraw(WHITE, format=lines)))
    scene.set_specs(specs)
    rows = range(len(objects))
    one_by_one = scene._text(frame, rows, [0] * len(objects))
    assert scene._text_at_once(frame, rows) in (None, one_by_one)
    assert one_by_one.count("\0") == len(objects) * max(len(lines), 1)
    event(f"at once: {scene._text_at_once(frame, rows) is not None}")


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=6))
def test_a_list_is_the_same_whatever_the_scene_made_before(lists) -> None:
    """Lists lie where others were before, longer or shorter ones."""
    draw, old = ObjectDraw(BoundingBoxDraw(RED), label=LabelDraw(WHITE, BLACK, format=["{label}", "{id}"])), Scene()
    for objects, letters in lists:
        frame = frame_of(*[(100, 100, 40, 20)] * objects, label="x" * letters)
        fresh = Scene()
        for scene in (old, fresh):
            scene.set_specs(specs_of(draw, "x" * letters))
        ours, theirs = (scene.build(frame, {}, (640, 480)) for scene in (old, fresh))
        assert ours.commands.tolist() == theirs.commands.tolist()
        placed = slice(at.GLYPH_OFFSET)  # where their pixels lie is up to the scene
        assert ours.glyphs[:, placed].tolist() == theirs.glyphs[:, placed].tolist()


def test_memory_of_lists_grows_only_where_it_is_too_small() -> None:
    memory = _ListMemory(0, 0)
    for objects, letters in [(1, 50_000), *((count, 10) for count in range(2, 500))]:
        memory = memory.for_list(objects, letters)
    assert len(memory.glyphs) == 50_000
    assert len(memory.commands) < 2 * 500 * at.COMMANDS_PER_OBJECT


def test_names_of_absurd_length_are_cut() -> None:
    label = "x" * 100_000
    scene = Scene()
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(WHITE, format=["{label}", "{id}"])), label))
    drawing = scene.build(frame_of((100, 100, 40, 20), (300, 100, 40, 20), label=label), {}, (640, 480))
    assert drawing.commands[:, at.COUNT].tolist() == [257, 257]


@pytest.mark.parametrize(
    "box",
    [
        (-1000, 100, 40, 20),
        (100, 5000, 40, 20),
        (math.nan, 100, 40, 20),
        (100, math.inf, 40, 20),
        (100, 100, math.nan, 20),
        (100, 100, 40, math.inf),
    ],
    ids=str,
)
def test_what_lies_outside_or_nowhere_is_left_out(box) -> None:
    assert len(scene_of(EVERYTHING, frame_of(box))) == 0


def test_boxes_with_negative_sides_are_left_out() -> None:
    frame = frame_of((100, 100, 40, 20))
    frame.detection_boxes()[0, 2] = -40
    assert len(scene_of(EVERYTHING, frame)) == 0


def test_a_box_of_no_size_still_has_its_border_dot_and_label() -> None:
    drawing = scene_of(EVERYTHING, frame_of((100, 100, 0, 0)))
    assert kinds(drawing) == ["rect", "disc", "rect", "rect", "text"]
    assert halves(drawing)[0].tolist() == [1, 1]


@pytest.mark.parametrize("box", [(10, 5, 20, 10), (630, 475, 20, 10), (-100, 240, 20, 10), (1e9, -1e9, 2, 2)], ids=str)
def test_labels_can_be_kept_inside(box) -> None:
    scene = Scene(clamp_labels=True)
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(WHITE, BLACK, format=["a long label"]))))
    left, top, right, bottom = bounds(scene.build(frame_of(box), {}, (640, 480)))[0]
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480


def test_a_quarter_turn_swaps_the_sides_exactly() -> None:
    turned = scene_of(ObjectDraw(BoundingBoxDraw(RED)), frame_of((100, 100, 41, 20, 90)))
    swapped = scene_of(ObjectDraw(BoundingBoxDraw(RED)), frame_of((100, 100, 20, 41)))
    assert turned.commands.tolist() == swapped.commands.tolist()


numbers = st.floats(width=32, allow_nan=True, allow_infinity=True) | st.floats(-1e4, 1e4, width=32)


@settings(deadline=None)
@given(st.lists(st.tuples(*[numbers] * 5), min_size=1, max_size=3), st.text(max_size=5))
def test_any_numbers_and_any_text_make_a_list(boxes, label) -> None:
    """Bounds are ordered and meet the surface, for all boxes."""
    frame = frame_of(*[(0, 0, 1, 1)] * len(boxes), label=label)
    frame.detection_boxes()[:] = boxes
    scene = Scene()
    scene.set_specs(specs_of(EVERYTHING, label))
    for left, top, right, bottom in bounds(scene.build(frame, {}, (640, 480))):
        assert max(left, 0) < min(right, 640)
        assert max(top, 0) < min(bottom, 480)
