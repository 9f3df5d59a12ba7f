"""What a picture does as users of arrays and notebooks expect: pixels as an array, crop, resize, save, show.

Conversion and encoding lie in rooms above this one, which are known here by their names only and loaded on first use.
"""

from __future__ import annotations

import base64
import importlib
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self, cast

import numpy as np

from picasso.errors import SurfaceError, SurfaceTypeError, require
from picasso.surface.cuda import DevicePlane
from picasso.surface.formats import VideoFormat
from picasso.surface.planes import Bytes

if TYPE_CHECKING:
    from picasso.surface.view import SurfaceView

_SHOWN_SIDE: Final = 1024
"""Longest side of a picture in a notebook, in pixels."""
_PACKED: Final = {VideoFormat.RGBA: "RGBA", VideoFormat.RGB: "RGB", VideoFormat.GRAY8: "L"}


def _room(name: str) -> Any:
    return importlib.import_module(f"picasso.{name}")


class ArrayLike:
    """Methods of a ``SurfaceView``."""

    __slots__ = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return the pixels of a picture of one plane in host memory: ``(H, W, C)`` or ``(H, W)``, uint8, not copied.

        Raises:
            SurfaceTypeError: It has several planes, or is on a GPU; the message names the way.
            ConsumedError: The view was consumed.
        """
        view = self._view()
        if view.is_cuda:
            raise SurfaceTypeError("np.asarray: the picture is on a GPU; surface.to_numpy() copies it to the host")
        if len(view.planes) > 1:
            raise SurfaceTypeError(
                f"np.asarray: {view.format.name()} has {len(view.planes)} planes; surface.to_rgb() gives (H, W, 3), "
                "surface.planes the planes, surface.to_numpy() their bytes"
            )
        pixels = view.planes[0]
        if dtype is not None and np.dtype(dtype) != np.uint8:
            if copy is False:
                raise ValueError(f"np.asarray: the pixels are uint8, {np.dtype(dtype)} needs a copy")
            return pixels.astype(dtype)
        return np.array(pixels) if copy else pixels

    @property
    def __array_interface__(self) -> Any:
        # Pillow asks for it, and takes BGR for RGB
        raise AttributeError("SurfaceView has no __array_interface__; surface.to_pil() gives an image of Pillow")

    def __getitem__(self, item: Any) -> Any:
        """Return ``np.asarray(surface)[item]``: pixels in the order of memory, rows first, not copied.

        Raises:
            SurfaceTypeError: As for ``np.asarray(surface)``.
            IndexError: It is outside of the picture.
        """
        return self.__array__()[item]

    __iter__: None = None
    """A picture is no sequence of rows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of ``np.asarray(surface)``: ``(H, W, C)`` or ``(H, W)``; a picture of several planes has none."""
        view = self._view()
        if len(view.planes) > 1:
            raise AttributeError(
                f"{view.format.name()} has {len(view.planes)} planes, each of a shape of its own; see surface.size_wh"
            )
        return tuple(view.planes[0].shape)

    def to_rgb(self) -> Bytes:
        """Return the picture as an array of its own, ``(H, W, 3)`` uint8, red first; of any format and memory."""
        return self._converted(VideoFormat.RGB)

    def to_bgr(self) -> Bytes:
        """Return the same ``(H, W, 3)`` with blue first, as OpenCV has pictures."""
        return self._converted(VideoFormat.BGR)

    def to_pil(self) -> Any:
        """Return the picture as an image of Pillow, RGB, RGBA or grey.

        Raises:
            MissingDependencyError: Pillow is not installed.
        """
        image: Any = require("PIL.Image", hint="pip install pillow")
        view = self._view()
        mode = _PACKED.get(view.format)
        pixels = view.to_numpy() if mode else self.to_rgb()
        return image.fromarray(np.ascontiguousarray(pixels), mode or "RGB")

    def crop(self, rect: Any) -> Self:
        """Return a view of a part, without a copy; what lies outside the picture is left out.

        Args:
            rect: A ``Rect``, a box, or left, top, right and bottom in pixels. A part of a pixel counts as all of it;
                where pixels share their chroma, the part grows to even sides.

        Raises:
            SurfaceError: The rectangle is outside, or empty, or not a number.
        """
        view = self._view()
        left, top, right, bottom = _inside(view, _corners(rect))
        planes: list[Any] = []
        held: tuple[Any, ...] = view._pixels.planes
        for plane, shape in zip(held, view.format.planes, strict=True):
            rows = slice(top >> shape.y_shift, bottom >> shape.y_shift)
            columns = slice(left >> shape.x_shift, right >> shape.x_shift)
            planes.append(_part(plane, rows, columns))
        pixels = view._pixels
        return cast(
            "Self",
            type(view)(
                tuple(planes),
                pixels.format,
                (right - left, bottom - top),
                pixels.color,
                gpu_id=pixels.gpu_id,
                cuda_stream=pixels.cuda_stream,
                sample_aspect_ratio=pixels.sample_aspect_ratio,
            ),
        )

    def resize(self, size_wh: tuple[int, int], interpolation: Any = None) -> Self:
        """Return a picture of another size, in the same format and memory; the ratio of its sides is not kept.

        Args:
            size_wh: Width and height in pixels.
            interpolation: One of ``picasso.transform.Interpolation``, or its name, such as ``area``; by default
                bilinear.

        Raises:
            SurfaceError: The format cannot have this size, or cannot be written: UYVY.
            ValueError: There is no such filter.
        """
        return cast("Self", _room("transform.pictures").resized(self._view(), size_wh, interpolation))

    def save(self, path: str | os.PathLike[str], *, quality: int | None = None) -> None:
        """Write the picture to an image file.

        Args:
            path: Ends in ``.png``, ``.jpg`` or ``.jpeg``.
            quality: Of JPEG, 0 to 100; by default 85.

        Raises:
            ValueError: Another suffix, or a quality for a PNG.
            OSError: The file cannot be written.
        """
        data = _room("encode.pictures").encoded(self._view(), os.fspath(path), quality)
        with open(path, "wb") as file:
            file.write(data)

    def _repr_png_(self) -> bytes | None:
        view = self._view()
        if not view:
            return None
        largest = max(view.size_wh)
        if largest > _SHOWN_SIDE:
            width, height = (max(round(side * _SHOWN_SIDE / largest), 1) for side in view.size_wh)
            view = _room("transform.pictures").converted(view, VideoFormat.RGB, (width, height))
        data: bytes = _room("encode.pictures").encoded(view, "shown.png", None)
        return data

    def _repr_html_(self) -> str | None:
        png = self._repr_png_()
        if png is None:
            return None
        view = self._view()
        where = f"GPU {view.gpu_id}" if view.is_cuda else "host"
        color = "" if view.color is None else f", {view.color.matrix.value}{' full range' * view.color.full_range}"
        source = base64.b64encode(png).decode()
        return (
            f'<figure style="margin:0"><img src="data:image/png;base64,{source}" style="max-width:100%">'
            f"<figcaption>{view.width} x {view.height}, {view.format.name()}{color}, {where}</figcaption></figure>"
        )

    def _converted(self, format: VideoFormat) -> Bytes:
        pixels: Bytes = _room("transform.pictures").converted(self._view(), format).planes[0]
        return pixels

    def _view(self) -> SurfaceView:
        return cast("SurfaceView", self)


def _corners(rect: Any) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a rectangle in any of its spellings."""
    wrapping = getattr(rect, "wrapping_box", None)
    if wrapping is not None:
        return cast("tuple[float, float, float, float]", wrapping.as_ltrb())
    if hasattr(rect, "left") and hasattr(rect, "width"):
        return rect.left, rect.top, rect.left + rect.width, rect.top + rect.height
    if not isinstance(rect, Sequence | np.ndarray) or len(rect) != 4:
        raise SurfaceError(f"crop: expected a Rect, a box, or left, top, right, bottom, got {rect!r:.80}")
    left, top, right, bottom = (float(value) for value in rect)
    return left, top, right, bottom


def _inside(view: SurfaceView, corners: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Return corners in whole pixels within a picture."""
    if not all(map(math.isfinite, corners)):
        raise SurfaceError(f"crop: expected finite numbers, got {corners}")
    left, top, right, bottom = corners
    unit_w, unit_h = view.format._units_wh
    found = (
        max(math.floor(left / unit_w) * unit_w, 0),
        max(math.floor(top / unit_h) * unit_h, 0),
        min(math.ceil(right / unit_w) * unit_w, view.width),
        min(math.ceil(bottom / unit_h) * unit_h, view.height),
    )
    if found[0] >= found[2] or found[1] >= found[3]:
        raise SurfaceError(f"crop: {corners} holds no pixel of a picture of {view.width}x{view.height}")
    return found


def _part(plane: Bytes | DevicePlane, rows: slice, columns: slice) -> Bytes | DevicePlane:
    """Return a part of a plane, without a copy."""
    if not isinstance(plane, DevicePlane):
        return plane[rows, columns]
    shape = (rows.stop - rows.start, columns.stop - columns.start, *plane.shape[2:])
    start = plane.ptr + rows.start * plane.strides[0] + columns.start * plane.strides[1]
    return replace(plane, ptr=start, shape=shape)
