"""Archives unpacked into an empty folder: whole files only, nothing outside of it, and no more than they may hold."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from picasso.errors import ModelError

MOST_FILES: Final = 100_000
LEAST_LIMIT: Final = 1 << 30
"""Bytes that any archive may unpack to."""
MOST_RATIO: Final = 100
"""Bytes that each byte of an archive may unpack to, beyond ``LEAST_LIMIT``."""
_PLAIN: Final = (".onnx", ".txt", ".json", ".yaml", ".yml", ".csv")
"""Names that are never those of archives."""
_BLOCK: Final = 1 << 20


def is_archive(path: Path) -> bool:
    """Whether a file is a ZIP or tar archive, compressed or not; a wheel is a ZIP archive."""
    if path.suffix.lower() in _PLAIN:
        return False
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(archive: Path, folder: Path) -> list[PurePosixPath]:
    """Unpack an archive into an empty folder, and return the names of its files, relative to it.

    Links, devices, absolute names and names with ``..`` are refused; permissions are not taken over.

    Raises:
        ModelError: The archive is damaged, encrypted, or holds what is refused; the folder may then hold a part of it.
    """
    limit = max(LEAST_LIMIT, MOST_RATIO * archive.stat().st_size)
    written: list[PurePosixPath] = []
    try:
        for name, content in _files_of(archive):
            if len(written) >= MOST_FILES:
                raise ModelError(f"{archive.name}: holds more than {MOST_FILES} files")
            relative = safe_name(name, archive.name)
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            limit -= _copy(content, target, limit, archive.name)
            written.append(relative)
    except ModelError:
        raise
    except Exception as error:  # OSError, BadZipFile, TarError, zlib.error, lzma.LZMAError, EOFError …
        raise ModelError(f"{archive.name}: cannot be unpacked: {str(error) or type(error).__name__}") from error
    return written


def safe_name(name: str, archive: str) -> PurePosixPath:
    """Return the name of a file of an archive as a path below a folder.

    Raises:
        ModelError: It leads out of the folder, or has characters that no name of a model's file needs.
    """
    path = PurePosixPath(name)
    parts = path.parts
    is_strange = any(character in name for character in "\\\0:") or not name.isprintable()
    if path.is_absolute() or not parts or ".." in name.split("/") or is_strange or len(name) > 1024:
        raise ModelError(f"{archive}: holds {name[:200]!r}, which is not the name of a file below its folder")
    return path


def _files_of(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise ModelError(f"{archive.name}: holds {info.filename[:200]!r}, which is not a plain file")
                if info.flag_bits & 1:
                    raise ModelError(f"{archive.name}: is encrypted")
                if not info.is_dir():
                    with zipped.open(info) as content:
                        yield info.filename, content
        return
    with tarfile.open(archive) as taped:
        for member in taped:
            if member.isdir():
                continue
            data = taped.extractfile(member) if member.isreg() else None
            if data is None:
                raise ModelError(f"{archive.name}: holds {member.name[:200]!r}, which is not a plain file")
            with data:
                yield member.name, data


def _copy(content: IO[bytes], target: Path, limit: int, archive: str) -> int:
    """Write a new file and return its size in bytes."""
    size = 0
    with open(target, "xb") as file:
        while block := content.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise ModelError(f"{archive}: unpacks to more than {MOST_RATIO} times its size")
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return size
