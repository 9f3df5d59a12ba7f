"""``picasso map``: many files through one module, each once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from picasso.cli.module import problems_by_line

if TYPE_CHECKING:
    from rich.console import Console

    from picasso.cluster import MapOutcome, PlannedFile

MOST_ROWS: Final = 100
"""Failures that are shown; the manifest has all."""
MARGIN: Final = 32
"""Columns of a row of the table beside the file and the reason."""


def map_(
    module: Annotated[str, typer.Argument(metavar="MODULE", help="The module's YAML file.")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Files, folders, patterns such as 'clips/**/*.mp4', lists (.txt, or - for standard input), addresses.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder of the results.")],
    *,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", min=1, help="Files at once; by default as many as cores."),
    ] = None,
    ray: Annotated[
        str | None, typer.Option("--ray", metavar="[ADDRESS]", help="Work on a Ray cluster: auto, local, host:port.")
    ] = None,
    cpus: Annotated[float, typer.Option("--cpus", min=0.0, help="CPUs that a file takes of a Ray cluster.")] = 1.0,
    gpus: Annotated[
        float, typer.Option("--gpus", min=0.0, help="GPUs, or a fraction of one, that a file takes of a Ray cluster.")
    ] = 0.0,
    retries: Annotated[
        int,
        typer.Option("--retries", min=0, help="Further attempts where an error may pass: network, memory, …"),
    ] = 2,
    stall: Annotated[
        float,
        typer.Option(
            "--stall", metavar="SECONDS", min=0.0, help="Give an attempt up after so long without a frame; 0 never."
        ),
    ] = 3600.0,
    keep_damaged: Annotated[
        bool, typer.Option("--keep-damaged", help="Keep what could be decoded of a damaged file.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be done, and do nothing.")] = False,
    compat: Annotated[bool, typer.Option("--compat", help="Answer imports of savant and savant_rs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    r"""Run a module for each of many files. What is done is kept; the same command goes on where it was interrupted.

    Needs the module extra: pip install 'picasso-engine\[module]'; with --ray also the ray extra.
    """
    from picasso.cli.console import progress, results
    from picasso.cli.map_progress import showing

    console = progress()
    with problems_by_line():
        from picasso.cluster import map_files, plan_files

        try:
            if dry_run:
                _list(plan_files(module, inputs, output, compat=compat))
                return
            with showing(console, quiet=quiet) as show:
                outcome = map_files(
                    *(module, inputs, output),
                    workers=workers,
                    ray=ray,
                    cpus_per_file=cpus,
                    gpus_per_file=gpus,
                    retries=retries,
                    stall_s=stall or None,
                    keep_damaged=keep_damaged,
                    compat=compat,
                    on_progress=show,
                )
        except KeyboardInterrupt:
            print("picasso: what is done is kept; the same command goes on", file=sys.stderr)
            raise
        except ValueError as error:
            if type(error) is ValueError:
                raise typer.BadParameter(str(error)) from None
            raise
    _report(outcome, results(), output, quiet=quiet)
    if outcome.failed:
        raise typer.Exit(1)


def _list(planned: list[PlannedFile]) -> None:
    for one in planned:
        print(f"{one.why}\t{one.name}\t{one.file}")


def _report(outcome: MapOutcome, console: Console, output: Path, *, quiet: bool) -> None:
    """Print the failures as a table, and one line for all."""
    from rich.table import Table
    from rich.text import Text

    failed = outcome.failed
    if failed:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("failed", "attempts", "why"):
            table.add_column(heading, overflow="fold", justify="right" if heading == "attempts" else "left")
        for one in failed[:MOST_ROWS]:
            table.add_row(Text(one.shown), Text(str(one.attempts)), Text(one.error))
        lines = max(len(one.shown) + len(one.error) for one in failed[:MOST_ROWS]) + MARGIN
        width = None if console.is_terminal else max(lines, console.width)
        console.print(table, width=width, crop=False, soft_wrap=width is not None)
        if len(failed) > MOST_ROWS:
            console.print(f"and {len(failed) - MOST_ROWS} more: {output / 'manifest.ndjson'}", markup=False)
    if quiet:
        return
    new = sum(one.is_new for one in outcome.done)
    before = len(outcome.done) - new
    rate = outcome.frames / outcome.seconds if outcome.seconds > 0 else 0.0
    noted = sum(bool(one.note) for one in outcome.done if one.is_new)
    words = [
        f"{len(outcome.results)} files: {new} done",
        *([f"{before} done before"] if before else []),
        *([f"{noted} of them damaged"] if noted else []),
        f"{len(failed)} failed",
    ]
    summary = f"{', '.join(words)}; {outcome.frames} frames in {outcome.seconds:.1f} s, {rate:.0f} frames/s"
    console.print(summary, markup=False, soft_wrap=True)
