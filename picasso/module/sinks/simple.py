"""Sinks for looking and for tests: the console, one JSON file, nothing at all, a list in memory."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from picasso.media.ffmpeg import media_errors
from picasso.media.outputs import Output
from picasso.module.sinks.record import json_of, record_of

if TYPE_CHECKING:
    from picasso.engine import OutputMessage


class ConsoleSink:
    """A line for each frame on standard output: words, or with ``json_mode`` a record of JSON."""

    name = "console_sink"

    def __init__(self, json_mode: bool = False) -> None:
        """Choose the form of the lines."""
        self._json = json_mode
        self._numbers: Counter[str] = Counter()

    def write(self, output: OutputMessage) -> None:
        """Print one line."""
        if self._json:
            line = json_of(record_of(output, self._numbers[output.source_id])).decode()
        elif output.is_eos:
            line = f"{output.source_id}: end of stream"
        else:
            frame = output.as_video_frame()
            size = len(frame.content.get_data()) if frame.content.is_internal() else 0
            what = f"{frame.codec}, {size} bytes" if size else "metadata"
            line = f"{output.source_id}: pts {frame.pts / 1e9:.3f} s, {frame.object_count} objects, {what}"
        self._numbers[output.source_id] += not output.is_eos
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()  # a reader sees each frame as it comes

    def close(self) -> None:
        """Flush what was printed."""
        sys.stdout.flush()


class FileSink:
    """All frames of all sources as one array of JSON, in the package's own form."""

    name = "file_sink"

    def __init__(self, file_path: str) -> None:
        """Create the file, beside its place until it is complete, and the folder that it goes to.

        Raises:
            MediaError: It cannot be created.
        """
        with media_errors(file_path):
            Path(file_path).parent.mkdir(parents=True, exist_ok=True)
        self._output = Output(file_path)
        self._separator = b"["

    def write(self, output: OutputMessage) -> None:
        """Write one entry of the array."""
        entry = json_of(record_of(output, 0)) if output.is_eos else output.as_video_frame().json.encode()
        with media_errors(self._output.place):
            self._output.write(self._separator, b"\n", entry)
        self._separator = b","

    def close(self) -> None:
        """Close the array and put the file in its place."""
        with media_errors(self._output.place):
            self._output.write(b"[\n]\n" if self._separator == b"[" else b"\n]\n")
            self._output.complete()


class DevNullSink:
    """Takes everything and keeps nothing."""

    name = "devnull_sink"

    def write(self, output: OutputMessage) -> None:
        """Forget the ``output``."""

    def close(self) -> None:
        """Nothing to finish."""


class MemorySink:
    """Keeps every output, for tests and programs that run a module themselves."""

    name = "memory_sink"

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.outputs: list[OutputMessage] = []

    def write(self, output: OutputMessage) -> None:
        """Keep the ``output``."""
        self.outputs.append(output)

    def close(self) -> None:
        """Nothing to finish."""
