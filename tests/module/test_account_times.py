"""How long frames take: from receipt to sink, stage by stage, without a gap, and per source."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import ADDS, FRAMES, PATTERN, no_thread_is_left, pyfunc, run, tree

from picasso.engine import MonotonicClock
from picasso.flow import File, LeftOut
from picasso.module import Module
from picasso.module.run.accounts import Accounts
from picasso.module.sinks import MemorySink
from picasso.observe import SourceAccount
from picasso.primitives import VideoFrame
from picasso.testing import FakeClock

__all__ = ["no_thread_is_left"]

OWN_STAGES = {
    None: ["muxer", "pyfunc/step.It", "frame-tag-funnel", "sink"],
    "h264": [
        *("muxer", "pyfunc/step.It", "output-queue", "queue-tagged", "sink-convert", "encode"),
        *("frame-tag-funnel", "sink"),
    ],
}


@pytest.mark.parametrize("draws", [False, True])
@pytest.mark.parametrize("codec", OWN_STAGES)
@pytest.mark.parametrize("queues", [None, {"length": 1}], ids=["one thread", "queues"])
def test_the_stages_of_a_frame_add_up_to_its_latency(
    codec: str | None, queues: Any, draws: bool, tmp_path: Path
) -> None:
    element = pyfunc("step", tmp_path, ADDS)
    source = [{**PATTERN, "properties": {**PATTERN["properties"], "source_id": name}} for name in ("a", "b")]
    parameters = {"output_frame": codec and {"codec": codec}, "buffer_queues": queues}
    parameters |= {"draw_func": {}} if draws else {}
    module, _sink = run(tree(parameters=parameters, source=source, elements=[element]))
    statistics = module.statistics()
    for source_id in ("a", "b"):
        one = statistics.sources[source_id]
        assert one.latency.count == one.account.left == FRAMES
        found = [name for name in one.stages if one.stages[name].count and "Draw" not in name]
        assert found == [name.replace("step.It", f"{tmp_path}/step.py.It") for name in OWN_STAGES[codec]]
        assert sum(times.sum_ns for times in one.stages.values()) == one.latency.sum_ns
        assert {times.count for times in one.stages.values()} == {FRAMES}
    assert statistics.latency.count == 2 * FRAMES
    assert statistics.latency.sum_ns == sum(one.latency.sum_ns for one in statistics.sources.values())
    together = {stage.name: stage.times for stage in statistics.stages}
    for name, times in statistics.sources["a"].stages.items():
        assert together[name].count == 2 * FRAMES
        assert together[name].sum_ns == times.sum_ns + statistics.sources["b"].stages[name].sum_ns


@pytest.mark.parametrize("is_given", [False, True], ids=["configured", "given"])
def test_a_file_says_when_its_packets_were_read_and_decoded(clip: Path, is_given: bool) -> None:
    source = {"element": "uridecodebin", "properties": {"uri": str(clip), "source_id": "a"}}
    given = {"sources": [File(clip, "a")], "clock": MonotonicClock()} if is_given else {}
    module, sink = run(tree(source=source), **given)
    one = module.statistics().sources["a"]
    assert list(one.stages)[:3] == ["source", "decode", "muxer"]
    assert one.stages["decode"].count == one.latency.count == one.account.left == len(sink.outputs) - 1
    assert sum(times.sum_ns for times in one.stages.values()) == one.latency.sum_ns


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    import av
    import numpy as np

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(20):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


CLOCK = FakeClock()


def takes_a_quarter_of_a_second(frame: Any) -> None:
    CLOCK.advance(0.25)


def test_time_that_an_element_takes_is_in_its_stage_and_in_the_latency() -> None:
    element = {"element": "pyfunc", "module": __name__, "class_name": "takes_a_quarter_of_a_second"}
    module = Module(tree(elements=[element], parameters={"batch_size": 1}), sources=[], clock=CLOCK)
    frame = VideoFrame("a", "30/1", 64, 48, time_base=(1, 10**9), pts=0)
    import numpy as np

    with module:
        for number in range(4):
            frame.pts = number
            module.send(frame, np.zeros((48, 64, 3), np.uint8))
        module.run()
    one = module.statistics().sources["a"]
    stage = one.stages[f"pyfunc/{__name__}.takes_a_quarter_of_a_second"]
    assert (stage.count, stage.sum_ns) == (4, 4 * 250_000_000)
    assert one.latency.sum_ns >= 4 * 250_000_000


class Fails(MemorySink):
    def write(self, output: Any) -> Any:
        raise OSError("full")


class Filters(MemorySink):
    def write(self, output: Any) -> Any:
        return LeftOut("filter")


@pytest.mark.parametrize("sinks", [[MemorySink], [MemorySink, Fails], [Filters, MemorySink, Fails], []])
def test_a_frame_has_left_when_every_sink_has_taken_it_or_left_it_out(sinks: list[type[MemorySink]]) -> None:
    module = Module(tree(), sinks=[kind() for kind in sinks])
    module.run()
    statistics = module.statistics()
    assert statistics.latency.count == statistics.total.left == FRAMES
    assert not module.accounts._at_sinks
    assert not module._sinks._open


def test_frames_that_are_dropped_count_in_the_stages_that_they_passed_and_in_no_latency(tmp_path: Path) -> None:
    drops = pyfunc("drops", tmp_path, "def It(frame):\n    if frame.frame_num % 3 == 0: frame.drop()")
    module, _sink = run(tree(elements=[drops, pyfunc("after", tmp_path, "def It(frame): pass")]))
    (one,) = module.statistics().sources.values()
    assert one.account == SourceAccount(FRAMES, FRAMES * 2 // 3, {"element": FRAMES // 3})
    assert one.latency.count == FRAMES * 2 // 3
    assert one.stages[f"pyfunc/{tmp_path}/drops.py.It"].count == FRAMES


def test_durations_of_sources_that_are_gone_stay_in_the_sum_of_all() -> None:
    clock = FakeClock()
    accounts = Accounts(kept=2, now_ns=clock.now_ns)
    for number in range(20):
        frame = VideoFrame(f"cam-{number}", "30/1", 16, 16, pts=0)
        accounts.enter(frame, came_ns=(clock.now_ns(), clock.now_ns()))
        clock.advance(0.001)
        accounts.leave(frame, 100)
        clock.advance(0.002)
        if number % 2:
            accounts.close_source(f"cam-{number}")
            accounts.taken(frame)  # a sink is slow
        else:
            accounts.taken(frame)
            accounts.close_source(f"cam-{number}")
    each, together = accounts.measures()
    assert len(each) == 2
    assert (together.latency.count, together.latency.sum_ns) == (20, 20 * 3_000_000)
    assert together.stages["sink"].sum_ns == 20 * 2_000_000
    assert together.stages["frame-tag-funnel"].sum_ns == 20 * 1_000_000
    assert together.encoded_bytes == 2_000


def test_what_a_source_keeps_back_is_counted_once_however_often_it_is_asked() -> None:
    accounts = Accounts(kept=1)
    for so_far in ({}, {"lost": 2}, {"lost": 2}, {"lost": 5, "late": 1}):
        accounts.keep_back("a", so_far)
        accounts.refuse("b")  # which makes room by forgetting the account of a
        accounts.refuse("c")
    assert accounts.total.dropped == {"lost": 5, "late": 1, "rejected": 8}
    accounts.forget_kept_back("a")
    accounts.keep_back("a", {"lost": 1})
    assert accounts.total.dropped["lost"] == 6
    assert accounts.total.came == sum(accounts.total.dropped.values())


def test_the_size_of_batches_is_counted_by_element(tmp_path: Path) -> None:
    module, _sink = run(tree(elements=[pyfunc("step", tmp_path, "def It(frame): pass")], parameters={"batch_size": 4}))
    (stage,) = [stage for stage in module.statistics().stages if stage.name.startswith("pyfunc/")]
    assert sum(size * count for size, count in stage.batch_sizes.items()) == FRAMES
    assert set(stage.batch_sizes) <= {1, 2, 3, 4}


def test_a_snapshot_may_be_taken_at_any_moment_and_always_balances(tmp_path: Path) -> None:
    drops = pyfunc("drops", tmp_path, "def It(frame):\n    if frame.frame_num % 5 == 0: frame.drop()")
    source = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": 400}}
    module = Module(tree(elements=[drops], source=source), sinks=[MemorySink()])
    looks: list[Any] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            looks.append(module.statistics())

    thread = threading.Thread(target=look)
    thread.start()
    module.run()
    is_over.set()
    thread.join()
    looks.append(module.statistics())
    totals = [one.total for one in looks]
    assert all(one.came == one.left + sum(one.dropped.values()) + one.under_way for one in totals)
    assert [one.came for one in totals] == sorted(one.came for one in totals)
    assert all(one.latency.count <= one.total.left for one in looks)
    assert looks[-1].latency.count == looks[-1].total.left == 320
