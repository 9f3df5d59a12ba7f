"""The soak's picture, and its figures as they stand in tests/reliability-ledger.md."""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CHANGES, FRAMES = 10_000, 100_000
MAX_GROWTH_MIB = 8
WHOLE, STRETCH = "after the first tenth", f"in any stretch of {CHANGES:,} source changes and {FRAMES:,} frames, at most"
BLOCK = re.compile(r"(<!-- soak: begin -->\n).*(<!-- soak: end -->)", re.DOTALL)


def growth_mib(samples: list[dict[str, Any]]) -> dict[str, float]:
    """Return by how much RSS grew after the warm-up, which is the first tenth of a run.

    Each figure is that from the median of a twentieth of the samples to that of another. ``STRETCH`` is there only if
    the run is long enough for one.
    """
    width = max(1, len(samples) // 20)
    rss = [sample["rss_mib"] for sample in samples]
    tenth, last = len(samples) // 10, len(samples) - 1

    def between(start: int, end: int) -> float:
        return statistics.median(rss[max(0, end - width + 1) : end + 1]) - statistics.median(rss[start : start + width])

    growth = {WHOLE: between(tenth, last), "in the second half": between(len(samples) // 2, last)}
    stretches = [between(start, end) for start in range(tenth, last) if (end := _end_of_stretch(samples, start))]
    return growth | ({STRETCH: max(stretches)} if stretches else {})


def _end_of_stretch(samples: list[dict[str, Any]], start: int) -> int | None:
    """Return the first sample that is ``CHANGES`` source changes and ``FRAMES`` frames behind that of ``start``."""
    changes, frames = samples[start].get("source changes", 0) + CHANGES, samples[start].get("accepted", 0) + FRAMES
    reached = (
        index
        for index in range(start, len(samples))
        if samples[index].get("source changes", 0) >= changes and samples[index].get("accepted", 0) >= frames
    )
    return next(reached, None)


def growth_failures(samples: list[dict[str, Any]]) -> list[str]:
    """Return the sentence about growth, if there was too much; a run too short for a stretch is judged as a whole."""
    growth = growth_mib(samples)
    where = STRETCH if STRETCH in growth else WHOLE
    if growth[where] <= MAX_GROWTH_MIB:
        return []
    return [f"RSS grew by {growth[where]:.1f} MiB {where.removesuffix(', at most')}: at most {MAX_GROWTH_MIB}"]


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
    axes[1].legend(loc="center right")
    axes[2].plot(minutes, [value / 1000 for value in series("accepted")], label="frames, thousands")
    axes[2].plot(minutes, [value / 100 for value in series("source changes")], label="source changes, hundreds")
    axes[2].plot(minutes, [value / 100 for value in series("lost")], label="frames reported lost, hundreds")
    axes[2].legend(loc="upper left")
    for name in ("p50", "p90", "p99"):
        axes[3].plot(minutes, [sample["latency_ms"].get(name) for sample in samples], label=name)
    axes[3].set_yscale("log")
    axes[3].set_ylabel("send to callback, ms")
    axes[3].set_xlabel("minutes")
    axes[3].set_ylim(top=10 * axes[3].get_ylim()[1])
    axes[3].legend(loc="upper right", ncols=3)
    for axis in axes:
        axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def figures(result: dict[str, Any]) -> str:
    """Return the table of a run."""
    counts, begin, end = result["counts"], result["begin"], result["end"]
    late = result["samples"][len(result["samples"]) // 10 :]
    others = [failure for failure in result["failures"] if not failure.startswith("RSS")]
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
        "verdict": "; ".join(growth_failures(result["samples"]) + others) or "within all bounds",
    }
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def write_page(result: dict[str, Any]) -> None:
    """Bring a run's figures and picture into tests/reliability-ledger.md."""
    page = ROOT / "tests" / "reliability-ledger.md"
    text, found = BLOCK.subn(lambda match: match[1] + figures(result) + match[2], page.read_text())
    if not found:
        raise SystemExit(f"{page}: has no place for the figures of a soak")
    page.write_text(text)
    plot(result, ROOT / "docs" / "images" / "soak.png")
