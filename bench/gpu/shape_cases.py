"""Shapes that users have: where pictures come from, where they land, how they lie in memory, which kernel serves them.

python bench/gpu/shape_cases.py         says which kernels run where; needs no GPU
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import NamedTuple

from picasso.surface import ColorSpace, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.filters import FILTERS
from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.frame.pixel_formats import Picture, Plane

_ALIGNMENT = 256
"""Of pictures in memory."""


class Shape(NamedTuple):
    """One placement, and how rows of the source lie in memory."""

    name: str
    placement: Placement
    row_unit: int = 64
    """Rows start at multiples of this many bytes; 64 is what ``SurfaceView.allocate`` does, 1 what torch does."""
    more_rows: int = 0
    """Rows between luma and chroma, as decoders leave them that work on blocks of 16."""


def _fit(name: str, source_wh: tuple[int, int], target_wh: tuple[int, int], **how: int) -> Shape:
    return Shape(name, Placement.compute(source_wh, target_wh), **how)


def _crop(name: str, crop: tuple[int, int, int, int], target_wh: tuple[int, int]) -> Shape:
    return Shape(name, Placement((1920, 1080), crop, target_wh, (0, 0, *target_wh)))


SHAPES = [
    _fit("1080p to 720p", (1920, 1080), (1280, 720)),
    _fit("1080p to 1080p", (1920, 1080), (1920, 1080)),
    _fit("720p to 1080p", (1280, 720), (1920, 1080)),
    _fit("1440×1080 to 720p, bars", (1440, 1080), (1280, 720)),
    _fit("4K to 1080p", (3840, 2160), (1920, 1080)),
    _fit("4K to 720p", (3840, 2160), (1280, 720)),
    _fit("4K to 640², bars", (3840, 2160), (640, 640)),
    _fit("1080p to 640², bars", (1920, 1080), (640, 640)),
    _fit("1080p to 854×480", (1920, 1080), (854, 480)),
    _fit("phone 1080×1920 to 720p, bars", (1080, 1920), (1280, 720)),
    _fit("640×480 to 640², bars", (640, 480), (640, 640)),
    _fit("854×480 to 720p, rows tight", (854, 480), (1280, 720), row_unit=1),
    _fit("1366×768 to 720p", (1366, 768), (1280, 720)),
    _fit("1080p of a decoder to 720p", (1920, 1080), (1280, 720), row_unit=2048, more_rows=8),
    _crop("801×601 at (333, 175) to 640×480", (333, 175, 801, 601), (640, 480)),
    _crop("200×100 at (611, 333) to 224²", (611, 333, 200, 100), (224, 224)),
]
ALL = (Interpolation.BILINEAR, Interpolation.AREA, Interpolation.NEAREST)
ROWS = [
    *[("RGBA", "NV12", how) for how in ALL],
    *[("RGBA", "RGBA", how) for how in ALL],
    *[("NV12", "NV12", how) for how in ALL],
    *[("NV12", "RGBA", how) for how in ALL],
    *[("RGB", "NV12", how) for how in ALL],
    ("NV12", "float16", Interpolation.BILINEAR),
    ("RGB", "float16", Interpolation.BILINEAR),
]
"""Source, target and filter."""
NUMBERS = {"float16": 2, "float32": 4}
"""Bytes of a number of planes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture in memory: offset, shape and strides of each plane."""

    format: VideoFormat
    size_wh: tuple[int, int]
    planes: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]
    size: int
    """Bytes to the next picture."""

    @classmethod
    def of(cls, form: VideoFormat, size_wh: tuple[int, int], row_unit: int = 64, more_rows: int = 0) -> Layout:
        """Lay out packed pixels, or luma and pairs of chroma."""
        width = size_wh[0] * (form.channels or 1)
        pitch = -(-width // row_unit) * row_unit
        planes, offset = [], 0
        for plane in form.planes:
            shape = plane.of(size_wh)
            planes.append((offset, shape, (pitch, plane.channels, 1)[: len(shape)]))
            offset += pitch * (shape[0] + more_rows)
        return cls(form, size_wh, tuple(planes), -(-offset // _ALIGNMENT) * _ALIGNMENT)

    @property
    def picture(self) -> Picture:
        """The layout as the kernels' planner wants it."""
        planes = tuple(Plane(offset % 16, strides[0], strides[1], 1) for offset, _, strides in self.planes)
        name = self.format.name()
        if self.format.channels:
            return Picture(name, planes)
        color = ColorSpace.for_height(self.size_wh[1])
        return Picture(name, planes, color.matrix.value, color.full_range)


def tensor_picture(size_wh: tuple[int, int], dtype: str) -> Picture:
    """Describe three planes of numbers without gaps."""
    size = NUMBERS[dtype]
    return Picture({"float16": "half", "float32": "single"}[dtype], (Plane(0, size_wh[0] * size, size, 1),) * 3)


def kernel_of(shape: Shape, source: Layout, target: Layout | str, how: Interpolation) -> str:
    """Return the name of the kernel that serves a cell."""
    place = shape.placement
    picture = tensor_picture(place.target_wh, target) if isinstance(target, str) else target.picture
    arguments = (picture, place.crop_ltwh, place.target_wh, place.inner_ltwh, FILTERS[how])
    return plan_frame(source.picture, *arguments).kernel


def layouts(shape: Shape, source: str, target: str) -> tuple[Layout, Layout | str]:
    """Return how source and target lie in memory; planes of numbers are a name."""
    place = shape.placement
    made = target if target in NUMBERS else Layout.of(VideoFormat[target], place.target_wh)
    return Layout.of(VideoFormat[source], place.source_wh, shape.row_unit, shape.more_rows), made


def rows_with(words: list[str]) -> list[tuple[str, str, Interpolation]]:
    """Return the rows that have all words, such as ``NV12`` and ``area``."""
    return [row for row in ROWS if set(words) <= {row[0], row[1], row[2].name.lower()}]


def list_kernels(words: list[str]) -> dict[str, list[str]]:
    """Return where each kernel runs, in the rows that have all words."""
    found: dict[str, list[str]] = {}
    for source, target, how in rows_with(words):
        for shape in SHAPES:
            name = kernel_of(shape, *layouts(shape, source, target), how)
            found.setdefault(name, []).append(f"{source} to {target}, {how.name.lower()}: {shape.name}")
    return found


if __name__ == "__main__":
    for kernel, work in sorted(list_kernels(sys.argv[1:]).items()):
        print(f"{kernel}\n    " + "\n    ".join(work))
