"""``python -m picasso_build``: machine code of the kernels into the package of this checkout."""

from __future__ import annotations

import argparse
from pathlib import Path

import picasso_kernels.built
from picasso_build import build, compiler
from picasso_kernels.cpu.levels import LEVELS, level_of, levels_of_this_architecture


def main() -> None:
    """Build the levels that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m picasso_build", description=__doc__)
    names = ", ".join(level.name for level in LEVELS)
    parser.add_argument("levels", nargs="*", help=f"{names}; by default all of this architecture")
    parser.add_argument("--out", type=Path, default=Path(picasso_kernels.built.__path__[0]), help="folder")
    parser.add_argument("--jobs", type=int, help="processes; by default one a core")
    args = parser.parse_args()
    try:
        levels = [level_of(name) for name in args.levels] or levels_of_this_architecture()
        commands = {level.architecture: compiler.find(level.architecture) for level in levels}
        made = [build.build([level], args.out, commands[level.architecture], jobs=args.jobs)[0] for level in levels]
    except (ValueError, build.BuildError, compiler.CompilerError) as error:
        raise SystemExit(f"picasso_build: {error}") from error
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
