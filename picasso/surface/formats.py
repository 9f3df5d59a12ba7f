"""Pixel formats, kinds of memory, and what the numbers of a YUV picture mean."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from picasso.errors import SurfaceError
from picasso.primitives.enums import NamedNativeEnum, NativeEnum, exact

MAX_SIDE: Final = 16384
"""Longest side of a surface in pixels, the limit of the video codecs."""

HD_LINES: Final = 720
"""Pictures of at least this many lines are BT.709 unless they say otherwise, smaller ones BT.601."""


class VideoFormat(NativeEnum, fold=exact):
    """How the bytes of a picture are laid out; the names are GStreamer's.

    ``RGBA BGRx BGRA RGB BGR GRAY8`` are one plane ``(H, W, channels)``, ``UYVY`` one plane of 2 bytes a pixel,
    ``NV12 NV21`` a Y plane and one of interleaved chroma, ``I420`` three planes.
    """

    RGBA = 0
    BGRx = 1
    NV12 = 2
    NV21 = 3
    I420 = 4
    UYVY = 5
    GRAY8 = 6
    RGB = 7
    BGR = 8
    BGRA = 9

    _planes: tuple[PlaneShape, ...]
    _channels: int
    _is_yuv: bool
    _units_wh: tuple[int, int]

    def name(self) -> str:  # type: ignore[override]  # the contract makes it a call, the standard library a property
        """Return the name that GStreamer gives the format, e.g. ``"BGRx"``."""
        return self._name_

    @property
    def planes(self) -> tuple[PlaneShape, ...]:
        """The planes, in the order of memory."""
        return self._planes

    @property
    def is_yuv(self) -> bool:
        """Whether the pixels are luma and chroma, whose meaning is a ``ColorSpace``."""
        return self._is_yuv

    @property
    def channels(self) -> int:
        """Bytes a pixel of a format of one plane, 0 for one of several planes."""
        return self._channels

    @property
    def color_format(self) -> int:
        """The number of the format in NVIDIA's ``NvBufSurfaceColorFormat``."""
        return _NVBUF_COLOR_FORMATS[self]

    def check_size(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Return ``size_wh`` if a picture of this format can have it.

        Raises:
            SurfaceError: A side is not in 1..16384, or is odd where chroma is shared by two pixels.
        """
        width, height = size_wh
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
            raise SurfaceError(f"width and height must be in 1..{MAX_SIDE}, got {width}x{height}")
        unit_w, unit_h = self._units_wh
        if width % unit_w or height % unit_h:
            sides = "width and height" if unit_h > 1 else "width"
            raise SurfaceError(f"{self.name()} needs an even {sides}, got {width}x{height}")
        return width, height


class PlaneShape(NamedTuple):
    """The shape of one plane beside the picture's."""

    x_shift: int
    """The plane has ``width >> x_shift`` samples a row."""
    y_shift: int
    """The plane has ``height >> y_shift`` rows."""
    channels: int
    """Bytes a sample."""

    def of(self, size_wh: tuple[int, int]) -> tuple[int, ...]:
        """Return the array's shape in a picture of this size.

        ``(rows, columns)``, with a last axis where samples have several bytes.
        """
        width, height = size_wh
        rows, columns = height >> self.y_shift, width >> self.x_shift
        return (rows, columns) if self.channels == 1 else (rows, columns, self.channels)


_LUMA = PlaneShape(0, 0, 1)
_PLANES: Final[dict[VideoFormat, tuple[PlaneShape, ...]]] = {
    VideoFormat.RGBA: (PlaneShape(0, 0, 4),),
    VideoFormat.BGRx: (PlaneShape(0, 0, 4),),
    VideoFormat.BGRA: (PlaneShape(0, 0, 4),),
    VideoFormat.RGB: (PlaneShape(0, 0, 3),),
    VideoFormat.BGR: (PlaneShape(0, 0, 3),),
    VideoFormat.GRAY8: (_LUMA,),
    VideoFormat.UYVY: (PlaneShape(0, 0, 2),),
    VideoFormat.NV12: (_LUMA, PlaneShape(1, 1, 2)),
    VideoFormat.NV21: (_LUMA, PlaneShape(1, 1, 2)),
    VideoFormat.I420: (_LUMA, PlaneShape(1, 1, 1), PlaneShape(1, 1, 1)),
}
_YUV: Final = frozenset({VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420, VideoFormat.UYVY})
for _form, _shapes in _PLANES.items():  # every frame asks: attributes cost a tenth of looking a member up
    _form._planes = _shapes
    _form._channels = 0 if len(_shapes) > 1 else _shapes[0].channels
    _form._is_yuv = _form in _YUV
    _form._units_wh = (2, 2) if len(_shapes) > 1 else (2, 1) if _form is VideoFormat.UYVY else (1, 1)
# nvbufsurface.h of the DeepStream SDK
_NVBUF_COLOR_FORMATS: Final = {
    VideoFormat.GRAY8: 1,
    VideoFormat.I420: 2,
    VideoFormat.NV12: 6,
    VideoFormat.NV21: 8,
    VideoFormat.UYVY: 10,
    VideoFormat.RGBA: 19,
    VideoFormat.BGRA: 20,
    VideoFormat.BGRx: 24,
    VideoFormat.RGB: 27,
    VideoFormat.BGR: 28,
}


class MemType(NamedNativeEnum):
    """Where the bytes of a buffer live; the numbers are NVIDIA's ``NvBufSurfaceMemType``."""

    DEFAULT = 0
    CUDA_PINNED = 1
    CUDA_DEVICE = 2
    CUDA_UNIFIED = 3
    SURFACE_ARRAY = 4
    HANDLE = 5
    SYSTEM = 6


class Matrix(Enum):
    """Which weights make luma of red, green and blue."""

    BT601 = "bt601"
    """ITU-R BT.601: Kr = 0.299, Kb = 0.114."""
    BT709 = "bt709"
    """ITU-R BT.709: Kr = 0.2126, Kb = 0.0722."""


@dataclass(frozen=True, slots=True)
class ColorSpace:
    """What the numbers of a YUV picture mean."""

    matrix: Matrix
    """How luma and chroma are made of red, green and blue."""
    full_range: bool = False
    """Luma spans 0..255 when true, 16..235 (chroma 16..240) otherwise."""

    @staticmethod
    def for_height(height: int, full_range: bool = False) -> ColorSpace:
        """Return the convention for pictures that do not say: BT.709 from a height of 720 lines up, BT.601 below.

        >>> ColorSpace.for_height(1080)
        ColorSpace(matrix=<Matrix.BT709: 'bt709'>, full_range=False)
        >>> ColorSpace.for_height(480, full_range=True)
        ColorSpace(matrix=<Matrix.BT601: 'bt601'>, full_range=True)
        """
        return _convention(Matrix.BT709 if height >= HD_LINES else Matrix.BT601, bool(full_range))


@functools.cache
def _convention(matrix: Matrix, full_range: bool) -> ColorSpace:
    """Return one and the same for all pictures: what is compared picture by picture is equal at a glance."""
    return ColorSpace(matrix, full_range)
