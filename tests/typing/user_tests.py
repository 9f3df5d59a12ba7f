"""User code that the type checker reads, strictly: a property test and the fixtures of the plugin. Never run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given

from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView
from picasso.testing import FakeClock, RecordingCallbacks, assert_inverts, boxes, placements, surfaces, video_frames
from picasso.testing.plugin import MakeEngine, Throughput
from picasso.transform import Placement, place, unplace


@given(boxes(), placements())
def property_of_boxes(boxes_xyxy: npt.NDArray[np.floating[Any]], placement: Placement) -> None:
    assert_inverts(unplace, place, boxes_xyxy, placement)


@given(video_frames((640, 480)), surfaces(size_wh=(640, 480)))
def property_of_frames(frame: VideoFrame, surface: SurfaceView) -> None:
    assert (frame.width, frame.height) == surface.size_wh


def uses_fixtures(
    picasso_engine: MakeEngine, fake_clock: FakeClock, recording_callbacks: RecordingCallbacks, throughput: Throughput
) -> float:
    engine = picasso_engine("on_error", inflight_queue_size=2)
    fake_clock.advance(1.5)
    assert not recording_callbacks.errors("cam")
    return throughput(engine.stats, frames=1)
