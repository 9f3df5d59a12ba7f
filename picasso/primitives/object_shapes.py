"""What an object looks like inside its box: a mask, polygons, keypoints, as attributes that travel with it.

Convention: everything is kept **in fractions of the object's detection box**: (0, 0) is its top left corner before
rotation, (1, 1) its bottom right one. So a mask, polygon or keypoint stays where it belongs when boxes are scaled,
shifted, cropped or turned, in a module, in the engine and in another program, and nothing but the box has to be moved.
Keypoints may lie outside the box.

The attributes are persistent and have the namespace ``NAMESPACE``:

========== ================================================================================================
``MASK``      one ``integers``: height and width of a grid that covers the box, then lengths of runs, row by row:
              cells that are not of the object, cells that are, and so on. The first run may be 0.
``POLYGONS``  one ``floats`` for each ring: x0, y0, x1, y1 …
``KEYPOINTS`` one ``floats``: x, y, confidence of each, in the model's order; confidence 0 for one that is not there.
========== ================================================================================================

``mask_of``, ``polygons_of`` and ``keypoints_of`` read them; the two that hold points give pixels of the frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import MetadataError, ShapeError
from picasso.primitives.attribute import Attribute, AttributeHolder, AttributeKey
from picasso.primitives.attribute_value import AttributeValue
from picasso.primitives.object_store import DETECTION, ObjectStore
from picasso.primitives.orientation import Orientation
from picasso.primitives.video_object import ObjectFields

NAMESPACE: Final = "picasso"
MASK: Final = "mask"
POLYGONS: Final = "polygons"
KEYPOINTS: Final = "keypoints"
_UNIT_BOX: Final = (0.5, 0.5, 1.0, 1.0, np.nan)
"""In whose pixels points are fractions."""
LARGEST_MASK: Final = 1 << 26
"""Cells of a mask; a larger one is a mistake, or an attack."""

_KEYS: Final = ((NAMESPACE, MASK), (NAMESPACE, POLYGONS), (NAMESPACE, KEYPOINTS))

Shapes = dict[int, dict[AttributeKey, Attribute]]
"""Attributes of masks, polygons and keypoints by the ids of their objects."""
Mask = NDArray[np.bool_]
"""``(height, width)``, the grid that covers a box."""
Points = NDArray[np.float64]
"""``(N, 2)``."""


def mask_attribute(mask: ArrayLike) -> Attribute:
    """Make the attribute of a mask.

    Args:
        mask: ``(height, width)``, true where the object is; its first row and column begin at the box's corner, its
            last ones end at the opposite corner.

    Raises:
        ShapeError: It has another rank, or no cell, or more than ``LARGEST_MASK``.
    """
    cells = np.ascontiguousarray(mask, dtype=bool)
    if cells.ndim != 2 or not 0 < cells.size <= LARGEST_MASK:
        raise ShapeError(f"mask: expected (height, width) with 1 to {LARGEST_MASK} cells, got {cells.shape}")
    flat = cells.reshape(-1)
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(edges, prepend=0, append=flat.size)
    numbers = (*cells.shape, *([0] if flat[0] else []), *runs.tolist())
    return Attribute(NAMESPACE, MASK, [AttributeValue("integers", numbers)])


def mask_of(holder: AttributeHolder) -> Mask | None:
    """Return the mask of an object, ``(height, width)``, a grid over its box; None where it has none.

    Raises:
        MetadataError: The attribute holds something else.
    """
    attribute = holder.get_attribute(NAMESPACE, MASK)
    return None if attribute is None else decode_mask(attribute)


def decode_mask(attribute: Attribute) -> Mask:
    """Return the grid ``(height, width)`` of an attribute ``MASK``.

    Raises:
        MetadataError: It holds something else.
    """
    height, width, runs = decode_mask_runs(attribute)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(height, width)


def decode_mask_runs(attribute: Attribute) -> tuple[int, int, list[int]]:
    """Return height and width of the grid of an attribute ``MASK``, and the lengths of its runs.

    Raises:
        MetadataError: It holds something else.
    """
    numbers = _numbers(attribute, AttributeValue.as_integers)
    height, width, runs = (*numbers[:2], numbers[2:]) if len(numbers) > 2 else (0, 0, [])
    is_whole = height > 0 and width > 0 and height * width <= LARGEST_MASK
    if not is_whole or min(runs) < 0 or sum(runs) != height * width:
        raise MetadataError(f"{NAMESPACE}.{MASK}: expected height, width, and runs that add up to their product")
    return height, width, runs


def polygons_attribute(polygons: Iterable[ArrayLike], box_xywha: ArrayLike) -> Attribute:
    """Make the attribute of polygons.

    Args:
        polygons: Rings, each ``(N, 2)`` in pixels of the frame.
        box_xywha: ``(5,)`` the object's box: centre, size in pixels, angle in degrees; NaN for no angle.

    Raises:
        ShapeError: A ring has another shape.
        ValueError: A point is not finite.
    """
    rings = [to_box(ring, box_xywha).ravel().tolist() for ring in polygons]
    return Attribute(NAMESPACE, POLYGONS, [AttributeValue("floats", tuple(ring)) for ring in rings])


def polygons_of(video_object: ObjectFields) -> list[Points]:
    """Return the polygons of an object, each ``(N, 2)`` in pixels of its frame; none where it has none.

    Raises:
        MetadataError: The attribute holds something else.
    """
    attribute = video_object.get_attribute(NAMESPACE, POLYGONS)
    return [] if attribute is None else decode_polygons(attribute, _box_of(video_object))


def decode_polygons(attribute: Attribute, box_xywha: ArrayLike) -> list[Points]:
    """Return the rings of an attribute ``POLYGONS``, each ``(N, 2)`` in pixels of the frame.

    Args:
        attribute: The attribute.
        box_xywha: ``(5,)`` the object's box.

    Raises:
        MetadataError: It holds something else.
    """
    rings = []
    for value in attribute.values:
        numbers = value.as_floats()
        if numbers is None or len(numbers) % 2:
            raise MetadataError(f"{NAMESPACE}.{POLYGONS}: expected pairs of numbers")
        rings.append(to_frame(np.array(numbers, np.float64).reshape(-1, 2), box_xywha))
    return rings


def keypoints_attribute(keypoints: ArrayLike, box_xywha: ArrayLike) -> Attribute:
    """Make the attribute of keypoints.

    Args:
        keypoints: ``(K, 3)`` x and y in pixels of the frame, and confidence; or ``(K, 2)``, all with confidence 1.
        box_xywha: ``(5,)`` the object's box: centre, size in pixels, angle in degrees; NaN for no angle.

    Raises:
        ShapeError: They have another shape.
        ValueError: A number is not finite.
    """
    given = np.asarray(keypoints, np.float64)
    if given.ndim != 2 or given.shape[1] not in (2, 3):
        raise ShapeError(f"keypoints: expected (K, 2) or (K, 3), got {given.shape}")
    made = np.ones((len(given), 3))
    made[:, :2] = to_box(given[:, :2], box_xywha)
    made[:, 2:] = given[:, 2:] if given.shape[1] == 3 else 1.0
    if not np.isfinite(made).all():
        raise ValueError("keypoints: expected finite confidences")
    return Attribute(NAMESPACE, KEYPOINTS, [AttributeValue("floats", tuple(made.ravel().tolist()))])


def keypoints_of(video_object: ObjectFields) -> Points | None:
    """Return the keypoints of an object, ``(K, 3)``: x and y in pixels of its frame, confidence; None for none.

    Raises:
        MetadataError: The attribute holds something else.
    """
    attribute = video_object.get_attribute(NAMESPACE, KEYPOINTS)
    return None if attribute is None else decode_keypoints(attribute, _box_of(video_object))


def decode_keypoints(attribute: Attribute, box_xywha: ArrayLike) -> Points:
    """Return the points ``(K, 3)`` of an attribute ``KEYPOINTS``: x and y in pixels of the frame, confidence.

    Args:
        attribute: The attribute.
        box_xywha: ``(5,)`` the object's box.

    Raises:
        MetadataError: It holds something else.
    """
    numbers = _numbers(attribute, AttributeValue.as_floats)
    if len(numbers) % 3:
        raise MetadataError(f"{NAMESPACE}.{KEYPOINTS}: expected x, y and confidence of each")
    points = np.array(numbers, np.float64).reshape(-1, 3)
    points[:, :2] = to_frame(points[:, :2], box_xywha)
    return points


def shapes_in(store: ObjectStore) -> Shapes:
    """Return the attributes of shapes by object."""
    found: Shapes = {}
    for object_id, table in store.attributes.items():
        shapes = {key: table[key] for key in _KEYS if key in table}
        if shapes:
            found[object_id] = shapes
    return found


def put_shapes(store: ObjectStore, shapes: Shapes) -> None:
    """Put back what ``shapes_in`` returned, for objects that are still there."""
    for object_id, table in shapes.items():
        if object_id in store.rows:
            store.attributes.setdefault(object_id, {}).update(table)


def turn_shapes(store: ObjectStore, orientation: Orientation) -> None:
    """Turn what is inside the boxes of a frame, whose boxes turn with the picture.

    Raises:
        MetadataError: An attribute holds something else.
    """
    for table in store.attributes.values():
        for key in _KEYS:
            if key in table:
                table[key] = _turned(table[key], orientation)


def _turned(attribute: Attribute, orientation: Orientation) -> Attribute:
    if attribute.name == MASK:
        mask = decode_mask(attribute)
        return mask_attribute(np.rot90(mask[:, ::-1] if orientation.mirrored else mask, -orientation.turn_deg // 90))
    if attribute.name == POLYGONS:
        rings = [_turned_points(ring, orientation) for ring in decode_polygons(attribute, _UNIT_BOX)]
        return polygons_attribute(rings, _UNIT_BOX)
    points = decode_keypoints(attribute, _UNIT_BOX)
    points[:, :2] = _turned_points(points[:, :2], orientation)
    return keypoints_attribute(points, _UNIT_BOX)


def _turned_points(points: Points, orientation: Orientation) -> Points:
    x, y = points.T
    x = 1 - x if orientation.mirrored else x
    turned = {0: (x, y), 90: (1 - y, x), 180: (1 - x, 1 - y), 270: (y, 1 - x)}
    return np.stack(turned[orientation.turn_deg], axis=1)


def to_box(points: ArrayLike, box_xywha: ArrayLike) -> Points:
    """Turn points in pixels of the frame into fractions of a box; a box without area takes them all to its centre.

    Args:
        points: ``(N, 2)``.
        box_xywha: ``(5,)`` centre, size, angle in degrees; NaN for no angle.

    Raises:
        ShapeError: ``points`` have another shape.
        ValueError: A point is not finite.
    """
    pixels = np.asarray(points, np.float64)
    if pixels.ndim != 2 or pixels.shape[1] != 2:
        raise ShapeError(f"points: expected (N, 2), got {pixels.shape}")
    if not np.isfinite(pixels).all():
        raise ValueError("points: expected finite numbers")
    center, size, turn = _frame_of(box_xywha)
    safe = np.where(size > 0, size, np.inf)
    inside: Points = (pixels - center) @ turn / safe + 0.5
    return inside


def to_frame(points: ArrayLike, box_xywha: ArrayLike) -> Points:
    """Turn points ``(N, 2)`` in fractions of a box, ``box_xywha`` ``(5,)``, into pixels of the frame."""
    center, size, turn = _frame_of(box_xywha)
    pixels: Points = ((np.asarray(points, np.float64) - 0.5) * size) @ turn.T + center
    return pixels


def _frame_of(box_xywha: ArrayLike) -> tuple[Points, Points, Points]:
    """Return centre, size, and the matrix whose columns are the box's axes."""
    box = np.asarray(box_xywha, np.float64)
    angle = 0.0 if np.isnan(box[4]) else np.radians(box[4])
    cosine, sine = np.cos(angle), np.sin(angle)
    return box[:2], box[2:4], np.array([[cosine, -sine], [sine, cosine]])


def _box_of(video_object: ObjectFields) -> NDArray[np.float32]:
    store, row = video_object.locate()
    box: NDArray[np.float32] = store.boxes[DETECTION, :, row]
    return box


def _numbers(attribute: Attribute, read: Any) -> list[Any]:
    values = attribute.values
    numbers = read(values[0]) if len(values) == 1 else None
    if numbers is None:
        raise MetadataError(f"{attribute.namespace}.{attribute.name}: expected one list of numbers")
    found: list[Any] = numbers
    return found
