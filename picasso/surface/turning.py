"""A picture turned by quarters or mirrored, without a copy: strides change places or signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from picasso.errors import SurfaceError
from picasso.surface.formats import VideoFormat
from picasso.surface.view import SurfaceView

if TYPE_CHECKING:
    from picasso.primitives import Orientation
    from picasso.surface.planes import Bytes


def turned(surface: SurfaceView, orientation: Orientation) -> SurfaceView:
    """View the same pixels mirrored and turned, as ``orientation`` says; ``surface`` stays valid.

    Raises:
        SurfaceError: The pixels are in GPU memory, or UYVY, whose pairs of pixels lie in rows.
    """
    if surface.format is VideoFormat.UYVY and not orientation.is_upright:
        raise SurfaceError("UYVY cannot be turned without a copy: two pixels of a row share their chroma")
    planes = tuple(_turned_plane(plane, orientation) for plane in surface.planes)
    ratio = surface.sample_aspect_ratio
    return SurfaceView(
        planes,
        surface.format,
        orientation.size(surface.size_wh),
        surface.color,
        sample_aspect_ratio=1 / ratio if orientation.swaps_sides else ratio,
    )


def _turned_plane(plane: Bytes, orientation: Orientation) -> Bytes:
    mirrored = plane[:, ::-1] if orientation.mirrored else plane
    return np.rot90(mirrored, -orientation.turn_deg // 90)
