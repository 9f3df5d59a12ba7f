"""Pixels in host memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.testing.strategies.geometry import SizeWH, sizes

Bytes = npt.NDArray[np.uint8]
LAYOUTS = ("tight", "padded", "upside down", "mirrored", "every second")
"""How rows and samples lie in memory."""
CONTENTS = ("noise", "gradient", "flat")


def color_spaces() -> st.SearchStrategy[ColorSpace]:
    """Make a ``ColorSpace``: BT.601 or BT.709, limited or full range."""
    return st.builds(ColorSpace, st.sampled_from(list(Matrix)), st.booleans())


@st.composite
def surfaces(
    draw: st.DrawFn,
    formats: Sequence[VideoFormat] | None = None,
    size_wh: SizeWH | None = None,
    *,
    max_side: int = 64,
    layouts: Sequence[str] = LAYOUTS,
) -> SurfaceView:
    """Make a writable ``SurfaceView`` over memory of its own, in any format and any stride.

    Args:
        draw: Given by hypothesis.
        formats: Formats to choose from; by default all.
        size_wh: Width and height in pixels, even where the formats share chroma; by default any up to ``max_side``.
        max_side: Longest side in pixels where ``size_wh`` is not given, at least 2.
        layouts: How rows and samples may lie in memory: some of ``LAYOUTS``.
    """
    form = draw(st.sampled_from(list(formats or sorted(VideoFormat, key=int))))
    size_wh = size_wh or draw(sizes(1, max_side, even=form.is_yuv))
    layout, content = draw(st.sampled_from(list(layouts))), draw(st.sampled_from(CONTENTS))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    planes = [_strided(_samples(shape.of(size_wh), content, random), layout) for shape in form.planes]
    return SurfaceView.from_planes(planes, form, size_wh, draw(color_spaces()) if form.is_yuv else None)


def _samples(shape: tuple[int, ...], content: str, random: np.random.Generator) -> Bytes:
    if content == "noise":
        return np.frombuffer(random.bytes(int(np.prod(shape))), np.uint8).reshape(shape)
    start = random.integers(0, 256, shape[2:])
    if content == "flat":
        return np.full(shape, start, np.uint8)
    rows, columns = np.indices(shape[:2])
    slope = (rows + columns).reshape(*shape[:2], *[1] * (len(shape) - 2))
    samples: Bytes = ((slope + start) % 256).astype(np.uint8)
    return samples


def _strided(array: Bytes, layout: str) -> Bytes:
    """Return an array of equal samples that lies differently in memory."""
    rows, columns, *rest = array.shape
    if layout == "padded":
        memory = np.zeros((rows, columns + 5, *rest), np.uint8)[:, :columns]
    elif layout == "every second":
        memory = np.zeros((2 * rows, 2 * columns, *rest), np.uint8)[::2, ::2]
    else:
        memory = np.zeros(array.shape, np.uint8)
        memory = {"upside down": memory[::-1], "mirrored": memory[:, ::-1]}.get(layout, memory)
    memory[...] = array
    return memory
