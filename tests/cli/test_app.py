"""What all commands share: help, version, and failures of one sentence."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import av
import pytest
from rich.text import Text
from running import picasso
from typer.main import get_command

from picasso.cli.app import app
from picasso.errors import MissingDependencyError


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def raise_it(*_arguments: object, **_options: object) -> NoReturn:
        raise error

    return raise_it


@pytest.mark.parametrize("name", ["demo", "encode", "probe", "doctor", "warm-up"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = picasso(name, "--help")
    assert done.code == 0
    assert re.search(f"Example: .*picasso {name}", done.out)


def test_no_word_in_brackets_is_taken_for_a_colour_of_the_help() -> None:
    root = get_command(app)
    commands = [*root.commands.values(), *root.commands["module"].commands.values()]
    for one in commands:
        for text in [one.help, *(getattr(option, "help", None) for option in one.params)]:
            assert Text.from_markup(text or "").plain == (text or "").replace("\\[", "["), one.name
    told = {name: " ".join(picasso(name, "--help").out.split()) for name in ("run", "map", "send", "receive")}
    assert "pip install 'picasso-engine[module]'; --ray needs 'picasso-engine[module,ray]'" in told["run"]
    for name, extra in (("map", "module"), ("send", "wire"), ("receive", "wire")):
        assert f"install 'picasso-engine[{extra}]'" in told[name]


def test_no_command_prints_the_help_and_counts_as_bad_arguments() -> None:
    done = picasso()
    assert done.code == 2
    assert "Usage: picasso" in done.out


@pytest.mark.parametrize("start", [["-m", "picasso"], ["-c", "from picasso.cli import main; main()"]], ids=" ".join)
def test_the_version_is_that_of_the_distribution(start: list[str]) -> None:
    done = subprocess.run([sys.executable, *start, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"picasso {version('picasso-engine')}\n"


def test_the_command_line_sets_the_switch_interval_and_the_library_does_not() -> None:
    assert "switch interval 0.5 ms" in picasso("doctor").out
    asked = "import sys, picasso, picasso.engine; print(sys.getswitchinterval())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) == 0.005


@pytest.mark.parametrize(
    "line",
    ["fly", "--fly", "probe", "probe --fly", "probe a b", "encode in.mp4", "demo --seconds x", "demo --seconds 0"],
)
def test_bad_arguments_are_one_sentence_and_code_2(line: str) -> None:
    done = picasso(*line.split())
    assert done.code == 2
    assert done.sentence


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("demo --seconds 0", "0"),
        ("demo --seconds x", "x"),
        ("sheet a --columns -3", "-3"),
        ("run a --web 99999", "99999"),
    ],
)
def test_a_number_that_is_refused_is_named(line: str, value: str) -> None:
    assert repr(value) in picasso(*line.split()).sentence


def test_a_group_without_a_command_prints_its_help_and_counts_as_bad_arguments() -> None:
    done = picasso("module")
    assert (done.code, "internal error" in done.err) == (2, False)
    assert "schema" in done.out + done.err


def test_ctrl_c_while_the_command_is_imported_ends_it_without_a_word() -> None:
    program = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "picasso.cli.app":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from picasso.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program, "doctor"], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MissingDependencyError("cv2 is missing; pip install it"), "cv2 is missing; pip install it"),
        (PermissionError(13, "Permission denied", "/x/y.mp4"), "/x/y.mp4: Permission denied"),
        (OSError("disk\n  is full"), "disk is full"),
        (MemoryError(), "MemoryError"),
        (KeyError("x"), "internal error, KeyError: 'x'; picasso --debug shows where"),
    ],
    ids=["ours", "the system's", "two lines", "no words", "a bug"],
)
def test_a_failure_is_one_sentence_and_code_1(monkeypatch: pytest.MonkeyPatch, error: Exception, says: str) -> None:
    monkeypatch.setattr("picasso.media.probe", raising(error))
    done = picasso("probe", "in.mp4")
    assert (done.code, done.sentence) == (1, says)


def test_a_failure_has_its_notes_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError("no")
    error.add_note("while playing bikes")
    monkeypatch.setattr("picasso.media.probe", raising(error))
    assert picasso("probe", "in.mp4").sentence == "no (while playing bikes)"


def test_an_interrupted_command_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.media.probe", raising(KeyboardInterrupt()))
    done = picasso("probe", "in.mp4")
    assert (done.code, done.sentence) == (130, "interrupted")


@pytest.mark.parametrize(("flags", "variables"), [(["--debug"], {}), ([], {"PICASSO_DEBUG": "1"})], ids=str)
def test_a_failure_has_a_traceback_when_asked_for(tmp_path: Path, flags: list[str], variables: dict[str, str]) -> None:
    line = [sys.executable, "-m", "picasso", *flags, "probe", str(tmp_path / "no.mp4")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, env=os.environ | variables, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "MediaError" in done.stderr


def in_a_shell(line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell in which ``picasso`` is this package's command."""
    command = f'picasso() {{ "{sys.executable}" -m picasso "$@"; }}; {line}'
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, timeout=120, env=os.environ | variables, check=False
    )


@pytest.mark.parametrize("command", ["--help", "encode --help", "doctor --help"])
def test_a_terminal_of_ascii_shows_help(command: str) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii", "COLUMNS": "40"}
    done = in_a_shell(f"picasso {command}", **plain)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage: picasso" in done.stdout
    assert done.stdout.isascii()


def test_file_names_of_any_letters_are_shown_in_any_terminal(tmp_path: Path, small_clip: Path) -> None:
    for name in ("\u00fc\u6f22.mp4", "n\udcff.mp4"):
        (tmp_path / name).write_bytes(small_clip.read_bytes())
        for encoding in ("ascii", "utf-8", "latin-1"):
            done = in_a_shell(f'picasso probe "{tmp_path}"/{name[0]}*', PYTHONIOENCODING=encoding)
            assert done.returncode == 0, done.stderr
            assert b"codec" in done.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_danger(tmp_path: Path, small_clip: Path, closed: str) -> None:
    """A file that is opened would get their numbers, and what libraries print would go into it."""
    out = tmp_path / "out.mp4"
    done = in_a_shell(f'picasso encode "{small_clip}" -o "{out}" --seconds 0.2 {closed}')
    assert done.returncode == 0, done.stderr
    with av.open(out) as container:
        assert sum(1 for _ in container.decode(video=0)) == 6
    if ">&-" in closed.split():
        lost = in_a_shell(f'picasso encode "{small_clip}" -o - --seconds 0.2 {closed}')
        assert lost.returncode == 1, "a video that no one can get is not a success"
    failed = in_a_shell(f'picasso probe "{tmp_path}/none.mp4" {closed}')
    assert failed.returncode == 1
    assert failed.stdout == b""
