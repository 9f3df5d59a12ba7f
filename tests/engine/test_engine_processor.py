"""Threads that share a processor: those that ask, what they start, and no others."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

import pytest
from engine_kit import bypass_spec, send

from picasso.engine import Callbacks, GeneralSpec, PicassoEngine, share_processor
from picasso.engine.processor import SHARED, Shared

T = TypeVar("T")
pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads cannot be bound here")


def on_a_thread(work: Callable[[], T]) -> T:
    """Run on a thread of its own, as a thread that is bound stays so."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def places_of_sources() -> set[frozenset[int]]:
    """Return where the threads of two sources may run, of an engine that is made here."""
    found: SimpleQueue[frozenset[int]] = SimpleQueue()
    callbacks = Callbacks(on_bypass_frame=lambda _output: found.put(frozenset(os.sched_getaffinity(0))))
    with PicassoEngine(GeneralSpec(), callbacks) as engine:
        for source in "ab":
            engine.set_source_spec(source, bypass_spec())
            send(engine, source_id=source)
    return {found.get_nowait() for _ in "ab"}


def test_sources_that_are_started_after_it_stay_on_the_processor() -> None:
    def run() -> tuple[int | None, set[frozenset[int]]]:
        return share_processor(), places_of_sources()

    allowed = os.sched_getaffinity(0)
    number, places = on_a_thread(run)
    assert number in allowed == os.sched_getaffinity(0)
    assert places == {frozenset({number})}


def test_other_threads_run_where_the_process_may() -> None:
    on_a_thread(share_processor)
    assert places_of_sources() == {frozenset(os.sched_getaffinity(0))}


def test_threads_that_ask_at_once_get_one_processor() -> None:
    shared, together = Shared(), threading.Barrier(8)

    def stay() -> tuple[int | None, set[int]]:
        together.wait()
        return shared.stay(), os.sched_getaffinity(0)

    with ThreadPoolExecutor(8) as threads:
        found = [running.result() for running in [threads.submit(stay) for _ in range(8)]]
    number = found[0][0]
    assert found == [(number, {number})] * 8


def test_a_processor_that_is_allowed_no_more_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SHARED, "_number", max(os.sched_getaffinity(0)) + 1)
    assert on_a_thread(share_processor) in os.sched_getaffinity(0)


@pytest.mark.parametrize("refusal", [PermissionError(1, "not permitted"), AttributeError("no such call")])
def test_where_the_system_refuses_threads_are_as_free_as_before(
    refusal: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert on_a_thread(lambda: (share_processor(), os.sched_getaffinity(0))) == (None, os.sched_getaffinity(0))
