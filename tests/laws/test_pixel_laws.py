"""Pixels go where boxes go; a crop is a crop; colours survive the way to luma and chroma and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.testing import assert_same_surface, color_spaces, placements, rects, surfaces
from picasso.transform import Interpolation, Padding, Placement, Rect, TransformConfig, place, place_mask
from picasso.transform.cpu import transform

WRITABLE = [form for form in sorted(VideoFormat, key=int) if form not in {VideoFormat.GRAY8, VideoFormat.UYVY}]
CHROMA_KINDS = [VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420]
WEIGHTS = {Matrix.BT601: (0.299, 0.114), Matrix.BT709: (0.2126, 0.0722)}
filters = st.sampled_from(sorted(Interpolation, key=int))
first_calls_compile = settings(suppress_health_check=[HealthCheck.too_slow])


@first_calls_compile
@given(placements(max_side=48), st.integers(0, 99))
def test_nearest_pixels_go_where_masks_go(placement: Placement, seed: int) -> None:
    width, height = placement.source_wh
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    target = SurfaceView.allocate(VideoFormat.RGB, placement.target_wh)
    transform(SurfaceView.wrap(picture), placement, target, Interpolation.NEAREST)
    expected = np.stack([place_mask(picture[..., channel], placement) for channel in range(3)], axis=-1)
    np.testing.assert_array_equal(target.to_numpy(), expected)


@first_calls_compile
@given(placements(min_side=16, max_side=96), st.data())
def test_a_marked_box_is_found_where_place_puts_it(placement: Placement, data: st.DataObject) -> None:
    """The centre of brightness of a white rectangle is the centre of its placed box, for every filter."""
    left, top, width, height = placement.crop_ltwh
    assume(min(width, height) >= 10)
    inner = data.draw(rects((width - 6, height - 6), min_side=4))
    x0, y0 = left + 3 + inner.left, top + 3 + inner.top
    x1, y1 = x0 + inner.width, y0 + inner.height
    ((tx0, ty0, tx1, ty1),) = place([[x0, y0, x1, y1]], placement)
    assume(min(tx1 - tx0, ty1 - ty0) >= 2)
    picture = np.zeros((placement.source_wh[1], placement.source_wh[0], 3), np.uint8)
    picture[y0:y1, x0:x1] = 255
    target = SurfaceView.allocate(VideoFormat.RGB, placement.target_wh)
    shrinks = min(placement.scale_xy) < 1
    transform(SurfaceView.wrap(picture), placement, target, Interpolation.AREA if shrinks else Interpolation.BILINEAR)
    light = target.to_numpy()[..., 0].astype(float)
    rows, columns = np.indices(light.shape) + 0.5
    centre = (columns * light).sum() / light.sum(), (rows * light).sum() / light.sum()
    assert centre == pytest.approx(((tx0 + tx1) / 2, (ty0 + ty1) / 2), abs=0.25)


@first_calls_compile
@given(surfaces(max_side=40), st.data(), filters)
def test_cropping_first_is_the_fused_crop(
    source: SurfaceView, data: st.DataObject, interpolation: Interpolation
) -> None:
    """A view on the crop, letterboxed, is the picture transformed with that crop, to the bit."""
    unit = 2 if source.format.is_yuv else 1
    grid = data.draw(rects((source.width // unit, source.height // unit)))
    rect = Rect(grid.top * unit, grid.left * unit, grid.width * unit, grid.height * unit)
    form = data.draw(st.sampled_from(WRITABLE))
    target_wh = data.draw(st.tuples(*[st.integers(1, 20).map(lambda half: 2 * half)] * 2))
    config = TransformConfig(data.draw(st.sampled_from(list(Padding))))
    color = data.draw(color_spaces()) if form.is_yuv else None
    fused, separate = (SurfaceView.allocate(form, target_wh, color) for _ in range(2))
    transform(source, Placement.compute(source.size_wh, target_wh, config, rect), fused, interpolation)
    cut = view_of(source, rect)
    transform(cut, Placement.compute(cut.size_wh, target_wh, config), separate, interpolation)
    assert_same_surface(fused, separate)


def view_of(source: SurfaceView, rect: Rect) -> SurfaceView:
    """The rectangle of a surface, over the same memory."""
    planes = [
        plane[
            rect.top >> shape.y_shift : (rect.top + rect.height) >> shape.y_shift,
            rect.left >> shape.x_shift : (rect.left + rect.width) >> shape.x_shift,
        ]
        for plane, shape in zip(source.planes, source.format.planes, strict=True)
    ]
    return SurfaceView.from_planes(planes, source.format, (rect.width, rect.height), source.color)


def largest_error(color: ColorSpace) -> int:
    """How far a byte may stray when luma and both chroma values are off by half a step, and the result is rounded."""
    k_red, k_blue = WEIGHTS[color.matrix]
    k_green = 1 - k_red - k_blue
    luma, chroma = (1, 1) if color.full_range else (255 / 219, 255 / 224)
    of_red, of_blue = 2 * (1 - k_red) * chroma, 2 * (1 - k_blue) * chroma
    of_green = of_red * k_red / k_green + of_blue * k_blue / k_green
    return int((luma + max(of_red, of_green, of_blue)) / 2 + 0.5 + 0.1)


@first_calls_compile
@given(st.sampled_from(CHROMA_KINDS), color_spaces(), st.integers(1, 6), st.integers(1, 6), st.integers(0, 999))
def test_colours_come_back_within_the_rounding_of_the_matrix(
    form: VideoFormat, color: ColorSpace, half_width: int, half_height: int, seed: int
) -> None:
    """Where each square of four pixels has one colour, nothing is lost but the rounding."""
    squares = np.random.default_rng(seed).integers(0, 256, (half_height, half_width, 3), np.uint8)
    picture = SurfaceView.wrap(squares.repeat(2, axis=0).repeat(2, axis=1))
    there = SurfaceView.allocate(form, picture.size_wh, color)
    back = SurfaceView.allocate(VideoFormat.RGB, picture.size_wh)
    same = Placement.identity(picture.size_wh)
    transform(picture, same, there)
    transform(there, same, back, Interpolation.NEAREST)
    assert_same_surface(back, picture, tolerance=largest_error(color))


@first_calls_compile
@given(surfaces([VideoFormat.I420], max_side=24), st.sampled_from(WRITABLE), placements(2, 24, even=True))
def test_planes_mean_the_same_however_they_are_interleaved(
    source: SurfaceView, form: VideoFormat, placement: Placement
) -> None:
    placement = Placement.compute(source.size_wh, placement.target_wh)
    luma, blue, red = source.planes
    twins = [
        SurfaceView.from_planes([luma, np.stack(pair, axis=-1)], kind, source.size_wh, source.color)
        for kind, pair in ((VideoFormat.NV12, (blue, red)), (VideoFormat.NV21, (red, blue)))
    ]
    expected, *found = (SurfaceView.allocate(form, placement.target_wh) for _ in range(3))
    transform(source, placement, expected)
    for twin, target in zip(twins, found, strict=True):
        transform(twin, placement, target)
        assert_same_surface(target, expected)
