"""How far each source is, while it works: a live table on a terminal, now and then a line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from picasso_kernels.processes import pool


class Status(Protocol):
    """Where one source stands, as ``flow.SourceStatus`` says it."""

    @property
    def source_id(self) -> str:
        """Its name."""

    @property
    def delivered(self) -> int:
        """Frames that came out."""

    @property
    def total(self) -> int | None:
        """Frames to come in all; None when the container does not tell."""

    @property
    def frames_per_s(self) -> float:
        """Over the whole run so far."""

    @property
    def dropped(self) -> int:
        """Frames that were read and never came out."""


class Progress(Protocol):
    """Shows statuses between ``__enter__`` and ``__exit__``; called from one thread."""

    def note(self, text: str) -> None:
        """Say something before it begins."""
        ...

    def getting_ready(self) -> Progress:
        """Return what shows how the kernels are compiled, before there is anything else to show."""
        ...

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def show(self, statuses: Sequence[Status]) -> None:
        """Show where every source stands now."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        ...


class LiveProgress:
    """A table with a bar a source, redrawn in place."""

    def __init__(self, console: Console, *, with_table: bool = True) -> None:
        self._console = console
        self._with_table = with_table
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text, style="dim", markup=False)

    def getting_ready(self) -> Progress:
        """Return one line without the table."""
        return LiveProgress(self._console, with_table=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def show(self, statuses: Sequence[Status]) -> None:
        """Redraw the table, and below it how far the compiler is, if it is at work."""
        shown: list[RenderableType] = [_bars(statuses)] if self._with_table else []
        if compiling := pool.POOL.progress():
            shown.append(Text(str(compiling), style="dim"))
        self._live.update(Group(*shown), refresh=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


class LineProgress:
    """A line a source whenever it has done another quarter, or another 250 frames when the total is unknown."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._steps: dict[str, int] = {}

    def note(self, text: str) -> None:
        """Write a line."""
        self._write(text)

    def getting_ready(self) -> Progress:
        """Return what writes nothing: a line of the log says that the compiler is at work."""
        return LineProgress(lambda _line: None)

    def __enter__(self) -> Self:
        return self

    def show(self, statuses: Sequence[Status]) -> None:
        """Write the lines that are due."""
        for status in statuses:
            step = status.delivered * 4 // status.total if status.total else status.delivered // 250
            if step > self._steps.get(status.source_id, 0):
                self._steps[status.source_id] = step
                of = f"/{status.total}" if status.total else ""
                self._write(f"{status.source_id}: {status.delivered}{of} frames, {status.frames_per_s:.0f} frames/s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to restore."""


def open_progress(console: Console, *, quiet: bool = False) -> Progress:
    """The progress that suits the console: nothing when ``quiet``, live on a terminal, lines elsewhere."""
    if quiet:
        return LineProgress(lambda _line: None)
    if console.is_terminal:
        return LiveProgress(console)
    return LineProgress(lambda line: console.print(line, markup=False))


def _bars(statuses: Sequence[Status]) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("source", "left"), ("", "left"), ("frames", "right"), ("frames/s", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # rich types this as a Literal
    table.add_column("dropped", justify="right")
    for status in statuses:
        total = float(status.total) if status.total else None
        bar = ProgressBar(total=total, completed=status.delivered, width=30, pulse=total is None)
        of = f"/{status.total}" if status.total else ""
        figures = (f"{status.delivered}{of}", f"{status.frames_per_s:.0f}", f"{status.dropped}")
        table.add_row(status.source_id, bar, *figures)
    return table
