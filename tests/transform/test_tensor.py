"""Pictures as planes of numbers, on the CPU: the formula, the order, the errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from picasso.errors import GeometryError, ShapeError, SpecError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Normalization, Placement
from picasso.transform.cpu import transform
from picasso.transform.tensor import to_tensor

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def noise(form: VideoFormat, size_wh: tuple[int, int], seed: int = 3) -> SurfaceView:
    surface = SurfaceView.allocate(form, size_wh)
    generator = np.random.default_rng(seed)
    for plane in surface.planes:
        plane[...] = generator.integers(0, 256, plane.shape, np.uint8)
    return surface


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.BGR, VideoFormat.NV12, VideoFormat.GRAY8])
def test_numbers_are_scaled_and_shifted_channels(form: VideoFormat, order: str, dtype: str) -> None:
    sources = [noise(form, (20, 12)), noise(form, (16, 32))]
    placements = [Placement.compute(source.size_wh, (16, 14)) for source in sources]
    mean, std = IMAGENET
    tensor = to_tensor(sources, placements, Normalization.from_mean_std(mean, std, order=order), dtype=dtype)
    assert (tensor.shape, tensor.dtype) == ((2, 3, 14, 16), dtype)
    for image, source, placement in zip(tensor, sources, placements, strict=True):
        rgba = SurfaceView.allocate(VideoFormat.RGBA, (16, 14))
        transform(source, placement, rgba)
        colors = rgba.to_numpy()[..., :3].astype(float)
        colors = colors if order == "rgb" else colors[..., ::-1]
        expected = (colors / 255 - mean) / std
        np.testing.assert_allclose(
            image, expected.transpose(2, 0, 1), atol=2e-3 if dtype == "float16" else 2e-6, rtol=0
        )


def test_numbers_are_rounded_once() -> None:
    """Within one step of float32 of exact arithmetic, for every value of a channel."""
    normalization = Normalization((1 / 58.4, 0.0171, 1 / 57.1), (-2.12, -2.04, -1.8))
    scale, bias = (
        np.array(values, np.float32).astype(np.longdouble) for values in (normalization.scale, normalization.bias)
    )
    exact = np.arange(256) * scale[:, None] + bias[:, None]
    made = normalization.tables("float32")
    assert (np.abs(made.astype(np.longdouble) - exact) <= np.spacing(np.abs(made)) / 2 * 1.0001).all()


def test_a_given_array_is_written_to() -> None:
    source, out = noise(VideoFormat.RGBA, (8, 8)), np.full((1, 3, 8, 8), np.nan, np.float32)
    placement = Placement.identity((8, 8))
    assert to_tensor([source], placement, out=out) is out
    np.testing.assert_array_equal(out, to_tensor([source], placement))


def test_bars_are_black_before_the_scaling() -> None:
    source = SurfaceView.allocate(VideoFormat.RGBA, (8, 4))
    source.memset(255)
    made = to_tensor([source], Placement.compute((8, 4), (32, 32)), Normalization((1.0,) * 3, (0.5, 0.25, 0.0)))
    assert made[0, :, 0, 0].tolist() == [0.5, 0.25, 0.0]
    assert made[0, :, 16, 16].tolist() == [255.5, 255.25, 255.0]


SOURCE, PLACE = noise(VideoFormat.RGBA, (8, 8)), Placement.identity((8, 8))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: to_tensor([], PLACE), ShapeError, "expected a placement for each source, got 0 for 0"),
        (lambda: to_tensor([SOURCE], [PLACE] * 2), ShapeError, "got 2 for 1"),
        (lambda: to_tensor([SOURCE] * 2, [PLACE, Placement.compute((8, 8), (32, 32))]), GeometryError, "of one size"),
        (lambda: to_tensor([SOURCE], Placement.identity((4, 4))), GeometryError, "the source is 8x8"),
        (lambda: to_tensor([SOURCE], PLACE, dtype="float64"), SurfaceError, "dtype 'float64': expected one of float16"),
        (lambda: to_tensor([SOURCE], PLACE, out=np.zeros((1, 3, 8, 8))), ShapeError, "and float32, got"),
        (lambda: to_tensor([SOURCE], PLACE, out=np.zeros((3, 8, 8), np.float32)), ShapeError, "expected out of shape"),
        (lambda: Normalization(order="gbr"), SpecError, "Normalization.order = 'gbr': expected one of rgb, bgr"),
        (lambda: Normalization(scale=(1.0, 2.0)), SpecError, "Normalization.scale"),  # type: ignore[arg-type]
        (lambda: Normalization(bias=(0.0, float("nan"), 0.0)), SpecError, "Normalization.bias"),
        (lambda: Normalization((1e39, 1.0, 1.0)), SpecError, "Normalization.scale"),
        (lambda: Normalization.from_mean_std((0.0,) * 3, (1.0, 0.0, 1.0)), SpecError, "expected no 0"),
        (lambda: Normalization.from_mean_std((0.0,) * 3, (1.0,) * 3, unit=0.0), SpecError, "expected no 0"),
    ],
)
def test_what_makes_no_tensor(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
