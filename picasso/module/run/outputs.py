"""What ``output_frame`` and ``draw_func`` ask of the engine, and what leaves the module with each frame."""

from __future__ import annotations

import logging
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from picasso.draw.attached import ATTACHED
from picasso.engine import CodecSpec, ConditionalSpec, SourceSpec
from picasso.module.config import ElementConfig
from picasso.module.run.encoders import encoder_config
from picasso.module.run.geometry import STRETCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from picasso.module.config import ModuleConfig
    from picasso.module.meta import Frame
    from picasso.primitives import VideoFrame

NAMESPACE: Final = "picasso.module"
SIZE: Final = "source_size"
"""The temporary attribute in which a frame carries its source's size through the engine."""
logger: logging.Logger = logging.getLogger("picasso.module")


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
    return SourceSpec(
        codec=CodecSpec.encode(STRETCH, encoder_config(output, size_wh, rate)),
        conditional=ConditionalSpec(render_attribute=ATTACHED),
    )


def drawers(module: ModuleConfig) -> list[ElementConfig]:
    """Return the last step of a module, its drawer, as an element; none where nothing is drawn."""
    draw, parameters, output = module.draw_func, module.parameters, module.output_frame
    is_seen = output is not None and output.codec != "copy"  # code of the user's still runs
    if draw is None or (draw.module is None and not is_seen):
        return []
    condition = None if draw.tag is None else {"tag": draw.tag}
    return [
        ElementConfig(
            element="pyfunc",
            name=None,
            module=draw.module or "picasso.module.drawing",
            class_name=draw.class_name or "NvDsDrawFunc",
            kwargs={**draw.kwargs, "rendered_objects": draw.rendered_objects, "condition": condition},
            dev_mode=bool(parameters["dev_mode"]) and draw.module is not None,
            on_error=parameters["on_pyfunc_error"],
            model=None,
            properties={},
            path=("parameters", "draw_func"),
        )
    ]


def internal_attributes(module: ModuleConfig) -> list[tuple[str, str]]:
    """Return element and name of the attributes that models make for later elements only."""
    return [
        (str(one.name), attribute["name"])
        for one in module.elements
        for attribute in ((one.model or {}).get("output") or {}).get("attributes") or ()
        if attribute.get("internal")
    ]


def finish_metadata(frame: Frame, *, legacy_track_ids: bool, internal: Sequence[tuple[str, str]] = ()) -> None:
    """Make a frame's objects what leaves the module.

    Args:
        frame: The frame; its primary object leaves only if it says something.
        legacy_track_ids: Whether untracked objects are numbered.
        internal: Element and name of attributes that do not leave.
    """
    primary, video_frame = frame.primary_in_use, frame.video_frame
    if primary is not None:
        box = primary.bbox
        whole = (0.0, 0.0, float(frame.width), float(frame.height))
        if tuple(box.as_ltwh()) != whole or primary.fields.attributes:
            frame.add_obj_meta(primary)
    for one in video_frame.get_all_objects() if internal else ():
        for key in internal:
            one.delete_attribute(*key)
    if legacy_track_ids:
        _number_untracked(video_frame)


def _number_untracked(frame: VideoFrame) -> None:
    numbers: Counter[str] = Counter()
    for one in frame.get_all_objects():
        if one.track_id is None:
            one.set_track_info(numbers[one.label], one.detection_box)
            numbers[one.label] += 1
