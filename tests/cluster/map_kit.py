"""Clips, a module that runs over them, and what its results say."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

FRAMES = 12
COUNT = 40
"""Clips of a whole run."""
CODE = '''
from pathlib import Path
import numpy as np
from picasso.module import Frame, ObjectMeta
from picasso.primitives import BBox

WAITS = Path(__file__).with_name("waits")
waits_at, fifo = WAITS.read_text().splitlines() if WAITS.exists() else ("", "")


def find_square(frame: Frame) -> None:
    """Find the bright square; where a test says so, say that a file has begun and wait to be killed."""
    if frame.source_id == waits_at:
        with open(fifo, "wb", buffering=0) as here:
            here.write(b"here")
        with open(fifo + ".never", "rb") as never:
            never.read()
    bright = frame.image()[..., 0] > 128
    columns = np.flatnonzero(bright.any(0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    frame.add_obj_meta(ObjectMeta("finder", "square", BBox((left + right) / 2, 24, right - left, 16), confidence=0.9))
'''
MODULE = """
name: finder
parameters:
  frame: {width: 64, height: 48}
  output_frame: {codec: h264, encoder: software}
  draw_func: {}
pipeline:
  source: {element: uridecodebin, properties: {uri: "rtsp://127.0.0.1:1/camera", loop: true}}
  elements:
    - {element: pyfunc, module: square.py, class_name: find_square}
  sink:
    - {element: video_file_sink, properties: {location: "out/{source}.mp4"}}
    - {element: metadata_json_sink, properties: {location: "out/{source}.ndjson", chunk_size: 0}}
"""


def write_clip(path: Path, seed: int, frames: int = FRAMES) -> Path:
    """Write a clip in which a bright square moves, each seed another way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "6"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            picture = np.full((48, 64, 3), seed % 50, np.uint8)
            left = 2 * ((index + seed) % 20)
            picture[16:32, left : left + 16] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_module(folder: Path, text: str = MODULE) -> Path:
    """Write the module and its code."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "square.py").write_text(CODE)
    file = folder / "module.yml"
    file.write_text(text)
    return file


def packets(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    """The coded frames of a video with their times."""
    with av.open(str(path)) as container:
        return [(packet.pts, packet.dts, bytes(packet)) for packet in container.demux(video=0) if packet.size]


def results(folder: Path) -> dict[str, Any]:
    """Packets of every video and records of every file of metadata, by name."""
    found: dict[str, Any] = {path.name: packets(path) for path in sorted(folder.glob("*.mp4"))}
    for path in sorted(folder.glob("*.ndjson")):
        if path.name != "manifest.ndjson":
            found[path.name] = [json.loads(line) for line in path.read_text().splitlines()]
    return found


def records(folder: Path, state: str) -> list[dict[str, Any]]:
    """The records of the manifest in a state."""
    lines = (folder / "manifest.ndjson").read_text().splitlines()[1:]
    return [record for record in map(json.loads, lines) if record["state"] == state]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "picasso", "map", *map(str, arguments)]


class Running:
    """A run in a process group of its own that stops at a file until it is killed."""

    def __init__(self, folder: Path, waits_at: str, module: Path, *arguments: str | Path) -> None:
        self.fifo = folder / "fifo"
        os.mkfifo(self.fifo)
        os.mkfifo(f"{self.fifo}.never")
        self.waits = module.with_name("waits")  # beside the code: a task of Ray has another environment
        self.waits.write_text(f"{waits_at}\n{self.fifo}\n")
        self.process = subprocess.Popen(
            command(module, *arguments),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_there(self) -> None:
        """Return when the file is being worked on."""
        with self.fifo.open("rb") as fifo:
            assert fifo.read() == b"here", self.process.poll()

    def kill_group(self, number: int) -> str:
        """Send a signal to every process of it, and return what it said when it has ended."""
        os.killpg(self.process.pid, number)
        self.waits.unlink()
        said, _ = self.process.communicate(timeout=60)
        return said

    def wait_until_gone(self) -> None:
        """Return when no process of it is there."""
        for process in self.processes():
            try:
                end = os.pidfd_open(process)
            except ProcessLookupError:
                continue
            try:
                assert select.select([end], [], [], 60)[0], process
            finally:
                os.close(end)

    def processes(self) -> list[int]:
        """Its processes."""
        return list(_group(self.process.pid))


def _group(group: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                is_over = ") Z " in (entry / "stat").read_text()  # dead, and its parent has not asked yet
                if os.getpgid(int(entry.name)) == group and not is_over:
                    yield int(entry.name)
            except (ProcessLookupError, FileNotFoundError):
                continue


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ``COUNT`` clips that all differ."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(COUNT):
        write_clip(folder / f"c{number:02}.mp4", number)
    return folder


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module that they are mapped with."""
    return write_module(tmp_path_factory.mktemp("module"))
