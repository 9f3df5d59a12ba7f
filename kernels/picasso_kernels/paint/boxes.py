"""Many upright rectangles as commands of a display list, straight from their corners."""

from __future__ import annotations

from picasso_kernels.maths.memory import Ints, tail
from picasso_kernels.paint.compose import Floats, is_drawable, keep_visible, put


def put_boxes(
    corners: Floats, colors: Ints, edges: Floats, kind: int, width: int, height: int, start: int, commands: Ints
) -> int:
    """Write the commands of many upright rectangles: those that can be seen.

    Args:
        corners: Left, top, right and bottom of each, in pixels. What is not finite, has a negative side, or no size and
            no edge, is left out.
        colors: One for each, packed.
        edges: One number: half the width of a stroke along the edges, or -1 to fill.
        kind: RECT or BLUR.
        width: Of the surface.
        height: Of the surface.
        start: How many commands there are already.
        commands: Written: room for as many more as there are colours.

    Returns:
        How many commands there are then.
    """
    end, edge, rows = start, edges[0], tail(commands, 0)
    for number in range(len(colors)):
        corner = 4 * number
        left, top, right, bottom = corners[corner], corners[corner + 1], corners[corner + 2], corners[corner + 3]
        half_w, half_h = (right - left) / 2.0, (bottom - top) / 2.0
        has_size = edge > 0 or (half_w > 0 and half_h > 0)
        if has_size and is_drawable(left, top, half_w, half_h):
            first, x, y = end, (left + right) / 2.0, (top + bottom) / 2.0
            end = put(rows, first, kind, colors[number], x, y, half_w, half_h, edge, 1.0, 0.0)
            end = keep_visible(rows, first, end, width, height)
    return end
