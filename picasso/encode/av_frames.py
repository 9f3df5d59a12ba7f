"""How a surface becomes FFmpeg's frame: without a copy where its memory lies as FFmpeg expects it."""

from __future__ import annotations

from typing import Final

import av
import numpy as np
from numpy.lib.stride_tricks import as_strided

from picasso.surface.planes import Bytes
from picasso.surface.view import SurfaceView

LIMITED: Final = 1
FULL: Final = 2
"""Of ``AVColorRange``."""


def rgba_frame(surface: SurfaceView) -> av.VideoFrame:
    """View an RGBA surface as a frame; one with reversed rows or strided pixels is copied."""
    (pixels,) = surface.planes
    if pixels.strides[1:] != (4, 1) or pixels.strides[0] < 0:
        pixels = np.ascontiguousarray(pixels)
    return av.VideoFrame.from_numpy_buffer(pixels, "rgba")


def i420_frame(surface: SurfaceView, reader: object) -> av.VideoFrame:
    """View an I420 surface as a frame; planes that do not follow each other tightly are copied together.

    The view is made once for a surface that the same reader takes again, as an engine's encoder does: what the reader
    writes to the frame, stays. One thread at a time may read for a reader.
    """
    frame: av.VideoFrame | None = surface.kept(reader)
    if frame is None:
        frame = fresh_i420_frame(surface)
        if _is_one_block(surface.planes):
            surface.keep(reader, frame)
    return frame


def fresh_i420_frame(surface: SurfaceView) -> av.VideoFrame:
    """View an I420 surface as a frame that no one else has."""
    width, height = surface.size_wh
    planes = surface.planes
    if _is_one_block(planes):
        block = as_strided(planes[0], (height * 3 // 2, width), (width, 1), writeable=False)
    else:
        block = surface.to_numpy()
    frame = av.VideoFrame.from_numpy_buffer(block, "yuv420p")
    frame.color_range = FULL if surface.color and surface.color.full_range else LIMITED
    return frame


def _is_one_block(planes: tuple[Bytes, ...]) -> bool:
    end = None
    for plane in planes:
        address: int = plane.__array_interface__["data"][0]
        if not plane.flags.c_contiguous or end not in {None, address}:
            return False
        end = address + plane.size
    return True
