"""On a machine with two GPUs: models on either of them look at pictures of both, and of the host."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_gpus import on

sys.path.insert(0, str(Path(__file__).parents[1] / "infer"))
sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from graphs import red_squares
from model_kit import FRAME_NS, HEIGHT, SIZE, WIDTH, boxes, detector, picture, tree

from picasso.infer import Detector, available_providers
from picasso.module import Module
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView

pytestmark = pytest.mark.cuda


@pytest.fixture(scope="module", autouse=True)
def _provider() -> None:
    pytest.importorskip("onnxruntime")
    if "cuda" not in available_providers():
        pytest.skip("this ONNX Runtime has no CUDA: pip install 'picasso-engine[onnx-gpu]'")


@pytest.mark.parametrize("works", [0, 1])
@pytest.mark.parametrize("places", [(0, 0), (1, 1), (0, 1), (1, 0)], ids=str)
def test_a_detector_on_either_gpu_finds_what_is_on_either(works: int, places: tuple[int, int], streams: Any) -> None:
    pictures = []
    for number in range(4):
        pixels = np.full((96, 160, 3), (0, 0, 255), np.uint8)
        pixels[20 + 4 * number : 52 + 4 * number, 40:72] = (255, 0, 0)
        pictures.append(SurfaceView.wrap(pixels))
    model = red_squares(64, "batch")
    expected = Detector(model, provider="cpu", threads=1)(pictures)
    detector = Detector(model, provider="cuda", gpu_id=works)
    there = [on(streams[places[number % 2]], picture) for number, picture in enumerate(pictures)]
    for ours, theirs in zip(detector(there), expected, strict=True):
        assert len(theirs.xyxy) == 1
        np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=1e-3)


@pytest.mark.parametrize("works", [0, 1])
def test_the_device_of_torch_stays_current_while_models_run_on_either(works: int, streams: Any) -> None:
    torch = pytest.importorskip("torch")
    pixels = np.full((96, 160, 3), (0, 0, 255), np.uint8)
    seen: list[int] = []

    def work() -> None:
        for theirs in (0, 1):
            torch.cuda.set_device(theirs)
            detector = Detector(red_squares(64, "batch"), provider="cuda", gpu_id=works)
            seen.append(torch.cuda.current_device())
            for place in (0, 1):
                detector([on(streams[place], SurfaceView.wrap(pixels)), SurfaceView.wrap(pixels)])
                detector([on(streams[place], SurfaceView.wrap(pixels))])
            seen.append(torch.cuda.current_device())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [0, 0, 1, 1]


@pytest.mark.parametrize("works", [0, 1])
def test_a_module_whose_model_is_on_one_gpu_looks_at_frames_of_both(works: int, streams: Any, tmp_path: Path) -> None:
    element = detector(tmp_path, provider="cuda", gpu_id=works)
    with Module(tree(tmp_path, element, batch_size=3)) as module:
        for number in range(4):
            shown = SurfaceView.wrap(picture(("green", 10 + 4 * number, 20), ("red", 200, 100)))
            places = {"first": on(streams[0], shown), "second": on(streams[1], shown), "host": shown}
            for source_id, surface in places.items():
                module.send(VideoFrame(source_id, "25/1", WIDTH, HEIGHT, pts=number * FRAME_NS), surface)
        outputs = module.run()
    for number in range(4):
        left = 10 + 4 * number
        for source_id in ("first", "second", "host"):
            found = boxes(outputs[source_id][number].frame)
            assert found == {"green": (left, 20, left + SIZE, 20 + SIZE), "red": (200, 100, 232, 132)}
