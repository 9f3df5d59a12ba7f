"""Files to send, and a module between two sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np

from picasso.module import Module

SIZE = (64, 48)


def grey(number: int) -> int:
    return 30 + 20 * number


def write_video(path: Path, count: int = 6, codec: str = "libx264", form: str = "yuv420p", **options: str) -> Path:
    """A clip of grey pictures, each brighter than the one before."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, form
        for number in range(count):
            pixels = np.full((SIZE[1], SIZE[0], 3), grey(number), np.uint8)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_picture(path: Path, value: int = 90) -> Path:
    codec, form = ("mjpeg", "yuvj420p") if path.suffix == ".jpg" else ("png", "rgb24")
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = *SIZE, form, Fraction(1, 25)
    pixels = np.full((SIZE[1], SIZE[0], 3), value, np.uint8)
    picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=form)
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)]))
    return path


@contextmanager
def module_between(folder: Path, parameters: Mapping[str, Any] | None = None, sink: str = "DEALER") -> Iterator[Module]:
    """A module that reads ``in.ipc`` and writes ``out.ipc`` of a folder, on a thread."""
    config = {
        "name": "between",
        "parameters": {"frame": {"width": 64, "height": 48}, **(parameters or {})},
        "pipeline": {
            "source": {"element": "zeromq_source_bin", "properties": {"socket": f"ipc://{folder}/in.ipc"}},
            "sink": [
                {"element": "zeromq_sink", "properties": {"socket": f"ipc://{folder}/out.ipc", "socket_type": sink}}
            ],
        },
    }
    module = Module(config)
    module.start()
    thread = threading.Thread(target=module.run)
    thread.start()
    try:
        yield module
    finally:
        module.stop()
        thread.join()


@contextmanager
def http_server(answers: list[tuple[int, str]]) -> Iterator[str]:
    """A server that gives these answers one after the other, the last one without end; yields its address."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.replace("{path}", self.path).encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
