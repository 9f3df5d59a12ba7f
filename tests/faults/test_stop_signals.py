"""SIGTERM, SIGHUP and Ctrl-C finish what is written; a second one ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from picasso.media import MetadataReader, VideoReader
from picasso.signals import SIGNALS, Stopped, hold_stop, stop_on_signals

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
ENDLESS = """
import sys
from picasso.cli import run
from picasso.cli.app import app
from picasso.media import StreamWriter
write = run._Sink.write
def told(self, output):
    write(self, output)
    if self.written == 40 and isinstance(self._file, StreamWriter):
        print("40", flush=True)
run._Sink.write = told
from picasso.cli.excerpt import Excerpt
from contextlib import contextmanager
opened = Excerpt.open
@contextmanager
def endless(self):
    def frames():
        offset, last = 0, None
        while last != offset:  # a reader that was stopped gives nothing more
            offset = 0 if last is None else last + 40_000_000
            last = offset
            with opened(self) as pictures:
                for frame, surface in pictures:
                    frame.pts += offset
                    last = frame.pts
                    yield frame, surface
    yield frames()
Excerpt.open = endless
app(prog_name="picasso")
"""
"""The command on a clip that never ends, in this process; says when 40 frames are written."""


@pytest.fixture(autouse=True)
def hangups_are_heard() -> Iterator[None]:
    """Under ``nohup`` they are ignored, here and in every program that is started."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_command_finishes_its_files(real_clip: Path, tmp_path: Path, number: signal.Signals, suffix: str) -> None:
    out, lines = tmp_path / f"out{suffix}", tmp_path / "out.ndjson"
    arguments = ["encode", str(real_clip), "-o", str(out), "--metadata", str(lines), "-q"]
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        try:
            assert command.stdout is not None
            assert command.stdout.readline() == "40\n"
            command.send_signal(number)
            _, said = command.communicate(timeout=60)
        finally:
            command.kill()
    assert command.returncode == CODES[number]
    assert said == f"picasso: {'interrupted' if number == signal.SIGINT else f'stopped by {number.name}'}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([out.name, lines.name])
    with VideoReader(out) as reader, MetadataReader(lines) as metadata:
        count = sum(1 for _ in reader.frames())
        assert count == len(list(metadata.frames())) >= 40


HANGING = """
import threading, time
from picasso import stop_on_signals
with stop_on_signals():
    try:
        print("ready", flush=True)
        while True:
            time.sleep(0.05)  # not signal.pause: a signal just before it would be handled at the next one only
    finally:
        print("finishing", flush=True)
        threading.Event().wait()
"""


@pytest.mark.parametrize("second", SIGNALS, ids=lambda number: number.name)
def test_a_second_signal_ends_a_program_that_hangs(second: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.SIGTERM)
        assert program.stdout.readline() == "finishing\n"
        program.send_signal(second)
        try:
            assert program.wait(timeout=30) == -second
        finally:
            program.kill()


def stopped_by(number: signal.Signals, then: Callable[[], object] = lambda: None) -> None:
    with stop_on_signals():
        os.kill(os.getpid(), number)
        then()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_becomes_an_exit_code_and_handlers_come_back(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    with pytest.raises(SystemExit) as caught:
        stopped_by(number)
    assert caught.value.code == CODES[number]
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_except_exception_does_not_catch_it_and_ctrl_c_handlers_do() -> None:
    assert issubclass(Stopped, KeyboardInterrupt)
    with stop_on_signals() as stop:
        with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM") as caught:
            os.kill(os.getpid(), signal.SIGTERM)
        assert (stop.signum, stop.exit_code) == (signal.SIGTERM, 143)
    assert isinstance(caught.value, Stopped)
    assert caught.value.exit_code == 143


def test_a_block_within_a_block_is_the_outer_one() -> None:
    with stop_on_signals(exits=False) as outer, stop_on_signals() as inner:
        assert inner is outer
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGHUP)


def test_what_is_held_is_done_as_a_whole() -> None:
    done = []

    def work() -> None:
        with hold_stop():
            with hold_stop():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            done.append("outer")
        done.append("after")

    with stop_on_signals(exits=False), pytest.raises(Stopped):
        work()
    assert done == ["inner", "outer"]


def fail_with(number: signal.Signals) -> None:
    with hold_stop():
        os.kill(os.getpid(), number)
        raise ValueError("disk")


@pytest.mark.parametrize("taken", [nullcontext, lambda: stop_on_signals(exits=False)], ids=["plain", "stop_on_signals"])
def test_a_block_that_fails_raises_its_error_and_the_next_one_the_signal(
    taken: Callable[[], AbstractContextManager[object]],
) -> None:
    done = []

    def work() -> None:
        with pytest.raises(ValueError, match="disk"):
            fail_with(signal.SIGINT)
        done.append("handled")
        with hold_stop():
            done.append("next")
        done.append("after")

    with taken(), pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["handled", "next"]
    with hold_stop():
        done.append("once")


def test_a_signal_that_no_block_raised_ends_the_program_all_the_same() -> None:
    def work() -> None:
        with stop_on_signals(), pytest.raises(ValueError, match="disk"):
            fail_with(signal.SIGTERM)

    with pytest.raises(SystemExit) as caught:
        work()
    assert caught.value.code == CODES[signal.SIGTERM]


def test_signals_that_are_ignored_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.signum is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_closed_terminal_that_says_so_twice_is_one_hangup() -> None:
    with stop_on_signals(exits=False) as stop:
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.signum == signal.SIGHUP


def test_other_threads_are_refused() -> None:
    said: list[str] = []

    def run() -> None:
        try:
            with stop_on_signals():
                pass
        except RuntimeError as error:
            said.append(str(error))

    thread = threading.Thread(target=run, name="worker-1")
    thread.start()
    thread.join()
    assert said == ["stop_on_signals works on the main thread only; this is 'worker-1'"]


@pytest.fixture(scope="module")
def real_clip() -> Path:
    from picasso.cli.showcase.clips import clip_path

    return clip_path("carphone_pristine.mp4")
