"""Masks, polygons, traces and keypoints of a frame's objects, put between their blurs and their boxes."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from picasso.draw import batches, outlines, rasters
from picasso.draw.attached import joined
from picasso.draw.lists import DisplayList
from picasso.draw.spec import BBoxSource, KeypointsDraw, MaskDraw, ObjectDraw, PolygonDraw, TraceDraw
from picasso.draw.styles import packed
from picasso.errors import MetadataError
from picasso.primitives import object_shapes as shapes
from picasso_kernels.paint import display_list as at

if TYPE_CHECKING:
    from picasso.primitives import Attribute, VideoFrame

Box: TypeAlias = NDArray[np.float32]
SizeWH: TypeAlias = tuple[int, int]
Ways: TypeAlias = dict[tuple[str, int], deque[tuple[float, float]]]
"""Where tracks were, by source and id: ids of sources are not told apart otherwise."""
T = TypeVar("T")
logger: logging.Logger = logging.getLogger(__name__)
_KEPT_TRACKS: Final = 4096


def with_shapes(
    drawing: DisplayList,
    frame: VideoFrame,
    rows: Sequence[int],
    draws: Sequence[ObjectDraw],
    size_wh: SizeWH,
    ways: Ways,
) -> DisplayList:
    """Return a drawing with the shapes of the objects: above the blurs of all, below their boxes and labels.

    Args:
        drawing: Of boxes, dots and labels.
        frame: Its boxes are in pixels of the surface.
        rows: Of the objects, in the order in which they are drawn.
        draws: What is drawn of each.
        size_wh: Of the surface.
        ways: Where tracks were; goes on.
    """
    ids, tracks = frame.object_column("id"), frame.object_column("track_id")
    boxes, track_boxes = frame.detection_boxes(), frame.track_boxes()
    parts: list[DisplayList] = []
    for row, draw in zip(rows, draws, strict=True):
        if not draw.has_shapes or not np.isfinite(boxes[row, :4]).all():
            continue
        held = frame.get_object(ids[row])
        if draw.trace is not None and tracks[row] is not None:
            follows = draw.bbox_source is BBoxSource.TrackingBox and np.isfinite(track_boxes[row, :4]).all()
            center = (track_boxes if follows else boxes)[row, :2].tolist()
            track = frame.source_id, int(tracks[row])
            parts += trace_of(ways, track, (center[0], center[1]), draw.trace, size_wh)
        if held is None:
            continue
        if draw.mask is not None:
            parts += _drawn(held.get_attribute(shapes.NAMESPACE, shapes.MASK), mask_of, boxes[row], draw.mask, size_wh)
        if draw.polygon is not None:
            attribute = held.get_attribute(shapes.NAMESPACE, shapes.POLYGONS)
            parts += _drawn(attribute, polygons_of, boxes[row], draw.polygon, size_wh)
        if draw.keypoints is not None:
            attribute = held.get_attribute(shapes.NAMESPACE, shapes.KEYPOINTS)
            parts += _drawn(attribute, keypoints_of, boxes[row], draw.keypoints, size_wh)
    while len(ways) > _KEPT_TRACKS:
        del ways[next(iter(ways))]
    if not parts:
        return drawing
    whole, count = joined([drawing, *parts]), len(drawing)
    is_blur = np.flatnonzero(drawing.commands[:, at.KIND] == at.BLUR)
    others = np.flatnonzero(drawing.commands[:, at.KIND] != at.BLUR)
    order = np.concatenate([is_blur, np.arange(count, len(whole)), others])
    return DisplayList(whole.commands[order], whole.glyphs, whole.coverage, whole.revision, whole.may_blur)


def _drawn(
    attribute: Attribute | None,
    draw: Callable[[Attribute, Box, T, SizeWH], list[DisplayList]],
    box: Box,
    look: T,
    size_wh: SizeWH,
) -> list[DisplayList]:
    """Return what is drawn of an attribute; nothing, and a line in the log, where it holds something else."""
    if attribute is None:
        return []
    try:
        return draw(attribute, box, look, size_wh)
    except MetadataError as error:
        logger.warning("not drawn: %s", error)
        return []


def mask_of(attribute: Attribute, box: Box, look: MaskDraw, size_wh: SizeWH) -> list[DisplayList]:
    """Return the mask of an object whose box is ``(5,)`` centre, size, angle; NaN for no angle."""
    height, width, runs = shapes.decode_mask_runs(attribute)
    color = packed(look.color)
    if not np.nan_to_num(box[4]):
        low, size = box[:2] - box[2:4] / 2, box[2:4]
        return [rasters.stretch([(height, width, runs)], [(*low, *(low + size))], [color], size_wh)]
    ends = np.cumsum(runs, dtype=np.int64)
    starts, ends = (ends - runs)[1::2], ends[1::2]
    quads = _quads(starts, ends, width, height)
    points = shapes.to_frame(quads.reshape(-1, 2), box)
    return [rasters.cover(points, np.arange(4, len(points) + 1, 4), [len(quads)], [color], size_wh)]


def _quads(starts: NDArray[np.int64], ends: NDArray[np.int64], width: int, height: int) -> NDArray[np.float64]:
    """Return runs of a grid as rectangles ``(N, 4, 2)`` in shares of its sides, cut where its rows end."""
    counts = np.where(ends > starts, (ends - 1) // width - starts // width + 1, 0)
    owner = np.repeat(np.arange(len(starts)), counts)
    row = (starts // width)[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    left = np.maximum(starts[owner] - row * width, 0) / width
    right = np.minimum(ends[owner] - row * width, width) / width
    top, bottom = row / height, (row + 1) / height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)


def polygons_of(attribute: Attribute, box: Box, look: PolygonDraw, size_wh: SizeWH) -> list[DisplayList]:
    """Return the polygons of an object: their inside, and their edges."""
    rings = [ring for ring in shapes.decode_polygons(attribute, box) if len(ring)]
    if not rings:
        return []
    parts = [outlines.polygons([rings]).filled([packed(look.background_color)], size_wh, even_odd=True)]
    if look.thickness:
        edges = outlines.polylines(rings, look.thickness, closed=True)
        whole = outlines.Contours(edges.points, edges.contour_ends, edges.shape_ends[-1:])
        parts.append(whole.filled([packed(look.border_color)], size_wh))
    return parts


def keypoints_of(attribute: Attribute, box: Box, look: KeypointsDraw, size_wh: SizeWH) -> list[DisplayList]:
    """Return the keypoints of an object: the lines of their skeleton, and their discs."""
    points = shapes.decode_keypoints(attribute, box)
    there = points[:, 2] > look.min_confidence
    lines = [(first, last) for first, last in look.skeleton if max(first, last) < len(points)]
    pairs = np.array(lines, np.int64).reshape(-1, 2)
    pairs = pairs[there[pairs].all(axis=1)]
    starts, ends = points[pairs[:, 0], :2], points[pairs[:, 1], :2]
    color = packed(look.color)
    tint = color if look.line_color is None else packed(look.line_color)
    parts = [batches.lines(starts, ends, look.thickness, tint, size_wh)] if look.thickness else []
    return [*parts, batches.discs(points[there, :2], look.radius, color, size_wh)]


def trace_of(
    ways: Ways, track: tuple[str, int], center: tuple[float, float], look: TraceDraw, size_wh: SizeWH
) -> list[DisplayList]:
    """Take one more position of a track, and return its way."""
    way = ways.pop(track, None)
    if way is None or way.maxlen != look.length:
        way = deque(way or (), maxlen=look.length)
    way.append(center)
    ways[track] = way  # the last one seen is the last to be forgotten
    if len(way) < 2 or not look.thickness:
        return []
    return [outlines.polylines([np.array(way)], look.thickness).filled([packed(look.color)], size_wh)]
