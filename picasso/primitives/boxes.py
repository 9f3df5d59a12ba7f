"""Single boxes: ``RBBox`` may be rotated, ``BBox`` is upright.

Convention: continuous pixels, stored as float32; angles are degrees, clockwise on the screen. Nothing is clipped, and
NaN passes through. A box read from an object shares the object's storage: editing it edits the object.
"""

from __future__ import annotations

import math
from array import array
from typing import Protocol, Self

from picasso.primitives.box_fields import NO_ANGLE, BoxFields
from picasso.primitives.box_overlap import Vertices, clipped, polygon_area


class Sides(Protocol):
    """Pixels on each side of a box, such as a ``PaddingDraw``."""

    @property
    def left(self) -> int:
        """Pixels added at the left."""
        ...

    @property
    def top(self) -> int:
        """Pixels added at the top."""
        ...

    @property
    def right(self) -> int:
        """Pixels added at the right."""
        ...

    @property
    def bottom(self) -> int:
        """Pixels added at the bottom."""
        ...


class _Box(BoxFields):
    """What both kinds of box can do."""

    __slots__ = ()

    @property
    def vertices(self) -> Vertices:
        """The four corners, clockwise, from the one at the top left before rotation."""
        half_width, half_height = self.width / 2, self.height / 2
        corners = [(-half_width, -half_height), (half_width, -half_height)]
        corners += [(half_width, half_height), (-half_width, half_height)]
        xc, yc = self.xc, self.yc
        cosine, sine = self.direction()
        return [(xc + x * cosine - y * sine, yc + x * sine + y * cosine) for x, y in corners]

    @property
    def vertices_rounded(self) -> Vertices:
        """The corners, rounded to two decimals."""
        return [(round(x, 2), round(y, 2)) for x, y in self.vertices]

    @property
    def vertices_int(self) -> list[tuple[int, int]]:
        """The corners, cut to whole pixels toward zero."""
        return [(int(x), int(y)) for x, y in self.vertices]

    @property
    def wrapping_box(self) -> BBox:
        """The smallest upright box around this one."""
        width, height = self.width, self.height
        cosine, sine = map(abs, self.direction())
        return BBox(self.xc, self.yc, width * cosine + height * sine, width * sine + height * cosine)

    def get_wrapping_bbox(self) -> BBox:
        """Return ``wrapping_box``."""
        return self.wrapping_box

    def get_visual_bbox(self, padding: Sides, border_width: int, max_x: int, max_y: int) -> BBox:
        """Return the upright box that the drawn box covers, clamped to 2 … ``max_x`` − 2 and 2 … ``max_y`` − 2.

        Args:
            padding: Pixels added on each side before rotation.
            border_width: Thickness of the border, added on every side.
            max_x: Width of the picture.
            max_y: Height of the picture.
        """
        left, top, right, bottom = self.new_padded(padding).wrapping_box.as_ltrb()
        return BBox.ltrb(
            _clamp(left - border_width, 2, max_x - 2),
            _clamp(top - border_width, 2, max_y - 2),
            _clamp(right + border_width, 2, max_x - 2),
            _clamp(bottom + border_width, 2, max_y - 2),
        )

    def new_padded(self, padding: Sides) -> Self:
        """Return a box that is larger by the padding, in pixels, on each side, as seen before rotation."""
        cosine, sine = self.direction()
        x, y = (padding.right - padding.left) / 2, (padding.bottom - padding.top) / 2
        box = self.copy()
        box.xc += x * cosine - y * sine
        box.yc += x * sine + y * cosine
        box.width += padding.left + padding.right
        box.height += padding.top + padding.bottom
        return box

    def shift(self, dx: float, dy: float) -> None:
        """Move the box by ``dx`` and ``dy`` pixels, in place."""
        self._values[0] += dx
        self._values[1] += dy

    def iou(self, other: _Box) -> float:
        """Return intersection over union, 0 where both are empty."""
        common = self._intersection(other)
        return _ratio(common, self.area + other.area - common)

    def ios(self, other: _Box) -> float:
        """Return intersection over the own area, 0 where that is empty."""
        return _ratio(self._intersection(other), self.area)

    def ioo(self, other: _Box) -> float:
        """Return intersection over the other's area, 0 where that is empty."""
        return _ratio(self._intersection(other), other.area)

    def inside_viewport(self, width: float, height: float) -> bool:
        """Say whether the whole box lies in 0 … ``width``, 0 … ``height``."""
        left, top, right, bottom = self.wrapping_box.as_ltrb()
        return left >= 0 and top >= 0 and right <= width and bottom <= height

    def _intersection(self, other: _Box) -> float:
        if self.turn() or other.turn():
            return max(0.0, polygon_area(clipped(self.vertices, other.vertices)))
        left, top, right, bottom = self.as_ltrb()
        other_left, other_top, other_right, other_bottom = other.as_ltrb()
        width = min(right, other_right) - max(left, other_left)
        height = min(bottom, other_bottom) - max(top, other_top)
        return max(0.0, width) * max(0.0, height)


class RBBox(_Box):
    """A box that may be rotated about its centre.

    Args:
        xc: Centre x, pixels.
        yc: Centre y, pixels.
        width: Size along x before rotation, pixels.
        height: Size along y before rotation, pixels.
        angle: Degrees, clockwise on the screen; ``None`` (or NaN) for an upright box.
    """

    __slots__ = ()

    def __init__(self, xc: float, yc: float, width: float, height: float, angle: float | None = None) -> None:
        self._values = array("f", (xc, yc, width, height, NO_ANGLE if angle is None else angle))

    @property
    def angle(self) -> float | None:
        """Rotation in degrees, ``None`` for an upright box."""
        angle = self._values[4]
        return angle if angle == angle else None  # noqa: PLR0124 - only NaN differs from itself

    @angle.setter
    def angle(self, value: float | None) -> None:
        self._values[4] = NO_ANGLE if value is None else value

    def scale(self, scale_x: float, scale_y: float) -> None:
        """Scale about the origin, in place; the rule for a rotated box is that of ``geometry.scale_shift_columns``."""
        angle = self.turn()
        if scale_x != scale_y and angle % 180:
            cosine, sine = self.direction()
            self.width *= math.hypot(scale_x * cosine, scale_y * sine)
            self.height *= math.hypot(scale_x * sine, scale_y * cosine)
            if angle % 90:
                self.angle = math.degrees(math.atan2(scale_x * sine, scale_y * cosine))
        else:
            self.width *= abs(scale_x)
            self.height *= abs(scale_y)
        self.xc *= scale_x
        self.yc *= scale_y

    def as_bbox(self) -> BBox:
        """Return the upright box of the same edges. ``ValueError`` when rotated."""
        self.demand_upright()
        return BBox(*self.as_xcycwh())

    def __repr__(self) -> str:
        return f"RBBox(xc={self.xc}, yc={self.yc}, width={self.width}, height={self.height}, angle={self.angle})"


class BBox(_Box):
    """An upright box.

    Args:
        xc: Centre x, pixels.
        yc: Centre y, pixels.
        width: Size along x, pixels.
        height: Size along y, pixels.
    """

    __slots__ = ()

    def __init__(self, xc: float, yc: float, width: float, height: float) -> None:
        self._values = array("f", (xc, yc, width, height, NO_ANGLE))

    def scale(self, scale_x: float, scale_y: float) -> None:
        """Scale about the origin, in place."""
        self.xc *= scale_x
        self.yc *= scale_y
        self.width *= abs(scale_x)
        self.height *= abs(scale_y)

    def as_rbbox(self) -> RBBox:
        """Return the same box as one that may be rotated."""
        return RBBox(*self.as_xcycwh())

    def __repr__(self) -> str:
        return f"BBox(xc={self.xc}, yc={self.yc}, width={self.width}, height={self.height})"


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
