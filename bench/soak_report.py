"""The soak's picture, and its figures as they stand in docs/reliability.md."""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
CHANGES = 10_000
MAX_GROWTH_MIB = 8
BLOCK = re.compile(r"(<!-- soak: begin -->\n).*(<!-- soak: end -->)", re.DOTALL)


def growth_mib(samples: list[dict[str, Any]]) -> dict[str, float]:
    """Return the growth of RSS over stretches of a run, each from the median of its beginning to that of its end.

    The bound holds for the last 10,000 source changes: what comes before is warm-up. A run with fewer is judged from
    its first tenth on.
    """
    before = samples[-1].get("source changes", 0) - CHANGES
    starts = {"after the first tenth": len(samples) // 10, "in the second half": len(samples) // 2}
    if before > 0:
        starts["in the last 10,000 source changes"] = next(
            index for index, sample in enumerate(samples) if sample.get("source changes", 0) >= before
        )
    width = max(1, len(samples) // 20)
    rss = [sample["rss_mib"] for sample in samples]
    end = statistics.median(rss[-width:])
    return {name: end - statistics.median(rss[start : start + width]) for name, start in starts.items()}


def growth_failures(samples: list[dict[str, Any]]) -> list[str]:
    """Return the sentence about growth, if there was too much."""
    growth = growth_mib(samples)
    judged = growth.get("in the last 10,000 source changes", growth["after the first tenth"])
    return [f"RSS grew by {judged:.1f} MiB after warm-up: at most {MAX_GROWTH_MIB}"] if judged > MAX_GROWTH_MIB else []


def plot(result: dict[str, Any], path: Path) -> None:
    """Draw memory, threads and handles, work done and latency over time."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    samples = result["samples"]
    minutes = [sample["s"] / 60 for sample in samples]

    def series(name: str) -> list[float]:
        return [sample.get(name, 0) for sample in samples]

    figure, axes = plt.subplots(4, 1, figsize=(9, 9), sharex=True, layout="constrained")
    axes[0].plot(minutes, series("rss_mib"), color="tab:blue")
    axes[0].set_ylabel("RSS, MiB")
    axes[0].set_ylim(bottom=0)
    axes[1].plot(minutes, series("threads"), label="threads")
    axes[1].plot(minutes, series("handles"), label="file handles")
    axes[1].set_ylim(bottom=0)
    axes[1].legend(loc="upper right")
    axes[2].plot(minutes, [value / 1000 for value in series("accepted")], label="frames, thousands")
    axes[2].plot(minutes, [value / 100 for value in series("source changes")], label="source changes, hundreds")
    axes[2].plot(minutes, [value / 100 for value in series("lost")], label="frames reported lost, hundreds")
    axes[2].legend(loc="upper left")
    for name in ("p50", "p90", "p99"):
        axes[3].plot(minutes, [sample["latency_ms"].get(name) for sample in samples], label=name)
    axes[3].set_yscale("log")
    axes[3].set_ylabel("send to callback, ms")
    axes[3].set_xlabel("minutes")
    axes[3].legend(loc="upper right")
    for axis in axes:
        axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def figures(result: dict[str, Any]) -> str:
    """Return the table of a run."""
    counts, begin, end = result["counts"], result["begin"], result["end"]
    late = result["samples"][len(result["samples"]) // 10 :]
    errors = sum(number for name, number in counts.items() if name.startswith("errors at "))
    latency = {
        name: sorted(sample["latency_ms"][name] for sample in late if sample["latency_ms"])[len(late) // 2]
        for name in ("p50", "p90", "p99")
    }
    rows = {
        "command": f"`{result['command']}`",
        "date, machine": f"{result['date']}, {result['machine']}, {result['versions']}",
        "time, share of one core": f"{result['seconds']:,.0f} s, {100 * result['cpu_share']:.0f} %",
        "frames accepted": f"{counts['accepted']:,}",
        "… delivered / reported lost / silent by spec or gate / discarded by overflow policy": (
            f"{counts['delivered']:,} / {counts['lost']:,} / {counts['silent']:,} / {result['overflowed']:,}"
        ),
        "… unaccounted, twice or out of order": f"{result['unaccounted']}, {counts['out of order']}",
        "sources removed and added again": f"{counts['source changes']:,}",
        "hot swaps, visitors, evictions asked for": (
            f"{counts['hot swaps']:,}, {counts['visitors']:,}, {counts['evictions asked']:,}"
        ),
        "errors reported": f"{errors:,}",
        "RSS at the end": f"{end['rss_mib']:.0f} MiB",
        **{f"RSS {name}": f"{growth:+.1f} MiB" for name, growth in growth_mib(result["samples"]).items()},
        "threads, file handles: start → end": (
            f"{begin['threads']} → {end['threads']}, {begin['handles']} → {end['handles']}"
        ),
        "send to callback, median of the samples' p50 / p90 / p99": (
            f"{latency['p50']:.2f} / {latency['p90']:.2f} / {latency['p99']:.2f} ms"
        ),
        "shutdown of 32 sources": f"{result['shutdown_s']:.2f} s",
        "verdict": "; ".join(result["failures"]) or "within all bounds",
    }
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def write_page(result: dict[str, Any]) -> None:
    """Bring a run's figures and picture into docs/reliability.md."""
    page = DOCS / "reliability.md"
    text, found = BLOCK.subn(lambda match: match[1] + figures(result) + match[2], page.read_text())
    if not found:
        raise SystemExit(f"{page}: has no place for the figures of a soak")
    page.write_text(text)
    plot(result, DOCS / "images" / "soak.png")
