"""A display list made by hand: shapes and texts one after the other, each on top of those before."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from picasso.draw.letters import LINE_HEIGHT, Text
from picasso.draw.lists import DisplayList, revisions
from picasso.draw.shapes import Mask
from picasso.draw.styles import packed
from picasso.draw.values import ColorDraw
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.compose import direction, put, start_command

Corner = tuple[float, float]
Row = list[int]


class Sketch:
    """Takes shapes in pixels of a picture and gives the display list that paints them. For one thread at a time.

    Convention: the centre of the top left pixel is (0.5, 0.5). What is outside of the picture, has no size, is not
    finite, or is transparent is left out.
    """

    __slots__ = ("_commands", "_coverage", "_glyphs", "_length", "_may_blur", "size_wh")

    def __init__(self, size_wh: tuple[int, int]) -> None:
        """Begin with nothing; ``size_wh`` is the picture's."""
        self.size_wh: tuple[int, int] = size_wh
        self._clear()

    def _clear(self) -> None:
        self._commands: list[Row] = []
        self._glyphs: list[Row] = []
        self._coverage: list[npt.NDArray[np.uint8]] = []
        self._length = 0
        self._may_blur = False

    def __len__(self) -> int:
        return len(self._commands)

    def box(self, center: Corner, half_wh: Corner, angle: float, color: ColorDraw, edge: float | None = None) -> None:
        """Draw a rectangle.

        Args:
            center: Of it.
            half_wh: Half of width and height.
            angle: Degrees, clockwise.
            color: Of what is drawn.
            edge: Half the width of a stroke along the edges; None fills.
        """
        self._put(at.RECT, color, center, half_wh, -1.0 if edge is None else edge, *direction(angle))

    def disc(self, center: Corner, radius: float, color: ColorDraw) -> None:
        """Draw a filled circle around ``center``, ``radius`` pixels."""
        self._put(at.DISC, color, center, (radius, radius), -1.0, 1.0, 0.0)

    def line(self, start: Corner, end: Corner, width: float, color: ColorDraw) -> None:
        """Draw a straight line from ``start`` to ``end``, ``width`` pixels wide, its ends cut straight."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy)
        if not length:
            self.disc(start, width / 2, color)
            return
        center = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        self._put(at.RECT, color, center, (length / 2, width / 2), -1.0, dx / length, dy / length)

    def blur(self, center: Corner, half_wh: Corner, angle: float, sigma: float) -> None:
        """Blur what lies in a rectangle, ``angle`` degrees turned, by a Gaussian of ``sigma`` pixels, up to 40."""
        row = self._put(at.BLUR, ColorDraw(0, 0, 0, 255), center, half_wh, -1.0, *direction(angle))
        if row is not None:
            row[at.SIGMA] = max(round(min(sigma, 40.0) * at.ONE_PIXEL), 1)
            self._may_blur = True

    def mask(self, mask: Mask | None, color: ColorDraw) -> None:
        """Draw a shape that comes as coverage; None draws nothing."""
        if mask is not None:
            self._letters([(mask.left, mask.top, mask.coverage)], color)

    def text(self, text: Text, left: int, top: int, color: ColorDraw) -> None:
        """Draw lines of text, the top left corner of the first at ``(left, top)``."""
        placed = []
        for number, line in enumerate(text.lines):
            baseline = top + math.floor(text.font_px * (1.0 + LINE_HEIGHT * number) + 0.5)
            placed += [(left + glyph.left, baseline + glyph.top, glyph.coverage) for glyph in line]
        self._letters(placed, color)

    def add(self, drawing: DisplayList) -> None:
        """Draw what another display list draws, which may change afterwards."""
        first, letters, known = len(self._glyphs), drawing.glyphs.tolist(), {}
        for glyph in letters:
            size = glyph[at.GLYPH_WIDTH] * glyph[at.GLYPH_HEIGHT]
            offset = glyph[at.GLYPH_OFFSET]
            if size and (offset, size) not in known:
                known[offset, size] = self._keep(drawing.coverage[offset : offset + size])
            glyph[at.GLYPH_OFFSET] = known.get((offset, size), 0)
        self._glyphs += letters
        for row in drawing.commands.tolist():
            if row[at.KIND] == at.TEXT:
                row[at.FIRST] += first
            self._may_blur = self._may_blur or row[at.KIND] == at.BLUR
            self._commands.append(row)

    def finish(self) -> DisplayList:
        """Return what was drawn, lowest first, and begin again with nothing."""
        commands = np.array(self._commands, np.int32).reshape(-1, at.COMMAND_SIZE)
        glyphs = np.array(self._glyphs, np.int32).reshape(-1, at.GLYPH_SIZE)
        coverage = np.concatenate(self._coverage) if self._coverage else np.zeros(1, np.uint8)
        drawing = DisplayList(commands, glyphs, coverage, next(revisions), self._may_blur)
        self._clear()
        return drawing

    def _put(
        self, kind: int, color: ColorDraw, center: Corner, half_wh: Corner, edge: float, cos: float, sin: float
    ) -> Row | None:
        """Append a command as the kernel does; return its row, or None where there is nothing to see."""
        numbers = *center, *half_wh, edge
        if not all(map(math.isfinite, numbers)) or min(half_wh) < 0 or (edge < 0 and min(half_wh) == 0):
            return None
        row: Row = [0] * at.COMMAND_SIZE
        if not put(row, 0, kind, packed(color), *numbers, cos, sin):
            return None
        return self._append(row)

    def _append(self, row: Row) -> Row | None:
        width, height = self.size_wh
        if max(row[at.LEFT], 0) >= min(row[at.RIGHT], width) or max(row[at.TOP], 0) >= min(row[at.BOTTOM], height):
            return None
        self._commands.append(row)
        return row

    def _letters(self, placed: Sequence[tuple[int, int, npt.NDArray[np.uint8]]], color: ColorDraw) -> None:
        """Draw coverages in one colour; a pixel under several takes the highest."""
        if not placed or not color.alpha:
            return
        row: Row = [0] * at.COMMAND_SIZE
        start_command(row, 0, at.TEXT, packed(color))
        row[at.LEFT], row[at.TOP] = min(left for left, _, _ in placed), min(top for _, top, _ in placed)
        row[at.RIGHT] = max(left + mask.shape[1] for left, _, mask in placed)
        row[at.BOTTOM] = max(top + mask.shape[0] for _, top, mask in placed)
        row[at.FIRST], row[at.COUNT] = len(self._glyphs), len(placed)
        if self._append(row) is None:
            return
        for left, top, mask in placed:
            self._glyphs.append([left, top, mask.shape[1], mask.shape[0], self._keep(mask.reshape(-1))])

    def _keep(self, coverage: npt.NDArray[np.uint8]) -> int:
        offset = self._length
        self._coverage.append(coverage)
        self._length += coverage.size
        return offset
