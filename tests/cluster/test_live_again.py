"""A live source that another actor takes over: what comes is delivered, and what is recorded is not read again."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path

import pytest

pytest.importorskip("ray")

from picasso.cluster.messages import Order, Terms
from picasso.cluster.worker import Worker
from picasso.module.config import load_config

ENTRY = {
    "element": "videotestsrc",
    "properties": {"source_id": "cam", "is-live": True, "framerate": "50/1", "width": 64, "height": 48},
}


def worker_in(folder: Path) -> Worker:
    module = {
        "name": "small",
        "parameters": {"frame": {"width": 64, "height": 48}},
        "pipeline": {
            "source": [ENTRY],
            "sink": [{"element": "metadata_json_sink", "properties": {"location": f"{folder}/{{source}}.ndjson"}}],
        },
    }
    one = Worker(Terms(dataclasses.replace(load_config(module), sources=()), "actor-0", str(Path.cwd()), 600.0))
    one.pulse(one.incarnation, one.pulse().stamp_s)
    return one


def wait_for_frames(one: Worker, count: int) -> None:
    pause = threading.Event()
    for _ in range(1_000):
        source = one.pulse().statistics.sources.get("cam")
        if source is not None and source.account.came >= count:
            return
        pause.wait(0.05)
    pytest.fail(f"{count} frames did not come")


def test_frames_of_a_live_source_whose_times_begin_again_are_delivered(tmp_path: Path) -> None:
    first = worker_in(tmp_path)
    begun = first.place(first.incarnation, Order("cam", ENTRY, 1))
    wait_for_frames(first, 40)
    first.stop(30.0)
    second = worker_in(tmp_path)
    again = second.place(second.incarnation, Order("cam", ENTRY, 2, existing=begun.existing))
    assert (again.basis, again.after) == ("live", None)
    wait_for_frames(second, 10)
    last = second.stop(30.0)
    account = last.statistics.sources["cam"].account
    assert account.left == account.came >= 10
    assert [sink.dropped for sink in last.statistics.sinks] == [{}]
    files = sorted(tmp_path.glob("*.ndjson"))
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert sum(line["schema"] == "VideoFrame" for line in lines) >= 50
