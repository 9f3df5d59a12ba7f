"""Which files are meant: by name, folder, pattern, list or address; and what each one is called."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from picasso.cluster.files.remote import RemoteFile, is_address, remote_files, remote_lines
from picasso.errors import MediaError
from picasso.media.location import printable, shown
from picasso.module.sources.files import VIDEO_SUFFIXES

LIST_SUFFIXES: Final = (".txt", ".list", ".lst")
"""Names of files that hold a location a line."""
_TAG_DIGITS: Final = 8
_AT_ONCE: Final = 16
"""Addresses of a list that are looked at at once."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that is meant."""

    location: str
    """Its absolute path, or its address: what it is known by."""
    shown: str
    """As it was given, without user and password."""
    name: str
    """What its results are called, unique among all: the ``{source}`` of the sinks."""
    remote: RemoteFile | None = None
    """What its store says of it; None for a file of this machine."""

    @property
    def key(self) -> str:
        """What the manifest calls it: its location without user and password, and printable."""
        return shown(self.location)


def find_inputs(
    given: Iterable[str | os.PathLike[str]],
    *,
    storage_options: Mapping[str, Any] | None = None,
    known: Mapping[str, str] | None = None,
) -> list[InputFile]:
    """Return the files that are meant, each once, in the order in which they are given; those of folders by name.

    Args:
        given: Files; folders, for the videos in them; patterns such as ``clips/**/*.mp4``; lists, which are files
            ending in ``.txt``, ``.list`` or ``.lst`` with one of all these a line, or ``-`` for one on standard input;
            addresses that fsspec knows, with patterns, too.
        storage_options: What fsspec's file systems take.
        known: Names that locations have from an earlier run: they keep them.

    Raises:
        MediaError: A file is not there, or a folder, pattern or list has none.
        MissingDependencyError: fsspec, or what it needs for an address, is not there.
    """
    options = dict(storage_options or {})
    found: dict[str, tuple[InputFile, str]] = {}
    for one in given:
        for file, below in _expanded(one, options):
            found.setdefault(file.key, (file, below))
    if not found:
        raise MediaError("no input: expected files, folders, patterns, lists or addresses")
    return list(_named(list(found.values()), known or {}))


def _expanded(one: str | os.PathLike[str], options: Mapping[str, Any]) -> Iterator[tuple[InputFile, str]]:
    """Yield each file of an argument with its path below what was named."""
    text = os.fspath(one)
    if text == "-":
        yield from _listed([*sys.stdin], "<stdin>", None, options)
    elif is_address(text):
        if text.lower().endswith(LIST_SUFFIXES):
            yield from _listed(remote_lines(text, options), shown(text), None, options)
        else:
            for remote, below in remote_files(text, options):
                yield InputFile(remote.url, remote.shown, "", remote), below
    else:
        yield from _local(_path_of(text), options)


def _all_of(entry: str, options: Mapping[str, Any]) -> list[tuple[InputFile, str]]:
    return list(_expanded(entry, options))


def _path_of(text: str) -> str:
    return text[7:] if text[:7].lower() == "file://" and not os.path.lexists(text) else text


def _local(text: str, options: Mapping[str, Any]) -> Iterator[tuple[InputFile, str]]:
    path = Path(text)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _is_video(file))
        if not files:
            raise MediaError(f"{text}: no video file is there; {path / '**' / '*.mp4'} looks into folders below, too")
        yield from ((_of(file), file.name) for file in files)
    elif path.is_file() and path.suffix.lower() in LIST_SUFFIXES:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise MediaError(f"{text}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        yield from _listed(lines, text, path.parent, options)
    elif os.path.lexists(path):
        if not path.is_file():
            raise MediaError(f"{text}: is no file that can be read, or a link that leads nowhere")
        yield _of(path), path.name
    elif glob.has_magic(text):
        matching = sorted(file for file in glob.glob(text, recursive=True) if os.path.isfile(file))
        if not matching:
            raise MediaError(f"{text}: no file matches")
        root = _fixed_part(text)
        yield from ((_of(Path(file)), os.path.relpath(file, root)) for file in matching)
    else:
        raise MediaError(f"{text}: is not there")


def _is_video(file: Path) -> bool:
    """Whether a file of a folder is meant: no hidden one, such as those that systems put beside others."""
    return file.suffix.lower() in VIDEO_SUFFIXES and not file.name.startswith(".") and file.is_file()


def _of(path: Path) -> InputFile:
    return InputFile(os.path.abspath(path), shown(str(path)), "")


def _fixed_part(pattern: str) -> Path:
    """Return the folder of a pattern that has no letter of a pattern in it."""
    parts = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def _listed(
    lines: Sequence[str], name: str, folder: Path | None, options: Mapping[str, Any]
) -> Iterator[tuple[InputFile, str]]:
    """Yield the files of a list; paths are below its folder, or below the working one."""
    entries = []
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if not is_address(entry) and folder is not None and not os.path.isabs(entry):
            beside = folder / entry
            entry = str(beside) if os.path.lexists(beside) or glob.has_magic(entry) else entry
        if entry == "-" or (entry.lower().endswith(LIST_SUFFIXES) and not Path(entry).is_dir()):
            raise MediaError(f"{name}:{number}: {entry}: a list does not hold lists")
        entries.append((number, entry))
    if not entries:
        raise MediaError(f"{name}: is an empty list")
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="inputs")
    try:  # stores and servers take their time to answer: many are asked at once
        asked = {
            number: pool.submit(_all_of, entry, options)
            for number, entry in entries
            if is_address(entry) and "::" not in entry
        }
        for number, entry in entries:
            try:
                yield from asked.pop(number).result() if number in asked else _expanded(entry, options)
            except MediaError as error:
                raise MediaError(f"{name}:{number}: {error}") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _named(found: Sequence[tuple[InputFile, str]], known: Mapping[str, str]) -> Iterator[InputFile]:
    """Give each file a name of its own: that which it has, else its path below what was named, without suffix.

    Where two files would share one, or an earlier run has given it to another, digits of the location's hash follow.
    """
    plain = {file.key: printable(_plain(below)) for file, below in found}
    counts = Counter(name.casefold() for key, name in plain.items() if key not in known)
    used = {name.casefold() for name in known.values()}
    for file, _below in found:
        name = known.get(file.key)
        if name is None:
            name = plain[file.key]
            if counts[name.casefold()] > 1 or name.casefold() in used:
                tag = hashlib.sha256(file.location.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG_DIGITS]
                name = f"{name}-{tag}"
        yield replace(file, name=name)


def _plain(below: str) -> str:
    path = PurePosixPath(Path(below).as_posix())
    parts = [part for part in path.parts if part not in ("..", "/", ".")]
    stem = PurePosixPath(parts[-1]).stem if parts else ""
    return "_".join([*parts[:-1], stem]) or "file"
