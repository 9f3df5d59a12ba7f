"""``picasso.to_tensor``: any pictures in, one tensor and where each picture lies out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import picasso as pc
from picasso.errors import ShapeError, SpecError, SurfaceError, SurfaceTypeError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Normalization, Padding, Placement

RANDOM = np.random.default_rng(4)
PICTURE = RANDOM.integers(0, 256, (36, 64, 3), np.uint8)
UNIT = np.float32(1 / 255)


def test_one_picture_of_its_own_size_is_its_planes() -> None:
    batch, placements = pc.to_tensor(PICTURE)
    assert (batch.shape, batch.dtype, placements) == ((1, 3, 36, 64), np.float32, [Placement.identity((64, 36))])
    np.testing.assert_array_equal(batch[0], PICTURE.transpose(2, 0, 1) * UNIT)


@pytest.mark.parametrize(
    "pictures",
    [
        [PICTURE, PICTURE],
        (SurfaceView.wrap(PICTURE), PICTURE),
        np.stack([PICTURE, PICTURE]),
        [np.ascontiguousarray(PICTURE[..., ::-1])[..., ::-1], PICTURE[:]],
    ],
    ids=["list of arrays", "surface and array", "batch", "strided"],
)
def test_several_pictures_are_a_batch(pictures: Any) -> None:
    batch, placements = pc.to_tensor(pictures, layout="NHWC", dtype="uint8", normalization=Normalization((1.0,) * 3))
    assert len(placements) == 2
    np.testing.assert_array_equal(batch, np.stack([PICTURE, PICTURE]))


def test_bytes_stay_as_they_are() -> None:
    batch, _ = pc.to_tensor(PICTURE, dtype=np.uint8, layout="NHWC")
    np.testing.assert_array_equal(batch[0], PICTURE)


class TorchType:
    """Prints as torch's types do; torch is too large for the tests."""

    def __str__(self) -> str:
        return "torch.float16"


@pytest.mark.parametrize("dtype", ["float16", np.float16, np.dtype(np.float16), TorchType()], ids=str)
def test_types_are_named_as_anyone_names_them(dtype: Any) -> None:
    assert pc.to_tensor(PICTURE, dtype=dtype)[0].dtype == np.float16


def test_the_type_of_a_given_array_is_the_tensors() -> None:
    out = np.empty((1, 3, 32, 32), np.float16)
    batch, _ = pc.to_tensor(PICTURE, 32, out=out)
    assert batch is out
    np.testing.assert_array_equal(out, pc.to_tensor(PICTURE, (32, 32), dtype="float16")[0])


def test_a_tensor_of_another_library_is_written_to() -> None:
    """One that lends its memory as torch does: pinned or not, it is the host's."""

    class Lent:
        def __init__(self) -> None:
            self.memory = np.zeros((1, 3, 32, 32), np.float32)
            self.dtype = TorchFloat()

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
            return self.memory

    class TorchFloat:
        def __str__(self) -> str:
            return "torch.float32"

    lent = Lent()
    assert pc.to_tensor(PICTURE, 32, out=lent)[0] is lent
    np.testing.assert_array_equal(lent.memory, pc.to_tensor(PICTURE, 32)[0])


def test_torch_takes_and_gives_tensors() -> None:
    torch = pytest.importorskip("torch")
    out = torch.empty((1, 3, 32, 32), dtype=torch.float16)
    assert pc.to_tensor(PICTURE, 32, dtype=torch.float16, out=out)[0] is out
    np.testing.assert_array_equal(out.numpy(), pc.to_tensor(PICTURE, 32, dtype="float16")[0])


@pytest.mark.parametrize(
    ("pixel_format", "array"),
    [("rgb", PICTURE), ("bgr", PICTURE[..., ::-1]), ("gray", PICTURE[..., 0])],
)
def test_arrays_are_what_is_said_of_them(pixel_format: str, array: np.ndarray[Any, Any]) -> None:
    batch, _ = pc.to_tensor(array, pixel_format=pixel_format)
    expected = PICTURE if pixel_format != "gray" else PICTURE[..., :1].repeat(3, axis=2)
    np.testing.assert_array_equal(batch[0], expected.transpose(2, 0, 1) * UNIT)


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(list(Padding)),
    st.lists(st.floats(-9, 99), min_size=4, max_size=4),
)
def test_boxes_go_back_where_they_came_from(width: int, height: int, padding: Padding, box: list[float]) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    _, (placement,) = pc.to_tensor(picture, (32, 24), padding=padding)
    assert (placement.source_wh, placement.target_wh) == ((width, height), (32, 24))
    np.testing.assert_allclose(pc.unplace(pc.transform.place([box], placement), placement)[0], box, atol=1e-6)


def test_pixels_that_are_not_square_are_made_square() -> None:
    surface = SurfaceView.allocate(VideoFormat.I420, (720, 576)).with_sample_aspect_ratio(Fraction(64, 45))
    _, (placement,) = pc.to_tensor(surface, (1024, 1024))
    assert placement.pads_ltrb == (0, 224, 0, 224)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pc.to_tensor([]), ShapeError, "expected one picture or more, got none"),
        (lambda: pc.to_tensor([PICTURE, PICTURE[:20]]), ShapeError, "several sizes, [(64, 20), (64, 36)]; say size"),
        (lambda: pc.to_tensor(PICTURE.astype(float)), SurfaceError, "uint8"),
        (lambda: pc.to_tensor(PICTURE, dtype="int8"), SpecError, "'int8': expected one of float16, float32, uint8"),
        (
            lambda: pc.to_tensor(PICTURE, pixel_format="yuv"),
            SpecError,
            "'yuv': expected one of rgb, bgr",
        ),
        (lambda: pc.to_tensor(PICTURE, 0), SpecError, "size_wh = (0, 0)"),
        (lambda: pc.to_tensor(PICTURE, out=np.zeros((3, 36, 64), np.float32)), ShapeError, "expected out of shape"),
    ],
)
def test_what_makes_no_tensor(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_what_a_reader_gives_and_a_generator_are_pictures(tmp_path: Path) -> None:
    pc.write_video(tmp_path / "in.mp4", [PICTURE] * 4)
    with pc.VideoReader(tmp_path / "in.mp4") as reader:
        surfaces = [surface for _, surface in reader.frames()]
        expected, places = pc.to_tensor(surfaces, 32)
        for pictures in (reader[:], list(reader[:]), (surface for _, surface in reader[:])):
            batch, placements = pc.to_tensor(pictures, 32)
            np.testing.assert_array_equal(batch, expected)
            assert placements == places
        np.testing.assert_array_equal(pc.to_tensor(reader[2], 32)[0], expected[2:3])


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ("street.png", "got str; VideoReader opens files, pictures too"),
        (pc.VideoFrame("cam", "30/1", 8, 8), "got VideoFrame; a VideoReader gives frames and their pixels"),
    ],
    ids=["path", "frame"],
)
def test_what_holds_no_pixels_says_where_they_are(pictures: Any, words: str) -> None:
    with pytest.raises(SurfaceTypeError, match=words):
        pc.to_tensor(pictures, 32)
