"""User code that the type checker reads, strictly: boxes, arrays, surfaces, media. Never run."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

from picasso.media import VideoReader
from picasso.primitives import Attribute, AttributeValue, MatchQuery, RBBox, VideoFrame, VideoObjectsView
from picasso.surface import BufferGenerator, SurfaceView, VideoFormat
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks, assert_inverts, assert_same_surface
from picasso.transform import Placement, TransformConfig, place, place_mask, unplace, unplace_points


def detections(frame: VideoFrame, xyxy: npt.NDArray[np.float32], scores: list[float]) -> npt.NDArray[np.int64]:
    ids = frame.add_detections("detector", xyxy, "car", confidences=scores)
    found = frame.get_detections("detector")
    assert_type(found.xyxy, npt.NDArray[np.float32])
    assert_type(found.labels, npt.NDArray[np.object_])
    return ids


def objects(frame: VideoFrame) -> list[float | None]:
    frame.create_object("detector", "car", detection_box=RBBox(10, 10, 4, 4, 30.0))
    frame.set_attribute(Attribute("app", "mark", [AttributeValue.integer(3)]))
    cars = frame.access_objects(MatchQuery(lambda found: found.label == "car"))
    assert_type(cars, VideoObjectsView)
    assert_type(frame.json, str)
    return [car.detection_box.angle for car in cars]


def geometry(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.floating[Any]]:
    placement = Placement.compute((1920, 1080), (640, 640), TransformConfig())
    assert_type(placement.scale_xy, tuple[float, float])
    assert_type(place_mask(mask, placement), npt.NDArray[np.bool_])
    boxes = place([[0, 0, 10, 10]], placement)
    assert_inverts(unplace, place, boxes, placement)
    return unplace_points(boxes.reshape(-1, 2), placement)


def pixels(picture: npt.NDArray[np.uint8]) -> SurfaceView:
    surface = SurfaceView.wrap(picture, VideoFormat.BGR)
    pool = BufferGenerator(VideoFormat.RGBA, 640, 360)
    with_room = pool.acquire()
    assert_same_surface(surface, SurfaceView.from_buffer(with_room), tolerance=1)
    return surface


def media(path: str) -> int:
    frames = 0
    with VideoReader(path) as reader:
        for item in reader:
            frames += item is not None
    return frames


def doubles() -> tuple[FakeClock, RecordingCallbacks, MemoryEncoders]:
    recorder = RecordingCallbacks()
    assert_type(recorder.pts_ns("cam"), list[int | None])
    return FakeClock(), recorder, MemoryEncoders(delay=2)
