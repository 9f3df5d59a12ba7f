"""Pictures of any format, stride and content, and where they land: what the laws of the transform draw from."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt

from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.surface.formats import Matrix
from picasso.transform.config import Interpolation
from picasso.transform.placement import Placement

Bytes = npt.NDArray[np.uint8]
YUV = {VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420, VideoFormat.UYVY}
READABLE = sorted(VideoFormat, key=int)
FILTERS = sorted(Interpolation, key=int)
COLORS = [ColorSpace(matrix, full) for matrix in Matrix for full in (False, True)]
GUARD = 0xA5
"""What memory around a target holds, before and after."""


def strided(array: Bytes, layout: str) -> Bytes:
    """Return an array of equal pixels that lies differently in memory."""
    rows, columns = array.shape[:2]
    rest = array.shape[2:]
    if layout == "padded":
        memory = np.full((rows, columns + 5, *rest), GUARD, np.uint8)[:, :columns]
    elif layout == "upside down":
        memory = np.full((rows, columns, *rest), GUARD, np.uint8)[::-1]
    elif layout == "mirrored":
        memory = np.full((rows, columns, *rest), GUARD, np.uint8)[:, ::-1]
    elif layout == "every second":
        memory = np.full((2 * rows, 2 * columns, *rest), GUARD, np.uint8)[::2, ::2]
    elif layout == "channels reversed":
        memory = np.full(array.shape, GUARD, np.uint8)[..., ::-1] if rest else np.full(array.shape, GUARD, np.uint8)
    else:
        memory = np.full(array.shape, GUARD, np.uint8)
    memory[...] = array
    return memory


LAYOUTS = ["tight", "padded", "upside down", "mirrored", "every second", "channels reversed"]


def surface(form: VideoFormat, size_wh: tuple[int, int], color: ColorSpace, layout: str, seed: int) -> SurfaceView:
    random = np.random.default_rng(seed)
    planes = [strided(random.integers(0, 256, shape.of(size_wh), np.uint8), layout) for shape in form.planes]
    return SurfaceView.from_planes(planes, form, size_wh, color if form.is_yuv else None)


@st.composite
def rectangles(draw: st.DrawFn, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = draw(st.integers(1, size_wh[0])), draw(st.integers(1, size_wh[1]))
    left, top = draw(st.integers(0, size_wh[0] - width)), draw(st.integers(0, size_wh[1] - height))
    return left, top, width, height


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    """Small pictures, and flat ones wide enough to fill registers."""
    small, wide, flat = (st.integers(1, most).map(lambda half: 2 * half) for most in (9, 75, 2))
    width, height = draw(st.sampled_from([(small, small), (wide, flat)]))
    source_wh, target_wh = draw(st.tuples(width, height)), draw(st.tuples(width, height))
    crop = draw(st.just((0, 0, *source_wh)) | rectangles(source_wh))
    inner = draw(st.just((0, 0, *target_wh)) | rectangles(target_wh))
    return Placement(source_wh, crop, target_wh, inner)
