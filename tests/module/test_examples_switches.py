"""The example of switches in etcd: what is put there is what happens to the frames of each source."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from etcd_kit import Etcd
from test_module_run import no_thread_is_left

from picasso.module import Frame, Module
from picasso.module.sinks import MemorySink

__all__ = ["no_thread_is_left"]

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "switches" / "module.yml"


@pytest.fixture
def etcd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Etcd]:
    server = Etcd(tmp_path)
    monkeypatch.setenv("ETCD", server.host)
    yield server
    server.stop()


def wait_for(sink: MemorySink, source_id: str, *, is_encoded: bool) -> None:
    """Wait until the newest frame of a source is encoded, or is not."""
    while True:
        frames = [
            one.as_video_frame() for one in sink.outputs[-20:] if one.is_video_frame and one.source_id == source_id
        ]
        if frames and frames[-1].content.is_internal() is is_encoded:
            tag = Frame(frames[-1], None).get_tag("switch")
            assert tag == ("encode" if is_encoded else "metadata")
            return
        threading.Event().wait(0.001)


def test_each_source_follows_its_own_key_while_the_module_runs(etcd: Etcd) -> None:
    with Module.from_file(EXAMPLE, sinks=[sink := MemorySink()]) as module:
        for name in ("left", "right"):
            wait_for(sink, name, is_encoded=True)  # nothing is said yet
        etcd.put("savant/sources/right", "metadata")
        wait_for(sink, "right", is_encoded=False)
        wait_for(sink, "left", is_encoded=True)
        etcd.put("savant/sources/left", "off")
        while not module.accounts.of("left").dropped:
            threading.Event().wait(0.001)
        assert set(module.accounts.of("left").dropped) == {"switched_off"}
        assert not module.accounts.of("right").dropped
        etcd.stop()  # the last values stay
        before = module.accounts.of("left").dropped["switched_off"]
        while module.accounts.of("left").dropped["switched_off"] < before + 5:
            threading.Event().wait(0.001)
        wait_for(sink, "right", is_encoded=False)
        etcd.start()
        etcd.delete("savant/sources/left")
        etcd.put("savant/sources/right", "encode")
        wait_for(sink, "left", is_encoded=True)
        wait_for(sink, "right", is_encoded=True)
    total = module.statistics().total
    assert total.came == total.left + sum(total.dropped.values())
