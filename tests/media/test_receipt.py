"""When a frame's packet was read and when its decoder took it: in order, for files and over a network."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

from picasso.media import VideoReader

FRAMES = 20


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With pictures that are decoded before others which are shown first."""
    path = tmp_path_factory.mktemp("receipt") / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "3", "x264-params": "b-adapt=0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(FRAMES):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None: ...


@pytest.fixture
def address(clip: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(clip.parent))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{clip.name}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("over", ["file", "network"])
def test_each_frame_says_when_it_was_read_and_taken(over: str, clip: Path, address: str) -> None:
    began_ns = time.monotonic_ns()
    found = []
    with VideoReader(clip if over == "file" else address) as reader:
        for _frame, _surface in reader.frames():
            assert reader.came_ns is not None
            read_ns, taken_ns = reader.came_ns
            assert began_ns <= read_ns <= taken_ns <= time.monotonic_ns()
            found.append((read_ns, taken_ns))
    assert len(found) == len(set(found)) == FRAMES  # each frame has a packet of its own
    assert found != sorted(found)  # pictures are shown in another order than they come


def test_a_frame_that_waits_for_its_time_comes_when_that_has_come(clip: Path) -> None:
    with VideoReader(clip, pace=True) as reader:
        before_ns = time.monotonic_ns()
        for number, _ in enumerate(reader.frames()):
            assert reader.came_ns is not None
            assert reader.came_ns[0] == reader.came_ns[1] >= before_ns
            before_ns = reader.came_ns[0]
            if number == 3:
                break
