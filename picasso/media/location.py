"""What a location names: a file, a sequence of images, a pipe, a device, or a server.

Every reader, every writer and the command line ask here, so that one spelling means one thing everywhere.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import unquote, urlsplit

from picasso.errors import MediaError

Location = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A file, ``-`` or ``pipe:`` for a stream of this process, or a URL."""

Trust = Literal["origin", "any"]
"""What a location may make FFmpeg open: what has its own folder or host as its origin, or anything."""

_USER_INFO: Final = re.compile(r"(?<=://)[^/?#]*@")
_STREAM: Final = re.compile(r"-|pipe:(?P<fd>\d*)")
_NUMBER: Final = re.compile(r"%0?\d*d")
_WRAPPER: Final = re.compile(r"(async|cache|concatf?|crypto|data|fd|file|ipfs|ipns|lavfi|subfile|unix)[:,]")
"""Protocols of FFmpeg that are written without ``://``."""


_V4L2: Final = 81
"""Linux's major number of video devices."""


class Kind(Enum):
    """What sort of thing a location names."""

    FILE = "a file"
    """A regular file, a folder, or nothing yet."""
    SEQUENCE = "a sequence of images"
    """A pattern such as ``frames/%06d.png`` that is not itself the name of a file."""
    SPECIAL = "a pipe or device"
    """A named pipe, a device, a socket, a file of ``/proc``: read once and in order, and it may block."""
    STREAM = "a stream of this process"
    """Standard input or output, or another open descriptor."""
    URL = "a URL"


@dataclass(frozen=True, slots=True)
class Place:
    """A location that was looked at once."""

    kind: Kind
    shown: str
    """The location as it may appear in messages: without user name and password, and printable."""
    path: Path | None = None
    """The path as it was given, for ``FILE``, ``SEQUENCE`` and ``SPECIAL``."""
    url: str | None = None
    """For ``URL``."""
    descriptor: int | None = None
    """For ``STREAM``."""
    is_camera: bool = False
    """Whether it is a V4L2 device, such as ``/dev/video0``."""

    @property
    def is_path(self) -> bool:
        """Whether it is in a file system."""
        return self.path is not None

    @property
    def is_direct(self) -> bool:
        """Whether what is written there cannot be moved into place or deleted later: a pipe, a device, a stream."""
        return self.kind in {Kind.SPECIAL, Kind.STREAM}

    @property
    def can_be_read_again(self) -> bool:
        """Whether a second reader finds what the first one found."""
        return self.kind in {Kind.FILE, Kind.SEQUENCE}

    @property
    def scheme(self) -> str:
        """The protocol of a URL in lower case, else an empty string."""
        return "" if self.url is None else re.split(r"[:,]", self.url, maxsplit=1)[0].lower()

    @property
    def stem(self) -> str:
        """A short name: that of the file without its suffix, ``stdin``, or the URL without password."""
        if self.path is not None:
            return printable(self.path.stem)
        return self.shown if self.descriptor is None else {0: "stdin", 1: "stdout"}.get(self.descriptor, self.shown)

    @property
    def for_ffmpeg(self) -> str:
        """The name that makes FFmpeg open just this: an absolute path behind ``file:``, or the URL."""
        if self.path is not None:
            return f"file:{os.path.abspath(self.path)}"  # keeps the last part of a link's name
        return f"pipe:{self.descriptor}" if self.url is None else self.url


def input_place(location: Location, *, trust: Trust = "origin") -> Place:
    """Say what a location names, for reading.

    A ``Path``, and a string that names an existing file or has no ``://``, is a file with any characters.
    ``-`` and ``pipe:`` are standard input, ``pipe:3`` is descriptor 3. With ``trust="any"``, strings such as
    ``concat:a.ts|b.ts`` that name no file are left to FFmpeg.

    Raises:
        MediaError: It cannot be the name of anything.
        ValueError: An unknown ``trust``.
    """
    if trust not in get_args(Trust):
        raise ValueError(f"trust {trust!r}: expected one of {', '.join(get_args(Trust))}")
    return _place(location, 0, is_anything=trust == "any")


def output_place(location: Location) -> Place:
    """Say what a location names, for writing; ``-`` and ``pipe:`` are standard output.

    Raises:
        MediaError: It is a URL, or cannot be the name of anything.
    """
    place = _place(location, 1, is_anything=False)
    if place.kind is Kind.URL:
        raise MediaError(f"{place.shown}: is a URL; files, pipes and devices can be written")
    return place


def shown(location: Location) -> str:
    """Return a location as it may appear in messages: without user name and password, and printable."""
    return _USER_INFO.sub("", printable(os.fsdecode(location)))


def printable(name: str) -> str:
    r"""Return a name that can be printed: bytes that are not UTF-8 as ``\udcff``, a NUL as ``\0``."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _place(location: Location, standard: int, *, is_anything: bool) -> Place:
    name = os.fsdecode(location)
    if not name or "\0" in name:
        raise MediaError(f"{printable(name) if name else repr(name)}: cannot be the name of a file")
    if not isinstance(location, str):
        return _path_place(Path(name), shown(location))
    if stream := _STREAM.fullmatch(location):
        return Place(Kind.STREAM, location, descriptor=int(stream["fd"] or standard))
    if not os.path.lexists(location):
        if location[:7].lower() == "file://":
            return _file_url(location)
        if "://" in location or (is_anything and _WRAPPER.match(location)):
            return Place(Kind.URL, shown(location), url=location)
    return _path_place(Path(location), shown(location))


def _file_url(location: str) -> Place:
    parts = urlsplit(location)
    if parts.netloc not in {"", "localhost"}:
        raise MediaError(f"{shown(location)}: names a file of another host")
    plain, decoded = location[7 + len(parts.netloc) :], unquote(parts.path)
    is_plain = os.path.lexists(plain) or (_NUMBER.search(plain) is not None and not os.path.lexists(decoded))
    path = plain if is_plain else decoded
    if "\0" in path:
        raise MediaError(f"{shown(location)}: cannot be the name of a file")
    return _path_place(Path(path), shown(location))


def _path_place(path: Path, name: str) -> Place:
    try:
        status = path.stat()
    except (OSError, ValueError):
        kind = Kind.SEQUENCE if _NUMBER.search(path.name) and not os.path.lexists(path) else Kind.FILE
        return Place(kind, name, path=path)
    is_plain = stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and not _is_of_kernel(path, status))
    is_camera = stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) == _V4L2
    return Place(Kind.FILE if is_plain else Kind.SPECIAL, name, path=path, is_camera=is_camera)


def _is_of_kernel(path: Path, status: os.stat_result) -> bool:
    """Whether a file without a size is made up while it is read, as those of ``/proc`` are; they may block."""
    return not status.st_size and os.path.realpath(path).startswith(("/proc/", "/sys/"))
