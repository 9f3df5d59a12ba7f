"""Detect, track, draw 20 labelled boxes and encode, four clips: a module beside a script tuned by hand.

The script takes supervision, trackers, OpenCV and PyAV: frames of all clips in one call of the model, pictures scaled
once, one conversion to BGR and one back. Processor time of the process without that of ONNX Runtime, which computes on
the thread that calls it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnxruntime
import supervision as sv
import trackers

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "module"))
from model_kit import COLORS, SIDE, SQUARE, squares

from picasso.infer import Session
from picasso.module import Module

WIDTH, HEIGHT, FRAMES, CLIPS, OBJECTS = 1280, 720, 50, 4, 20
TARGET = 0.6
SIZE = SQUARE * WIDTH // SIDE
ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "30"}


def tracks(rounds: int) -> Iterator[str]:
    """Return a line for each tracker."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "squares.onnx").write_bytes(squares(metadata={"task": "detect", "names": str(dict(enumerate(COLORS)))}))
        for number in range(CLIPS):
            write_clip(home / f"clip{number}.mp4", number)
        for tracker in ("iou", "bytetrack"):
            by_module(home, tracker)  # the first one may compile kernels
            by_script(home)
            times: tuple[list[float], list[float]] = ([], [])
            ratios = []
            for number in range(rounds):
                taken = [0.0, 0.0]
                for which in (0, 1) if number % 2 else (1, 0):
                    taken[which] = by_module(home, tracker) if which else by_script(home)
                    times[which].append(taken[which])
                ratios.append(taken[1] / taken[0])
            script, ours = (1e3 * statistics.median(each) for each in times)
            ratio = statistics.median(ratios)
            yield (
                f"{tracker}: {ours:.2f} ms a frame, the script with ByteTrack {script:.2f}; ratio {ratio:.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f}), target {TARGET}"
            )


def write_clip(path: Path, seed: int) -> None:
    """Write a clip of 20 squares that move over a gradient."""
    random = np.random.default_rng(seed)
    starts = random.uniform(0, 1, (OBJECTS, 2))
    ramp = np.linspace(20, 90, WIDTH, dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(FRAMES):
            picture = np.repeat(np.roll(ramp, 3 * frame)[None, :, None], HEIGHT, axis=0).repeat(3, axis=2)
            for index in range(OBJECTS):
                column, row = index % 7, index // 7
                left = int(column * 180 + 10 + 30 * starts[index, 0] + frame * 0.4)
                top = int(row * 230 + 20 + 40 * starts[index, 1])
                picture[top : top + SIZE, left : left + SIZE] = list(COLORS.values())[index % 3]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


class Clock:
    """Adds up the processor time of calls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.thread_time()
            try:
                return call(*arguments, **named)
            finally:
                self.seconds += time.thread_time() - started

        return timed


def by_module(home: Path, tracker: str) -> float:
    """Return seconds of processor time a frame, without ONNX Runtime's."""
    names = [f"clip{number}" for number in range(CLIPS)]
    label = {"format": ["{label} {track_id}"]}
    module = Module(
        {
            "name": "tracks",
            "parameters": {
                "frame": {"width": WIDTH, "height": HEIGHT},
                "batch_size": CLIPS,
                "output_frame": {"codec": "h264", "encoder": "software", "encoder_params": {"bitrate": 4000}},
                "draw_func": {
                    "rendered_objects": {"squares": {color: {"bbox": {}, "label": label} for color in COLORS}}
                },
            },
            "pipeline": {
                "source": [
                    {"element": "uridecodebin", "properties": {"uri": str(home / f"{name}.mp4")}} for name in names
                ],
                "elements": [
                    {
                        "element": "nvinfer@detector",
                        "name": "squares",
                        "model": {"local_path": str(home), "model_file": "squares.onnx", "threads": 1},
                    },
                    {"element": "nvtracker", "properties": {"tracker": tracker}},
                ],
                "sink": [{"element": "video_file_sink", "properties": {"location": str(home / "ours/{source}.mp4")}}],
            },
        }
    )
    clock, plain = Clock(), Session.run
    Session.run = clock.around(plain)  # type: ignore[method-assign]
    try:
        started = time.process_time()
        outcome = module.run()
        taken = time.process_time() - started
    finally:
        Session.run = plain  # type: ignore[method-assign]
    assert [status.delivered for status in outcome.statuses] == [FRAMES] * CLIPS
    return (taken - clock.seconds) / (FRAMES * CLIPS)


def by_script(home: Path) -> float:
    """Return seconds of processor time a frame, without ONNX Runtime's."""
    started, clock = time.process_time(), Clock()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(home / "squares.onnx", options, providers=["CPUExecutionProvider"])
    run = clock.around(session.run)
    boxes_of, labels_of = sv.BoxAnnotator(thickness=2), sv.LabelAnnotator(text_scale=0.5, text_padding=2)
    names = list(COLORS)
    sources = [av.open(str(home / f"clip{number}.mp4")) for number in range(CLIPS)]
    targets = [av.open(str(home / f"script{number}.mp4"), "w") for number in range(CLIPS)]
    streams = []
    for target in targets:
        stream = target.add_stream("libx264", rate=25, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 4_000_000
        streams.append(stream)
    each = [trackers.ByteTrackTracker() for _ in range(CLIPS)]
    scale = SIDE / WIDTH
    inner = round(HEIGHT * scale)
    top = (SIDE - inner) // 2
    batch = np.full((CLIPS, 3, SIDE, SIDE), 114 / 255, np.float32)
    found = 0
    for frames in zip(*(source.decode(video=0) for source in sources), strict=True):
        pictures = [frame.to_ndarray(format="bgr24") for frame in frames]
        for index, picture in enumerate(pictures):
            small = cv2.resize(picture, (SIDE, inner), interpolation=cv2.INTER_LINEAR)
            planes = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)
            np.multiply(planes, np.float32(1 / 255), out=batch[index, :, top : top + inner])
        (outputs,) = run(None, {"images": batch})
        for index, (rows, picture) in enumerate(zip(outputs, pictures, strict=True)):
            scores = rows[4:]
            best = scores.max(axis=0)
            kept = np.flatnonzero(best > 0.5)
            xywh = rows[:4, kept].T
            corners = np.concatenate([xywh[:, :2] - xywh[:, 2:] / 2, xywh[:, :2] + xywh[:, 2:] / 2], axis=1)
            corners[:, 1::2] -= top
            made = sv.Detections(corners / scale, confidence=best[kept], class_id=scores[:, kept].argmax(axis=0))
            made = each[index].update(made.with_nms(0.5))
            found += len(made)
            texts = [f"{names[kind]} {number}" for kind, number in zip(made.class_id, made.tracker_id, strict=True)]
            drawn = labels_of.annotate(boxes_of.annotate(picture, made), made, texts)
            frame = av.VideoFrame.from_ndarray(drawn, format="bgr24")
            frame.pts, frame.time_base = frames[index].pts, frames[index].time_base
            targets[index].mux(streams[index].encode(frame))
    for target, stream, source in zip(targets, streams, sources, strict=True):
        target.mux(stream.encode(None))
        target.close()
        source.close()
    taken = time.process_time() - started
    assert found == FRAMES * CLIPS * OBJECTS, found
    return (taken - clock.seconds) / (FRAMES * CLIPS)
