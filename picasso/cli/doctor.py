"""``picasso doctor``: what this machine can do, and why not."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

import picasso

if TYPE_CHECKING:
    from rich.table import Table

    from picasso.cli.checks import Finding

_STYLES = {"ok": "green", "absent": "yellow", "broken": "bold red"}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")] = False,
) -> None:
    """Say what this machine can do and why not.

    Looks at Python, the processor, each dependency, Skia and its system libraries, fonts, every encoder (really opened
    on a small frame), the GPU, and what computes models. Exits with 0 when the CPU path works, with 1 when something
    it needs is broken.
    """
    from picasso.cli.checks import State, examine
    from picasso.cli.console import results

    findings = list(examine())
    broken = [finding for finding in findings if finding.state is State.BROKEN]
    if as_json:
        report = {
            "picasso": picasso.__version__,
            "cpu_path_works": not broken,
            "findings": [asdict(finding) for finding in findings],
        }
        print(json.dumps(report, indent=2))
    else:
        console = results()
        console.print(_table(findings))
        if broken:
            console.print(f"Broken: {', '.join(f'{f.area}/{f.name}' for f in broken)}.", style="bold red")
        else:
            console.print("The CPU path works.", style="bold green")
    if broken:
        raise typer.Exit(1)


def _table(findings: list[Finding]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    for _ in ("name", "state", "detail"):
        table.add_column(overflow="fold")
    area = None
    for finding in findings:
        detail = f"{finding.detail}; {finding.fix}" if finding.fix else finding.detail
        shown_area = "" if finding.area == area else finding.area
        area = finding.area
        table.add_row(shown_area, finding.name, Text(finding.state, _STYLES[finding.state]), Text(detail))
    return table
