"""Where the CPU time of a frame goes, inside the running engine.

python bench/where.py --out out/where.json

One source sends as fast as the engine takes frames. The engine's methods are timed by the CPU clock of their thread,
which adds a few µs to a frame; what they cost here is more than alone, because encoder and kernels take each other's
caches.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).with_name("peers")))
from measure import EngineLoad, thread_cpu_s
from scripts import Case, material

from picasso.encode.av import AvEncoder
from picasso.engine.path.encoding import EncodeRoute
from picasso.engine.path.session import EncoderSession

WORK = ("W1", "W1b", "W2", "W3")
PARTS: dict[str, tuple[type, str]] = {
    "display list": (EncodeRoute, "_drawing"),
    "transform and paint": (EncodeRoute, "_transform"),
    "encode": (EncodeRoute, "_encode"),
    "the library alone": (AvEncoder, "_exchange"),
    "deliver": (EncoderSession, "deliver"),
}
"""By the name of the part: what does it. The library's is within ``encode``."""
SECONDS, ROUNDS = 3.0, 3


class Stopwatch:
    """CPU seconds by part, from the methods that it is put around."""

    def __init__(self) -> None:
        self.spent_s = dict.fromkeys(PARTS, 0.0)

    def put_on(self) -> None:
        for part, (owner, name) in PARTS.items():
            setattr(owner, name, self._timed(part, getattr(owner, name)))

    def _timed(self, part: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **keywords: Any) -> Any:
            started = time.thread_time()
            try:
                return method(*args, **keywords)
            finally:
                self.spent_s[part] += time.thread_time() - started

        return timed


def measure(workload: str, watch: Stopwatch) -> dict[str, float]:
    """Return the ms of a frame by part."""
    case = Case("picasso", workload)
    with EngineLoad(case, material(case)) as load:
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("picasso-source")]
        before = dict(watch.spent_s), thread_cpu_s(load.threads), thread_cpu_s(workers), sum(load.counts())
        time.sleep(SECONDS)
        after = dict(watch.spent_s), thread_cpu_s(load.threads), thread_cpu_s(workers), sum(load.counts())
    frames = after[3] - before[3]
    parts = {part: 1e3 * (after[0][part] - before[0][part]) / frames for part in PARTS}
    sending, working = (1e3 * (after[index] - before[index]) / frames for index in (1, 2))
    library = parts.pop("the library alone")
    known = sum(parts.values())
    return {
        "make the frame and send it": sending,
        "display list": parts["display list"],
        "transform and paint: one native call": parts["transform and paint"],
        "encode: libx264": library,
        "encode: around it": parts["encode"] - library,
        "deliver": parts["deliver"],
        "queue, placement, boxes, permits": working - known,
        "all": sending + working,
    }


def main() -> None:
    """Measure, write and print; of each work the round that cost the least counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/where.json"))
    out: Path = parser.parse_args().out
    watch = Stopwatch()
    watch.put_on()
    rounds = [{name: measure(name, watch) for name in WORK} for _ in range(ROUNDS)]
    best = {name: min((each[name] for each in rounds), key=lambda parts: parts["all"]) for name in WORK}
    out.write_text(json.dumps(best, indent=1))
    print(json.dumps(best, indent=1))


if __name__ == "__main__":
    main()
