"""Figures to tables and a picture, in the part of docs/performance.md that belongs to this bench."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Figure = dict[str, Any]

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- begin: python bench/peers page -->\n", "<!-- end -->\n"
FLOOR = "encode_only"
TITLES = {
    "encode_only": "encode only, the floor",
    "picasso": "**picasso**",
    "opencv_tuned": "OpenCV + PyAV, tuned by hand",
    "opencv_plain": "OpenCV + PyAV, as first written",
    "supervision": "supervision + PyAV",
    "filter_graph": "PyAV's filter graph, no text",
    "ffmpeg": "FFmpeg's command line, no text",
    "gstreamer": "GStreamer, drawing nothing",
    "gstreamer_drawing": "GStreamer with cairo",
}


def write(files: Iterable[Path]) -> None:
    """Replace the bench's part of the page, and the picture, by what ``files`` hold."""
    figures = [figure for file in files for figure in json.loads(file.read_text()) if "cpu_ms" in figure]
    text = "\n".join(part for part in (_machine(figures), _one(figures), _many(figures), _busy(figures)) if part)
    page = DOCS / "performance.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(before + BEGIN + text + END + after)
    _plot(figures, DOCS / "images" / "peers.png")


def _machine(figures: list[Figure]) -> str:
    rounds = 1 + max(figure["round"] for figure in figures)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} processors, Python {platform.python_version()}; best of {rounds} interleaved rounds, each figure a "
        "process of its own. CPU time is user and system time of the whole process.\n"
    )


def _best(figures: Iterable[Figure], key: str = "cpu_ms", **wanted: object) -> float | None:
    """Return the figure of the best round: the lowest cost, or the highest of anything else."""
    values = [figure[key] for figure in figures if all(figure.get(name) == value for name, value in wanted.items())]
    if not values:
        return None
    return min(values) if key in {"cpu_ms", "faults", "rss_mib"} else max(values)


def _ratio(figures: list[Figure], peer: str, **wanted: object) -> str:
    cost, floor = _best(figures, peer=peer, **wanted), _best(figures, peer=FLOOR, **wanted)
    return f"{cost / floor:.2f}" if cost and floor else "–"


def _one(figures: list[Figure]) -> str:
    single = [figure for figure in figures if figure["sources"] == 1 and not figure["spin"]]
    columns = [("ultrafast", name) for name in ("W1", "W1b", "W2", "W3")] + [("veryfast", "W1")]
    lines = ["### One source: CPU time a frame, as a multiple of encoding alone\n"]
    lines += ["| | " + " | ".join(f"{name} {preset}" for preset, name in columns) + " |", "|---" * 6 + "|"]
    for peer, title in TITLES.items():
        cells = [_ratio(single, peer, preset=preset, workload=name) for preset, name in columns]
        if peer == FLOOR:
            found = [_best(single, peer=peer, preset=preset, workload=name) for preset, name in columns]
            cells = [f"{cost:.2f} ms" if cost else "–" for cost in found]
        if set(cells) != {"–"}:
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _many(figures: list[Figure]) -> str:
    calm = [figure for figure in figures if not figure["spin"] and figure["preset"] == "ultrafast"]
    lines = [
        "### Many sources\n",
        "| | work | sources | CPU ms | frames/s | cores busy | min ÷ max frames | faults | RSS MiB |",
    ]
    lines.append("|---" * 9 + "|")
    for name in ("W1", "W2"):
        for peer, title in TITLES.items():
            for sources in (1, 4, 16):
                wanted = {"peer": peer, "workload": name, "sources": sources}
                if peer in {"picasso", FLOOR} or sources > 1:
                    keys = ("cpu_ms", "frames_a_second", "cores", "fairness", "faults", "rss_mib")
                    values = [_best((f for f in calm if key in f), key, **wanted) for key in keys]
                    if values[0] is not None:
                        cells = [
                            "–" if value is None else f"{value:.{d}f}"
                            for value, d in zip(values, (2, 0, 2, 2, 2, 0), strict=True)
                        ]
                        lines.append(f"| {title} | {name} | {sources} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _busy(figures: list[Figure]) -> str:
    lines = ["### Beside a thread of pure Python that is never idle: frames/s kept, W1\n"]
    lines += ["| | interval 0.5 ms | interval 5 ms |", "|---|---|---|"]
    rows = len(lines)
    for peer, title in TITLES.items():
        alone = _best(figures, "frames_a_second", peer=peer, workload="W1", sources=1, spin=0, switch_s=0.0005)
        kept = [
            _best(figures, "frames_a_second", peer=peer, workload="W1", sources=1, spin=1, switch_s=switch_s)
            for switch_s in (0.0005, 0.005)
        ]
        if alone and all(kept):
            lines.append(f"| {title} | " + " | ".join(f"{100 * (rate or 0) / alone:.0f} %" for rate in kept) + " |")
    return "\n".join(lines) + "\n" if len(lines) > rows else ""


def _plot(figures: list[Figure], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    single = [
        figure
        for figure in figures
        if figure["sources"] == 1 and figure["preset"] == "ultrafast" and not figure["spin"]
    ]
    peers = [peer for peer in TITLES if peer != FLOOR and _best(single, peer=peer) is not None]
    sheet, axes = pyplot.subplots(figsize=(9, 4.2))
    for index, name in enumerate(("W1", "W1b", "W2", "W3")):
        floor = _best(single, peer=FLOOR, workload=name)
        costs = [_best(single, peer=peer, workload=name) for peer in peers]
        heights = [cost / floor if cost and floor else 0 for cost in costs]
        axes.bar([place + 0.2 * index - 0.3 for place in range(len(peers))], heights, 0.2, label=name)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_ylim(0, 6)
    axes.set_ylabel("CPU a frame ÷ encoding alone")
    axes.set_xticks(range(len(peers)), [peer.replace("_", "\n") for peer in peers], fontsize=8)
    axes.legend()
    axes.set_title("One source, 20 labelled boxes, x264 ultrafast; bars that reach the top go on")
    sheet.tight_layout()
    path.parent.mkdir(exist_ok=True)
    sheet.savefig(path, dpi=110)
