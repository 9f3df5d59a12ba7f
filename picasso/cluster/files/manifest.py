"""What is done: a file of records that only grows, and that is right after a kill at any moment."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Self, final

import msgspec

from picasso.cluster.files.digests import FileMark
from picasso.errors import MediaError

NAME: Final = "manifest.ndjson"
"""The file in the folder of the results."""
VERSION: Final = 1
logger = logging.getLogger("picasso.cluster")


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: a result is about to come to its place, is there, or a file has failed."""

    state: Literal["placing", "done", "failed"]
    file: str
    """Its absolute path, or its address."""
    name: str
    """What its results are called."""
    mark: FileMark
    """What the file was like."""
    module: str
    """The digest of the module."""
    outputs: tuple[str, ...] = ()
    """Files below the folder of the results; a folder that is one result ends with a slash."""
    staging: str = ""
    """Where the outputs are before they come to their places, below the folder."""
    removes: tuple[str, ...] = ()
    """Outputs of the result before, which this one has no more."""
    frames: int = 0
    seconds: float = 0.0
    attempts: int = 1
    error: str = ""
    note: str = ""
    time: str = ""
    """When, UTC."""
    picasso: str = ""
    """The version that made it."""


class _Head(msgspec.Struct, frozen=True):
    """The first line."""

    schema: str
    version: int


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Record)
_HEAD: Final = _ENCODER.encode(_Head("picasso.map", VERSION)) + b"\n"


@final
class Manifest:
    """The records of a folder of results.

    A line is one write at the end of the file, and is on the disk before ``append`` returns. What a kill or a full disk
    leaves of a line has no end, is not read, and is cut off before the next one.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        """Read the file, and with ``writes`` open it for more.

        Raises:
            MediaError: It cannot be read or written, or is of another kind or a newer version.
        """
        self.path = path
        self.done: dict[str, Record] = {}
        """The newest result of each file."""
        self.failed: dict[str, Record] = {}
        """Files that failed and have not been done since."""
        self.placing: dict[str, Record] = {}
        """Results that were whole when the run ended, and are perhaps not in their places."""
        self._fd: int | None = None
        try:
            data = path.read_bytes() if path.exists() else b""
            whole = data.rfind(b"\n") + 1
            self._take(data[:whole])
            if writes:
                self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
                if whole < len(data):
                    os.ftruncate(self._fd, whole)
                if not whole:
                    self._write(_HEAD)
        except OSError as error:
            self.close()
            raise MediaError(f"{path}: {error.strerror or error}") from error

    @property
    def names(self) -> Mapping[str, str]:
        """The names of files that are done, by location."""
        return {location: record.name for location, record in (self.done | self.placing).items()}

    def append(self, record: Record) -> None:
        """Write a record down, for good.

        Raises:
            MediaError: The disk takes no more; the file is as it was.
        """
        try:
            self._write(_ENCODER.encode(record) + b"\n")
        except OSError as error:
            raise MediaError(f"{self.path}: {error.strerror or error}") from error
        self._note(record)

    def close(self) -> None:
        """Close the file. May be called again."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        fd = self._fd
        if fd is None:
            raise MediaError(f"{self.path}: is not open for writing")
        size = os.fstat(fd).st_size
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, size)
            raise

    def _take(self, data: bytes) -> None:
        lines = data.split(b"\n")[:-1]
        if not lines:
            return
        try:
            head = msgspec.json.decode(lines[0], type=_Head)
        except msgspec.MsgspecError:
            head = None
        if head is None or head.schema != "picasso.map":
            raise MediaError(f"{self.path}: is no manifest of picasso map; choose another folder, or remove it")
        if head.version > VERSION:
            raise MediaError(f"{self.path}: has version {head.version}, and this picasso knows {VERSION}; upgrade it")
        for number, line in enumerate(lines[1:], 2):
            try:
                self._note(_DECODER.decode(line))
            except msgspec.MsgspecError as error:
                logger.warning("%s:%d: is left out: %s", self.path, number, error)

    def _note(self, record: Record) -> None:
        location = record.file
        if record.state == "placing":
            self.placing[location] = record
            return
        self.placing.pop(location, None)
        if record.state == "done":
            self.failed.pop(location, None)
            self.done[location] = record
        else:
            self.failed[location] = record
