from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from picasso.cli.progress import LineProgress, LiveProgress, open_progress
from picasso_kernels.processes import pool


def status(done: int, total: int | None = 100) -> SimpleNamespace:
    return SimpleNamespace(source_id="bikes", delivered=done, total=total, frames_per_s=25.4, dropped=0)


def test_lines_come_at_every_quarter_and_only_once() -> None:
    lines: list[str] = []
    with LineProgress(lines.append) as progress:
        for done in (0, 10, 24, 25, 26, 60, 100, 100):
            progress.show([status(done)])
    assert lines == [
        "bikes: 25/100 frames, 25 frames/s",
        "bikes: 60/100 frames, 25 frames/s",
        "bikes: 100/100 frames, 25 frames/s",
    ]


def test_lines_count_where_the_total_is_unknown() -> None:
    lines: list[str] = []
    with LineProgress(lines.append) as progress:
        for done in (0, 249, 250, 400, 500):
            progress.show([status(done, None)])
    assert lines == ["bikes: 250 frames, 25 frames/s", "bikes: 500 frames, 25 frames/s"]


def test_a_pipe_gets_plain_lines() -> None:
    pipe = io.StringIO()
    with open_progress(Console(file=pipe)) as progress:
        progress.note("Getting [ready].")
        progress.show([status(100)])
    assert pipe.getvalue() == "Getting [ready].\nbikes: 100/100 frames, 25 frames/s\n"


def test_a_terminal_gets_a_live_table_that_leaves_no_trace() -> None:
    terminal = io.StringIO()
    progress = open_progress(Console(file=terminal, force_terminal=True, width=100))
    assert isinstance(progress, LiveProgress)
    with progress:
        progress.show([status(50), status(7, None)])
    shown = terminal.getvalue()
    assert "50/100" in shown
    assert "\x1b[?25h" in shown  # the cursor is back


def test_quiet_shows_nothing() -> None:
    terminal = io.StringIO()
    with open_progress(Console(file=terminal, force_terminal=True), quiet=True) as progress:
        progress.note("Getting ready.")
        progress.show([status(100)])
    assert terminal.getvalue() == ""


def test_a_terminal_shows_how_far_the_compiler_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.POOL, "progress", lambda: pool.Progress(1, 2, 7.4))
    terminal = io.StringIO()
    progress = open_progress(Console(file=terminal, force_terminal=True, width=100)).getting_ready()
    with progress:
        progress.show([status(0)])
    assert "compiling kernels for this processor, once: 1 of 2 ready, 7 s" in terminal.getvalue()
    assert "bikes" not in terminal.getvalue()


def test_a_pipe_shows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.POOL, "progress", lambda: pool.Progress(1, 2, 7.4))
    pipe = io.StringIO()
    with open_progress(Console(file=pipe)).getting_ready() as progress:
        progress.show([status(100)])
    assert pipe.getvalue() == ""
