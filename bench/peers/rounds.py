"""Rounds of a suite: every case once a round, every figure in a process of its own."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from machine import busy_s, describe
from scripts import Case
from suites import SUITES
from workloads import rgba_file


def run(suite: str, rounds: int, out: Path) -> None:
    """Measure every case of a suite once a round, and write all figures so far after each round."""
    figures: list[dict[str, Any]] = []
    found = {"machine": describe(), "figures": figures}
    for number in range(rounds):
        for case in in_turn(SUITES[suite], random.Random(number)):
            figure = {"round": number} | figure_of(case)
            figures.append(figure)
            line = f"{figure['cpu_ms']:7.2f} ms/frame" if "cpu_ms" in figure else figure["error"]
            print(f"round {number}  {case.workload:4} {case.sources:2} x {case.peer:18} {line}", flush=True)
        out.write_text(json.dumps(found))


def in_turn(cases: list[Case], chance: random.Random) -> Iterator[Case]:
    """Yield the cases, those that are compared next to each other, in an order of chance.

    The machine has fast and slow minutes, and who always follows the same peer finds it as that one left it.
    """
    for _, together in groupby(cases, key=lambda case: (case.workload, case.preset, case.sources)):
        yield from sorted(together, key=lambda _case: chance.random())


def figure_of(case: Case) -> dict[str, Any]:
    """Measure in a process of its own; tell also how many processors others kept busy meanwhile."""
    rgba_file(case.workload)
    before_s, ours_s, started = busy_s(), _children_s(), time.perf_counter()
    figure = asdict(case) | _in_a_process(case)
    others_s = busy_s() - before_s - (_children_s() - ours_s)
    return figure | {"others": round(max(others_s, 0) / (time.perf_counter() - started), 3)}


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _in_a_process(case: Case) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).parent), "one", json.dumps(asdict(case))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    except subprocess.TimeoutExpired:
        return {"error": "did not end within 180 s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    figure: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figure
