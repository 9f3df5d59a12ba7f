"""Which pixels of a frame a model looks at, and how its pixels and those of the frame are converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from picasso.transform import place, unplace

if TYPE_CHECKING:
    from picasso.module.meta import Frame
    from picasso.surface import SurfaceView
    from picasso.transform import Placement

Boxes = NDArray[np.float32]
"""``(N, 4)`` corners in pixels."""


class View(NamedTuple):
    """The pixels of one frame: what the decoder made, or the picture of the total size that an element wrote to."""

    frame: Frame
    surface: SurfaceView
    placement: Placement | None
    """Where the pixels of the surface land in the total frame; None where the surface is the total frame."""

    @classmethod
    def of(cls, frame: Frame) -> View:
        """Return the pixels of a frame, as its elements see them."""
        pixels = frame.pixels
        if pixels.is_edited:
            return cls(frame, pixels.surface(), None)
        return cls(frame, pixels.source, pixels.placement)

    def to_surface(self, boxes_xyxy: Boxes) -> Boxes:
        """Turn boxes of the frame into boxes of the surface."""
        return boxes_xyxy if self.placement is None else unplace(boxes_xyxy, self.placement).astype(np.float32)

    def to_frame(self, boxes_xyxy: Boxes) -> Boxes:
        """Turn boxes of the surface into boxes of the frame."""
        return boxes_xyxy if self.placement is None else place(boxes_xyxy, self.placement).astype(np.float32)
