"""What comes in is counted once on its way out, also when several report its end."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, tree

from picasso.module import Module
from picasso.module.run.accounts import Accounts, Fate, SourceAccount
from picasso.module.sinks import MemorySink
from picasso.primitives import VideoFrame

__all__ = ["no_thread_is_left"]

SOURCES = ("a", "b")
STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "drop", "refuse", "close", "drop_all"]), st.integers(0, 9)),
    max_size=60,
)


def frame(source_id: str, number: int = 0) -> VideoFrame:
    return VideoFrame(source_id, "30/1", 16, 16, pts=number)


def balance(account: SourceAccount) -> int:
    return account.came - account.left - sum(account.dropped.values()) - account.under_way


@given(STEPS, st.integers(0, 2))
def test_the_balance_holds_after_every_step(steps: list[tuple[str, int]], kept: int) -> None:
    accounts = Accounts(kept)
    frames: list[VideoFrame] = []
    came = 0
    for step, number in steps:
        source = SOURCES[number % 2]
        one = frames[number % len(frames)] if frames else None
        if step == "enter":
            frames.append(frame(source, len(frames)))
            accounts.enter(frames[-1])
            came += 1
        elif step == "leave" and one is not None:
            accounts.leave(one)
        elif step == "drop" and one is not None:
            accounts.drop(one, Fate.ELEMENT)
        elif step == "refuse":
            accounts.refuse(source, count=number)
            came += number
        elif step == "close":
            accounts.close_source(source)
        elif step == "drop_all":
            accounts.drop_all(Fate.STOPPED)
        assert all(balance(account) == 0 for account in [*accounts.sources().values(), accounts.gone])
        assert (accounts.total.came, balance(accounts.total)) == (came, 0)
    accounts.drop_all(Fate.STOPPED)
    assert accounts.total.under_way == 0


def test_who_comes_second_finds_no_ticket() -> None:
    accounts, one = Accounts(), frame("a")
    assert accounts.enter(one, "kept").source == "kept"
    ticket = accounts.leave(one)
    assert ticket is not None
    assert (accounts.leave(one), accounts.drop(one, "failed")) == (None, None)
    assert accounts.of("a") == SourceAccount(1, 1, {}, 0)


def test_a_frame_whose_source_id_was_changed_on_its_way_counts_for_the_source_that_it_came_from() -> None:
    accounts, one = Accounts(), frame("a")
    accounts.enter(one)
    one.source_id = "b"
    accounts.leave(one)
    assert accounts.sources() == {"a": SourceAccount(1, 1, {}, 0)}


def test_ten_thousand_sources_that_come_and_go_leave_their_sum() -> None:
    accounts = Accounts()
    for number in range(10_000):
        one: Any = frame(f"cam-{number}")
        accounts.enter(one)
        accounts.close_source(one.source_id)  # its frame is still under way
        accounts.drop(one, Fate.FAILED) if number % 2 else accounts.leave(one)
        accounts.refuse(f"refused-{number}")
    assert len(accounts.sources()) == 64
    assert accounts.total == SourceAccount(20_000, 5_000, {"failed": 5_000, "rejected": 10_000}, 0)
    assert not accounts._tickets


def test_an_account_reads_as_a_sentence() -> None:
    text = str(SourceAccount(10, 6, {"stopped": 1, "element": 2}, 1))
    assert text == "10 frames in = 6 out + 3 dropped (element 2, stopped 1) + 1 under way"


def test_frames_of_a_source_that_is_one_too_many_stand_in_its_account() -> None:
    properties = {**PATTERN["properties"], "num-buffers": -1, "is-live": True, "framerate": "200/1"}
    sources = [{**PATTERN, "properties": {**properties, "source_id": name}} for name in ("a", "b")]
    module = Module(tree(parameters={"max_parallel_streams": 1}, source=sources), sinks=[sink := MemorySink()])
    with module:
        while len(module.statistics().total.dropped) < 1 or len(sink.outputs) < 5:
            threading.Event().wait(0.001)
    statistics = module.statistics()
    reads = {status.source_id: status.read for status in module.statuses()}
    assert {name: source.account.came for name, source in statistics.sources.items()} == reads
    assert all(balance(source.account) == 0 for source in statistics.sources.values())
    assert set(statistics.total.dropped) == {"max_sources"}


def test_reasons_that_users_make_up_are_bounded_and_every_frame_is_still_counted() -> None:
    accounts = Accounts()
    for number in range(500):
        one: Any = frame(f"cam-{number % 3}", number)
        accounts.enter(one)
        accounts.drop(one, f"frame {number} is bad")
        accounts.drop_all(Fate.STOPPED)
    total = accounts.total
    assert (total.came, sum(total.dropped.values()), total.left) == (500, 500, 0)
    assert len(total.dropped) <= 65
    assert total.dropped["other"] > 400
