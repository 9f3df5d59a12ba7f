"""Bytes of pipes, devices and sockets for FFmpeg: every wait has an end, and a stop signal ends it at once."""

from __future__ import annotations

import io
import math
import os
import select
import socket
import stat
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from picasso.errors import ConnectionLostError, ReadTimeoutError
from picasso.media.stopping import StoppedReading, StopSignal

READ_BYTES: Final = 1 << 16
"""Most bytes that one read takes; as many as a pipe holds."""
_OPENING_STEPS: Final = 2
"""Time-outs that opening may take while data comes: to connect, and to look at the streams."""
STANDARD: Final = 2
"""Descriptors up to this one belong to the process and are left open."""


class Fault:
    """The first error of all that a container reads. PyAV raises it; it can carry one, so the others stay quiet."""

    error: BaseException | None = None


class ByteSource(ABC):
    """What FFmpeg reads through: PyAV calls ``read``, and ``seek`` where ``seekable`` says so."""

    def __init__(self, name: str, place: str, timeout_s: float | None, stop: StopSignal) -> None:
        """Note what all sources have.

        Args:
            name: What FFmpeg takes for the location: it guesses formats by suffixes.
            place: The location for messages.
            timeout_s: Longest that one operation may wait, in seconds; None without a limit.
            stop: Ends a wait.
        """
        self.name = name
        self._place = place
        self._timeout_s = timeout_s
        self._stop = stop
        self.fault: Fault = Fault()
        self._ahead = b""
        self.closed: bool = False
        self.defers = False
        """Whether a loss looks like an end to FFmpeg, so that it gives all that came before; ``failure`` tells it."""
        self.failure: ConnectionLostError | None = None
        self._deadline_s = self._limit_s = math.inf
        self.begin(_OPENING_STEPS)

    def begin(self, steps: int = 1) -> None:
        """Begin an operation: from now on it may be silent for ``timeout_s``, and take ``steps`` times as long."""
        if self._timeout_s is not None:
            now_s = time.monotonic()
            self._deadline_s, self._limit_s = now_s + self._timeout_s, now_s + steps * self._timeout_s

    def head(self, size: int) -> bytes:
        """Return the first bytes, at most ``size``, which will be read again."""
        while len(self._ahead) < size and (data := self._get(size - len(self._ahead))):
            self._ahead += data
        return self._ahead

    def read(self, size: int) -> bytes:
        """Return what there is, at least a byte and at most ``size``; nothing at the end.

        Raises:
            ReadTimeoutError: Nothing came in time.
            ConnectionLostError: The other side went away.
            StoppedReading: The signal was set, or Ctrl-C came.
        """
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        if self.fault.error is not None:
            return b""
        try:
            return self._get(min(size, READ_BYTES))
        except Exception as error:
            self.fault.error = error
            raise
        except BaseException as error:  # noqa: BLE001 - PyAV carries an Exception through FFmpeg, and loses the others
            self.fault.error = error
            raise StoppedReading(error) from None

    def seekable(self) -> bool:
        """Whether ``seek`` works."""
        return False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another byte, where that is possible."""
        raise OSError(f"{self._place}: cannot go to byte {offset} ({whence})")

    def tell(self) -> int:
        """Return the number of the next byte; only called where ``seek`` works."""
        raise OSError(f"{self._place}: does not count its bytes")

    def close(self) -> None:
        """Let go of it. May be called again."""
        self.closed = True

    def _get(self, size: int) -> bytes:
        if self.failure is not None:
            return b""
        try:
            data = self._receive(size)
        except ConnectionLostError as error:
            if not self.defers:
                raise
            self.failure = error
            return b""
        if self._timeout_s is not None:
            self._deadline_s = min(time.monotonic() + self._timeout_s, self._limit_s)
        return data

    @abstractmethod
    def _receive(self, size: int) -> bytes:
        """Wait for data and return it."""

    def _left_s(self) -> float | None:
        """Return the seconds until the deadline, or raise that it has passed or that the signal was set."""
        if self._stop.is_set:
            raise StoppedReading
        if self._timeout_s is None:
            return None
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            self._give_up()
        return left_s

    def _give_up(self) -> NoReturn:
        raise ReadTimeoutError(f"{self._place}: no answer in time, within {self._timeout_s:g} s")


class DescriptorSource(ByteSource):
    """A pipe, a device or a stream of the process: polled, so that nothing blocks for longer than it may."""

    def __init__(self, path: str | int, place: str, timeout_s: float | None, stop: StopSignal) -> None:
        """Open a path without waiting for its other side, or take a descriptor.

        Raises:
            OSError: It cannot be opened.
        """
        super().__init__(str(path), place, timeout_s, stop)
        self._cleanup = ExitStack()
        if isinstance(path, int):
            self._descriptor = path
            os.fstat(path)
            if path > STANDARD:
                self._cleanup.callback(os.close, path)
        else:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
            self._descriptor = os.open(path, flags)
            self._cleanup.callback(os.close, self._descriptor)
        awake, waker = os.pipe()
        for end in (awake, waker):
            self._cleanup.callback(os.close, end)
        self._cleanup.enter_context(stop.watched_by(lambda: _ring(waker)))
        self._poll = select.poll()
        self._poll.register(awake, select.POLLIN)
        self._poll.register(self._descriptor, select.POLLIN)

    def seekable(self) -> bool:
        """Whether it is a file after all, such as one that stands behind ``<``."""
        try:
            os.lseek(self._descriptor, 0, os.SEEK_CUR)
        except OSError:
            return False
        mode = os.fstat(self._descriptor).st_mode
        return stat.S_ISREG(mode) or stat.S_ISBLK(mode)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another byte."""
        if whence == os.SEEK_CUR:
            offset -= len(self._ahead)
        self._ahead = b""
        return os.lseek(self._descriptor, offset, whence)

    def tell(self) -> int:
        """Return the number of the next byte."""
        return os.lseek(self._descriptor, 0, os.SEEK_CUR) - len(self._ahead)

    def close(self) -> None:
        """Close what was opened here."""
        super().close()
        self._cleanup.close()

    def _receive(self, size: int) -> bytes:
        while True:
            left_s = self._left_s()
            ready = dict(self._poll.poll(None if left_s is None else left_s * 1000))
            if self._descriptor in ready and not self._stop.is_set:
                with suppress(BlockingIOError):  # another reader was faster
                    return os.read(self._descriptor, size)


class SocketSource(ByteSource):
    """The bytes that a server sends over TCP: an orderly end is the end, anything else is a lost connection."""

    def __init__(self, url: str, place: str, timeout_s: float | None, stop: StopSignal) -> None:
        """Connect to ``tcp://host:port``.

        Raises:
            OSError: The server cannot be reached.
        """
        super().__init__(url, place, timeout_s, stop)
        parts = urlsplit(url)
        if not parts.hostname or not parts.port:
            raise OSError("expected tcp://host:port")
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout_s)
        self._cleanup = ExitStack()
        self._cleanup.enter_context(self._socket)
        self._cleanup.enter_context(stop.watched_by(lambda: hang_up(self._socket)))

    def close(self) -> None:
        """Hang up."""
        super().close()
        self._cleanup.close()

    def _receive(self, size: int) -> bytes:
        self._socket.settimeout(self._left_s())
        try:
            data = self._socket.recv(size)
        except TimeoutError:
            self._left_s()
            self._give_up()
        except OSError as error:
            self._left_s()
            raise ConnectionLostError(f"{self._place}: connection lost: {error.strerror or error}") from None
        if not data:
            self._left_s()
        return data


class SourceFile(io.RawIOBase):
    """A source as a file of Python's, for those who read lines."""

    def __init__(self, source: ByteSource) -> None:
        """Read from a source, which is closed with the file."""
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is into a buffer and return how many bytes that is."""
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the source."""
        self._source.close()
        super().close()


def hang_up(link: socket.socket) -> None:
    """End what another thread waits for on a socket."""
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


def _ring(waker: int) -> None:
    with suppress(OSError):
        os.write(waker, b"\0")
