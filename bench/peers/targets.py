"""What picasso wants to cost, and whether it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from figures import Figures, Results
from suites import FAST_SWITCH_S, FLOOR

ALL = "just bench-peers"
STEPS = "python bench/steps.py"
BENCHES = "python -m pytest bench --benchmark-only -o addopts="
Values = list[float | None]


class Target(NamedTuple):
    """One line of the table: some numbers, and what each should be."""

    what: str
    limits: list[float]
    found: Values
    command: str
    at_least: bool = False
    text: Callable[[float], str] = "{:.2f}".format

    @property
    def target(self) -> str:
        return ("≥ " if self.at_least else "≤ ") + " / ".join(_plain(limit) for limit in self.limits)

    @property
    def measured(self) -> str:
        return " / ".join("–" if value is None else self.text(value) for value in self.found)

    @property
    def verdict(self) -> str:
        """Met or missed, number by number where they differ; a figure is judged as it is shown."""
        pairs = zip(self.found, self.limits, strict=True)
        verdicts = ["–" if value is None else self._judge(value, limit) for value, limit in pairs]
        return verdicts[0] if len(set(verdicts)) == 1 else " / ".join(verdicts)

    def _judge(self, value: float, limit: float) -> str:
        shown = float(self.text(value).replace(",", ""))
        return "met" if (shown >= limit if self.at_least else shown <= limit) else "**missed**"


def _plain(limit: float) -> str:
    return f"{limit:,.0f}" if limit >= 1000 or limit == int(limit) else f"{limit:.2f}"


def targets(results: Results) -> list[Target]:
    """Return the table's lines in the order of the work."""
    peers = results.peers
    return [*_one_source(peers), *_steps(results), *_files(peers), *_many(peers), *_engine(results)]


def _one_source(peers: Figures) -> list[Target]:
    def ratio(workload: str, preset: str = "ultrafast") -> float | None:
        found = peers.ratio("picasso", workload=workload, preset=preset)
        return found and found.typical

    names = ("W1", "W1b", "W2", "W3")
    faults = [peers.best("faults", peer="picasso", workload=name) for name in names]
    return [
        Target(
            "CPU a frame ÷ encode only, one source, W1 / W1b / W2 / W3",
            [1.45, 1.42, 1.80, 1.20],
            [*map(ratio, names)],
            ALL,
        ),
        Target("the same, veryfast, W1", [1.18], [ratio("W1", "veryfast")], ALL),
        Target("page faults a frame, one source, W1 / W1b / W2 / W3", [0] * 4, faults, ALL, text="{:.1f}".format),
    ]


def _steps(results: Results) -> list[Target]:
    pairs = results.steps.get("transform", {}) | results.steps.get("draw", {})
    names = ("W1 1080p to 720p", "W2 4K in 640x640", "W3 720p, colour only")
    us = results.steps.get("metadata_us", {})
    moved = [us.get("100 boxes moved"), us.get("1,000 boxes moved")]
    built = [us.get("1,000 detections added from arrays"), us.get("a frame with 20 objects built one by one")]
    return [
        Target(
            "transform and colour alone ÷ OpenCV's two calls, W1 / W2 / W3",
            [0.60, 0.75, 0.50],
            [pairs.get(name, {}).get("ratio") for name in names],
            STEPS,
        ),
        Target(
            "20 / 200 labelled boxes on I420 ÷ OpenCV drawing the same, antialiased",
            [0.5, 0.5],
            [pairs.get(f"{count} boxes on I420", {}).get("ratio") for count in (20, 200)],
            STEPS,
        ),
        Target("100 / 1,000 boxes moved, µs", [5, 20], moved, STEPS, text="{:.1f}".format),
        Target(
            "1,000 detections added / a frame with 20 objects built, µs", [1000, 60], built, STEPS, text="{:.0f}".format
        ),
    ]


def _files(peers: Figures) -> list[Target]:
    found = [peers.ratio("file_picasso", base, workload="W3") for base in ("file_ffmpeg", "file_floor")]
    what = "file to file, CPU a frame ÷ FFmpeg's scale and drawbox / ÷ decode and encode only"
    return [Target(what, [0.9, 1.3], [ratio and ratio.typical for ratio in found], ALL)]


def _many(peers: Figures) -> list[Target]:
    works = ("W1", "W2")

    crowd: dict[str, object] = {"peer": "picasso", "workload": "W2", "sources": 16}
    growth = [
        peers.typical("cpu_ms", crowd | {"workload": name}, crowd | {"workload": name, "sources": 1}) for name in works
    ]
    against_four = [
        peers.typical("frames_a_second", crowd | {"workload": name}, crowd | {"workload": name, "sources": 4})
        for name in works
    ]
    fairness = [peers.best("fairness", **crowd | {"workload": name}) for name in works]
    alone: dict[str, object] = {"peer": "picasso", "workload": "W1", "switch_s": FAST_SWITCH_S}
    kept = peers.typical("frames_a_second", alone | {"spin": 1}, alone)
    return [
        Target("16 sources, CPU a frame ÷ the same with one, W1 / W2", [1.15, 1.15], growth, ALL),
        Target("16 sources, frames/s ÷ the same with four, W1 / W2", [1, 1], against_four, ALL, at_least=True),
        Target(
            "16 sources, W2, frames/s ÷ GStreamer's",
            [1.3],
            [peers.typical("frames_a_second", crowd, crowd | {"peer": "gstreamer"})],
            ALL,
            at_least=True,
        ),
        Target("16 sources, W2, processors busy of 2", [1.9], [peers.best("cores", **crowd)], ALL, at_least=True),
        Target("16 sources, fewest ÷ most frames of a source, W1 / W2", [0.95, 0.95], fairness, ALL, at_least=True),
        Target(
            "memory of a further source, MiB", [20], [further_source_mib(peers, "picasso")], ALL, text="{:.0f}".format
        ),
        Target("frames/s kept beside a busy Python thread, interval 0.5 ms", [0.70], [kept], ALL, at_least=True),
    ]


def further_source_mib(peers: Figures, peer: str) -> float | None:
    """Return what each of the sources 5 to 16 adds to the resident memory, input frames not counted."""
    few, many = (peers.best("rss_mib", peer=peer, workload="W1", sources=count) for count in (4, 16))
    return (many - few) / 12 if few is not None and many is not None and peer != FLOOR else None


def _engine(results: Results) -> list[Target]:
    def note(test: str, name: str) -> float | None:
        value: float | None = results.benchmarks.get(test, {}).get("extra_info", {}).get(name)
        return value

    rates = [note(f"test_frames_that_are_not_encoded[{mode}]", "frames_per_s") for mode in ("drop", "bypass")]
    overhead = note("test_one_frame_in_flight[20 boxes drawn]", "overhead_us")
    return [
        Target(
            "drop / bypass, 4 sources, 20 boxes, frames/s", [100_000, 30_000], rates, BENCHES, True, "{:,.0f}".format
        ),
        Target(
            "send to callback, one frame in flight, minus the native work, µs at the median",
            [150],
            [overhead],
            BENCHES,
            text="{:.0f}".format,
        ),
    ]
