"""Frames a second of 16 sources through one detector, beside ONNX Runtime alone on the same batches."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from network import detector as network
from tensors import noise

from picasso.infer import Detector, Session
from picasso.infer.providers import threads_for, usable_cores
from picasso.surface import SurfaceView, VideoFormat

SOURCES, TARGET = 16, 0.95


def sources(rounds: int) -> Iterator[str]:
    """Return a line for each number of threads; time that passes, so that threads of both count."""
    pictures = [noise(VideoFormat.I420, seed) for seed in range(SOURCES)]
    for threads in sorted({1, threads_for(SOURCES), usable_cores()}):
        yield _line(Session(network(), provider="cpu", sources=SOURCES, threads=threads), pictures, rounds)


def _line(session: Session, pictures: list[SurfaceView], rounds: int) -> str:
    detect = Detector(session, confidence=0.5)
    tensor = detect.inference.maker.of_pictures(pictures).tensor
    detect(pictures)
    ratios, rates = [], ([], [])
    for number in range(rounds):
        taken = [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            before = time.monotonic()
            if which:
                session.run(tensor)
            else:
                detect(pictures)
            taken[which] = time.monotonic() - before
            rates[which].append(SOURCES / taken[which])
        ratios.append(taken[1] / taken[0])
    verdict = "within" if statistics.median(ratios) >= TARGET else "BELOW"
    ours, alone = (statistics.median(rate) for rate in rates)
    return (
        f"{SOURCES} sources, {session.threads} threads: {statistics.median(ratios):.3f} {verdict} {TARGET}   "
        f"{ours:.1f} / {alone:.1f} frames a second"
    )
