"""Boxes as arrays: how many boxes are scaled, shifted and converted in one call.

Convention: an ``xywha`` row is centre x, centre y, width, height and angle: pixels, and degrees clockwise on the
screen; NaN instead of an angle means an unrotated box. An ``xyxy`` row is the corners ``x0 y0 x1 y1``. Coordinates are
continuous and are never clipped. Every function keeps float32 and float64; other dtypes become float32. Of values too
large, or infinite, come infinite ones and NaN; conversions do so without NumPy's warning, scaling with it: it runs for
every frame, and to switch warnings off costs a third of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError

FloatArray: TypeAlias = NDArray[np.floating[Any]]
"""float32 or float64 array; each function says its shape."""

PairXY: TypeAlias = tuple[float, float]
"""One value for x and one for y."""

ANGLE = 4
"""Column of the angle in an ``xywha`` row."""

_KEPT_WHOLE = 1 << 12
"""Numbers of planes up to which factors and offsets are kept for each: frames have room for multiples of 16 objects."""

_multiply, _add = np.multiply, np.add  # looked up once: every frame comes by
_quietly = np.errstate(over="ignore", invalid="ignore")

_NAN_BYTES: dict[int, bytes] = {
    dtype.itemsize: dtype.type(np.nan).tobytes() for dtype in map(np.dtype, ("float32", "float64"))
}


def scale_shift_xywha(
    boxes: ArrayLike, scale_xy: PairXY, offset_xy: PairXY, out: FloatArray | None = None
) -> FloatArray:
    """Scale boxes about the origin, then shift them.

    A rotated box follows the rule of ``scale_shift_columns``.

    Args:
        boxes: ``(N, 5)`` rows of ``xywha``.
        scale_xy: Factors of x and y; a negative one mirrors.
        offset_xy: Pixels added to the centres after scaling.
        out: ``(N, 5)`` array that takes the result; ``boxes`` itself is allowed.

    Returns:
        ``out``, or a new array.

    Raises:
        ShapeError: ``boxes`` or ``out`` is not ``(N, 5)``, or they differ in N.
    """
    source = as_boxes(boxes, 5)
    if out is None:
        out = np.array(source, order="F")
    else:
        if out.shape != source.shape:
            raise ShapeError(f"out: expected {source.shape}, got {out.shape}")
        out[...] = source
    scale_shift_columns(out.T[None], scale_xy, offset_xy)
    return out


def scale_shift_columns(planes: FloatArray, scale_xy: PairXY, offset_xy: PairXY) -> None:
    """Scale boxes about the origin, then shift them, in place.

    A rotated rectangle under unequal factors becomes a parallelogram. The result is the rectangle with the lengths of
    the parallelogram's two axes and the direction of its height axis: with ``c`` and ``s`` the cosine and sine of the
    angle, ``width *= hypot(sx c, sy s)``, ``height *= hypot(sx s, sy c)``, ``angle = atan2(sx s, sy c)``.

    Args:
        planes: ``(K, 5, N)``: the rows of each plane are xc, yc, width, height, angle.
        scale_xy: Factors of x and y; a negative one mirrors.
        offset_xy: Pixels added to the centres after scaling.
    """
    if not planes.shape[-1]:
        return
    scale_x, scale_y = scale_xy
    turned = None
    if scale_x != scale_y and not _all_unrotated(planes):
        turned = [_scaled_turned(plane, scale_xy) for plane in planes]
    shape = planes.shape if planes.size <= _KEPT_WHOLE else (ANGLE + 1, 1)
    factors, offsets = _factors_and_offsets(scale_xy, offset_xy, shape, planes.dtype)
    _multiply(planes, factors, planes)
    _add(planes, offsets, planes)
    if turned is not None:
        for (index, sizes), plane in zip(turned, planes, strict=True):
            plane[2:, index] = sizes


@_quietly
def xywha_to_xyxy(boxes: ArrayLike) -> FloatArray:
    """Return the corners ``(N, 4)`` of boxes ``(N, 5)`` or ``(N, 4)`` as they are before rotation.

    Raises:
        ShapeError: The last axis is neither 4 nor 5.
    """
    source = as_boxes(boxes, 4, 5)
    corners = np.empty((len(source), 4), source.dtype)
    half = source[:, 2:4] * source.dtype.type(0.5)
    np.subtract(source[:, :2], half, out=corners[:, :2])
    np.add(source[:, :2], half, out=corners[:, 2:])
    return corners


@_quietly
def xyxy_to_xywha(boxes: ArrayLike) -> FloatArray:
    """Return unrotated boxes ``(N, 5)``, angle NaN, of corners ``(N, 4)``.

    Raises:
        ShapeError: The last axis is not 4.
    """
    corners = as_boxes(boxes, 4)
    result = np.full((len(corners), 5), np.nan, corners.dtype)
    np.subtract(corners[:, 2:], corners[:, :2], out=result[:, 2:4])
    np.add(corners[:, :2], result[:, 2:4] * corners.dtype.type(0.5), out=result[:, :2])
    return result


@_quietly
def wrapping_xyxy(boxes: ArrayLike) -> FloatArray:
    """Return the corners ``(N, 4)`` of the smallest upright boxes around boxes ``(N, 5)``.

    Raises:
        ShapeError: The last axis is not 5.
    """
    source = as_boxes(boxes, 5)
    upright = np.array(source[:, :4])
    turned = np.flatnonzero(np.nan_to_num(source[:, ANGLE]) != 0)
    if turned.size:
        angle = np.radians(source[turned, ANGLE])
        width, height = source[turned, 2], source[turned, 3]
        cosine, sine = np.abs(np.cos(angle)), np.abs(np.sin(angle))
        upright[turned, 2] = width * cosine + height * sine
        upright[turned, 3] = width * sine + height * cosine
    return xywha_to_xyxy(upright)


def as_boxes(boxes: ArrayLike, *widths: int, name: str = "boxes") -> FloatArray:
    """View ``boxes`` as a float array ``(N, width)``; an empty one of any shape counts as no boxes.

    Raises:
        ShapeError: The array is not two-dimensional, or its last axis is none of ``widths``.
    """
    array = np.asarray(boxes)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float32)
    if array.size == 0 and array.ndim <= 2:
        return array.reshape(0, widths[-1])
    if array.ndim != 2 or array.shape[1] not in widths:
        expected = " or ".join(f"(N, {width})" for width in widths)
        raise ShapeError(f"{name}: expected {expected}, got {array.shape}")
    return array


@lru_cache(maxsize=256)
def _factors_and_offsets(
    scale_xy: PairXY, offset_xy: PairXY, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[FloatArray, FloatArray]:
    """Return what the five columns are multiplied by, then moved by: a stream moves all its boxes alike.

    Angles are multiplied by 1 and moved by 0. Two arrays of one shape without gaps are one loop for NumPy: that takes a
    third of the time of broadcasting.
    """
    scale_x, scale_y = scale_xy
    factors = np.array([[scale_x], [scale_y], [abs(scale_x)], [abs(scale_y)], [1]], dtype)
    offsets = np.array([[offset_xy[0]], [offset_xy[1]], [0], [0], [0]], dtype)
    return np.broadcast_to(factors, shape).copy(), np.broadcast_to(offsets, shape).copy()


def _all_unrotated(planes: FloatArray) -> bool:
    """Say whether no box of ``(K, 5, N)`` has an angle; may miss it when NaN is not the usual one.

    Comparing bytes takes a fifth of the time of a reduction.
    """
    angles = planes[:, ANGLE]
    return angles.tobytes() == _NAN_BYTES[angles.itemsize] * angles.size


def _scaled_turned(plane: FloatArray, scale_xy: PairXY) -> tuple[NDArray[np.intp], FloatArray]:
    """Return which boxes of ``(5, N)`` lie askew, and their scaled width, height and angle ``(3, K)``.

    Half turns are left to the plain rule, quarter turns keep their angle exactly.
    """
    index = np.flatnonzero(np.nan_to_num(plane[ANGLE]) % 180 != 0)
    width, height, angle = plane[2:, index].astype(np.float64)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    scale_x, scale_y = scale_xy
    turned = np.degrees(np.arctan2(scale_x * sine, scale_y * cosine))
    sizes = (
        width * np.hypot(scale_x * cosine, scale_y * sine),
        height * np.hypot(scale_x * sine, scale_y * cosine),
        np.where(angle % 90 == 0, angle, turned),
    )
    return index, np.stack(sizes)
