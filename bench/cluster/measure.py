"""What a cluster costs, measured on a real Ray on this machine, for ``simulate.py`` to count with.

``python bench/cluster/measure.py`` takes two minutes and writes ``bench/cluster/measured.json``.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np

OUT = Path(__file__).with_name("measured.json")
RAY = {"object_store_memory": 100_000_000, "_temp_dir": "/tmp/rt", "num_cpus": 4, "log_to_driver": False}
WATCH_S = 8.0
MOST_S = 90.0


def main() -> None:
    """Measure, print, write."""
    found: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }
    found["placement_s"] = placement()
    with tempfile.TemporaryDirectory() as folder, ray_here():
        found["frames"] = frames(Path(folder))
        found["map"] = mapping(Path(folder))
        found["streams"] = [streams(actors, sources) for actors, sources in ((1, 1), (1, 16), (1, 48), (2, 16), (4, 4))]
        found["deaths"] = deaths(2)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def processor() -> str:
    """Return the name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


# ---- frames: what a source costs


def clip(path: Path, size_wh: tuple[int, int], count: int, seed: int = 0) -> Path:
    """Write a clip of a picture that moves."""
    random = np.random.default_rng(seed)
    ground = random.integers(0, 255, (size_wh[1] // 8, size_wh[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "g": "50"})
        (stream.width, stream.height), stream.pix_fmt = size_wh, "yuv420p"
        for index in range(count):
            picture = np.roll(ground, 4 * index, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def module(codec: str | None, height: int) -> dict[str, Any]:
    """Return a module that reads, and where there is a codec encodes."""
    frame = {"width": height * 16 // 9 // 8 * 8, "height": height}
    parameters: dict[str, Any] = {"frame": frame, "log_level": "error"}
    if codec is not None:
        parameters |= {"output_frame": {"codec": codec, "encoder": "software"}, "draw_func": {}}
    sink = {"element": "metadata_json_sink", "properties": {"location": "out/{source}.ndjson"}}
    return {"name": "bench", "parameters": parameters, "pipeline": {"sink": [sink]}}


def frames(folder: Path) -> dict[str, float]:
    """Return milliseconds of processor time for a frame, by what is done with it."""
    from picasso.module import Module

    found = {}
    for height, count in ((720, 100), (1080, 60)):
        file = clip(folder / f"{height}.mp4", (height * 16 // 9, height), count)
        for name, codec in (("metadata", None), ("h264", "h264")):
            for _ in range(2):  # the first one loads kernels
                started = time.process_time()
                with Module(module(codec, height), sources=[str(file)]) as one:
                    one.run()
                taken = time.process_time() - started
            found[f"{height}p {name}"] = round(1e3 * taken / count, 3)
    return found


# ---- map: what a file costs beside its frames


def mapping(folder: Path) -> dict[str, Any]:
    """Return what the program that decides spends on a file, and what a file takes that has one frame."""
    from picasso.cluster import map_files

    clips = folder / "clips"
    clips.mkdir()
    one = clip(folder / "one.mp4", (64, 48), 1).read_bytes()
    for number in range(60):
        (clips / f"{number:03}.mp4").write_bytes(one + number.to_bytes(4, "big"))
    found: dict[str, Any] = {}
    for name, ray in (("processes", None), ("ray", "auto")):
        times = []
        for count in (4, 20, 60):  # the first run starts processes and loads kernels
            files = sorted(clips.iterdir())[:count]
            cpu, wall = time.process_time(), time.monotonic()
            map_files(module(None, 48), files, folder / f"{name}{count}", ray=ray).raise_for_failures()
            times.append((time.process_time() - cpu, time.monotonic() - wall))
        _, (cpu_few, wall_few), (cpu_many, wall_many) = times
        found[name] = {
            "head_cpu_ms_a_file": round(1e3 * (cpu_many - cpu_few) / 40, 2),
            "wall_ms_a_file": round(1e3 * (wall_many - wall_few) / 40, 2),
        }
    manifest = folder / "processes60" / "manifest.ndjson"
    found["manifest_bytes_a_file"] = round(manifest.stat().st_size / 60)
    return found


@contextmanager
def ray_here() -> Iterator[None]:
    """Start Ray on this machine alone."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(address="local", include_dashboard=False, logging_level="error", **RAY)
    try:
        yield
    finally:
        ray.shutdown()


# ---- streams: what the head hears, and what that costs


def watched(sources: int) -> dict[str, Any]:
    """Return a module of cameras that give two small frames a second."""
    tree = module(None, 48)
    tree["parameters"] |= {"frame": {"width": None, "height": None}, "max_parallel_streams": 0}
    properties = {"width": 64, "height": 48, "framerate": "2/1", "is-live": True}
    tree["pipeline"] = {
        "source": [
            {"element": "videotestsrc", "properties": {**properties, "source_id": f"cam{number}"}}
            for number in range(sources)
        ],
        "sink": [{"element": "devnull_sink"}],
    }
    return tree


def streams(actors: int, sources: int) -> dict[str, Any]:
    """Return what a number of actors with a number of sources each cost the head and themselves."""
    import ray

    from picasso.cluster import ClusterModule, Needs

    started = time.monotonic()
    with ClusterModule(watched(actors * sources), actors=actors, needs=Needs(cpus=0.5)) as one:
        until(one, lambda: sum(each["sources"] for each in one.actors()) == actors * sources)
        ready_s = time.monotonic() - started
        cpu, wall = time.process_time(), time.monotonic()
        own = {(each["actor"], each["pid"]): each["cpu_s"] for each in one.actors()}
        until(one, lambda: time.monotonic() - wall > WATCH_S)
        head = (time.process_time() - cpu) / (time.monotonic() - wall)
        both = [(each["cpu_s"], own.get((each["actor"], each["pid"]))) for each in one.actors()]
        theirs = [(now - before) / WATCH_S for now, before in both if now is not None and before is not None]
        sizes = [len(ray.cloudpickle.dumps(slot.pulse)) for slot in one._slots if slot.pulse is not None]
    return {
        "actors": actors,
        "sources_an_actor": sources,
        "ready_s": round(ready_s, 2),
        "pulse_bytes": round(median(sizes)),
        "head_cpu": round(head, 4),
        "actor_cpu": round(median(theirs), 4),
    }


def until(one: Any, is_so: Any) -> None:
    """Let the head work until something is so."""
    end_s = time.monotonic() + MOST_S
    while not is_so():
        if time.monotonic() > end_s:
            raise TimeoutError(f"after {MOST_S} s: {one.actors()}")
        one.step()
        _ = one.is_over  # as its own loop asks
        time.sleep(0.1)


def deaths(count: int) -> dict[str, Any]:
    """Kill actors, and return after how many seconds their sources ran again."""
    from picasso.cluster import ClusterModule, Needs

    found, starts = [], []
    with ClusterModule(watched(8), actors=2, needs=Needs(cpus=0.5)) as one:
        for number in range(count):
            until(one, lambda: sum(each["sources"] for each in one.actors()) == 8)
            before = len(one.gaps)
            victim = one.actors()[number]
            mine = victim["sources"]
            os.kill(victim["pid"], signal.SIGKILL)
            killed = time.monotonic()
            until(one, lambda before=before, mine=mine: len(one.gaps) >= before + mine)
            found.append(max(gap.seconds for gap in one.gaps[before:]))
            until(one, lambda: all(each["state"] == "running" for each in one.actors()))
            starts.append(time.monotonic() - killed)
    return {"gap_s": [round(one, 2) for one in found], "actor_again_s": [round(one, 2) for one in starts]}


def placement() -> dict[str, float]:
    """Return how long the placement functions take, by the number of sources."""
    from picasso.cluster.placement import assign, rebalance

    found = {}
    for sources in (1_000, 100_000):
        weights = {f"s{number}": 1.0 + number % 7 for number in range(sources)}
        actors = {f"a{number}": 1.0 for number in range(max(sources // 25, 2))}
        started = time.perf_counter()
        homes = assign(weights, actors, {})
        found[f"assign {sources}"] = round(time.perf_counter() - started, 4)
        started = time.perf_counter()
        rebalance(weights, actors, homes, most=1)
        found[f"rebalance {sources}, 1 move"] = round(time.perf_counter() - started, 4)
    return found


if __name__ == "__main__":
    sys.exit(main())
