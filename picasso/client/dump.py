"""Messages in a file, with the times at which they came: recorded once, replayed as often as wanted."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from picasso.engine.clock import Clock, MonotonicClock
from picasso.errors import MediaError
from picasso.media.timeline import Pacer

if TYPE_CHECKING:
    from picasso.wire import Received, Writer

MAGIC: Final = b"picasso messages 1\n"
_HEAD: Final = struct.Struct("<QIIH")
"""Nanoseconds since the first message, bytes of the source id, bytes of the message, parts of the payload."""
_LENGTH: Final = struct.Struct("<I")
_MAX_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message of a file."""

    time_ns: int
    """Since the first message."""
    source_id: str
    """The source that it belongs to."""
    message: bytes
    """The encoded message."""
    payload: tuple[bytes, ...]
    """The parts beside it."""


class DumpWriter:
    """Writes messages as they come."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Create the file, or replace it.

        Raises:
            MediaError: It cannot be created.
        """
        self._path = os.fspath(path)
        try:
            self._file: BinaryIO = open(self._path, "wb")  # noqa: SIM115 - closed by close
        except OSError as error:
            raise MediaError(f"{self._path}: {error.strerror}") from None
        self._file.write(MAGIC)
        self._first_ns: int | None = None
        self.count: int = 0
        """Messages written."""

    def write(self, received: Received, time_ns: int | None = None) -> None:
        """Write a message.

        Args:
            received: The message.
            time_ns: When it came, on any clock that rises; now by default.

        Raises:
            MediaError: The file cannot be written.
        """
        now_ns = time.monotonic_ns() if time_ns is None else time_ns
        self._first_ns = now_ns if self._first_ns is None else self._first_ns
        name = received.source_id.encode()
        since_ns = max(now_ns - self._first_ns, 0)
        try:
            self._file.write(_HEAD.pack(since_ns, len(name), len(received.data), len(received.payload)))
            self._file.write(name)
            self._file.write(received.data)
            for part in received.payload:
                self._file.write(_LENGTH.pack(len(part)))
                self._file.write(part)
        except OSError as error:
            raise MediaError(f"{self._path}: {error.strerror}") from None
        self.count += 1

    def close(self) -> None:
        """Finish the file.

        Raises:
            MediaError: It cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise MediaError(f"{self._path}: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class DumpReader:
    """Reads the messages of a file, each time it is iterated over."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the file.

        Raises:
            MediaError: It cannot be opened, or holds no messages.
        """
        self._path = os.fspath(path)
        with self._open():
            pass

    def __iter__(self) -> Iterator[Recorded]:
        """Yield the messages in their order.

        Raises:
            MediaError: The file breaks off, or holds something else.
        """
        with self._open() as file:
            while head := file.read(_HEAD.size):
                yield self._record(file, head)

    def _open(self) -> BinaryIO:
        try:
            file = open(self._path, "rb")  # noqa: SIM115 - the caller closes it
        except OSError as error:
            raise MediaError(f"{self._path}: {error.strerror}") from None
        if file.read(len(MAGIC)) != MAGIC:
            file.close()
            raise MediaError(f"{self._path}: holds no recorded messages")
        return file

    def _record(self, file: BinaryIO, head: bytes) -> Recorded:
        if len(head) < _HEAD.size:
            raise MediaError(f"{self._path}: breaks off within a message")
        time_ns, name_bytes, message_bytes, parts = _HEAD.unpack(head)
        name = self._exactly(file, name_bytes)
        message = self._exactly(file, message_bytes)
        payload = tuple(self._exactly(file, _LENGTH.unpack(self._exactly(file, _LENGTH.size))[0]) for _ in range(parts))
        return Recorded(time_ns, name.decode(errors="replace"), message, payload)

    def _exactly(self, file: BinaryIO, count: int) -> bytes:
        data = file.read(count) if count <= _MAX_BYTES else b""
        if len(data) != count:
            raise MediaError(f"{self._path}: breaks off within a message")
        return data


def replay(
    dump: DumpReader, writer: Writer, *, speed: float | None = 1.0, clock: Clock | None = None
) -> Iterator[Recorded]:
    """Send the messages of a file again, and yield each once it is sent.

    Args:
        dump: The file.
        writer: Where they go; it numbers them as its own.
        speed: How much faster than they came; None sends them as fast as they are taken.
        clock: What paces.

    Raises:
        MediaError: The file breaks off.
        TransportTimeoutError: No one took a message in time.
        ValueError: ``speed`` is not above 0.
    """
    if speed is not None and not speed > 0:
        raise ValueError(f"replay: speed = {speed}: expected a factor > 0, or None")
    pacer = Pacer(clock or MonotonicClock())
    for recorded in dump:
        if speed is not None:
            pacer.wait(round(recorded.time_ns / speed))
        writer.send(recorded.source_id, recorded.message, *recorded.payload)
        yield recorded
