"""Figures into bench/performance-ledger.md: tables between marks, pictures in docs, raw figures in performance.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import plots
from figures import Results, read
from tables import TABLES

BENCH = Path(__file__).parents[1]
IMAGES = BENCH.parent / "docs" / "images"
FILES = ("peers", "steps", "scheduling")


def write(folder: Path) -> None:
    """Replace the tables of the page by what the files in ``folder`` say; a table without figures stays as it is."""
    results, page = read(folder), BENCH / "performance-ledger.md"
    text = page.read_text()
    for make in TABLES:
        if body := make(results):
            mark = re.compile(rf"(<!-- begin {make.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
            text, count = mark.subn(lambda found, body=body: f"{found[1]}{body}\n{found[2]}", text)
            if count != 1:
                raise SystemExit(f"{page} has {count} places for {make.__name__}")
    page.write_text(text)
    if results.peers:
        plots.write(results, IMAGES)
    (BENCH / "performance.json").write_text(
        json.dumps(_kept(results), separators=(",", ":")).replace("},{", "},\n{") + "\n"
    )


def _kept(results: Results) -> dict[str, Any]:
    """Return the figures that the page stands on, to four digits."""
    benchmarks = {
        name: {"stats": {key: item["stats"][key] for key in ("min", "median", "rounds")}, "notes": item["extra_info"]}
        for name, item in results.benchmarks.items()
    }
    kept = results._asdict() | {"peers": results.peers.everything, "benchmarks": benchmarks}
    return cast("dict[str, Any]", _rounded(kept))


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
