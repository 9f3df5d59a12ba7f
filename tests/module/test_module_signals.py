"""SIGTERM, SIGINT and SIGHUP end a module in order, with exit code 0; a second one ends it at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from running import picasso

from picasso.encode import Codec, EncoderConfig
from picasso.engine import CodecSpec, SourceSpec, warm_up
from picasso.media import probe
from picasso.signals import SIGNALS
from picasso.transform import TransformConfig

ELEMENT = """
from pathlib import Path
from picasso.module import PyFunc
class It(PyFunc):
    def on_stop(self): Path("stopped").write_text("yes")
    def __call__(self, frame):
        if frame.frame_num == 20: Path("twenty-" + frame.source_id).write_text("yes")
        if self.hangs and frame.frame_num == 20: __import__("threading").Event().wait()
"""
MODULE = """
name: m
parameters: {{frame: {{width: 64, height: 48}}, output_frame: {{codec: h264, encoder: software}}}}
pipeline:
  source:
    - {{element: videotestsrc, properties: {{width: 64, height: 48, source_id: a}}}}
    - {{element: videotestsrc, properties: {{width: 64, height: 48, source_id: b}}}}
  elements: [{{element: pyfunc, module: element.py, class_name: It, kwargs: {{hangs: {hangs}}}}}]
  sink:
    - {{element: video_file_sink, properties: {{location: '{{source}}.mp4'}}}}
    - {{element: file_sink, properties: {{file_path: all.json}}}}
"""


@pytest.fixture(scope="module", autouse=True)
def kernels_are_kept() -> None:
    """What the programs would compile lies on disk before the first of them starts."""
    warm_up(SourceSpec(codec=CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.H264, 64, 48))))


@pytest.fixture(autouse=True)
def hangups_are_heard() -> Iterator[None]:
    """Under ``nohup`` they are ignored, here and in every program that is started."""
    before = [(number, signal.signal(number, signal.SIG_DFL)) for number in (signal.SIGHUP, signal.SIGINT)]
    yield
    for number, handler in before:
        signal.signal(number, handler)


KERNELS = {name: os.environ[name] for name in ("PICASSO_CACHE_DIR",) if name in os.environ}
"""Where compiled kernels are kept. Without them the first frame waits for a compiler, on a busy machine longer than a
module that was told to stop waits for its frames."""
started_processes: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    """A module ends with its test, also where the test fails."""
    yield
    while started_processes:
        process = started_processes.pop()
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def started(folder: Path, hangs: bool) -> subprocess.Popen[str]:
    """A module that runs in a process of its own, and has come to its twentieth frame."""
    (folder / "element.py").write_text(ELEMENT)
    (folder / "m.yml").write_text(MODULE.format(hangs=str(hangs).lower()))
    process = subprocess.Popen(
        [sys.executable, "-c", "from picasso.cli import main; main()", "run", "m.yml", "-q"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={"SAVANT_STATUS_FILEPATH": str(folder / "state" / "status"), "PATH": "", **KERNELS},
    )
    started_processes.append(process)
    while not (twentieth_frames(folder, hangs) and is_running(folder)):
        assert process.poll() is None, process.communicate()[1]
    return process


def twentieth_frames(folder: Path, hangs: bool) -> bool:
    """Whether the element has seen them: of each source, or of the one that it hangs on."""
    return (any if hangs else all)((folder / f"twenty-{name}").exists() for name in ("a", "b"))


def is_running(folder: Path) -> bool:
    status = folder / "state" / "status"
    return status.exists() and status.read_text() == "running\n"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_drains_every_source_and_finishes_every_file(tmp_path: Path, number: signal.Signals) -> None:
    process = started(tmp_path, hangs=False)
    process.send_signal(number)
    _out, err = process.communicate()
    assert process.returncode == 0, err
    assert (tmp_path / "stopped").exists()
    assert (tmp_path / "state" / "status").read_text() == "stopped\n"
    records = json.loads((tmp_path / "all.json").read_text())
    for name in ("a", "b"):
        written = [one for one in records if one["source_id"] == name]
        assert probe(tmp_path / f"{name}.mp4").frame_count == len(written) - 1
    (line,) = [line for line in err.splitlines() if "frames in =" in line]
    assert "INFO picasso::module > module 'm': " in line
    came, left = int(line.split(": ")[1].split()[0]), int(line.split(" = ")[1].split()[0])
    assert (came, left) == (len(records) - 2, len(records) - 2)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    process = started(tmp_path, hangs=True)
    process.send_signal(signal.SIGTERM)
    while (tmp_path / "state" / "status").read_text() != "stopping\n":
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("text", ["def on_start(self): return None", "def __call__(self, frame): 1 / 0"])
def test_an_element_that_fails_ends_the_module_with_1_and_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "element.py").write_text(f"from picasso.module import PyFunc\nclass It(PyFunc):\n    {text}\n")
    (tmp_path / "m.yml").write_text(MODULE.format(hangs="false"))
    monkeypatch.chdir(tmp_path)
    done = picasso("run", "m.yml", "-q")
    assert done.code == 1
    (sentence,) = [line for line in done.err.splitlines() if line.startswith("picasso: ")]
    assert sentence.startswith("picasso: element pyfunc/element.py.It: ")
    assert "Traceback" not in done.err
