"""``picasso send``: pictures, videos and recorded messages to a module."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from picasso.client import ImageSource, SourceRunner
    from picasso.client.frame_sources import Built

DUMP_SUFFIX: Final = ".messages"
"""The suffix of files that hold recorded messages."""
IMAGES: Final = frozenset((".jpg", ".jpeg", ".png"))
NS: Final = 1_000_000_000


def send(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Pictures, videos, or one file of messages that `receive` recorded."),
    ],
    endpoint: Annotated[
        str, typer.Argument(metavar="ENDPOINT", help="Such as dealer+connect:tcp://host:5555; dealer+bind unless said.")
    ],
    *,
    source_id: Annotated[
        str | None, typer.Option("--source-id", "-s", help="Name of the source, where there is one file.")
    ] = None,
    pace: Annotated[bool, typer.Option("--pace", help="Send frames at their own times.")] = False,
    eos: Annotated[bool, typer.Option("--eos/--no-eos", help="End each stream behind its last frame.")] = True,
    shutdown: Annotated[
        str | None, typer.Option("--shutdown", metavar="KEY", help="Ask the module to stop when everything is sent.")
    ] = None,
    health: Annotated[
        str | None, typer.Option("--health", metavar="URL", help="Wait until the module runs, by its health endpoint.")
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Longest wait for someone to take a frame."),
    ] = 20.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    r"""Send files to a module, each as a source that is named as the file; several files at once, by their times.

    Nothing is decoded. Needs the wire extra: pip install 'picasso-engine\[wire]'.
    """
    from picasso.cli.console import progress
    from picasso.client import SourceBuilder

    if source_id is not None and len(files) > 1:
        raise typer.BadParameter("names one source; there are several files", param_hint="--source-id")
    builder = SourceBuilder(retries=0, send_timeout=timeout_s, receive_timeout=timeout_s)
    builder = builder.with_socket(endpoint).with_module_health_check_url(health)
    builder = builder.with_module_health_check_timeout(timeout_s).with_module_health_check_interval(0.5)
    streams = [] if _is_dump(files) else _streams(files, source_id)
    console = progress()
    counts: Counter[str] = Counter()
    began_s = time.monotonic()
    with builder.build() as source:
        sent = _replay(files[0], source, pace=pace) if _is_dump(files) else _send(streams, source, pace=pace, eos=eos)
        shown_s = began_s
        for name in sent:
            counts[name] += 1
            if not quiet and time.monotonic() - shown_s > 2:
                shown_s = time.monotonic()
                console.print(f"{counts.total()} frames sent", markup=False)
        if shutdown is not None:
            source.send_shutdown(next(iter(counts), "shutdown"), shutdown)
    if not quiet:
        took_s = max(time.monotonic() - began_s, 1e-9)
        for name, count in counts.items():
            console.print(f"{name}: {count} frames", markup=False)
        console.print(f"{counts.total()} in {took_s:.1f} s, {counts.total() / took_s:.0f} a second", markup=False)


def _is_dump(files: list[str]) -> bool:
    dumps = [file for file in files if file.endswith(DUMP_SUFFIX)]
    if dumps and len(files) > 1:
        raise typer.BadParameter(f"{dumps[0]} holds messages of its own; send it alone", param_hint="FILE")
    return bool(dumps)


def _streams(files: list[str], source_id: str | None) -> list[Iterable[Built]]:
    """Return what each file holds, under names that are unique."""
    from picasso.client import ImageSource, VideoSource

    taken: Counter[str] = Counter()
    streams: list[Iterable[Built]] = []
    for file in files:
        path = Path(file)
        if not path.is_file():
            raise typer.BadParameter(f"{file}: no such file", param_hint="FILE")
        name = source_id or path.stem
        taken[name] += 1
        name = name if taken[name] == 1 else f"{name}-{taken[name]}"
        if path.suffix.lower() in IMAGES:
            streams.append(_one(ImageSource(name, file)))
        else:
            streams.append(VideoSource(name, file))
    return streams


def _one(source: ImageSource) -> Iterator[Built]:
    yield source.build_frame()


def _send(streams: list[Iterable[Built]], source: SourceRunner, *, pace: bool, eos: bool) -> Iterator[str]:
    """Send the frames of all streams in the order of their times; yield the name of each frame's source."""
    began_ns = time.monotonic_ns()
    merged = heapq.merge(*streams, key=_time)
    for result in source.send_iter(_paced(merged, began_ns) if pace else merged, send_eos=eos):
        yield next(iter(result.source_ids))


def _paced(frames: Iterable[Built], began_ns: int) -> Iterator[Built]:
    for built in frames:
        wait_ns = began_ns + _time(built) - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / NS)
        yield built


def _time(built: Built) -> int:
    """Return when a frame is decoded, in nanoseconds."""
    frame = built[0]
    return frame.pts if frame.dts is None else frame.dts


def _replay(file: str, source: SourceRunner, *, pace: bool) -> Iterator[str]:
    from picasso.client import DumpReader, replay

    for recorded in replay(DumpReader(file), source.writer, speed=1.0 if pace else None):
        yield recorded.source_id
