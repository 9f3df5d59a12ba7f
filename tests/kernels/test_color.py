"""RGB and YUV, against the formulas of the recommendations in floating point."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from picasso_kernels.maths.color import KR_KB, channel_of, chroma_of, luma_of, spans, to_rgb, to_yuv

SAMPLES = st.integers(0, 255)
RGB = st.tuples(SAMPLES, SAMPLES, SAMPLES)
SPACES = st.tuples(st.sampled_from(sorted(KR_KB)), st.booleans())
Triple = tuple[int, int, int]


def forward(rgb: Triple, space: tuple[str, bool]) -> Triple:
    k = to_yuv(*space)
    sums = [4 * channel for channel in rgb]
    return luma_of(*rgb, *k[:4]), chroma_of(*sums, *k[4:7]), chroma_of(*sums, *k[7:])


def backward(yuv: Triple, space: tuple[str, bool]) -> Triple:
    k = to_rgb(*space)
    grey, u, v = (yuv[0] - k.luma_floor) * k.luma, yuv[1] - 128, yuv[2] - 128
    green = channel_of(grey, k.green_u * u + k.green_v * v)
    return channel_of(grey, k.red_v * v), green, channel_of(grey, k.blue_u * u)


def exact_forward(rgb: Triple, space: tuple[str, bool]) -> tuple[float, float, float]:
    red, green, blue = (channel / 255 for channel in rgb)
    kr, kb = (float(weight) for weight in KR_KB[space[0]])
    floor, luma_span, chroma_span = spans(space[1])
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    u, v = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    return luma * luma_span + floor, u * chroma_span + 128, v * chroma_span + 128


@given(RGB, SPACES)
@example((0, 0, 255), ("bt709", True))
def test_yuv_is_the_formula_rounded(rgb: Triple, space: tuple[str, bool]) -> None:
    for ours, exact in zip(forward(rgb, space), exact_forward(rgb, space), strict=True):
        assert abs(ours - min(exact, 255)) <= 0.51


@given(RGB, SPACES)
def test_rgb_comes_back_within_the_rounding_of_the_matrix(rgb: Triple, space: tuple[str, bool]) -> None:
    """Half a step of luma and of chroma, through the largest coefficient of each, and half a step at the end."""
    k = to_rgb(*space)
    bound = (0.51 * (k.luma + max(k.red_v, k.blue_u, -k.green_u - k.green_v))) / (1 << 13) + 0.5
    for there, back in zip(rgb, backward(forward(rgb, space), space), strict=True):
        assert abs(there - back) <= bound


@given(SAMPLES, SPACES)
def test_grey_has_no_chroma_and_comes_back(level: int, space: tuple[str, bool]) -> None:
    luma, u, v = forward((level, level, level), space)
    assert (u, v) == (128, 128)
    assert len(set(backward((luma, u, v), space))) == 1


@pytest.mark.parametrize("matrix", sorted(KR_KB))
@pytest.mark.parametrize(("full_range", "black", "white"), [(False, 16, 235), (True, 0, 255)], ids=["limited", "full"])
def test_black_and_white_span_the_range(matrix: str, full_range: bool, black: int, white: int) -> None:
    assert forward((0, 0, 0), (matrix, full_range)) == (black, 128, 128)
    assert forward((255, 255, 255), (matrix, full_range)) == (white, 128, 128)
    assert backward((white, 128, 128), (matrix, full_range)) == (255, 255, 255)


@given(SPACES)
def test_coefficients_fit_the_lanes_of_a_register(space: tuple[str, bool]) -> None:
    assert all(-(1 << 15) <= number < 1 << 15 for number in (*to_yuv(*space), *to_rgb(*space)))


@given(RGB, SPACES)
def test_swapped_coefficients_read_blue_first(rgb: Triple, space: tuple[str, bool]) -> None:
    k = to_yuv(*space).swapped()
    assert luma_of(*rgb[::-1], *k[:4]) == forward(rgb, space)[0]
