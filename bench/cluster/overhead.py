"""What Ray costs: the same sources by as many processes, under Ray and by hand, in pairs.

    python bench/cluster/overhead.py [--processes 2] [--sources 8] [--window 20] [--pairs 3]

Sources are paced, so both sides do the same work in the same time; what differs is processor time. Counted are user and
system time over a window in which all sources run: of the processes of the module, and of everything that is there
besides: the head, and Ray's own processes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from picasso.cluster import ClusterModule, Needs

RATE = 25
SETTLE_S = 5.0


def config_of(names: list[str], port: int | None, folder: Path) -> dict[str, Any]:
    return {
        "name": "overhead",
        "parameters": {
            "frame": {"width": 640, "height": 360},
            "output_frame": {"codec": "h264"},
            "healthcheck_port": port,
        },
        "pipeline": {
            "source": [
                {
                    "element": "videotestsrc",
                    "properties": {
                        "source_id": name, "width": 640, "height": 360, "framerate": RATE, "is-live": True,
                    },
                }
                for name in names
            ],
            "sink": [{"element": "video_file_sink", "properties": {"location": str(folder / "{source}.mp4")}}],
        },
    }  # fmt: skip


def cpu_of(processes: list[psutil.Process]) -> float:
    """Seconds of user and system time; of children that have ended, too."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def left_at(address: str) -> int:
    """Frames that have left a module by now, as it says itself: what the head has heard may be a second old."""
    with urllib.request.urlopen(f"{address}/statistics", timeout=10) as answer:
        return int(json.load(answer)["total"]["left"])


@contextlib.contextmanager
def by_hand(shares: list[list[str]], folder: Path) -> Iterator[tuple[list[psutil.Process], list[psutil.Process], Any]]:
    ports = [free_port() for _ in shares]
    running = []
    for number, (names, port) in enumerate(zip(shares, ports, strict=True)):
        file = folder / f"hand-{number}.yml"
        file.write_text(json.dumps(config_of(names, port, folder / "hand")))
        command = [sys.executable, "-m", "picasso", "run", "-q", str(file)]
        running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    def left() -> int:
        try:
            return sum(left_at(f"http://127.0.0.1:{port}") for port in ports)
        except OSError:
            return 0

    try:
        yield [psutil.Process(one.pid) for one in running], [], (left, lambda: None)
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


@contextlib.contextmanager
def by_ray(shares: list[list[str]], folder: Path) -> Iterator[tuple[list[psutil.Process], list[psutil.Process], Any]]:
    file = folder / "ray.yml"
    file.write_text(json.dumps(config_of([name for names in shares for name in names], free_port(), folder / "ray")))
    with (
        tempfile.TemporaryDirectory(prefix="ra", dir="/tmp") as place,
        ClusterModule(
            file,
            address="local",
            actors=len(shares),
            needs=Needs(cpus=0.5),
            num_cpus=len(shares),
            object_store_memory=100_000_000,
            _temp_dir=place,
        ) as module,
    ):
        while module.statistics().total.left < RATE * sum(map(len, shares)):
            module.step()
            time.sleep(0.1)
        own = [psutil.Process(actor["pid"]) for actor in module.actors()]
        here = psutil.Process()
        others = [here, *(one for one in here.children(recursive=True) if one not in own)]

        addresses = [actor["addresses"]["health"] for actor in module.actors()]
        yield own, others, (lambda: sum(map(left_at, addresses)), module.step)


def measure(side: Any, shares: list[list[str]], folder: Path, window_s: float) -> tuple[float, float, int]:
    """Seconds of the module's processes and of the others, and frames, over a window in which all sources run."""
    with side(shares, folder) as (own, others, (left, step)):
        while left() < RATE * sum(map(len, shares)):
            step()
            time.sleep(0.2)
        settled_s = time.monotonic() + SETTLE_S
        while time.monotonic() < settled_s:  # what began late catches up
            step()
            time.sleep(0.1)
        first, before, begun_s = left(), (cpu_of(own), cpu_of(others)), time.monotonic()
        while time.monotonic() - begun_s < window_s:
            step()
            time.sleep(0.1)
        after, last = (cpu_of(own), cpu_of(others)), left()
        return after[0] - before[0], after[1] - before[1], last - first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sources", type=int, default=8)
    parser.add_argument("--window", type=float, default=20.0, help="seconds")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    names = [f"cam{number:02d}" for number in range(options.sources)]
    shares = [names[number :: options.processes] for number in range(options.processes)]
    ratios, whole = [], []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.sources} sources, 640x360, {RATE} frames/s")
    for pair in range(options.pairs):
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            (folder / "hand").mkdir()
            (folder / "ray").mkdir()
            hand_s, _, hand_frames = measure(by_hand, shares, folder, options.window)
            ray_s, other_s, ray_frames = measure(by_ray, shares, folder, options.window)
        per = [1e3 * hand_s / hand_frames, 1e3 * ray_s / ray_frames, 1e3 * (ray_s + other_s) / ray_frames]
        ratios.append(per[1] / per[0])
        whole.append(per[2] / per[0])
        print(
            f"pair {pair}: by hand {per[0]:.2f} ms a frame ({hand_frames} frames); under Ray {per[1]:.2f} "
            f"({ray_frames} frames), with the head and Ray's processes {per[2]:.2f}, "
            f"which take {100 * other_s / options.window:.1f} % of a core"
        )
    print(f"processes of the module: {100 * (statistics.median(ratios) - 1):+.1f} %")
    print(f"with everything besides: {100 * (statistics.median(whole) - 1):+.1f} %")


if __name__ == "__main__":
    main()
