"""Pictures and placements on which every CUDA kernel has something to do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement

Bytes = npt.NDArray[np.uint8]

SOURCES = [
    VideoFormat[name] for name in ("RGBA", "BGRA", "BGRx", "RGB", "BGR", "GRAY8", "NV12", "NV21", "I420", "UYVY")
]
TARGETS = [VideoFormat[name] for name in ("RGBA", "BGRA", "BGRx", "NV12", "NV21", "I420")]
FILTERS = [Interpolation.NEAREST, Interpolation.BILINEAR, Interpolation.AREA, Interpolation.GPU_CUBIC_VIC_5TAP]


class Case(NamedTuple):
    """One placement, and what it is for."""

    name: str
    placement: Placement


CASES = [
    Case("shrunk", Placement((24, 20), (0, 0, 24, 20), (16, 12), (0, 0, 16, 12))),
    Case("cropped into odd bars", Placement((24, 20), (4, 2, 12, 14), (20, 16), (3, 1, 13, 14))),
    Case("halved", Placement((24, 20), (0, 0, 24, 20), (12, 10), (0, 0, 12, 10))),
    Case("copied", Placement((24, 20), (0, 0, 24, 20), (24, 20), (0, 0, 24, 20))),
    Case("copied into even bars", Placement((24, 20), (0, 0, 24, 20), (24, 24), (0, 2, 24, 20))),
    Case("copied into odd bars", Placement((24, 20), (0, 0, 24, 20), (28, 24), (1, 1, 24, 20))),
    Case("shrunk to a third", Placement((24, 20), (0, 0, 24, 20), (8, 6), (0, 0, 8, 6))),
    Case("a third of the columns", Placement((28, 24), (4, 2, 24, 20), (16, 20), (4, 2, 8, 16))),
    Case("two thirds into bars of one", Placement((24, 20), (3, 2, 21, 18), (16, 14), (1, 1, 14, 12))),
    Case("one pixel stretched", Placement((8, 8), (3, 5, 1, 1), (8, 8), (2, 0, 5, 8))),
    Case("halved in eights", Placement((32, 16), (0, 0, 32, 16), (24, 12), (8, 2, 16, 8))),
    Case("two thirds in eights", Placement((56, 20), (8, 1, 48, 17), (48, 24), (8, 2, 32, 20))),
    Case("enlarged by half", Placement((28, 20), (8, 1, 16, 14), (48, 28), (12, 2, 24, 22))),
    Case("copied in eights", Placement((40, 20), (16, 2, 24, 14), (40, 20), (8, 4, 24, 14))),
    Case("five sixths", Placement((24, 20), (0, 0, 24, 20), (20, 16), (0, 0, 20, 16))),
    Case("two thirds both ways", Placement((56, 20), (8, 1, 48, 18), (48, 16), (8, 2, 32, 12))),
    Case("shrunk to a sixth", Placement((48, 36), (0, 0, 48, 36), (8, 8), (0, 1, 8, 6))),
    Case("cropped to odd sizes", Placement((24, 20), (3, 1, 11, 13), (12, 10), (1, 0, 10, 9))),
]


def random_surface(
    format: VideoFormat, size_wh: tuple[int, int], seed: int, color: ColorSpace | None = None
) -> SurfaceView:
    """Return a host surface of random bytes."""
    surface = SurfaceView.allocate(format, size_wh, color)
    generator = np.random.default_rng(seed)
    for plane in surface.planes:
        plane[...] = generator.integers(0, 256, plane.shape, np.uint8)
    return surface
