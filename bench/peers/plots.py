"""Figures as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from figures import Figures, Results
from suites import FLOOR
from tables import TITLES, WORKS

HIGHEST = 6
SHADES = ("#0b3954", "#3a7ca5", "#81b1d5", "#c9dfee")
NAMES = {
    "picasso": "picasso",
    "opencv_tuned": "OpenCV\ntuned",
    "opencv_plain": "OpenCV\nplain",
    "supervision": "supervision",
    "filter_graph": "PyAV\nfilter graph",
    "ffmpeg": "FFmpeg",
    "gstreamer": "GStreamer\nno drawing",
    "gstreamer_drawing": "GStreamer\ncairo",
}
STYLE = {
    "figure.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "font.size": 10,
    "svg.hashsalt": "picasso",
}


def write(results: Results, folder: Path) -> None:
    """Write ``peers.svg`` and ``sources.svg``."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(exist_ok=True)
    with pyplot.rc_context(STYLE):
        for name, plot, size in (("peers", _peers, (9, 3.8)), ("sources", _sources, (9, 3.4))):
            sheet = plot(results.peers, pyplot, size)
            sheet.tight_layout()
            sheet.savefig(folder / f"{name}.svg", metadata={"Date": None})
            pyplot.close(sheet)


def _peers(peers: Figures, pyplot: Any, size: tuple[float, float]) -> Any:
    sheet, axes = pyplot.subplots(figsize=size)
    shown = [peer for peer in NAMES if peers.ratio(peer, workload="W1")]
    for index, name in enumerate(WORKS):
        ratios = [peers.ratio(peer, workload=name) for peer in shown]
        heights = [ratio.of_best if ratio else 0 for ratio in ratios]
        places = [place + 0.2 * index - 0.3 for place in range(len(shown))]
        axes.bar(places, heights, 0.19, label=name, color=SHADES[index])
        for place, height in zip(places, heights, strict=True):
            if height > HIGHEST:
                axes.text(place, HIGHEST, f"{height:.0f}", ha="center", va="bottom", fontsize=8)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_ylim(0, HIGHEST)
    axes.set_ylabel("CPU a frame ÷ encode only")
    axes.set_xticks(range(len(shown)), [NAMES[peer] for peer in shown], fontsize=9)
    axes.legend(frameon=False, ncols=4, loc="upper left")
    return sheet


def _sources(peers: Figures, pyplot: Any, size: tuple[float, float]) -> Any:
    sheet, panels = pyplot.subplots(1, 2, figsize=size)
    for name, axes in zip(("W1", "W2"), panels, strict=True):
        for peer, title in TITLES.items():
            points = [
                (count, rate)
                for count in (1, 4, 16)
                if (rate := peers.best("frames_a_second", peer=peer, workload=name, sources=count)) is not None
            ]
            if points and points[-1][0] == 16:
                weight = {"picasso": 2.5}.get(peer, 1.2)
                style = "--" if peer == FLOOR else "-"
                axes.plot(*zip(*points, strict=True), style, marker="o", linewidth=weight, label=title.strip("*"))
        axes.set_xscale("log", base=2)
        axes.set_xticks([1, 4, 16], ["1", "4", "16"])
        axes.set_ylim(bottom=0)
        axes.set_title(f"{name}: frames/s of all sources", fontsize=10)
        axes.set_xlabel("sources")
    panels[1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return sheet
