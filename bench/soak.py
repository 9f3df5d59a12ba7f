"""An hour, or any time, of sources that come, go, change and fail; growth ends it with an error.

python bench/soak.py 3600 --out soak-out
python bench/soak.py --report soak-out/soak.json
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import json
import logging
import os
import platform
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from soak_load import SOURCES, VISITORS, Books, Feeder, Hooks, open_soak_encoder
from soak_report import growth_failures, growth_mib, plot, write_page

import picasso
from picasso.engine import DropReason, GeneralSpec, PicassoEngine

MIB = 2**20
FEEDERS = 2
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": str(4 * MIB)}
"""What docs/reliability.md tells long-running applications to set; without it, glibc keeps what encoders give back."""
MEASURED = "PICASSO_SOAK_MEASURED"
"""Set in the process that is measured: the one before it compiles the kernels, which would leave it a large heap."""
STUCK_S = 60
"""Without a step of any feeder for this long, the soak is dead: stacks are printed and it fails."""


@dataclass
class Pace:
    """Keeps the whole process at a share of one core, by the clock and its own CPU time."""

    share: float
    _never: threading.Event = field(default_factory=threading.Event)
    _wall_s: float = field(default_factory=time.monotonic)
    _cpu_s: float = field(default_factory=time.process_time)

    def wait(self) -> None:
        ahead_s = (time.process_time() - self._cpu_s) / self.share - (time.monotonic() - self._wall_s)
        if ahead_s > 0:
            self._never.wait(min(ahead_s, 0.2))


def system() -> dict[str, float]:
    """Return what the system says about this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "rss_mib": pages * os.sysconf("SC_PAGE_SIZE") / MIB,
        "threads": len(os.listdir("/proc/self/task")),
        "handles": len(os.listdir("/proc/self/fd")),
    }


def percentiles_ms(latencies_ns: list[int]) -> dict[str, float]:
    if not latencies_ns:
        return {}
    values = np.percentile(np.array(latencies_ns) / 1e6, [50, 90, 99, 100])
    return {name: round(float(value), 3) for name, value in zip(["p50", "p90", "p99", "max"], values, strict=True)}


def start_engine(books: Books) -> PicassoEngine:
    hooks = Hooks(books)
    engine = PicassoEngine(
        GeneralSpec("soak", inflight_queue_size=4), hooks.callbacks(), encoder_factory=open_soak_encoder
    )
    hooks.engine = engine
    return engine


def warm_up() -> None:
    """Load every library, compile every kernel, open every kind of encoder."""
    books = Books()
    engine = start_engine(books)
    feeder = Feeder(engine, list(range(SOURCES)), books, seed=0)
    for _ in range(600):
        feeder.step()
    engine.shutdown()
    PicassoEngine(GeneralSpec(), Hooks(books).callbacks())  # one that is merely forgotten
    del engine, feeder
    gc.collect()


class Soak:
    """One run: feeders, samples, and the verdict."""

    def __init__(self, seconds: float, share: float) -> None:
        self._seconds = seconds
        self._pace = Pace(share)
        self._books = Books()
        self._over = threading.Event()
        self._steps = 0
        self._samples: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        begin, started = system(), time.monotonic()
        engine = start_engine(self._books)
        self._receive_visitors(engine)
        threads = [
            threading.Thread(target=self._feed, args=(engine, number), name=f"feeder-{number}")
            for number in range(FEEDERS)
        ]
        for thread in threads:
            thread.start()
        self._watch(started)
        for thread in threads:
            thread.join()
        overflowed = engine.stats().sources["0-0"].dropped[DropReason.OVERFLOW]
        asked = time.monotonic()
        engine.shutdown()
        shutdown_s = time.monotonic() - asked
        del engine
        gc.collect()
        return self._result(begin, started, overflowed, shutdown_s)

    def _receive_visitors(self, engine: PicassoEngine) -> None:
        """Fill what the engine remembers of sources that ended, so that it grows no more."""
        feeder = Feeder(engine, [], self._books, seed=99)
        for _ in range(VISITORS):
            feeder.visit()
            self._pace.wait()

    def _feed(self, engine: PicassoEngine, number: int) -> None:
        feeder = Feeder(engine, list(range(number, SOURCES, FEEDERS)), self._books, seed=number)
        while not self._over.is_set():
            feeder.step()
            self._steps += 1
            self._pace.wait()

    def _watch(self, started: float) -> None:
        """Take a sample every few seconds, until the time is over or nothing moves."""
        interval_s = max(1.0, self._seconds / 360)
        next_s, last_steps = interval_s, -1
        while time.monotonic() - started < self._seconds:
            self._over.wait(max(0.0, started + next_s - time.monotonic()))
            next_s += interval_s
            latencies, self._books.latencies_ns = self._books.latencies_ns, []
            sample: dict[str, Any] = {"s": round(time.monotonic() - started, 1), **system(), **self._books.counts}
            sample["latency_ms"] = percentiles_ms(latencies)
            self._samples.append(sample)
            if self._steps == last_steps and interval_s >= STUCK_S / 6:
                faulthandler.dump_traceback(all_threads=True)
                os._exit(3)
            last_steps = self._steps
            if sys.stdout.isatty() or len(self._samples) % 30 == 1:
                print(json.dumps(sample), flush=True)
        self._over.set()

    def _result(self, begin: dict[str, float], started: float, overflowed: int, shutdown_s: float) -> dict[str, Any]:
        end = system()
        counts = dict(sorted(self._books.counts.items()))
        wall_s = time.monotonic() - started
        failures = {
            "threads did not come back to the start": end["threads"] > begin["threads"],
            "file handles did not come back to the start": end["handles"] > begin["handles"],
            "frames came twice or out of order": counts["out of order"] > 0,
            "frames were lost without a report": self._books.unaccounted(overflowed) != 0,
        }
        return {
            "command": f"python bench/soak.py {self._seconds:g}",
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{_cpu_model()}, {os.cpu_count()} cores",
            "versions": f"picasso {picasso.__version__}, Python {platform.python_version()}",
            "malloc": {name: os.environ.get(name) for name in MALLOC},
            "seconds": round(wall_s, 1),
            "cpu_share": round(time.process_time() / wall_s, 3),
            "begin": begin,
            "end": end,
            "growth_mib": growth_mib(self._samples),
            "shutdown_s": round(shutdown_s, 3),
            "overflowed": overflowed,
            "unaccounted": self._books.unaccounted(overflowed),
            "counts": counts,
            "failures": growth_failures(self._samples) + [name for name, failed in failures.items() if failed],
            "samples": self._samples,
        }


def _cpu_model() -> str:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=180)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of soak.json and soak.png")
    parser.add_argument("--share", type=float, default=0.3, help="of one core, to keep the machine usable")
    parser.add_argument("--plain-malloc", action="store_true", help="leave glibc as it is, to see what it keeps")
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="only bring a run's figures into tests/reliability-ledger.md"
    )
    options = parser.parse_args()
    if options.report:
        write_page(json.loads(options.report.read_text()))
        return 0
    logging.getLogger("picasso").setLevel(logging.CRITICAL + 1)
    faulthandler.enable()
    warm_up()
    if MEASURED not in os.environ:
        malloc = {} if options.plain_malloc else MALLOC
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | malloc | {MEASURED: "1"})
    result = Soak(options.seconds, options.share).run()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "soak.json").write_text(json.dumps(result))
    plot(result, options.out / "soak.png")
    print(json.dumps({name: value for name, value in result.items() if name != "samples"}, indent=2))
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
