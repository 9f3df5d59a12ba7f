"""What ``output_frame`` and ``draw_func`` ask of the engine, and what leaves the module with each frame."""

from __future__ import annotations

import logging
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from picasso.draw import ObjectDrawSpec
from picasso.engine import CodecSpec, ConditionalSpec, SourceSpec
from picasso.module.meta.frame import TAGS
from picasso.module.run.drawing import DEFAULT_DRAW, TRACKED_DRAW, draw_specs
from picasso.module.run.encoders import encoder_config
from picasso.module.run.geometry import STRETCH

if TYPE_CHECKING:
    from picasso.draw import ObjectDraw
    from picasso.module.config import DrawFunc, ModuleConfig
    from picasso.module.meta import Frame
    from picasso.primitives import BorrowedVideoObject, VideoFrame

NAMESPACE: Final = "picasso.module"
SIZE: Final = "source_size"
"""The temporary attribute in which a frame carries its source's size through the engine."""
logger = logging.getLogger("picasso.module")


def source_spec(module: ModuleConfig, size_wh: tuple[int, int], rate: Fraction) -> SourceSpec:
    """Return what the engine does with the frames of a source.

    Args:
        module: The module; its ``output_frame`` has pixels.
        size_wh: Size of the output frame in pixels.
        rate: Nominal frames per second.
    """
    output = module.output_frame
    if output is None:
        return SourceSpec(codec=CodecSpec.drop_frames())
    encoder = encoder_config(output, size_wh, rate)
    draw = module.draw_func
    attribute = None
    if draw is not None and draw.tag is not None:
        attribute = TAGS, draw.tag
    elif draw is not None and draw.rendered_objects is None:
        attribute = NAMESPACE, SIZE  # every frame has it: all are drawn on, though no spec is listed
    return SourceSpec(
        codec=CodecSpec.encode(STRETCH, encoder),
        conditional=ConditionalSpec(render_attribute=attribute),
        draw=ObjectDrawSpec() if draw is None else draw_specs(draw),
    )


def draw_default(draw: DrawFunc | None, one: BorrowedVideoObject) -> ObjectDraw | None:
    """Return what an object looks like that no map lists: the built-in look without a map, nothing with one."""
    if draw is None or draw.rendered_objects is not None:
        return None
    return DEFAULT_DRAW if one.track_id is None else TRACKED_DRAW


def finish_metadata(frame: Frame, *, legacy_track_ids: bool) -> None:
    """Make a frame's objects what leaves the module: the primary one only if it says something, track ids as set."""
    primary, video_frame = frame.primary, frame.video_frame
    if primary is not None:
        box = primary.bbox
        whole = (0.0, 0.0, float(frame.width), float(frame.height))
        if tuple(box.as_ltwh()) != whole or primary.fields.attributes:
            frame.add_obj_meta(primary)
    if legacy_track_ids:
        _number_untracked(video_frame)


def _number_untracked(frame: VideoFrame) -> None:
    numbers: Counter[str] = Counter()
    for one in frame.get_all_objects():
        if one.track_id is None:
            one.set_track_info(numbers[one.label], one.detection_box)
            numbers[one.label] += 1
