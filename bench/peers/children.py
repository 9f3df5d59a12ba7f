"""Peers that run as processes of their own: the FFmpeg command line, and GStreamer under the system's Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from scripts import Case, filter_chain
from workloads import BIT_RATE, COLORS, FRAME_RATE, INTERVAL, WORKLOADS, moments, rgba_file

SYSTEM_PYTHON = "/usr/bin/python3"
"""Where Debian's ``python3-gi`` is."""
GSTREAMER = {"gstreamer": False, "gstreamer_drawing": True}
"""Whether the pipeline draws."""
X264 = ("-c:v", "libx264", "-threads", "1", "-tune", "zerolatency", "-b:v", str(BIT_RATE), "-maxrate", str(BIT_RATE))


def measure_ffmpeg(case: Case) -> dict[str, Any]:
    """Scale, pad and drawbox by the command line, frames looped in its memory.

    The cost of a frame is the difference of two runs: start-up and the reading of the frames drop out.
    """
    if shutil.which("ffmpeg") is None:
        raise SystemExit("no ffmpeg on the path")
    few = len(WORKLOADS[case.workload].order) + 10
    start = min((_spawn(case, few) for _ in range(2)), key=lambda run: run["cpu_s"])
    rate = 60 / max(_spawn(case, few + 60)["wall_s"] - start["wall_s"], 0.05)
    count = max(60, int(case.seconds * rate))
    run = _spawn(case, few + count)
    frames = count * case.sources
    raw_mib = rgba_file(case.workload).stat().st_size / (1 << 20)
    return {
        "frames": frames,
        "cpu_ms": 1e3 * (run["cpu_s"] - start["cpu_s"]) / frames,
        "frames_a_second": frames / (run["wall_s"] - start["wall_s"]),
        "cores": (run["cpu_s"] - start["cpu_s"]) / (run["wall_s"] - start["wall_s"]),
        "rss_mib": run["rss_mib"] - raw_mib * case.sources,
    }


def _spawn(case: Case, count: int) -> dict[str, float]:
    command = _command(case, count)
    started = time.perf_counter()
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(case.sources)]
    figures = {"cpu_s": 0.0, "rss_mib": 0.0}
    for child in children:
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"failed: {' '.join(command)}")
        figures["cpu_s"] += usage.ru_utime + usage.ru_stime
        figures["rss_mib"] += usage.ru_maxrss / 1024
    return figures | {"wall_s": time.perf_counter() - started}


def _command(case: Case, count: int) -> list[str]:
    workload = WORKLOADS[case.workload]
    chain = [f"loop=loop=-1:size={len(workload.order)}:start=0"]
    found = moments(workload, case.boxes)[0]
    chain += [f"{name}={arguments}" for name, arguments in filter_chain(workload, found)]
    size = "{}x{}".format(*workload.source_wh)
    read = ["-f", "rawvideo", "-pixel_format", "rgba", "-video_size", size, "-framerate", str(FRAME_RATE)]
    return [
        *["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-filter_threads", "1"],
        *[*read, "-i", str(rgba_file(case.workload)), "-vf", ",".join(chain), "-frames:v", str(count)],
        *[*X264, "-bufsize", str(BIT_RATE), "-g", str(INTERVAL), "-preset", case.preset, "-f", "null", "-"],
    ]


def measure_gstreamer(case: Case) -> dict[str, Any]:
    """Run one pipeline a source, all in one process of the system's Python."""
    workload = WORKLOADS[case.workload]
    found = moments(workload, case.boxes)[0]
    boxes = [
        [*corners, *(value / 255 for value in COLORS[number]), text]
        for corners, number, text in zip(
            workload.place(found.corners).tolist(), found.classes, found.labels, strict=True
        )
    ]
    order = {
        "source_wh": workload.source_wh,
        "target_wh": workload.target_wh,
        "file": str(rgba_file(case.workload)),
        "frames": len(workload.order),
        "boxes": boxes if GSTREAMER[case.peer] else None,
        "sources": case.sources,
        "seconds": case.seconds,
        "preset": case.preset,
        "bit_rate": BIT_RATE,
        "interval": INTERVAL,
        "frame_rate": FRAME_RATE,
    }
    command = [SYSTEM_PYTHON, str(Path(__file__).with_name("gstreamer.py")), json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=_plain_environment())
    if done.returncode:
        raise SystemExit(f"GStreamer: {done.stderr.strip().splitlines()[-1] if done.stderr else 'failed'}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
