"""A Ray cluster of several nodes on this machine, tiny clips, and what a run has left behind."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from picasso.cluster import ClusterModule, load_ray

RATE = 8
STORE_BYTES = 100_000_000
WITNESS = '''
import os, time


class Witness:
    """Writes down which process works on which source, and when."""

    folder = ""

    def __init__(self, folder: str) -> None:
        self.file = open(os.path.join(folder, f"{os.getpid()}.txt"), "a", buffering=1)

    def __call__(self, frame) -> None:
        self.file.write(f"{frame.source_id} {time.monotonic_ns()} {frame.pts}\\n")
'''


@contextmanager
def ray_cluster(nodes: int, folder: Path, cpus: float = 1.0) -> Iterator[Any]:
    """A head without room, and ``nodes`` with ``cpus`` each."""
    load_ray()
    from ray.cluster_utils import Cluster

    common = {"object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "temp_dir": str(folder), **common})
    try:
        cluster.joined = [cluster.add_node(num_cpus=cpus, **common) for _ in range(nodes)]
        cluster.wait_for_nodes()
        yield cluster
    finally:
        ray = load_ray()
        if ray.is_initialized():
            ray.shutdown()
        cluster.shutdown()


def write_clip(path: Path, frames: int, size_wh: tuple[int, int] = (320, 176)) -> Path:
    """A clip with a keyframe each second, whose frames can be told apart."""
    width, height = size_wh
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": str(RATE)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture = np.full((height, width, 3), number * 5 % 256, np.uint8)
            picture[:, number * 8 % width :][:, :8] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def until(module: ClusterModule, is_so: Callable[[], bool], limit_s: float, what: str) -> float:
    """Let the head go on until something is so; return after how many seconds."""
    begun_s = time.monotonic()
    pause = threading.Event()
    while not is_so():
        module.step()
        states = {name: one.last_error or one.state for name, one in module.statistics().sources.items()}
        assert time.monotonic() - begun_s < limit_s, f"{what}: not within {limit_s} s: {states}, {module.actors()}"
        pause.wait(0.05)
    return time.monotonic() - begun_s


def pictures_of(folder: Path) -> dict[str, list[int]]:
    """The times of all pictures of each source, in its files one after the other; every file must play."""
    found: dict[str, list[int]] = defaultdict(list)
    for source in sorted(folder.iterdir()):
        files = sorted(source.glob("*.mp4"), key=_first_ns)
        for file in files:
            found[source.name] += _times_ns(file)
    return found


def _times_ns(file: Path) -> list[int]:
    with av.open(str(file)) as container:
        return [round(frame.pts * frame.time_base * 1e9) for frame in container.decode(video=0)]


def _first_ns(file: Path) -> int:
    return min(_times_ns(file), default=-1)


def runs_of(folder: Path) -> dict[str, list[tuple[int, int, str]]]:
    """When which process worked on each source: first and last nanosecond and process, in order."""
    spans: dict[tuple[str, str], list[int]] = defaultdict(list)
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            source_id, at_ns, _pts = line.split()
            spans[source_id, file.stem].append(int(at_ns))
    found: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for (source_id, process), times_ns in spans.items():
        found[source_id].append((min(times_ns), max(times_ns), process))
    return {source_id: sorted(runs) for source_id, runs in found.items()}
