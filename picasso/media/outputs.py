"""Files on their way: written beside the output under a name of their own, and moved into place when complete."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors
from picasso.media.location import Location, output_place

_LOG: Final = logging.getLogger("picasso.media")
_MODE: Final = 0o666
_MAX_NAME_BYTES: Final = 255
_AT_ONCE: Final = 1 << 30
"""Most bytes of one call: Linux takes less than 2 GiB."""
READER_WAIT_S: Final = 5.0
"""Seconds that a named pipe waits for someone who reads it."""
_LOOK_S: Final = 0.02


class Output:
    """One output from its creation to its place.

    A file is written as ``NAME.part.EXT`` in the folder of the output, behind links. ``complete`` moves it into place;
    ``abandon`` leaves the output as it was, and the part file with what was written. A part file of an earlier run is
    reported on the log ``picasso.media`` and never touched. A file that another writer put in the place meanwhile is
    kept, too: this one gets the next free name. Pipes and devices are written directly.

    Order of calls, also when the disk fails: write, flush, fsync, rename, fsync of the folder.

    One thread at a time. Errors are the system's own ``OSError``, except for those of the constructor.
    """

    def __init__(self, location: Location, *, replaces: bool = True) -> None:
        """Create the file.

        Args:
            location: Where it goes.
            replaces: Whether an existing file is replaced; if not, ``complete`` takes the next free name.

        Raises:
            MediaError: The output cannot be created or replaced.
            FileExistsError: Someone writes it already, and ``replaces`` is false.
        """
        self._replaces = replaces
        place = output_place(location)
        self.place: str = place.shown
        """The output as it appears in messages."""
        self.size: int = 0
        """Bytes written so far, without those that were cut off again."""
        self.path: Path | None = None
        """Where the output will be; None for pipes, devices and streams of the process."""
        self.part: Path | None = None
        """Where it is meanwhile; None for pipes, devices and streams of the process."""
        self._fd: int | None = None
        self._settled = False
        self._replaced: tuple[int, int] | None = None
        self._identity: tuple[int, int] | None = None
        with contextlib.nullcontext() if not replaces else media_errors(self.place):
            if not place.is_direct:
                assert place.path is not None
                self.path = Path(os.path.realpath(place.path))
                self._fd = self._create(self.path)
            elif place.path is not None:
                self._fd = _open_direct(place.path)
            else:
                assert place.descriptor is not None
                self._fd = os.dup(place.descriptor)
        self.seekable: bool = self.part is not None
        """Whether what was written can be changed: a file, and no pipe or device."""

    @property
    def closed(self) -> bool:
        """Whether it is in its place, or never will be."""
        return self._settled

    @property
    def written_to(self) -> str:
        """Where the bytes are now, for messages."""
        return self.place if self.part is None else str(self.part)

    def write(self, *parts: bytes | memoryview) -> None:
        """Append bytes; what did not fit on the disk as a whole is cut off again, as far as the file lets us.

        Raises:
            OSError: The disk is full, the reader of a pipe is gone, …
        """
        fd = self._descriptor()
        try:
            for part in parts:
                view = memoryview(part).cast("B") if not isinstance(part, bytes) else memoryview(part)
                while view:
                    view = view[os.write(fd, view[:_AT_ONCE]) :]
        except BaseException:
            self.cut(self.size)
            raise
        self.size += sum(map(len, parts))

    def patch(self, data: bytes, offset: int) -> None:
        """Change bytes that were written before.

        Raises:
            OSError: The system says no.
        """
        while data:
            count = os.pwrite(self._descriptor(), data, offset)
            data, offset = data[count:], offset + count

    def cut(self, size: int) -> None:
        """Cut the file off behind its first ``size`` bytes; pipes and devices stay as they are."""
        if self.seekable and self._fd is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, size)
                os.lseek(self._fd, size, os.SEEK_SET)
            self.size = size

    def sync(self) -> None:
        """Wait until what was written is on the disk.

        Raises:
            OSError: It cannot be written there.
        """
        if self.seekable:
            os.fsync(self._descriptor())

    def complete(self) -> None:
        """Put the file in its place. May be called again, also after a signal interrupted it.

        Raises:
            OSError: It cannot be written or moved; the part file stays, if its folder does.
        """
        if self._fd is not None:
            try:
                self.sync()
            except OSError:
                self._close()
                self._settled = True
                raise
            self._close()
        if self._settled:
            return
        if self.part is not None and self.path is not None and _identity(self.path) != self._identity:
            self.path = self._final(self.path, self.part)
            try:
                self.part.replace(self.path)
            except OSError:
                self._settled = True
                raise
            _sync_folder(self.path.parent)
        self._settled = True

    def abandon(self, *, keep: bool) -> None:
        """Leave the output as it was; the part file stays if ``keep``. May be called again."""
        if self._settled:
            return
        self._settled = True
        with contextlib.suppress(OSError):
            self._close()
        if self.part is not None and not keep:
            self.part.unlink(missing_ok=True)

    def _descriptor(self) -> int:
        if self._fd is None:
            raise MediaError(f"{self.place}: the file is closed")
        return self._fd

    def _look_at(self, path: Path) -> int | None:
        """Note which file is replaced, and return its permissions."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        self._replaced = status.st_dev, status.st_ino
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return stat.S_IMODE(status.st_mode)

    def _final(self, path: Path, part: Path) -> Path:
        """Where the file goes: its path, or a free one if someone else put a file there meanwhile."""
        now = _identity(path)
        if not self._replaces or (now is not None and now != self._replaced):
            free = free_path(path, but=part)
            if free != path:
                _LOG.warning("%s: another file came there meanwhile; this one goes to %s", self.place, free)
            return free
        return path

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _create(self, path: Path) -> int:
        """Make the part file, with the permissions of what it will replace."""
        mode = self._look_at(path)
        left = []
        for part in part_names(path):
            try:
                fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
            except FileExistsError:
                if not self._replaces:
                    raise
                left.append(part.name)
                continue
            break
        self.part = part
        status = os.fstat(fd)
        self._identity = status.st_dev, status.st_ino
        if left:
            _LOG.warning(
                "%s: %s %s there, left by a run that did not end well or in use by another; it stays untouched",
                self.place, " and ".join(left), "is" if len(left) == 1 else "are",
            )  # fmt: skip
        if mode is not None:
            with contextlib.suppress(OSError):
                os.fchmod(fd, mode)
        return fd


def part_names(path: Path) -> Iterator[Path]:
    """Yield the names that a file may have while it is written: ``NAME.part.EXT``, ``NAME.part-2.EXT`` and so on."""
    number = 1
    while True:
        tail = f".part{'' if number == 1 else f'-{number}'}{path.suffix}"
        yield path.with_name(shortened(path.stem, tail) + tail)
        number += 1


def shortened(stem: str, tail: str) -> str:
    """Cut letters off a name so that it and its tail fit into the 255 bytes of a file system."""
    while len(os.fsencode(stem + tail)) > _MAX_NAME_BYTES:
        stem = stem[:-1]
    return stem


def free_path(path: Path, *, but: Path | None = None) -> Path:
    """Return the path, or one with a number before its suffix, that neither exists nor is being written.

    Args:
        path: What would be right.
        but: A part file that does not count, as it is the caller's own.
    """
    number, free = 1, path
    while os.path.lexists(free) or (os.path.lexists(part := next(part_names(free))) and part != but):
        number += 1
        tail = f"-{number}{path.suffix}"
        free = path.with_name(shortened(path.stem, tail) + tail)
    return free


def write_whole(location: Location, fill: Callable[[Output], object]) -> None:
    """Write a file in one go: ``fill`` writes it, and it is moved into place if that succeeds, else removed.

    Raises:
        MediaError: The file cannot be written; or what ``fill`` raises.
    """
    output = Output(location)
    try:
        with media_errors(output.place):
            fill(output)
            output.complete()
    except BaseException:
        output.abandon(keep=False)
        if output.part is not None:
            output.part.unlink(missing_ok=True)
        raise


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file, None where there is none."""
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def _sync_folder(folder: Path) -> None:
    """Make a rename last; some file systems cannot, and need not."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)


def _open_direct(path: Path) -> int:
    """Open a pipe or device for writing; a named pipe needs someone who reads it.

    Raises:
        OSError: It cannot be opened, or no one reads the pipe in time.
    """
    end_s = time.monotonic() + READER_WAIT_S
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo():
                raise
            if time.monotonic() >= end_s:
                raise OSError(f"no one reads the pipe, within {READER_WAIT_S:g} s") from None
            time.sleep(_LOOK_S)  # the system does not tell when someone comes
        else:
            os.set_blocking(fd, True)
            return fd
