"""On a real GPU: models read tensors where they are, and find what they find on the CPU."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "infer"))
from graphs import means, red_squares

from picasso.errors import ModelError
from picasso.infer import Detector, InputMaker, InputSpec, Session, available_providers
from picasso.surface import DeviceTensor, SurfaceView, VideoFormat
from picasso.transform import Normalization, Placement
from picasso.transform.cpu import transform

pytestmark = pytest.mark.cuda
SIDE = 64


@pytest.fixture(scope="module", autouse=True)
def _provider() -> None:
    pytest.importorskip("onnxruntime")
    if "cuda" not in available_providers():
        pytest.skip("this ONNX Runtime has no CUDA: pip install 'picasso-engine[onnx-gpu]'")


def on_device(surface: SurfaceView, gpu: Any) -> SurfaceView:
    from picasso.surface.cuda_memory import Uploader

    return Uploader(gpu.stream).upload(surface)


def scene(form: VideoFormat, *squares: tuple[int, int, int, int], size_wh: tuple[int, int] = (160, 96)) -> SurfaceView:
    """A blue picture with red rectangles."""
    picture = np.full((size_wh[1], size_wh[0], 3), (0, 0, 255), np.uint8)
    for left, top, right, bottom in squares:
        picture[top:bottom, left:right] = (255, 0, 0)
    surface = SurfaceView.allocate(form, size_wh)
    transform(SurfaceView.wrap(picture), Placement.identity(size_wh), surface)
    return surface


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_session_reads_a_tensor_where_it_is(dtype: str, gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(means(dtype=dtype), provider="cuda")
    assert (session.provider, session.on_gpu) == ("cuda", True)
    sources = [scene(VideoFormat.NV12, (8 * n, 8, 8 * n + 16, 40)) for n in range(4)]
    placement = Placement.compute((160, 96), (SIDE, SIDE))
    tensor = gpu.to_tensor([on_device(source, gpu) for source in sources], placement, dtype=dtype)
    expected = tensor.to_numpy().astype(float).mean((2, 3))
    monkeypatch.setattr(DeviceTensor, "to_numpy", lambda _self: pytest.fail("the tensor went to the host"))
    np.testing.assert_allclose(session.run(tensor)["means"], expected, rtol=2e-3)
    rows = [outputs["means"] for _, outputs in session.run_batches(tensor, at_most=2)]
    np.testing.assert_allclose(np.concatenate(rows), expected, rtol=2e-3)


def test_a_session_on_the_stream_of_the_transformer_needs_no_wait(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(means(), provider="cuda", stream=gpu.stream.address)
    source = on_device(scene(VideoFormat.RGBA, (8, 8, 40, 40)), gpu)
    expected = gpu.to_tensor([source], Placement.identity((160, 96)), dtype="float32").to_numpy().mean((2, 3))
    monkeypatch.setattr(DeviceTensor, "wait", lambda _self: pytest.fail("the host waited"))
    for _ in range(20):
        made = gpu.to_tensor([source], Placement.identity((160, 96)), dtype="float32")
        np.testing.assert_allclose(session.run(made)["means"], expected, rtol=1e-4)


@pytest.mark.parametrize("batch", ["batch", 1, 3])
def test_a_detector_finds_on_the_gpu_what_it_finds_on_the_cpu(batch: int | str, gpu: Any) -> None:
    pictures = [scene(form, (40, 20 + 4 * n, 72, 52 + 4 * n)) for n, form in enumerate(list(VideoFormat)[:4])]
    there = [on_device(picture, gpu) for picture in pictures]
    model = red_squares(SIDE, batch)
    on_cpu, on_gpu = Detector(model, provider="cpu", threads=1), Detector(model, provider="cuda")
    for ours, theirs in zip(on_gpu(there), on_cpu(pictures), strict=True):
        np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=1e-3)
    for ours, theirs in zip(on_cpu(there), on_gpu(pictures), strict=True):
        np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=1e-3)


def test_objects_of_many_pictures_are_cut_out_on_the_gpu(gpu: Any) -> None:
    pictures = [scene(VideoFormat.NV12, (8, 8, 40, 40)), scene(VideoFormat.RGBA, (90, 30, 110, 60))]
    there = [on_device(picture, gpu) for picture in pictures]
    which, boxes = [0, 1, 1], [(0, 0, 50, 50), (80, 20, 130, 70), (10, 10, 30, 40)]
    spec = InputSpec((32, 24), Normalization(), pad=114)
    ours, theirs = InputMaker(spec).of_objects(there, which, boxes), InputMaker(spec).of_objects(pictures, which, boxes)
    assert ours is not None
    assert theirs is not None
    assert isinstance(ours.tensor, DeviceTensor)
    np.testing.assert_array_equal(ours.tensor.to_numpy(), theirs.tensor)
    assert ours.placements == theirs.placements


@pytest.mark.parametrize(
    "fields", [{"layout": "NHWC"}, {"dtype": "uint8"}, {"normalization": Normalization(order="gray")}]
)
def test_what_a_gpu_does_not_make_is_made_on_the_host(fields: dict[str, Any], gpu: Any) -> None:
    picture = scene(VideoFormat.NV12, (8, 8, 40, 40))
    spec = InputSpec(**({"size_wh": (32, 24)} | fields))
    made = InputMaker(spec).of_pictures([on_device(picture, gpu)]).tensor
    np.testing.assert_array_equal(made, InputMaker(spec).of_pictures([picture]).tensor)


def test_a_tensor_on_a_gpu_is_no_input_of_a_model_on_the_cpu(gpu: Any) -> None:
    source = on_device(scene(VideoFormat.RGBA), gpu)
    tensor = gpu.to_tensor([source], Placement.identity((160, 96)), dtype="float32")
    with pytest.raises(ModelError, match="runs on the CPU, the tensor is on GPU 0"):
        Session(means(), provider="cpu").run(tensor)


def test_slices_of_a_tensor_are_its_pictures(gpu: Any) -> None:
    sources = [on_device(scene(VideoFormat.RGBA, (n, n, n + 9, n + 9)), gpu) for n in range(5)]
    tensor = gpu.to_tensor(sources, Placement.identity((160, 96)), dtype="float32")
    whole = tensor.to_numpy()
    for part in (slice(1, 3), slice(None, 2), slice(4, None), slice(-1, None), slice(2, 2)):
        np.testing.assert_array_equal(tensor[part].to_numpy(), whole[part])


def test_a_list_of_pictures_on_both_sides_is_one_batch(gpu: Any) -> None:
    """Those on the GPU are copied; each answer belongs to its picture."""
    sources = [scene(VideoFormat.RGBA, (8 * n, 8, 8 * n + 16, 40)) for n in range(4)]
    mixed = [on_device(source, gpu) if n % 2 else source for n, source in enumerate(sources)]
    maker = InputMaker(InputSpec((SIDE, SIDE)))
    tensor = maker.of_pictures(mixed).tensor
    assert isinstance(tensor, np.ndarray)
    np.testing.assert_array_equal(tensor, maker.of_pictures(sources).tensor)
