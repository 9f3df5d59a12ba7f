"""What a box holds: five float32 values that it owns, or shares with an object of a frame."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import Any, Protocol, Self, TypeAlias

NO_ANGLE = math.nan
"""The stored angle of a box that has none."""

Four: TypeAlias = tuple[float, float, float, float]
FourInt: TypeAlias = tuple[int, int, int, int]


class BoxValues(Protocol):
    """Where a box keeps its five float32 values: xc, yc, width, height, angle."""

    def __getitem__(self, index: int, /) -> float: ...

    def __setitem__(self, index: int, value: float, /) -> None: ...

    def __iter__(self) -> Iterator[float]: ...


class BoxFields:
    """The values, edges and comparisons of both kinds of box."""

    __slots__ = ("_values",)
    __hash__: Any = None  # compared by value, and mutable

    _values: BoxValues

    @classmethod
    def over(cls, values: BoxValues) -> Self:
        """Make a box that lives in ``values`` and shares them with their owner."""
        box = cls.__new__(cls)
        box._values = values
        return box

    @classmethod
    def ltrb(cls, left: float, top: float, right: float, bottom: float) -> Self:
        """Make an upright box of its edges ``left``, ``top``, ``right`` and ``bottom``, in pixels."""
        width, height = right - left, bottom - top
        box = cls.__new__(cls)
        box._values = array("f", (left + width / 2, top + height / 2, width, height, NO_ANGLE))
        return box

    @classmethod
    def ltwh(cls, left: float, top: float, width: float, height: float) -> Self:
        """Make an upright box of its corner ``left``, ``top`` and its size ``width``, ``height``, in pixels."""
        return cls.over(array("f", (left + width / 2, top + height / 2, width, height, NO_ANGLE)))

    @property
    def xc(self) -> float:
        """Centre x."""
        return self._values[0]

    @xc.setter
    def xc(self, value: float) -> None:
        self._values[0] = value

    @property
    def yc(self) -> float:
        """Centre y."""
        return self._values[1]

    @yc.setter
    def yc(self, value: float) -> None:
        self._values[1] = value

    @property
    def width(self) -> float:
        """Size along the x axis of the box before rotation."""
        return self._values[2]

    @width.setter
    def width(self, value: float) -> None:
        self._values[2] = value

    @property
    def height(self) -> float:
        """Size along the y axis of the box before rotation."""
        return self._values[3]

    @height.setter
    def height(self, value: float) -> None:
        self._values[3] = value

    @property
    def area(self) -> float:
        """Width times height, square pixels."""
        return self._values[2] * self._values[3]

    @property
    def width_to_height_ratio(self) -> float:
        """Width by height, −1 for a box without height."""
        return self._values[2] / self._values[3] if self._values[3] else -1.0

    @property
    def left(self) -> float:
        """Left edge; setting it moves the box. ``ValueError`` when rotated."""
        xc, _yc, width, _height = self._upright()
        return xc - width / 2

    @left.setter
    def left(self, value: float) -> None:
        self._values[0] += value - self.left

    @property
    def top(self) -> float:
        """Top edge; setting it moves the box. ``ValueError`` when rotated."""
        _xc, yc, _width, height = self._upright()
        return yc - height / 2

    @top.setter
    def top(self, value: float) -> None:
        self._values[1] += value - self.top

    @property
    def right(self) -> float:
        """Right edge. ``ValueError`` when rotated."""
        xc, _yc, width, _height = self._upright()
        return xc + width / 2

    @property
    def bottom(self) -> float:
        """Bottom edge. ``ValueError`` when rotated."""
        _xc, yc, _width, height = self._upright()
        return yc + height / 2

    def as_ltrb(self) -> Four:
        """Return left, top, right, bottom. ``ValueError`` when rotated."""
        xc, yc, width, height = self._upright()
        return xc - width / 2, yc - height / 2, xc + width / 2, yc + height / 2

    def as_ltwh(self) -> Four:
        """Return left, top, width, height. ``ValueError`` when rotated."""
        xc, yc, width, height = self._upright()
        return xc - width / 2, yc - height / 2, width, height

    def as_xcycwh(self) -> Four:
        """Return centre x, centre y, width, height, at any angle."""
        xc, yc, width, height, _angle = self._values
        return xc, yc, width, height

    def as_ltrb_int(self) -> FourInt:
        """Return ``as_ltrb`` widened to whole pixels. ``ValueError`` when rotated."""
        left, top, right, bottom = self.as_ltrb()
        return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)

    def as_ltwh_int(self) -> FourInt:
        """Return ``as_ltwh`` widened to whole pixels. ``ValueError`` when rotated."""
        left, top, right, bottom = self.as_ltrb_int()
        return left, top, right - left, bottom - top

    def as_xcycwh_int(self) -> FourInt:
        """Return centre x, centre y, width, height, each cut to whole pixels toward zero."""
        xc, yc, width, height = self.as_xcycwh()
        return int(xc), int(yc), int(width), int(height)

    def almost_eq(self, other: BoxFields, eps: float) -> bool:
        """Say whether no value differs by more than ``eps``; no angle is angle 0."""
        return all(abs(a - b) <= eps for a, b in zip(self._comparable(), other._comparable(), strict=True))

    def eq(self, other: BoxFields) -> bool:
        """Say whether all values are the same; no angle is angle 0."""
        return self._comparable() == other._comparable()

    def __eq__(self, other: object) -> bool:
        return self.eq(other) if isinstance(other, BoxFields) else NotImplemented

    def copy(self) -> Self:
        """Return an independent box."""
        return type(self).over(self.snapshot())

    __copy__ = copy

    def __deepcopy__(self, _memo: object) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).over, (self.snapshot(),)

    def snapshot(self) -> array[float]:
        """Return a copy of the five values."""
        return array("f", self._values)

    def turn(self) -> float:
        """Return the angle in degrees, 0 for none."""
        angle = self._values[4]
        return angle if angle == angle else 0.0  # noqa: PLR0124 - only NaN differs from itself

    def direction(self) -> tuple[float, float]:
        """Return cosine and sine of the angle; NaN of an infinite one."""
        radians = math.radians(self.turn())
        if math.isinf(radians):
            return math.nan, math.nan
        return (math.cos(radians), math.sin(radians)) if radians else (1.0, 0.0)

    def demand_upright(self) -> None:
        """Raise ``ValueError`` when the box is rotated."""
        if self.turn():
            raise ValueError(f"a rotated box has no upright edges: {self!r}; take its wrapping_box")

    def _upright(self) -> Four:
        """Return centre and size; ``ValueError`` when the box is rotated."""
        xc, yc, width, height, angle = self._values
        if angle and angle == angle:  # noqa: PLR0124 - NaN, which differs from itself, is no angle
            self.demand_upright()
        return xc, yc, width, height

    def _comparable(self) -> tuple[float, ...]:
        xc, yc, width, height, angle = self._values
        return xc, yc, width, height, angle if angle == angle else 0.0  # noqa: PLR0124 - only NaN differs from itself


def values_of(name: str, box: BoxFields | None) -> array[float]:
    """Return the five values of a box, to be read only; ``TypeError`` unless it is a box."""
    if not isinstance(box, BoxFields):
        raise TypeError(f"{name}: expected RBBox or BBox, got {type(box).__name__}")
    values = box._values
    return values if isinstance(values, array) else box.snapshot()
