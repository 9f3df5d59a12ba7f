"""The reference painter: a display list by Skia, whose antialiasing is exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import skia

from picasso.draw.canvas import canvas_for
from picasso.draw.lists import DisplayList
from picasso.surface import SurfaceView
from picasso_kernels.paint import display_list as at


def paint(drawing: DisplayList, surface: SurfaceView) -> None:
    """Paint ``drawing`` onto ``surface``.

    Raises:
        SurfaceError: Skia does not draw on this kind of surface.
    """
    canvas = canvas_for(surface)
    for command in drawing.commands.tolist():
        kind = command[at.KIND]
        if kind == at.TEXT:
            _paint_text(canvas, command, drawing)
        elif kind == at.BLUR:
            _paint_blur(canvas, command, surface)
        else:
            _paint_shape(canvas, command)


def _paint_shape(canvas: Any, command: list[int]) -> None:
    """Paint a rectangle or disc; upright ones as such, for which Skia's coverage is exact."""
    paint = _paint_of(command)
    if command[at.KIND] != at.RECT or command[at.SIN]:
        canvas.drawPath(_outline(command), paint)
        return
    x, y, half_w, half_h, inner_w, inner_h = _pixels(*command[at.CENTER_X : at.INNER_H + 1])
    if inner_w > 0 and inner_h > 0:
        thickness = half_w - inner_w
        half_w, half_h = half_w - thickness / 2, half_h - thickness / 2
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(thickness)
    canvas.drawRect(skia.Rect(x - half_w, y - half_h, x + half_w, y + half_h), paint)


def _pixels(*numbers: int) -> list[float]:
    return [number / at.ONE_PIXEL for number in numbers]


def _paint_of(command: list[int]) -> Any:
    red, green, blue, alpha = np.int32(command[at.COLOR]).tobytes()
    return skia.Paint(AntiAlias=True, Color=skia.Color(red, green, blue, alpha))


def _outline(command: list[int]) -> Any:
    """Return the shape of a rectangle, with its hole, or of a disc."""
    x, y, half_w, half_h, inner_w, inner_h = _pixels(*command[at.CENTER_X : at.INNER_H + 1])
    path = skia.Path()
    if command[at.KIND] == at.DISC:
        return path.addCircle(x, y, half_w)
    path.addPoly(_corners(command, x, y, half_w, half_h), True)
    if inner_w > 0 and inner_h > 0:
        path.addPoly(_corners(command, x, y, inner_w, inner_h), True)
    path.setFillType(skia.PathFillType.kEvenOdd)
    return path


def _corners(command: list[int], x: float, y: float, half_w: float, half_h: float) -> list[Any]:
    cos, sin = command[at.COS] / at.ONE_TURN, command[at.SIN] / at.ONE_TURN
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    sides = [(right * half_w, down * half_h) for right, down in signs]
    return [skia.Point(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in sides]


def _paint_text(canvas: Any, command: list[int], drawing: DisplayList) -> None:
    first = command[at.FIRST]
    for left, top, width, height, offset in drawing.glyphs[first : first + command[at.COUNT]].tolist():
        if width:
            mask = drawing.coverage[offset : offset + width * height].reshape(height, width)
            image = skia.Image.fromarray(np.ascontiguousarray(mask), skia.kAlpha_8_ColorType)
            canvas.drawImage(image, left, top, skia.SamplingOptions(), _paint_of(command))


def _paint_blur(canvas: Any, command: list[int], surface: SurfaceView) -> None:
    left, top = max(command[at.LEFT], 0), max(command[at.TOP], 0)
    right, bottom = min(command[at.RIGHT], surface.width), min(command[at.BOTTOM], surface.height)
    if left >= right or top >= bottom:
        return
    sigma = command[at.SIGMA] / at.ONE_PIXEL
    region = surface.planes[0][top:bottom, left:right].copy()
    region[..., 3] = 255
    image = skia.Image.fromarray(region, canvas.imageInfo().colorType(), skia.kOpaque_AlphaType)
    canvas.save()
    canvas.clipPath(_outline(command), skia.ClipOp.kIntersect, True)
    blurred = skia.ImageFilters.Blur(sigma, sigma, skia.TileMode.kClamp)
    canvas.drawImage(image, left, top, skia.SamplingOptions(), skia.Paint(ImageFilter=blurred))
    canvas.restore()
