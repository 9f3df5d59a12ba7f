"""What a detector costs outside ONNX Runtime: the input's tensor, the head, boxes back in source pixels."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from network import detector as network
from tensors import noise

from picasso.infer import Detector, Session
from picasso.surface import VideoFormat

TARGET = 0.15


class Timed(Session):
    """A session that knows how much processor time its calls took, on the thread that makes them."""

    spent_s = 0.0

    def run(self, feeds: Any) -> dict[str, np.ndarray[Any, Any]]:
        """Do what a session does."""
        before = time.thread_time()
        try:
            return super().run(feeds)
        finally:
            self.spent_s += time.thread_time() - before


def detector(rounds: int) -> Iterator[str]:
    """Return a line for each number of pictures a batch."""
    session = Timed(network(), provider="cpu", threads=1)
    detect = Detector(session, confidence=0.5)
    pictures = [noise(VideoFormat.I420, seed) for seed in range(8)]
    for count in (1, 4, 8):
        batch = pictures[:count]
        found = detect(batch)
        ratios, inside, outside = [], [], []
        for _ in range(rounds):
            session.spent_s, before = 0.0, time.thread_time()
            detect(batch)
            whole = time.thread_time() - before
            inside.append(session.spent_s)
            outside.append(whole - session.spent_s)
            ratios.append(outside[-1] / inside[-1])
        verdict = "within" if statistics.median(ratios) <= TARGET else "ABOVE"
        each = [1e3 * statistics.median(cost) / count for cost in (outside, inside)]
        objects = sum(len(one) for one in found) / count
        yield (
            f"batches of {count}: {statistics.median(ratios):.3f} {verdict} {TARGET}   "
            f"{each[0]:.2f} outside / {each[1]:.2f} ms inside ONNX Runtime a picture, {objects:.0f} objects"
        )
