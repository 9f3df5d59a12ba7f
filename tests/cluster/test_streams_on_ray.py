"""A module on a real Ray of several nodes: actors and nodes die, and every source goes on."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from ports import free_port
from ray_kit import RATE, WITNESS, pictures_of, ray_cluster, runs_of, until, write_clip

from picasso.cluster import ClusterModule, Needs
from picasso.cluster.actors import CALLS
from picasso.errors import ClusterError, OperationError

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default"), pytest.mark.timeout(280)]
SOURCES = 32
FRAMES = 60 * RATE
PATIENCE_S = 120.0
"""What a busy machine may take: the wait ends when what it waits for has come."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ra") as folder, ray_cluster(3, Path(folder)) as found:
        yield found


def config_of(tmp_path: Path, clip: Path, names: list[str], **properties: Any) -> Path:
    """A module file that reads one clip under many names, with a witness among its elements."""
    (tmp_path / "witness.py").write_text(WITNESS)
    for folder in ("out", "seen"):
        (tmp_path / folder).mkdir(exist_ok=True)
    module = {
        "name": "many",
        "parameters": {"frame": {"width": None, "height": None}, "output_frame": {"codec": "h264"}},
        "pipeline": {
            "source": [
                {"element": "uridecodebin", "properties": {"uri": str(clip), "source_id": name, **properties}}
                for name in names
            ],
            "elements": [
                {
                    "element": "pyfunc",
                    "module": "witness.py",
                    "class_name": "Witness",
                    "kwargs": {"folder": str(tmp_path / "seen")},
                }
            ],
            "sink": [
                {
                    "element": "video_file_sink",
                    "properties": {"location": str(tmp_path / "out" / "{source}" / "{index:03d}.mp4")},
                }
            ],
        },
    }
    path = tmp_path / "module.yml"
    path.write_text(json.dumps(module))
    return path


def test_32_sources_come_back_after_an_actor_and_a_node_are_killed_and_nothing_is_lost_or_twice(
    cluster: Any, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", FRAMES)
    names = [f"cam{number:02d}" for number in range(SOURCES)]
    file = config_of(tmp_path, clip, names, pace=True)
    with ClusterModule(file, address=cluster.address, actors=3, web=0) as module:
        sources = lambda: module.statistics().sources  # noqa: E731
        until(module, lambda: all(one.account.left for one in sources().values()), PATIENCE_S, "all sources run")
        rows = {row["actor"]: row for row in module.actors()}
        assert len({row["node"] for row in rows.values()}) == 3  # one on each node
        shares = {name: [s for s in module.source_records() if s["actor"] == name] for name in rows}
        assert max(map(len, shares.values())) - min(map(len, shares.values())) <= 1

        os.kill(rows["actor-0"]["pid"], signal.SIGKILL)
        lost = {record["source_id"] for record in shares["actor-0"]}
        until(module, lambda: lost <= {gap.source_id for gap in module.gaps}, PATIENCE_S, "the sources of an actor")

        known = len(module.gaps)
        rows = {row["actor"]: row for row in module.actors()}
        victim = next(row for row in rows.values() if row["actor"] != "actor-0" and row["node"])
        lost = {r["source_id"] for r in module.source_records() if r["actor"] == victim["actor"]}
        (node,) = [node for node in cluster.joined if victim["node"].endswith(node.node_id[:6])]
        cluster.remove_node(node, allow_graceful=False)
        until(
            module, lambda: lost <= {gap.source_id for gap in module.gaps[known:]}, PATIENCE_S, "the sources of a node"
        )

        page = json.load(urllib.request.urlopen(f"{module.web.page}/sources"))
        assert {one["source_id"] for one in page} == set(names)
        until(module, lambda: module.is_over, PATIENCE_S, "all sources end")
        statistics = module.statistics()
    pictures = pictures_of(tmp_path / "out")
    assert set(pictures) == set(names)
    reported = sum(gap.lost_frames for gap in module.gaps)
    for name in names:
        account = statistics.sources[name].account
        assert len(set(pictures[name])) == len(pictures[name])  # no picture is in two files
        assert account.came == account.left + sum(account.dropped.values()) == FRAMES
        assert account.left == len(pictures[name])
    assert sum(map(len, pictures.values())) + reported == SOURCES * FRAMES
    for runs in runs_of(tmp_path / "seen").values():
        for (_, last_ns, _), (first_ns, _, _) in itertools.pairwise(runs):
            assert last_ns < first_ns  # never two at once


def test_a_source_joins_leaves_and_moves_while_the_others_run_and_the_stop_finishes_every_file(
    cluster: Any, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 400)
    file = config_of(tmp_path, clip, ["one", "two"], pace=True)
    with ClusterModule(file, address=cluster.address, actors=2, web=0) as module:
        sources = lambda: module.statistics().sources  # noqa: E731
        until(module, lambda: all(one.account.left for one in sources().values()), PATIENCE_S, "both run")
        entry = {"element": "uridecodebin", "properties": {"uri": str(clip), "source_id": "three", "pace": True}}
        request = urllib.request.Request(
            f"{module.web.page}/sources", json.dumps(entry).encode(), {"content-type": "application/json"}
        )
        assert json.load(urllib.request.urlopen(request)) == {"source_id": "three"}
        with pytest.raises(OperationError, match="in use"):
            module.add_source(entry)
        with pytest.raises(OperationError, match="nothing_like_it"):
            module.add_source({"element": "nothing_like_it"})
        until(module, lambda: bool(sources()["three"].account.left), PATIENCE_S, "the third runs")
        gone = module.remove_source("three")
        assert gone.came == gone.left > 0
        assert "three" not in sources()
        assert len(pictures_of(tmp_path / "out")["three"]) == gone.left
        with pytest.raises(OperationError, match="no source 'three'"):
            module.remove_source("three")
        actors = json.load(urllib.request.urlopen(f"{module.web.page}/actors"))
        assert [one["state"] for one in actors] == ["running", "running"]
    assert module.state == "stopped"
    pictures = pictures_of(tmp_path / "out")
    for name, one in module.statistics().sources.items():
        assert len(pictures[name]) == one.account.left == one.account.came
    assert not list((tmp_path / "out").rglob("*.part*"))


def test_an_actor_keeps_its_lease_and_ends_in_order_while_other_calls_take_all_its_threads(
    cluster: Any, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 400)
    file = config_of(tmp_path, clip, ["one"], pace=True)
    with ClusterModule(file, address=cluster.address, actors=1) as module:
        until(module, lambda: bool(module.statistics().sources["one"].account.left), PATIENCE_S, "it runs")
        module.ask("one", "pause", "one")
        (slot,) = module._slots
        busy = [slot.handle.ask.remote(slot.incarnation, "snapshot", "one", 60.0) for _ in range(CALLS)]
        assert len(busy) == CALLS
        before_s = slot.pulse.stamp_s
        until(
            module, lambda: slot.pulse is not None and slot.pulse.stamp_s > before_s + 2, PATIENCE_S, "it is heard of"
        )
        assert slot.restarts == 0
    assert not list((tmp_path / "out").rglob("*.part*"))


def test_an_element_that_fails_stops_the_module_and_says_where(cluster: Any, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 16)
    file = config_of(tmp_path, clip, ["one"])
    (tmp_path / "witness.py").write_text(
        "class Witness:\n    def __init__(self, folder): pass\n"
        "    def __call__(self, frame): raise ValueError('no such luck')\n"
    )
    with pytest.raises(ClusterError, match="no such luck"):
        ClusterModule(file, address=cluster.address, actors=1).run()


def test_code_that_does_not_load_is_the_error_of_the_start(cluster: Any, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 16)
    file = config_of(tmp_path, clip, ["one"])
    (tmp_path / "witness.py").write_text("import no_such_library\n")
    with pytest.raises(ClusterError, match="no_such_library"):
        ClusterModule(file, address=cluster.address, actors=1).run()


def test_the_example_runs_from_the_command_line_and_lists_who_listens_where(cluster: Any, tmp_path: Path) -> None:
    module = Path(__file__).parents[2] / "docs" / "examples" / "cluster" / "module.yml"
    command = [sys.executable, "-m", "picasso", "run", str(module), "--ray", cluster.address, "--actors", "2"]
    ran = subprocess.run(
        [*command, "--cpus", "0.5"],
        check=False,
        env={**os.environ, "OUT": str(tmp_path / "out")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout + ran.stderr
    assert "head: listens nowhere" in said
    assert "actor-1: " in said
    assert "240 frames in = 240 out + 0 dropped" in said
    names = {"north", "east", "south", "west", "yard", "gate"}
    assert {path.stem for path in (tmp_path / "out").glob("*.mp4")} == names
    lines = [json.loads(line) for path in (tmp_path / "out").glob("*.ndjson") for line in path.read_text().splitlines()]
    frames = [line for line in lines if line["schema"] == "VideoFrame"]
    found = [one["attributes"][0]["value"] for line in frames for one in line["metadata"]["objects"]]
    assert len(frames) == len(found) == 240
    assert len(set(found)) == 2  # two processes have worked on them


def test_a_frozen_process_that_comes_back_delivers_nothing_and_a_live_source_reports_its_gap(
    cluster: Any, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 50 * RATE)
    file = config_of(tmp_path, clip, ["one", "two"], pace=True)
    tree = json.loads(file.read_text())
    tree["parameters"] |= {
        "healthcheck_port": free_port(),
        "telemetry": {"metrics": {"provider": "prometheus", "provider_params": {"port": free_port()}}},
    }
    live = {"source_id": "live", "is-live": True, "framerate": RATE, "width": 64, "height": 48}
    tree["pipeline"]["source"].append({"element": "videotestsrc", "properties": live})
    tree["pipeline"]["sink"].append(
        {"element": "zeromq_sink", "properties": {"socket": "pub+bind:tcp://127.0.0.1:5999"}}
    )
    file.write_text(json.dumps(tree))
    with ClusterModule(file, address=cluster.address, actors=2, needs=Needs(cpus=0.5)) as module:
        sources = lambda: module.statistics().sources  # noqa: E731
        until(module, lambda: all(one.account.left for one in sources().values()), PATIENCE_S, "all run")
        listed = [actor["addresses"] for actor in module.actors()]
        assert all({"health", "metrics", "sink 1"} <= set(one) for one in listed)
        assert len({address for one in listed for address in one.values()}) == 6  # no port twice
        for address in (module.web.metrics, listed[0]["metrics"].removesuffix("/metrics")):
            text = urllib.request.urlopen(f"{address}/metrics").read().decode()
            assert 'actor="actor-' in text
            assert 'node="' in text
        text = urllib.request.urlopen(f"{module.web.health}/metrics").read().decode()
        assert text.count("# TYPE picasso_source_frames_received_total") == 1
        assert {name for name in ("one", "two", "live") if f'source_id="{name}"' in text} == {"one", "two", "live"}

        home = {record["source_id"]: record["actor"] for record in module.source_records()}["live"]
        frozen = {record["source_id"] for record in module.source_records() if record["actor"] == home}
        process = next(actor["pid"] for actor in module.actors() if actor["actor"] == home)
        os.kill(process, signal.SIGSTOP)
        try:
            until(module, lambda: frozen <= {gap.source_id for gap in module.gaps}, PATIENCE_S, "frozen sources go on")
        finally:
            os.kill(process, signal.SIGCONT)
        until(module, lambda: not psutil.pid_exists(process), PATIENCE_S, "the frozen process ends itself")
        gaps = {gap.source_id: gap for gap in module.gaps}
        assert gaps["live"].basis == "live"
        until(module, lambda: sources()["one"].state == sources()["two"].state == "ended", PATIENCE_S, "both files end")
    pictures = pictures_of(tmp_path / "out")
    for name in ("one", "two"):  # what the process had under way when it came back reached no sink
        assert len(set(pictures[name])) == len(pictures[name]) == 50 * RATE
