"""Cameras over a real RTSP server: cut and back, silent, of another size, broken, not there; the others go on."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "flow"))
from flow_kit import States
from rtsp_kit import RtspServer, Seen
from test_module_run import no_thread_is_left, tree

from picasso.flow import Runner, SourceState, SourceStatus
from picasso.media import VideoReader
from picasso.module import Module
from picasso.module.sinks import VideoFileSink
from picasso.module.sources import UriSource

__all__ = ["no_thread_is_left"]


@pytest.fixture(scope="module")
def steady() -> Iterator[RtspServer]:
    """A server that no one touches, with a good camera and one whose packets are not what they say."""
    server = RtspServer(good="h264:64x48", broken="broken:64x48")
    yield server
    server.cut()


@pytest.fixture
def camera() -> Iterator[RtspServer]:
    """A server that a test may cut."""
    server = RtspServer(cam="h264:64x48")
    yield server
    server.cut()


def rtsp(server: RtspServer, name: str, **properties: Any) -> dict[str, Any]:
    return {"element": "uridecodebin", "properties": {"uri": server.url(name), "source_id": name, **properties}}


def module_of(*sources: dict[str, Any]) -> tuple[Module, Seen]:
    seen = Seen()
    parameters = {"frame": {"width": None, "height": None}}
    return Module(tree(parameters=parameters, source=list(sources)), sinks=[seen]), seen


def status_of(module: Module, source_id: str) -> SourceStatus:
    return next(status for status in module.statuses() if status.source_id == source_id)


def rises(times: list[int]) -> bool:
    return all(after > before for before, after in itertools.pairwise(times))


def test_a_camera_that_is_cut_comes_back_with_its_gap_told_and_another_size(
    camera: RtspServer, steady: RtspServer, caplog: pytest.LogCaptureFixture
) -> None:
    module, seen = module_of(rtsp(camera, "cam"), rtsp(steady, "good"))
    with module:
        seen.wait_for_more("cam")
        seen.wait_for_more("good")
        camera.cut()
        seen.wait_for(lambda: seen.ends("cam") == 1)
        seen.wait_for_more("good", 10)
        assert status_of(module, "cam").state in (SourceState.BACKING_OFF, SourceState.CONNECTING)
        camera.start(cam="h264:96x64")
        seen.wait_for_more("cam", 10)
        status = status_of(module, "cam")
    assert status.restarts >= 1
    assert status.gap_s > 0
    assert "cam: connection lost" in caplog.text
    assert "source 'cam': frames come again after a gap of" in caplog.text
    before, after, rest = seen.streams("cam")
    assert ({size for _, size in before}, {size for _, size in after}, rest) == ({(64, 48)}, {(96, 64)}, [])
    assert rises([pts for pts, _ in before])
    assert rises([pts for pts, _ in after])
    good = status_of(module, "good")
    assert (seen.ends("good"), good.restarts, good.gap_s) == (1, 0, 0)
    for status in module.statuses():
        assert status.read == status.delivered + status.dropped == seen.count(status.source_id)


def test_a_camera_that_falls_silent_ends_its_stream_and_goes_on_when_it_speaks(camera: RtspServer) -> None:
    module, seen = module_of(rtsp(camera, "cam", source_timeout=0.5, source_eviction_interval=0.1))
    with module:
        seen.wait_for_more("cam")
        camera.tell("silence cam")
        seen.wait_for(lambda: seen.ends("cam") >= 1)
        status = status_of(module, "cam")
        assert status.state in (SourceState.LIVE, SourceState.SILENT)
        camera.tell("sound cam")
        seen.wait_for_more("cam")
    *streams, rest = seen.streams("cam")  # more than two where a busy machine was silent, too
    assert len(streams) >= 2
    assert all(streams)
    assert rises([pts for stream in streams for pts, _ in stream])
    assert (status_of(module, "cam").restarts, rest) == (0, [])


def test_a_silent_camera_is_lost_when_its_server_says_nothing_for_too_long(camera: RtspServer) -> None:
    module, seen = module_of(rtsp(camera, "cam", timeout_s=0.5))
    with module:
        seen.wait_for_more("cam")
        camera.tell("silence cam")
        seen.wait_for(lambda: seen.ends("cam") >= 1)
        assert "no answer in time" in str(status_of(module, "cam").last_error)


@pytest.mark.parametrize(("path", "words"), [("nowhere", "404 Not Found"), ("broken", "/broken: ")])
def test_a_camera_that_is_not_there_or_is_broken_waits_with_a_reason_and_the_others_go_on(
    steady: RtspServer, path: str, words: str
) -> None:
    module, seen = module_of(rtsp(steady, path, timeout_s=2), rtsp(steady, "good"))
    with module:
        seen.wait_for_more("good", 20)
        while (status := status_of(module, path)).state not in (SourceState.BACKING_OFF, SourceState.REJECTED):
            seen.wait_for_more("good", 1)
    assert words in str(status.last_error)
    assert (seen.count(path), status.read, status.delivered) == (0, 0, 0)
    assert seen.ends("good") == 1


def test_a_silent_camera_that_is_paused_is_closed_at_once_and_opened_again(camera: RtspServer) -> None:
    states, seen = States(), Seen()
    runner = Runner(on_state=states)
    runner.add(UriSource(camera.url("cam"), "cam"), sinks=[seen])
    try:
        runner.start()
        seen.wait_for_more("cam")
        camera.tell("silence cam")
        runner.pause("cam")
        states.wait_for(SourceState.PAUSED)
        seen.wait_for(lambda: seen.ends("cam") == 1)
        camera.tell("sound cam")
        runner.resume("cam")
        seen.wait_for_more("cam")
    finally:
        runner.close()


def test_the_packets_of_a_camera_are_written_and_play(camera: RtspServer, tmp_path: Path) -> None:
    seen = Seen()
    writer = VideoFileSink(f"{tmp_path}/{{source}}.mp4")
    module = Module(
        tree(parameters={"output_frame": {"codec": "copy"}}, source=rtsp(camera, "cam")), sinks=[seen, writer]
    )
    with module:
        seen.wait_for_more("cam", 15)
    first = seen.outputs["cam"][0].as_video_frame()
    assert (first.keyframe, first.codec, b"\0\0\1\x67" in first.content.get_data()) == (True, "h264", True)
    with VideoReader(tmp_path / "cam.mp4") as reader:
        assert sum(1 for _picture in reader.frames()) == seen.count("cam")


def test_a_module_stops_at_once_while_cameras_connect_and_are_silent(camera: RtspServer, steady: RtspServer) -> None:
    module, seen = module_of(
        rtsp(camera, "cam"), *(rtsp(steady, "good", source_id=f"good-{number}") for number in range(3))
    )
    with module:
        seen.wait_for_more("cam")
        camera.tell("silence cam")
    assert {status.state for status in module.statuses()} == {SourceState.ENDED}
