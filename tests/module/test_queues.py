"""Queues and pools: each setting holds back what its name says, as the statistics show; tiny ones never deadlock."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, pyfunc, tree

from picasso.engine.clock import MonotonicClock
from picasso.module import Frame, Module
from picasso.module.elements import StreamEvent
from picasso.module.run.batcher import Batcher, Work
from picasso.module.run.limits import Limit, PoolUse
from picasso.module.run.pipeline import with_queues
from picasso.module.run.work_queue import QueueLimits
from picasso.module.sinks import MemorySink
from picasso.observe.account import ModuleStatistics
from picasso.primitives import VideoFrame

__all__ = ["no_thread_is_left"]

FRAMES = 40
SOURCE = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": FRAMES}}
PLENTY = {"stream_buffer_pool_size": 30, "muxer_buffer_pool_size": 30, "queue_maxsize": 1000}
NO_LIMIT = {"length": 0, "byte_size": 0}
GATED = """
import sys
gate = sys.modules["gate_of_test"].gate
def It(frame): gate.wait()
"""
FREE = "def It(frame): pass"


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Holds up elements of ``GATED`` and sinks that ask for it, until it is set; always set at the end."""
    event = threading.Event()
    module: Any = type(sys)("gate_of_test")
    module.gate = event
    monkeypatch.setitem(sys.modules, "gate_of_test", module)
    yield event
    event.set()


class GatedSink(MemorySink):
    """Takes nothing before its gate is open."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self._gate = gate

    def write(self, output: Any) -> None:
        self._gate.wait()
        super().write(output)


Look = Callable[[ModuleStatistics], Any]


def pictures(statistics: ModuleStatistics) -> PoolUse:
    return statistics.sources["test"].pictures


def decoded(statistics: ModuleStatistics) -> int:
    return statistics.sources["test"].decoder_queue.length


def leaving(statistics: ModuleStatistics) -> int:
    return statistics.sources["test"].egress.length


def batches(statistics: ModuleStatistics) -> PoolUse:
    return statistics.batches


def queued(statistics: ModuleStatistics) -> int:
    return statistics.queues[0].length


def written(statistics: ModuleStatistics) -> int:
    return statistics.sinks[0].queue.length


ELEMENTS: dict[str, tuple[dict[str, Any], dict[str, Any], list[Any], Look, Any]] = {
    # setting: (parameters, properties of the source, steps, what is looked at, what it comes to)
    "stream_buffer_pool_size 1": ({"stream_buffer_pool_size": 1}, {}, [GATED], pictures, PoolUse(1, 1)),
    "stream_buffer_pool_size 3": ({"stream_buffer_pool_size": 3}, {}, [GATED], pictures, PoolUse(3, 3)),
    "stream_buffer_pool_size default": ({}, {}, [GATED], pictures, PoolUse(4, 4)),
    "decoder_queue_length 2": ({}, {"decoder_queue_length": 2}, [GATED], decoded, 2),
    "decoder_queue_length default": ({}, {}, [GATED], decoded, 5),
    "decoder_queue_byte_size": (
        {},
        {"decoder_queue_length": 0, "decoder_queue_byte_size": 1},
        [GATED],
        decoded,
        8,
    ),
    "what came in is what may wait": ({}, {}, [GATED], lambda s: s.sources["test"].account.came, 4 + 5 + 1),
    "muxer_buffer_pool_size 2": (
        {**PLENTY, "muxer_buffer_pool_size": 2, "buffer_queues": NO_LIMIT},
        {},
        [FREE, GATED],
        batches,
        PoolUse(2, 2),
    ),
    "muxer_buffer_pool_size default": (
        {"stream_buffer_pool_size": 30, "buffer_queues": NO_LIMIT},
        {},
        [FREE, GATED],
        batches,
        PoolUse(4, 4),
    ),
    "buffer_queues.length": (
        {**PLENTY, "buffer_queues": {"length": 3}},
        {},
        [FREE, GATED],
        queued,
        3,
    ),
    "buffer_queues.byte_size": (
        {**PLENTY, "buffer_queues": {"length": 0, "byte_size": 1}},
        {},
        [FREE, GATED],
        queued,
        8,
    ),
    "queue max-size-buffers": (
        PLENTY,
        {},
        [FREE, {"max-size-buffers": 2}, GATED],
        lambda s: [queue.length for queue in s.queues],
        [2],
    ),
    "queue max-size-bytes": (
        PLENTY,
        {},
        [FREE, {"max-size-buffers": 0, "max-size-bytes": 1}, GATED],
        queued,
        8,
    ),
    "queue max-size-time": (
        PLENTY,
        {},
        [FREE, {"max-size-buffers": 0, "max-size-bytes": 0, "max-size-time": 100_000_000}, GATED],
        queued,
        4,
    ),
}
SINKS: dict[str, tuple[dict[str, Any], Look, Any]] = {
    "queue_maxsize 2": ({"queue_maxsize": 2}, written, 2),
    "queue_maxsize 0": ({"queue_maxsize": 0}, written, FRAMES),  # all but one, and the end
    "egress_queue_length": ({"queue_maxsize": 1, "egress_queue_length": 3}, leaving, 3),
    "egress_queue_byte_size": (
        {"queue_maxsize": 1, "egress_queue_length": 0, "egress_queue_byte_size": 1},
        leaving,
        8,
    ),
}


def run_until(module: Module, gate: threading.Event, look: Look, expected: Any, sink: MemorySink) -> None:
    """Run until something has come to a value and nothing more comes in, then open the gate: everything comes out."""
    module.start()
    seen: Any = None
    came = -1
    while seen != expected or module.statistics().total.came != came:
        came = module.statistics().total.came
        seen = look(module.statistics())
        threading.Event().wait(0.001)
    assert seen == expected
    gate.set()
    module.run()
    assert module.statistics().sources["test"].account.left == FRAMES
    assert sum(output.is_video_frame for output in sink.outputs) == FRAMES


@pytest.mark.parametrize(("parameters", "properties", "steps", "look", "expected"), ELEMENTS.values(), ids=ELEMENTS)
def test_each_setting_holds_back_what_its_name_says(
    tmp_path: Path,
    gate: threading.Event,
    parameters: dict[str, Any],
    properties: dict[str, Any],
    steps: list[Any],
    look: Look,
    expected: Any,
) -> None:
    source = {**SOURCE, "properties": {**SOURCE["properties"], **properties}}
    elements = [
        {"element": "queue", "properties": step} if isinstance(step, dict) else pyfunc(f"step{index}", tmp_path, step)
        for index, step in enumerate(steps)
    ]
    config = tree(parameters=parameters, elements=elements, source=source)
    module = Module(config, sinks=[sink := MemorySink()])
    run_until(module, gate, look, expected, sink)


@pytest.mark.parametrize(("parameters", "look", "expected"), SINKS.values(), ids=SINKS)
def test_each_setting_behind_the_elements_holds_back_what_its_name_says(
    gate: threading.Event, parameters: dict[str, Any], look: Look, expected: Any
) -> None:
    config = tree(parameters={**parameters, "output_frame": {"codec": "raw-rgba"}}, source=SOURCE)
    module = Module(config, sinks=[sink := GatedSink(gate)])
    run_until(module, gate, look, expected, sink)


def test_untagged_frames_wait_within_the_egress_queue_as_well(tmp_path: Path, gate: threading.Event) -> None:
    """They wait for their place behind a frame that the engine has, and do not pile up there."""
    tags = pyfunc("tags", tmp_path, "def It(frame):\n    if frame.frame_num == 0: frame.set_tag('encode')")
    output = {"codec": "raw-rgba", "condition": {"tag": "encode"}}
    parameters = {"queue_maxsize": 1, "egress_queue_length": 5, "output_frame": output}
    two = {**SOURCE, "properties": {**SOURCE["properties"], "source_id": "other", "num-buffers": 3}}
    module = Module(tree(parameters=parameters, elements=[tags], source=[two, SOURCE]), sinks=[sink := GatedSink(gate)])
    module.start()
    while max(source.egress.length for source in module.statistics().sources.values()) < 2:
        threading.Event().wait(0.001)
    assert all(source.egress.length <= 5 for source in module.statistics().sources.values())
    gate.set()
    module.run()
    for name, count in (("test", FRAMES), ("other", 3)):
        own = [output.as_video_frame() for output in sink.outputs if output.is_video_frame and output.source_id == name]
        assert [frame.pts for frame in own] == sorted(frame.pts for frame in own)
        assert len(own) == count


TINY: dict[str, dict[str, Any]] = {
    "pools of one": {"stream_buffer_pool_size": 1, "muxer_buffer_pool_size": 1},
    "one batch": {"muxer_buffer_pool_size": 1, "buffer_queues": {"length": 1}},
    "one picture, many batches": {"stream_buffer_pool_size": 1, "muxer_buffer_pool_size": 1024},
    "everything": {
        "stream_buffer_pool_size": 1,
        "muxer_buffer_pool_size": 1,
        "buffer_queues": {"length": 1, "byte_size": 1},
        "egress_queue_length": 1,
        "egress_queue_byte_size": 1,
        "queue_maxsize": 1,
    },
}


@pytest.mark.parametrize("batch_size", [1, 4, 64])
@pytest.mark.parametrize("sizes", TINY.values(), ids=TINY)
@pytest.mark.parametrize("codec", [None, "raw-rgba"])
def test_tiny_pools_never_deadlock(tmp_path: Path, sizes: dict[str, Any], batch_size: int, codec: str | None) -> None:
    properties = {**SOURCE["properties"], "decoder_queue_length": 1}
    sources = [{**SOURCE, "properties": {**properties, "source_id": name}} for name in ("a", "b", "c")]
    tags = "def It(frame):\n    if frame.frame_num % 3: frame.set_tag('encode')"
    elements = [
        pyfunc("one", tmp_path, tags),
        {"element": "queue", "properties": {"max-size-buffers": 1}},
        pyfunc("two", tmp_path, FREE),
    ]
    output = None if codec is None else {"codec": codec, "condition": {"tag": "encode"}}
    parameters = {**sizes, "batch_size": batch_size, "output_frame": output, "batched_push_timeout": 100}
    module = Module(tree(parameters=parameters, elements=elements, source=sources), sinks=[sink := MemorySink()])
    module.run()
    statistics = module.statistics()
    assert {name: source.account.left for name, source in statistics.sources.items()} == dict.fromkeys("abc", FRAMES)
    assert sum(output.is_video_frame for output in sink.outputs) == 3 * FRAMES
    assert statistics.batches.used == 0


def entry(source_id: str, number: int) -> Frame:
    return Frame(VideoFrame(source_id, "30/1", 16, 16, pts=number), None)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=30),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.data(),
)
def test_pools_are_never_overdrawn_and_everything_comes_out_in_order(
    puts: list[tuple[str, bool]], size: int, pool: int, slots: int, data: st.DataObject
) -> None:
    batcher = Batcher(size, 0, capacity=1000, clock=MonotonicClock(), pictures=pool, batches=slots)
    for number, (source, is_end) in enumerate(puts):
        batcher.put(source, StreamEvent("source-eos", source) if is_end else entry(source, number), 10)
    under_way: list[Work] = []
    came: dict[str, list[int]] = {"a": [], "b": []}
    while batcher.depth:
        if under_way and (len(under_way) == slots or data.draw(st.booleans()) or not batcher._is_due()):
            batcher.release(under_way.pop(data.draw(st.integers(0, len(under_way) - 1))))
            continue
        work = batcher.take()
        under_way.append(work)
        assert work.bytes == 10 * len(work.frames)
        assert work.frames or work.events
        for frame in work.frames:
            came[frame.source_id].append(frame.pts)
        for source in "ab":
            held = sum(frame.source_id == source for one in under_way for frame in one.frames)
            assert held <= batcher.picture_use(source).used <= pool
        assert batcher.batch_use == PoolUse(len(under_way), slots)
    for source in "ab":
        assert came[source] == [number for number, (name, is_end) in enumerate(puts) if name == source and not is_end]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("p", "p"),
        ("pp", "p|p"),
        ("mp", "m|p"),
        ("mmpm", "mm|p|m"),
        ("mm", "mm"),
        ("q", "q"),
        ("qp", "qp"),
        ("pqp", "pqp"),
        ("pqm", "pqm"),
        ("", ""),
    ],
)
def test_buffer_queues_stand_around_pyfuncs_never_first_or_last_or_two_in_a_row(steps: str, expected: str) -> None:
    class Step:
        name = "step"

        def __init__(self, letter: str) -> None:
            self.letter = letter
            self.is_pyfunc = letter == "p"

    queue = QueueLimits(Limit(1), name="q")
    made: list[Any] = [queue if letter == "q" else Step(letter) for letter in steps]
    from picasso.module.config import BufferQueues

    found = with_queues(made, BufferQueues(1))
    letters = "".join(("q" if one.name else "|") if isinstance(one, QueueLimits) else one.letter for one in found)
    assert letters == expected
    assert with_queues(made, None) == made


def test_pools_that_do_not_fit_are_named_once_with_all_four_numbers(caplog: pytest.LogCaptureFixture) -> None:
    sources = [{**SOURCE, "properties": {**SOURCE["properties"], "source_id": name}} for name in ("a", "b")]
    parameters = {"batch_size": 4, "stream_buffer_pool_size": 3, "muxer_buffer_pool_size": 2, "max_parallel_streams": 2}
    module = Module(tree(parameters=parameters, source=sources), sinks=[MemorySink()])
    sentence = (
        "2 streams x 3 pictures (stream_buffer_pool_size) < 4 frames a batch x 2 batches (muxer_buffer_pool_size): "
        "batches will wait for pictures"
    )
    assert [warning.text for warning in module.config.warnings] == [sentence]
    module.run()
    assert [record.getMessage() for record in caplog.records if "streams x" in record.getMessage()] == [
        f"module 'm': {sentence}"
    ]


def test_pools_that_are_not_set_or_fit_are_not_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    for parameters in (
        {"batch_size": 64},
        {"batch_size": 4, "stream_buffer_pool_size": 8, "muxer_buffer_pool_size": 2},
    ):
        module = Module(tree(parameters=parameters, source=SOURCE), sinks=[MemorySink()])
        assert not module.config.warnings
        module.run()
    assert "streams x" not in caplog.text


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"ingress_queue_length": 3}, 3),
        ({"ingress_queue_length": 0, "ingress_queue_byte_size": 1}, 8),
        ({"ingress_queue_length": 0}, 20),
    ],
    ids=["ingress_queue_length", "ingress_queue_byte_size", "no limit"],
)
def test_packets_of_a_network_wait_for_the_decoder_within_the_ingress_queue(
    tmp_path: Path, gate: threading.Event, properties: dict[str, Any], expected: int
) -> None:
    """Of 40 packets about 10 are in the queue and the pool behind the decoder, decoded."""
    with av.open(str(tmp_path / "clip.ts"), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.max_b_frames = 64, 48, "yuv420p", 0
        for number in range(FRAMES):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * number, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        uri = f"http://127.0.0.1:{server.server_port}/clip.ts"
        source = {"element": "uridecodebin", "properties": {"uri": uri, "source_id": "test", **properties}}
        module = Module(tree(elements=[pyfunc("gated", tmp_path, GATED)], source=source), sinks=[sink := MemorySink()])
        assert not module.config.warnings
        run_until(module, gate, lambda s: min(s.sources["test"].ingress_queue.length, 20), expected, sink)
        assert module.statistics().sources["test"].ingress_queue.length == 0
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
