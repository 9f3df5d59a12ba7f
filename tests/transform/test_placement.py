"""One formula: the rows of the contract, its limits, and what must hold for every placement."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given

from picasso.errors import GeometryError
from picasso.primitives.transformation import ChainAffine, VideoFrameTransformation
from picasso.testing import placements, sizes
from picasso.transform import DstPadding, Padding, Placement, Rect, TransformConfig, place_xywha

S, RB, N = Padding.SYMMETRIC, Padding.RIGHT_BOTTOM, Padding.NONE


def compute(
    source: tuple[int, int],
    crop: tuple[int, int, int, int] | None,
    target: tuple[int, int],
    padding: Padding,
    inset: tuple[int, int, int, int] | None,
) -> Placement:
    rect = crop and Rect(crop[1], crop[0], crop[2], crop[3])
    return Placement.compute(source, target, TransformConfig(padding, inset and DstPadding(*inset)), rect)


# source, crop ltwh, target, padding, inset, pads, (sx, sy, tx, ty), boxes in -> out
ROWS: list[Any] = [
    ((800, 600), None, (800, 800), S, None, (0, 100, 0, 100), (1, 1, 0, 100),
     [((400, 300, 80, 60), (400, 400, 80, 60)), ((400, 0, 0, 0), (400, 100, 0, 0)),
      ((400, 600, 0, 0), (400, 700, 0, 0))]),
    ((600, 800), None, (800, 800), S, None, (100, 0, 100, 0), (1, 1, 100, 0), []),
    ((1280, 720), None, (1920, 1080), S, None, (0, 0, 0, 0), (1.5, 1.5, 0, 0),
     [((640, 360, 100, 100), (960, 540, 150, 150)), ((0, 0, 20, 20), (0, 0, 30, 30)),
      ((1280, 720, 0, 0), (1920, 1080, 0, 0))]),
    ((1920, 1080), None, (800, 600), RB, None, (0, 0, 0, 150), (0.416667, 0.416667, 0, 0),
     [((960, 540, 100, 100), (400, 225, 41.67, 41.67)), ((1920, 1080, 40, 40), (800, 450, 16.67, 16.67))]),
    ((720, 1280), None, (1920, 1080), S, None, (656, 0, 656, 0), (0.844444, 0.84375, 656, 0),
     [((360, 640, 100, 100), (960, 540, 84.44, 84.38))]),
    ((800, 600), None, (1600, 1200), N, None, (0, 0, 0, 0), (2, 2, 0, 0),
     [((400, 300, 100, 100), (800, 600, 200, 200))]),
    ((1920, 1080), (480, 270, 960, 540), (960, 540), N, None, (0, 0, 0, 0), (1, 1, -480, -270),
     [((960, 540, 100, 100), (480, 270, 100, 100))]),
    ((1000, 1000), (0, 0, 500, 500), (500, 500), N, None, (0, 0, 0, 0), (1, 1, 0, 0),
     [((250, 250, 80, 80), (250, 250, 80, 80))]),
    ((1920, 1080), (640, 360, 640, 360), (1280, 720), N, None, (0, 0, 0, 0), (2, 2, -1280, -720),
     [((960, 540, 50, 50), (640, 360, 100, 100))]),
    ((1920, 1080), (480, 60, 960, 960), (800, 800), S, None, (0, 0, 0, 0), (0.83333, 0.83333, -400, -50),
     [((960, 540, 96, 96), (400, 400, 80, 80))]),
    ((1920, 1080), (0, 0, 1600, 900), (800, 800), S, None, (0, 175, 0, 175), (0.5, 0.5, 0, 175), []),
    ((1280, 720), (390, 210, 500, 300), (720, 1280), S, None, (0, 424, 0, 424), (1.44, 1.44, -561.6, 121.6),
     [((640, 360, 100, 100), (360, 640, 144, 144))]),
    ((1280, 720), (390, 210, 500, 300), (720, 1280), N, None, (0, 0, 0, 0), (1.44, 4.26667, -561.6, -896),
     [((640, 360, 100, 100), (360, 640, 144, 426.67))]),
    ((800, 800), None, (1920, 1080), S, None, (420, 0, 420, 0), (1.35, 1.35, 420, 0), []),
    ((320, 240), None, (640, 480), S, None, (0, 0, 0, 0), (2, 2, 0, 0), [((160, 120, 80, 120), (320, 240, 160, 240))]),
    ((1920, 1080), None, (100, 100), S, (42, 42, 42, 42), (42, 45, 42, 46), (0.008333, 0.008333, 42, 45), []),
    ((800, 600), None, (820, 640), S, (10, 20, 10, 20), (10, 20, 10, 20), (1, 1, 10, 20), []),
    ((800, 600), None, (840, 660), S, (10, 20, 10, 20), (10, 22, 10, 23), (1.025, 1.025, 10, 22), []),
    ((1920, 1080), None, (650, 650), RB, (5, 5, 5, 5), (5, 5, 5, 285), (0.33333, 0.33333, 5, 5), []),
]  # fmt: skip


def name_of(row: Any) -> str:
    source, crop, target, padding, inset, *_ = row
    parts = [f"{source[0]}x{source[1]}", f"crop{crop}" if crop else "", f"to {target[0]}x{target[1]}", repr(padding)]
    return " ".join([*filter(None, parts), f"inset{inset}" if inset else ""])


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_row_of_the_contract(row: Any) -> None:
    *arguments, pads, (scale_x, scale_y, offset_x, offset_y), boxes = row
    placement = compute(*arguments)
    assert placement.pads_ltrb == pads
    assert placement.scale_xy == pytest.approx((scale_x, scale_y), rel=1e-4)
    assert placement.offset_xy == pytest.approx((offset_x, offset_y), abs=1e-9)
    assert placement.covers_target is (pads == (0, 0, 0, 0))
    for given_box, expected in boxes:
        (placed,) = place_xywha([[*given_box, np.nan]], placement)
        assert placed[:4] == pytest.approx(expected, abs=0.01)


def test_the_crop_step_cuts_what_the_crop_leaves() -> None:
    placement = compute((1920, 1080), (0, 0, 1600, 900), (800, 800), S, None)
    assert placement.transformations() == [
        VideoFrameTransformation.crop(0, 0, 320, 180),
        VideoFrameTransformation.letter_box(800, 800, 0, 175, 0, 175),
    ]


def test_a_letterbox_step_is_written_even_for_the_identity() -> None:
    identity = Placement.identity((640, 480))
    assert identity.is_identity
    assert identity == Placement.compute((640, 480), (640, 480))
    assert identity.transformations() == [VideoFrameTransformation.letter_box(640, 480, 0, 0, 0, 0)]


@pytest.mark.parametrize(
    "other",
    [
        Placement.compute((640, 480), (320, 240)),
        Placement.compute((640, 480), (640, 640)),
        Placement.compute((640, 480), (640, 480), None, Rect(0, 0, 320, 240)),
        Placement.compute((640, 480), (320, 240), None, Rect(120, 160, 320, 240)),
    ],
    ids=["scaled", "padded", "zoomed", "cut"],
)
def test_what_is_not_the_identity(other: Placement) -> None:
    assert not other.is_identity


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 600), None, (800, 800), S, None), "source dimensions must be > 0, got 0x600"),
        (((800, 0), None, (0, 0), S, None), "source dimensions must be > 0, got 800x0"),
        (((-800, 600), None, (800, 800), S, None), "source dimensions must be > 0, got -800x600"),
        (((800, 600), (9, 9, 0, 0), (800, 0), S, None), "destination dimensions must be > 0, got 800x0"),
        (((800, 600), None, (800, 600), S, (400, 0, 400, 0)),
         "effective width after dst_padding must be >= 16 px, got 0"),
        (((800, 600), None, (800, 600), S, (0, 300, 0, 300)),
         "effective height after dst_padding must be >= 16 px, got 0"),
        (((800, 600), None, (800, 600), N, (785, 0, 0, 0)),
         "effective width after dst_padding must be >= 16 px, got 15"),
        (((800, 600), None, (800, 600), S, (999, 0, 999, 0)),
         "effective width after dst_padding must be >= 16 px, got 0"),
        (((800, 600), None, (8, 8), S, (1, 0, 0, 0)), "effective dimensions after dst_inset must be >= 16x16"),
        (((800, 600), (0, 0, 0, 9), (800, 600), S, None), "crop dimensions must be > 0, got 0x9"),
        (((800, 600), (0, 0, 9, 0), (800, 600), S, None), "crop dimensions must be > 0, got 9x0"),
        (((800, 600), (1, 0, 800, 600), (800, 600), S, None), "crop right edge 801 exceeds the width 800"),
        (((800, 600), (0, 1, 800, 600), (800, 600), S, None), "crop bottom edge 601 exceeds the height 600"),
        (((800, 600), (0, 2**32 - 1, 9, 9), (800, 600), S, None), "crop bottom edge 4294967304 exceeds the height 600"),
    ],
)  # fmt: skip
def test_geometry_that_leaves_nothing(arguments: Any, message: str) -> None:
    with pytest.raises(GeometryError) as caught:
        compute(*arguments)
    assert message in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_sixteen_pixels_are_asked_for_only_with_an_inset() -> None:
    assert compute((800, 600), None, (8, 8), S, None).inner_ltwh == (0, 1, 8, 6)
    assert compute((800, 600), None, (8, 8), S, (0, 0, 0, 0)).inner_ltwh == (0, 1, 8, 6)
    assert compute((800, 600), None, (18, 18), S, (1, 1, 1, 1)).inner_ltwh == (1, 3, 16, 12)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("inner_ltwh", (0, 0, 0, 5), "inner dimensions must be > 0"),
        ("inner_ltwh", (-1, 0, 5, 5), "inner left and top must be >= 0"),
        ("inner_ltwh", (6, 0, 5, 5), "inner right edge 11 exceeds the width 10"),
        ("crop_ltwh", (0, 6, 5, 5), "crop bottom edge 11 exceeds the height 10"),
        ("target_wh", (0, 10), "destination dimensions must be > 0"),
    ],
)
def test_a_placement_made_by_hand_is_checked(field: str, value: Any, message: str) -> None:
    whole = {"source_wh": (10, 10), "crop_ltwh": (0, 0, 10, 10), "target_wh": (10, 10), "inner_ltwh": (0, 0, 10, 10)}
    with pytest.raises(GeometryError, match=message):
        Placement(**(whole | {field: value}))


def test_sizes_are_integers() -> None:
    with pytest.raises(TypeError):
        Placement.compute((640.0, 480), (640, 480))  # type: ignore[arg-type]  # the point of the test
    placement = Placement.compute((np.int64(640), np.int32(480)), (np.int64(320), 240))  # type: ignore[arg-type]
    assert [type(side) for side in (*placement.source_wh, *placement.target_wh)] == [int] * 4


any_size = sizes(max_side=5000)


@given(placements())
def test_the_inner_rectangle_is_inside_the_target_and_never_empty(placement: Placement) -> None:
    left, top, width, height = placement.inner_ltwh
    assert width >= 1
    assert height >= 1
    assert min(placement.pads_ltrb) >= 0
    assert placement.pads_ltrb[0] + width + placement.pads_ltrb[2] == placement.target_wh[0]
    assert placement.pads_ltrb[1] + height + placement.pads_ltrb[3] == placement.target_wh[1]
    assert (left, top) == placement.pads_ltrb[:2]


@given(any_size, any_size)
def test_letterboxing_keeps_the_ratio_to_half_a_pixel(source: tuple[int, int], target: tuple[int, int]) -> None:
    """One side fills the target, the other is the exact ratio rounded, at least 1."""
    _, _, width, height = Placement.compute(source, target).inner_ltwh
    ratio = Fraction(*source)
    assert width == target[0] or height == target[1]
    exact_w, exact_h = height * ratio, width / ratio
    fits_w = height == target[1] and abs(max(exact_w, Fraction(1)) - width) <= Fraction(1, 2) + Fraction(1, 10**9)
    fits_h = width == target[0] and abs(max(exact_h, Fraction(1)) - height) <= Fraction(1, 2) + Fraction(1, 10**9)
    assert fits_w or fits_h


@given(any_size, any_size)
def test_symmetric_bars_differ_by_one_pixel_at_most(source: tuple[int, int], target: tuple[int, int]) -> None:
    left, top, right, bottom = Placement.compute(source, target).pads_ltrb
    assert right - left in {0, 1}
    assert bottom - top in {0, 1}


@given(any_size, any_size)
def test_the_modes_agree_on_the_size(source: tuple[int, int], target: tuple[int, int]) -> None:
    symmetric = Placement.compute(source, target, TransformConfig(S))
    corner = Placement.compute(source, target, TransformConfig(RB))
    assert symmetric.inner_ltwh[2:] == corner.inner_ltwh[2:]
    assert corner.inner_ltwh[:2] == (0, 0)
    assert Placement.compute(source, target, TransformConfig(N)).covers_target


def test_halves_are_rounded_away_from_zero() -> None:
    assert Placement.compute((720, 1280), (1920, 1080)).inner_ltwh[2] == 608  # 607.5
    assert Placement.compute((8, 4), (5, 100)).inner_ltwh[3] == 3  # 2.5, which banker's rounding makes 2


def test_an_extreme_ratio_keeps_one_pixel() -> None:
    assert Placement.compute((5000, 1), (100, 100)).inner_ltwh == (0, 49, 100, 1)
    assert Placement.compute((1, 5000), (100, 100)).inner_ltwh == (49, 0, 1, 100)


@given(placements())
def test_the_chain_amounts_to_the_same_affine(placement: Placement) -> None:
    chain = [VideoFrameTransformation.initial_size(*placement.source_wh), *placement.transformations()]
    affine = ChainAffine.of(chain)
    assert affine.current_wh == placement.target_wh
    assert affine.scale_xy == pytest.approx(placement.scale_xy, rel=1e-5)
    reach = max(*placement.source_wh, *placement.target_wh) * max(1.0, *placement.scale_xy)
    assert affine.offset_xy == pytest.approx(placement.offset_xy, abs=1e-5 * reach)


@given(placements())
def test_the_crop_lands_on_the_inner_rectangle(placement: Placement) -> None:
    (scale_x, scale_y), (offset_x, offset_y) = placement.scale_xy, placement.offset_xy
    left, top, width, height = placement.crop_ltwh
    corners = (left * scale_x + offset_x, top * scale_y + offset_y,
               (left + width) * scale_x + offset_x, (top + height) * scale_y + offset_y)  # fmt: skip
    x, y, inner_w, inner_h = placement.inner_ltwh
    assume(max(placement.scale_xy) < 1e6)
    assert corners == pytest.approx((x, y, x + inner_w, y + inner_h), rel=1e-9, abs=1e-6)
