"""``picasso run --ray``: the same module on many machines."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from picasso.cluster import ClusterModule
    from picasso.observe import ModuleStatistics


def run_on_ray(
    file: str,
    address: str,
    *,
    actors: int | None,
    cpus: float,
    gpus: float,
    resources: list[str],
    quiet: bool,
    web: int | None,
    every_s: float | None,
) -> None:
    """Run a module on a Ray cluster until its sources end, or until a signal.

    It exits with 1 where every source, or a sink, failed.
    """
    from picasso.cli.console import progress
    from picasso.cli.remarks import log_warnings, say_failed
    from picasso.cli.watching import overview, watching
    from picasso.cluster import ClusterModule, Needs
    from picasso.module.logs import logging_of

    console = progress()
    try:
        needs = Needs(cpus, gpus, dict(map(amount_of, resources)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    one = ClusterModule(file, address=address, actors=actors, needs=needs, web=web)
    watch = nullcontext() if quiet else watching(one.statistics, console, every_s=every_s)
    with logging_of(one.config.parameters):
        log_warnings(one.config)
        listed: list[str] = []

        def list_addresses(_statistics: ModuleStatistics) -> None:
            """Print where everyone listens: once all are there, and again where that changes."""
            lines = lines_of(one)
            if lines != listed and all(actor["node"] or actor["error"] for actor in one.actors()):
                listed[:] = lines
                for line in lines:
                    console.print(line, markup=False, highlight=False, soft_wrap=True)

        with watch:
            statistics = one.run(None if quiet else list_addresses)
    if not quiet:
        console.print(overview(statistics))
        for gap in one.gaps:
            console.print(str(gap), markup=False, highlight=False, soft_wrap=True)
    say_failed(statistics)
    states = [source.state for source in statistics.sources.values()]
    if states and all(state == "failed" for state in states):
        raise typer.Exit(1)


def lines_of(one: ClusterModule) -> list[str]:
    """Return where the head and each actor listen."""
    named = {"page": one.web.page, "health": one.web.health, "metrics": one.web.metrics}
    head = ", ".join(f"{name} {address}" for name, address in named.items() if address is not None)
    lines = [f"head: {head or 'listens nowhere'}"]
    for actor in one.actors():
        where = ", ".join(f"{name} {address}" for name, address in actor["addresses"].items())
        lines.append(f"{actor['actor']}: {actor['node'] or 'no node yet'}, {where or 'listens nowhere'}")
    return lines


def amount_of(text: str) -> tuple[str, float]:
    """Read ``NAME=AMOUNT``."""
    name, sign, amount = text.partition("=")
    try:
        if not (name and sign):
            raise ValueError
        return name, float(amount)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected NAME=AMOUNT, such as camera_vlan=1") from None
