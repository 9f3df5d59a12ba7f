"""Many sources through one engine: what fails ends alone, what was read comes out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from flow_kit import BYPASS, FRAME_NS, Gated, Kept, Scripted, States

from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, ConditionalSpec, OutputMessage, OverflowPolicy, SourceSpec
from picasso.flow import Downstream, File, Output, RestartPolicy, Runner, Segments, SourceState, SourceStatus
from picasso.media import MetadataReader, MetadataWriter, StreamWriter, probe
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView
from picasso.testing import FakeClock
from picasso.transform import TransformConfig


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("feed-", "sink-"))]


def by_id(statuses: list[SourceStatus]) -> dict[str, SourceStatus]:
    return {status.source_id: status for status in statuses}


def test_every_frame_reaches_its_own_sink_in_order() -> None:
    runner, sinks = Runner(BYPASS), {"a": Kept(), "b": Kept()}
    runner.add(Scripted("a", range(20)), sinks=[sinks["a"]])
    runner.add(Scripted("b", range(7)), sinks=[sinks["b"]])
    statuses = by_id(runner.run())
    assert {name: sink.seen for name, sink in sinks.items()} == {"a": [*range(20), "eos"], "b": [*range(7), "eos"]}
    assert {name: sink.closed for name, sink in sinks.items()} == {"a": 1, "b": 1}
    for name, count in (("a", 20), ("b", 7)):
        status = statuses[name]
        assert (status.state, status.read, status.delivered, status.dropped) == (SourceState.ENDED, count, count, 0)
        assert status.frames_per_s > 0
        assert status.p99_ms >= status.p50_ms > 0


def test_a_source_that_fails_ends_alone_and_says_why() -> None:
    runner, good, bad = Runner(BYPASS), Kept(), Kept()
    runner.add(Scripted("good", range(20)), sinks=[good])
    runner.add(Scripted("bad", [0, 1, OSError("cut off"), 2]), sinks=[bad])
    statuses = by_id(runner.run())
    assert good.frames == [*range(20)]
    assert (bad.seen, bad.closed) == ([0, 1, "eos"], 1)
    assert (statuses["bad"].state, str(statuses["bad"].failure)) == (SourceState.FAILED, "cut off")
    assert (statuses["good"].state, statuses["good"].failure) == (SourceState.ENDED, None)


def test_a_sink_that_fails_is_left_out_and_the_others_go_on() -> None:
    runner, good, bad = Runner(BYPASS), Kept(), Kept(fails_at=3)
    runner.add(Scripted("s", range(10)), sinks=[bad, good])
    (status,) = runner.run()
    assert (good.frames, bad.frames) == ([*range(10)], [0, 1, 2])
    assert [(sink.written, sink.dropped) for sink in status.sinks] == [(3, 7), (10, 0)]
    assert status.state is SourceState.ENDED


def test_one_source_feeds_several_outputs_each_with_its_own_metadata() -> None:
    encode = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.JPEG, 16, 16))
    runner, whole, small = Runner(), Kept(), Kept()
    outputs = [Output(BYPASS, [whole], "whole"), Output(SourceSpec(codec=encode), [small], "small")]
    runner.add(Scripted("s", range(5)), outputs=outputs)
    (status,) = runner.run()
    assert whole.seen == small.seen == [*range(5), "eos"]
    sizes = {
        name: {out.as_video_frame().width for out in sink.outputs if out.is_video_frame}
        for name, sink in (("whole", whole), ("small", small))
    }
    assert sizes == {"whole": {32}, "small": {16}}
    assert small.outputs[0].as_video_frame().source_id == "s-small"
    assert (status.read, status.delivered, status.dropped) == (10, 10, 0)


def test_a_lost_source_is_opened_again_and_its_stream_ends_between() -> None:
    clock, sink = FakeClock(), Kept()
    source = Scripted("cam", [0, 1, OSError("lost")], [2, 3], restart=RestartPolicy(first_s=4, jitter=0))
    states = States()
    runner = Runner(BYPASS, clock=clock, on_state=states)
    runner.add(source, sinks=[sink])
    runner.start()
    states.wait_for(SourceState.BACKING_OFF)
    clock.advance(4)
    (status,) = runner.run()
    assert sink.seen == [0, 1, "eos", 2, 3, "eos"]
    assert (source.opened, source.closed, status.restarts, status.state) == (2, 2, 1, SourceState.ENDED)
    assert str(status.last_error) == "lost"
    before, after = [SourceState.CONNECTING, SourceState.LIVE], [SourceState.CONNECTING, SourceState.LIVE]
    assert states.seen == [*before, SourceState.BACKING_OFF, *after, SourceState.ENDED]


def test_a_source_gives_up_after_its_attempts() -> None:
    clock, states = FakeClock(), States()
    source = Scripted("cam", [OSError("no route")], restart=RestartPolicy(attempts=3, jitter=0))
    runner = Runner(BYPASS, clock=clock, on_state=states)
    runner.add(source, sinks=[Kept()])
    runner.start()
    for attempt, delay_s in enumerate((0.5, 1, 2), 1):
        states.wait_for(SourceState.BACKING_OFF, attempt)
        clock.advance(delay_s)
    (status,) = runner.run()
    assert (source.opened, status.restarts, status.state) == (4, 3, SourceState.FAILED)
    assert str(status.failure) == "no route"


def test_stop_lets_what_was_read_come_out_and_finishes_every_sink() -> None:
    runner, sink = Runner(BYPASS), Kept()
    source = Scripted("s", [0, 1, 2, "wait", 3])
    runner.add(source, sinks=[sink])
    runner.start()
    source.waits.wait()
    runner.stop()
    (status,) = runner.run()
    assert (sink.seen, sink.closed, source.closed) == ([0, 1, 2, "eos"], 1, 1)
    assert (status.state, status.failure) == (SourceState.ENDED, None)


def test_stop_wakes_a_source_that_backs_off() -> None:
    clock = FakeClock()
    source = Scripted("cam", [OSError("lost")], restart=RestartPolicy(first_s=3600, most_s=3600))
    states = States()
    runner = Runner(BYPASS, clock=clock, on_state=states)
    runner.add(source)
    runner.start()
    states.wait_for(SourceState.BACKING_OFF)
    runner.stop()
    assert runner.run()[0].restarts == 0


def test_sources_join_and_leave_while_it_runs() -> None:
    runner, first, second = Runner(BYPASS), Kept(), Kept()
    staying = Scripted("stays", [0, "wait", 1])
    runner.add(staying, sinks=[first])
    runner.start()
    staying.waits.wait()
    leaving = Scripted("leaves", [0, 1, "wait", 2])
    runner.add(leaving, sinks=[second])
    leaving.waits.wait()
    status = runner.remove("leaves")
    assert (second.seen, second.closed, status.read, status.delivered) == ([0, 1, "eos"], 1, 2, 2)
    assert [status.source_id for status in runner.statuses()] == ["stays"]
    runner.add(Scripted("leaves", [7]), sinks=[again := Kept()])
    staying.go()
    runner.run()
    assert (first.seen, again.seen) == ([0, 1, "eos"], [7, "eos"])


def test_a_paused_file_goes_on_where_it_was() -> None:
    runner, sink = Runner(BYPASS, on_state=(states := States())), Kept()
    source = Scripted("s", [0, "wait", 1, 2])
    runner.add(source, sinks=[sink])
    runner.start()
    source.waits.wait()
    runner.pause("s")
    source.go()
    states.wait_for(SourceState.PAUSED)
    assert runner.statuses()[0].read == 1
    runner.resume("s")
    runner.run()
    assert (sink.seen, source.opened) == ([0, 1, 2, "eos"], 1)


def test_a_paused_camera_is_closed_and_opened_again() -> None:
    runner, sink = Runner(BYPASS, on_state=(states := States())), Kept()
    source = Scripted("cam", [0, "wait", 1], [5, 6], is_live=True)
    runner.add(source, sinks=[sink])
    runner.start()
    source.waits.wait()
    runner.pause("cam")
    source.go()
    states.wait_for(SourceState.PAUSED)
    assert source.closed == 1
    runner.resume("cam")
    (status,) = runner.run()
    assert (sink.seen, source.opened) == ([0, "eos", 5, 6, "eos"], 2)
    assert status.state is SourceState.ENDED


def test_a_slow_sink_drops_visibly_where_its_policy_says_so() -> None:
    last_came = threading.Event()

    def note(output: OutputMessage) -> None:
        if output.is_video_frame and output.as_video_frame().pts == 8 * FRAME_NS:
            last_came.set()

    runner, slow = Runner(BYPASS, callbacks=Callbacks(on_bypass_frame=note)), Gated()
    source = Scripted("s", [0, "wait", *range(1, 9)])
    output = Output(BYPASS, [slow], sink_policy=OverflowPolicy.DROP_NEWEST, sink_queue_frames=3)
    runner.add(source, outputs=[output])
    runner.start()
    slow.entered.wait()
    source.go()
    assert last_came.wait(60)
    slow.gate.set()
    (status,) = runner.run()
    (sink,) = status.sinks
    assert (slow.frames, sink.written, sink.dropped) == ([0, 1, 2, 3], 4, 5)


def test_the_first_failing_frame_ends_a_source_that_asks_for_it() -> None:
    spec = SourceSpec(codec=CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.JPEG, 16, 16)))
    refuse = Callbacks(on_encoded_frame=lambda _output: 1 / 0)
    runner, sink = Runner(spec, callbacks=refuse), Kept()
    runner.add(Scripted("s", [*range(50)]), sinks=[sink], stop_on_error=True)
    (status,) = runner.run()
    assert status.state is SourceState.FAILED
    assert isinstance(status.failure, ZeroDivisionError)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda runner: runner.add(Scripted("s", [0])), "'s' is in use"),
        (lambda runner: runner.add(Scripted("t", [0]), outputs=[Output(BYPASS), Output(BYPASS)]), "'t' is in use"),
        (lambda runner: runner.add(Scripted("t", [0]), outputs=[], sinks=[Kept()]), "one or the other"),
        (lambda _runner: Runner(BYPASS, encoder=EncoderConfig(Codec.JPEG, 16, 16)), "one or the other"),
        (lambda runner: runner.add(Scripted("t", [0]), outputs=[Output(BYPASS, sink_queue_frames=0)]), "at least 1"),
    ],
    ids=["same id", "same output", "outputs and sinks", "spec and encoder", "no room"],
)
def test_bad_arguments_are_refused(call: object, message: str) -> None:
    with Runner(BYPASS) as runner:
        runner.add(Scripted("s", [0]))
        with pytest.raises(ValueError, match=message):
            call(runner)  # type: ignore[operator]


def test_an_unknown_source_is_named_with_those_there_are() -> None:
    with Runner(BYPASS) as runner:
        runner.add(Scripted("a", [0]))
        for call in (runner.pause, runner.resume, runner.remove):
            with pytest.raises(KeyError, match="no source 'b'; there are: 'a'"):
                call("b")


class Pairs:
    """A stage that sends frames two by two, drops every third one, and keeps what the runner promises it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._downstream: Downstream
        self._held: list[tuple[VideoFrame, SurfaceView]] = []

    def open(self, downstream: Downstream) -> None:
        self.calls.append(f"open {downstream.source_id}")
        self._downstream = downstream

    def frame(self, _source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
        if frame.pts // FRAME_NS % 3 == 2:
            self._downstream.drop(frame, "third")
            return
        self._held.append((frame, surface))
        if len(self._held) == 2:
            self._send()

    def end_stream(self, source_id: str) -> None:
        self.calls.append(f"end {source_id}")
        self._send()
        self._downstream.end_stream()

    def close(self, source_id: str) -> None:
        self.calls.append(f"close {source_id}")

    def _send(self) -> None:
        for frame, surface in self._held:
            self._downstream.send_frame(frame, surface)
        self._held.clear()


def test_a_stage_stands_between_reading_and_the_engine() -> None:
    stage, sink = Pairs(), Kept()
    runner = Runner(BYPASS, stage=stage)
    runner.add(Scripted("s", [*range(8), "eos", 9]), sinks=[sink])
    (status,) = runner.run()
    assert sink.seen == [0, 1, 3, 4, 6, 7, "eos", 9, "eos"]
    assert stage.calls == ["open s", "end s", "end s", "close s"]
    assert (status.read, status.delivered, status.dropped, status.stage_dropped) == (9, 7, 2, {"third": 2})


def test_a_stage_sends_frames_without_pixels_to_every_output_in_their_place() -> None:
    class Third(Pairs):
        def frame(self, _source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
            if frame.pts // FRAME_NS % 3 == 2:
                self._downstream.send_metadata(frame)
            else:
                self._downstream.send_frame(frame, surface)

    class Keeps(Kept):
        def write(self, output: OutputMessage) -> None:
            super().write(output)
            if output.is_video_frame:
                kept.append((output.source_id, output.as_video_frame().source_id, output.is_metadata_only))

    kept: list[tuple[str, str, bool]] = []
    sinks = [Keeps(), Keeps()]
    runner = Runner(stage=Third())
    outputs = [Output(BYPASS, [sink], name) for name, sink in zip("xy", sinks, strict=True)]
    runner.add(Scripted("s", range(6)), outputs=outputs)
    (status,) = runner.run()
    assert [sink.frames for sink in sinks] == [[*range(6)]] * 2
    for name in ("s-x", "s-y"):
        assert [each[1:] for each in kept if each[0] == name] == [(name, number % 3 == 2) for number in range(6)]
    assert (status.read, status.delivered, status.dropped) == (12, 12, 0)


def test_a_stage_that_raises_ends_the_source_alone() -> None:
    class Raises(Pairs):
        def frame(self, source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
            if source_id == "bad" and frame.pts == FRAME_NS:
                raise ValueError("no such model")
            self._downstreams[source_id].send_frame(frame, surface)

        def open(self, downstream: Downstream) -> None:
            self._downstreams = {**getattr(self, "_downstreams", {}), downstream.source_id: downstream}
            self._downstream = downstream

        def end_stream(self, source_id: str) -> None:
            self._downstreams[source_id].end_stream()

    runner, good, bad = Runner(BYPASS, stage=Raises()), Kept(), Kept()
    runner.add(Scripted("good", range(5)), sinks=[good])
    runner.add(Scripted("bad", range(5)), sinks=[bad])
    statuses = by_id(runner.run())
    assert (good.frames, bad.frames) == ([*range(5)], [0])
    assert str(statuses["bad"].failure) == "no such model"
    assert (statuses["bad"].read, statuses["bad"].delivered, statuses["bad"].stage_dropped) == (2, 1, {"error": 1})


def test_files_are_read_and_recorded_in_segments(make_video: Callable[[int], Path], tmp_path: Path) -> None:
    video = make_video(50)
    runner = Runner(encoder=EncoderConfig(Codec.H264, 64, 64))
    for name in ("left", "right"):
        runner.add(File(video, name), sinks=[Segments(tmp_path / "rec" / "{source}" / "{index}.mp4", seconds=1)])
    statuses = runner.run()
    assert [(status.source_id, status.delivered, status.total) for status in statuses] == [
        ("left", 50, 50),
        ("right", 50, 50),
    ]
    for name in ("left", "right"):
        files = sorted((tmp_path / "rec" / name).iterdir())
        assert len(files) > 1
        assert sum(probe(file).frame_count or 0 for file in files) == 50


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[[int], Path]:
    def make(frames: int) -> Path:
        path = tmp_path / "in.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(frames):
                pixels = np.full((48, 64, 3), 4 * index, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make


def test_a_run_that_is_over_waits_for_its_slowest_sink_however_long_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing has a time limit; a pipe whose reader pauses must lose nothing to it."""
    may_go, seen_at_close = threading.Event(), []

    class Slow(Kept):
        def write(self, output: OutputMessage) -> None:
            may_go.wait()
            super().write(output)

    def let_go_at_the_end(statuses: list[SourceStatus]) -> None:
        if statuses[0].state is SourceState.ENDED:
            may_go.set()

    sink, close = Slow(), Runner.close
    monkeypatch.setattr(Runner, "close", lambda runner: (seen_at_close.append(list(sink.seen)), close(runner))[1])
    runner = Runner(BYPASS)
    runner.add(Scripted("s", range(5)), sinks=[sink])
    runner.run(let_go_at_the_end)
    assert seen_at_close == [[0, 1, 2, 3, 4, "eos"]]


def test_what_a_gate_holds_back_reaches_the_sinks_as_metadata_and_writers_of_pictures_leave_it_out(
    tmp_path: Path,
) -> None:
    encoder = EncoderConfig(Codec.H264, 32, 32)
    spec = SourceSpec(CodecSpec.encode(TransformConfig(), encoder), ConditionalSpec(encode_attribute=("gate", "open")))
    gated: list[int] = []
    callbacks = Callbacks(on_gated_frame=lambda output: gated.append(output.as_video_frame().pts // FRAME_NS))
    runner, kept = Runner(spec, callbacks=callbacks), Kept()
    sinks = [kept, StreamWriter(tmp_path / "s.mp4"), MetadataWriter(tmp_path / "s.ndjson")]

    def annotate(frame: VideoFrame, _surface: SurfaceView) -> None:
        if frame.pts // FRAME_NS % 3 == 0:
            frame.set_persistent_attribute("gate", "open")

    runner.add(Scripted("s", range(6)), sinks=sinks, annotate=annotate)
    (status,) = runner.run()
    assert [sink.failure for sink in status.sinks] == [None] * 3
    assert gated == [1, 2, 4, 5]
    assert kept.frames == [0, 1, 2, 3, 4, 5]
    assert (status.read, status.delivered, status.dropped) == (6, 6, 0)
    assert probe(tmp_path / "s.mp4").frame_count == 2
    with MetadataReader(tmp_path / "s.ndjson") as lines:
        assert len(list(lines.frames())) == 6
