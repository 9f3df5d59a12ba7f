"""From file to file: 720p H.264, decoded, letterboxed to 640x360, with 20 boxes, encoded again.

Every peer runs in a process of its own; its processor time is what the process reports when it ends.
"""

from __future__ import annotations

import itertools
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts import Case
from workloads import BIT_RATE, COLORS, FRAME_RATE, INTERVAL, NAMES, Workload, clip, moments, open_x264

LOOPS = 4
WORKLOAD = Workload((1280, 720), (640, 360), 0)
MOMENTS = 64


def measure_file(case: Case) -> dict[str, Any]:
    """Run one peer over the clip, several times over; start-up and warm-up are taken off where they can be."""
    with tempfile.TemporaryDirectory() as folder:
        return FILES[case.peer](case, Path(folder) / "out.mkv")


def _ffmpeg(case: Case, out: Path) -> dict[str, Any]:
    if shutil.which("ffmpeg") is None:
        raise SystemExit("no ffmpeg on the path")
    costs = []
    for loops in (1, 1 + LOOPS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(_command(case, loops, out), check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    frames = LOOPS * sum(1 for _ in _decoded(1))
    return {"frames": frames, "cpu_ms": 1e3 * (costs[1] - costs[0]) / frames}


def _command(case: Case, loops: int, out: Path) -> list[str]:
    chain = ["scale=640:360:flags=bilinear"]
    found = moments(WORKLOAD, case.boxes)[0]
    for corners, number in zip(WORKLOAD.place(found.corners).astype(int).tolist(), found.classes, strict=True):
        x, y, right, bottom = corners
        chain.append(f"drawbox={x}:{y}:{right - x}:{bottom - y}:color=0x{bytes(COLORS[number]).hex()}:t=2")
    rate = ["-b:v", str(BIT_RATE), "-maxrate", str(BIT_RATE), "-bufsize", str(BIT_RATE), "-g", str(INTERVAL)]
    return [
        *["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-threads", "1", "-filter_threads", "1"],
        *["-stream_loop", str(loops - 1), "-i", str(clip()), "-an", "-vf", ",".join(chain), "-c:v", "libx264"],
        *["-threads", "1", "-preset", case.preset, "-tune", "zerolatency", *rate, str(out)],
    ]


def _decoded(loops: int) -> Iterator[Any]:
    import av

    for _ in range(loops):
        with av.open(str(clip())) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            yield from container.decode(stream)


def _floor(case: Case, _out: Path) -> dict[str, Any]:
    """Decode, and encode pictures that are the right size already."""
    import av

    ready = [
        av.VideoFrame.from_ndarray(frame.reformat(640, 360, "yuv420p").to_ndarray(), "yuv420p") for frame in _decoded(1)
    ]
    context = open_x264(WORKLOAD.target_wh, case.preset)
    before, count = _cpu_s(), 0
    for count, _ in enumerate(_decoded(LOOPS), 1):
        picture = ready[count % len(ready)]
        picture.pts = count
        for packet in context.encode(picture):
            bytes(packet)
    return {"frames": count, "cpu_ms": 1e3 * (_cpu_s() - before) / count}


def _picasso(case: Case, out: Path) -> dict[str, Any]:
    from adapter import NAMESPACE, source_spec

    from picasso.flow import Runner
    from picasso.media import StreamWriter, VideoReader
    from picasso.primitives import VideoFrame

    looks = dict(zip(NAMES, COLORS, strict=True))
    found = [(moment.corners, moment.names, moment.confidences) for moment in moments(WORKLOAD, case.boxes)]
    spec = source_spec(WORKLOAD.target_wh, looks, preset=case.preset, frame_rate=FRAME_RATE)

    def run(loops: int, path: Path) -> int:
        numbers = itertools.count()

        def annotate(frame: VideoFrame, _surface: object) -> None:
            corners, names, confidences = found[next(numbers) % MOMENTS]
            frame.add_detections(NAMESPACE, corners, names, confidences=confidences)

        runner = Runner(spec)
        runner.add(VideoReader(clip(), "clip", loops=loops), sinks=[StreamWriter(path)], annotate=annotate)
        (status,) = runner.run()
        if status.failure is not None or status.delivered != status.read:
            raise RuntimeError(f"{status.delivered} of {status.read} frames were delivered") from status.failure
        return status.delivered

    run(1, out)
    before = _cpu_s()
    frames = run(LOOPS, out)
    return {"frames": frames, "cpu_ms": 1e3 * (_cpu_s() - before) / frames}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


FILES: dict[str, Callable[[Case, Path], dict[str, Any]]] = {
    "file_floor": _floor,
    "file_picasso": _picasso,
    "file_ffmpeg": _ffmpeg,
}
