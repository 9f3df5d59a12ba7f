"""``picasso receive``: what a module makes, as files of each source."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from picasso.cli.send import DUMP_SUFFIX

if TYPE_CHECKING:
    from rich.console import Console

    from picasso.client import SinkResult, SinkRunner
    from picasso.primitives import VideoFrame

VIDEO: Final = ("h264", "hevc", "av1", "jpeg")
log: logging.Logger = logging.getLogger("picasso.media")


def receive(
    endpoint: Annotated[
        str, typer.Argument(metavar="ENDPOINT", help="Such as sub+connect:tcp://host:5556; router+bind unless said.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=f"A folder, or a file *{DUMP_SUFFIX} for the messages with their times."),
    ],
    *,
    source_id: Annotated[str | None, typer.Option("--source-id", "-s", help="The only source that is taken.")] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="What the sources begin with that are taken.")] = None,
    frames: Annotated[int | None, typer.Option("--frames", min=1, help="Stop after this number of frames.")] = None,
    ends: Annotated[
        int | None, typer.Option("--ends", min=1, help="Stop after this number of ends of streams.")
    ] = None,
    idle_s: Annotated[
        float | None, typer.Option("--idle", metavar="SECONDS", min=0.001, help="Stop when nothing comes for so long.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    r"""Write what a module sends: for each stream a video or images, and its metadata as NDJSON.

    Ends with Ctrl-C, or as --frames, --ends or --idle say; with 1 where nothing came at all. Needs the wire extra: pip
    install 'picasso-engine\[wire]'.
    """
    from picasso.cli.console import progress
    from picasso.client import SinkBuilder

    builder = SinkBuilder(idle_timeout=idle_s, source_id=source_id, source_id_prefix=prefix).with_socket(endpoint)
    console = progress()
    with builder.build() as sink, _writer(output) as writer:
        tally = _Tally(writer, frames, ends)
        try:
            tally.take(sink, None if quiet else console)
        finally:
            tally.report(sink, None if quiet else console)
    if not tally.messages:
        raise typer.Exit(1)


@dataclass
class _Tally:
    """What came, and when it is enough."""

    writer: _Folder | _Dump
    frames: int | None
    ends: int | None
    counts: dict[str, int] = field(default_factory=dict)
    ended: int = 0
    messages: int = 0

    def take(self, sink: SinkRunner, console: Console | None) -> None:
        shown_s = time.monotonic()
        for result in sink:
            self.messages += 1
            self.writer.write(result)
            self.ended += result.eos
            if result.frame_meta is not None:
                self.counts[result.source_id] = self.counts.get(result.source_id, 0) + 1
            if console is not None and time.monotonic() - shown_s > 2:
                shown_s = time.monotonic()
                console.print(f"{sum(self.counts.values())} frames received", markup=False)
            if (self.frames and sum(self.counts.values()) >= self.frames) or (self.ends and self.ended >= self.ends):
                return

    def report(self, sink: SinkRunner, console: Console | None) -> None:
        stats = sink.reader.stats()
        if stats.missed:
            log.warning("%d messages were missed, in %d gaps", stats.missed, stats.gaps)
        for reason, count in stats.rejected.items():
            log.warning("%d messages were not taken: %s", count, reason)
        if console is None:
            return
        for name, count in self.counts.items():
            console.print(f"{name}: {count} frames", markup=False)
        if not self.messages:
            console.print("nothing was received", markup=False)


def _writer(output: Path) -> _Folder | _Dump:
    return _Dump(output) if output.suffix == DUMP_SUFFIX else _Folder(output)


class _Dump:
    """One file of messages."""

    def __init__(self, path: Path) -> None:
        from picasso.client import DumpWriter

        self._writer = DumpWriter(path)

    def write(self, result: SinkResult) -> None:
        self._writer.write(result.received)

    def __enter__(self) -> _Dump:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._writer.close()


class _Folder:
    """Files of each stream, in one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._streams: dict[str, _Stream] = {}
        self._begun: dict[str, int] = {}

    def write(self, result: SinkResult) -> None:
        from picasso.media import safe_file_name

        name = result.source_id
        if result.eos:
            if (stream := self._streams.pop(name, None)) is not None:
                stream.close()
        elif result.frame_meta is not None:
            if name not in self._streams:
                self._begun[name] = number = self._begun.get(name, 0) + 1
                suffix = "" if number == 1 else f"-{number}"
                self._streams[name] = _Stream(self._folder / f"{safe_file_name(name)}{suffix}")
            self._streams[name].write(result.frame_meta, result.payload)

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *_reason: object) -> None:
        with ExitStack() as stack:
            for stream in self._streams.values():
                stack.callback(stream.close)


class _Stream:
    """The files of one stream: its metadata, and its pictures as what they are."""

    def __init__(self, base: Path) -> None:
        from picasso.media import MetadataWriter

        self._base = base
        self._metadata = MetadataWriter(base.with_name(f"{base.name}.ndjson"))
        self._pictures: Any = None
        self._has_warned = False

    def write(self, frame: VideoFrame, payload: bytes | memoryview) -> None:
        from picasso.primitives import VideoFrameContent

        if len(payload):
            frame.content = VideoFrameContent.internal(bytes(payload))
            pictures = self._pictures or self._open(frame)
            if pictures is not None:
                pictures.write(frame)
        self._metadata.write(frame)

    def _open(self, frame: VideoFrame) -> Any:
        from picasso.media import ImageSequenceWriter, StreamWriter
        from picasso.media.payload import codec_name

        codec = codec_name(frame.codec)
        if codec in VIDEO:
            self._pictures = StreamWriter(self._base.with_name(f"{self._base.name}.mp4"))
        elif codec == "png":
            self._pictures = ImageSequenceWriter(self._base)
        elif not self._has_warned:
            self._has_warned = True
            log.warning("%s: pictures of codec %r are not written; their metadata is", self._base, codec)
        return self._pictures

    def close(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._metadata.close)
            if self._pictures is not None:
                stack.callback(self._pictures.close)
