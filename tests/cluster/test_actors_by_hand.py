"""What a head and an actor say to each other where calls come late, without a cluster between them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.importorskip("ray")

from picasso.cluster import streams
from picasso.cluster.actors import Slot
from picasso.cluster.lease import Tenancy
from picasso.cluster.messages import Order, Terms
from picasso.cluster.streams import ClusterModule
from picasso.cluster.worker import Worker
from picasso.errors import OperationError
from picasso.module.config import load_config

ENTRY = {"element": "videotestsrc", "properties": {"source_id": "cam", "num-buffers": 3}}
MODULE = {
    "name": "small",
    "parameters": {"frame": {"width": 64, "height": 48}},
    "pipeline": {"source": [ENTRY], "sink": [{"element": "devnull_sink"}]},
}


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """An actor in this process, without sources."""
    import dataclasses

    config = dataclasses.replace(load_config(MODULE), sources=())
    one = Worker(Terms(config, "actor-0", str(Path.cwd()), 60.0))
    yield one
    one.stop(10.0)


def test_an_order_that_comes_behind_the_end_of_its_epoch_begins_nothing(worker: Worker) -> None:
    with pytest.raises(OperationError, match="no source 'cam'"):
        worker.dismiss(worker.incarnation, "cam", 1)
    with pytest.raises(OperationError, match="source 'cam' was removed before it began"):
        worker.place(worker.incarnation, Order("cam", ENTRY, 1))
    assert not worker.pulse().sources
    assert worker.place(worker.incarnation, Order("cam", ENTRY, 2)).epoch == 2
    assert set(worker.pulse().sources) == {"cam"}


def test_a_stop_has_its_time_although_no_one_renews_the_lease(worker: Worker) -> None:
    worker.pulse(worker.incarnation, worker.pulse().stamp_s)
    assert worker._lease.left_s <= 60.0
    assert worker.stop(1_000.0).state == "stopped"
    assert worker._lease.left_s > 900.0


def test_a_source_whose_process_is_gone_can_be_removed_and_its_id_waits_for_the_lease() -> None:
    head = ClusterModule(MODULE)
    head.state = "running"
    slot = Slot("actor-0", None, 8.0)
    slot.tenancy = Tenancy("new", 8.0, 0.0, 0.0)
    head._slots.append(slot)
    seat = head._seats["cam"]
    seat.begin("actor-0", "old")  # and it has ended there before the process went
    seat.over, seat.free_s = 9, float("inf")
    with pytest.raises(OperationError, match="source 'cam' has no actor now"):
        head.ask("cam", "pause", "cam")
    head.remove_source("cam")
    assert head.source_records() == []
    assert head.add_source(ENTRY) == "cam"
    again = head._seats["cam"]
    assert (again.epoch, again.free_s, again.home) == (1, float("inf"), None)


def test_of_two_threads_that_close_one_ends_the_actors_and_the_other_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    module, entered, second_came = ClusterModule(MODULE), threading.Event(), threading.Event()
    begun: list[float] = []

    @contextmanager
    def hold() -> Iterator[None]:
        if entered.is_set():
            second_came.set()
        yield

    def end(timeout_s: float) -> None:
        begun.append(timeout_s)
        entered.set()
        second_came.wait()

    monkeypatch.setattr(streams, "hold_stop", hold)
    monkeypatch.setattr(module, "_end_actors", end)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(module.close, 1.0)
        entered.wait()
        threads.submit(module.close, 2.0).result()
        first.result()
    assert (begun, module.state) == ([1.0], "stopped")
