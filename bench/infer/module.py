"""Frames a second of a module whose 16 sources share one detector, beside ONNX Runtime alone on batches as large."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from network import detector as network
from sources import SOURCES, TARGET
from tensors import noise

from picasso.infer import Session
from picasso.module import Module
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

SIZE_WH, FRAMES, FIRST = (1920, 1080), 6, 3
"""Of each source, and before them as many that make the first whole batch: ONNX Runtime gets memory for it."""


def module(rounds: int) -> Iterator[str]:
    """Return a line; time that passes, from the first frame that is sent to the last that came out."""
    pictures = [noise(VideoFormat.I420, seed) for seed in range(SOURCES)]
    tensor = np.random.default_rng(0).random((SOURCES, 3, 640, 640), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        file.write_bytes(network())
        session = Session(file, provider="cpu", sources=SOURCES)
        ratios, rates = [], ([], [])
        session.run(tensor)
        _by_module(file, pictures, session.threads)  # the first one may compile kernels
        for number in range(rounds):
            taken = [0.0, 0.0]
            for which in (0, 1) if number % 2 else (1, 0):
                if which:
                    before = time.monotonic()
                    for _ in range(FRAMES):
                        session.run(tensor)
                    taken[1] = time.monotonic() - before
                else:
                    taken[0] = _by_module(file, pictures, session.threads)
                rates[which].append(SOURCES * FRAMES / taken[which])
            ratios.append(taken[1] / taken[0])
    middle = statistics.median(ratios)
    verdict = "within" if middle >= TARGET else "BELOW"
    ours, alone = (statistics.median(rate) for rate in rates)
    yield (
        f"{SOURCES} sources of a module, {session.threads} threads: {middle:.3f} {verdict} {TARGET}   "
        f"{ours:.1f} / {alone:.1f} frames a second"
    )


def _by_module(file: Path, pictures: list[SurfaceView], threads: int) -> float:
    """Return how long the module takes, without what it takes to start."""
    model = {"model_file": file.name, "local_path": str(file.parent), "threads": threads, "provider": "cpu"}
    element = {"element": "nvinfer@detector", "name": "network", "model": model}
    tree = {
        "name": "bench",
        "parameters": {"batch_size": SOURCES, "batched_push_timeout": 2_000_000},
        "pipeline": {"elements": [element], "sink": [{"element": "devnull_sink"}]},
    }
    with Module(tree) as running:

        def send(source: int, first: int, count: int) -> None:
            for number in range(first, first + count):
                frame = VideoFrame(f"s{source}", "25/1", *SIZE_WH, time_base=(1, 1000), pts=40 * number)
                running.send(frame, pictures[source].share())

        _all(send, 0, FIRST)
        _await(running, SOURCES * FIRST)
        before = time.monotonic()
        _all(send, FIRST, FRAMES)
        _await(running, SOURCES * (FIRST + FRAMES))
        taken = time.monotonic() - before
        running.run()
    return taken


def _await(running: Module, frames: int) -> None:
    """Wait until as many frames have come out."""
    while sum(status.delivered for status in running.statuses()) < frames:
        time.sleep(0.02)  # asking for statuses takes time of its own


def _all(send: Callable[[int, int, int], None], first: int, count: int) -> None:
    threads = [threading.Thread(target=send, args=(source, first, count)) for source in range(SOURCES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
