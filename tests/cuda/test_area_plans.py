"""Area filters that only blend: what they are on the CPU, and that the kernels of blends serve them."""

from __future__ import annotations

import numpy as np
import pytest
from cases import SOURCES, TARGETS, random_surface
from every_kernel import picture_like
from hypothesis import given
from hypothesis import strategies as st

from picasso.surface import ColorSpace, Matrix, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import transform
from picasso_kernels.cuda.plan import plan_frame

SIZE = (24, 20)


@st.composite
def blends(draw: st.DrawFn) -> Placement:
    """Draw crops that keep their size, or double it, across and down each by itself, anywhere in a target."""
    sizes = [draw(st.integers(1, side)) for side in SIZE]
    starts = [draw(st.integers(0, side - size)) for side, size in zip(SIZE, sizes, strict=True)]
    inner = [size * draw(st.sampled_from([1, 2])) for size in sizes]
    before = [draw(st.integers(0, 3)) for _ in SIZE]
    target = [-(-(start + size + draw(st.integers(0, 3))) // 2) * 2 for start, size in zip(before, inner, strict=True)]
    return Placement(SIZE, (*starts, *sizes), (target[0], target[1]), (*before, *inner))


@given(blends(), st.sampled_from(SOURCES), st.sampled_from(TARGETS), st.sampled_from([None, ColorSpace(Matrix.BT709)]))
def test_an_area_filter_that_keeps_or_doubles_a_size_is_a_bilinear_one(
    placement: Placement, form: VideoFormat, target: VideoFormat, color: ColorSpace | None
) -> None:
    source = random_surface(form, SIZE, 3)
    made = [random_surface(target, placement.target_wh, seed, color if target.is_yuv else None) for seed in (7, 8)]
    for surface, name in zip(made, (Interpolation.AREA, Interpolation.BILINEAR), strict=True):
        transform(source, placement, surface, name)
    np.testing.assert_array_equal(made[0].to_numpy(), made[1].to_numpy())


@pytest.mark.parametrize("form", ["RGBA", "RGB", "NV12"])
@pytest.mark.parametrize("target", ["RGBA", "NV12"])
@pytest.mark.parametrize("times", [1, 2])
def test_it_is_planned_as_one(form: str, target: str, times: int) -> None:
    size_wh = (64 * times, 48 * times)
    pictures = picture_like(VideoFormat[form], (64, 48)), picture_like(VideoFormat[target], size_wh)
    area, blend = (
        plan_frame(*pictures, (0, 0, 64, 48), size_wh, (0, 0, *size_wh), name) for name in ("area", "bilinear")
    )
    assert area.kernel == blend.kernel
    np.testing.assert_array_equal(area.tables, blend.tables)


def test_one_that_enlarges_otherwise_is_not() -> None:
    pictures = picture_like(VideoFormat.RGBA, (64, 48)), picture_like(VideoFormat.RGBA, (96, 72))
    assert "bilinear" not in plan_frame(*pictures, (0, 0, 64, 48), (96, 72), (0, 0, 96, 72), "area").kernel
