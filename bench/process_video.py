"""Frames a second of ``process_video`` with boxes and labels, beside supervision's, at equal codec and quality.

python bench/process_video.py --pairs 10 --objects 20

Pairs in one process, whose order changes; 720p H.264 in, 720p H.264 out. supervision writes MPEG-4 through OpenCV,
whose wheel has no libx264. So its ``VideoSink`` is replaced by one that has the same encoder with the same options as
ours: libx264 of PyAV, one thread, the same preset and quality, the same container. Decoders have one thread each. The
target is 1.5 times the frames a second; processor time is shown beside it, as other work changes it less.

``--sink x264`` gives supervision what a user gets who writes ``add_stream("libx264")``: the library's own defaults, all
cores. ``--sink mp4v`` leaves it its own writer. What decoding and encoding take alone is the floor of both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"  # read when OpenCV opens a file

import av
import numpy as np
import supervision as sv
import supervision.utils.video as sv_video

import picasso as pc
from picasso.annotators import BoxAnnotator, LabelAnnotator
from picasso.encode import Codec
from picasso.encode.av import PLANS, settings_of
from picasso.verbs import compare_videos
from picasso.verbs.encoding import encoder_config

SIZE_WH = (1280, 720)
RATE = 25
LABELS = ("person", "car", "dog", "truck", "cat", "bus", "bike", "boat")
TARGET = 1.5


def clip(folder: Path, seconds: float) -> Path:
    """Return a clip: the demo's film if it is there, else a pattern."""
    path = folder / "in.mp4"
    try:
        from picasso.cli.showcase.clips import clip_path

        source = ["-i", str(clip_path("bigbuckbunny.mp4"))]
    except ImportError:
        source = ["-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate={RATE}"]
    x264 = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *source, "-t", str(seconds), *x264, str(path)], check=True)
    return path


def objects(count: int) -> Callable[[int], dict[str, Any]]:
    """Return the columns of ``count`` objects by the number of the frame; they move."""
    chance = np.random.default_rng(count)
    size = chance.uniform(0.5, 1.5, (count, 2)) * (140 if count <= 20 else 60)
    corner = chance.uniform(0, 1, (count, 2)) * (np.array(SIZE_WH) - size - 60) + 30
    speed = chance.uniform(-0.2, 0.2, (count, 2))
    sure = chance.uniform(0.3, 1, count)

    def at(number: int) -> dict[str, Any]:
        low = corner + speed * number
        return {
            "xyxy": np.concatenate([low, low + size], axis=1).round().astype(np.float32),
            "class_ids": np.arange(count) % len(LABELS),
            "labels": [LABELS[index % len(LABELS)] for index in range(count)],
            "confidences": sure,
        }

    return at


class EqualSink:
    """A ``VideoSink`` with our encoder's library and options."""

    options_of_ours = True

    def __init__(self, target_path: str, video_info: Any) -> None:
        self._path, self._info = target_path, video_info

    def __enter__(self) -> EqualSink:
        config = encoder_config(Codec.H264, self._info.resolution_wh, Fraction(self._info.fps))
        plan = PLANS[Codec.H264](settings_of(config)[0])
        self._container = av.open(self._path, "w")
        options = dict(plan.options) if self.options_of_ours else {}
        self._stream = self._container.add_stream(plan.library, rate=Fraction(self._info.fps), options=options)
        self._stream.width, self._stream.height = self._info.resolution_wh
        self._stream.pix_fmt = plan.pix_fmt
        self._stream.codec_context.thread_count = 1 if self.options_of_ours else 0
        return self

    def write_frame(self, frame: Any) -> None:
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))

    def write_decoded(self, frame: av.VideoFrame) -> None:
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, *_exception: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


class DefaultSink(EqualSink):
    """The same with the library's own defaults."""

    options_of_ours = False


def ours(source: Path, target: Path, found: list[pc.Detections]) -> None:
    """Draw by picasso."""
    look = [BoxAnnotator(), LabelAnnotator()]
    numbers = iter(range(len(found)))
    pc.process_video(source, target, lambda _frame, _surface: found[next(numbers)], annotators=look)


def theirs(source: Path, target: Path, found: list[Any]) -> None:
    """Draw by supervision."""
    box, label = sv.BoxAnnotator(), sv.LabelAnnotator()

    def work(scene: Any, number: int) -> Any:
        boxes = found[number]
        texts = [f"{name} {sure:.2f}" for name, sure in zip(boxes.data["class_name"], boxes.confidence, strict=True)]
        return label.annotate(box.annotate(scene, boxes), boxes, texts)

    sv.process_video(str(source), str(target), work)


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return wall and processor time, seconds."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall_s, time.process_time() - cpu_s


def floor_ms(source: Path) -> float:
    """Return what decoding and encoding take alone, with our options, milliseconds of processor a frame."""
    with EqualSink(str(source.with_name("floor.mp4")), sv.VideoInfo.from_video_path(str(source))) as sink:
        began_s = time.process_time()
        with av.open(str(source)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            count = 0
            for frame in container.decode(video=0):
                count += 1
                frame.pict_type = 0
                sink.write_decoded(frame)
    return (time.process_time() - began_s) / count * 1e3


def main() -> None:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--objects", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--sink", choices=["equal", "x264", "mp4v"], default="equal", help="what supervision writes by")
    chosen = parser.parse_args()
    if chosen.sink != "mp4v":
        sv_video.VideoSink = EqualSink if chosen.sink == "equal" else DefaultSink
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = clip(folder, chosen.seconds)
        with pc.VideoReader(source) as reader:
            count = len(reader)
        columns = [objects(chosen.objects)(number) for number in range(count)]
        mine = [pc.Detections.of(**each) for each in columns]
        other = [
            sv.Detections(
                xyxy=each["xyxy"],
                class_id=each["class_ids"],
                confidence=each["confidences"],
                data={"class_name": np.array(each["labels"])},
            )
            for each in columns
        ]
        ways = {
            "picasso": lambda: ours(source, folder / "ours.mp4", mine),
            "supervision": lambda: theirs(source, folder / "theirs.mp4", other),
        }
        for work in ways.values():
            work()
        walls: list[float] = []
        processors: list[float] = []
        rates: dict[str, list[float]] = {"picasso": [], "supervision": []}
        costs: dict[str, list[float]] = {"picasso": [], "supervision": []}
        for number in range(chosen.pairs):
            for way in sorted(ways, reverse=bool(number % 2)):
                wall_s, cpu_s = measured(ways[way])
                rates[way].append(count / wall_s)
                costs[way].append(cpu_s / count * 1e3)
            walls.append(rates["picasso"][-1] / rates["supervision"][-1])
            processors.append(costs["picasso"][-1] / costs["supervision"][-1])
        for way, path in (("picasso", "ours.mp4"), ("supervision", "theirs.mp4")):
            quality = compare_videos(source, folder / path)
            size = (folder / path).stat().st_size
            rate, cost = statistics.median(rates[way]), statistics.median(costs[way])
            print(f"{way}: {rate:.0f} frames/s, {cost:.2f} ms of processor a frame; ", end="")
            print(f"{size / 1e6:.2f} MB, SSIM to the source {quality.ssim:.4f}")
        print(f"the floor: decoding and encoding take {floor_ms(source):.2f} ms of processor a frame")
    low, median, high = statistics.quantiles(walls, n=4)
    verdict = "reached" if median >= TARGET else "MISSED"
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {count} frames, {chosen.objects} objects")
    print(f"processor time, picasso / supervision: {statistics.median(processors):.2f}")
    print(f"frames/s, picasso / supervision: {median:.2f} ({low:.2f} to {high:.2f}, {chosen.pairs} pairs): ", end="")
    print(f"{TARGET} {verdict}")


if __name__ == "__main__":
    main()
