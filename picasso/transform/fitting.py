"""What decides how a picture is fitted into another: padding, inset, crop, filter."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from picasso.primitives.enums import NativeEnum, any_case

MIN_EFFECTIVE_DIM: Final = 16
"""Smallest side, in pixels, of what a ``DstPadding`` leaves of the destination."""

_U32_MAX: Final = (1 << 32) - 1


def _no_underscores(spelling: str) -> str:
    return spelling.lower().replace("_", "")


class Padding(NativeEnum, unknown="unknown padding: '{}'", fold=any_case):
    """What happens to the aspect ratio."""

    NONE = 0, "none"
    """Stretched to the destination, the ratio is lost."""
    RIGHT_BOTTOM = 1, "right_bottom", "rightbottom"
    """The ratio is kept, bars are right or below."""
    SYMMETRIC = 2, "symmetric"
    """The ratio is kept, bars are on both sides; an odd pixel goes right or below."""


class Interpolation(NativeEnum, unknown="unknown interpolation: '{}'", fold=_no_underscores):
    """The resampling filter. Numbers 0 to 6 are NVIDIA's; their VIC names stand for filters of that support."""

    NEAREST = 0, "nearest"
    """The nearest pixel."""
    BILINEAR = 1, "bilinear"
    """2 x 2 pixels, as OpenCV's ``INTER_LINEAR``."""
    GPU_CUBIC_VIC_5TAP = 2, "gpu_cubic_vic_5tap", "cubic", "algo1"
    """Cubic."""
    GPU_SUPER_VIC_10TAP = 3, "gpu_super_vic_10tap", "super", "algo2"
    """Ten taps."""
    GPU_LANCZOS_VIC_SMART = 4, "gpu_lanczos_vic_smart", "lanczos", "algo3"
    """Lanczos."""
    GPU_IGNORED_VIC_NICEST = 5, "gpu_ignored_vic_nicest", "nicest", "algo4"
    """The best there is."""
    DEFAULT = 6, "default"
    """What the implementation prefers."""
    AREA = 7, "area"
    """The mean of all pixels that a destination pixel covers: antialiased, for shrinking by 2 or more."""


class ComputeMode(NativeEnum):
    """Which unit transforms; on the CPU there is one and this is not looked at."""

    DEFAULT = 0
    GPU = 1
    VIC = 2


class _Pixels:
    """Fields are pixel counts, 0 to 2**32 - 1, when made and when set."""

    __slots__ = ()

    def __setattr__(self, name: str, value: int) -> None:
        object.__setattr__(self, name, _as_u32(f"{type(self).__name__}.{name}", value))


@dataclass(slots=True, unsafe_hash=True)
class DstPadding(_Pixels):
    """Pixels kept free on each side of the destination.

    Do not set fields of one that is a key of a dictionary: its hash follows them.

    Raises:
        TypeError: Not an integer.
        OverflowError: Not in 0..2**32 - 1.
    """

    left: int = 0
    """Pixels kept free on the left."""
    top: int = 0
    """Pixels kept free at the top."""
    right: int = 0
    """Pixels kept free on the right."""
    bottom: int = 0
    """Pixels kept free at the bottom."""

    @staticmethod
    def uniform(value: int) -> DstPadding:
        """Return a padding of ``value`` pixels on all sides."""
        return DstPadding(value, value, value, value)

    def copy(self) -> DstPadding:
        """Return an equal one that changes on its own."""
        return DstPadding(self.left, self.top, self.right, self.bottom)


@dataclass(slots=True, unsafe_hash=True)
class Rect(_Pixels):
    """A rectangle of source pixels. Convention: ``top`` comes before ``left``.

    Raises:
        TypeError: Not an integer.
        OverflowError: Not in 0..2**32 - 1.
    """

    top: int
    """Source pixels above it."""
    left: int
    """Source pixels to the left of it."""
    width: int
    """Its width in source pixels."""
    height: int
    """Its height in source pixels."""


class Fitting:
    """The fields of a ``TransformConfig``; equal by value.

    ``dst_padding`` is copied in and out.

    Raises:
        TypeError: A field is set to something else than its type.
    """

    __slots__ = ("_dst_padding", "compute_mode", "interpolation", "padding")

    padding: Padding
    """What happens to the aspect ratio."""
    interpolation: Interpolation
    """The resampling filter."""
    compute_mode: ComputeMode
    """Which unit transforms."""

    def __init__(
        self,
        padding: Padding = Padding.SYMMETRIC,
        dst_padding: DstPadding | None = None,
        interpolation: Interpolation = Interpolation.BILINEAR,
        compute_mode: ComputeMode = ComputeMode.DEFAULT,
    ) -> None:
        self.padding = padding
        self.dst_padding = dst_padding
        self.interpolation = interpolation
        self.compute_mode = compute_mode

    def __setattr__(self, name: str, value: object) -> None:
        wanted = _FIELDS.get(name)
        if wanted is not None and not isinstance(value, wanted):
            raise TypeError(f"TransformConfig.{name}: expected {wanted[0].__name__}, got {value!r:.80}")
        object.__setattr__(self, name, value)

    @property
    def dst_padding(self) -> DstPadding | None:
        """Pixels kept free on each side of the target, as a copy; None for no inset."""
        return self._dst_padding and self._dst_padding.copy()

    @dst_padding.setter
    def dst_padding(self, value: DstPadding | None) -> None:
        self._dst_padding = value and value.copy()

    def copy(self) -> Self:
        """Return an equal one that changes on its own."""
        return type(self)(self.padding, self._dst_padding, self.interpolation, self.compute_mode)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fitting):
            return NotImplemented
        return self._key() == other._key()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # fields are set freely

    def _key(self) -> tuple[object, ...]:
        return self.padding, self._dst_padding, self.interpolation, self.compute_mode

    def __repr__(self) -> str:
        return (
            f"TransformConfig(padding={self.padding!r}, dst_padding={self._dst_padding!r}, "
            f"interpolation={self.interpolation!r}, compute_mode={self.compute_mode!r})"
        )


_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "padding": (Padding,),
    "dst_padding": (DstPadding, type(None)),
    "interpolation": (Interpolation,),
    "compute_mode": (ComputeMode,),
}


def _as_u32(place: str, value: int) -> int:
    number = operator.index(value)
    if not 0 <= number <= _U32_MAX:
        raise OverflowError(f"{place}: expected 0..{_U32_MAX}, got {number}")
    return number
