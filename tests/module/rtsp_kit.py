"""A real RTSP server on loopback, that a test can cut, bring back and silence."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ports import free_port

from picasso.engine import OutputMessage

PYTHON = "/usr/bin/python3"
"""Debian's own: GStreamer's bindings are its packages."""
SCRIPT = Path(__file__).with_name("rtsp_server.py")
PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly python3-gi"
)


class RtspServer:
    """Cameras by name: ``RtspServer(gate="h264:160x120")``."""

    def __init__(self, **cameras: str) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.start(**cameras)

    def url(self, name: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def start(self, **cameras: str) -> None:
        """Begin to serve, at the same address as before."""
        offers = [f"{name}={what}" for name, what in cameras.items()]
        try:
            self._process = subprocess.Popen(
                [PYTHON, str(SCRIPT), str(self.port), *offers],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert self._process.stdout is not None
            is_ready = self._process.stdout.readline() == "ready\n"
        except FileNotFoundError:
            is_ready = False
        if not is_ready:
            said = "" if self._process is None else self._process.communicate()[1][-500:]
            missing = f"no RTSP server: apt-get install {PACKAGES}\n{said}"
            pytest.fail(missing) if os.environ.get("PICASSO_NEED_SERVICES") else pytest.skip(missing)

    def cut(self) -> None:
        """End at once, as a server that loses its power."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def tell(self, line: str) -> None:
        """Say ``silence NAME`` or ``sound NAME``."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


class Seen:
    """A sink that keeps what came from each source, and that a test can wait on."""

    def __init__(self) -> None:
        self.outputs: dict[str, list[OutputMessage]] = {}
        self._changed = threading.Condition()

    def write(self, output: OutputMessage) -> None:
        with self._changed:
            self.outputs.setdefault(output.source_id, []).append(output)
            self._changed.notify_all()

    def close(self) -> None:
        pass

    def count(self, source_id: str) -> int:
        return sum(not output.is_eos for output in self.outputs.get(source_id, []))

    def ends(self, source_id: str) -> int:
        return sum(output.is_eos for output in self.outputs.get(source_id, []))

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, 60), {name: len(outs) for name, outs in self.outputs.items()}

    def wait_for_more(self, source_id: str, frames: int = 5) -> None:
        """Wait until a number of further frames of a source have come."""
        wanted = self.count(source_id) + frames
        self.wait_for(lambda: self.count(source_id) >= wanted)

    def streams(self, source_id: str) -> list[list[tuple[int, tuple[int, int]]]]:
        """Time and size of the frames of each stream of a source."""
        streams: list[list[tuple[int, tuple[int, int]]]] = [[]]
        for output in self.outputs.get(source_id, []):
            if output.is_eos:
                streams.append([])
            else:
                frame = output.as_video_frame()
                streams[-1].append((frame.pts, (frame.width, frame.height)))
        return streams
