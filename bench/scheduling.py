"""How an engine's threads share processors: what was chosen, measured, and the model that says what is right elsewhere.

python bench/scheduling.py --out out/scheduling.json

Measures a frame's Python and native time, predicts the rates of 1, 2, 4 and 16 sources, and holds them against the
rates that are reached here. Then: how many sources should compute at once, how many threads an encoder should have,
and what it costs to wake a thread through a queue. Last, the model's word on 2, 16 and 128 processors.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Queue, SimpleQueue
from typing import Any, Protocol

import numpy as np
from scheduling_model import Costs, simulate

from picasso.engine.clock import MonotonicClock
from picasso.engine.messages import END_STREAM
from picasso.engine.policies import OverflowPolicy
from picasso.engine.runtime.inbox import Inbox
from picasso.engine.stats import Meter

sys.path.insert(0, str(Path(__file__).with_name("peers")))
from machine import describe
from measure import EngineLoad, thread_cpu_s
from rounds import figure_of
from scripts import Case, Material, material
from workloads import Workload, moments

WORK = ("W1", "W2")
SOURCES = (1, 2, 4, 16)
PERMITS = (1, 2, 3, 4, 16)
SECONDS = 4.0
TINY = Workload((32, 32), (32, 32), 1)
"""So small that a frame is all Python."""
MESSAGES = 20_000
PATIENCE_NS = 60_000_000_000
MANY_SOURCES = 16
"""As many sources as a rate for every number of permits is predicted with."""
MACHINES = (2, 16, 128)


def frame_costs(case: Case, source: Material, seconds: float = 2.0) -> tuple[float, float, int]:
    """Return the CPU seconds of a frame that the sending and the working thread spend, and the frames counted."""
    with EngineLoad(case, source) as load:
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("picasso-source")]
        senders = load.threads
        frames, before_s = sum(load.counts()), [thread_cpu_s(senders), thread_cpu_s(workers)]
        time.sleep(seconds)
        frames = sum(load.counts()) - frames
        spent_s = [thread_cpu_s(senders) - before_s[0], thread_cpu_s(workers) - before_s[1]]
    return spent_s[0] / frames, spent_s[1] / frames, frames


def costs_of(workload: str) -> Costs:
    """Measure the model's numbers on one source."""
    case = Case("picasso", workload)
    picture = np.zeros((*TINY.source_wh[::-1], 4), np.uint8)
    send_s, work_s, _ = frame_costs(case, Material(TINY, [picture], moments(TINY, case.boxes)))
    _, busy_s, _ = frame_costs(case, material(case))
    return Costs(send_s, work_s, busy_s - work_s, wake_s=hand_over_s(SimpleQueue) / 2)


def compare(workload: str, rounds: int) -> dict[str, Any]:
    """Predict rates, and measure them."""
    processors = len(os.sched_getaffinity(0))
    costs = min((costs_of(workload) for _ in range(rounds)), key=lambda costs: costs.total_s)
    rows = []
    for sources in SOURCES:
        found = [figure_of(Case("picasso", workload, sources=sources, seconds=SECONDS)) for _ in range(rounds)]
        predicted = simulate(costs, sources, processors, processors + 1)
        rows.append(
            {
                "sources": sources,
                "bound": costs.bound(sources, processors),
                "predicted": predicted.frames_a_second,
                "measured": max(figure["frames_a_second"] for figure in found),
                "cpu_ms": min(figure["cpu_ms"] for figure in found),
                "fairness": max(figure["fairness"] for figure in found),
            }
        )
    return {"costs_us": {name: 1e6 * getattr(costs, name) for name in ("send_s", "work_s", "native_s")}, "rates": rows}


def permits(rounds: int) -> list[dict[str, Any]]:
    """Measure 16 sources, of which a given number may compute at once."""
    cases = [Case("picasso", name, sources=16, computing=count, seconds=SECONDS) for name in WORK for count in PERMITS]
    return _best(cases, rounds, ("workload", "computing"))


def encoder_threads(rounds: int) -> list[dict[str, Any]]:
    """Measure the encoder alone with one thread, two, and as many as it likes."""
    cases = [Case("encode_only", sources=sources, threads=count) for sources in (1, 4) for count in (1, 2, 0)]
    return _best(cases, rounds, ("sources", "threads"))


def _best(cases: list[Case], rounds: int, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    figures = [[figure_of(case) for case in cases] for _ in range(rounds)]
    return [
        {key: getattr(case, key) for key in keys}
        | {
            "frames_a_second": max(figure["frames_a_second"] for figure in found),
            "cpu_ms": min(figure["cpu_ms"] for figure in found),
            "fairness": max(figure["fairness"] for figure in found),
            "cores": max(figure["cores"] for figure in found),
        }
        for case, found in zip(cases, zip(*figures, strict=True), strict=True)
    ]


class Line(Protocol):
    """What messages are put into and taken from."""

    def put(self, item: None, /) -> None: ...
    def get(self) -> None: ...


class ConditionLine:
    """A deque under a condition: what people write who find ``queue.Queue`` slow."""

    def __init__(self) -> None:
        self._items: deque[None] = deque()
        self._filled = threading.Condition()

    def put(self, item: None, /) -> None:
        with self._filled:
            self._items.append(item)
            self._filled.notify()

    def get(self) -> None:
        with self._filled:
            while not self._items:
                self._filled.wait()
            self._items.popleft()


class InboxLine:
    """The engine's inbox, which also bounds, counts and closes."""

    def __init__(self) -> None:
        self._inbox = Inbox(8, OverflowPolicy.BLOCK, MonotonicClock(), Meter())

    def put(self, _: None, /) -> None:
        self._inbox.put(END_STREAM)

    def get(self) -> None:
        self._inbox.get(PATIENCE_NS)


LINES: dict[str, Callable[[], Line]] = {
    "queue.SimpleQueue": SimpleQueue,
    "queue.Queue": Queue,
    "deque and Condition": ConditionLine,
    "the engine's inbox": InboxLine,
}


def hand_over_s(make: Callable[[], Line]) -> float:
    """Return what it costs to wake a thread and be woken by it, best of a few."""
    there, back = make(), make()

    def answer() -> None:
        for _ in range(MESSAGES):
            there.get()
            back.put(None)

    best_s = float("inf")
    for _ in range(3):
        thread = threading.Thread(target=answer)
        thread.start()
        started = time.perf_counter()
        for _ in range(MESSAGES):
            there.put(None)
            back.get()
        best_s = min(best_s, (time.perf_counter() - started) / MESSAGES)
        thread.join()
    return best_s


def elsewhere(costs: Costs) -> list[dict[str, Any]]:
    """Ask the model about other machines, with a source for each processor, twice over."""
    rows = []
    for processors in MACHINES:
        for name, count in (("processors", processors), ("processors + 1", processors + 1), ("no limit", 10**6)):
            outcome = simulate(costs, max(MANY_SOURCES, 2 * processors), processors, count, frames=100)
            rows.append(
                {
                    "processors": processors,
                    "permits": name,
                    "frames_a_second": outcome.frames_a_second,
                    "busy": outcome.processors_busy,
                    "lock_held": outcome.lock_held,
                }
            )
    return rows


def main() -> None:
    """Measure everything, write it and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/scheduling.json"))
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    found: dict[str, Any] = {"machine": describe()}
    found["rates"] = {name: compare(name, arguments.rounds) for name in WORK}
    found["permits"] = permits(arguments.rounds)
    found["encoder_threads"] = encoder_threads(arguments.rounds)
    found["hand_over_us"] = {name: 1e6 * hand_over_s(make) for name, make in LINES.items()}
    us = found["rates"]["W1"]["costs_us"]
    found["elsewhere"] = elsewhere(Costs(*(us[name] / 1e6 for name in ("send_s", "work_s", "native_s"))))
    arguments.out.write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
