"""Say what bounds each kernel, by the hardware's counters.

    python bench/gpu/bounds.py [folder]     writes bounds_table.md there, too

Runs itself under ``ncu``, each workload of ``workloads`` once and 32 frames at once, and prints a row a kernel: its
time, instructions a target pixel, and the share of its peak that each part of the GPU was busy. The busiest is what
bounds it; where none is above 0.8, threads wait for memory. Clocks are left as they are. Where the machine does not let
``ncu`` read counters, as in some sandboxes, it says so.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))

RUN: Final = "--run"
METRICS: Final = {
    "us": "gpu__time_duration.sum",
    "instructions": "sm__inst_executed.sum",
    "issue": "smsp__issue_active.avg.pct_of_peak_sustained_active",
    "integers": "sm__pipe_alu_cycles_active.avg.pct_of_peak_sustained_active",
    "products": "sm__pipe_fmaheavy_cycles_active.avg.pct_of_peak_sustained_active",
    "L1": "l1tex__throughput.avg.pct_of_peak_sustained_active",
    "L2": "lts__throughput.avg.pct_of_peak_sustained_elapsed",
    "memory": "dram__throughput.avg.pct_of_peak_sustained_elapsed",
    "warps": "sm__warps_active.avg.pct_of_peak_sustained_active",
    "registers": "launch__registers_per_thread",
}
"""Metrics of ``ncu`` by their heading."""


def workloads() -> list[tuple[str, int]]:
    """Run every workload once; return their names and target pixels a launch, in their order."""
    from workloads import DETECTOR, FRAMES, PICTURES, upload_frames

    from picasso.surface import VideoFormat
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso.surface.tensor import allocate_tensor
    from picasso.transform.cuda import CudaTransformer, Job
    from picasso.transform.tensor import Normalization

    gpu, names = CudaTransformer(), []
    for work in PICTURES:
        width, height = work.placement.target_wh
        for source, target in work.pairs:
            frames = upload_frames(VideoFormat[source], work.placement.source_wh, gpu.stream, work.color)
            made = [allocate_on_device(VideoFormat[target], (width, height), gpu.stream) for _ in frames]
            jobs = [Job(a, work.placement, b) for a, b in zip(frames, made, strict=True)]
            gpu.transform_batch(jobs, work.interpolation)
            gpu.stream.wait()
            names.append((f"{work.name}, {source} to {target}", FRAMES * width * height))
    width, height = DETECTOR.placement.target_wh
    for source in ("RGBA", "RGB", "NV12"):
        frames = upload_frames(VideoFormat[source], DETECTOR.placement.source_wh, gpu.stream)
        for dtype in ("float16", "float32"):
            tensor: Any = allocate_tensor((FRAMES, 3, height, width), dtype, gpu.stream)
            gpu.to_tensor(frames, DETECTOR.placement, Normalization(), dtype=dtype, out=tensor)
            gpu.stream.wait()
            names.append((f"{DETECTOR.name}, {source} to {dtype}", FRAMES * width * height))
    return names


def table_of(report: str, names: list[tuple[str, int]]) -> list[str]:
    """Return the rows of a table of what ``ncu`` wrote."""
    rows = list(csv.DictReader(io.StringIO(report[report.index('"ID"') :])))
    launches: dict[str, dict[str, str]] = {}
    for row in rows:
        launch = launches.setdefault(row["ID"], {"kernel": row["Kernel Name"]})
        launch[row["Metric Name"]] = row["Metric Value"].replace(",", "")
    shares = ("issue", "integers", "products", "L1", "L2", "memory", "warps")
    lines = ["| work | kernel | µs a frame | instructions a pixel | " + " | ".join(shares) + " | registers |"]
    lines.append("|" + "---|" * 12)
    for (name, pixels), launch in zip(names, launches.values(), strict=True):
        us = float(launch[METRICS["us"]]) / 1000 / 32
        instructions = 32 * float(launch[METRICS["instructions"]]) / pixels
        parts = " | ".join(f"{float(launch[METRICS[share]]) / 100:.2f}" for share in shares)
        kernel = launch["kernel"].removesuffix("_batch")
        lines.append(
            f"| {name} | `{kernel}` | {us:.2f} | {instructions:.0f} | {parts} | {launch[METRICS['registers']]} |"
        )
    return lines


def main(folder: Path | None) -> None:
    """Run under ``ncu``, print the table, and write it into ``folder``."""
    ncu = shutil.which("ncu")
    if ncu is None:
        raise SystemExit("ncu is not here: it comes with the CUDA toolkit")
    command = [ncu, "--clock-control", "none", "-k", "regex:_batch$", "--metrics", ",".join(METRICS.values()), "--csv"]
    done = subprocess.run([*command, sys.executable, __file__, RUN], capture_output=True, text=True, check=False)
    if done.returncode or '"ID"' not in done.stdout:
        raise SystemExit(f"ncu: {(done.stdout + done.stderr)[-800:]}")
    said = [line.removeprefix("work:") for line in done.stdout.splitlines() if line.startswith("work:")]
    names = [(name, int(pixels)) for name, _, pixels in (line.rpartition(":") for line in said)]
    text = "\n".join(table_of("\n".join(line for line in done.stdout.splitlines() if line.startswith('"')), names))
    print(text)
    if folder is not None:
        (folder / "bounds_table.md").write_text(text + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == [RUN]:
        for name, pixels in workloads():
            print(f"work:{name}:{pixels}", flush=True)
    else:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
