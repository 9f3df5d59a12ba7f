"""How long it takes to load a module of 100 interpolated and 900 plain keys."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from picasso.module.config import load_config

TARGET_S = 0.5


def text(interpolated: int = 100, plain: int = 900) -> str:
    """Write such a module: three kinds of interpolations, keys of the user in blocks of 30."""
    forms = ("${oc.env:PICASSO_BENCH, 7}", "${parameters.block_0.plain_0}", "${oc.decode:${oc.env:PICASSO_BENCH, 7}}")
    lines = ["name: bench", "parameters:"]
    for number in range(plain):
        if number % 30 == 0:
            lines.append(f"  block_{number // 30}:")
        lines.append(f"    plain_{number}: {number}")
        if number < interpolated * 9 and number % 9 == 8:
            lines.append(f"    asked_{number}: {forms[number // 9 % 3]}")
    lines += ["pipeline:", "  source: {element: videotestsrc}", "  sink: [{element: devnull_sink}]"]
    return "\n".join(lines) + "\n"


def loading(rounds: int) -> str:
    """Load it a number of times, and say how long that took."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "m.yml"
        path.write_text(text())
        load_config(path)
        times_s = []
        for _ in range(rounds):
            before = sum(os.times()[:2])
            started_s = time.perf_counter()
            load_config(path)
            times_s.append((sum(os.times()[:2]) - before, time.perf_counter() - started_s))
    cpu_s, wall_s = (statistics.median(column) for column in zip(*times_s, strict=True))
    verdict = "within" if cpu_s <= TARGET_S else "ABOVE"
    what = "loading 100 interpolated and 900 plain keys"
    return f"{what}: {cpu_s:.3f} s of CPU ({wall_s:.3f} s passed), {verdict} {TARGET_S} s"
