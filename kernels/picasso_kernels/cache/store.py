"""Files of compiled kernels: whole or not there, checked before they are used, removed when no one uses them.

A file starts with a line of its own: what it is, the sum of its content, and the package whose sources it was made of.
A file that is empty, cut off, garbled or renamed does not fit its sum: it is passed over, and the next write replaces
it. Nothing here raises because of what is on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from picasso_kernels.cache import folder as places
from picasso_kernels.cache.folder import say_once

UNUSED_S: Final = 30 * 86_400
"""Seconds without use after which a file goes that another Python, Numba, processor or package may use."""
_ABANDONED_S: Final = 3_600
"""Age in seconds from which a file that is not finished belongs to a process that is gone."""
_MAGIC: Final = b"picasso kernel 1"
_LARGEST_HEAD: Final = 8_192
_LEGACY: Final = frozenset({".nbi", ".nbc"})
"""What earlier versions left: Numba's own files."""
_UNFINISHED: Final = ".unfinished-"


class Name(NamedTuple):
    """What a file is called: everything that its content depends on."""

    kernel: str
    """The kernel, and how it is compiled; without a dot."""
    sources: str
    """Hash of the text of the kernels."""
    tools: str
    """Hash of what makes machine code of them, and of the processor."""
    kind: str = "kernel"
    """The last part: ``kernel``, ``cubin``."""

    @property
    def file(self) -> str:
        """The file's name."""
        return ".".join(self)

    @classmethod
    def parse(cls, file: str) -> Name | None:
        """Read a file's name; None if it is not a name of ours."""
        parts = file.split(".")
        return cls(*parts) if len(parts) == len(cls._fields) and all(parts) else None


def read(name: Name) -> bytes | None:
    """Return what was written under a name; None where there is nothing, or nothing whole, which is logged once."""
    for folder in places.trusted_folders():
        content = _read(folder / name.file)
        if content is not None:
            return content
    return None


def find(name: Name) -> Path | None:
    """Return the file that ``read`` reads first; None where there is none."""
    return next((path for folder in places.trusted_folders() if (path := folder / name.file).is_file()), None)


def size_bytes(folder: Path) -> int:
    """Return how much the files of a folder take."""
    total = 0
    for path in _files(folder):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total


def write(name: Name, content: bytes, folder: Path | None = None) -> bool:
    """Keep ``content`` in ``folder``, by default where all is kept; say once why where that fails, and return False."""
    folder = places.writable_folder() if folder is None else folder
    if folder is None:
        say_once("compiled kernels are not kept: no folder can be written; PICASSO_CACHE_DIR may name one")
        return False
    path = folder / name.file
    try:
        _write_whole(path, _head(name, content) + content)
    except OSError as error:
        say_once(f"compiled kernels are not kept: {path}: {error.strerror or error}")
        return False
    prune(folder, name)
    return True


def why_absent(name: Name) -> str:
    """Say why ``read`` finds nothing under a name."""
    found = [other for folder in places.trusted_folders() for other in _names(folder) if other.kernel == name.kernel]
    if any(other == name for other in found):
        return "what is kept is damaged"
    if any(other.sources == name.sources for other in found):
        return "what is kept is for another processor, Python or Numba"
    if found:
        return "the kernels have changed since they were compiled"
    return f"none are kept in {places.writable_folder() or 'any folder'}"


def discard(name: Name, why: object) -> None:
    """Remove a file that turned out to be of no use."""
    for folder in places.trusted_folders():
        path = folder / name.file
        if path.exists():
            say_once(f"{path} cannot be used and is made again: {why}")
            with contextlib.suppress(OSError):
                path.unlink()


def prune(folder: Path, newest: Name) -> None:
    """Remove from ``folder`` the files that no one can use: made of sources that are gone or changed, or long unused.

    Files of the same kind only, and unfinished ones and those of earlier versions. What is not ours stays.
    """
    legacy = [folder] if folder.parent.name == "__pycache__" else [p for p in _files(folder.parent) if _is_legacy(p)]
    for path in (path for place in legacy for path in _files(place) if path.suffix in _LEGACY):
        with contextlib.suppress(OSError):
            path.unlink()
    for path in _files(folder):
        with contextlib.suppress(OSError):
            age_s = time.time() - path.lstat().st_mtime
            if _is_stale(path, newest, age_s):
                path.unlink()


def _is_stale(path: Path, newest: Name, age_s: float) -> bool:
    if path.name.startswith(_UNFINISHED):
        return age_s > _ABANDONED_S
    name = Name.parse(path.name)
    if name is None or name.kind != newest.kind or (name.sources == newest.sources and name.tools == newest.tools):
        return False
    if age_s > UNUSED_S:
        return True
    if name.sources == newest.sources:
        return False
    package = _package_of(path)
    return package is None or package == str(_package()) or not os.path.isdir(package)


def _is_legacy(folder: Path) -> bool:
    """Tell whether a folder is one of those that earlier versions made in the user's cache, for each package one."""
    return bool(folder.parent.name == "picasso" and re.fullmatch("[0-9a-f]{12}", folder.name) and folder.is_dir())


def _names(folder: Path) -> list[Name]:
    return [name for path in _files(folder) if (name := Name.parse(path.name))]


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _read(path: Path) -> bytes | None:
    """Return the content of one file, or None; anything wrong with it, except its absence, is logged once."""
    try:
        with _opened(path) as file:
            head, content = file.readline(_LARGEST_HEAD), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        say_once(f"{path} cannot be used and is made again: {error.strerror or error}")
        return None
    parts = head.rstrip(b"\n").split(b" ")
    if not head.startswith(_MAGIC + b" ") or parts[3:4] != [_sum(path.name, content).encode()]:
        say_once(f"{path} is damaged and is made again")
        return None
    _mark_used(path)
    return content


def _opened(path: Path) -> BinaryIO:
    """Open a plain file that someone trusted wrote and no one else can write to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file")
        if not places.has_trusted_owner(status) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise OSError(errno.EPERM, "others can write to it")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _mark_used(path: Path) -> None:
    """Note that a file is in use, once a day."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > 86_400:
            os.utime(path)


def _head(name: Name, content: bytes) -> bytes:
    package = os.fsencode(_package()).replace(b"\n", b"?")
    return b" ".join([_MAGIC, _sum(name.file, content).encode(), package]) + b"\n"


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that other processes see whole or not at all; what stands in its place goes."""
    descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, 0o644)  # who may look into the folder may read
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def _package_of(path: Path) -> str | None:
    """Return the package that a file was made of, by its first line; None where it has none."""
    with _opened(path) as file:
        head = file.readline(_LARGEST_HEAD)
    parts = head.rstrip(b"\n").split(b" ", 4)
    return os.fsdecode(parts[4]) if head.startswith(_MAGIC) and len(parts) == 5 else None


@functools.cache
def _package() -> Path:
    return Path(__file__).parents[1]


def _sum(file: str, content: bytes) -> str:
    return hashlib.sha256(file.encode() + b"\0" + content).hexdigest()
