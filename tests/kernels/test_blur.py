"""The blur: three box filters, and near enough to a Gaussian."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso_kernels.cpu.compile import host, pure
from picasso_kernels.paint import blur

Image = npt.NDArray[np.uint8]


def smooth(image: Image, sigma: float, run: Any = host) -> Image:
    height, width = image.shape
    out = np.zeros(2 * height * width + blur.STATE_BYTES, np.uint8)
    run(blur.smooth_plane)(image.reshape(-1), 0, width, 1, width, height, round(sigma * 256), out, 0)
    return out[: image.size].reshape(image.shape)


def boxes(line: npt.NDArray[np.int64], sigma: float) -> npt.NDArray[np.int64]:
    """Filter one line three times, its ends going on, and round once."""
    width = blur.box_width(round(sigma * 256))
    widths = (width, width, width + 1 - width % 2)
    kernel = np.ones(1, np.int64)
    for each in widths:
        kernel = np.convolve(kernel, np.ones(each, np.int64))
    total = np.convolve(np.pad(line, len(kernel) // 2, mode="edge"), kernel, "valid")
    area = int(np.prod(widths))
    return (total * (((1 << 32) + area // 2) // area) + (1 << 31)) >> 32


images = st.tuples(st.integers(1, 70), st.integers(1, 12), st.integers(0, 9)).map(
    lambda shape: np.random.default_rng(shape[2]).integers(0, 256, shape[:2], np.uint8)
)


@settings(deadline=None)
@given(images, st.floats(1, 40))
def test_it_is_three_box_filters_down_and_across(image, sigma) -> None:
    down = np.stack([boxes(line, sigma) for line in image.T.astype(np.int64)], 1)
    across = np.stack([boxes(line, sigma) for line in down])
    assert np.array_equal(smooth(image, sigma), across)


@settings(deadline=None, max_examples=20)
@given(images, st.floats(1, 6))
def test_machine_code_blurs_as_the_interpreter_does(image, sigma) -> None:
    assert np.array_equal(smooth(image, sigma), smooth(image, sigma, pure))


@pytest.mark.parametrize("sigma", [2, 3.3, 8, 17.5, 40])
def test_it_is_near_a_gaussian(sigma: float) -> None:
    image = np.kron(np.random.default_rng(5).integers(0, 2, (12, 15), np.uint8) * 255, np.ones((16, 16), np.uint8))
    exact = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    assert abs(smooth(image, sigma).astype(int) - exact).max() <= 12


@given(st.integers(0, 255), st.floats(0, 40))
@settings(deadline=None)
def test_one_colour_stays(value, sigma) -> None:
    assert (smooth(np.full((9, 65), value, np.uint8), sigma) == value).all()


def test_steps_and_pitches_are_honoured() -> None:
    """A channel of a rectangle of a larger picture gives what it gives alone."""
    picture = np.random.default_rng(2).integers(0, 256, (30, 40, 4), np.uint8)
    alone = smooth(np.ascontiguousarray(picture[5:25, 8:31, 2]), 3.0)
    out = np.zeros(2 * 20 * 23 + blur.STATE_BYTES, np.uint8)
    host(blur.smooth_plane)(picture.reshape(-1), 5 * 160 + 8 * 4 + 2, 160, 4, 23, 20, 3 * 256, out, 0)
    assert np.array_equal(out[: alone.size].reshape(alone.shape), alone)


@pytest.mark.parametrize("sigma", [0, 0.3, 1, 2, 40])
def test_the_widest_box_fits(sigma: float) -> None:
    assert 1 <= blur.box_width(round(sigma * 256)) <= blur.WIDEST - 1


@pytest.mark.parametrize("step", [3, 4])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (22, 40), (70, 67)])
def test_channels_of_pixels_are_blurred_as_each_alone(step: int, width: int, height: int) -> None:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, step), np.uint8)
    out = np.zeros((3 + step) * height * width + blur.STATE_BYTES, np.uint8)
    host(blur.smooth_pixels)(pixels.reshape(-1), 0, step * width, step, width, height, 3 * 256, out, 0)
    planes = out[: 3 * height * width].reshape(3, height, width)
    for channel in range(3):
        assert np.array_equal(planes[channel], smooth(np.ascontiguousarray(pixels[..., channel]), 3))
    woven = pixels.copy()
    for y in range(height):
        host(blur.weave_row)(woven.reshape(-1), y * step * width, step, out, y * width, height * width, width)
    assert np.array_equal(woven[..., :3], planes.transpose(1, 2, 0))
    assert np.array_equal(woven[..., 3:], pixels[..., 3:])
