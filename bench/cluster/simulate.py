"""A cluster of 10, 1,000 and 100,000 sources, by the functions that place them and by what was measured.

``python bench/cluster/simulate.py`` reads ``measured.json``, takes less than a minute, and writes ``simulated.json``
and the plot of ``docs/cluster_design.md``.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from picasso.cluster.placement import assign, loads_of, rebalance, weight_of

HERE = Path(__file__).parent
PLOT = HERE.parents[1] / "docs" / "images" / "cluster.svg"
SIZES = {10: 24.0 * 30, 1_000: 24.0 * 7, 100_000: 1.0}
"""Sources, and the hours that pass: long enough for failures to come."""
KINDS = (((1280, 720), 25.0, 0.7), ((1920, 1080), 25.0, 0.25), ((3840, 2160), 15.0, 0.05))
"""Size, frames a second, share of the sources."""
CORES = 16
"""Of a node; each node is one actor."""
FULL = 0.6
"""Share of a node's cores that sources are planned to take."""
COME_AND_GO = 0.10
"""Share of the sources that leave in an hour, and as many that come."""
NODE_HOURS = 24 * 30
"""Mean hours between two failures of a node."""
ACTOR_HOURS = 24 * 7
"""The same of an actor's process alone."""
NODE_AGAIN_S = 300.0
"""Seconds until a node that failed is there again."""
PULSE_S = 1.0
MOST_STEPS = 1_000
"""Moments at which sources come and go."""
HEAD_FULL = 0.5
"""Share of a core that a head's hearing may take: the rest is for sources that move, requests and pauses."""
BITS_S = 4e6
"""Of a source of 720p, as it comes; others by their pixels."""


@dataclass
class Outcome:
    """What a cluster looked like."""

    sources: int
    hours: float
    """That pass."""
    nodes: int
    cores: int
    spread: float
    """Load of the fullest actor over the mean, at the start."""
    spread_end: float
    """The same at the end, with what rebalancing moved."""
    assign_s: float
    """Seconds of the first placement."""
    lost_nodes: int
    lost_actors: int
    came: int
    moved_by_failures: int
    moved_by_rebalance: int
    dark_share: float
    """Share of all the time of all sources in which nothing came out, because of failures."""
    longest_dark_s: float
    head_cores: float
    """What hearing all actors takes, in cores."""
    heads: int
    """Modules, each with a head, that share the sources so that no head takes more than ``HEAD_FULL``."""
    pulse_mb_s: float
    """What actors tell heads, megabytes a second."""
    video_gb_s: float
    """What cameras send to nodes, gigabytes a second; it does not pass heads."""
    simulated_in_s: float


@dataclass(frozen=True)
class Costs:
    """What was measured, as straight lines."""

    core_s_a_pixel: float
    head_base: float
    head_an_actor: float
    head_a_source: float
    pulse_bytes: float
    pulse_bytes_a_source: float
    gap_s: float
    start_s: float

    @classmethod
    def of(cls, measured: Mapping[str, Any]) -> Costs:
        """Fit what was measured."""
        rows = measured["streams"]
        actors = np.array([row["actors"] for row in rows], float)
        sources = np.array([row["actors"] * row["sources_an_actor"] for row in rows], float)
        head = _line(np.stack([np.ones(len(rows)), actors, sources], 1), [row["head_cpu"] for row in rows])
        each = np.array([row["sources_an_actor"] for row in rows], float)
        pulse = _line(np.stack([np.ones(len(rows)), each], 1), [row["pulse_bytes"] for row in rows])
        pixels = 1280 * 720
        return cls(
            core_s_a_pixel=measured["frames"]["720p h264"] / 1e3 / pixels,
            head_base=head[0],
            head_an_actor=head[1],
            head_a_source=head[2],
            pulse_bytes=pulse[0],
            pulse_bytes_a_source=pulse[1],
            gap_s=max(measured["deaths"]["gap_s"]),
            start_s=max(measured["deaths"]["actor_again_s"]),
        )

    def head_cores(self, actors: int, sources: int) -> float:
        """Return what a head takes, in cores."""
        return self.head_base + self.head_an_actor * actors + self.head_a_source * sources


def _line(terms: np.ndarray, values: list[float]) -> list[float]:
    """Fit values by terms, none of them below 0: what is below the noise costs nothing."""
    kept = list(range(terms.shape[1]))
    while True:
        found = np.linalg.lstsq(terms[:, kept], np.array(values, float), rcond=None)[0]
        if not (found < 0).any() or len(kept) == 1:
            break
        kept.pop(int(np.argmin(found)))
    result = [0.0] * terms.shape[1]
    for index, value in zip(kept, found, strict=True):
        result[index] = max(float(value), 0.0)
    return result


class Cluster:
    """Sources on actors while hours pass. Time is simulated; placement is the real one."""

    def __init__(self, count: int, costs: Costs, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.costs = costs
        self.names = 0
        self.weights: dict[str, float] = {}
        for _ in range(count):
            self.add()
        total = sum(self.weights.values()) * costs.core_s_a_pixel
        self.nodes = max(int(np.ceil(total / (CORES * FULL))), 2)
        self.actors = {f"n{number}": 1.0 for number in range(self.nodes)}
        started = time.perf_counter()
        self.homes = assign(self.weights, self.actors, {})
        self.assign_s = time.perf_counter() - started
        self.dark_s = 0.0
        self.longest_dark_s = 0.0
        self.moved = {"failures": 0, "rebalance": 0}
        self.lost = {"node": 0, "actor": 0}
        self.came = 0

    def add(self) -> str:
        """Add a source of a kind, and return its name."""
        name = f"s{self.names}"
        self.names += 1
        ((size_wh, rate, _share),) = self.random.choices(KINDS, [share for _, _, share in KINDS])
        self.weights[name] = weight_of(rate, size_wh)
        return name

    def spread(self) -> float:
        """Return the load of the fullest actor over the mean."""
        loads = list(loads_of(self.weights, self.homes, self.actors).values())
        return max(loads) * len(loads) / sum(loads)

    def fail(self, now_s: float, events: list[tuple[float, int, str, str]]) -> None:
        """Lose a node or an actor: its sources go elsewhere when its lease is over."""
        kind = "node" if self.random.random() < ACTOR_HOURS / (ACTOR_HOURS + NODE_HOURS) else "actor"
        name = self.random.choice(sorted(self.actors))
        lost = [source for source, home in self.homes.items() if home == name]
        self.lost[kind] += 1
        gap_s = self.costs.gap_s
        self.dark_s += gap_s * len(lost)
        self.longest_dark_s = max(self.longest_dark_s, gap_s if lost else 0.0)
        self.moved["failures"] += len(lost)
        if len(self.actors) > 1:
            del self.actors[name]
        again_s = self.costs.start_s + (NODE_AGAIN_S if kind == "node" else 0.0)
        heapq.heappush(events, (now_s + again_s, self.names + len(events), "again", name))
        for source in lost:
            del self.homes[source]
        self.homes = assign(self.weights, self.actors, self.homes)

    def change(self, count: float) -> None:
        """Let sources go, and as many come."""
        number = int(count) + (self.random.random() < count % 1)
        for source in self.random.sample(sorted(self.weights), min(number, len(self.weights) - 1)):
            del self.weights[source], self.homes[source]
            self.add()
            self.came += 1
        if number:
            self.homes = assign(self.weights, self.actors, self.homes)

    def even_out(self, most: int) -> None:
        """Move what brings the fullest actors nearer to the others."""
        for move in rebalance(self.weights, self.actors, self.homes, most=most):
            self.homes[move.source_id] = move.new
            self.moved["rebalance"] += 1


def simulate(count: int, hours: float, costs: Costs) -> Outcome:
    """Let hours pass."""
    started = time.perf_counter()
    cluster = Cluster(count, costs)
    spread, nodes = cluster.spread(), cluster.nodes
    rate = nodes / (NODE_HOURS * 3600) + nodes / (ACTOR_HOURS * 3600)
    events: list[tuple[float, int, str, str]] = []
    now_s, order = 0.0, 0
    while (now_s := now_s + cluster.random.expovariate(rate)) < hours * 3600:
        order += 1
        heapq.heappush(events, (now_s, order, "fail", ""))
    steps = min(int(hours * 60), MOST_STEPS)
    for step in range(1, steps + 1):
        heapq.heappush(events, (hours * 3600 * step / steps, -step, "change", ""))
    while events:
        now_s, _, what, name = heapq.heappop(events)
        if now_s > hours * 3600:
            break
        if what == "fail":
            cluster.fail(now_s, events)
        elif what == "again":
            cluster.actors[name] = 1.0
        else:
            cluster.change(count * COME_AND_GO * hours / steps)
    cluster.even_out(40 if count > 10_000 else 1_000)
    head_cores = costs.head_cores(nodes, count)
    heads = 1
    while costs.head_cores(-(-nodes // heads), -(-count // heads)) > HEAD_FULL:
        heads += 1
    pixels = sum(cluster.weights.values()) / 25 / len(cluster.weights)
    return Outcome(
        sources=count,
        hours=hours,
        nodes=nodes,
        cores=nodes * CORES,
        spread=round(spread, 3),
        spread_end=round(cluster.spread(), 3),
        assign_s=round(cluster.assign_s, 3),
        lost_nodes=cluster.lost["node"],
        lost_actors=cluster.lost["actor"],
        came=cluster.came,
        moved_by_failures=cluster.moved["failures"],
        moved_by_rebalance=cluster.moved["rebalance"],
        dark_share=cluster.dark_s / (count * hours * 3600),
        longest_dark_s=round(cluster.longest_dark_s, 1),
        head_cores=round(head_cores, 3),
        heads=heads,
        pulse_mb_s=round((costs.pulse_bytes * nodes + costs.pulse_bytes_a_source * count) / PULSE_S / 1e6, 3),
        video_gb_s=round(count * BITS_S * pixels / (1280 * 720) / 8 / 1e9, 3),
        simulated_in_s=round(time.perf_counter() - started, 2),
    )


def plot(costs: Costs, found: list[Outcome]) -> None:
    """Draw what a head takes, and how evenly actors are loaded."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "picasso", "svg.fonttype": "none", "font.size": 9}
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    counts = np.geomspace(10, 100_000, 60)
    a_node = found[-1].sources / found[-1].nodes
    left.loglog(
        counts, [costs.head_cores(int(np.ceil(count / a_node)), int(count)) for count in counts], label="one head"
    )
    left.axhline(HEAD_FULL, color="grey", linestyle="--", label=f"limit: {HEAD_FULL:g} of a core")
    left.loglog([one.sources for one in found], [one.head_cores for one in found], "o", color="C0")
    left.set(xlabel="sources", ylabel="cores", title="What hearing all actors once a second takes")
    left.legend()
    names = [f"{one.sources:,}" for one in found]
    places = np.arange(len(found))
    right.bar(places - 0.2, [one.spread for one in found], 0.4, label="first placement")
    right.bar(places + 0.2, [one.spread_end for one in found], 0.4, label="behind churn and failures")
    right.axhline(1.0, color="grey", linestyle="--")
    right.set(xticks=places, xlabel="sources", title="Load of the fullest actor ÷ mean", ylim=(0.9, 1.2))
    right.set_xticklabels(names)
    right.legend(loc="upper left")
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-plot", action="store_true", help="write no plot")
    wanted = parser.parse_args()
    measured = json.loads((HERE / "measured.json").read_text())
    costs = Costs.of(measured)
    found = [simulate(count, hours, costs) for count, hours in SIZES.items()]
    if not wanted.no_plot:
        plot(costs, found)
    said = {"measured": measured["date"], "costs": asdict(costs), "outcomes": [asdict(one) for one in found]}
    (HERE / "simulated.json").write_text(json.dumps(said, indent=1) + "\n")
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()
