"""What the account of a module costs: W1 on many sources, with and without it.

With: what every module does, and metrics that another process reads every five seconds. Without: tickets only, which
say whose a frame is; no counts, no times, no records, no metrics.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pairs import Ratio, compare

from picasso.flow import NEVER
from picasso.module import Module
from picasso.module.run import books
from picasso.module.run.accounts import Measures, SourceAccount, Ticket
from picasso.module.sinks import DevNullSink
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
from workloads import BIT_RATE, COLORS, FRAME_RATE, INTERVAL, NAMES, WORKLOADS, frames, moments

WORK = "W1"
BOXES = 20
NS = 1_000_000_000
SCRAPE_S = 5.0
"""Seconds between two scrapes; Prometheus itself takes 15 to 60."""


class Pictures:
    """A source of W1: the same pictures again and again, with boxes that move."""

    restart = NEVER
    is_live = False

    def __init__(self, source_id: str, pictures: list[Any], found: list[Any], count: int) -> None:
        self.source_id, self.frame_count = source_id, count
        self._pictures, self._found = pictures, found

    def __iter__(self) -> Iterator[Any]:
        period_ns = NS // FRAME_RATE
        for number in range(self.frame_count):
            pixels = self._pictures[number % len(self._pictures)]
            high, wide = pixels.shape[:2]
            frame = VideoFrame(
                self.source_id,
                f"{FRAME_RATE}/1",
                wide,
                high,
                pts=number * period_ns,
                duration=period_ns,
                time_base=(1, NS),
            )
            moment = self._found[number % len(self._found)]
            frame.add_detections("detector", moment.corners, moment.names, confidences=moment.confidences)
            yield frame, SurfaceView.wrap(pixels)

    def stop(self) -> None:
        """End behind the next frame; nothing here waits."""


class Tickets:
    """What is left of ``Accounts`` where nothing is counted: who a frame belongs to."""

    def __init__(self, **_options: Any) -> None:
        self._tickets: dict[int, Ticket] = {}
        self.entered = self.encoded = 0
        self.is_closed = False
        self.gone = self.total = SourceAccount()

    @staticmethod
    def now_ns() -> int:
        return 0

    def enter(self, frame: VideoFrame, source: Any = None, _came_ns: Any = None) -> Ticket:
        ticket = self._tickets[id(frame)] = Ticket(frame, frame.source_id, source, 0)
        return ticket

    def leave(self, frame: VideoFrame, _encoded_bytes: int = 0) -> Ticket | None:
        return self._tickets.pop(id(frame), None)

    def drop(self, frame: VideoFrame, _reason: str) -> Ticket | None:
        return self._tickets.pop(id(frame), None)

    def ticket(self, frame: VideoFrame) -> Ticket | None:
        return self._tickets.get(id(frame))

    def snapshot(self) -> tuple[dict[str, SourceAccount], SourceAccount]:
        return {}, self.gone

    def measures(self) -> tuple[dict[str, Measures], Measures]:
        return {}, Measures()

    def drop_all(self, _reason: str) -> list[Ticket]:
        return []

    def __getattr__(self, name: str) -> Any:
        return lambda *_arguments, **_options: None


def tree(port: int | None) -> dict[str, Any]:
    """A module that scales, draws and encodes as W1 says."""
    width, height = WORKLOADS[WORK].target_wh
    metrics = {"provider": None} if port is None else {"provider": "prometheus", "provider_params": {"port": port}}
    label = {"format": ["{label} {confidence}"]}
    looks = {
        name: {"bbox": {"border_color": bytes([*rgb, 255]).hex().upper()}, "label": label}
        for name, rgb in zip(NAMES, COLORS, strict=True)
    }
    return {
        "name": "account",
        "parameters": {
            "frame": {"width": width, "height": height},
            "draw_func": {"rendered_objects": {"detector": looks}},
            "output_frame": {
                "codec": "h264",
                "encoder": "software",
                "encoder_params": {"bitrate": BIT_RATE // 1000, "key-int-max": INTERVAL},
            },
            "telemetry": {"metrics": metrics},
        },
        "pipeline": {"elements": [], "sink": [{"element": "devnull_sink"}]},
    }


def scrape(port: int) -> None:
    """Read metrics every five seconds, while the module of a pair listens; of another process."""
    while True:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()
        time.sleep(SCRAPE_S)


def account(pairs: int, sources: int, each: int) -> list[Ratio]:
    """Compare a module with its account and metrics to one without.

    Args:
        pairs: How many pairs.
        sources: Sources of each module.
        each: Frames of each source.
    """
    pictures, found = frames(WORK), moments(WORKLOADS[WORK], BOXES)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(count: int, port: int | None) -> int:
        module = Module(
            tree(port),
            sources=[Pictures(f"cam-{number}", pictures, found, count) for number in range(sources)],
            sinks=[DevNullSink()],
        )
        if port is None:
            module._books.recorder.frame_left = lambda _objects: None
            module._books.sinks._on_taken = None
        statuses = module.run().statuses
        return sum(status.delivered for status in statuses)

    def with_account(count: int) -> int:
        return run(count, port)

    def without(count: int) -> int:
        counted, books.Accounts = books.Accounts, Tickets
        try:
            return run(count, None)
        finally:
            books.Accounts = counted

    helper = multiprocessing.get_context("spawn").Process(target=scrape, args=(port,), daemon=True)
    helper.start()
    try:
        name = f"account and metrics / neither, {sources} sources"
        first, second = (lambda: with_account(each)), (lambda: without(each))
        nothing = (lambda: 0), (lambda: 0)  # both begin alike: what is taken off would be noise of its own
        return [compare(name, first, second, target=1.03, pairs=pairs, starts=nothing)]
    finally:
        helper.kill()
        helper.join()
