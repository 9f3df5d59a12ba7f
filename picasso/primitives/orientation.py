"""How a picture is turned between a file and a screen: one of the eight ways in which a rectangle can lie."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

QUARTERS_DEG: Final = (0, 90, 180, 270)
"""The turns that keep a picture's edges upright, in degrees."""
SizeWH: TypeAlias = tuple[int, int]
"""Width and height in pixels."""


class Orientation(NamedTuple):
    """Left and right are swapped first, if at all; then the picture is turned clockwise.

    Convention: positions are continuous pixels, x to the right, y downwards.

    >>> phone = Orientation(90)
    >>> phone.size((1920, 1080))
    (1080, 1920)
    >>> phone.inverse
    Orientation(turn_deg=270, mirrored=False)
    """

    turn_deg: int = 0
    """Degrees clockwise: 0, 90, 180 or 270."""
    mirrored: bool = False
    """Whether left and right are swapped before the turn."""

    @property
    def is_upright(self) -> bool:
        """Whether every pixel stays where it is."""
        return self == UPRIGHT

    @property
    def swaps_sides(self) -> bool:
        """Whether width becomes height."""
        return self.turn_deg in {90, 270}

    @property
    def inverse(self) -> Orientation:
        """What brings the picture back: a mirrored one is its own inverse."""
        return self if self.mirrored else Orientation(-self.turn_deg % 360)

    def size(self, size_wh: SizeWH) -> SizeWH:
        """Return the size of the turned picture."""
        width, height = size_wh
        return (height, width) if self.swaps_sides else (width, height)

    def move_boxes(self, boxes: NDArray[np.float32], size_wh: SizeWH) -> None:
        """Turn boxes with a picture, in place.

        Each stays the same rectangle of pixels: where the sides of the picture change places, so do width and height,
        and a mirror turns an angle the other way round. ``inverse`` brings them back.

        Args:
            boxes: ``(..., 5, N)``: centre x, centre y, width, height in pixels, angle in degrees, NaN for none.
            size_wh: Size of the picture before the turn.
        """
        width, height = size_wh
        x, y = boxes[..., 0, :].copy(), boxes[..., 1, :].copy()
        if self.mirrored:
            x = width - x
            boxes[..., 4, :] = -boxes[..., 4, :]
        if self.turn_deg == 90:
            x, y = height - y, x
        elif self.turn_deg == 180:
            x, y = width - x, height - y
        elif self.turn_deg == 270:
            x, y = y, width - x
        boxes[..., 0, :], boxes[..., 1, :] = x, y
        if self.swaps_sides:
            boxes[..., 2:4, :] = boxes[..., [3, 2], :]


UPRIGHT: Final = Orientation()
"""Nothing is turned."""
