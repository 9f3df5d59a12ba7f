"""On a real GPU: pictures of a module's frames, wherever the frames were decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import random_surface

from picasso.module.meta import FramePixels
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement

pytestmark = pytest.mark.cuda
PLACEMENT = Placement.compute((64, 48), (40, 40))


def decoded(form: VideoFormat = VideoFormat.I420) -> SurfaceView:
    return random_surface(form, (64, 48), 3)


@pytest.mark.parametrize("form", [VideoFormat.I420, VideoFormat.NV12, VideoFormat.RGBA, VideoFormat.RGB])
@pytest.mark.parametrize("before", ["nothing", "image"])
def test_a_frame_of_the_cpu_is_uploaded_once_and_is_the_picture_of_the_host(form: VideoFormat, before: str) -> None:
    pixels = FramePixels(decoded(form), PLACEMENT)
    if before == "image":
        pixels.image()
    on_gpu = pixels.cuda()
    assert on_gpu is pixels.cuda()
    assert (on_gpu.is_cuda, on_gpu.format, on_gpu.size_wh) == (True, VideoFormat.RGBA, (40, 40))
    np.testing.assert_array_equal(on_gpu.to_numpy(), pixels.image())
    assert pixels.surface() is pixels.source


def test_a_picture_that_was_written_to_is_uploaded_again() -> None:
    pixels = FramePixels(decoded(), PLACEMENT)
    before = pixels.cuda().to_numpy()
    with pixels.edit() as image:
        image[:20] = 200
    after = pixels.cuda().to_numpy()
    assert (after[:20] == 200).all()
    np.testing.assert_array_equal(after[20:], before[20:])


def test_other_libraries_read_the_picture(request: pytest.FixtureRequest) -> None:
    cupy: Any = pytest.importorskip("cupy")
    pixels = FramePixels(decoded(), PLACEMENT)
    np.testing.assert_array_equal(cupy.asarray(pixels.cuda()).get(), pixels.image())
