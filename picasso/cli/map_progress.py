"""How far a run over many files is: a live line with a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from picasso.cluster import MapProgress

LINES_S: Final = 10.0
"""Seconds from one line to the next where no terminal is."""
MOST_AT_WORK: Final = 16
"""Files at work that are shown."""

Show = Callable[["MapProgress"], object]


@contextmanager
def showing(console: Console, *, quiet: bool = False) -> Iterator[Show | None]:
    """Give what shows the progress of a run while the context lasts; None where nothing is to be shown."""
    if quiet:
        yield None
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda now: live.update(picture_of(now), refresh=True)
    else:
        yield _Lines(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)).show


def line_of(now: MapProgress) -> str:
    """Return how far a run is, in one line."""
    before = f", {now.done_before} before" if now.done_before else ""
    retried = f", {now.retried} tried again" if now.retried else ""
    eta = "" if now.eta_s is None or not now.left else f", {_span(now.eta_s)} to go"
    return (
        f"{now.total} files: {now.done} done{before}, {now.failed} failed{retried}, {now.left} left; "
        f"{now.frames} frames, {now.frames_per_s:.0f} frames/s{eta}"
    )


def picture_of(now: MapProgress) -> RenderableType:
    """Return a line, a bar, and a row for each file at work."""
    bar = ProgressBar(total=float(now.total), completed=float(now.total - now.left), width=60)
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in now.at_work[:MOST_AT_WORK]:
        of = f"/{one.total}" if one.total else ""
        mine = ProgressBar(total=float(one.total) if one.total else None, completed=one.frames, width=20)
        table.add_row(mine, Text(f"{one.frames}{of}", justify="right"), Text(one.shown))
    rest = len(now.at_work) - MOST_AT_WORK
    more = [Text(f"and {rest} more", "dim")] if rest > 0 else []
    return Group(Text(line_of(now)), bar, table, *more)


class _Lines:
    """Writes a line at the first word, when a file has failed, and every ten seconds."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._due_s = 0.0
        self._failed = 0

    def show(self, now: MapProgress) -> None:
        """Write the line that is due."""
        if time.monotonic() >= self._due_s or now.failed > self._failed:
            self._due_s, self._failed = time.monotonic() + LINES_S, now.failed
            self._write(line_of(now))


def _span(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"
