"""Where the pixels of a source land in a target: one formula, which pixels and boxes both follow."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from picasso.errors import GeometryError
from picasso.primitives.transformation import VideoFrameTransformation
from picasso.transform.fitting import MIN_EFFECTIVE_DIM, DstPadding, Fitting, Padding, Rect

SizeWH: TypeAlias = tuple[int, int]
"""Width and height in pixels."""
RectLTWH: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""

_NO_INSET = DstPadding()


@dataclass(frozen=True)
class Placement:
    """Where source pixels land: ``target = scale * source + offset``, each axis on its own.

    The crop of the source is scaled onto the inner rectangle of the target, which is black around it.
    Convention: continuous pixels, the first one spans 0..1.

    Raises:
        GeometryError: A size is not positive, or a rectangle is not inside its picture.
    """

    source_wh: SizeWH
    """Size of the source, > 0."""
    crop_ltwh: RectLTWH
    """What is taken of the source: inside it, not empty."""
    target_wh: SizeWH
    """Size of the target, > 0."""
    inner_ltwh: RectLTWH
    """Where the crop lands: inside the target, not empty."""

    def __post_init__(self) -> None:
        _check_size("source", self.source_wh)
        _check_size("destination", self.target_wh)
        _check_inside("crop", self.crop_ltwh, self.source_wh)
        _check_inside("inner", self.inner_ltwh, self.target_wh)

    @classmethod
    def compute(
        cls,
        source_wh: SizeWH,
        target_wh: SizeWH,
        config: Fitting | None = None,
        src_rect: Rect | None = None,
        *,
        sample_aspect_ratio: Fraction | int = 1,
    ) -> Placement:
        """Fit a source, or a rectangle of it, into a target.

        Args:
            source_wh: Size of the source.
            target_wh: Size of the target.
            config: Padding and inset, as of a ``TransformConfig``; by default letterboxed in the middle.
            src_rect: What to take of the source; by default all.
            sample_aspect_ratio: Width of a source pixel over its height; the target's pixels are square. It decides
                how wide a picture is that keeps its ratio.

        Raises:
            GeometryError: A size or the ratio is 0, the crop leaves the source, or the inset leaves less than 16 x 16
                pixels.
            TypeError: ``src_rect`` is something else.

        >>> placement = Placement.compute((1280, 720), (640, 640))
        >>> placement.scale_xy, placement.pads_ltrb
        ((0.5, 0.5), (0, 140, 0, 140))
        >>> middle = Rect(top=0, left=280, width=720, height=720)
        >>> Placement.compute((1280, 720), (640, 640), src_rect=middle).covers_target
        True
        >>> Placement.compute((720, 576), (1024, 576), sample_aspect_ratio=Fraction(64, 45)).covers_target
        True
        """
        config = config or Fitting()
        if src_rect is not None and not isinstance(src_rect, Rect):
            raise TypeError(f"src_rect: expected Rect(top, left, width, height) or None, got {src_rect!r}")
        source_wh, target_wh = _as_size(source_wh), _as_size(target_wh)
        _check_size("source", source_wh)
        _check_size("destination", target_wh)
        left, top, effective_wh = _effective(target_wh, config.dst_padding)
        if src_rect is None:
            crop = (0, 0, *source_wh)
        else:
            crop = (src_rect.left, src_rect.top, src_rect.width, src_rect.height)
            _check_inside("crop", crop, source_wh)
        inner_left, inner_top, width, height = _fit(crop[2:], effective_wh, config.padding, sample_aspect_ratio)
        return cls(source_wh, crop, target_wh, (left + inner_left, top + inner_top, width, height))

    @classmethod
    def identity(cls, size_wh: SizeWH) -> Placement:
        """Return the placement that changes nothing.

        Raises:
            GeometryError: A side is not positive.
        """
        width, height = _as_size(size_wh)
        return cls((width, height), (0, 0, width, height), (width, height), (0, 0, width, height))

    @cached_property
    def scale_xy(self) -> tuple[float, float]:
        """Target pixels per source pixel, both > 0; they differ with the shape of a pixel, and slightly by rounding."""
        return self.inner_ltwh[2] / self.crop_ltwh[2], self.inner_ltwh[3] / self.crop_ltwh[3]

    @cached_property
    def offset_xy(self) -> tuple[float, float]:
        """Target position of the source's origin, in pixels; negative where a crop cuts."""
        scale_x, scale_y = self.scale_xy
        return self.inner_ltwh[0] - self.crop_ltwh[0] * scale_x, self.inner_ltwh[1] - self.crop_ltwh[1] * scale_y

    @cached_property
    def pads_ltrb(self) -> tuple[int, int, int, int]:
        """Width in pixels of the bars on the left, top, right and bottom."""
        left, top, width, height = self.inner_ltwh
        return left, top, self.target_wh[0] - left - width, self.target_wh[1] - top - height

    @cached_property
    def covers_target(self) -> bool:
        """Whether there are no bars."""
        return self.inner_ltwh == (0, 0, *self.target_wh)

    @cached_property
    def is_identity(self) -> bool:
        """Whether every pixel stays where and what it is."""
        return self.crop_ltwh == (0, 0, *self.source_wh) == self.inner_ltwh and self.source_wh == self.target_wh

    def _repr_html_(self) -> str:
        from picasso.primitives.html import boxes, table

        left, top, width, height = self.inner_ltwh
        corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
        rows = [
            ("source", "{} x {}".format(*self.source_wh)),
            ("crop (left, top, width, height)", str(self.crop_ltwh)),
            ("target", "{} x {}".format(*self.target_wh)),
            ("inner (left, top, width, height)", str(self.inner_ltwh)),
            ("scale", "{:.6g}, {:.6g}".format(*self.scale_xy)),
            ("offset", "{:.6g}, {:.6g}".format(*self.offset_xy)),
        ]
        return boxes(self.target_wh, [(corners, "source")]) + table(("placement", ""), rows)

    def transformations(self) -> list[VideoFrameTransformation]:
        """Return the operations that say the same in a frame's chain: a crop, if any, and a letterbox."""
        width, height = self.source_wh
        left, top, crop_width, crop_height = self.crop_ltwh
        chain = [VideoFrameTransformation.letter_box(*self.target_wh, *self.pads_ltrb)]
        if (crop_width, crop_height) != self.source_wh:
            cut = (left, top, width - left - crop_width, height - top - crop_height)
            chain.insert(0, VideoFrameTransformation.crop(*cut))
        return chain


def _fit(source_wh: SizeWH, target_wh: SizeWH, padding: Padding, pixel: Fraction | int) -> RectLTWH:
    """Return where a picture lands in an area, kept in ratio unless padding is ``NONE``.

    The side that follows is rounded half away from zero and is at least 1. ``pixel`` is the width of a source pixel
    over its height.
    """
    if pixel <= 0:
        raise GeometryError(f"sample_aspect_ratio: expected more than 0, got {pixel}")
    width, height = target_wh
    if padding is Padding.NONE:
        return 0, 0, width, height
    across, down = pixel.as_integer_ratio()
    source_ratio, target_ratio = source_wh[0] * across / (source_wh[1] * down), width / height
    if source_ratio > target_ratio:
        height = min(max(_round(width / source_ratio), 1), height)
    else:
        width = min(max(_round(height * source_ratio), 1), width)
    if padding is Padding.RIGHT_BOTTOM:
        return 0, 0, width, height
    return (target_wh[0] - width) // 2, (target_wh[1] - height) // 2, width, height


def _round(value: float) -> int:
    """Round half away from zero, for values ≥ 0."""
    whole = int(value)
    return whole + (value - whole >= 0.5)


def _effective(target_wh: SizeWH, inset: DstPadding | None) -> tuple[int, int, SizeWH]:
    """Return left, top and size of what an inset leaves of a target; the least size holds only with an inset."""
    if inset is None or inset == _NO_INSET:
        return 0, 0, target_wh
    width = max(target_wh[0] - inset.left - inset.right, 0)
    height = max(target_wh[1] - inset.top - inset.bottom, 0)
    for side, pixels in (("width", width), ("height", height)):
        if pixels < MIN_EFFECTIVE_DIM:
            raise GeometryError(
                f"effective dimensions after dst_inset must be >= {MIN_EFFECTIVE_DIM}x{MIN_EFFECTIVE_DIM}: "
                f"effective {side} after dst_padding must be >= {MIN_EFFECTIVE_DIM} px, got {pixels}"
            )
    return inset.left, inset.top, (width, height)


def _as_size(size_wh: SizeWH) -> SizeWH:
    width, height = size_wh
    return operator.index(width), operator.index(height)


def _check_size(what: str, size_wh: SizeWH) -> None:
    if size_wh[0] < 1 or size_wh[1] < 1:
        raise GeometryError(f"{what} dimensions must be > 0, got {size_wh[0]}x{size_wh[1]}")


def _check_inside(what: str, rect: RectLTWH, size_wh: SizeWH) -> None:
    left, top, width, height = rect
    if width < 1 or height < 1:
        raise GeometryError(f"{what} dimensions must be > 0, got {width}x{height}")
    if left < 0 or top < 0:
        raise GeometryError(f"{what} left and top must be >= 0, got {left}, {top}")
    if left + width > size_wh[0]:
        raise GeometryError(f"{what} right edge {left + width} exceeds the width {size_wh[0]}")
    if top + height > size_wh[1]:
        raise GeometryError(f"{what} bottom edge {top + height} exceeds the height {size_wh[1]}")
