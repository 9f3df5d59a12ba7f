"""Tools for tests: a fake clock, recording callbacks, an in-memory encoder, assertions, hypothesis strategies.

The strategies need the ``test`` extra and are loaded when the first of them is asked for; everything else needs
nothing. The pytest plugin of the same distribution brings fixtures, see ``picasso.testing.plugin``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.testing.assertions import assert_inverts, assert_same_surface
from picasso.testing.callbacks import Call, RecordingCallbacks
from picasso.testing.clock import FakeClock
from picasso.testing.encoder import MemoryEncoder, MemoryEncoders

if TYPE_CHECKING:
    from picasso.testing.strategies import (
        attribute_values,
        attributes,
        boxes,
        color_spaces,
        draw_specs,
        encoder_configs,
        encoder_properties,
        label_lines,
        object_draws,
        placements,
        points,
        rects,
        rotated_boxes,
        sizes,
        source_specs,
        surfaces,
        transform_configs,
        video_frames,
    )
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "Call",
    "FakeClock",
    "MemoryEncoder",
    "MemoryEncoders",
    "RecordingCallbacks",
    "assert_inverts",
    "assert_same_surface",
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

_explain_fields(globals())


def __getattr__(name: str) -> Any:
    """Load a strategy; hypothesis comes with the first one.

    Raises:
        MissingDependencyError: hypothesis is not installed; the message names the extra that brings it.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from picasso.testing import strategies

    return getattr(strategies, name)
