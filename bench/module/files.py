"""4 or 16 files read, scaled, encoded and written: a module, FFmpeg and GStreamer in the same rounds."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from clips import BIT_RATE, FRAMES_A_SECOND, INTERVAL, TARGET_WH, clip

PRESET = "ultrafast"
"""That of x264 on all three: what the module's encoder does by default."""
X264 = ["-c:v", "libx264", "-threads", "1", "-preset", PRESET, "-tune", "zerolatency", "-profile:v", "baseline"]


def by_module(paths: list[Path], folder: Path) -> list[list[str]]:
    """Return the command of a module over all files, in one process."""
    sources = "".join(
        f"    - {{element: uridecodebin, properties: {{uri: {path}, source_id: s{number}}}}}\n"
        for number, path in enumerate(paths)
    )
    (folder / "m.yml").write_text(
        f"name: bench\nparameters:\n  frame: {{width: {TARGET_WH[0]}, height: {TARGET_WH[1]}}}\n"
        "  output_frame: {codec: h264, encoder: software, "
        f"encoder_params: {{bitrate: {BIT_RATE // 1000}, key-int-max: {INTERVAL}}}}}\n"
        f"pipeline:\n  source:\n{sources}"
        f"  sink: [{{element: video_file_sink, properties: {{location: '{folder}/module-{{source}}.mp4'}}}}]\n"
    )
    return [[sys.executable, "-m", "picasso", "run", "-q", str(folder / "m.yml")]]


def by_ffmpeg(paths: list[Path], folder: Path) -> list[list[str]]:
    """Return a command a file: threads of one process for all of them would cost it more."""
    size, rate = f"{TARGET_WH[0]}:{TARGET_WH[1]}", f"-b:v {BIT_RATE} -maxrate {BIT_RATE} -bufsize {BIT_RATE}"
    quiet = "ffmpeg -hide_banner -loglevel error -nostdin -y -threads 1"
    made = f"-filter_threads 1 -vf scale={size}:flags=bilinear {' '.join(X264)} {rate} -g {INTERVAL} -an"
    return [f"{quiet} -i {path} {made} {folder}/ffmpeg-{number}.mp4".split() for number, path in enumerate(paths)]


def by_gstreamer(paths: list[Path], folder: Path) -> list[list[str]]:
    """Return one command with a pipeline for each file."""
    size = f"video/x-raw,width={TARGET_WH[0]},height={TARGET_WH[1]}"
    decoded = "qtdemux ! h264parse ! avdec_h264 max-threads=1 ! videoscale method=bilinear n-threads=1"
    encoded = (
        f"x264enc threads=1 speed-preset={PRESET} tune=zerolatency bitrate={BIT_RATE // 1000} key-int-max={INTERVAL} "
        "vbv-buf-capacity=1000 ! video/x-h264,profile=constrained-baseline ! h264parse ! mp4mux"
    )
    pipelines = " ".join(
        f"filesrc location={path} ! {decoded} ! {size} ! {encoded} ! filesink location={folder}/gst-{number}.mp4"
        for number, path in enumerate(paths)
    )
    return [["gst-launch-1.0", "-q", "-e", *pipelines.split()]]


WAYS: dict[str, Callable[[list[Path], Path], list[list[str]]]] = {
    "module": by_module,
    "ffmpeg": by_ffmpeg,
    "gstreamer": by_gstreamer,
}
PROGRAMS = {"ffmpeg": "ffmpeg", "gstreamer": "gst-launch-1.0"}


def cost_of(commands: list[list[str]]) -> tuple[float, int]:
    """Run commands side by side; return the processor time of all of them in seconds, and how often a thread waited."""
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    total_s, waits = 0.0, 0
    for child, command in zip(children, commands, strict=True):
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"failed: {' '.join(command)[:300]}")
        total_s += usage.ru_utime + usage.ru_stime
        waits += usage.ru_nvcsw
    return total_s, waits


def files(count: int, rounds: int, seconds: float) -> str:
    """Compare the three over a number of rounds; what it takes to start is measured apart and taken off all of them."""
    ways = [way for way in WAYS if way not in PROGRAMS or shutil.which(PROGRAMS[way])]
    frames = round(seconds * FRAMES_A_SECOND) * count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long, short = ([clip(folder, length)] * count for length in (seconds, 1 / FRAMES_A_SECOND * 2))
        costs: dict[str, list[float]] = {way: [] for way in ways}
        waits: dict[str, list[int]] = {way: [] for way in ways}
        begun = {way: min(cost_of(WAYS[way](short, folder)) for _ in range(2)) for way in ways}
        starts = {way: start_s for way, (start_s, _) in begun.items()}
        for number in range(rounds):
            for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                spent_s, waited = cost_of(WAYS[way](long, folder))
                costs[way].append(spent_s - starts[way])
                waits[way].append(waited - begun[way][1])
    lines = [
        f"{count} files, {way:10} {1e3 * statistics.median(cost) / (frames - 2 * count):.3f} ms of CPU and "
        f"{statistics.median(waits[way]) / (frames - 2 * count):.1f} waits of a thread a frame, "
        f"{starts[way]:.2f} s to start"
        for way, cost in costs.items()
    ]
    peers = [way for way in ways if way != "module"]
    ratios = [mine / min(theirs) for mine, *theirs in zip(*(costs[way] for way in ["module", *peers]), strict=True)]
    whole = [
        (mine + starts["module"]) / min(cost + starts[way] for cost, way in zip(theirs, peers, strict=True))
        for mine, *theirs in zip(*(costs[way] for way in ["module", *peers]), strict=True)
    ]
    median = statistics.median(ratios)
    verdict = "within" if median <= 1.0 else "ABOVE"
    lines.append(
        f"{count} files, module / best of {', '.join(peers)}: {median:.3f} ({min(ratios):.3f} to {max(ratios):.3f}, "
        f"{rounds} rounds) {verdict} 1.00; with the start {statistics.median(whole):.3f}"
    )
    return "\n".join(lines)
