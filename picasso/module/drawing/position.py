"""Which point of a box an anchor is."""

from __future__ import annotations

from enum import Enum


class Position(Enum):
    """The nine points of a box: across first, then down. The value is the share of its width and height."""

    CENTER = (0.5, 0.5)
    LEFT_TOP = (0.0, 0.0)
    LEFT_CENTER = (0.0, 0.5)
    LEFT_BOTTOM = (0.0, 1.0)
    CENTER_TOP = (0.5, 0.0)
    CENTER_BOTTOM = (0.5, 1.0)
    RIGHT_TOP = (1.0, 0.0)
    RIGHT_CENTER = (1.0, 0.5)
    RIGHT_BOTTOM = (1.0, 1.0)

    TOP_LEFT = LEFT_TOP
    TOP_RIGHT = RIGHT_TOP
    BOTTOM_LEFT = LEFT_BOTTOM
    BOTTOM_RIGHT = RIGHT_BOTTOM

    def corner(self, anchor_xy: tuple[float, float], size_wh: tuple[float, float]) -> tuple[float, float]:
        """Return the left and top of a box of ``size_wh`` that has this point of it at ``anchor_xy``; in pixels."""
        (share_x, share_y), (x, y), (width, height) = self.value, anchor_xy, size_wh
        return x - share_x * width, y - share_y * height
