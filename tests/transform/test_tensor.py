"""Pictures as planes of numbers, on the CPU: the formula, the order, the errors."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from naive_transform import resample_component, rgba_canvas
from pictures import COLORS, FILTERS, LAYOUTS, READABLE, placements, surface

from picasso.errors import GeometryError, ShapeError, SpecError, SurfaceError
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Normalization, Placement
from picasso.transform import tensor as tensors
from picasso.transform.cpu import transform
from picasso.transform.tensor import Layout, fill_tensor, tensor_shape, to_tensor
from picasso_kernels.maths.color import to_yuv
from picasso_kernels.maths.numbers import level_numbers

Numbers = npt.NDArray[Any]

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


channel_numbers = st.floats(-3, 3, width=32) | st.sampled_from([1 / 255, 1.0])
normalizations = st.builds(
    Normalization,
    st.tuples(*[channel_numbers] * 3),
    st.tuples(*[st.floats(-300, 300, width=32) | st.just(0.0)] * 3),
    st.sampled_from(["rgb", "bgr", "gray"]),
)
levels = st.integers(0, 255)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(READABLE),
    placements(),
    st.sampled_from(FILTERS),
    st.sampled_from(LAYOUTS),
    st.sampled_from(COLORS),
    normalizations,
    st.sampled_from(["float32", "float16", "uint8"]),
    st.sampled_from(["NCHW", "NHWC"]),
    st.tuples(levels, levels, levels),
    st.sampled_from(["tight", "padded", "upside down", "mirrored", "every second", "channels reversed"]),
    st.integers(0, 99),
)
def test_compiled_and_reference_and_oracle_are_one(
    read: VideoFormat,
    placement: Placement,
    interpolation: Interpolation,
    source_layout: str,
    color: ColorSpace,
    normalization: Normalization,
    dtype: str,
    layout: Layout,
    pad: tuple[int, int, int],
    target_layout: str,
    seed: int,
) -> None:
    source = surface(read, placement.source_wh, color, source_layout, seed)
    bars = pad[: normalization.channels]
    shape = tensor_shape(1, normalization.channels, placement.target_wh, layout)
    compiled, reference = (tensor_in(shape, dtype, target_layout) for _ in range(2))
    given_out = to_tensor(
        [source],
        placement,
        normalization,
        dtype=dtype,
        layout=layout,
        pad=bars,
        out=compiled,
        interpolation=interpolation,
    )
    assert given_out is compiled
    fill_tensor(
        [source],
        [placement],
        normalization,
        reference,
        layout=layout,
        pad=bars,
        interpolation=interpolation,
        by_reference=True,
    )
    expected = naive_tensor(source, placement, interpolation, normalization, dtype, bars)
    exact = expected if layout == "NCHW" else expected.transpose(1, 2, 0)
    assert_same_bits(reference[0], exact)
    assert_same_bits(compiled[0], exact)
    for tensor in (compiled, reference):
        assert_surroundings_untouched(tensor)


def tensor_in(shape: tuple[int, ...], dtype: str, layout: str) -> Numbers:
    """Return a tensor that lies in memory in some way, with guards around it."""
    count, second, third, last = shape
    if layout == "padded":
        return guarded((count, second, third + 2, last + 3), dtype)[:, :, 1:-1, 1:-2]
    if layout == "every second":
        return guarded((2 * count, 2 * second, 2 * third, 2 * last), dtype)[::2, ::2, ::2, ::2]
    tensor = guarded(shape, dtype)
    reverse = {"upside down": np.s_[:, :, ::-1], "mirrored": np.s_[..., ::-1], "channels reversed": np.s_[:, ::-1]}
    return tensor[reverse[layout]] if layout in reverse else tensor


def guarded(shape: tuple[int, ...], dtype: str) -> Numbers:
    return np.full(shape, 77, dtype)


def assert_surroundings_untouched(tensor: Numbers) -> None:
    tensor[...] = 77
    root = tensor
    while isinstance(root.base, np.ndarray):
        root = root.base
    assert (root == 77).all()


def naive_tensor(
    source: SurfaceView,
    placement: Placement,
    interpolation: Interpolation,
    normalization: Normalization,
    dtype: str,
    bars: tuple[int, ...],
) -> Numbers:
    """``(C, H, W)``: the picture of the oracle, its bars painted, its channels ordered, then looked up."""
    canvas = rgba_canvas(
        source, placement, lambda part, unit=1: resample_component(part, unit, placement, interpolation)
    )[..., :3]
    if normalization.order == "gray":
        k = to_yuv("bt601", full_range=True)
        canvas = (canvas @ np.array([k.y_red, k.y_green, k.y_blue]) + (1 << 14) >> 15)[..., None]
    elif normalization.order == "bgr":
        canvas = canvas[..., ::-1]
    left, top, width, height = placement.inner_ltwh
    painted = np.empty_like(canvas)
    painted[...] = bars
    painted[top : top + height, left : left + width] = canvas[top : top + height, left : left + width]
    tables = level_numbers(normalization.scale, normalization.bias, dtype)
    return np.stack([tables[channel][painted[..., channel]] for channel in range(normalization.channels)])


def assert_same_bits(ours: Numbers, exact: Numbers) -> None:
    """Zeros have signs."""
    assert ours.dtype == exact.dtype
    np.testing.assert_array_equal(np.ascontiguousarray(ours).view(np.uint8), np.ascontiguousarray(exact).view(np.uint8))


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_batch_is_its_pictures_one_by_one(layout: Layout, dtype: str) -> None:
    sources = [noise(form, (90, 50 + 2 * index)) for index, form in enumerate(READABLE)]
    each = [Placement.compute(source.size_wh, (64, 48)) for source in sources]
    batch = to_tensor(sources, each, dtype=dtype, layout=layout, pad=114)
    for picture, source, placement in zip(batch, sources, each, strict=True):
        alone = to_tensor([source], placement, dtype=dtype, layout=layout, pad=(114, 114, 114))
        assert_same_bits(picture, alone[0])


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("width", [64, 70])
def test_what_is_written_past_the_caches_is_the_same(width: int, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [noise(VideoFormat.NV12, (90, 50), seed) for seed in range(3)]
    placement = Placement.compute((90, 50), (width, 48))
    expected = to_tensor(sources, placement, dtype=dtype, pad=9)
    monkeypatch.setattr(tensors, "CACHES_BYTES", 0)
    assert_same_bits(to_tensor(sources, placement, dtype=dtype, pad=9), expected)


def test_bars_have_the_pad_value_before_the_scaling() -> None:
    made = to_tensor([noise(VideoFormat.RGBA, (8, 4))], Placement.compute((8, 4), (32, 32)), pad=114)
    np.testing.assert_array_equal(made[0, :, 0, 0], np.float32(114 * np.float32(1 / 255).astype(float)))


def test_grey_of_grey_is_itself() -> None:
    grey = noise(VideoFormat.GRAY8, (32, 16))
    made = to_tensor([grey], Placement.identity((32, 16)), Normalization(1.0, 0.0, "gray"), dtype="uint8")  # type: ignore[arg-type]
    np.testing.assert_array_equal(made[0, 0], grey.planes[0])


SOURCE, PLACE = noise(VideoFormat.RGBA, (8, 8)), Placement.identity((8, 8))
READ_ONLY = np.zeros((1, 3, 8, 8), np.float32)
READ_ONLY.flags.writeable = False


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
        (lambda: to_tensor([SOURCE], PLACE, layout="CHW"), ShapeError, "layout 'CHW': expected one of NCHW, NHWC"),  # type: ignore[arg-type]
        (lambda: to_tensor([SOURCE], PLACE, pad=256), SpecError, "pad = 256: expected an integer in 0..255"),
        (lambda: to_tensor([SOURCE], PLACE, pad=(1, 2)), SpecError, "or one for each of 3 channels"),
        (lambda: to_tensor([SOURCE], PLACE, pad=1.5), SpecError, "pad = 1.5"),  # type: ignore[arg-type]
        (lambda: to_tensor([SOURCE], PLACE, out=READ_ONLY), ShapeError, "read-only"),
        (lambda: Normalization(order="gbr"), SpecError, "Normalization.order = 'gbr': expected one of rgb, bgr, gray"),
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
