"""Peers and picasso on the same work, in interleaved rounds.

python bench/peers run --suite quick --out peers.json      measure; every figure is a process of its own
python bench/peers one '{"peer": "picasso", "workload": "W1"}'   one figure, as a line of JSON
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from children import GSTREAMER, measure_ffmpeg, measure_gstreamer
from files import FILES, measure_file
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
    """Measure every case of a suite once a round, and write all figures so far after each of them."""
    figures: list[dict[str, Any]] = []
    for number in range(rounds):
        for case in SUITES[suite]:
            rgba_file(case.workload)
            figure = asdict(case) | {"round": number} | _in_a_process(case)
            figures.append(figure)
            out.write_text(json.dumps(figures, indent=1))
            line = f"{figure['cpu_ms']:7.2f} ms/frame" if "cpu_ms" in figure else figure["error"]
            print(f"round {number}  {case.workload:4} {case.sources:2} x {case.peer:18} {line}", flush=True)


def _in_a_process(case: Case) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).parent), "one", json.dumps(asdict(case))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
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
    verb.add_argument("--out", type=Path, default=Path("peers.json"))
    verbs.add_parser("one").add_argument("case", type=json.loads)
    arguments = parser.parse_args()
    if arguments.verb == "run":
        run(arguments.suite, arguments.rounds, arguments.out)
    else:
        print(json.dumps(measure_one(Case(**arguments.case))))


main()
