"""On a real GPU: models of a module look at frames that lie there, on the GPU or, where they run on the CPU, copied."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from model_kit import COLORS, FRAME_NS, HEIGHT, SIZE, WIDTH, boxes, detector, picture, shades, tree

from picasso.infer import available_providers
from picasso.module import Module
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView

pytestmark = pytest.mark.cuda


@pytest.fixture(scope="module")
def uploader() -> Iterator[Any]:
    from picasso.surface.cuda_memory import Uploader
    from picasso.transform.cuda import CudaTransformer

    transformer = CudaTransformer()
    yield Uploader(transformer.stream)
    transformer.close()


@pytest.fixture(params=["cpu", "cuda"])
def provider(request: pytest.FixtureRequest) -> str:
    pytest.importorskip("onnxruntime")
    if request.param not in available_providers():
        pytest.skip(f"this ONNX Runtime has no {request.param}")
    return str(request.param)


def test_frames_of_the_gpu_and_of_the_host_are_looked_at_in_one_batch(
    provider: str, uploader: Any, tmp_path: Path
) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades())
    second = {
        "element": "nvinfer@classifier",
        "name": "shades",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "shades.onnx",
            "provider": provider,
            "input": {"object": "squares.green", "scale_factor": 1 / 255},
            "output": {"attributes": [{"name": "shade", "labels": list(COLORS)}]},
        },
    }
    elements = [detector(tmp_path, provider=provider), second, {"element": "nvtracker"}]
    with Module(tree(tmp_path, *elements, batch_size=2)) as module:
        for number in range(4):
            shown = SurfaceView.wrap(picture(("green", 10 + 4 * number, 20), ("red", 200, 100)))
            for source_id, surface in (("gpu", uploader.upload(shown)), ("host", shown)):
                module.send(VideoFrame(source_id, "25/1", WIDTH, HEIGHT, pts=number * FRAME_NS), surface)
        outputs = module.run()
    for number in range(4):
        for source_id in ("gpu", "host"):
            frame = outputs[source_id][number].frame
            left = 10 + 4 * number
            assert boxes(frame) == {"green": (left, 20, left + SIZE, 20 + SIZE), "red": (200, 100, 232, 132)}
            said = {
                one.label: [meta.value for meta in one.get_attr_meta_list("shades", "shade")] for one in frame.objects
            }
            assert said == {"green": ["green"], "red": []}
            assert all(one.is_tracked for one in frame.objects)
