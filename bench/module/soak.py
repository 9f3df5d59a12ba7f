"""Looping files through a module for a while: its memory stays flat after the first tenth."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from clips import clip

MIB = 2**20
LIMIT_MIB = 8.0
SMALL_WH = (320, 240)


def rss_mib() -> float:
    """Return the memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def soak(seconds: float, sources: int, frames_a_second: float, out: Path) -> str:
    """Run a number of looping files, each at this many frames a second, and watch the memory."""
    from picasso.module import Module

    with tempfile.TemporaryDirectory() as name:
        path = clip(Path(name), 4, SMALL_WH)
        looping = {"uri": str(path), "loop": True}
        tree: dict[str, Any] = {
            "name": "soak",
            "parameters": {
                "code_root": None,
                "frame": {"width": SMALL_WH[0] // 2, "height": SMALL_WH[1] // 2, "geometry_base": 4},
                "output_frame": {"codec": "h264", "encoder": "software"},
                "max_fps_control": True,
                "max_fps": f"{round(frames_a_second * 1000)}/1000",
            },
            "pipeline": {
                "source": [
                    {
                        "element": "uridecodebin",
                        "properties": {**looping, "source_id": f"s{number}"},
                    }
                    for number in range(sources)
                ],
                "sink": [{"element": "devnull_sink"}],
            },
        }
        samples: list[tuple[float, float, int]] = []
        started_s = time.monotonic()
        with Module(tree) as module:
            while (passed_s := time.monotonic() - started_s) < seconds:
                delivered = sum(status.delivered for status in module.statuses())
                samples.append((passed_s, rss_mib(), delivered))
                out.write_text(json.dumps({"sources": sources, "seconds": seconds, "samples": samples}))
                time.sleep(max(seconds / 400, 0.5))
            statuses = module.statuses()
    failed = [status.source_id for status in statuses if status.failure is not None]
    assert not failed, failed
    return report(samples, sources)


def report(samples: list[tuple[float, float, int]], sources: int) -> str:
    """Say how far memory went after the first tenth: medians of twentieths, so that one sample says nothing."""
    whole_s = samples[-1][0]
    later = [rss for passed_s, rss, _count in samples if passed_s > whole_s / 10]
    size = max(len(later) // 18, 1)
    parts = [sorted(later[start : start + size])[size // 2] for start in range(0, len(later) - size + 1, size)]
    growth = max(parts) - parts[0]
    verdict = "within" if growth <= LIMIT_MIB else "ABOVE"
    return (
        f"{sources} looping files, {whole_s:.0f} s, {samples[-1][2]} frames: "
        f"RSS {parts[0]:.1f} MiB after the first tenth, "
        f"at most {max(parts):.1f}, at the end {parts[-1]:.1f}; growth {growth:.1f} MiB, {verdict} {LIMIT_MIB:g} MiB"
    )
