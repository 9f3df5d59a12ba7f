"""``python -m picasso_build.wheels``: the wheel for every machine of an architecture, checked.

It holds every level of it, is tagged for manylinux, and auditwheel says whether the tag is true. With ``--twice`` it
is built again elsewhere, and the two must be equal byte by byte. pip installs what the build needs into an environment
of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from picasso_build.plan import PLATFORM, VARIABLE

ROOT: Final = Path(__file__).parents[2]
MANYLINUX: Final = "manylinux_2_17"
"""The C library that machine code may ask for: 2.17 is of 2012."""
_LEFT_BEHIND: Final = (".*", "__pycache__", "*.so", "*.egg-info", "out", "dist", "build")


def build_wheel(source: Path, out: Path, architecture: str) -> Path:
    """Return the wheel that pip builds of a source tree."""
    environment = os.environ | {VARIABLE: architecture, PLATFORM: f"{MANYLINUX}_{architecture}"}
    line = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--disable-pip-version-check", "-q", "-w", str(out), "."]
    subprocess.run(line, cwd=source, env=environment, check=True)
    (wheel,) = out.glob("*.whl")
    return wheel


def check_tag(wheel: Path) -> None:
    """Ask auditwheel whether the wheel runs wherever its tag says."""
    said = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", str(wheel)], capture_output=True, text=True, check=False
    )
    tags = re.search(r'following platform\s+tag:\s+"(?P<tag>[^"]+)"', said.stdout)
    if tags is None:
        raise SystemExit(f"auditwheel finds no tag for {wheel.name}:\n{said.stdout}{said.stderr}")
    needed, promised = (tuple(map(int, re.findall(r"\d+", tag)[:2])) for tag in (tags["tag"], MANYLINUX))
    if not tags["tag"].startswith("manylinux_") or needed > promised:
        raise SystemExit(f"{wheel.name} needs {tags['tag']}; build it with an older C library, or by ziglang")
    print(f"{wheel.name}: auditwheel finds {tags['tag']}, the wheel says {MANYLINUX}")


def main() -> None:
    """Build, check, and put the wheel into its folder."""
    parser = argparse.ArgumentParser(
        prog="python -m picasso_build.wheels", description="Build the wheel, and check it."
    )
    parser.add_argument("--architecture", default=platform.machine(), help="as platform.machine() says it")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder")
    parser.add_argument("--twice", action="store_true", help="build it again elsewhere, and compare")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = [build_wheel(ROOT, Path(scratch) / "first", args.architecture)]
        check_tag(wheels[0])
        if args.twice:
            copy = shutil.copytree(ROOT, Path(scratch) / "copy", ignore=left_behind)
            wheels.append(build_wheel(copy, Path(scratch) / "second", args.architecture))
        sums = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
        if len(sums) > 1:
            raise SystemExit(f"{wheels[0].name}: two builds differ")
        args.out.mkdir(parents=True, exist_ok=True)
        place = Path(shutil.copy(wheels[0], args.out))
    size = place.stat().st_size / 1e6
    print(f"{place}: {size:.2f} MB, SHA-256 {sums.pop()}{', twice the same' if args.twice else ''}")


def left_behind(folder: str, names: list[str]) -> set[str]:
    """Return which files of a folder are not sources: what was built, and what belongs to other tools."""
    return shutil.ignore_patterns(*_LEFT_BEHIND)(folder, names) - {".gitignore"}


if __name__ == "__main__":
    main()
