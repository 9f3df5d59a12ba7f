"""Hypothesis strategies, named after the things that they make; needs the ``test`` extra.

Every strategy makes what the package accepts, and shrinks towards the plain case: one box, no crop, RGBA, tight rows.
``picasso.testing`` re-exports them all.
"""

from picasso.errors import require

require("hypothesis", extra="test")

from picasso.testing.strategies.attributes import attribute_values, attributes  # noqa: E402  # hypothesis comes first
from picasso.testing.strategies.drawing import draw_specs, label_lines, object_draws  # noqa: E402
from picasso.testing.strategies.encoders import encoder_configs, encoder_properties  # noqa: E402
from picasso.testing.strategies.frames import video_frames  # noqa: E402
from picasso.testing.strategies.geometry import (  # noqa: E402
    boxes,
    placements,
    points,
    rects,
    rotated_boxes,
    sizes,
    transform_configs,
)
from picasso.testing.strategies.pictures import color_spaces, surfaces  # noqa: E402
from picasso.testing.strategies.sources import source_specs  # noqa: E402

__all__ = [
    "attribute_values",
    "attributes",
    "boxes",
    "color_spaces",
    "draw_specs",
    "encoder_configs",
    "encoder_properties",
    "label_lines",
    "object_draws",
    "placements",
    "points",
    "rects",
    "rotated_boxes",
    "sizes",
    "source_specs",
    "surfaces",
    "transform_configs",
    "video_frames",
]
