"""``picasso run`` and ``picasso module``: a YAML file that runs, checked before anything opens."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from picasso.errors import require

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from picasso.flow import SourceStatus
    from picasso.module import Module

module = typer.Typer(help="Check a module, and describe what one may say.", no_args_is_help=True)
FILE = typer.Argument(metavar="FILE", help="The module's YAML file, or - for standard input.")


def run(
    file: Annotated[str, FILE],
    *,
    compat: Annotated[bool, typer.Option("--compat", help="Answer imports of savant and savant_rs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no table of the sources.")] = False,
    web: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=0, max=65535, help="Serve control and the live page on this machine."),
    ] = None,
) -> None:
    """Run a module until its sources end, or until Ctrl-C or SIGTERM, which finish every file.

    Needs the module extra: pip install 'picasso-engine[module]'.
    """
    from picasso.cli.console import progress

    console = progress()
    with _problems_by_line():
        from picasso.module import Module
        from picasso.module.logs import logging_of

        one = Module.from_file(file, compat=compat, web=web)
        with logging_of(one.config.parameters):
            for warning in one.config.warnings:
                logging.getLogger("picasso.module").warning("%s", warning)
            statuses = _run(one, console, is_live=console.is_terminal and not quiet)
    if not quiet:
        console.print(_table(statuses))
    if statuses and all(status.failure is not None for status in statuses):
        raise typer.Exit(1)


def _run(one: Module, console: Console, *, is_live: bool) -> list[SourceStatus]:
    if not is_live:
        return one.run().statuses
    from rich.live import Live

    with Live(console=console, auto_refresh=False, transient=True) as live:
        return one.run(lambda now: live.update(_table(now), refresh=True)).statuses


@module.command(epilog="Example: picasso module check module.yml")
def check(
    file: Annotated[str, FILE],
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print faults and warnings only.")] = False,
) -> None:
    """Print the resolved configuration, each value with where it came from; name everything that is wrong."""
    with _problems_by_line():
        from picasso.module.config import load_config, render

        config = load_config(file)
    for warning in config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if not quiet:
        print(render(config), end="")


@module.command(epilog="Example: picasso module schema > module.schema.json")
def schema() -> None:
    """Print the JSON Schema of a module, for editors."""
    with _problems_by_line():
        from picasso.module.config import editor_schema
    print(json.dumps(editor_schema(), indent=2, ensure_ascii=False))


@contextmanager
def _problems_by_line() -> Iterator[None]:
    """Print the problems of a configuration one a line, and exit with 1."""
    for name in ("omegaconf", "jsonschema", "yaml"):
        require(name, extra="module")
    from picasso.module.config.problem import ConfigError

    try:
        yield
    except ConfigError as error:
        for warning in error.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise typer.Exit(1) from None


def _table(statuses: Sequence[SourceStatus]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "state"):
        table.add_column(heading)
    for heading in ("frames", "frames/s", "p50 ms", "p99 ms", "dropped"):
        table.add_column(heading, justify="right")
    table.add_column("last error")
    for status in statuses:
        table.add_row(
            status.source_id,
            status.state,
            f"{status.delivered}",
            f"{status.frames_per_s:.1f}",
            f"{status.p50_ms:.1f}",
            f"{status.p99_ms:.1f}",
            f"{status.dropped}",
            "" if status.last_error is None else " ".join(str(status.last_error).split())[:80],
        )
    return table
