"""Peers and picasso on the same work, in interleaved rounds.

python bench/peers run --suite quick --out out/peers.json       measure; every figure is a process of its own
python bench/peers one '{"peer": "picasso", "workload": "W1"}'   one figure, as a line of JSON
python bench/peers page out                                      all figures of a folder into the ledger

A peer that is not on the machine costs a line of the log, and is left out of the page.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from children import GSTREAMER, measure_ffmpeg, measure_gstreamer
from files import FILES, measure_file
from rounds import run
from scripts import SCRIPTS, Case
from suites import SUITES


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
