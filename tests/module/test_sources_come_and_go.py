"""Ten thousand sources that come and go leave nothing behind but their sum."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import no_thread_is_left, tree

from picasso.flow import NEVER, Item
from picasso.module import Module
from picasso.module.run.accounts import SourceAccount
from picasso.module.sinks import DevNullSink
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

__all__ = ["no_thread_is_left"]

MANY = 10_000


class OneFrame:
    """A source of one frame."""

    restart = NEVER

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id
        self.is_read = threading.Event()

    def __iter__(self) -> Iterator[Item]:
        frame = VideoFrame(self.source_id, "30/1", 16, 16, time_base=(1, 10**9), pts=0)
        yield frame, SurfaceView.allocate(VideoFormat.RGB, (16, 16))
        self.is_read.set()

    def stop(self) -> None:
        pass


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("codec", "many"), [(None, MANY), ("raw-rgba", MANY // 5)], ids=["metadata", "pixels"])
def test_sources_that_come_and_go_leave_nothing(codec: str | None, many: int) -> None:
    frame = {"width": 16, "height": 16}
    parameters = {"frame": frame, "output_frame": None if codec is None else {"codec": codec}}
    module = Module(tree(parameters=parameters), sources=[], sinks=[DevNullSink()])
    with module:
        assert module._runner is not None
        first = 0
        for number in range(many):
            source = OneFrame(f"cam-{number}")
            module._add(source)
            source.is_read.wait()
            module._runner.remove(source.source_id)
            if number == many // 10:
                first = objects()
        assert objects() - first < many // 20
        assert module.accounts.total == SourceAccount(many, many)
        assert len(module.accounts.sources()) == 64
        assert module._stage.open_sources == 0
        assert not module._runner.engine.stats().sources
        assert not module.statuses()
    assert str(module.statistics()) == f"module 'm': {many} frames in = {many} out + 0 dropped"
