"""What a sweep over shapes found: best and worst of each row, what is slow, and a picture.

python bench/gpu/shape_report.py [folder]       prints and draws the gpu_shapes.json of docs, or folder; needs no GPU
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

LOW = 0.4
"""Shares below this are named."""


@dataclass
class Cell:
    """One shape of one row."""

    shape: str
    source: str
    target: str
    filter: str
    kernel: str
    us: float = 0.0
    alone_us: float = 0.0
    floor_bytes_us: float = 0.0
    floor_sectors_us: float = 0.0
    start_us: float = 0.0
    """The least that a launch of all frames takes, a frame."""
    peers_us: dict[str, float] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """The name of its row."""
        return f"{self.source} → {self.target}, {self.filter}"

    @property
    def share(self) -> float:
        """The share of the floor in sectors; a launch that has no time to be quicker is at its floor."""
        return max(self.floor_sectors_us, self.start_us) / self.us

    @property
    def shares(self) -> str:
        """Shares of the floors in bytes and in sectors, and of the start where that is the larger one."""
        text = f"{self.floor_bytes_us / self.us:.2f} / {self.floor_sectors_us / self.us:.2f}"
        return text if self.start_us < self.floor_sectors_us else f"{text}, start {self.start_us / self.us:.2f}"


def extremes(cells: list[Cell]) -> list[Cell]:
    """Return the best and the worst cell of each row, by their share."""
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell)
    return [pick(row, key=lambda cell: cell.share) for row in rows.values() for pick in (max, min)]


def table(cells: list[Cell]) -> list[str]:
    """Return best and worst of each row, in Markdown."""
    lines = [
        "| 32 frames a launch | shape | kernel | µs a frame | share: bytes / sectors | one by one, µs | others, µs |"
    ]
    lines.append("|" + "---|" * 7)
    for number, cell in enumerate(extremes(cells)):
        name = cell.row if number % 2 == 0 else ""
        others = ", ".join(f"{peer} {us:.2f}" for peer, us in cell.peers_us.items())
        figures = f"{cell.us:.2f} | {cell.shares} | {cell.alone_us:.2f}"
        lines.append(f"| {name} | {cell.shape} | `{cell.kernel}` | {figures} | {others} |")
    return lines


def surprises(cells: list[Cell]) -> list[str]:
    """Return a line for each cell whose share is low, the lowest first."""
    low = sorted((cell for cell in cells if cell.share < LOW), key=lambda cell: cell.share)
    return [
        f"{cell.share:.2f} {cell.us:7.2f} us {cell.alone_us:7.2f} alone  {cell.row}: {cell.shape}  {cell.kernel}"
        for cell in low
    ]


def draw(cells: list[Cell], path: Path) -> None:
    """Draw the share of every cell, a row of the sweep a row of the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = list(dict.fromkeys(cell.row for cell in cells))
    shapes = list(dict.fromkeys(cell.shape for cell in cells))
    shares = {(cell.row, cell.shape): cell.share for cell in cells}
    grid = [[min(shares.get((row, shape), 0.0), 1.0) for shape in shapes] for row in rows]
    figure, axes = pyplot.subplots(figsize=(12, 8))
    axes.imshow(grid, cmap="RdYlGn", vmin=0.0, vmax=1.0, aspect="auto")
    for y, row in enumerate(rows):
        for x, shape in enumerate(shapes):
            if (row, shape) in shares:
                axes.text(x, y, f"{shares[row, shape]:.2f}", ha="center", va="center", fontsize=9)
    axes.set_xticks(range(len(shapes)), shapes, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_title("share of the floor in sectors, 32 frames a launch")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def write_report(about: dict[str, Any], cells: list[Cell], path: Path) -> None:
    """Write all cells, a line each; times to a nanosecond."""
    lines = [
        json.dumps(
            {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(cell).items()},
            ensure_ascii=False,
        )
        for cell in cells
    ]
    known = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in about.items())
    path.write_text(f'{{{known}, "cells": [\n' + ",\n".join(lines) + "\n]}\n")


def show(cells: list[Cell], folder: Path) -> None:
    """Print the tables, and draw where matplotlib is installed."""
    print("\n".join([*table(cells), "", f"shares below {LOW}:", *surprises(cells)]))
    (folder / "images").mkdir(exist_ok=True)
    try:
        draw(cells, folder / "images" / "gpu_shapes.png")
    except ImportError:
        print("no picture: matplotlib is not installed")


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    show([Cell(**cell) for cell in json.loads((where / "gpu_shapes.json").read_text())["cells"]], where)
