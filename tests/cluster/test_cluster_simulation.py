"""The simulation of a cluster places sources as the cluster does, and counts what it says that it counts."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parents[2] / "bench" / "cluster"


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    return runpy.run_path(str(HOME / "simulate.py"))


@pytest.fixture(scope="module")
def costs(bench: dict[str, Any]) -> Any:
    return bench["Costs"].of(json.loads((HOME / "measured.json").read_text()))


def test_costs_are_straight_lines_through_what_was_measured(bench: dict[str, Any]) -> None:
    """Of figures that lie on a line, the line is found; what would cost less than nothing costs nothing."""
    rows = [
        {"actors": a, "sources_an_actor": s, "head_cpu": 0.01 + 0.002 * a + 3e-5 * a * s, "pulse_bytes": 900 + 600 * s}
        for a, s in ((1, 1), (1, 16), (2, 16), (4, 4), (1, 48))
    ]
    deaths = {"gap_s": [8.5, 9.0], "actor_again_s": [7.0]}
    costs = bench["Costs"].of({"streams": rows, "frames": {"720p h264": 921.6}, "deaths": deaths})
    assert costs.head_cores(100, 10_000) == pytest.approx(0.01 + 0.2 + 0.3)
    assert (costs.pulse_bytes, costs.pulse_bytes_a_source) == pytest.approx((900, 600))
    assert (costs.core_s_a_pixel, costs.gap_s, costs.start_s) == (pytest.approx(1e-6), 9.0, 7.0)
    falling = [{**row, "head_cpu": 0.05 - 1e-4 * row["actors"]} for row in rows]
    costs = bench["Costs"].of({"streams": falling, "frames": {"720p h264": 921.6}, "deaths": deaths})
    assert costs.head_an_actor == 0.0


def test_every_source_has_a_home_that_is_there_behind_churn_and_failures(bench: dict[str, Any], costs: Any) -> None:
    cluster = bench["Cluster"](400, costs, seed=3)
    cluster.random.seed(5)
    events: list[Any] = []
    for turn in range(40):
        cluster.change(7.5)
        cluster.fail(60.0 * turn, events)
        while events and events[0][0] < 60.0 * turn:
            cluster.actors[bench["heapq"].heappop(events)[3]] = 1.0
        assert set(cluster.homes) == set(cluster.weights)
        assert set(cluster.homes.values()) <= set(cluster.actors)
        assert len(cluster.weights) == 400
    assert cluster.moved["failures"] * costs.gap_s == pytest.approx(cluster.dark_s)
    assert cluster.came == pytest.approx(40 * 7.5, abs=25)


def test_more_sources_take_more_of_a_head_until_several_share_them(bench: dict[str, Any], costs: Any) -> None:
    small, large = (bench["simulate"](count, 2.0, costs) for count in (100, 20_000))
    assert small.heads == 1 < large.heads
    a_head = costs.head_cores(-(-large.nodes // large.heads), -(-large.sources // large.heads))
    assert a_head <= bench["HEAD_FULL"] < large.head_cores
    assert 1.0 <= large.spread < 1.25
    assert large.cores == large.nodes * bench["CORES"]
