"""Figures of rounds, asked for by what was measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from suites import FLOOR, SWITCH_S

Figure = dict[str, Any]

DEFAULTS = {"preset": "ultrafast", "sources": 1, "spin": 0, "switch_s": SWITCH_S}
HIGH_IS_GOOD = {"frames_a_second", "cores", "fairness"}


class Ratio(NamedTuple):
    """One peer's figure as a multiple of another's."""

    of_best: float
    """Best round ÷ best round."""
    typical: float
    """Median of the rounds' own ratios."""

    def __str__(self) -> str:
        return f"{self.of_best:.2f} ({self.typical:.2f})"


class Figures:
    """All figures of one run of ``bench/peers``."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self.everything = list(figures)
        self._figures = [figure for figure in self.everything if "cpu_ms" in figure]
        self.rounds = 1 + max((figure["round"] for figure in self.everything), default=-1)
        self.errors = {figure["peer"]: figure["error"] for figure in self.everything if "error" in figure}
        """What a peer said that could not be measured."""

    def __bool__(self) -> bool:
        return bool(self._figures)

    def others(self) -> tuple[float, float]:
        """Return how many processors other programs kept busy: at the median, and at most."""
        shares = [figure["others"] for figure in self._figures]
        return median(shares), max(shares)

    def best(self, key: str, **wanted: object) -> float | None:
        """Return the figure of the best round: the lowest, or the highest where that is good."""
        values = [figure[key] for figure in self._of(wanted) if key in figure]
        if not values:
            return None
        return max(values) if key in HIGH_IS_GOOD else min(values)

    def ratio(self, peer: str, base: str = FLOOR, **wanted: object) -> Ratio | None:
        """Return the CPU time a frame of ``peer``, as a multiple of that of ``base``."""
        mine, theirs = self.best("cpu_ms", peer=peer, **wanted), self.best("cpu_ms", peer=base, **wanted)
        if mine is None or theirs is None:
            return None
        typical = self.typical("cpu_ms", wanted | {"peer": peer}, wanted | {"peer": base})
        return None if typical is None else Ratio(mine / theirs, typical)

    def typical(self, key: str, above: dict[str, object], below: dict[str, object]) -> float | None:
        """Return the median of the rounds' own ratios of two figures; None where no round has both."""
        high, low = ({figure["round"]: figure[key] for figure in self._of(wanted)} for wanted in (above, below))
        shared = high.keys() & low.keys()
        return median(high[number] / low[number] for number in shared) if shared else None

    def _of(self, wanted: dict[str, object]) -> list[Figure]:
        conditions = DEFAULTS | wanted
        return [f for f in self._figures if all(f.get(name) == value for name, value in conditions.items())]


class Results(NamedTuple):
    """Everything that a folder holds; what was not measured is empty."""

    machine: dict[str, Any]
    peers: Figures
    steps: dict[str, Any]
    """Of ``bench/steps.py``."""
    scheduling: dict[str, Any]
    """Of ``bench/scheduling.py``."""
    where: dict[str, dict[str, float]]
    """Of ``bench/where.py``."""
    benchmarks: dict[str, dict[str, Any]]
    """Of pytest-benchmark, by the test's name."""


def read(folder: Path) -> Results:
    """Read peers.json, steps.json, scheduling.json, where.json and benchmarks.json, as far as they are there."""
    peers = _read(folder / "peers.json")
    benchmarks = {item["name"]: item for item in _read(folder / "benchmarks.json").get("benchmarks", [])}
    return Results(
        peers.get("machine", {}),
        Figures(peers.get("figures", [])),
        _read(folder / "steps.json"),
        _read(folder / "scheduling.json"),
        _read(folder / "where.json"),
        benchmarks,
    )


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
