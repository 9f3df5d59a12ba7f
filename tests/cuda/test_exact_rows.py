"""NV12 that becomes numbers by rows whose blending loses nothing has the numbers of the CPU, wherever it lands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import random_surface
from every_kernel import picture, tensor_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.surface import VideoFormat
from picasso.transform import Normalization, Placement
from picasso.transform.tensor import to_tensor
from picasso_kernels.cuda.frame_table import ADDRESSES, FrameRow
from picasso_kernels.cuda.instructions import HostMemory
from picasso_kernels.cuda.kernels import KERNELS
from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.cuda.rewrite import bind

SCALE, BIAS, PAD = (1 / 58.4, 0.0171, 1 / 57.1), (-2.12, -2.04, -1.8), (114, 7, 200)
ROWS = st.sampled_from([(20, 16), (10, 16), (16, 16), (27, 16), (40, 16), (12, 16)])
"""Rows of the source, and as many of the target: weights of 2048ths are multiples of 16."""


def numbers_of(form: VideoFormat, place: Placement, dtype: str, seed: int) -> tuple[str, bool]:
    """Run the threads that make planes of numbers; return the reader's name, and whether the CPU's are the same."""
    source = random_surface(form, place.source_wh, seed)
    width, height = place.target_wh
    made = np.full((3, height, width), np.nan, dtype)
    target = tensor_picture({"float16": "half", "float32": "single"}[dtype], place.target_wh)
    plan = plan_frame(
        picture(source), target, place.crop_ltwh, place.target_wh, place.inner_ltwh, "bilinear", (SCALE, BIAS), PAD
    )
    values: list[Any] = list(plan.row.item())
    layouts = source.plane_layout()
    for index, where in enumerate(plan.sources):
        values[index] = HostMemory(layouts[where.plane].memory, layouts[where.plane].base + where.shift)
    for index, where in enumerate(plan.targets):
        values[3 + index] = HostMemory(made[where.plane].reshape(-1).view(np.uint8), where.shift)
    for index in range(6, ADDRESSES):
        values[index] = HostMemory(plan.tables, values[index])
    kernel, frame = KERNELS[plan.kernel], FrameRow(*values)
    thread = bind(kernel.write, kernel.parts)
    columns, rows = plan.blocks
    for row in range(rows + 1):
        for column in range(columns + 1):
            thread(frame, column, row)
    expected = to_tensor([source], place, Normalization(SCALE, BIAS), dtype=dtype, pad=PAD)[0]
    return plan.kernel.partition("_to_")[0], bool((made == expected).all())


@settings(max_examples=25, deadline=None)
@given(
    form=st.sampled_from([VideoFormat.NV12, VideoFormat.NV21]),
    rows=ROWS,
    left=st.integers(0, 2),
    top=st.integers(0, 2),
    group=st.integers(1, 3),
    across=st.sampled_from([1, 2, 3, 4, 5, 6, 9, 12]),
    start=st.integers(0, 2),
    dtype=st.sampled_from(["float16", "float32"]),
    seed=st.integers(0, 99),
)
def test_numbers_of_luma_and_chroma_are_those_of_the_cpu(
    form: VideoFormat,
    rows: tuple[int, int],
    left: int,
    top: int,
    group: int,
    across: int,
    start: int,
    dtype: str,
    seed: int,
) -> None:
    """``across`` columns of the source are four of the target: enlarged, as they are, by two and by three to one."""
    size, crop = (4 * left + across * group + 4, 2 * top + rows[0] + 2), (4 * left, 2 * top, across * group, rows[0])
    size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
    inner = (4 * start, 2, 4 * group, rows[1])
    _, same = numbers_of(form, Placement(size, crop, (4 * start + 4 * group + 4, rows[1] + 3), inner), dtype, seed)
    assert same


@pytest.mark.parametrize(
    ("crop", "inner", "reader"),
    [
        ((4, 2, 24, 20), (4, 2, 8, 16), "nv12_middles"),
        ((6, 2, 24, 20), (4, 2, 8, 16), "nv12_exact"),
        ((4, 2, 20, 20), (4, 2, 8, 16), "nv12_exact"),
        ((4, 2, 24, 18), (4, 2, 8, 13), "nv12_words"),
    ],
)
def test_each_reader_of_four_has_pictures(crop: Any, inner: Any, reader: str) -> None:
    placement = Placement((32, 24), crop, (16, 20), inner)
    assert [numbers_of(VideoFormat.NV12, placement, dtype, 3) for dtype in ("float16", "float32")] == [
        (reader, True)
    ] * 2
