"""What picasso costs as a multiple of encoding alone, by a sampling profiler: it needs no quiet machine.

python bench/shares.py                 W1, W1b, W2 and W3
python bench/shares.py --work W3

Samples of the processor's clock are counted by library, once for the floor and once for picasso, as multiples of
libx264's own: that does the same work in both. Needs ``perf`` (Debian: ``apt-get install linux-perf``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("peers")))
from measure import EngineLoad, ScriptLoad
from scripts import Case, material
from suites import FLOOR
from workloads import WORKLOADS

SECONDS = 6.0
SAMPLES_A_SECOND = 2000
ENCODER = "x264"
LEAST = 0.005
"""Of the encoder's samples; a library with fewer is not shown."""


def load(case: Case) -> None:
    """Run the case in this process, say when it is warm, and go on until it was sampled."""
    with (EngineLoad if case.peer == "picasso" else ScriptLoad)(case, material(case)):
        print("warm", flush=True)
        time.sleep(SECONDS + 2)


def shares(case: Case) -> dict[str, float]:
    """Return the samples of each library as a multiple of the encoder's."""
    command = [sys.executable, __file__, "--load", json.dumps({"peer": case.peer, "workload": case.workload})]
    with tempfile.NamedTemporaryFile() as file:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            running.stdout.readline()
            sampling = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND), "-p", str(running.pid)]
            subprocess.run([*sampling, "-o", file.name, "--", "sleep", str(SECONDS)], check=True)
        report = ["perf", "report", "-i", file.name, "--sort", "dso", "--stdio", "-q"]
        lines = subprocess.run(report, capture_output=True, text=True, check=True).stdout.splitlines()
    counted = [
        (float(share.rstrip("%")), name) for share, name in (line.split(None, 1) for line in lines if line.strip())
    ]
    encoder = sum(share for share, name in counted if ENCODER in name)
    return {name.strip(): share / encoder for share, name in counted}


def main() -> None:
    """Sample and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=WORKLOADS, nargs="*", default=list(WORKLOADS))
    parser.add_argument("--load", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        load(Case(**arguments.load))
        return
    if shutil.which("perf") is None:
        parser.error("perf is not on this machine: apt-get install linux-perf")
    for work in arguments.work:
        floor, ours = (shares(Case(peer, work)) for peer in (FLOOR, "picasso"))
        print(f"{work}: {sum(ours.values()) / sum(floor.values()):.2f} of encoding alone; of libx264's samples:")
        for name, share in ours.items():
            if share >= LEAST:
                print(f"  {share:6.3f}  {name}", flush=True)


if __name__ == "__main__":
    main()
