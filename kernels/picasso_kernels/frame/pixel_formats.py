"""Pixel formats as the kernels see them: each is one to three components, strided samples in flat memory."""

from __future__ import annotations

from typing import Final, NamedTuple

from picasso_kernels.frame.job import Read

PIXEL_FORMATS: Final = {"RGBA": 4, "BGRA": 4, "BGRx": 4, "RGB": 3, "BGR": 3}
"""Bytes a pixel of the formats of interleaved channels."""
PLANAR_TARGETS: Final = frozenset({"NV12", "NV21", "I420"})
SOURCES: Final = frozenset(PIXEL_FORMATS) | PLANAR_TARGETS | {"GRAY8", "UYVY"}
"""Formats that can be read."""
TARGETS: Final = frozenset(PIXEL_FORMATS) | PLANAR_TARGETS
"""Formats that can be written."""
NUMBER_BYTES: Final = {"float32": 4, "float16": 2, "uint8": 1}
"""Bytes a number of a tensor, by NumPy's name of its type."""
TENSORS: Final = {f"{order}-{dtype}": size for order in ("RGB", "BGR", "GREY") for dtype, size in NUMBER_BYTES.items()}
"""Bytes a number of the tensors that can be written, by the order of their channels and the type of their numbers.

A tensor is one plane, whose channels lie ``lane_step`` bytes apart; those of grey lie on each other.
"""


class Plane(NamedTuple):
    """Byte ``c`` of the sample at ``(x, y)`` is ``memory[base + y * pitch + x * step + c * lane_step]``."""

    base: int
    pitch: int
    step: int
    lane_step: int


class Picture(NamedTuple):
    """Everything about a picture but its memory."""

    format: str
    """GStreamer's name of the pixel format."""
    planes: tuple[Plane, ...]
    matrix: str = "bt601"
    """YUV matrix, ``bt601`` or ``bt709``; of no meaning for RGB."""
    full_range: bool = False

    @property
    def is_yuv(self) -> bool:
        """Whether it is made of luma and chroma."""
        return self.format not in PIXEL_FORMATS and self.format != "GRAY8"

    @property
    def is_blue_first(self) -> bool:
        """Whether blue lies where RGBA has red."""
        return self.format.startswith("BGR")


class Samples(NamedTuple):
    """Where one component lies."""

    plane: int
    """Index of the plane."""
    shift: int
    """Bytes from the plane's first sample to the component's."""
    step: int
    """Bytes from a sample to the next."""
    unit_x: int
    """Luma pixels that a sample covers across, 1 or 2."""
    unit_y: int
    """Luma pixels that a sample covers down, 1 or 2."""
    lanes: int = 1
    """Channels that are read together: 4 for pixels."""
    read: Read = Read.TIGHT
    """How the kernel reads them."""


def list_components(source: Picture) -> list[Samples]:
    """Say where the components of a picture lie: its pixels, its grey, or its Y, U and V."""
    first = source.planes[0]
    if source.format in PIXEL_FORMATS:
        tight = first.step == 4 and first.lane_step == 1
        read = Read.OPAQUE if PIXEL_FORMATS[source.format] == 3 else Read.TIGHT if tight else Read.PIXELS
        return [Samples(0, 0, first.step, 1, 1, 4, read)]
    if source.format == "UYVY":
        places = [
            (0, first.lane_step, first.step, 1, 1),
            (0, 0, 2 * first.step, 2, 1),
            (0, first.step, 2 * first.step, 2, 1),
        ]
    elif source.format == "I420":
        places = [(index, 0, plane.step, 1 + (index > 0), 1 + (index > 0)) for index, plane in enumerate(source.planes)]
    elif source.format == "GRAY8":
        places = [(0, 0, first.step, 1, 1)]
    else:
        pair = source.planes[1]
        u, v = (0, pair.lane_step) if source.format == "NV12" else (pair.lane_step, 0)
        places = [(0, 0, first.step, 1, 1), (1, u, pair.step, 2, 2), (1, v, pair.step, 2, 2)]
    return [Samples(*place, read=Read.TIGHT if place[2] == 1 else Read.SAMPLES) for place in places]
