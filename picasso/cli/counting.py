"""How far a command is that counts frames or pictures, as ``picasso encode`` shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

import typer

from picasso.cli.console import progress
from picasso.cli.progress import open_progress

Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
_PAUSE_S: Final = 0.1
"""Between two pictures of the table."""


@dataclass(frozen=True, slots=True)
class _Count:
    """A source's status."""

    source_id: str
    delivered: int
    total: int | None
    frames_per_s: float
    dropped: int = 0


@contextmanager
def counting(what: str, *, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Show how far it is, on stderr; what is yielded is an ``on_progress`` of ``picasso.verbs``.

    Args:
        what: What is counted, as the table names it.
        quiet: Show nothing.
    """
    began_s, shown_s = time.monotonic(), 0.0
    with open_progress(progress(), quiet=quiet) as shown:

        def show(done: int, total: int | None) -> None:
            nonlocal shown_s
            now_s = time.monotonic()
            if now_s - shown_s >= _PAUSE_S or done == total:
                shown_s = now_s
                shown.show([_Count(what, done, total, done / max(now_s - began_s, 1e-9))])

        yield show
