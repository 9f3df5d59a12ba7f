"""From SIGTERM to the exit of a module: many sources, up to 10 frames of each queued, every file finished."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULE = """
name: stopping
parameters:
  log_level: info
  frame: {{width: 1280, height: 720}}
  output_frame: {{codec: {codec}, encoder: {encoder}}}
  buffer_queues: {{length: 10}}
pipeline:
  source:
{sources}
  elements:
    - {{element: pyfunc, module: slow.py, class_name: It}}
  sink:
    - {{element: {sink}}}
    - {{element: metadata_json_sink, properties: {{location: "out/{{source}}.ndjson"}}}}
"""
SOURCE = "    - {{element: videotestsrc, properties: {{width: 1280, height: 720, source_id: cam-{number:02d}}}}}"
SINKS = {"h264": "video_file_sink, properties: {location: 'out/{source}.mp4'}", "jpeg": "devnull_sink"}
SLOW = """
from pathlib import Path
from picasso.module import PyFunc
class It(PyFunc):
    def __call__(self, frame):
        if frame.frame_num == 15: Path(f"seen-{frame.source_id}").touch()
"""


def stop_once(folder: Path, sources: int, codec: str) -> tuple[float, str]:
    """Run a module until every source has come to its 15th frame, stop it, and return the seconds and its account."""
    (folder / "slow.py").write_text(SLOW)
    text = MODULE.format(
        codec=codec,
        encoder="software" if codec == "h264" else "null",
        sink=SINKS[codec],
        sources="\n".join(SOURCE.format(number=number) for number in range(sources)),
    )
    (folder / "m.yml").write_text(text)
    command = [sys.executable, "-m", "picasso", "run", "m.yml", "-q"]
    process = subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ | {"LOGLEVEL": ""}
    )
    while len(list(folder.glob("seen-*"))) < sources:
        if process.poll() is not None:
            sys.exit(f"the module ended: {process.communicate()[1]}")
        time.sleep(0.01)
    began_s = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    _out, err = process.communicate()
    took_s = time.perf_counter() - began_s
    assert process.returncode == 0, err
    found = re.search(r"\d+ frames in = .*", err)
    return took_s, found[0] if found else err


def stopping(rounds: int, sources: int, codec: str) -> str:
    """Measure, say what each round came to, and return the median."""
    took: list[float] = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            seconds, account = stop_once(Path(folder), sources, codec)
        took.append(seconds)
        print(f"{number + 1:3}: {seconds:5.2f} s   {account}", flush=True)
    return f"from SIGTERM to the exit: median {statistics.median(took):.2f} s, slowest {max(took):.2f} s of {rounds}"
