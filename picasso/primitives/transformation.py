"""The chain of a frame: how its pixels were cut, padded and scaled, and the one affine that the chain amounts to."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_float
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, SupportsIndex, TypeAlias, cast

from picasso.errors import TransformationChainError
from picasso.primitives.checks import MAX_DIMENSION, dimension, whole
from picasso.primitives.orientation import QUARTERS_DEG, Orientation

Sides: TypeAlias = tuple[int, int, int, int]
"""Pixels at left, top, right, bottom."""

LetterBox: TypeAlias = tuple[int, int, int, int, int, int]
"""Outer width and height, then the sides."""


class ChainStep(Enum):
    """The kinds of step; the value is the name in JSON."""

    INITIAL_SIZE = "initial_size"
    LETTER_BOX = "letter_box"
    PADDING = "padding"
    CROP = "crop"
    ORIENTATION = "orientation"


@dataclass(frozen=True, slots=True, repr=False)
class VideoFrameTransformation:
    """One step of a chain; made by one of the five factories, never changed.

    Scaling is a ``letter_box`` without padding.
    """

    step: ChainStep
    """Which of the steps it is."""
    values: tuple[int, ...]
    """The arguments of the factory."""

    @staticmethod
    def initial_size(width: SupportsIndex, height: SupportsIndex) -> VideoFrameTransformation:
        """Start at this width and height, in pixels, both > 0; what came before it in a chain does not count.

        Raises:
            ValueError: A size is not positive.
        """
        if type(width) is int is type(height) and 0 < width <= MAX_DIMENSION >= height > 0:
            return _initial_size(width, height)
        return _initial_size(dimension("width", width), dimension("height", height))

    @staticmethod
    def letter_box(
        outer_width: SupportsIndex,
        outer_height: SupportsIndex,
        left: SupportsIndex,
        top: SupportsIndex,
        right: SupportsIndex,
        bottom: SupportsIndex,
    ) -> VideoFrameTransformation:
        """Scale to what the padding leaves of the outer size, then pad.

        Args:
            outer_width: Width with padding, pixels, > 0.
            outer_height: Height with padding, pixels, > 0.
            left: Padding in pixels, ≥ 0, as ``top``, ``right`` and ``bottom``.
            top: See ``left``.
            right: See ``left``.
            bottom: See ``left``.

        Raises:
            ValueError: A size is not positive or a padding is negative.
        """
        outer = dimension("outer_width", outer_width), dimension("outer_height", outer_height)
        return VideoFrameTransformation(ChainStep.LETTER_BOX, outer + _sides(left, top, right, bottom))

    @staticmethod
    def padding(
        left: SupportsIndex, top: SupportsIndex, right: SupportsIndex, bottom: SupportsIndex
    ) -> VideoFrameTransformation:
        """Add ``left``, ``top``, ``right`` and ``bottom`` pixels, each ≥ 0. ``ValueError`` when one is negative."""
        return VideoFrameTransformation(ChainStep.PADDING, _sides(left, top, right, bottom))

    @staticmethod
    def crop(
        left: SupportsIndex, top: SupportsIndex, right: SupportsIndex, bottom: SupportsIndex
    ) -> VideoFrameTransformation:
        """Cut off ``left``, ``top``, ``right`` and ``bottom`` pixels, each ≥ 0. ``ValueError`` when one is negative."""
        return VideoFrameTransformation(ChainStep.CROP, _sides(left, top, right, bottom))

    @staticmethod
    def orientation(orientation: Orientation) -> VideoFrameTransformation:
        """Mirror and turn the picture, as a reader does with one that was stored lying on its side.

        Raises:
            TypeError: Not an ``Orientation``.
            ValueError: Not a turn by quarters.
        """
        if not isinstance(orientation, Orientation):
            raise TypeError(f"orientation: expected Orientation, got {orientation!r}")
        if orientation.turn_deg not in QUARTERS_DEG:
            raise ValueError(f"orientation: expected a turn of 0, 90, 180 or 270 degrees, got {orientation.turn_deg}")
        return VideoFrameTransformation(ChainStep.ORIENTATION, (orientation.turn_deg, int(orientation.mirrored)))

    @property
    def is_initial_size(self) -> bool:
        """Whether this is an ``initial_size``."""
        return self.step is ChainStep.INITIAL_SIZE

    @property
    def is_letter_box(self) -> bool:
        """Whether this is a ``letter_box``."""
        return self.step is ChainStep.LETTER_BOX

    @property
    def is_padding(self) -> bool:
        """Whether this is a ``padding``."""
        return self.step is ChainStep.PADDING

    @property
    def is_crop(self) -> bool:
        """Whether this is a ``crop``."""
        return self.step is ChainStep.CROP

    @property
    def is_orientation(self) -> bool:
        """Whether this is an ``orientation``."""
        return self.step is ChainStep.ORIENTATION

    @property
    def as_initial_size(self) -> tuple[int, int] | None:
        """Width and height, ``None`` for another step."""
        return (self.values[0], self.values[1]) if self.is_initial_size else None

    @property
    def as_letter_box(self) -> LetterBox | None:
        """Outer width and height, then left, top, right, bottom; ``None`` for another step."""
        return cast("LetterBox", self.values) if self.is_letter_box else None

    @property
    def as_padding(self) -> Sides | None:
        """Left, top, right, bottom; ``None`` for another step."""
        return cast("Sides", self.values) if self.is_padding else None

    @property
    def as_crop(self) -> Sides | None:
        """Left, top, right, bottom; ``None`` for another step."""
        return cast("Sides", self.values) if self.is_crop else None

    @property
    def as_orientation(self) -> Orientation | None:
        """How the picture is turned, ``None`` for another step."""
        return Orientation(self.values[0], bool(self.values[1])) if self.is_orientation else None

    def __repr__(self) -> str:
        name = self.step.value.title().replace("_", "")
        return f"{name}({', '.join(map(str, self.values))})"


_SHORT = 16
"""Steps of chains that are remembered: longer ones, which come off the wire if at all, would be kept alive."""


class ChainAffine(NamedTuple):
    """What a chain amounts to: ``current = scale * initial + offset``, each axis on its own."""

    scale_xy: tuple[float, float]
    """Current pixels per initial pixel, float32 values."""
    offset_xy: tuple[float, float]
    """Where the initial origin is now, in pixels, float32 values."""
    initial_wh: tuple[int, int]
    current_wh: tuple[int, int]
    """Size after the last step; not positive when a crop left nothing."""

    @staticmethod
    def of(chain: Iterable[VideoFrameTransformation]) -> ChainAffine:
        """Multiply the steps of a chain into one affine.

        A letter box whose padding leaves nothing scales to one pixel; one that follows a crop that left nothing is
        skipped. Scale and offset are rounded to float32 after every step.

        Raises:
            TransformationChainError: The chain has no ``initial_size``, or turns the picture; ``moves_of`` takes that.
        """
        steps = tuple(chain)
        return _kept_affine_of(steps) if len(steps) <= _SHORT else _affine_of(steps)

    def inverted(self) -> ChainAffine:
        """Return the affine from current to initial coordinates.

        Raises:
            TransformationChainError: A scale is 0 or not finite.
        """
        return _inverse_of(self)


def _affine_of(chain: tuple[VideoFrameTransformation, ...]) -> ChainAffine:
    initial: tuple[int, int] | None = None
    axes = _Axis(0), _Axis(0)
    for operation in chain:
        if operation.is_initial_size:
            initial = operation.values[0], operation.values[1]
            axes = _Axis(initial[0]), _Axis(initial[1])
        elif operation.is_orientation:
            raise TransformationChainError(f"{operation!r} turns the picture: no scale and offset say the same")
        else:
            for index, axis in enumerate(axes):
                axis.apply(operation.step, operation.values[index::2])
    if initial is None:
        raise TransformationChainError("Transformation chain has no InitialSize entry")
    x, y = axes
    return ChainAffine((x.scale, y.scale), (x.offset, y.offset), initial, (x.size, y.size))


_kept_affine_of = lru_cache(maxsize=256)(_affine_of)  # the frames of a stream are alike


class ChainTurn(NamedTuple):
    """A turn in the middle of a chain."""

    orientation: Orientation
    initial_wh: tuple[int, int]
    """Size before it."""

    @property
    def current_wh(self) -> tuple[int, int]:
        """Size after it."""
        return self.orientation.size(self.initial_wh)

    def inverted(self) -> ChainTurn:
        """Return the turn back."""
        return ChainTurn(self.orientation.inverse, self.current_wh)


Move: TypeAlias = ChainAffine | ChainTurn


def moves_of(chain: Iterable[VideoFrameTransformation]) -> tuple[Move, ...]:
    """Return what a chain amounts to, in order: one affine, and beyond each turn another.

    Raises:
        TransformationChainError: The chain has no ``initial_size``, or turns a picture of which a crop left nothing.
    """
    steps = tuple(chain)
    last = max((index for index, step in enumerate(steps) if step.is_initial_size), default=len(steps))
    moves: list[Move] = []
    begun = list(steps[last : last + 1])
    for step in steps[last + 1 :]:
        orientation = step.as_orientation
        if orientation is None:
            begun.append(step)
            continue
        moves.append(ChainAffine.of(begun))
        size_wh = moves[-1].current_wh
        if min(size_wh) <= 0:
            raise TransformationChainError(f"Transformation chain has no computable current size: {list(steps)}")
        moves.append(ChainTurn(orientation, size_wh))
        begun = [VideoFrameTransformation.initial_size(*moves[-1].current_wh)]
    return (*moves, ChainAffine.of(begun))


@lru_cache(maxsize=256)
def _inverse_of(affine: ChainAffine) -> ChainAffine:
    (scale_x, scale_y), (offset_x, offset_y) = affine.scale_xy, affine.offset_xy
    scale = _inverse(scale_x), _inverse(scale_y)
    offset = _float32(-offset_x / scale_x), _float32(-offset_y / scale_y)
    return ChainAffine(scale, offset, affine.current_wh, affine.initial_wh)


class _Axis:
    """The affine of one axis while the chain is walked; each step brings its values of this axis only."""

    __slots__ = ("offset", "scale", "size")

    def __init__(self, size: int) -> None:
        self.scale = 1.0
        self.offset = 0.0
        self.size = size

    def apply(self, step: ChainStep, values: tuple[int, ...]) -> None:
        """Add one step: padding and crop bring (low side, high side), a letter box the outer size before them."""
        low, high = values[-2:]
        if step is ChainStep.PADDING:
            self.offset = _float32(self.offset + low)
            self.size += low + high
        elif step is ChainStep.CROP:
            self.offset = _float32(self.offset - low)
            self.size -= low + high
        elif self.size > 0:
            outer = values[0]
            factor = _float32(max(1, outer - low - high) / self.size)
            self.scale = _float32(self.scale * factor)
            self.offset = _float32(_float32(self.offset * factor) + low)
            self.size = outer


@lru_cache(maxsize=256)
def _initial_size(width: int, height: int) -> VideoFrameTransformation:
    """Return the step that almost every frame begins with, made once for each size."""
    return VideoFrameTransformation(ChainStep.INITIAL_SIZE, (width, height))


def _sides(left: SupportsIndex, top: SupportsIndex, right: SupportsIndex, bottom: SupportsIndex) -> Sides:
    return (
        whole("left", left, 0, MAX_DIMENSION),
        whole("top", top, 0, MAX_DIMENSION),
        whole("right", right, 0, MAX_DIMENSION),
        whole("bottom", bottom, 0, MAX_DIMENSION),
    )


def _inverse(scale: float) -> float:
    inverse = _float32(1 / scale) if scale else 0.0
    if not 0 < inverse < float("inf"):
        raise TransformationChainError("Cannot invert degenerate affine")
    return inverse


def _float32(value: float) -> float:
    """Round to float32; beyond its range becomes infinite."""
    return c_float(value).value
