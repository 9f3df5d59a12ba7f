"""Decoded frames as surfaces: the decoder's planes where we can read them, converted by FFmpeg where not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
from av.video.reformatter import VideoReformatter

from picasso.surface import ColorSpace, Matrix, PlaneLayout, SurfaceView, VideoFormat

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

    from picasso.surface.planes import Bytes

PixelFormat = Literal["native", "rgba"]
"""``native``: as decoded, where a surface can be so; ``rgba``: always converted."""

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
# AVColorSpace and AVColorRange of libavutil/pixfmt.h, numbered as in ITU-T H.273
_UNSPECIFIED: Final = 2
_MATRICES: Final = {1: Matrix.BT709, 5: Matrix.BT601, 6: Matrix.BT601}
_CODES: Final = {Matrix.BT709: 1, Matrix.BT601: 5}
_LIMITED, _FULL = 1, 2


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
    """What becomes of frames that are alike."""

    convert: Callable[[VideoFrame], VideoFrame] | None
    """What makes of them what a surface can hold; None where they are that."""
    form: VideoFormat
    size_wh: tuple[int, int]
    color: ColorSpace | None
    shapes: tuple[tuple[int, ...], ...]
    """Of the planes, as arrays."""


class PictureWrapper:
    """Makes surfaces of decoded frames. Belongs to one thread, as its converter does."""

    def __init__(self, pixel_format: PixelFormat = "native") -> None:
        """Choose what to make.

        Raises:
            ValueError: Neither ``native`` nor ``rgba``.
        """
        if pixel_format not in {"native", "rgba"}:
            raise ValueError(f"pixel_format {pixel_format!r}: expected one of native, rgba")
        self._native = pixel_format == "native"
        self._reformatter = VideoReformatter()
        self._kind: tuple[object, ...] = ()
        self._recipe: _Recipe

    def wrap(self, frame: VideoFrame) -> SurfaceView:
        """Return a read-only surface.

        Its planes are the decoder's own, without a copy, where they are 8 bit 4:2:0, UYVY or RGB. Other YUV becomes
        I420, and whatever has an odd size, an alpha channel or an unusual colour space RGBA.
        """
        kind = frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range
        if kind != self._kind:
            self._recipe, self._kind = self._choose(frame), kind
        convert, form, size_wh, color, shapes = self._recipe
        if convert is not None:
            frame = convert(frame)
        found = [_plane(plane, shape) for plane, shape in zip(frame.planes, shapes, strict=True)]
        planes, layout = zip(*found, strict=True)
        return SurfaceView(planes, form, size_wh, color, layout=layout)

    def _choose(self, frame: VideoFrame) -> _Recipe:
        """Decide what becomes of a frame and of those like it."""
        color, convert = color_of(frame), None
        form = _NATIVE.get(frame.format.name)
        if not self._native or not _fits(frame, color):
            convert, form, color = partial(_to_rgba, self._reformatter, color), VideoFormat.RGBA, None
        elif form is None:
            convert, form = partial(_to_i420, self._reformatter, color), VideoFormat.I420
        size_wh = form.check_size((frame.width, frame.height))
        return _Recipe(convert, form, size_wh, color, tuple(shape.of(size_wh) for shape in form.planes))


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


def _to_rgba(reformatter: VideoReformatter, color: ColorSpace | None, frame: VideoFrame) -> VideoFrame:
    if color is None:
        return reformatter.reformat(frame, format="rgba", threads=1)
    matrix, span = _codes(color)
    return reformatter.reformat(
        frame, format="rgba", src_colorspace=matrix, src_color_range=span, dst_color_range=_FULL, threads=1
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
    base = (1 - shape[0]) * pitch if pitch < 0 else 0
    memory, strides = memoryview(plane), (pitch, *shape[2:], 1)
    array: Bytes = np.ndarray(shape, np.uint8, memory.toreadonly(), base, strides)
    return array, PlaneLayout(np.frombuffer(memory, np.uint8), base, pitch, strides[1], 1)
