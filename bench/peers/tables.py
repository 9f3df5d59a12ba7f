"""Figures as tables of Markdown, one function a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from figures import Figures, Results
from suites import FAST_SWITCH_S, FLOOR, SWITCH_S
from targets import further_source_mib, targets

WORKS = ("W1", "W1b", "W2", "W3")
TITLES = {
    FLOOR: "encode only, the floor",
    "picasso": "**picasso**",
    "opencv_tuned": "OpenCV + PyAV, tuned by hand",
    "opencv_plain": "OpenCV + PyAV, as first written",
    "supervision": "supervision + PyAV",
    "filter_graph": "PyAV's filter graph, no text",
    "ffmpeg": "FFmpeg's command line, no text",
    "gstreamer": "GStreamer, drawing nothing",
    "gstreamer_drawing": "GStreamer with cairo",
}
FILE_TITLES = {
    "file_floor": "decode and encode only, the floor",
    "file_picasso": "**picasso**",
    "file_ffmpeg": "FFmpeg: scale and drawbox, no text",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Lay out a table; without rows there is none."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    names = list(head)
    return "\n".join(["| " + " | ".join(names) + " |", "|" + "---|" * len(names), *lines]) if lines else ""


def number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def machine(results: Results) -> str:
    """Say on what, and how."""
    about, peers = results.machine, results.peers
    if not peers:
        return ""
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    typical, most = peers.others()
    lines = [
        f"{about['processors']} processors ({about['processor']}), Python {about['python']}, {versions}. "
        f"{peers.rounds} interleaved rounds, each figure a process of its own. Load at the start {about['load']}; "
        f"meanwhile other programs kept {typical:.2f} processors busy at the median, {most:.2f} at most."
    ]
    lines += [f"Not measured: {TITLES.get(peer, peer)}: {error}" for peer, error in peers.errors.items()]
    return "\n\n".join(lines)


def verdicts(results: Results) -> str:
    rows = [(line.what, line.target, line.measured, line.verdict, f"`{line.command}`") for line in targets(results)]
    return table(("what", "target", "measured", "verdict", "command"), rows)


def one(results: Results) -> str:
    peers, rows = results.peers, []
    columns = [{"preset": "ultrafast", "workload": name} for name in WORKS] + [{"preset": "veryfast", "workload": "W1"}]
    for peer, title in TITLES.items():
        if peer == FLOOR:
            costs = [peers.best("cpu_ms", peer=peer, **wanted) for wanted in columns]
            cells = [f"{cost:.2f} ms" if cost else "–" for cost in costs]
        else:
            cells = [str(peers.ratio(peer, **wanted) or "–") for wanted in columns]
        if set(cells) != {"–"}:
            rows.append((title, *cells))
    return table(("", *WORKS, "W1, veryfast"), rows)


def where(results: Results) -> str:
    """Parts of a frame inside the engine; the floor of the peers stands below them."""
    found = results.where
    rows = [(part, *(number(found[name][part]) for name in found)) for part in next(iter(found.values()), {})]
    if rows:
        floor = [results.peers.best("cpu_ms", peer=FLOOR, workload=name) for name in found]
        rows.append(("encode only, the floor", *map(number, floor)))
    return table(("CPU ms a frame", *found), rows)


def many(results: Results) -> str:
    peers, rows = results.peers, []
    for name in ("W1", "W2"):
        for sources in (1, 4, 16):
            for peer, title in TITLES.items():
                wanted = {"peer": peer, "workload": name, "sources": sources}
                keys = (("frames_a_second", 0), ("cpu_ms", 2), ("cores", 2), ("fairness", 2), ("faults", 1))
                if peers.best("cpu_ms", **wanted) is not None and _in_crowd(peers, peer, name):
                    cells = [number(peers.best(key, **wanted), digits) for key, digits in keys]
                    rss = peers.best("rss_mib", **wanted) if peer != FLOOR else None
                    rows.append((name, str(sources), title, *cells, number(rss, 0)))
    head = ("work", "sources", "", "frames/s", "CPU ms", "processors", "min ÷ max", "faults", "MiB")
    return table(head, rows)


def _in_crowd(peers: Figures, peer: str, name: str) -> bool:
    return peers.best("cpu_ms", peer=peer, workload=name, sources=16) is not None


def memory(results: Results) -> str:
    rows = [
        (title, number(few, 0), number(further_source_mib(results.peers, peer), 1))
        for peer, title in TITLES.items()
        if (few := results.peers.best("rss_mib", peer=peer, workload="W1", sources=4)) is not None and peer != FLOOR
    ]
    return table(("", "4 sources, MiB", "each further source, MiB"), rows)


def busy(results: Results) -> str:
    peers, rows = results.peers, []
    for peer, title in TITLES.items():
        wanted = {"peer": peer, "workload": "W1"}
        alone = peers.best("frames_a_second", **wanted, switch_s=FAST_SWITCH_S)
        kept = [peers.best("frames_a_second", **wanted, spin=1, switch_s=each) for each in (FAST_SWITCH_S, SWITCH_S)]
        if alone and all(kept):
            rows.append(
                (title, number(alone, 0), *(f"{rate:.0f} ({100 * rate / alone:.0f} %)" for rate in kept if rate))
            )
    return table(("", "frames/s alone", "interval 0.5 ms", "interval 5 ms"), rows)


def files(results: Results) -> str:
    peers = results.peers
    rows = [
        (title, number(cost), str(peers.ratio(peer, "file_floor", workload="W3") or "–"))
        for peer, title in FILE_TITLES.items()
        if (cost := peers.best("cpu_ms", peer=peer, workload="W3")) is not None
    ]
    return table(("", "CPU ms a frame", "÷ floor"), rows)


def steps(results: Results) -> str:
    pairs = results.steps.get("transform", {}) | results.steps.get("draw", {})
    rows = [
        (name, number(pair["theirs_ms"]), number(pair["ours_ms"]), number(pair["ratio"]))
        for name, pair in pairs.items()
    ]
    return table(("", "OpenCV ms", "picasso ms", "ratio"), rows)


def metadata(results: Results) -> str:
    return table(("", "µs"), [(name, number(us, 1)) for name, us in results.steps.get("metadata_us", {}).items()])


def reference(results: Results) -> str:
    """The reference's workloads, and the engine's own share."""
    found = results.benchmarks
    rows = [
        (f"{mode}: 4 sources, 1080p, 20 boxes", f"{item['extra_info']['frames_per_s']:,.0f} frames/s")
        for mode in ("drop", "bypass")
        if (item := found.get(f"test_frames_that_are_not_encoded[{mode}]"))
    ]
    if item := found.get("test_skia_pipeline"):
        rate = item["extra_info"]["frames_per_s"]
        rows.append(("skia_pipeline: 4 sources, 720p, 20 boxes, `on_render`, H.264", f"{rate:,.0f} frames/s"))
    for count in (0, 10, 20, 50, 100, 200):
        if item := found.get(f"test_synchronous_hevc[{count}]"):
            stats = item["stats"]
            text = f"{1e3 * stats['median']:.1f} ms at the median, {1e3 * stats['min']:.1f} ms at best"
            rows.append((f"HEVC, 1080p, {count} boxes: send to callback", text))
    for boxes in ("no boxes", "20 boxes", "20 boxes drawn"):
        if item := found.get(f"test_one_frame_in_flight[{boxes}]"):
            notes = item["extra_info"]
            text = f"{notes['overhead_us']} µs, of which {notes['hand_over_us']} µs between the threads"
            rows.append((f"send to callback without the native work, {boxes}", text))
    return table(("", ""), rows)


def rates(results: Results) -> str:
    """The model's word and the truth."""
    rows = []
    for name, found in results.scheduling.get("rates", {}).items():
        us = found["costs_us"]
        frame = f"{us['send_s'] + us['work_s']:.0f} + {us['native_s']:.0f} µs"
        rows += [_rate_row(name, frame, row) for row in found["rates"]]
    head = ("work", "P + N", "sources", "bound", "model", "measured", "measured ÷ model", "CPU ms", "min ÷ max")
    return table(head, rows)


def _rate_row(name: str, frame: str, row: dict[str, Any]) -> tuple[str, ...]:
    expected = [number(row[key], 0) for key in ("bound", "predicted", "measured")]
    share = number(row["measured"] / row["predicted"])
    return (name, frame, str(row["sources"]), *expected, share, number(row["cpu_ms"]), number(row["fairness"]))


def permits(results: Results) -> str:
    rows = [
        (row["workload"], str(row["computing"]), *_load(row), number(row["fairness"]))
        for row in results.scheduling.get("permits", [])
    ]
    return table(("work", "compute at once", "frames/s", "CPU ms", "processors", "min ÷ max"), rows)


def encoder_threads(results: Results) -> str:
    rows = [
        (str(row["sources"]), str(row["threads"] or "libx264's choice"), *_load(row))
        for row in results.scheduling.get("encoder_threads", [])
    ]
    return table(("sources", "threads an encoder", "frames/s", "CPU ms", "processors"), rows)


def _load(row: dict[str, Any]) -> tuple[str, str, str]:
    return number(row["frames_a_second"], 0), number(row["cpu_ms"]), number(row["cores"])


def queues(results: Results) -> str:
    found = results.scheduling.get("hand_over_us", {})
    return table(("", "µs for both ways"), [(name, number(us, 1)) for name, us in found.items()])


def elsewhere(results: Results) -> str:
    rows = [
        (
            str(row["processors"]),
            row["permits"],
            number(row["frames_a_second"], 0),
            number(row["busy"], 1),
            f"{100 * row['lock_held']:.0f} %",
        )
        for row in results.scheduling.get("elsewhere", [])
    ]
    return table(("processors", "compute at once", "frames/s", "processors busy", "lock held"), rows)


TABLES = (
    *(machine, verdicts, one, where, many, memory, busy, files),
    *(steps, metadata, reference),
    *(rates, permits, encoder_threads, queues, elsewhere),
)
