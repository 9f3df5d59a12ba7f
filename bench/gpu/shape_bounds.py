"""Say what bounds the worst shapes, by the hardware's counters, as ``bounds.py`` does for the shapes of ``bench.py``.

    python bench/gpu/shape_bounds.py [folder]       the worst shape of each row of gpu_shapes.json in docs, or folder

Runs itself under ``ncu``, each shape once and 32 frames at once, and prints a row a shape.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from bounds import METRICS, RUN, table_of


def run_worst(folder: Path) -> None:
    """Launch the worst shape of each row once; print its name and its target pixels."""
    from shape_cases import SHAPES
    from shape_report import Cell, extremes
    from shapes import FRAMES, Works

    from picasso.transform import Interpolation

    works, shapes = Works(), {shape.name: shape for shape in SHAPES}
    cells = [Cell(**cell) for cell in json.loads((folder / "gpu_shapes.json").read_text())["cells"]]
    for cell in extremes(cells)[1::2]:
        shape = shapes[cell.shape]
        batch, _ = works.of(shape, cell.source, cell.target, Interpolation[cell.filter.upper()])
        batch()
        works.gpu.wait()
        width, height = shape.placement.target_wh
        print(f"work:{cell.row}: {cell.shape}:{FRAMES * width * height}", flush=True)


def main(folder: Path) -> None:
    """Run under ``ncu`` and print the table."""
    ncu = shutil.which("ncu")
    if ncu is None:
        raise SystemExit("ncu is not here: it comes with the CUDA toolkit")
    command = [ncu, "--clock-control", "none", "-k", "regex:_batch$", "--metrics", ",".join(METRICS.values()), "--csv"]
    own = [sys.executable, __file__, str(folder), RUN]
    done = subprocess.run([*command, *own], capture_output=True, text=True, check=False)
    if done.returncode or '"ID"' not in done.stdout:
        raise SystemExit(f"ncu: {(done.stdout + done.stderr)[-800:]}")
    lines = done.stdout.splitlines()
    said = [line.removeprefix("work:").rpartition(":") for line in lines if line.startswith("work:")]
    names = [(name, int(pixels)) for name, _, pixels in said]
    print("\n".join(table_of("\n".join(line for line in lines if line.startswith('"')), names)))


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    if sys.argv[2:] == [RUN]:
        run_worst(where)
    else:
        main(where)
