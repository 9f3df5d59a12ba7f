"""Peers and picasso on the same work, in interleaved rounds.

python bench/peers run --suite quick --out out/peers.json       measure; every figure is a process of its own
python bench/peers one '{"peer": "picasso", "workload": "W1"}'   one figure, as a line of JSON
python bench/peers page out                                      all figures of a folder into docs/performance.md

A peer that is not on the machine costs a line of the log, and is left out of the page.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from children import GSTREAMER, measure_ffmpeg, measure_gstreamer
from files import FILES, measure_file
from machine import busy_s
from scripts import SCRIPTS, Case
from suites import SUITES
from workloads import rgba_file


def measure_one(case: Case) -> dict[str, Any]:
    """Measure in this process, or in children of it."""
    if case.peer == "ffmpeg":
        return measure_ffmpeg(case)
    if case.peer in GSTREAMER:
        return measure_gstreamer(case)
    if case.peer in FILES:
        return measure_file(case)
    if case.peer != "picasso" and case.peer not in SCRIPTS:
        raise SystemExit(
            f"unknown peer {case.peer!r}; one of {', '.join([*SCRIPTS, *GSTREAMER, *FILES, 'ffmpeg', 'picasso'])}"
        )
    from measure import measure

    return measure(case)


def run(suite: str, rounds: int, out: Path) -> None:
    """Measure every case of a suite once a round, and write all figures so far after each round."""
    figures: list[dict[str, Any]] = []
    for number in range(rounds):
        for case in SUITES[suite]:
            figure = {"round": number} | figure_of(case)
            figures.append(figure)
            line = f"{figure['cpu_ms']:7.2f} ms/frame" if "cpu_ms" in figure else figure["error"]
            print(f"round {number}  {case.workload:4} {case.sources:2} x {case.peer:18} {line}", flush=True)
        out.write_text(json.dumps(figures))


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


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("run")
    verb.add_argument("--suite", choices=SUITES, default="quick")
    verb.add_argument("--rounds", type=int, default=3)
    verb.add_argument("--out", type=Path, default=Path("out/peers.json"))
    verbs.add_parser("one").add_argument("case", type=json.loads)
    verbs.add_parser("page").add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.verb == "run":
        run(arguments.suite, arguments.rounds, arguments.out)
    elif arguments.verb == "one":
        print(json.dumps(measure_one(Case(**arguments.case))))
    else:
        from page import write

        write(arguments.folder)


if __name__ == "__main__":
    main()
