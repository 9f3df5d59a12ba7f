"""Where pixels and boxes of a source are in a module: source, processing, total and output frame."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from picasso.primitives import VideoFrameTransformation
from picasso.transform import DstPadding, Padding, Placement, Rect, TransformConfig

if TYPE_CHECKING:
    from picasso.module.config import FrameConfig
    from picasso.primitives import RBBox, VideoFrame

STRETCH: Final = TransformConfig(Padding.NONE)
"""Sizes of a module do not keep the aspect ratio."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The four frames of a source of one size."""

    source_wh: tuple[int, int]
    """What the decoder gives, in pixels."""
    total: Placement
    """Source pixels into the total frame: the processing frame and its padding."""
    output_wh: tuple[int, int]
    """The total frame where the padding is kept, else the processing frame."""
    crop: Rect | None
    """The processing frame in the total frame, where the padding is not kept; None where they are one."""
    pads_ltrb: tuple[int, int, int, int]
    """The padding that the output keeps."""

    @classmethod
    def of(cls, source_wh: tuple[int, int], config: FrameConfig) -> Geometry:
        """Compute the frames for a source's size; kept, as every frame asks."""
        return _geometry(source_wh, config)

    @property
    def keeps_padding(self) -> bool:
        """Whether the output frame has padding."""
        return any(self.pads_ltrb)

    def enter(self, frame: VideoFrame) -> None:
        """Move a frame's boxes from source to total pixels."""
        frame.move_boxes(self.total.scale_xy, self.total.offset_xy)
        frame.set_geometry(*self.total.target_wh)

    def leave(self, frame: VideoFrame) -> None:
        """Move a frame's boxes back from total to source pixels: the engine moves them together with the pixels."""
        (scale_x, scale_y), (x, y) = self.total.scale_xy, self.total.offset_xy
        turned = [] if scale_x == scale_y else _turned_boxes(frame)
        frame.move_boxes((1 / scale_x, 1 / scale_y), (-x / scale_x, -y / scale_y))
        for box, width in turned:  # a turned box keeps a right angle: its width is not undone by 1 / scale
            angle = math.radians(box.angle or 0.0)
            box.width = width / math.hypot(scale_x * math.cos(angle), scale_y * math.sin(angle))
        frame.set_geometry(*self.source_wh)

    def place(self, frame: VideoFrame) -> None:
        """Move a frame's boxes from total to output pixels, without pixels."""
        if self.crop is not None:
            frame.move_boxes((1.0, 1.0), (-float(self.crop.left), -float(self.crop.top)))
        frame.set_geometry(*self.output_wh)

    def chain(self) -> list[VideoFrameTransformation]:
        """Return what was done to the pixels of the output: the source's size, then scale and padding, if any."""
        steps = [VideoFrameTransformation.initial_size(*self.source_wh)]
        if self.source_wh != self.output_wh or self.keeps_padding:
            steps.append(VideoFrameTransformation.letter_box(*self.output_wh, *self.pads_ltrb))
        return steps


def _turned_boxes(frame: VideoFrame) -> list[tuple[RBBox, float]]:
    """Return the boxes of a frame that are rotated, and their widths."""
    boxes = [box for one in frame.get_all_objects() for box in (one.detection_box, one.track_box) if box is not None]
    return [(box, box.width) for box in boxes if box.angle]


@functools.lru_cache(maxsize=256)
def _geometry(source_wh: tuple[int, int], config: FrameConfig) -> Geometry:
    width, height = source_wh if config.width is None or config.height is None else (config.width, config.height)
    padding = config.padding
    if padding is None:
        placement = Placement.compute(source_wh, (width, height), STRETCH)
        return Geometry(source_wh, placement, (width, height), None, (0, 0, 0, 0))
    total_wh = (width + padding.left + padding.right, height + padding.top + padding.bottom)
    inset = DstPadding(padding.left, padding.top, padding.right, padding.bottom)
    placement = Placement.compute(source_wh, total_wh, TransformConfig(Padding.NONE, inset))
    if padding.keep:
        return Geometry(
            source_wh, placement, total_wh, None, (padding.left, padding.top, padding.right, padding.bottom)
        )
    crop = Rect(top=padding.top, left=padding.left, width=width, height=height)
    return Geometry(source_wh, placement, (width, height), crop, (0, 0, 0, 0))
