from __future__ import annotations

import copy
import math
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from picasso.primitives import BBox, RBBox

coordinates = st.floats(-5000, 5000, width=32)
sizes = st.floats(0.125, 3000, width=32)
factors = st.floats(0.125, 8, width=32)
angles = st.none() | st.floats(-360, 360, width=32)
boxes = st.builds(RBBox, coordinates, coordinates, sizes, sizes, angles)


@dataclass
class Sides:
    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


def fields(box):
    return (*box.as_xcycwh(), getattr(box, "angle", None))


wild = st.floats(width=32)


@given(st.builds(RBBox, wild, wild, wild, wild, wild | st.none()))
def test_no_value_raises_where_it_is_reckoned_with(box):
    """Boxes take what float32 can hold; of infinities come infinities and NaN."""
    assert len(box.vertices) == 4
    assert box.wrapping_box.xc == pytest.approx(box.xc, nan_ok=True)
    box.copy().scale(2, 3)
    box.iou(RBBox(1, 2, 3, 4, 5))
    RBBox(1, 2, 3, 4, 5).iou(box)


@given(boxes)
def test_a_copy_is_equal_and_independent(box):
    other = box.copy()
    assert other == box
    other.xc += 100
    assert other != box


@given(boxes, st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_shifting_there_and_back_is_the_same_box(box, dx, dy):
    moved = box.copy()
    moved.shift(dx, dy)
    moved.shift(-dx, -dy)
    assert moved.almost_eq(box, 1e-2)


@given(boxes, factors)
def test_scaling_alike_there_and_back_is_the_same_box(box, factor):
    moved = box.copy()
    moved.scale(factor, factor)
    moved.scale(1 / factor, 1 / factor)
    assert moved.almost_eq(box, 1e-2)
    assert moved.angle == box.angle


@given(boxes, factors, factors)
def test_unequal_scaling_there_and_back_keeps_centre_height_and_direction(box, scale_x, scale_y):
    moved = box.copy()
    moved.scale(scale_x, scale_y)
    moved.scale(1 / scale_x, 1 / scale_y)
    assert (moved.xc, moved.yc) == pytest.approx((box.xc, box.yc), abs=1e-2)
    assert moved.height == pytest.approx(box.height, rel=1e-3)
    turn = math.radians((moved.angle or 0) - (box.angle or 0))
    assert math.cos(turn) == pytest.approx(1, abs=1e-4)


@given(boxes, factors, factors)
def test_scaled_sides_are_the_sides_of_the_scaled_corners(box, scale_x, scale_y):
    a, b, c, _ = [(x * scale_x, y * scale_y) for x, y in box.vertices]
    box.scale(scale_x, scale_y)
    assert box.width == pytest.approx(math.dist(a, b), rel=1e-3, abs=1e-2)
    assert box.height == pytest.approx(math.dist(b, c), rel=1e-3, abs=1e-2)


@pytest.mark.parametrize(
    ("box", "scale", "expected"),
    [
        (RBBox(0, 0, 100, 100, 45), (2, 3), (0, 0, 254.95, 254.95, 33.69)),
        (RBBox(10, 20, 30, 40), (2, 3), (20, 60, 60, 120, None)),
        (RBBox(10, 20, 30, 40, 90), (2, 3), (20, 60, 90, 80, 90)),
        (RBBox(10, 20, 30, 40, 270), (2, 3), (20, 60, 90, 80, 270)),
        (RBBox(10, 20, 30, 40, 180), (2, 3), (20, 60, 60, 120, 180)),
        (RBBox(10, 20, 30, 40, 30), (2, 2), (20, 40, 60, 80, 30)),
        (RBBox(10, 20, 30, 40, 30), (-1, 1), (-10, 20, 30, 40, -30)),
        (BBox(10, 20, 30, 40), (-2, 3), (-20, 60, 60, 120, None)),
    ],
    ids=["45deg", "upright", "90deg", "270deg", "180deg", "alike", "mirrored", "bbox-mirrored"],
)
def test_scale_by_hand(box, scale, expected):
    box.scale(*scale)
    assert fields(box) == pytest.approx(expected, abs=0.01)


def test_edges_of_an_upright_box():
    box = RBBox(10, 20, 4, 6)
    assert box.as_ltrb() == (8, 17, 12, 23)
    assert box.as_ltwh() == (8, 17, 4, 6)
    assert box.as_xcycwh() == (10, 20, 4, 6)
    assert (box.left, box.top, box.right, box.bottom) == box.as_ltrb()
    assert box.area == 24
    assert RBBox(10.5, 20.5, 4, 6).as_ltrb_int() == (8, 17, 13, 24)
    assert RBBox(10.5, 20.5, 4, 6).as_ltwh_int() == (8, 17, 5, 7)
    assert RBBox(-1.5, 1.5, 4.9, 6).as_xcycwh_int() == (-1, 1, 4, 6)
    assert BBox.ltrb(8, 17, 12, 23) == BBox.ltwh(8, 17, 4, 6) == BBox(10, 20, 4, 6)


def test_setting_an_edge_moves_the_box():
    box = BBox(10, 20, 4, 6)
    box.left = 0
    box.top = 0
    assert box.as_xcycwh() == (2, 3, 4, 6)


@pytest.mark.parametrize(
    "read",
    [
        lambda box: box.left,
        lambda box: box.top,
        lambda box: box.right,
        lambda box: box.bottom,
        lambda box: box.as_ltrb(),
        lambda box: box.as_ltwh(),
        lambda box: box.as_ltrb_int(),
        lambda box: box.as_ltwh_int(),
        lambda box: box.as_bbox(),
        lambda box: setattr(box, "left", 3),
    ],
    ids=["left", "top", "right", "bottom", "as_ltrb", "as_ltwh", "as_ltrb_int", "as_ltwh_int", "as_bbox", "left="],
)
def test_a_rotated_box_has_no_upright_edges(read):
    with pytest.raises(ValueError, match="rotated box has no upright edges"):
        read(RBBox(10, 20, 4, 6, 30))


def test_no_angle_is_angle_zero_for_geometry():
    assert RBBox(1, 2, 3, 4) == RBBox(1, 2, 3, 4, 0)
    assert RBBox(1, 2, 3, 4, 0).as_ltrb() == BBox(1, 2, 3, 4).as_ltrb()
    assert RBBox(1, 2, 3, 4).angle is None
    assert RBBox(1, 2, 3, 4, math.nan).angle is None
    box = RBBox(1, 2, 3, 4, 30)
    box.angle = None
    assert box.angle is None


@given(boxes)
def test_the_wrapping_box_holds_every_corner_and_touches_one_on_each_side(box):
    left, top, right, bottom = box.wrapping_box.as_ltrb()
    xs, ys = zip(*box.vertices, strict=True)
    assert (min(xs), min(ys), max(xs), max(ys)) == pytest.approx((left, top, right, bottom), abs=2e-2)
    assert box.get_wrapping_bbox() == box.wrapping_box


@given(boxes, boxes)
def test_overlaps_are_shares_and_iou_is_symmetric(a, b):
    assert 0 <= a.iou(b) <= 1 + 1e-3
    assert a.iou(b) == pytest.approx(b.iou(a), abs=1e-4)
    assert a.ios(b) == pytest.approx(b.ioo(a), abs=1e-6)


@given(boxes)
def test_a_box_overlaps_itself_wholly(box):
    assert box.iou(box) == pytest.approx(1, abs=1e-2)


@given(boxes, st.floats(-180, 180))
def test_overlap_does_not_care_how_the_pair_is_turned(box, turn):
    assume(0.05 < box.width / box.height < 20)
    other = box.copy()
    other.shift(box.width / 3, 0)
    plain = RBBox(*box.as_xcycwh()).iou(RBBox(*other.as_xcycwh()))
    radians = math.radians(turn)
    a = RBBox(0, 0, box.width, box.height, turn)
    third = box.width / 3
    b = RBBox(third * math.cos(radians), third * math.sin(radians), box.width, box.height, turn)
    assert a.iou(b) == pytest.approx(plain, abs=2e-2)


@pytest.mark.parametrize(
    ("a", "b", "iou", "ios", "ioo"),
    [
        (BBox.ltwh(0, 0, 2, 2), BBox.ltwh(1, 0, 2, 2), 1 / 3, 0.5, 0.5),
        (BBox.ltwh(0, 0, 4, 4), BBox.ltwh(1, 1, 2, 2), 0.25, 0.25, 1.0),
        (BBox.ltwh(0, 0, 1, 1), BBox.ltwh(5, 5, 1, 1), 0, 0, 0),
        (BBox(0, 0, 0, 0), BBox(0, 0, 0, 0), 0, 0, 0),
        (RBBox(0, 0, 2, 2), RBBox(0, 0, 2, 2, 45), 0.7071, 0.8284, 0.8284),
    ],
    ids=["half", "inside", "apart", "empty", "octagon"],
)
def test_overlap_by_hand(a, b, iou, ios, ioo):
    assert (a.iou(b), a.ios(b), a.ioo(b)) == pytest.approx((iou, ios, ioo), abs=1e-3)


def test_padding_grows_each_side():
    assert BBox.ltrb(10, 10, 20, 20).new_padded(Sides(1, 2, 3, 4)) == BBox.ltrb(9, 8, 23, 24)
    assert RBBox(0, 0, 10, 10, 90).new_padded(Sides(left=2)).as_xcycwh() == pytest.approx((0, -1, 12, 10), abs=1e-5)


def test_the_visual_box_is_clamped_to_the_picture():
    box = RBBox(50, 50, 20, 20)
    assert box.get_visual_bbox(Sides(1, 2, 3, 4), 2, 640, 480).as_ltrb() == (37, 36, 65, 66)
    assert RBBox(5, 5, 2000, 2000).get_visual_bbox(Sides(), 2, 640, 480).as_ltrb() == (2, 2, 638, 478)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (BBox.ltrb(0, 0, 640, 480), True),
        (BBox.ltrb(-1, 0, 640, 480), False),
        (BBox.ltrb(0, 0, 641, 480), False),
        (RBBox(50, 50, 100, 100, 45), False),
        (RBBox(100, 100, 100, 100, 45), True),
    ],
    ids=["whole", "left", "right", "rotated-out", "rotated-in"],
)
def test_inside_viewport(box, inside):
    assert box.inside_viewport(640, 480) is inside


def test_vertices_are_clockwise_from_the_top_left():
    assert BBox.ltrb(1, 2, 3, 5).vertices == [(1, 2), (3, 2), (3, 5), (1, 5)]
    assert BBox.ltrb(1, 2, 3, 5).vertices_int == [(1, 2), (3, 2), (3, 5), (1, 5)]
    assert RBBox(0, 0, 2, 2, 90).vertices_rounded == [(1, -1), (1, 1), (-1, 1), (-1, -1)]


def test_values_are_float32():
    assert RBBox(0.1, 0, 1, 1).xc != 0.1
    assert RBBox(0.1, 0, 1, 1).xc == pytest.approx(0.1, rel=1e-7)


def test_comparison_is_by_value_and_boxes_are_not_keys():
    assert BBox(1, 2, 3, 4) == RBBox(1, 2, 3, 4)
    assert BBox(1, 2, 3, 4).eq(BBox(1, 2, 3, 4))
    assert BBox(1, 2, 3, 4) != (1, 2, 3, 4)
    assert not BBox(1, 2, 3, 4).almost_eq(BBox(1, 2, 3, 5), 0.5)
    with pytest.raises(TypeError, match="unhashable"):
        hash(BBox(1, 2, 3, 4))


@pytest.mark.parametrize("box", [RBBox(1, 2, 3, 4, 5), BBox(1, 2, 3, 4)], ids=["RBBox", "BBox"])
def test_boxes_survive_copy_and_pickle(box):
    assert (
        fields(copy.deepcopy(box)) == fields(pickle.loads(pickle.dumps(box))) == fields(copy.copy(box)) == fields(box)
    )


def test_conversions_and_text():
    assert RBBox(1, 2, 3, 4).as_bbox() == BBox(1, 2, 3, 4)
    assert isinstance(BBox(1, 2, 3, 4).as_rbbox(), RBBox)
    assert repr(RBBox(1, 2, 3, 4, 5)) == "RBBox(xc=1.0, yc=2.0, width=3.0, height=4.0, angle=5.0)"
    assert repr(BBox(1, 2, 3, 4)) == "BBox(xc=1.0, yc=2.0, width=3.0, height=4.0)"


def test_text_is_no_coordinate():
    with pytest.raises(TypeError):
        RBBox("1", 2, 3, 4)
