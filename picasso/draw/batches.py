"""Many shapes at once as display lists: rectangles, discs, lines, images; as ``compose.put`` makes them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.draw.lists import DisplayList, revisions, tints_of
from picasso.errors import ShapeError
from picasso_kernels.cpu.compile import host
from picasso_kernels.paint import compose
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.boxes import put_boxes

Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]
SizeWH: TypeAlias = tuple[int, int]
_NO_GLYPHS: Final = np.empty((0, at.GLYPH_SIZE), np.int32)
_NO_COVERAGE: Final = np.empty(0, np.uint8)
_WIDEST_SIGMA: Final = 40.0


def boxes(
    xyxy: ArrayLike, colors: ArrayLike, size_wh: SizeWH, *, edge: float | None = None, kind: int = at.RECT
) -> DisplayList:
    """Return upright rectangles.

    Args:
        xyxy: ``(N, 4)`` corners in pixels. What is not finite, or has a negative side, is left out.
        colors: ``(N,)`` packed, or one for all.
        size_wh: Of the picture; what lies outside is left out.
        edge: Half the width of a stroke along the edges, in pixels; None fills.
        kind: RECT or BLUR.
    """
    return layers([(xyxy, colors, edge)], size_wh, kind=kind)


def layers(
    parts: Sequence[tuple[ArrayLike, ArrayLike, float | None]], size_wh: SizeWH, *, kind: int = at.RECT
) -> DisplayList:
    """Return upright rectangles of several kinds as one drawing; each part: corners, colours and edge of ``boxes``."""
    flat = [np.ascontiguousarray(xyxy, np.float64).reshape(-1) for xyxy, _, _ in parts]
    commands = np.empty((sum(map(len, flat)) // 4, at.COMMAND_SIZE), np.int32)
    rows, end = commands.reshape(-1), 0
    for corners, (_, colors, edge) in zip(flat, parts, strict=True):
        tints = tints_of(colors, len(corners) // 4)
        end = host(put_boxes)(corners, tints, _edge(edge), kind, *size_wh, end, rows)
    return DisplayList(commands[:end], _NO_GLYPHS, _NO_COVERAGE, may_blur=kind == at.BLUR)


@lru_cache(maxsize=64)
def _edge(edge: float | None) -> Floats:
    return np.array([-1.0 if edge is None else edge])


def turned(
    xywha: ArrayLike, colors: ArrayLike, size_wh: SizeWH, *, edge: float | None = None, kind: int = at.RECT
) -> DisplayList:
    """Return rectangles, ``(N, 5)`` centre, size in pixels, angle in degrees clockwise; NaN for no angle.

    ``colors``, ``size_wh``, ``edge`` and ``kind`` are those of ``boxes``.
    """
    rows = np.asarray(xywha, np.float64).reshape(-1, 5)
    angles = np.where(np.isfinite(rows[:, 4]), rows[:, 4], 0.0)
    quarters = np.floor(angles % 360.0 / 90.0 + 0.5)
    rest = np.radians(angles % 360.0 - 90.0 * quarters)
    cos, sin = np.cos(rest), np.sin(rest)
    for turn in (1, 2, 3):
        more = (quarters.astype(np.int64) & 3) >= turn
        cos, sin = np.where(more, -sin, cos), np.where(more, cos, sin)
    return shapes(kind, colors, rows[:, :2], rows[:, 2:4] / 2, size_wh, edge=edge, cos=cos, sin=sin)


def discs(centers: ArrayLike, radii: ArrayLike, colors: ArrayLike, size_wh: SizeWH) -> DisplayList:
    """Return filled circles, ``(N, 2)`` centres and ``(N,)`` radii in pixels, or one radius for all."""
    points = np.asarray(centers, np.float64).reshape(-1, 2)
    return shapes(at.DISC, colors, points, np.asarray(radii, np.float64)[..., None], size_wh)


def lines(starts: ArrayLike, ends: ArrayLike, width: float, colors: ArrayLike, size_wh: SizeWH) -> DisplayList:
    """Return straight lines between ``(N, 2)`` points, ``width`` pixels wide, their ends cut straight.

    ``colors`` and ``size_wh`` are those of ``boxes``. A line of no length is left out.
    """
    first, last = (np.asarray(points, np.float64).reshape(-1, 2) for points in (starts, ends))
    along = last - first
    lengths = np.hypot(along[:, 0], along[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        cos, sin = along[:, 0] / lengths, along[:, 1] / lengths
    halves = np.stack([lengths / 2, np.full(len(lengths), width / 2)], axis=1)
    return shapes(at.RECT, colors, (first + last) / 2, halves, size_wh, cos=cos, sin=sin)


def blurs(xyxy: ArrayLike, size_wh: SizeWH, *, sigma: float | None = None) -> DisplayList:
    """Return blurred rectangles.

    Args:
        xyxy: ``(N, 4)`` corners in pixels.
        size_wh: Of the picture.
        sigma: Of the Gaussian, up to 40 pixels; by default a tenth of the shorter side of each, kept in 2..40.
    """
    drawing = boxes(xyxy, at.OPAQUE_BLACK, size_wh, kind=at.BLUR)
    shorter = drawing.commands[:, [at.HALF_W, at.HALF_H]].min(axis=1)
    own = np.clip(shorter / 5, 2 * at.ONE_PIXEL, _WIDEST_SIGMA * at.ONE_PIXEL)
    chosen = own if sigma is None else np.full(len(own), max(min(sigma, _WIDEST_SIGMA) * at.ONE_PIXEL, 1))
    drawing.commands[:, at.SIGMA] = np.floor(chosen + 0.5)
    drawing.may_blur = True
    return drawing


def mosaics(xyxy: ArrayLike, cell: int, size_wh: SizeWH) -> DisplayList:
    """Return rectangles, ``(N, 4)`` corners in pixels, in which squares of ``cell`` pixels a side show their means.

    On planes of 4:2:0 a side is even: one more where it is odd.
    """
    drawing = boxes(xyxy, at.OPAQUE_BLACK, size_wh, kind=at.BLUR)
    drawing.commands[:, at.SIGMA] = at.ONE_PIXEL
    drawing.commands[:, at.CELL] = max(int(cell), 1)
    drawing.may_blur = True
    return drawing


def image(pixels: NDArray[np.uint8], left: int, top: int, size_wh: SizeWH, *, opacity: float = 1.0) -> DisplayList:
    """Return an image, its top left pixel at whole pixels.

    Args:
        pixels: ``(height, width, 4)`` red, green, blue, alpha, not premultiplied; or three, all opaque.
        left: Column of the picture.
        top: Row of the picture.
        size_wh: Of the picture.
        opacity: 0..1, times each pixel's alpha.

    Raises:
        ShapeError: The pixels have other axes or channels, or are not bytes.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in {3, 4} or pixels.dtype != np.uint8:
        raise ShapeError(f"image: expected (height, width, 3 or 4) of uint8, got {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape[:2]
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
    row = np.zeros((1, at.COMMAND_SIZE), np.int32)
    row[0, at.KIND], row[0, at.COUNT] = at.IMAGE, 1
    row[0, at.COLOR] = np.array(round(max(min(opacity, 1.0), 0.0) * 255) << 24, np.uint32).astype(np.int32)
    row[0, [at.LEFT, at.TOP, at.RIGHT, at.BOTTOM]] = left, top, left + width, top + height
    glyphs = np.array([[left, top, width, height, 0]], np.int32)
    seen = _seen(row, size_wh)
    coverage = np.ascontiguousarray(pixels).reshape(-1)
    return DisplayList(row[seen], glyphs, coverage, next(revisions), may_blur=False)


def images(
    pixels: NDArray[np.uint8], corners: Sequence[tuple[int, int]], size_wh: SizeWH, *, opacity: float = 1.0
) -> DisplayList:
    """Return the same image at several places; see ``image``."""
    one = image(pixels, 0, 0, pixels.shape[1::-1], opacity=opacity)
    steps = np.asarray(corners, np.int32).reshape(-1, 2)
    commands = np.repeat(one.commands[:1], len(steps), axis=0)
    glyphs = np.repeat(one.glyphs, len(steps), axis=0)
    for columns, pair in (((at.LEFT, at.TOP), steps), ((at.RIGHT, at.BOTTOM), steps)):
        commands[:, columns] += pair
    glyphs[:, [at.GLYPH_LEFT, at.GLYPH_TOP]] += steps
    commands[:, at.FIRST] = np.arange(len(steps))
    return seen(DisplayList(commands, glyphs, one.coverage, one.revision, may_blur=False), size_wh)


class Pictures(NamedTuple):
    """Images whose pixels are written after their places are known."""

    drawing: DisplayList
    """What shows them."""
    parts: list[NDArray[np.uint8]]
    """Their pixels, each ``(height, width, 4)`` red, green, blue, alpha, to be written."""


def pictures(corners: ArrayLike, sizes: ArrayLike, size_wh: SizeWH) -> Pictures:
    """Return images in one memory: ``(N, 2)`` left and top, and ``(N, 2)`` width and height, in whole pixels."""
    places, sides = (np.asarray(values, np.int64).reshape(-1, 2) for values in (corners, sizes))
    ends = np.cumsum(sides[:, 0] * sides[:, 1] * 4, dtype=np.int64)
    memory = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - sides[:, 0] * sides[:, 1] * 4
    commands = np.zeros((len(places), at.COMMAND_SIZE), np.int32)
    commands[:, at.KIND], commands[:, at.COUNT], commands[:, at.COLOR] = at.IMAGE, 1, at.OPAQUE_BLACK
    commands[:, [at.LEFT, at.TOP]], commands[:, [at.RIGHT, at.BOTTOM]] = places, places + sides
    commands[:, at.FIRST] = np.arange(len(places))
    glyphs = np.concatenate([places, sides, starts[:, None]], axis=1).astype(np.int32)
    drawing = seen(DisplayList(commands, glyphs, memory, next(revisions), may_blur=False), size_wh)
    spans = zip(starts.tolist(), ends.tolist(), sides.tolist(), strict=True)
    return Pictures(drawing, [memory[start:end].reshape(height, width, 4) for start, end, (width, height) in spans])


def letters(placed: Sequence[tuple[int, int, NDArray[np.uint8]]], color: int, size_wh: SizeWH) -> DisplayList:
    """Return coverages, each ``(left, top, (height, width))`` in whole pixels, in one packed colour.

    A pixel under several takes the highest.
    """
    row = np.zeros((1, at.COMMAND_SIZE), np.int32)
    row[0, at.KIND], row[0, at.COLOR], row[0, at.COUNT] = at.TEXT, color, len(placed)
    sizes = [mask.size for _, _, mask in placed]
    offsets = np.cumsum([0, *sizes])[:-1].tolist()
    glyphs = np.array(
        [
            (left, top, mask.shape[1], mask.shape[0], offset)
            for (left, top, mask), offset in zip(placed, offsets, strict=True)
        ],
        np.int32,
    ).reshape(-1, at.GLYPH_SIZE)
    if len(glyphs):
        row[0, [at.LEFT, at.TOP]] = glyphs[:, :2].min(axis=0)
        row[0, [at.RIGHT, at.BOTTOM]] = (glyphs[:, :2] + glyphs[:, 2:4]).max(axis=0)
    coverage = np.concatenate([mask.reshape(-1) for _, _, mask in placed]) if placed else _NO_COVERAGE
    return seen(DisplayList(row, glyphs, coverage, next(revisions), may_blur=False), size_wh)


def seen(drawing: DisplayList, size_wh: SizeWH) -> DisplayList:
    """Return a drawing without the commands that lie outside of the picture."""
    rows = drawing.commands
    shown = _seen(rows, size_wh)
    if not shown.all():
        rows = rows[shown]
    return DisplayList(rows, drawing.glyphs, drawing.coverage, drawing.revision, drawing.may_blur)


def shapes(
    kind: int,
    colors: ArrayLike,
    centers: Floats,
    halves: Floats,
    size_wh: SizeWH,
    *,
    edge: float | None = None,
    cos: Floats | None = None,
    sin: Floats | None = None,
) -> DisplayList:
    """Return rectangles, discs or blurs; see ``compose.put``.

    Args:
        kind: RECT, DISC or BLUR.
        colors: ``(N,)`` packed, or one for all.
        centers: ``(N, 2)`` pixels.
        halves: ``(N, 2)`` halves of width and height, before rotation; or one number instead of several.
        size_wh: Of the picture.
        edge: Half the width of a stroke, None to fill.
        cos: ``(N,)`` of the rotation; None for no rotation.
        sin: ``(N,)`` of the rotation.
    """
    count = len(centers)
    tints = tints_of(colors, count)
    rows = np.empty((count, compose.SHAPE_SIZE))
    rows[:, :2], rows[:, 2:4], rows[:, 4:] = centers, halves, (-1.0 if edge is None else edge, 1.0, 0.0)
    if cos is not None and sin is not None:
        rows[:, 5], rows[:, 6] = cos, sin
    commands = np.empty((count, at.COMMAND_SIZE), np.int32)
    seen = host(compose.put_shapes)(rows.reshape(-1), tints, kind, *size_wh, commands.reshape(-1))
    return DisplayList(commands[:seen], _NO_GLYPHS, _NO_COVERAGE, may_blur=kind == at.BLUR)


def _seen(rows: Ints, size_wh: SizeWH) -> NDArray[np.bool_]:
    """Tell which rows touch the picture."""
    width, height = size_wh
    across = np.maximum(rows[:, at.LEFT], 0) < np.minimum(rows[:, at.RIGHT], width)
    seen: NDArray[np.bool_] = across & (np.maximum(rows[:, at.TOP], 0) < np.minimum(rows[:, at.BOTTOM], height))
    return seen
