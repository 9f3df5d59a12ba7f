"""Pictures stored on their side, of pixels that are not square: what is marked in them and its box land together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from picasso.errors import ConsumedError, GeometryError, SurfaceError
from picasso.primitives import Orientation, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.turning import turned
from picasso.transform import Interpolation, Padding, Placement, Rect, TransformConfig, unplace
from picasso.transform.cpu import transform

ORIENTATIONS = [Orientation(turn_deg, mirrored) for turn_deg in (0, 90, 180, 270) for mirrored in (False, True)]
RATIOS = [Fraction(1), Fraction(64, 45), Fraction(8, 9), Fraction(4, 3), Fraction(1, 2), Fraction(3)]
PAL_WIDE = Fraction(64, 45)


@pytest.mark.parametrize(
    ("source_wh", "target_wh", "ratio", "inner_ltwh"),
    [
        ((720, 576), (640, 640), PAL_WIDE, (0, 140, 640, 360)),
        ((720, 576), (1024, 576), PAL_WIDE, (0, 0, 1024, 576)),
        ((576, 720), (640, 640), 1 / PAL_WIDE, (140, 0, 360, 640)),
        ((720, 480), (640, 640), Fraction(8, 9), (0, 80, 640, 480)),
        ((720, 576), (720, 576), PAL_WIDE, (0, 85, 720, 405)),
        ((720, 576), (640, 640), 1, (0, 64, 640, 512)),
    ],
)
def test_a_letterbox_shows_the_ratio_that_players_show(
    source_wh: tuple[int, int], target_wh: tuple[int, int], ratio: Fraction, inner_ltwh: tuple[int, int, int, int]
) -> None:
    assert Placement.compute(source_wh, target_wh, sample_aspect_ratio=ratio).inner_ltwh == inner_ltwh
    source = SurfaceView.allocate(VideoFormat.RGBA, source_wh).with_sample_aspect_ratio(Fraction(ratio))
    assert TransformConfig().apply(source, SurfaceView.allocate(VideoFormat.RGBA, target_wh)).inner_ltwh == inner_ltwh


def test_who_stretches_does_not_ask_for_the_ratio() -> None:
    config = TransformConfig(Padding.NONE)
    assert Placement.compute((720, 576), (100, 100), config, sample_aspect_ratio=PAL_WIDE).covers_target


@pytest.mark.parametrize("ratio", [0, Fraction(-1, 2)])
def test_a_pixel_has_a_width(ratio: Fraction | int) -> None:
    with pytest.raises(GeometryError, match=r"sample_aspect_ratio: expected more than 0, got"):
        Placement.compute((720, 576), (64, 64), sample_aspect_ratio=ratio)
    with pytest.raises(SurfaceError, match=r"sample_aspect_ratio: expected more than 0, got"):
        SurfaceView.allocate(VideoFormat.RGBA, (4, 4)).with_sample_aspect_ratio(Fraction(ratio))


def test_another_ratio_moves_the_pixels_and_the_same_one_does_not() -> None:
    surface = SurfaceView.allocate(VideoFormat.RGBA, (4, 4))
    assert surface.with_sample_aspect_ratio(Fraction(1)) is surface
    wide = surface.with_sample_aspect_ratio(PAL_WIDE)
    assert not surface
    assert (wide.sample_aspect_ratio, wide.take().sample_aspect_ratio) == (PAL_WIDE, PAL_WIDE)


def test_a_shared_view_says_the_same_and_is_handed_over_on_its_own() -> None:
    surface = SurfaceView.allocate(VideoFormat.I420, (4, 4)).with_sample_aspect_ratio(PAL_WIDE)
    twin = surface.share()
    assert (twin.sample_aspect_ratio, twin.color, twin.size_wh) == (PAL_WIDE, surface.color, (4, 4))
    assert np.shares_memory(twin.planes[0], surface.planes[0])
    surface.take()
    assert not surface
    assert twin
    with pytest.raises(ConsumedError):
        surface.share()


@pytest.mark.parametrize("form", [form for form in VideoFormat if form.name() != "UYVY"], ids=lambda form: form.name())
@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_a_view_is_turned_without_a_copy(form: VideoFormat, orientation: Orientation) -> None:
    surface = SurfaceView.allocate(form, (8, 4)).with_sample_aspect_ratio(PAL_WIDE)
    for index, plane in enumerate(surface.planes):
        plane[...] = np.arange(plane.size).reshape(plane.shape) + 100 * index
    upright = turned(surface, orientation)
    assert upright.size_wh == orientation.size((8, 4))
    assert upright.sample_aspect_ratio == (1 / PAL_WIDE if orientation.swaps_sides else PAL_WIDE)
    for plane, found in zip(surface.planes, upright.planes, strict=True):
        assert np.shares_memory(plane, found)
        mirrored = np.fliplr(plane) if orientation.mirrored else plane
        assert np.array_equal(found, np.rot90(mirrored, -(orientation.turn_deg // 90)))
    back = turned(upright, orientation.inverse)
    assert all(np.array_equal(one, other) for one, other in zip(surface.planes, back.planes, strict=True))


def test_pairs_of_pixels_are_not_turned() -> None:
    surface = SurfaceView.allocate(VideoFormat.UYVY, (8, 4))
    assert turned(surface, Orientation()).size_wh == (8, 4)
    with pytest.raises(SurfaceError, match="UYVY cannot be turned without a copy"):
        turned(surface, Orientation(180))


@st.composite
def situations(draw: st.DrawFn) -> tuple[object, ...]:
    """A coded picture with a marked rectangle, how it is shown, and where to."""
    width, height = (2 * draw(st.integers(20, 60)) for _ in range(2))
    left, top = 2 * draw(st.integers(0, width // 2 - 8)), 2 * draw(st.integers(0, height // 2 - 8))
    mark = (left, top, left + 2 * draw(st.integers(6, 8)), top + 2 * draw(st.integers(6, 8)))
    orientation, ratio = draw(st.sampled_from(ORIENTATIONS)), draw(st.sampled_from(RATIOS))
    upright_wh = orientation.size((width, height))
    crop = None
    if draw(st.booleans()):  # cuts off a border outside of the mark, or a part of it
        crop_left, crop_top = (draw(st.integers(0, side // 4)) for side in upright_wh)
        crop_wh = [draw(st.integers(side // 2, side * 3 // 4)) for side in upright_wh]
        crop = Rect(top=crop_top, left=crop_left, width=crop_wh[0], height=crop_wh[1])
    target_wh = tuple(2 * draw(st.integers(60, 120)) for _ in range(2))
    form = draw(st.sampled_from([VideoFormat.I420, VideoFormat.NV12, VideoFormat.RGBA]))
    return (width, height), mark, orientation, ratio, crop, target_wh, draw(st.sampled_from(list(Padding))), form


@settings(deadline=None, max_examples=60)
@given(situations())
def test_a_mark_and_its_box_land_together_and_come_back(situation: tuple[object, ...]) -> None:
    """Through turn, ratio, crop and letterbox: within a target pixel there, and within a coded pixel back."""
    coded_wh, (x0, y0, x1, y1), orientation, ratio, crop, target_wh, padding, form = situation  # type: ignore[misc]
    coded = SurfaceView.allocate(form, coded_wh)
    marks = (255,) * 4 if form is VideoFormat.RGBA else (235, 128, 128)
    for plane, mark in zip(coded.planes, marks, strict=False):
        if plane.shape[:2] == coded_wh[::-1]:
            plane[y0:y1, x0:x1] = mark
        else:
            plane[...] = mark  # no colour
    frame = VideoFrame("cam", "25/1", *coded_wh)
    frame.add_detections("me", [[x0, y0, x1, y1]], "thing")
    frame.turn(orientation)
    surface = turned(coded, orientation).with_sample_aspect_ratio(ratio)
    placement = Placement.compute(
        surface.size_wh, target_wh, TransformConfig(padding), crop, sample_aspect_ratio=surface.sample_aspect_ratio
    )
    target = SurfaceView.allocate(VideoFormat.RGBA, target_wh)
    transform(surface, placement, target, Interpolation.NEAREST)

    frame.move_boxes(placement.scale_xy, placement.offset_xy)
    (box,) = frame.get_detections().xyxy
    left, top, width, height = placement.inner_ltwh
    expected = np.clip(box, [left, top] * 2, [left + width, top + height] * 2)
    seen = target.planes[0][..., 0] > 100
    if seen.any():
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        assert_allclose([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], expected, atol=1.01)
    else:  # no pixel's centre is in it
        assert min(expected[2:] - expected[:2]) <= 1

    upright = unplace(box[None], placement)
    back = VideoFrame("cam", "25/1", *coded_wh)
    back.turn(orientation)
    back.add_detections("me", upright, "thing")
    back.transform_backward()
    assert_allclose(back.get_detections().xyxy, [[x0, y0, x1, y1]], atol=0.01)
