"""Boxes, points and masks through a placement and back."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.primitives.geometry import scale_shift_xywha
from picasso.transform.placement import Placement

FloatArray: TypeAlias = NDArray[np.floating[Any]]
_Scalar = TypeVar("_Scalar", bound=np.generic)


def place(boxes_xyxy: ArrayLike, placement: Placement) -> FloatArray:
    """Map boxes from source to target pixels, as ``placement`` says.

    Convention: ``(..., 4)`` corners ``x0 y0 x1 y1``, continuous pixels, never clipped. float32 stays float32, all else
    gives float64.

    Raises:
        ShapeError: The last axis is not 4.
        TypeError: They are ``Detections``, which ``place_detections`` moves.

    >>> placement = Placement.compute((1280, 720), (640, 640))  # half the size, bars of 140 pixels
    >>> place([[100, 50, 300, 90]], placement).tolist()
    [[50.0, 165.0, 150.0, 185.0]]
    """
    return _place_pairs(_as_floats("boxes", boxes_xyxy, 4), placement)


def unplace(boxes_xyxy: ArrayLike, placement: Placement) -> FloatArray:
    """Map boxes ``(..., 4)`` from target back to source pixels: the inverse of ``place``, with what it says.

    >>> placement = Placement.compute((1280, 720), (640, 640))
    >>> unplace([[50, 165, 150, 185]], placement).tolist()
    [[100.0, 50.0, 300.0, 90.0]]
    """
    return _unplace_pairs(_as_floats("boxes", boxes_xyxy, 4), placement)


def place_points(points_xy: ArrayLike, placement: Placement) -> FloatArray:
    """Map points, or the corners of polygons, from source to target pixels, as ``placement`` says.

    Convention: ``(..., 2)``, continuous pixels, never clipped. float32 stays float32, all else gives float64.

    Raises:
        ShapeError: The last axis is not 2.
    """
    return _place_pairs(_as_floats("points", points_xy, 2), placement)


def unplace_points(points_xy: ArrayLike, placement: Placement) -> FloatArray:
    """Map points ``(..., 2)`` from target back to source pixels by ``placement``: the inverse of ``place_points``."""
    return _unplace_pairs(_as_floats("points", points_xy, 2), placement)


def place_xywha(boxes: ArrayLike, placement: Placement) -> FloatArray:
    """Map rotated boxes from source to target pixels, as ``placement`` says.

    Convention: ``(N, 5)`` rows of centre x, centre y, width, height and angle in degrees, NaN for none. Where the two
    scales differ a rotated box becomes the rectangle that ``picasso.primitives.geometry.scale_columns`` describes.

    Raises:
        ShapeError: Not ``(N, 5)``.
    """
    return scale_shift_xywha(_as_floats("boxes", boxes, 5), placement.scale_xy, placement.offset_xy)


def unplace_xywha(boxes: ArrayLike, placement: Placement) -> FloatArray:
    """Map rotated boxes from target back to source pixels by ``placement``, for any angle and scale.

    The inverse of ``place_xywha``, with its shape and errors. Angles come back in -180..180 degrees where they had to
    be computed.
    """
    placed = _as_floats("boxes", boxes, 5)
    result = np.array(placed)
    result[..., :2] = _unplace_pairs(placed[..., :2], placement)
    scale_x, scale_y = placement.scale_xy
    result[..., 2:4] /= np.asarray((scale_x, scale_y), placed.dtype)
    turned = np.nan_to_num(placed[..., 4]) % 180 != 0
    if scale_x != scale_y and turned.any():
        result[turned, 2:] = _unscale_turned(placed[turned, 2:].astype(np.float64), scale_x, scale_y)
    return result


def _unscale_turned(sizes: NDArray[np.float64], scale_x: float, scale_y: float) -> NDArray[np.float64]:
    """Undo ``atan2(sx s, sy c)`` for the angle, then divide width and height by what their axes were scaled by."""
    width, height, angle = sizes.T
    radians = np.radians(angle)
    source = np.arctan2(np.sin(radians) / scale_x, np.cos(radians) / scale_y)
    cosine, sine = np.cos(source), np.sin(source)
    quarter = angle % 90 == 0
    return np.stack(
        [
            width / np.hypot(scale_x * cosine, scale_y * sine),
            height / np.hypot(scale_x * sine, scale_y * cosine),
            np.where(quarter, angle, np.degrees(source)),
        ],
        axis=-1,
    )


def place_mask(mask: NDArray[_Scalar], placement: Placement) -> NDArray[_Scalar]:
    """Map a mask from source to target pixels, by the nearest pixel.

    Args:
        mask: ``(..., H, W)`` of the source's size, any dtype.
        placement: Where the source lands.

    Returns:
        ``(..., H, W)`` of the target's size, zero where the bars are.

    Raises:
        ShapeError: The last two axes are not the source's height and width.
    """
    return _move_mask(mask, placement.source_wh, placement.crop_ltwh, placement.target_wh, placement.inner_ltwh)


def unplace_mask(mask: NDArray[_Scalar], placement: Placement) -> NDArray[_Scalar]:
    """Map a mask from target back to source pixels, by the nearest pixel.

    It gives back the crop of a mask that ``place_mask`` did not shrink.

    Args:
        mask: ``(..., H, W)`` of the target's size, any dtype.
        placement: Where the source landed.

    Returns:
        ``(..., H, W)`` of the source's size, zero outside the crop.

    Raises:
        ShapeError: The last two axes are not the target's height and width.
    """
    return _move_mask(mask, placement.target_wh, placement.inner_ltwh, placement.source_wh, placement.crop_ltwh)


def _move_mask(
    mask: NDArray[_Scalar],
    from_wh: tuple[int, int],
    from_ltwh: tuple[int, int, int, int],
    to_wh: tuple[int, int],
    to_ltwh: tuple[int, int, int, int],
) -> NDArray[_Scalar]:
    if mask.shape[-2:] != from_wh[::-1]:
        raise ShapeError(f"mask: expected (..., {from_wh[1]}, {from_wh[0]}), got {mask.shape}")
    rows = nearest(from_ltwh[1], from_ltwh[3], to_ltwh[3])
    columns = nearest(from_ltwh[0], from_ltwh[2], to_ltwh[2])
    moved = np.zeros((*mask.shape[:-2], *to_wh[::-1]), mask.dtype)
    left, top, width, height = to_ltwh
    moved[..., top : top + height, left : left + width] = mask[..., rows[:, None], columns]
    return moved


def nearest(start: int, length: int, count: int) -> NDArray[np.int64]:
    """Return, for each of ``count`` pixels, the one of ``length`` from ``start`` that its centre falls into."""
    return start + (2 * np.arange(count, dtype=np.int64) + 1) * length // (2 * count)


def _as_floats(what: str, values: ArrayLike, width: int) -> FloatArray:
    if hasattr(values, "xyxy"):
        raise TypeError(
            f"{what}: expected an array (N, {width}), got {type(values).__name__}: place_detections and "
            "unplace_detections move boxes, masks and keypoints together"
        )
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim < 1 or array.shape[-1] != width:
        raise ShapeError(f"{what}: expected (N, {width}), got {what}.shape = {array.shape}")
    return array


def _place_pairs(pairs: FloatArray, placement: Placement) -> FloatArray:
    """Map coordinates ``x y x y …`` on the last axis, in float64, rounded once at the end."""
    scale, source, target = _corners(pairs.shape[-1], placement)
    return ((pairs - source) * scale + target).astype(pairs.dtype)


def _unplace_pairs(pairs: FloatArray, placement: Placement) -> FloatArray:
    scale, source, target = _corners(pairs.shape[-1], placement)
    return ((pairs - target) / scale + source).astype(pairs.dtype)


def _corners(width: int, placement: Placement) -> tuple[NDArray[np.float64], ...]:
    """Return scale, crop corner and inner corner, repeated for ``width`` coordinates."""
    pairs = (placement.scale_xy, placement.crop_ltwh[:2], placement.inner_ltwh[:2])
    return tuple(np.array(pair * (width // 2), np.float64) for pair in pairs)
