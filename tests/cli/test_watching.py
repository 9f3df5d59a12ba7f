"""What ``picasso run`` shows while a module runs: a table on a terminal, plain lines elsewhere, the same numbers."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from picasso.cli.watching import MOST_ROWS, dropped_of, line_of, overview, watching
from picasso.engine.stats import NO_TIMES
from picasso.observe import ModuleStatistics, PoolUse, SourceAccount, SourceStatistics

TIMES = replace(NO_TIMES, count=300, p50_ns=12_000_000, p99_ns=34_500_000)
GATE = SourceStatistics(
    SourceAccount(300, 296, {"stopped": 1, "element": 2}, 1),
    "live",
    is_there=True,
    frames_per_s=29.94,
    latency=TIMES,
    last_error="connection [lost]",
    pictures=PoolUse(3, 4),
)


def statistics(**sources: SourceStatistics) -> ModuleStatistics:
    return ModuleStatistics(
        *("crossing", "running", 12.3, sources, SourceAccount(), [], [], PoolUse(0, 4), [], None),
        latency=TIMES,
        frames_per_s=59.9,
    )


def shown(thing: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(thing)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_a_row_says_how_a_source_is_doing() -> None:
    headline, headings, row = (line.rstrip() for line in shown(overview(statistics(gate=GATE))).splitlines())
    assert headline == (
        "module 'crossing': 300 frames in = 296 out + 3 dropped (element 2, stopped 1) + 1 under way; "
        "running for 12 s, 59.9 frames/s, p50 12.0 ms, p99 34.5 ms"
    )
    assert re.split(r" {2,}", headings) == [
        *("source", "state", "in", "out", "frames/s", "p50 ms", "p99 ms", "waiting", "dropped", "last error")
    ] or headings.split() == [
        "source",
        "state",
        "in",
        "out",
        "frames/s",
        "p50",
        "ms",
        "p99",
        "ms",
        "waiting",
        "dropped",
        "last",
        "error",
    ]
    assert row.split() == [
        *("gate", "live", "300", "296", "29.9", "12.0", "34.5", "3"),
        *("3", "(element", "2,", "stopped", "1)", "connection", "[lost]"),
    ]


def test_a_line_says_the_same_numbers() -> None:
    assert line_of("gate", GATE) == (
        "gate: live, 300 frames in = 296 out + 3 dropped (element 2, stopped 1) + 1 under way; 29.9 frames/s, "
        "p50 12.0 ms, p99 34.5 ms, 3 waiting; last error: connection [lost]"
    )
    assert dropped_of(replace(GATE, account=SourceAccount(5, 5))) == "0"


def test_of_many_sources_those_in_trouble_are_shown() -> None:
    sources = {f"cam-{number}": GATE for number in range(100)}
    sources["cam-77"] = replace(GATE, state="backing_off")
    text = shown(overview(statistics(**sources), most=MOST_ROWS))
    assert "backing_off" in text
    assert "and 60 more sources" in text
    assert text.count("cam-") == MOST_ROWS
    assert shown(overview(statistics(**sources))).count("cam-") == 100


def test_a_pipe_gets_lines_and_a_terminal_a_table_that_is_gone_in_the_end() -> None:
    taken = threading.Semaphore(0)

    def take() -> ModuleStatistics:
        taken.release()
        return statistics(gate=GATE)

    pipe = Console(file=io.StringIO(), width=160)
    with watching(take, pipe, every_s=0.001):
        for _ in range(3):
            taken.acquire()
    lines = pipe.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) >= 4
    assert {line.partition(":")[0] for line in lines} == {"module 'crossing'", "gate"}
    terminal = Console(file=io.StringIO(), width=160, force_terminal=True)
    with watching(take, terminal, every_s=0.001):
        for _ in range(3):
            taken.acquire()
    text = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "last error" in text
    assert "\x1b[2K" in text  # the table is wiped


MODULE = """
name: crossing
parameters: {output_frame: {codec: jpeg}, frame: {width: 64, height: 48}}
pipeline:
  source: {element: videotestsrc, properties: {num-buffers: 60, is-live: true, framerate: 60/1, width: 64, height: 48}}
  sink: [{element: devnull_sink}]
"""


def test_run_shows_a_table_on_a_real_terminal_and_log_lines_above_it(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text(MODULE)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "picasso", "run", "m.yml", "--every", "0.1"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
    process = subprocess.Popen(command, cwd=tmp_path, stderr=theirs, stdout=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:
        pass  # the other side is closed
    finally:
        os.close(ours)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())
    assert "live" in text
    assert "module 'crossing' runs after" in text
    assert re.search(r"test +ended +60 +60 ", text)
    assert "60 frames in = 60 out + 0 dropped" in text


def test_run_writes_plain_lines_where_no_terminal_is(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text(MODULE)
    command = [sys.executable, "-m", "picasso", "run", "m.yml", "--every", "0.1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("test: live, ")]
    counts = [tuple(map(int, re.findall(r"(\d+) (?:frames in|out|dropped|under way)", line))) for line in lines]
    assert counts
    assert all(came == sum(rest) for came, *rest in counts)
    assert "\x1b" not in done.stderr
