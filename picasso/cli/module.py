"""``picasso run`` and ``picasso module``: a YAML file that runs, checked before anything opens."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from picasso.errors import require

module: typer.Typer = typer.Typer(help="Check a module, and describe what one may say.", no_args_is_help=True)
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
    every: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, help="How often to show it: 0.5 on a terminal, 60 elsewhere."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Divide its sources over a Ray cluster: HOST:PORT; without it the one that is here, or a new one.",
        ),
    ] = None,
    actors: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With --ray: processes; one for each node by default.")
    ] = None,
    cpus: Annotated[float, typer.Option(metavar="N", min=0, help="With --ray: processors of each process.")] = 1.0,
    gpus: Annotated[
        float, typer.Option(metavar="N", min=0, help="With --ray: GPUs of each process, such as 1 or 0.25.")
    ] = 0.0,
    resource: Annotated[
        list[str] | None, typer.Option(metavar="NAME=AMOUNT", help="With --ray: a custom resource of each process.")
    ] = None,
) -> None:
    r"""Run a module until its sources end, or until Ctrl-C or SIGTERM, which finish every file.

    Needs the module extra: pip install 'picasso-engine\[module]'; --ray needs 'picasso-engine\[module,ray]'.
    """
    if ray is None and (actors is not None or resource or (cpus, gpus) != (1.0, 0.0)):
        raise typer.BadParameter("--actors, --cpus, --gpus and --resource need --ray")
    if ray is not None:
        if compat:
            raise typer.BadParameter("--compat: with --ray, set parameters.compat in the module's file")
        from picasso.cli.cluster import run_on_ray

        with problems_by_line():
            run_on_ray(
                file,
                ray,
                actors=actors,
                cpus=cpus,
                gpus=gpus,
                resources=resource or [],
                quiet=quiet,
                web=web,
                every_s=every,
            )
        return
    from picasso.cli.console import progress
    from picasso.cli.remarks import log_warnings, say_failed
    from picasso.cli.watching import overview, watching

    console = progress()
    with problems_by_line():
        from picasso.module import Module
        from picasso.module.logs import logging_of
        from picasso.module.run.service import ServiceManager
        from picasso.module.run.state import StateFile

        StateFile.manager = ServiceManager.of_environment()
        one = Module.from_file(file, compat=compat, web=web)
        watch = nullcontext() if quiet else watching(one.statistics, console, every_s=every)
        with watch, logging_of(one.config.parameters):  # lines of the log go above a table
            log_warnings(one.config)
            statuses = one.run().statuses
    statistics = one.statistics()
    if not quiet:
        console.print(overview(statistics, means={one.source_id: one.frames_per_s for one in statuses}))
    say_failed(statistics)
    if statuses and all(status.failure is not None for status in statuses):
        raise typer.Exit(1)


@module.command(epilog="Example: picasso module check module.yml")
def check(
    file: Annotated[str, FILE],
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print faults and warnings only.")] = False,
) -> None:
    """Print the resolved configuration, each value with where it came from; name everything that is wrong."""
    with problems_by_line():
        from picasso.module.config import load_config, render

        config = load_config(file)
    for warning in config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if not quiet:
        print(render(config), end="")


@module.command(epilog="Example: picasso module schema > module.schema.json")
def schema() -> None:
    """Print the JSON Schema of a module, for editors."""
    with problems_by_line():
        from picasso.module.config import editor_schema
    print(json.dumps(editor_schema(), indent=2, ensure_ascii=False))


@contextmanager
def problems_by_line() -> Iterator[None]:
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
