"""Device frames of many sources through the engine, to an encoder that reads device memory and makes nothing."""

from __future__ import annotations

import os
import resource
import threading
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    LabelDraw,
    LabelPosition,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
)
from picasso.encode import Codec, EncodedUnit, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.primitives import VideoFrame
from picasso.surface import ColorSpace, MemType, SurfaceView, VideoFormat
from picasso.surface.cuda_memory import Uploader, open_device
from picasso.transform import TransformConfig


class DeviceSink:
    """Takes NV12 in device memory, answers with a few bytes, and keeps no more of the GPU's queue than one frame."""

    name, extradata, reads_device_memory = "sink", b"", True
    input_format = VideoFormat.NV12

    def __init__(self, config: EncoderConfig) -> None:
        self.color = ColorSpace.for_height(config.height)
        self.last: SurfaceView | None = None

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        """Look at nothing."""
        self.last = surface
        return [EncodedUnit(b"unit", pts_ns, pts_ns, duration_ns, keyframe=True)]

    def flush(self) -> list[EncodedUnit]:
        """Hold nothing."""
        return []

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Take nothing on."""
        return False

    def close(self) -> None:
        """Forget the surface."""
        self.last = None


class Moment(NamedTuple):
    """What was used up to a moment."""

    seconds: float
    """By the clock on the wall."""
    processor_seconds: float
    """Of all threads together."""
    switches: float
    """How often a thread went to sleep: for a lock, most of all the interpreter's, or for a frame."""

    @classmethod
    def now(cls) -> Moment:
        """Look at all three."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.perf_counter(), used.ru_utime + used.ru_stime, used.ru_nvcsw)


@dataclass
class Result:
    """What a run gave."""

    frames: int
    started: Moment
    ended: Moment
    errors: list[Any]
    stats: Any = None
    expected: int = 0
    """Frames that were sent."""
    timed: int = 0
    """Frames between ``started`` and ``ended``."""

    def check(self) -> None:
        """Exit where a frame was lost: such a run has no rate."""
        if self.errors or self.frames != self.expected:
            raise SystemExit(f"{self.frames} of {self.expected} frames came out; first error: {self.errors[:1]}")

    def rate(self) -> float:
        """Return the frames a second."""
        return self.each().seconds ** -1

    def each(self) -> Moment:
        """Return what a frame took."""
        self.check()
        return Moment(*[(end - start) / self.timed for start, end in zip(self.started, self.ended, strict=True)])


def drawing() -> ObjectDrawSpec:
    """Draw a border of two pixels and, above it, label and confidence on a ground of its colour."""
    table, color = ObjectDrawSpec(), ColorDraw(255, 60, 60)
    place, padding = LabelPosition(margin_y=0), PaddingDraw(2, 1, 2, 1)
    label = LabelDraw(ColorDraw(0, 0, 0), color, position=place, padding=padding, format=["{label} {confidence}"])
    table.insert("bench", "person", ObjectDraw(BoundingBoxDraw(color), label=label))
    return table


def device_spec(boxes: int) -> SourceSpec:
    """Return what a source does: letterbox to 720p on the GPU, draw the boxes, and encode from there."""
    config = EncoderConfig(Codec.H264, 1280, 720).mem_type(MemType.CUDA_DEVICE)
    return SourceSpec(CodecSpec.encode(TransformConfig(), config), draw=drawing() if boxes else None)


def make_frame(source_id: str, pts: int, boxes: int, size_wh: tuple[int, int] = (1920, 1080)) -> VideoFrame:
    """Return a frame with boxes of 40 to 180 pixels all over it."""
    frame = VideoFrame(source_id, "30/1", *size_wh, time_base=(1, 1_000_000_000), pts=pts)
    if boxes:
        generator = np.random.default_rng(0)
        centers = generator.uniform((120, 120), (size_wh[0] - 120, size_wh[1] - 120), (boxes, 2))
        halves = generator.uniform(20, 90, (boxes, 2))
        corners = np.hstack([centers - halves, centers + halves])
        frame.add_detections("bench", corners, ["person"] * boxes, confidences=generator.uniform(size=boxes))
    return frame


def open_pictures() -> list[SurfaceView]:
    """Return pictures of 1080p in device memory, ready on a stream of their own, which they keep."""
    from picasso_kernels.cuda.driver import Stream

    stream = Stream(open_device(0))
    picture = SurfaceView.allocate(VideoFormat.RGBA, (1920, 1080))
    picture.memset(90)
    pictures = [Uploader(stream).upload(picture) for _ in range(4)]
    stream.wait()
    return pictures


def run_on_one_processor(*arguments: int, warm: int = 0) -> Result:
    """Do as ``run_engine`` on the one processor that such runs share."""
    from picasso.engine import share_processor

    allowed = os.sched_getaffinity(0)
    share_processor()
    try:
        return run_engine(*arguments, warm=warm)
    finally:
        os.sched_setaffinity(0, allowed)


def run_engine(sources: int, frames: int, boxes: int, *, warm: int = 0) -> Result:
    """Send ``frames`` device frames of 1080p to each source, letterboxed to 720p; time those after ``warm``."""
    pictures = open_pictures()
    errors: list[Any] = []
    done, count, lock = threading.Event(), [0], threading.Lock()
    marks: list[Moment] = []
    total = sources * (frames + warm)

    def on_encoded(output: Any) -> None:
        with lock:
            count[0] += 1
            if count[0] in {sources * warm, total}:
                marks.append(Moment.now())
            if count[0] == total:
                done.set()

    def on_error(*details: Any) -> None:
        errors.append(details)
        done.set()

    callbacks = Callbacks(on_encoded_frame=on_encoded, on_error=on_error)
    names = [f"camera-{index}" for index in range(sources)]
    with PicassoEngine(GeneralSpec(), callbacks, encoder_factory=DeviceSink) as engine:
        for name in names:
            engine.set_source_spec(name, device_spec(boxes))
        work = {
            name: [make_frame(name, number * 33_000_000, boxes) for number in range(frames + warm)] for name in names
        }
        marks.append(Moment.now())

        def feed(name: str) -> None:
            for number, frame in enumerate(work[name]):
                engine.send_frame(name, frame, pictures[number % len(pictures)].share())

        feeders = [threading.Thread(target=feed, args=(name,)) for name in names]
        for feeder in feeders:
            feeder.start()
        done.wait(60)
        for feeder in feeders:
            feeder.join()
        stats = engine.stats()
    first, last = marks[min(1 if warm else 0, len(marks) - 1)], marks[-1]
    return Result(count[0], first, last, errors, stats, total, sources * frames)
