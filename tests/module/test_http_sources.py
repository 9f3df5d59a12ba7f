"""A module that reads from real HTTP servers: whole files, ranges, servers that break off or say no."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "media"))
from media_servers import Caller, Server, http, pages
from test_module_run import PATTERN, frames_of, no_thread_is_left, run, tree

from picasso.errors import ConnectionLostError, MediaError
from picasso.flow import SourceState

__all__ = ["no_thread_is_left"]
FRAMES = 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Encode a clip whose frames differ, in a container and with options of its muxer."""
    folder = tmp_path_factory.mktemp("served")

    def make(name: str, **options: str) -> bytes:
        path = folder / name
        noise = np.random.default_rng(5)
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "10"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(FRAMES):
                pixels = noise.integers(0, 255, (48, 64, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
        return path.read_bytes()

    return make


def reads(url: str, **properties: Any) -> dict[str, Any]:
    """The tree of a module that reads a URL beside a source that is well."""
    source = {"element": "uridecodebin", "properties": {"uri": url, "source_id": "net", **properties}}
    return tree(source=[source, PATTERN], parameters={"frame": {"width": None, "height": None}})


def pts_of(sink: Any, source_id: str = "net") -> list[int]:
    return [frame.pts for frame in frames_of(sink) if frame.source_id == source_id]


WHOLE = [number * 40_000_000 for number in range(FRAMES)]


def test_a_file_whose_index_is_at_its_end_is_read_in_parts(clip: Callable[..., bytes]) -> None:
    body, wanted = clip("end.mp4"), []
    assert body.index(b"moov") > body.index(b"mdat")

    def answer(caller: Caller) -> None:
        wanted.append(caller.header("Range"))
        first = int((caller.header("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        span = f"bytes {first}-{len(body) - 1}/{len(body)}"
        caller.say("206 Partial Content", body[first:], {"Content-Length": len(body) - first, "Content-Range": span})

    with Server(http(answer)) as server:
        module, sink = run(reads(server.url("/street.mp4")))
    assert pts_of(sink) == WHOLE
    (tag,) = {frame.get_attribute("default", "location").values[0].as_string() for frame in frames_of(sink)
              if frame.source_id == "net"}  # fmt: skip
    assert tag.endswith("/street.mp4")
    assert len([one for one in wanted if one and one != "bytes=0-"]) >= 1, wanted
    assert {status.state for status in module.statuses()} == {SourceState.ENDED}


def test_a_server_that_knows_no_ranges_gives_a_file_whose_index_is_first(clip: Callable[..., bytes]) -> None:
    body = clip("start.mp4", movflags="+faststart")
    with Server(http(lambda caller: caller.say("200 OK", body, {"Content-Length": len(body)}))) as server:
        _module, sink = run(reads(server.url()))
    assert pts_of(sink) == WHOLE


@pytest.mark.parametrize("how", ["reset", "end"])
@pytest.mark.parametrize("name", ["cut.ts", "cut.mp4"])
def test_a_server_that_dies_midway_loses_the_rest_and_says_so(clip: Callable[..., bytes], name: str, how: str) -> None:
    body = clip(name, **({"movflags": "+faststart"} if name.endswith("mp4") else {}))

    def answer(caller: Caller) -> None:
        if caller.server.paths[1:]:
            caller.say("503 Service Unavailable", headers={"Content-Length": 0})
            return
        caller.say("200 OK", body[: len(body) // 2], {"Content-Length": len(body)})
        if how == "reset":
            caller.link.recv(0)
            caller.reset()

    with Server(http(answer)) as server:
        module, sink = run(reads(server.url()))
    net, pattern = module.statuses()
    assert (net.state, type(net.failure)) == (SourceState.FAILED, ConnectionLostError)
    assert str(server.port) in str(net.failure)
    times = pts_of(sink)
    assert times == WHOLE[: len(times)]
    assert (net.delivered, net.read) == (len(times), net.delivered + net.dropped)
    assert net.dropped <= 1  # the packet that was cut in two
    assert (pattern.state, pattern.delivered) == (SourceState.ENDED, 12)


def test_a_source_that_may_be_opened_again_ends_its_stream_and_gives_all_of_the_file(
    clip: Callable[..., bytes],
) -> None:
    body = clip("again.ts")

    def answer(caller: Caller) -> None:
        is_first = not caller.server.paths[1:]
        caller.say("200 OK", body[: len(body) // 2] if is_first else body, {"Content-Length": len(body)})

    with Server(http(answer)) as server:
        module, sink = run(reads(server.url(), restart=True))
        assert len(server.paths) == 2
    net = module.statuses()[0]
    assert (net.state, net.restarts, net.failure) == (SourceState.ENDED, 1, None)
    outputs = [output for output in sink.outputs if output.source_id == "net"]
    first = [output.is_eos for output in outputs].index(True)
    times = [None if output.is_eos else output.as_video_frame().pts for output in outputs]
    assert 0 < first < FRAMES
    assert times == [*WHOLE[:first], None, *WHOLE, None]


REFUSALS = {
    "404": (pages({}), "the server answers 404 Not Found"),
    "no video": (pages({"/x": b"<html>Sign in</html>" * 40}), "127.0.0.1"),
    "nothing": (pages({"/x": b""}), "127.0.0.1"),
}


@pytest.mark.parametrize(("talk", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_server_without_the_video_fails_its_own_source_only(talk: Any, words: str) -> None:
    with Server(talk) as server:
        module, sink = run(reads(server.url()))
    net, pattern = module.statuses()
    assert isinstance(net.failure, MediaError)
    assert words in str(net.failure)
    assert (net.read, pts_of(sink), pattern.state) == (0, [], SourceState.ENDED)
