"""What traces cost: W1 on many sources, with spans of some frames going to a collector, and without any.

One frame in a hundred is what a module traces by default. Every frame says what one costs, a hundred times as clearly.
"""

from __future__ import annotations

import multiprocessing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from account import BOXES, WORK, Pictures, tree
from pairs import Ratio, Way, compare
from workloads import WORKLOADS, frames, moments

from picasso.module import Module
from picasso.module.sinks import DevNullSink


class Handler(BaseHTTPRequestHandler):
    """Takes spans, and forgets them."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Write nothing."""


def collect(port: Connection) -> None:
    """Be a collector, in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


def traces(pairs: int, sources: int, each: int) -> list[Ratio]:
    """Compare a module that traces to one that does not.

    Args:
        pairs: How many pairs.
        sources: Sources of each module.
        each: Frames of each source.
    """
    pictures, found = frames(WORK), moments(WORKLOADS[WORK], BOXES)
    here, there = multiprocessing.Pipe()
    helper = multiprocessing.get_context("spawn").Process(target=collect, args=(there,), daemon=True)
    helper.start()
    url = f"http://127.0.0.1:{here.recv()}"

    def run(count: int, period: int | None) -> int:
        config = tree(None)
        tracing: dict[str, Any] = {"provider": None}
        if period is not None:
            tracing = {"provider": "jaeger", "provider_params": {"endpoint": url}, "sampling_period": period}
        config["parameters"]["telemetry"]["tracing"] = tracing
        cameras = [Pictures(f"cam-{number}", pictures, found, count) for number in range(sources)]
        return sum(status.delivered for status in Module(config, sources=cameras, sinks=[DevNullSink()]).run().statuses)

    def way(count: int, period: int | None) -> Way:
        return lambda: run(count, period)

    try:
        return [
            compare(
                f"traces of 1 frame in {period} / none, {sources} sources",
                way(each, period),
                way(each, None),
                target=target,
                pairs=pairs,
                starts=(way(2, period), way(2, None)),
            )
            for period, target in ((100, 1.01), (1, 2.0))
        ]
    finally:
        helper.kill()
        helper.join()
