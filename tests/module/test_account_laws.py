"""Chains of elements that drop, raise and tag, and of sinks that filter and fail: every frame is counted, exactly."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, tree

from picasso.flow import LeftOut
from picasso.module import Module
from picasso.module.sinks import MemorySink

__all__ = ["no_thread_is_left"]

CODE = """
from picasso.module import NvDsPyFuncPlugin, PyFunc
class Each(PyFunc):
    def __call__(self, frame):
        if frame.frame_num % self.n == self.n - 1: self.act(frame)
class Drops(Each):
    def act(self, frame): frame.drop()
class Raises(Each):
    def act(self, frame): raise ValueError(frame.frame_num)
class Tags(Each):
    def act(self, frame): frame.set_tag("encode")
class RaisesForABatch(NvDsPyFuncPlugin):
    def process_buffer(self, buffer):
        if any(frame.frame_num % self.n == self.n - 1 for frame in buffer): raise ValueError(len(buffer))
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("code") / "chain_of_test.py"
    file.write_text(CODE)
    return str(file)


@dataclass
class Chain:
    frames: int
    sources: int
    steps: list[tuple[str, int, str]]
    """Class, every which frame, policy."""
    sinks: list[tuple[str, int]]
    """``keeps``, ``fails`` at its n-th frame, ``filters`` every n-th."""
    batch_size: int
    queues: Any
    codec: str | None

    @property
    def is_predictable(self) -> bool:
        """Whether the way of each frame does not depend on how fast threads are."""
        may_stop = any(name.startswith("Raises") and policy == "stop" for name, _n, policy in self.steps)
        by_batch = any(name == "RaisesForABatch" and policy == "drop_frame" for name, _n, policy in self.steps)
        return not may_stop and not by_batch and any(kind != "fails" for kind, _n in self.sinks)

    def fate(self, number: int) -> str | None:
        """What happens to a frame: None where it leaves, else the reason for which it is dropped."""
        for name, n, policy in self.steps:
            if number % n == n - 1 and name == "Drops":
                return "element"
            if number % n == n - 1 and name == "Raises" and policy == "drop_frame":
                return "policy"
        return None


STEPS = st.tuples(
    st.sampled_from(["Drops", "Raises", "Raises", "Tags", "RaisesForABatch"]),
    st.integers(1, 5),
    st.sampled_from(["drop_frame", "drop_frame", "pass", "pass", "stop"]),
)
SINKS = st.tuples(st.sampled_from(["keeps", "fails", "filters"]), st.integers(1, 6))
CHAINS = st.builds(
    Chain,
    st.integers(0, 14),
    st.integers(1, 3),
    st.lists(STEPS, max_size=4),
    st.lists(SINKS, min_size=1, max_size=3),
    st.sampled_from([1, 1, 3]),
    st.sampled_from([None, {"length": 1}]),
    st.sampled_from([None, "raw-rgba"]),
)


class OneSink(MemorySink):
    """A sink that fails at, or leaves out, every n-th frame."""

    def __init__(self, kind: str, n: int) -> None:
        super().__init__()
        self._kind, self._n, self._count = kind, n, 0

    def write(self, output: Any) -> Any:
        self._count += output.is_video_frame
        if output.is_video_frame and self._count % self._n == 0:
            if self._kind == "fails":
                raise OSError("the disk is full")
            if self._kind == "filters":
                return LeftOut("filter")
        super().write(output)
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHAINS)
def test_what_came_in_is_what_came_out_and_what_was_dropped_by_reason(code: str, chain: Chain) -> None:
    names = [f"source-{number}" for number in range(chain.sources)]
    properties = {**PATTERN["properties"], "num-buffers": chain.frames, "width": 16, "height": 16}
    condition = {"condition": {"tag": "encode"}} if any(name == "Tags" for name, *_ in chain.steps) else {}
    config = tree(
        parameters={
            "frame": {"width": 16, "height": 16},
            "batch_size": chain.batch_size,
            "buffer_queues": chain.queues,
            "output_frame": None if chain.codec is None else {"codec": chain.codec} | condition,
        },
        source=[{**PATTERN, "properties": {**properties, "source_id": name}} for name in names],
        elements=[
            {"element": "pyfunc", "module": code, "class_name": name, "kwargs": {"n": n}, "on_error": policy}
            for name, n, policy in chain.steps
        ],
    )
    sinks = [OneSink(kind, n) for kind, n in chain.sinks]
    module = Module(config, sinks=sinks)
    with suppress(Exception):
        module.run()
    statistics = module.statistics()
    assert set(statistics.sources) == set(names)
    for source in statistics.sources.values():
        account = source.account
        assert account.came == account.left + sum(account.dropped.values())
        assert account.under_way == 0
        if chain.is_predictable:
            fates = Counter(chain.fate(number) for number in range(chain.frames))
            left = fates.pop(None, 0)
            assert (account.came, account.left, account.dropped) == (chain.frames, left, fates)
        else:
            assert set(account.dropped) <= {"element", "policy", "stopped"}
    for sink, one in zip(sinks, statistics.sinks, strict=True):
        assert one.came == one.written + sum(one.dropped.values()) == statistics.total.left
        assert one.waiting == 0
        assert one.written == sum(output.is_video_frame for output in sink.outputs)
        assert set(one.dropped) <= {"filter", "failed"}
    for status in module.statuses():
        assert status.read == status.delivered + status.dropped
