"""For each kernel that transforms frames, one small picture that it serves."""

from __future__ import annotations

import functools
from itertools import product
from typing import NamedTuple

from cases import CASES, FILTERS, SOURCES, TARGETS, Case

from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.transform import Interpolation
from picasso.transform.filters import FILTERS as KERNEL_FILTERS
from picasso_kernels.cuda.kernels import KERNELS
from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.frame.pixel_formats import Picture, Plane

TENSORS = {"half": "float16", "single": "float32"}
"""What planes of numbers are called by kernels, and by everyone else."""


class Served(NamedTuple):
    """A picture, where it lands, what it becomes, and the filter."""

    source: VideoFormat
    case: Case
    target: VideoFormat | str
    """A format, or the dtype of planes of numbers."""
    filter: Interpolation
    color: ColorSpace | None = None
    """Of the target; None is that of its size."""


@functools.cache
def picture_like(form: VideoFormat, size_wh: tuple[int, int], color: ColorSpace | None = None) -> Picture:
    """Describe a picture in memory of our own."""
    return picture(SurfaceView.allocate(form, size_wh, color))


def picture(surface: SurfaceView) -> Picture:
    """Describe a host surface as the kernels' planner wants it; each of its planes counts as aligned."""
    planes = tuple(Plane(*layout[1:]) for layout in surface.plane_layout())
    color = surface.color
    name = surface.format.name()
    return Picture(name, planes, color.matrix.value, color.full_range) if color else Picture(name, planes)


def tensor_picture(form: str, size_wh: tuple[int, int]) -> Picture:
    """Describe a tensor of one picture, without gaps, that starts at a multiple of 16 bytes."""
    size = {"half": 2, "single": 4}[form]
    width, height = size_wh
    starts = [index * width * height * size % 16 for index in range(3)]
    return Picture(form, tuple(Plane(start, width * size, size, 1) for start in starts))


def kernel_of(served: Served, source: Picture | None = None) -> str:
    """Return the name of the kernel that serves a source that lies so, by default in memory of our own."""
    place = served.case.placement
    if isinstance(served.target, str):
        form = next(form for form, dtype in TENSORS.items() if dtype == served.target)
        target = tensor_picture(form, place.target_wh)
    else:
        target = picture_like(served.target, place.target_wh, served.color)
    source = source or picture_like(served.source, place.source_wh)
    filter_ = KERNEL_FILTERS[served.filter]
    return plan_frame(source, target, place.crop_ltwh, place.target_wh, place.inner_ltwh, filter_).kernel


@functools.cache
def served_by() -> dict[str, Served]:
    """Return the first picture that each kernel serves, by the kernel's name."""
    found: dict[str, Served] = {}
    other = ColorSpace(Matrix.BT709)  # so that luma and chroma are made of colours, and not of their like
    for case, form, name in product(CASES, SOURCES, FILTERS):
        ways: list[tuple[VideoFormat | str, ColorSpace | None]] = [(target, None) for target in TARGETS]
        ways += [(target, other) for target in TARGETS if target.is_yuv]
        ways += [(dtype, None) for dtype in TENSORS.values()]
        for target, color in ways:
            served = Served(form, case, target, name, color)
            found.setdefault(kernel_of(served), served)
        if len(found) == len(KERNELS):
            break
    return found
