"""Decoded frames as surfaces: the decoder's planes where we can read them, converted by FFmpeg where not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
from av.video.reformatter import VideoReformatter

from picasso.errors import MediaError
from picasso.media.filters import FilterChain, is_wide, tone_mapping, turning
from picasso.primitives.orientation import UPRIGHT, Orientation
from picasso.surface import ColorSpace, Matrix, PlaneLayout, SurfaceView, VideoFormat
from picasso.surface.pixels import Pixels, pixels_of
from picasso.surface.view import view_over

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

    from picasso.surface.planes import Bytes

PixelFormat = Literal["native", "rgb", "bgr", "rgba", "gray"]
"""``native``: as decoded, where a surface can be so; the others: always converted, ``gray`` to luma of full range."""

_NATIVE: Final = {
    "yuv420p": VideoFormat.I420,
    "yuvj420p": VideoFormat.I420,
    "nv12": VideoFormat.NV12,
    "nv21": VideoFormat.NV21,
    "uyvy422": VideoFormat.UYVY,
    "rgb24": VideoFormat.RGB,
    "bgr24": VideoFormat.BGR,
    "rgba": VideoFormat.RGBA,
    "bgra": VideoFormat.BGRA,
    "bgr0": VideoFormat.BGRx,
}
_WANTED: Final = {
    "native": VideoFormat.RGBA,
    "rgba": VideoFormat.RGBA,
    "rgb": VideoFormat.RGB,
    "bgr": VideoFormat.BGR,
    "gray": VideoFormat.GRAY8,
}
"""What pictures become that are converted."""
_FFMPEG_NAMES: Final = {
    VideoFormat.RGBA: "rgba",
    VideoFormat.RGB: "rgb24",
    VideoFormat.BGR: "bgr24",
    VideoFormat.GRAY8: "gray",
}
# AVColorSpace and AVColorRange of libavutil/pixfmt.h, numbered as in ITU-T H.273
_UNSPECIFIED: Final = 2
_MATRICES: Final = {1: Matrix.BT709, 5: Matrix.BT601, 6: Matrix.BT601}
_CODES: Final = {Matrix.BT709: 1, Matrix.BT601: 5}
_LIMITED, _FULL = 1, 2
_kind_of: Final = attrgetter(
    "format.name", "width", "height", "colorspace", "color_range", "color_trc", "color_primaries"
)
"""What decides how a frame becomes a surface."""
_Array, _array_over, _BYTE = np.ndarray, np.frombuffer, np.dtype(np.uint8)


def color_of(frame: VideoFrame) -> ColorSpace | None:
    """Return what the numbers of a YUV frame mean, None for RGB and for spaces that a surface cannot name.

    A frame that does not say is BT.709 from 720 lines up, BT.601 below; limited range unless it says full.
    """
    if frame.format.is_rgb:
        return None
    full_range = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
    if frame.colorspace == _UNSPECIFIED:
        return ColorSpace.for_height(frame.height, full_range)
    matrix = _MATRICES.get(frame.colorspace)
    return matrix and ColorSpace(matrix, full_range)


class _Recipe(NamedTuple):
    """What happens to frames that are alike."""

    steps: tuple[Callable[[VideoFrame], VideoFrame], ...]
    """What makes of them what a surface can hold, upright; none where they are that."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the planes, as arrays."""
    same: tuple[object, ...]
    """What the pixels of surfaces are, except the planes."""


class PictureWrapper:
    """Makes surfaces of decoded frames. Belongs to one thread, as its converter does."""

    def __init__(self, pixel_format: PixelFormat = "native", *, tone_map: bool = True, threads: int = 1) -> None:
        """Choose what to make.

        Args:
            pixel_format: What pixels become.
            tone_map: Whether pictures of high dynamic range, or of wider colours, become BT.709.
            threads: Threads of the tone mapping, 0 for one a core.

        Raises:
            ValueError: An unknown ``pixel_format``.
        """
        if pixel_format not in _WANTED:
            raise ValueError(f"pixel_format {pixel_format!r}: expected one of {', '.join(_WANTED)}")
        self._native = pixel_format == "native"
        self._form = _WANTED[pixel_format]
        self._tone_map = tone_map
        self._threads = threads
        self._orientation = UPRIGHT
        self._sample_aspect_ratio = Fraction(1)
        self._reformatter = VideoReformatter()
        self._kind: tuple[object, ...] = ()
        self._recipe: _Recipe

    def show(self, orientation: Orientation, sample_aspect_ratio: Fraction) -> None:
        """Turn pictures from now on, and say what the shape of a pixel is after that."""
        self._orientation, self._sample_aspect_ratio, self._kind = orientation, sample_aspect_ratio, ()

    def wrap(self, frame: VideoFrame) -> SurfaceView:
        """Return a read-only surface.

        Its planes are the decoder's own, without a copy, where they are 8 bit 4:2:0, UYVY or RGB and upright. Other YUV
        becomes I420, and a picture that has an odd size, an alpha channel or an unusual colour space RGBA.

        Raises:
            MediaError: FFmpeg cannot turn it, or map its tones; or planes are missing.
        """
        kind = _kind_of(frame)
        if kind != self._kind:
            self._recipe, self._kind = self._choose(frame), kind
        steps, shapes, same = self._recipe
        for step in steps:
            frame = step(frame)
        found = frame.planes
        if len(found) != len(shapes):
            raise MediaError(f"a picture has {len(found)} planes where {len(shapes)} are expected")
        planes, layout = zip(*map(_plane, found, shapes), strict=True)
        return view_over(SurfaceView, tuple.__new__(Pixels, (planes, *same)), layout)

    def _choose(self, frame: VideoFrame) -> _Recipe:
        """Decide what a frame and those like it become, by taking it through each step."""
        steps: list[Callable[[VideoFrame], VideoFrame]] = []
        if self._tone_map and is_wide(frame):
            steps.append(FilterChain(frame, tone_mapping(), self._threads))
            frame = steps[-1](frame)
        color, form = color_of(frame), _NATIVE.get(frame.format.name)
        if not self._native or not _fits(frame, color):
            steps.append(partial(_converted, self._reformatter, color, _FFMPEG_NAMES[self._form]))
            frame, form, color = steps[-1](frame), self._form, None
        elif form is None or (form is VideoFormat.UYVY and not self._orientation.is_upright):
            steps.append(partial(_to_i420, self._reformatter, color))
            frame, form = steps[-1](frame), VideoFormat.I420
        if not self._orientation.is_upright:
            steps.append(FilterChain(frame, turning(self._orientation)))
        size_wh = form.check_size(self._orientation.size((frame.width, frame.height)))
        made = SurfaceView((), form, size_wh, color, sample_aspect_ratio=self._sample_aspect_ratio)
        return _Recipe(tuple(steps), tuple(shape.of(size_wh) for shape in form.planes), pixels_of(made)[1:])


def _to_i420(reformatter: VideoReformatter, color: ColorSpace | None, frame: VideoFrame) -> VideoFrame:
    """Resample chroma and depth, keep the meaning of the numbers."""
    matrix, span = _codes(color)
    return reformatter.reformat(
        frame,
        format="yuv420p",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=span,
        dst_color_range=span,
        threads=1,
    )


def _converted(reformatter: VideoReformatter, color: ColorSpace | None, name: str, frame: VideoFrame) -> VideoFrame:
    """Convert a frame to the format of FFmpeg's ``name``, RGB or grey, of full range."""
    if color is None:
        return reformatter.reformat(frame, format=name, threads=1)
    matrix, span = _codes(color)
    return reformatter.reformat(
        frame, format=name, src_colorspace=matrix, src_color_range=span, dst_color_range=_FULL, threads=1
    )


def _fits(frame: VideoFrame, color: ColorSpace | None) -> bool:
    """Tell whether a surface can hold the frame without a change to RGBA."""
    if frame.format.is_rgb:
        return frame.format.name in _NATIVE
    has_alpha = len(frame.format.components) in {2, 4}
    return color is not None and not has_alpha and frame.width % 2 == 0 == frame.height % 2


def _codes(color: ColorSpace | None) -> tuple[int | None, int | None]:
    if color is None:
        return None, None
    return _CODES[color.matrix], _FULL if color.full_range else _LIMITED


def _plane(plane: VideoPlane, shape: tuple[int, ...]) -> tuple[Bytes, PlaneLayout]:
    """View a plane, whose frame is kept alive, for users and for kernels.

    A decoder may still refer to it, so users may not write it. Kernels take memory as they find it: theirs is not
    marked, as they would only have to take the mark off. Who writes asks the surface whether it is read-only first.
    """
    pitch = plane.line_size
    base, strides = _place_of(shape, pitch)
    memory = memoryview(plane)
    array: Bytes = _Array(shape, _BYTE, memory.toreadonly(), base, strides)
    return array, tuple.__new__(PlaneLayout, (_array_over(memory, _BYTE), base, pitch, strides[1], 1))


@lru_cache(maxsize=64)
def _place_of(shape: tuple[int, ...], pitch: int) -> tuple[int, tuple[int, ...]]:
    """Return where the first sample of a plane lies in its memory, and its strides."""
    return (1 - shape[0]) * pitch if pitch < 0 else 0, (pitch, *shape[2:], 1)
