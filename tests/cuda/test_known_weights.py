"""Kernels whose weights are known when they are compiled write what the CPU writes, wherever the picture lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import random_surface
from every_kernel import picture
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import transform
from picasso_kernels.cuda.frame_table import ADDRESSES, FrameRow
from picasso_kernels.cuda.instructions import HostMemory
from picasso_kernels.cuda.kernels import KERNELS
from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.cuda.rewrite import bind

FORMATS = st.sampled_from([VideoFormat[name] for name in ("NV12", "NV21", "RGB", "BGR", "RGBA", "BGRx")])
TARGETS = st.sampled_from([VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.NV12, VideoFormat.NV21])


def run_threads(source: SurfaceView, place: Placement, target: SurfaceView) -> str:
    """Run the threads of the kernel that serves a transform one after the other; return its reader's name."""
    known = picture(source), picture(target), place.crop_ltwh, place.target_wh, place.inner_ltwh
    plan = plan_frame(*known, "bilinear")
    read, written = source.plane_layout(), target.plane_layout()
    values: list[Any] = list(plan.row.item())
    for index, where in enumerate(plan.sources):
        values[index] = HostMemory(read[where.plane].memory, read[where.plane].base + where.shift)
    for index, where in enumerate(plan.targets):
        values[3 + index] = HostMemory(written[where.plane].memory, where.shift)
    for index in range(6, ADDRESSES):
        values[index] = HostMemory(plan.tables, values[index])
    kernel, frame = KERNELS[plan.kernel], FrameRow(*values)
    thread = bind(kernel.write, kernel.parts)
    columns, rows = plan.blocks
    for row in range(rows + 1):
        for column in range(columns + 1):
            thread(frame, column, row)
    return plan.kernel.partition("_to_")[0]


def check(form: VideoFormat, place: Placement, into: VideoFormat, seed: int) -> str:
    """Compare a transform with the CPU's; return the reader's name."""
    source = random_surface(form, place.source_wh, seed)
    target, expected = (random_surface(into, place.target_wh, seed + 1) for _ in range(2))
    transform(source, place, expected, Interpolation.BILINEAR)
    reader = run_threads(source, place, target)
    np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())
    return reader


def reader_of(ratio: str, form: VideoFormat, into: VideoFormat) -> str:
    """Return the reader of a picture of this ratio: known weights, except pixels that become pixels."""
    if form.is_yuv:
        return f"planes_{ratio}" if into.is_yuv else f"nv12_{ratio}"
    is_rgb = form.channels == 3
    if is_rgb:
        return f"rgb_{ratio}" if into.is_yuv else "rgb_fours"
    return "words_twos" if ratio == "twos" else "words_bilinear"


@pytest.mark.parametrize(("ratio", "taken", "made"), [("threes", 12, 8), ("twos", 8, 12)])
@given(form=FORMATS, into=TARGETS, data=st.data())
@settings(max_examples=40, deadline=None)
def test_two_thirds_and_three_halves_of_a_picture_are_those_of_the_cpu(
    ratio: str, taken: int, made: int, form: VideoFormat, into: VideoFormat, data: st.DataObject
) -> None:
    groups, before, behind = (data.draw(st.integers(low, 2)) for low in (1, 0, 0))
    left, top, right = 4 * data.draw(st.integers(0, 2)), data.draw(st.integers(0, 3)), data.draw(st.integers(0, 4))
    height, rows, above = data.draw(st.integers(2, 9)), data.draw(st.integers(1, 4)), data.draw(st.integers(0, 2))
    down = 2 if form.is_yuv and into.is_yuv else 1
    source_wh = left + taken * groups + right + (left + right) % 2, 2 * (top + height)
    inner = made * before, down * above, made * groups, down * rows
    target_wh = made * (before + groups + behind), 2 * (above + rows)
    place = Placement(source_wh, (left, top, taken * groups, height), target_wh, inner)
    assert check(form, place, into, 3) == reader_of(ratio, form, into)


@given(FORMATS, TARGETS, st.data())
@settings(max_examples=30, deadline=None)
def test_a_picture_of_the_same_size_is_that_of_the_cpu(
    form: VideoFormat, into: VideoFormat, data: st.DataObject
) -> None:
    groups, before, behind = (data.draw(st.integers(low, 2)) for low in (1, 0, 0))
    left, top, right = 8 * data.draw(st.integers(0, 1)), data.draw(st.integers(0, 3)), data.draw(st.integers(0, 2))
    height, above, below = 2 * data.draw(st.integers(1, 4)), data.draw(st.integers(0, 2)), data.draw(st.integers(0, 1))
    source_wh = left + 8 * (groups + right), 2 * (top + height)
    target_wh, inner = (8 * (before + groups + behind), 2 * (above + below) + height), (8 * before, 2 * above)
    place = Placement(source_wh, (left, top, 8 * groups, height), target_wh, (*inner, 8 * groups, height))
    copied = "planes_near" if top % 2 else "planes_copied"
    kind = copied if into.is_yuv else "nv12_copied"
    assert check(form, place, into, 5) == (
        kind if form.is_yuv else "rgb_copied" if form.channels == 3 else "words_copied"
    )
