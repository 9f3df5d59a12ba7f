"""How a picture is fitted into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picasso.transform.fitting import (
    MIN_EFFECTIVE_DIM,
    ComputeMode,
    DstPadding,
    Fitting,
    Interpolation,
    Padding,
    Rect,
)
from picasso.transform.placement import Placement

if TYPE_CHECKING:
    from picasso.surface import SurfaceView

__all__ = ["MIN_EFFECTIVE_DIM", "ComputeMode", "DstPadding", "Interpolation", "Padding", "Rect", "TransformConfig"]


class TransformConfig(Fitting):
    """How a source is fitted into its target; equal by value.

    ``dst_padding`` is copied in and out.

    Raises:
        TypeError: A field is set to something else than its type.
    """

    __slots__ = ()

    def apply(self, source: SurfaceView, target: SurfaceView, src_rect: Rect | None = None, /) -> Placement:
        """Crop ``source`` to ``src_rect``, fit it into ``target``, converting its format, and return what went where.

        The side of the target works, GPU or host, and a source on the other is copied there. The target's pixels are
        square; those of the source are as it says.

        Raises:
            GeometryError: The crop leaves the source, or the inset leaves less than 16 x 16 pixels.
            SurfaceError: A target that cannot be written: read-only, or a format that has no writer.
            DeviceError: The target's GPU cannot be used.
        """
        from picasso.transform.anywhere import transform

        ratio = source.sample_aspect_ratio
        placement = Placement.compute(source.size_wh, target.size_wh, self, src_rect, sample_aspect_ratio=ratio)
        transform(source, placement, target, self.interpolation)
        return placement
