"""What to draw for an object: immutable values, checked when they are made.

Convention: lengths are output pixels, colour channels are 0–255 and not premultiplied by alpha, alpha 0 draws nothing.
Being immutable, a value can be shared between frames and threads; ``copy()`` exists for code that expects it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self, SupportsFloat

from picasso.draw.values import ColorDraw, Value, is_a, whole
from picasso.errors import SpecError
from picasso.primitives.enums import NativeEnum


class BBoxSource(NativeEnum):
    """Which box of an object is drawn."""

    DetectionBox = 0
    TrackingBox = 1
    """The tracking box, or the detection box of an object that has none."""


class LabelPositionKind(NativeEnum):
    """Where a label stands, relative to the upright rectangle around the object's box."""

    TopLeftInside = 0
    TopLeftOutside = 1
    Center = 2


@dataclass(frozen=True, slots=True)
class PaddingDraw(Value):
    """Room around something, in pixels; each side is at least 0, else ``SpecError``."""

    left: int = 0
    """Pixels on the left."""
    top: int = 0
    """Pixels at the top."""
    right: int = 0
    """Pixels on the right."""
    bottom: int = 0
    """Pixels at the bottom."""

    def __post_init__(self) -> None:
        for name in ("left", "top", "right", "bottom"):
            object.__setattr__(self, name, whole("Invalid padding", name, getattr(self, name), 0, math.inf))

    @classmethod
    def default_padding(cls) -> Self:
        """Return the padding of no pixels."""
        return cls()

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class BoundingBoxDraw(Value):
    """The object's rectangle: filled with ``background_color``, then stroked ``thickness`` (0–500) pixels wide."""

    border_color: ColorDraw = field(default_factory=ColorDraw.transparent)
    """Colour of the outline; transparent by default."""
    background_color: ColorDraw = field(default_factory=ColorDraw.transparent)
    """Colour of the inside; transparent by default."""
    thickness: int = 2
    """Width of the outline, 0–500 pixels, half of it on either side of the edge."""
    padding: PaddingDraw = field(default_factory=PaddingDraw)
    """Enlarges the rectangle, before it is rotated; label and blur ignore it."""

    def __post_init__(self) -> None:
        is_a("border_color", self.border_color, ColorDraw)
        is_a("background_color", self.background_color, ColorDraw)
        is_a("padding", self.padding, PaddingDraw)
        thickness = whole("Invalid bounding box", "thickness", self.thickness, 0, 500)
        object.__setattr__(self, "thickness", thickness)


@dataclass(frozen=True, slots=True)
class DotDraw(Value):
    """A filled disc at the box's centre; ``radius`` is 0–100 pixels."""

    color: ColorDraw
    """Colour of the disc."""
    radius: int = 2
    """0–100 pixels."""

    def __post_init__(self) -> None:
        is_a("color", self.color, ColorDraw)
        object.__setattr__(self, "radius", whole("Invalid dot draw", "radius", self.radius, 0, 100))


@dataclass(frozen=True, slots=True)
class LabelPosition(Value):
    """Where a label's box stands; margins are −100–100 pixels, rightwards and downwards."""

    position: LabelPositionKind = LabelPositionKind.TopLeftOutside
    """Which corner or edge of the box it stands at."""
    margin_x: int = 0
    """Pixels to the right, −100–100."""
    margin_y: int = -10
    """Pixels downwards, −100–100."""

    def __post_init__(self) -> None:
        is_a("position", self.position, LabelPositionKind)
        for name in ("margin_x", "margin_y"):
            value = whole("Invalid label position", name, getattr(self, name), -100, 100)
            object.__setattr__(self, name, value)

    @classmethod
    def default_position(cls) -> Self:
        """Return the position above the top left corner."""
        return cls()


@dataclass(frozen=True, slots=True, init=False)
class LabelDraw(Value):
    """Lines of text in a box: filled, then stroked, then written over."""

    font_color: ColorDraw
    """Colour of the letters."""
    background_color: ColorDraw
    """Colour behind the letters; transparent by default."""
    border_color: ColorDraw
    """Colour of the box's border; transparent by default."""
    font_scale: float
    """0–200; the font is ``12 * font_scale`` pixels high."""
    thickness: int
    """0–100 pixels: the width of the border, not of the letters."""
    position: LabelPosition
    """Where the box stands."""
    padding: PaddingDraw
    """Between the lines and the box's edge."""
    _lines: tuple[str, ...]

    def __init__(
        self,
        font_color: ColorDraw,
        background_color: ColorDraw | None = None,
        border_color: ColorDraw | None = None,
        font_scale: SupportsFloat = 1.0,
        thickness: int = 1,
        position: LabelPosition | None = None,
        padding: PaddingDraw | None = None,
        format: Sequence[str] = ("{label}",),
    ) -> None:
        """Check and keep the values.

        Args:
            font_color: Of the letters.
            background_color: Of the box; ``None`` is transparent.
            border_color: Of the box's edge; ``None`` is transparent.
            font_scale: 0–200.
            thickness: 0–100 pixels.
            position: ``None`` is above the top left corner.
            padding: ``None`` is none.
            format: The template of each line, see ``picasso.draw.label``; none at all writes the object's label.

        Raises:
            SpecError: A number is out of its range.
            TypeError: A value is of another type.
        """
        if not isinstance(font_scale, SupportsFloat):
            raise TypeError(f"font_scale must be a float, got {font_scale!r}")
        if not 0 <= float(font_scale) <= 200:
            raise SpecError(f"Invalid label draw: font_scale must be in 0..200, got {font_scale}")
        if isinstance(format, str) or not all(isinstance(line, str) for line in format):
            raise TypeError(f"format must be a list of str, got {format!r}")
        values = {
            "font_color": is_a("font_color", font_color, ColorDraw),
            "background_color": is_a("background_color", background_color or ColorDraw.transparent(), ColorDraw),
            "border_color": is_a("border_color", border_color or ColorDraw.transparent(), ColorDraw),
            "font_scale": float(font_scale),
            "thickness": whole("Invalid label draw", "thickness", thickness, 0, 100),
            "position": is_a("position", position or LabelPosition(), LabelPosition),
            "padding": is_a("padding", padding or PaddingDraw(), PaddingDraw),
            "_lines": tuple(format),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def format(self) -> list[str]:
        """The template of each line, as a fresh list."""
        return list(self._lines)


@dataclass(frozen=True, slots=True)
class MaskDraw(Value):
    """The pixels of the object's mask (``picasso.primitives.object_shapes``), covered by a colour."""

    color: ColorDraw
    """Its alpha says how much of the picture shows through."""

    def __post_init__(self) -> None:
        is_a("color", self.color, ColorDraw)


@dataclass(frozen=True, slots=True)
class PolygonDraw(Value):
    """The object's polygons: filled with ``background_color``, then stroked ``thickness`` (0–500) pixels wide."""

    border_color: ColorDraw = field(default_factory=ColorDraw.transparent)
    """Colour of the outline; transparent by default."""
    background_color: ColorDraw = field(default_factory=ColorDraw.transparent)
    """Colour of the inside; transparent by default."""
    thickness: int = 2
    """Width of the outline, 0–500 pixels."""

    def __post_init__(self) -> None:
        is_a("border_color", self.border_color, ColorDraw)
        is_a("background_color", self.background_color, ColorDraw)
        thickness = whole("Invalid polygon draw", "thickness", self.thickness, 0, 500)
        object.__setattr__(self, "thickness", thickness)


@dataclass(frozen=True, slots=True)
class KeypointsDraw(Value):
    """The object's keypoints as discs, and the lines of a skeleton between them."""

    color: ColorDraw
    """Colour of the discs."""
    radius: int = 3
    """0–100 pixels."""
    line_color: ColorDraw | None = None
    """By default that of the discs."""
    thickness: int = 2
    """Of the lines, 0–500 pixels."""
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoints, counted from 0."""
    min_confidence: float = 0.0
    """Keypoints that are not surer are left out."""

    def __post_init__(self) -> None:
        is_a("color", self.color, ColorDraw)
        object.__setattr__(self, "radius", whole("Invalid keypoints draw", "radius", self.radius, 0, 100))
        object.__setattr__(self, "thickness", whole("Invalid keypoints draw", "thickness", self.thickness, 0, 500))
        if self.line_color is not None:
            is_a("line_color", self.line_color, ColorDraw)
        pairs = tuple((operator.index(first), operator.index(last)) for first, last in self.skeleton)
        if any(min(pair) < 0 for pair in pairs):
            raise SpecError(f"Invalid keypoints draw: skeleton counts from 0, got {pairs}")
        object.__setattr__(self, "skeleton", pairs)
        object.__setattr__(self, "min_confidence", float(self.min_confidence))


@dataclass(frozen=True, slots=True)
class TraceDraw(Value):
    """The way that the object's track came: a line through the centres of its boxes in the last frames."""

    color: ColorDraw
    """Colour of the line."""
    thickness: int = 2
    """0–500 pixels."""
    length: int = 30
    """Boxes that it goes through, 2–10000."""

    def __post_init__(self) -> None:
        is_a("color", self.color, ColorDraw)
        object.__setattr__(self, "thickness", whole("Invalid trace draw", "thickness", self.thickness, 0, 500))
        object.__setattr__(self, "length", whole("Invalid trace draw", "length", self.length, 2, 10000))


@dataclass(frozen=True, slots=True)
class ObjectDraw(Value):
    """Everything that is drawn for one object; with all parts absent, nothing is."""

    bounding_box: BoundingBoxDraw | None = None
    """The rectangle; None for none, as the other parts."""
    central_dot: DotDraw | None = None
    """A disc at the centre of the box."""
    label: LabelDraw | None = None
    """Lines of text."""
    blur: bool = False
    """Blur what lies inside the box, under everything else of this object."""
    bbox_source: BBoxSource = BBoxSource.DetectionBox
    """Whether the box of the detection or that of the track is drawn."""
    mask: MaskDraw | None = None
    """The pixels of the object."""
    polygon: PolygonDraw | None = None
    """The outlines of the object."""
    trace: TraceDraw | None = None
    """The way that its track came."""
    keypoints: KeypointsDraw | None = None
    """Its keypoints and their skeleton."""

    def __post_init__(self) -> None:
        for name, kind in (*_PARTS, *_SHAPES):
            value = getattr(self, name)
            if value is not None:
                is_a(name, value, kind)
        is_a("blur", self.blur, bool)
        is_a("bbox_source", self.bbox_source, BBoxSource)

    @property
    def has_shapes(self) -> bool:
        """Whether something is drawn besides boxes, dots and labels."""
        return any(getattr(self, name) is not None for name, _ in _SHAPES)

    @property
    def memory_handle(self) -> int:
        """A number that stands for this very value while it lives."""
        return id(self)


_PARTS = (("bounding_box", BoundingBoxDraw), ("central_dot", DotDraw), ("label", LabelDraw))
_SHAPES = (("mask", MaskDraw), ("polygon", PolygonDraw), ("trace", TraceDraw), ("keypoints", KeypointsDraw))


@dataclass(frozen=True, slots=True)
class SetDrawLabelKind(Value):
    """Whose draw label is set: an object's own, or its parent's."""

    _label: str
    _of_parent: bool

    @classmethod
    def own(cls, label: str) -> Self:
        """Set the label of the object itself."""
        return cls(is_a("label", label, str), _of_parent=False)

    @classmethod
    def parent(cls, label: str) -> Self:
        """Set the label of the object's parent."""
        return cls(is_a("label", label, str), _of_parent=True)

    def is_own_label(self) -> bool:
        """Tell whether the object itself is meant."""
        return not self._of_parent

    def is_parent_label(self) -> bool:
        """Tell whether the parent is meant."""
        return self._of_parent

    def get_label(self) -> str:
        """Return the text."""
        return self._label


class ObjectDrawSpec:
    """What is drawn for the objects of each namespace and label: an exact match, else the default of the namespace."""

    __slots__ = ("_defaults", "_draws")

    def __init__(self) -> None:
        self._draws: dict[tuple[str, str], ObjectDraw] = {}
        self._defaults: dict[str, ObjectDraw] = {}

    def insert(self, namespace: str, label: str, draw: ObjectDraw) -> None:
        """Draw objects of ``namespace`` and ``label`` as ``draw`` says, from now on."""
        key = is_a("namespace", namespace, str), is_a("label", label, str)
        self._draws[key] = is_a("draw", draw, ObjectDraw)

    def insert_default(self, namespace: str, draw: ObjectDraw) -> None:
        """Draw objects of ``namespace`` whose label has no entry as ``draw`` says, from now on."""
        self._defaults[is_a("namespace", namespace, str)] = is_a("draw", draw, ObjectDraw)

    def lookup(self, namespace: str, label: str) -> ObjectDraw | None:
        """Return the entry of exactly ``namespace`` and ``label``, if there is one."""
        return self._draws.get((namespace, label))

    def resolve(self, namespace: str, label: str) -> ObjectDraw | None:
        """Return what is drawn for ``namespace`` and ``label``: their entry, else the default of the namespace."""
        return self._draws.get((namespace, label), self._defaults.get(namespace))

    def items(self) -> Iterator[tuple[tuple[str, str], ObjectDraw]]:
        """Iterate over ``((namespace, label), draw)`` of the entries."""
        yield from self._draws.items()

    def defaults(self) -> Iterator[tuple[str, ObjectDraw]]:
        """Iterate over ``(namespace, draw)`` of the defaults."""
        yield from self._defaults.items()

    def is_empty(self) -> bool:
        """Tell whether nothing is drawn at all."""
        return not self._draws and not self._defaults

    def len(self) -> int:
        """Return the number of entries; defaults do not count."""
        return len(self._draws)

    __len__ = len

    def __bool__(self) -> bool:
        return not self.is_empty()

    def copy(self) -> Self:
        """Return an independent map of the same entries."""
        twin = type(self)()
        twin._draws.update(self._draws)
        twin._defaults.update(self._defaults)
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectDrawSpec) and (self._draws, self._defaults) == (other._draws, other._defaults)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"ObjectDrawSpec(len={len(self._draws)})"
