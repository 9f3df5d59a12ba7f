"""The artist: what a drawer draws with, on the engine's painter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from picasso.draw.letters import Letters
from picasso.draw.shapes import outline, polygon, ring, rounded_rect
from picasso.draw.sketch import Sketch
from picasso.module.drawing.arguments import (
    Color,
    Padding,
    color_of,
    number_of,
    numbers_of,
    padding_of,
    point_of,
    points_of,
)
from picasso.module.drawing.canvas import FrameCanvas, PixelCanvas, canvas_of
from picasso.module.drawing.position import Position
from picasso.primitives import BBox, RBBox

if TYPE_CHECKING:
    from picasso.draw import DisplayList
    from picasso.module.meta import Frame

FONT_PX = 30.0
"""Size of the font in pixels at a scale of 1: capitals are 22 pixels high, as OpenCV's are."""
FONT_SCALE = FONT_PX / 12
"""What a scale of 1 is for labels of the engine, whose font is 12 pixels high."""
MOST_KERNEL = 31
"""Pixels of the widest blur."""
GREEN, WHITE = (0, 255, 0, 255), (255, 255, 255, 255)


class Artist:
    """Draws on one frame, in pixels of the total frame. Colours are ``(red, green, blue[, alpha])``, 0..255.

    Two layers: upright boxes and blurs are below; text, circles, lines, polygons, round corners and turned boxes lie
    above all of them. Within a layer, what comes later covers what came before.

    What is drawn is painted by the engine on its way to the encoder, and the pixels of the frame stay where they are.
    Only ``add_graphic`` takes the RGBA picture, from which the frame is encoded then.

    ::

        with Artist(frame) as artist:
            artist.add_text("closed", (20, 20), anchor_point_type=Position.LEFT_TOP)
    """

    def __init__(self, frame: Frame | Any, stream: object = None, *, letters: Letters | None = None) -> None:  # noqa: ARG002 - existing code gives a stream
        """Begin to draw.

        Args:
            frame: The frame; or pixels, ``(height, width, 4)`` RGBA, which are drawn on when the artist is closed.
            stream: Has no effect; existing code gives it.
            letters: Those of an earlier artist, which need not be made again.
        """
        self._canvas: FrameCanvas | PixelCanvas = canvas_of(frame)
        self._letters = letters
        self._under, self._over = Sketch(self._canvas.size_wh), Sketch(self._canvas.size_wh)

    @property
    def frame_wh(self) -> tuple[int, int]:
        """Width and height of the frame in pixels."""
        return self._canvas.size_wh

    def add_bbox(
        self,
        bbox: BBox | RBBox,
        border_width: int = 3,
        border_color: Color = GREEN,
        bg_color: Color | None = None,
        padding: Padding = (0, 0, 0, 0),
    ) -> None:
        """Draw a box: filled, then its border.

        Args:
            bbox: Where.
            border_width: Pixels, ≥ 0; the middle of the border is on the edge.
            border_color: Of the border.
            bg_color: Of the inside; None leaves it.
            padding: Left, top, right, bottom: enlarges the box before it is turned.
        """
        center, half_wh, angle = _padded(bbox, padding_of(padding))
        layer = self._over if _is_turned(bbox) else self._under
        width = number_of("border_width", border_width)
        if bg_color is not None:
            layer.box(center, half_wh, angle, color_of("bg_color", bg_color))
        if width:
            layer.box(center, half_wh, angle, color_of("border_color", border_color), width / 2)

    def add_text(
        self,
        text: str,
        anchor: tuple[float, float],
        font_scale: float = 0.5,
        font_thickness: int = 1,
        font_color: Color = WHITE,
        border_width: int = 0,
        border_color: Color = GREEN,
        bg_color: Color | None = None,
        padding: Padding = (0, 0, 0, 0),
        anchor_point_type: Position = Position.CENTER,
    ) -> tuple[tuple[int, int], int]:
        """Write a text, on a box where there is a colour or a border for it.

        Args:
            text: One line, or several.
            anchor: A point of the box.
            font_scale: Capitals are ``22 * font_scale`` pixels high.
            font_thickness: Width of the strokes: from 2 on the letters are as many pixels bolder, less one.
            font_color: Of the letters.
            border_width: Of the box, pixels; 0 is none.
            border_color: Of the box.
            bg_color: Of its inside; None leaves it.
            padding: Left, top, right, bottom: between the text and the edge.
            anchor_point_type: Which point of the box ``anchor`` is.

        Returns:
            Width and height of the text above its last baseline, and what hangs below it; pixels.
        """
        left_pad, top_pad, right_pad, bottom_pad = padding_of(padding)
        self._letters = self._letters or Letters()
        run = self._letters.text(str(text), FONT_PX * number_of("font_scale", font_scale))
        size_wh = run.width + left_pad + right_pad, run.height + top_pad + bottom_pad
        corner = anchor_point_type.corner(point_of("anchor", anchor), size_wh)
        left, top = (math.floor(side + 0.5) for side in corner)
        center, half_wh = (left + size_wh[0] / 2, top + size_wh[1] / 2), (size_wh[0] / 2, size_wh[1] / 2)
        if bg_color is not None:
            self._over.box(center, half_wh, 0.0, color_of("bg_color", bg_color))
        if width := number_of("border_width", border_width):
            self._over.box(center, half_wh, 0.0, color_of("border_color", border_color), width / 2)
        color = color_of("font_color", font_color)
        for bolder in range(max(int(font_thickness), 1)):
            self._over.text(run, int(left + left_pad) + bolder, int(top + top_pad), color)
        baseline = round(run.font_px / 4)
        return (run.width, run.height - baseline), baseline

    def add_circle(self, center: tuple[float, float], radius: float, color: Color, thickness: float) -> None:
        """Draw a circle around ``center``.

        Args:
            center: A point.
            radius: Pixels, ≥ 0.
            color: Of the line, or of the disc.
            thickness: Pixels of the line; a negative number fills the circle.
        """
        point, reach, paint = point_of("center", center), number_of("radius", radius), color_of("color", color)
        if thickness < 0:
            self._over.disc(point, reach, paint)
        elif thickness > 0:
            self._over.mask(ring(point, reach, thickness, self.frame_wh), paint)

    def add_line(
        self, start: tuple[float, float], end: tuple[float, float], color: Color, thickness: float = 3
    ) -> None:
        """Draw a straight line from ``start`` to ``end``, in ``color``, ``thickness`` pixels wide."""
        width = number_of("thickness", thickness)
        if width:
            self._over.line(point_of("start", start), point_of("end", end), width, color_of("color", color))

    def add_polygon(
        self,
        vertices: Sequence[tuple[float, float]],
        line_width: float = 3,
        line_color: Color = GREEN,
        bg_color: Color | None = None,
    ) -> None:
        """Draw a closed polygon: filled, then its edges.

        Args:
            vertices: Its points, at least one.
            line_width: Pixels of the edges; 0 draws none.
            line_color: Of the edges.
            bg_color: Of the inside; None leaves it. Where edges cross, what is surrounded twice is outside.
        """
        points = tuple(points_of("vertices", vertices))
        width, line = number_of("line_width", line_width), color_of("line_color", line_color)
        if bg_color is not None:
            self._over.mask(polygon(points, self.frame_wh), color_of("bg_color", bg_color))
        if not width:
            return
        if line.alpha < 255:  # each pixel once
            self._over.mask(outline(points, width, self.frame_wh), line)
            return
        for start, end in zip(points, [*points[1:], points[0]], strict=True):
            self._over.line(start, end, width, line)
            self._over.disc(end, width / 2, line)

    def add_rounded_rect(self, bbox: BBox, radius: float, bg_color: Color) -> None:
        """Fill a box with round corners.

        Args:
            bbox: Where; a turned one is taken by the upright box around it.
            radius: Of the corners in pixels; at most half the shorter side counts.
            bg_color: Of the inside.
        """
        box = bbox.wrapping_box if isinstance(bbox, RBBox) else bbox
        left, top, right, bottom = numbers_of("bbox", box.as_ltrb(), 4)
        mask = rounded_rect((left, top, right, bottom), number_of("radius", radius), self.frame_wh)
        self._over.mask(mask, color_of("bg_color", bg_color))

    def blur(self, bbox: BBox | RBBox, padding: Padding = (0, 0, 0, 0), sigma: float | None = None) -> None:
        """Blur what lies in a box.

        Args:
            bbox: Where.
            padding: Left, top, right, bottom: enlarges the box.
            sigma: Of the Gaussian in pixels; by default a tenth of the shorter side. Of it, ``kernel_of(sigma)`` pixels
                count.
        """
        center, half_wh, angle = _padded(bbox, padding_of(padding))
        wanted = 2 * min(half_wh) / 10 if sigma is None else number_of("sigma", sigma)
        if wanted > 0:
            self._under.blur(center, half_wh, angle, spread_of(wanted))

    def add_graphic(self, image: Any, origin: tuple[int, int]) -> None:
        """Lay a picture over the frame, as its alpha says; what is outside of the frame is left out.

        Args:
            image: ``(height, width, 4)`` RGBA or ``(height, width, 3)`` RGB, uint8.
            origin: Where its top left corner is, whole pixels.

        Raises:
            TypeError, ValueError: It is no such picture.
        """
        self._flush()
        left, top = point_of("origin", origin)
        self._canvas.blend(image, math.floor(left), math.floor(top))

    def copy_frame_region(self, bbox: BBox | RBBox) -> Any:
        """Return a copy of the pixels in a box, ``(height, width, 4)`` RGBA, as far as it is in the frame.

        It has the boxes and blurs that were drawn before, not the layer above. ``bbox`` counts in whole pixels; a
        turned one is taken by the upright box around it.
        """
        if len(self._under):
            self._flush()
        box = bbox.wrapping_box if isinstance(bbox, RBBox) else bbox
        left, top, right, bottom = box.as_ltrb_int()
        width, height = self.frame_wh
        rows = slice(min(max(top, 0), height), min(max(bottom, 0), height))
        return self._canvas.copy(rows, slice(min(max(left, 0), width), min(max(right, 0), width)))

    def draw_list(self, under: DisplayList, over: DisplayList) -> None:
        """Draw lists of the engine's painter: ``under`` into the layer below, ``over`` into the one above."""
        self._under.add(under)
        self._over.add(over)

    def close(self) -> None:
        """Hand over what was drawn."""
        if len(self._over):
            self._under.add(self._over.finish())
        if len(self._under):
            self._canvas.paint(self._under.finish())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _flush(self) -> None:
        """Bring the layer below to the pixels, for what reads them or lies on it."""
        if len(self._under):
            self._canvas.paint_now(self._under.finish())


def kernel_of(sigma: float) -> int:
    """Return how many pixels of a Gaussian of ``sigma`` pixels count: four times that, odd, at most 31."""
    return min(int(4 * sigma) | 1, MOST_KERNEL)


def spread_of(sigma: float) -> float:
    """Return the standard deviation of a Gaussian of ``sigma`` that is cut to its kernel, in pixels."""
    reach = kernel_of(sigma) // 2
    places = np.arange(-reach, reach + 1)
    weights = np.exp(-(places**2) / (2 * sigma * sigma))
    return math.sqrt(float((weights * places**2).sum() / weights.sum()))


def _is_turned(bbox: BBox | RBBox) -> bool:
    return isinstance(bbox, RBBox) and bool((bbox.angle or 0.0) % 180)


def _padded(
    bbox: BBox | RBBox, padding: tuple[float, float, float, float]
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return centre, half width and height, and angle of a box with its padding."""
    left, top, right, bottom = padding
    angle = (bbox.angle or 0.0) if isinstance(bbox, RBBox) else 0.0
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = (right - left) / 2, (bottom - top) / 2
    center = bbox.xc + x * cos - y * sin, bbox.yc + x * sin + y * cos
    return center, (bbox.width / 2 + (left + right) / 2, bbox.height / 2 + (top + bottom) / 2), angle
