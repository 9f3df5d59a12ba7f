"""Inputs of models: which pixels of which picture become which numbers."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from picasso.errors import ModelError, ShapeError, SpecError
from picasso.infer import InputMaker, InputSpec, TensorInfo
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Normalization, Padding, Placement, place, unplace
from picasso.transform.tensor import to_tensor

LEVELS = Normalization((1.0,) * 3)


def noise(size_wh: tuple[int, int], form: VideoFormat = VideoFormat.RGB, seed: int = 1) -> SurfaceView:
    surface = SurfaceView.allocate(form, size_wh)
    for plane in surface.planes:
        plane[...] = np.random.default_rng(seed).integers(0, 256, plane.shape, np.uint8)
    return surface


@pytest.mark.parametrize(
    ("shape", "dtype", "given_wh", "size_wh", "layout", "order"),
    [
        ((1, 3, 48, 64), "float32", None, (64, 48), "NCHW", "rgb"),
        ((None, 3, None, None), "float16", (64, 48), (64, 48), "NCHW", "rgb"),
        ((None, 48, 64, 3), "uint8", None, (64, 48), "NHWC", "rgb"),
        ((None, 1, 32, 100), "float32", None, (100, 32), "NCHW", "gray"),
        ((4, 3, 48, 64), "float32", (64, 48), (64, 48), "NCHW", "rgb"),
        ((None, None, None, None), "float32", (64, 48), (64, 48), "NCHW", "rgb"),
        ((None, None, None, 640), "float32", (640, 48), (640, 48), "NCHW", "rgb"),
        ((None, None, None, 3), "float32", (64, 48), (64, 48), "NHWC", "rgb"),
    ],
)
def test_a_graph_says_what_it_reads(
    shape: Any, dtype: str, given_wh: Any, size_wh: tuple[int, int], layout: str, order: str
) -> None:
    spec = InputSpec.of_graph(TensorInfo("images", dtype, shape), given_wh)
    assert (spec.size_wh, spec.layout, spec.dtype, spec.normalization.order) == (size_wh, layout, dtype, order)


def test_bytes_stay_as_they_are_unless_said_otherwise() -> None:
    info = TensorInfo("images", "uint8", (1, 3, 16, 16))
    assert InputSpec.of_graph(info).normalization.scale == (1.0, 1.0, 1.0)
    assert InputSpec.of_graph(info, normalization=Normalization()).normalization.scale[0] == 1 / 255


@pytest.mark.parametrize(
    ("shape", "dtype", "given_wh", "message"),
    [
        ((1, 3, None, 64), "float32", None, "the graph leaves the height open; say size_wh"),
        ((1, 3, 48, 64), "float32", (64, 64), "the graph fixes the height to 48 pixels, got 64"),
        ((1, 4, 48, 64), "float32", None, "with 1 or 3 channels"),
        ((1, 3, 48), "float32", None, "expected four axes"),
        ((1, 3, 48, 64), "int64", None, "expected four axes of float16, float32, uint8"),
    ],
)
def test_a_graph_that_reads_no_pictures_is_refused(shape: Any, dtype: str, given_wh: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        InputSpec.of_graph(TensorInfo("images", dtype, shape), given_wh)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size_wh": (0, 4)}, "InputSpec.size_wh = (0, 4)"),
        ({"dtype": "float64"}, "InputSpec.dtype = 'float64': expected one of float16, float32, uint8"),
        ({"layout": "CHW"}, "InputSpec.layout = 'CHW': expected one of NCHW, NHWC"),
        ({"pad": 300}, "pad = 300"),
    ],
)
def test_what_is_no_input(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        InputSpec(**({"size_wh": (64, 48)} | fields))
    assert message in str(caught.value)


@pytest.mark.parametrize("padding", list(Padding))
def test_a_picture_is_fitted_as_the_spec_says(padding: Padding) -> None:
    spec = InputSpec((64, 64), LEVELS, padding=padding, pad=114)
    surfaces = [noise((100, 50)), noise((50, 100), VideoFormat.I420)]
    made = InputMaker(spec).of_pictures(surfaces)
    expected = to_tensor(surfaces, made.placements, LEVELS, pad=114)
    np.testing.assert_array_equal(made.tensor, expected)
    assert [p.covers_target for p in made.placements] == [padding is Padding.NONE] * 2
    assert made.kept.tolist() == [0, 1]


def test_a_fixed_batch_is_filled_with_zeros() -> None:
    maker = InputMaker(InputSpec((16, 16), LEVELS, pad=7), batch=4)
    for _ in range(2):  # the second uses the memory of the first
        made = maker.of_pictures([noise((20, 10))] * 5)
        assert made.tensor.shape == (8, 3, 16, 16)
        assert (len(made.placements), len(made.kept)) == (5, 5)
        assert isinstance(made.tensor, np.ndarray)
        assert not made.tensor[5:].any()
        maker.give_back(made)


def test_memory_that_was_given_back_is_used_again_and_no_other() -> None:
    maker = InputMaker(InputSpec((16, 16), LEVELS))
    first, second = maker.of_pictures([noise((20, 10))]), maker.of_pictures([noise((20, 10), seed=2)])
    assert not np.shares_memory(first.tensor, second.tensor)
    before = first.tensor.copy()
    maker.give_back(second)
    third = maker.of_pictures([noise((20, 10), seed=3)])
    assert np.shares_memory(second.tensor, third.tensor)
    np.testing.assert_array_equal(first.tensor, before)


sides = st.integers(2, 40).map(lambda half: 2 * half)


@st.composite
def pictures_with_boxes(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[int], list[list[float]]]:
    sizes = draw(st.lists(st.tuples(sides, sides), min_size=1, max_size=3))
    count = draw(st.integers(1, 6))
    which = draw(st.lists(st.integers(0, len(sizes) - 1), min_size=count, max_size=count))
    numbers = st.floats(-20, 100, width=32)
    boxes = draw(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=count, max_size=count))
    return sizes, which, boxes


@settings(max_examples=60)
@given(pictures_with_boxes(), st.sampled_from(list(Padding)), st.integers(1, 3))
def test_objects_of_many_pictures_are_crops_in_one_batch(
    given_pictures: tuple[list[tuple[int, int]], list[int], list[list[float]]], padding: Padding, batch: int
) -> None:
    sizes, which, boxes = given_pictures
    surfaces = [noise(size_wh, VideoFormat.NV12, seed) for seed, size_wh in enumerate(sizes)]
    made = InputMaker(InputSpec((24, 16), LEVELS, padding=padding, pad=3), batch).of_objects(surfaces, which, boxes)
    touching = [row for row, box in enumerate(boxes) if visible(sizes[which[row]], box)]
    if made is None:
        assert not touching
        return
    assert made.kept.tolist() == touching
    assert len(made.tensor) == -(-len(touching) // batch) * batch
    for picture, placement, row in zip(made.tensor, made.placements, touching, strict=False):
        size_wh = sizes[which[row]]
        left, top, width, height = placement.crop_ltwh
        x0, y0, x1, y1 = np.clip(boxes[row], 0, [*size_wh, *size_wh])
        assert (left, top, left + width, top + height) == (np.floor(x0), np.floor(y0), np.ceil(x1), np.ceil(y1))
        expected = to_tensor([surfaces[which[row]]], placement, LEVELS, pad=3)
        np.testing.assert_array_equal(picture, expected[0])


def visible(size_wh: tuple[int, int], box: list[float]) -> bool:
    x0, y0, x1, y1 = box
    return x1 - x0 >= 1 and y1 - y0 >= 1 and max(x0, 0) < min(x1, size_wh[0]) and max(y0, 0) < min(y1, size_wh[1])


def test_objects_beyond_the_limits_are_left_out() -> None:
    spec = InputSpec((16, 16), min_object_wh=(10, 5), max_object_wh=(None, 20))
    boxes = [(0, 0, 10, 5), (0, 0, 9.5, 5), (0, 0, 10, 4), (0, 0, 30, 20), (0, 0, 30, 21), (0, 0, np.nan, 9)]
    made = InputMaker(spec).of_objects([noise((40, 40))], [0] * 6, boxes)
    assert made is not None
    assert made.kept.tolist() == [0, 3]


def test_a_hook_changes_a_crop_before_it_is_scaled() -> None:
    """What it returns, of any size, stands for the box: numbers go back to where the box was."""
    seen = []

    def halve(crop: SurfaceView) -> np.ndarray[Any, Any]:
        seen.append((crop.format, crop.size_wh))
        return np.ascontiguousarray(crop.to_numpy()[::2, ::2])

    surface = noise((60, 40))
    spec = InputSpec((16, 16), LEVELS, interpolation=Interpolation.NEAREST)
    made = InputMaker(spec).of_objects([surface], [0], [(10, 8, 42, 24)], prepare_image=halve)
    assert made is not None
    assert seen == [(VideoFormat.RGBA, (32, 16))]
    placement = made.placements[0]
    assert (placement.source_wh, placement.crop_ltwh) == ((60, 40), (10, 8, 32, 16))
    np.testing.assert_allclose(unplace([placement.inner_ltwh[:2] * 2], placement)[0, :2], (10, 8))
    expected = surface.planes[0][8:24:2, 10:42:2].transpose(2, 0, 1)
    assert made.tensor.shape == (1, 3, 16, 16)
    np.testing.assert_array_equal(np.asarray(made.tensor)[0, :, 4:12], expected)


@settings(max_examples=40)
@given(st.integers(0, 30), st.integers(0, 20), st.integers(4, 30), st.integers(4, 20), st.data())
def test_a_box_of_a_crop_of_a_crop_is_found_where_it_is(
    left: int, top: int, width: int, height: int, data: st.DataObject
) -> None:
    spec = InputSpec((32, 32))
    surface = noise((60, 40))
    outer = InputMaker(spec).of_objects([surface], [0], [(left, top, left + width, top + height)])
    assert outer is not None
    inner_box = (left + 1, top + 1, left + width - 1, top + height - 1)
    inside = place([inner_box], outer.placements[0])
    inner = InputMaker(spec).of_objects([surface], [0], unplace(inside, outer.placements[0]).round(6))
    assert inner is not None
    assert inner.placements[0] == spec.place((60, 40), (left + 1, top + 1, width - 2, height - 2))


MAKER = InputMaker(InputSpec((16, 16)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MAKER.of_pictures([]), ShapeError, "expected one picture or more"),
        (lambda: MAKER.of_objects([noise((8, 8))], [0], [1, 2, 3, 4]), ShapeError, "boxes_xyxy (N, 4), got (1,) and"),
        (lambda: MAKER.of_objects([noise((8, 8))], [1], [(1, 2, 3, 4)]), ShapeError, "picture_of in 0..0, got 1..1"),
        (lambda: MAKER.of_objects([noise((8, 8))], [-1], [(1, 2, 3, 4)]), ShapeError, "picture_of in 0..0, got -1"),
    ],
)
def test_what_an_input_is_not_made_of(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_no_object_makes_no_tensor() -> None:
    assert MAKER.of_objects([noise((8, 8))], [], np.zeros((0, 4))) is None
    assert isinstance(MAKER.of_pictures([noise((8, 8))]).placements[0], Placement)


def test_memory_that_was_reserved_serves_all_tensors_that_fit() -> None:
    """The first batch of a module and the ones of fewer pictures get no new pages."""
    maker = InputMaker(InputSpec((16, 8)), batch=2)
    maker.reserve(5)
    picture = SurfaceView.allocate(VideoFormat.RGBA, (16, 8))
    places = set()
    for count in (1, 6, 3, 5):
        inputs = maker.of_pictures([picture] * count)
        assert isinstance(inputs.tensor, np.ndarray)
        assert len(inputs.tensor) == count + count % 2
        places.add(inputs.tensor.ctypes.data)
        maker.give_back(inputs)
    assert len(places) == 1
    larger = maker.of_pictures([picture] * 7)
    assert len(larger.tensor) == 8
