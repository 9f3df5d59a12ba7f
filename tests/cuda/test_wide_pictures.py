"""Threads that change words with others of their warp write what the CPU writes, in pictures wider than a warp."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import random_surface

from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement
from picasso.transform.cpu import transform

pytestmark = pytest.mark.cuda

WIDE = {
    "two thirds": Placement((1920, 36), (0, 0, 1920, 36), (1280, 24), (0, 0, 1280, 24)),
    "two thirds, bars": Placement((1440, 36), (0, 0, 1440, 36), (1280, 30), (160, 2, 960, 26)),
    "two thirds, an odd number of groups": Placement((1316, 30), (4, 2, 1308, 28), (872, 22), (0, 0, 872, 22)),
    "two thirds, bars of an odd number": Placement((840, 30), (0, 0, 840, 30), (600, 22), (24, 2, 560, 18)),
    "enlarged by half": Placement((1280, 24), (0, 0, 1280, 24), (1920, 36), (0, 0, 1920, 36)),
    "enlarged by half, bars": Placement((1288, 24), (4, 1, 1280, 22), (1968, 40), (12, 4, 1920, 34)),
    "enlarged by half, an odd number of groups": Placement((1032, 24), (0, 0, 1032, 24), (1548, 38), (0, 0, 1548, 38)),
    "the same size": Placement((1928, 24), (8, 2, 1920, 20), (1920, 20), (0, 0, 1920, 20)),
    "the same size, bars": Placement((1000, 24), (0, 0, 1000, 24), (1064, 28), (32, 2, 1000, 24)),
}


@pytest.mark.parametrize("into", ["RGBA", "NV12"])
@pytest.mark.parametrize("form", ["NV12", "NV21", "RGB", "BGRA"])
@pytest.mark.parametrize("place", WIDE.values(), ids=WIDE)
def test_a_wide_picture_has_the_bits_of_the_cpu(place: Placement, form: str, into: str, gpu: Any) -> None:
    from picasso.surface.cuda_memory import Uploader, allocate_on_device
    from picasso.transform.cuda import Job

    sources = [random_surface(VideoFormat[form], place.source_wh, seed) for seed in (3, 5)]
    expected = [SurfaceView.allocate(VideoFormat[into], place.target_wh) for _ in sources]
    for source, made in zip(sources, expected, strict=True):
        transform(source, place, made)
    there = [Uploader(gpu.stream).upload(source) for source in sources]
    targets = [allocate_on_device(VideoFormat[into], place.target_wh, gpu.stream) for _ in range(3)]
    for target in targets:
        target.memset(0xA5)
    gpu.transform(there[0], place, targets[2])
    gpu.transform_batch([Job(a, place, b) for a, b in zip(there, targets[:2], strict=True)])
    for target, made in zip(targets, [*expected, expected[0]], strict=True):
        np.testing.assert_array_equal(target.to_numpy(), made.to_numpy())
