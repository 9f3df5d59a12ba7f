"""What the files of sinks hold of a source: how far an earlier run has come, as its files say."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import string
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from picasso.media import safe_file_name
from picasso.module.config.file_names import metadata_pattern, video_pattern

if TYPE_CHECKING:
    from picasso.module.config.model import SinkConfig

NS: Final = 1_000_000_000
ROUNDING_NS: Final = 600_000
"""How far a time in a Matroska file may be from the frame's own; in MP4 it is a thousandth of that."""
LAST_BYTES: Final = 1 << 20
"""Where the last line of a file of metadata is looked for first; a longer line is looked for in twice as much."""
EMPTY_BYTES: Final = 1 << 16
"""A part file with more than this is kept, also where no frame of it can be read: it may be readable later."""
VIDEO: Final = "video_file_sink"
METADATA: Final = "metadata_json_sink"
PART: Final = re.compile(r"\.part(-\d+)?(\.[^./]*)?$")
"""The name of a file that is being written, or was left so."""
CHUNK_SIZE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Written:
    """What the files of one sink hold of a source."""

    last_ns: int
    """The time of the newest frame, in nanoseconds, or a moment later."""
    frames: int


def pattern_of(sink: SinkConfig) -> str | None:
    """Return the pattern of the files of a sink; None where none tells how far it has come."""
    location = sink.properties.get("location")
    if location is None or sink.element not in (VIDEO, METADATA):
        return None
    if sink.element == VIDEO:
        return video_pattern(str(location))
    return metadata_pattern(str(location), sink.properties.get("chunk_size", CHUNK_SIZE))


def files_of(pattern: str, source_id: str, others: Collection[str] = ()) -> list[str]:
    """Return the files of a source, complete and not, the oldest first.

    Args:
        pattern: With ``{source}`` and other fields.
        source_id: The source.
        others: Other sources: a file that may be theirs, as ``cam-2.mp4`` of ``cam``, is left out.
    """
    named = _paths(pattern, source_id)
    theirs = {path for other in others if other.startswith(f"{source_id}-") for path in _paths(pattern, other)}
    return sorted(named - theirs, key=_age)


def clear_empty(sink: SinkConfig, files: Iterable[str]) -> list[str]:
    """Remove small part files that hold no frame, of a run that is over; return the others."""
    read = _video if sink.element == VIDEO else _metadata
    left = []
    for file in files:
        if PART.search(file) and _size_of(file) <= EMPTY_BYTES and read(file) is None:
            with contextlib.suppress(OSError):
                os.unlink(file)
        else:
            left.append(file)
    return left


def written(sink: SinkConfig, files: Iterable[str]) -> Written | None:
    """Return what ``files`` of a sink hold; None where they hold no frame, or cannot be read."""
    read = _video if sink.element == VIDEO else _metadata
    found = [one for file in files if (one := read(file)) is not None]
    if not found:
        return None
    return Written(max(one.last_ns for one in found), sum(one.frames for one in found))


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _age(path: str) -> tuple[float, str]:
    try:
        return os.stat(path).st_mtime, path
    except OSError:
        return 0.0, path


def _paths(pattern: str, source_id: str) -> set[str]:
    """Return the paths that a pattern gives for a source, with the tails that writers add to keep what is there."""
    suffix = Path(pattern).suffix
    stem = pattern[: len(pattern) - len(suffix)] if suffix else pattern
    wild, exact = "", ""
    for text, field, format_, _conversion in string.Formatter().parse(stem):
        wild += glob.escape(text)
        exact += re.escape(text)
        if field == "source":
            wild += glob.escape(safe_file_name(source_id))
            exact += re.escape(safe_file_name(source_id))
        elif field is not None:
            depth = (format_ or "").count("/") + 1
            wild += "/".join("*" * depth)
            exact += "/".join(["[^/]+"] * depth)
    suffix = suffix.format(source=safe_file_name(source_id)) if "{" in suffix else suffix
    like = re.compile(rf"{exact}(-\d+)?(\.part(-\d+)?)?{re.escape(suffix)}")
    return {path for path in glob.glob(f"{wild}*{glob.escape(suffix)}") if like.fullmatch(path)}


def _video(file: str) -> Written | None:
    """Count the frames of a file that may have been left in the middle of one."""
    import av

    last_ns, frames = -1, 0
    try:
        with av.open(file) as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None and packet.time_base is not None:
                    last_ns = max(last_ns, int(packet.pts * packet.time_base * NS))
                    frames += 1
    except (av.error.FFmpegError, OSError, IndexError):
        pass  # it was left before its first fragment, or is gone; what was read counts
    return Written(last_ns + ROUNDING_NS, frames) if frames else None


def _metadata(file: str) -> Written | None:
    """Read the last whole line of a frame, and count the lines."""
    try:
        with open(file, "rb") as lines:
            frames = sum(b'"schema":"VideoFrame"' in line and line.endswith(b"\n") for line in lines)
            size = lines.tell()
            length = min(LAST_BYTES, size)
            while frames:
                lines.seek(size - length)
                pts = _last_pts(lines.read(length))
                if pts is not None:
                    return Written(pts, frames)
                if length == size:
                    break
                length = min(length * 2, size)
    except OSError:
        return None
    return None


def _last_pts(tail: bytes) -> int | None:
    """Return the time of the last whole line of a frame in the end of a file."""
    for line in reversed(tail.split(b"\n")[:-1]):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("schema") == "VideoFrame":
            return int(record["pts"])
    return None
