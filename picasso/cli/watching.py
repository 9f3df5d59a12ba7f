"""How a module is doing, while it runs: a live table on a terminal, now and then lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from picasso.observe import ModuleStatistics, SourceStatistics

TABLE_S: Final = 0.5
"""Seconds from one table to the next."""
LINES_S: Final = 60.0
"""Seconds from one set of lines to the next."""
MOST_ROWS: Final = 40
"""Sources in a live table; those in trouble come first."""
ERROR_LETTERS: Final = 80
NS_PER_MS: Final = 1_000_000
_STYLES: Final = {"live": "green", "ended": "dim", "waiting": "dim", "paused": "dim", "connecting": "yellow"}
_IN_ORDER: Final = ("live", "ended", "waiting", "paused")

Take = Callable[[], "ModuleStatistics"]


@contextmanager
def watching(take: Take, console: Console, *, every_s: float | None = None) -> Iterator[None]:
    """Show how a module is doing while the context lasts: a table that is drawn again, or lines where no terminal is.

    Args:
        take: Gives a snapshot; called on a thread of its own.
        console: Where to.
        every_s: Seconds from one to the next; by default 0.5 for a table and 60 for lines.
    """
    if console.is_terminal:
        live = Live(console=console, auto_refresh=False, transient=True)
        show = lambda: live.update(overview(take(), most=MOST_ROWS), refresh=True)  # noqa: E731
        with live, _repeating(show, every_s or TABLE_S):
            yield
    else:
        with _repeating(lambda: _print_lines(console, take()), every_s or LINES_S):
            yield


@contextmanager
def _repeating(show: Callable[[], None], every_s: float) -> Iterator[None]:
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(every_s):
            show()

    thread = threading.Thread(target=run, name="watching", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def overview(
    statistics: ModuleStatistics, *, means: Mapping[str, float] | None = None, most: int | None = None
) -> Group:
    """Return a line for the module and a table with a row for each source.

    Args:
        statistics: A snapshot.
        means: Frames a second over the whole run, by source, instead of those of the last seconds.
        most: Rows at most; None for all.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "state"):
        table.add_column(heading)
    for heading in ("in", "out", "frames/s", "p50 ms", "p99 ms", "waiting"):
        table.add_column(heading, justify="right")
    table.add_column("dropped")
    table.add_column("last error")
    sources = statistics.sources
    names = list(sources) if most is None else sorted(sources, key=lambda name: sources[name].state in _IN_ORDER)
    for name in names[:most]:
        one = sources[name]
        rate = one.frames_per_s if means is None else means.get(name, 0.0)
        row = [
            *(f"{one.account.came}", f"{one.account.left}", f"{rate:.1f}", _ms(one.latency.p50_ns)),
            *(_ms(one.latency.p99_ns), f"{one.waiting}", dropped_of(one), one.last_error[:ERROR_LETTERS]),
        ]
        table.add_row(Text(name), Text(one.state or "gone", _STYLES.get(one.state, "red")), *map(Text, row))
    parts: list[Text | Table] = [Text(headline(statistics)), table]
    if most is not None and len(names) > most:
        parts.append(Text(f"and {len(names) - most} more sources", "dim"))
    return Group(*parts)


def headline(statistics: ModuleStatistics) -> str:
    """Return the account of a module in one line."""
    return (
        f"{statistics}; {statistics.state} for {statistics.uptime_s:.0f} s, {statistics.frames_per_s:.1f} frames/s, "
        f"p50 {_ms(statistics.latency.p50_ns)} ms, p99 {_ms(statistics.latency.p99_ns)} ms"
    )


def line_of(name: str, one: SourceStatistics) -> str:
    """Return how one source is doing, in one line."""
    error = f"; last error: {one.last_error}" if one.last_error else ""
    return (
        f"{name}: {one.state or 'gone'}, {one.account}; {one.frames_per_s:.1f} frames/s, "
        f"p50 {_ms(one.latency.p50_ns)} ms, p99 {_ms(one.latency.p99_ns)} ms, {one.waiting} waiting{error}"
    )


def dropped_of(one: SourceStatistics) -> str:
    """Return how many frames of a source were dropped, and why."""
    dropped = one.account.dropped
    why = ", ".join(f"{reason} {count}" for reason, count in sorted(dropped.items()))
    return f"{sum(dropped.values())}" + (f" ({why})" if why else "")


def _print_lines(console: Console, statistics: ModuleStatistics) -> None:
    for line in [headline(statistics), *(line_of(name, one) for name, one in statistics.sources.items())]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_MS:.1f}"
