"""The folder of a model: what an address gives is fetched into a cache, checked, and put there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from picasso.errors import ModelError
from picasso.infer.files.archives import is_archive, unpack
from picasso.infer.files.fetching import FetchError, Progress, fetch, public, shown

OFFLINE: Final = "PICASSO_OFFLINE"
"""Environment variable: set to anything but 0, nothing is fetched."""
RECORD: Final = "remote.json"
"""File of the cache that says what was fetched last."""
_INCOMING: Final = ".incoming-"
_LOCK: Final = ".lock"
_DIGESTS: Final = {32: "md5", 40: "sha1", 64: "sha256"}
"""What a checksum is, by its length in hexadecimal digits."""
_BLOCK: Final = 1 << 20
_SAY_EVERY_S: Final = 2.0
_LONGEST_CHECKSUM: Final = 1 << 16
logger: logging.Logger = logging.getLogger("picasso.infer")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the files of a model are fetched from."""

    url: str
    """An archive (ZIP, tar, wheel), or one file."""
    checksum_url: str | None = None
    """A file whose first word is the checksum of what ``url`` gives: md5, sha1 or sha256 in hexadecimal digits."""
    always_check: bool = False
    """Whether the checksum is asked for at every start, and the files are fetched again where it has changed."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """For the server: ``headers``; ``endpoint``, ``region``, ``access_key``, ``secret_key``."""

    @property
    def file_name(self) -> str:
        """What the file of the address is called here."""
        path = urllib.parse.urlsplit(self.url).path
        name = urllib.parse.unquote(path.rpartition("/")[2])
        return name if _is_part(name) and not name.startswith(".") and name != RECORD else "download"

    @property
    def key(self) -> dict[str, Any]:
        """What makes it another one; without what is secret."""
        parameters = json.loads(json.dumps(public(self.parameters), default=str, sort_keys=True))
        return {"url": shown_with_query(self.url), "checksum_url": self.checksum_url, "parameters": parameters}


def shown_with_query(url: str) -> str:
    """Return an address with a digest for its query and without its user: what tells two apart, and no secret."""
    query = urllib.parse.urlsplit(url).query
    return shown(url) + (f"?{hashlib.sha256(query.encode()).hexdigest()[:16]}" if query else "")


def safe_part(name: str, what: str) -> str:
    """Return a name that is one part of a path.

    Args:
        name: The name.
        what: Whose it is, for the error.

    Raises:
        ModelError: It would lead elsewhere.
    """
    if not _is_part(name):
        raise ModelError(f"{what} {name!r} names a folder of files: expected a name without /, \\ and ..")
    return name


def _is_part(name: str) -> bool:
    return bool(name) and name not in (".", "..") and name.isprintable() and not any(c in name for c in "/\\\0")


def provide(
    remote: Remote, cache: Path, folder: Path, model_file: str | None = None, on_progress: Progress | None = None
) -> None:
    """See to it that a model's folder holds what an address gives.

    Nothing is fetched where the folder has what was fetched last from the same address, unless ``always_check`` says
    so. Where the address cannot be reached, what was fetched from it before, or a ``model_file`` that is there, serves,
    and the log says so. What is fetched is written beside, checked, and moved into its place at the end.

    Args:
        remote: The address.
        cache: Folder in which what was fetched is kept, with a record of where it came from.
        folder: Folder of the model.
        model_file: Name of the model in that folder.
        on_progress: Told of every block that comes; by default the log is, every two seconds.

    Raises:
        ModelError: It cannot be fetched, its checksum is another one, or it cannot be unpacked or written.
        MissingDependencyError: What the address needs is not installed.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(cache):
            _provide(remote, cache, folder, model_file, on_progress)
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{shown(remote.url)}: cannot be kept in {cache} and {folder}: {error}") from error


def _provide(remote: Remote, cache: Path, folder: Path, model_file: str | None, on_progress: Progress | None) -> None:
    record = _read_record(cache)
    known = record if record.get("remote") == remote.key else {}
    kept = cache / str(known.get("name"))
    is_whole = bool(known) and all((folder / name).is_file() for name in known["files"])
    if is_whole and not remote.always_check:
        return
    is_kept = bool(known) and kept.is_file() and _digests(kept) == known["digests"]
    if is_kept and not remote.always_check:
        _put(kept, kept.name, folder)
        return
    try:
        if os.environ.get(OFFLINE, "0") not in ("", "0"):
            raise FetchError(f"{shown(remote.url)}: ${OFFLINE} is set, nothing is fetched")
        checksum = _fetch_checksum(remote)
        if checksum is None or checksum not in known.get("digests", {}).values() or not (is_whole or is_kept):
            _fetch(remote, checksum, cache, folder, on_progress)
        elif not is_whole:
            _put(kept, kept.name, folder)
    except FetchError as error:
        if is_whole:
            logger.warning("%s; the files of %s are used", error, known.get("fetched", "an earlier start"))
        elif is_kept:
            logger.warning("%s; what was fetched on %s is used", error, known.get("fetched", "an earlier day"))
            _put(kept, kept.name, folder)
        elif model_file is not None and (folder / model_file).is_file():
            logger.warning("%s; %s is used as it is", error, folder / model_file)
        else:
            raise ModelError(f"{error}; put the files into {folder}, or fetch them once with a network") from error


def _fetch_checksum(remote: Remote) -> str | None:
    """Return the checksum that an address has, in small letters."""
    if remote.checksum_url is None:
        return None
    with tempfile.SpooledTemporaryFile(max_size=_LONGEST_CHECKSUM) as file:

        def stop_where_too_long(come: int, _size: int | None) -> None:
            if come > _LONGEST_CHECKSUM:
                raise ModelError(f"{shown(str(remote.checksum_url))}: expected a checksum, got {come} bytes and more")

        fetch(remote.checksum_url, file, remote.parameters, stop_where_too_long)
        file.seek(0)
        words = file.readline().decode("ascii", "replace").split()
    first = words[0].lower() if words else ""
    if len(first) not in _DIGESTS or set(first) - set("0123456789abcdef"):
        kinds = ", ".join(f"{name} ({length} digits)" for length, name in _DIGESTS.items())
        raise ModelError(f"{shown(remote.checksum_url)}: begins with {first[:80]!r}; expected one of {kinds}")
    return first


def _fetch(remote: Remote, checksum: str | None, cache: Path, folder: Path, on_progress: Progress | None) -> None:
    logger.info("%s: is fetched", shown(remote.url))
    with tempfile.NamedTemporaryFile(dir=cache, prefix=_INCOMING, delete=False) as file:
        incoming = Path(file.name)
        try:
            fetch(remote.url, file, remote.parameters, on_progress or _log_progress(remote.url))
            file.flush()
            os.fsync(file.fileno())
            digests = _digests(incoming)
            if checksum is not None and digests[_DIGESTS[len(checksum)]] != checksum:
                kind = _DIGESTS[len(checksum)]
                raise ModelError(
                    f"{shown(remote.url)}: its {kind} is {digests[kind]}, {shown(str(remote.checksum_url))} says "
                    f"{checksum}; nothing was changed"
                )
            kept = cache / remote.file_name
            named = incoming.with_name(f"{incoming.name}-{remote.file_name}")
            os.replace(incoming, named)
            incoming = named
            files = _put(incoming, remote.file_name, folder)
            os.replace(incoming, kept)
        except BaseException:
            incoming.unlink(missing_ok=True)
            raise
    _write_record(
        cache,
        {
            "remote": remote.key,
            "name": remote.file_name,
            "digests": digests,
            "checksum": checksum,
            "files": [str(name) for name in files],
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def _put(source: Path, name: str, folder: Path) -> list[PurePosixPath]:
    """Put a file, or the files of an archive, into a folder; return their names there."""
    for left in folder.glob(f"{_INCOMING}*"):  # of a start that was killed
        shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(dir=folder, prefix=_INCOMING))
    try:
        if is_archive(source):
            files = unpack(source, beside)
        else:
            shutil.copyfile(source, beside / name)
            files = [PurePosixPath(name)]
        home = folder.resolve()
        for relative in files:
            target = folder / relative
            if not target.parent.resolve().is_relative_to(home):
                raise ModelError(f"{target}: lies outside of {folder}, by a link; nothing is written there")
        for relative in files:
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            os.replace(beside / relative, folder / relative)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return files


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Let one process at a time change a cache."""
    with open(cache / _LOCK, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_record(cache: Path) -> dict[str, Any]:
    """Return what was fetched last; empty where that is not known."""
    with suppress(OSError, ValueError, KeyError):
        record = json.loads((cache / RECORD).read_text(encoding="utf-8"))
        is_one = isinstance(record, dict) and isinstance(record.get("digests"), dict) and "sha256" in record["digests"]
        files = record.get("files") if is_one else None
        if isinstance(files, list) and all(isinstance(name, str) for name in files) and _is_part(str(record["name"])):
            return dict(record)
    return {}


def _write_record(cache: Path, record: Mapping[str, Any]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=cache, prefix=_INCOMING, delete=False, encoding="utf-8") as file:
        json.dump(record, file, indent=1)
    os.replace(file.name, cache / RECORD)


def _digests(path: Path) -> dict[str, str]:
    """Return the checksums of a file, each kind in hexadecimal digits."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in _DIGESTS.values()}
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            for one in hashes.values():
                one.update(block)
    return {name: one.hexdigest() for name, one in hashes.items()}


def _log_progress(url: str) -> Progress:
    """Return what logs how far an address has come, every two seconds."""
    said_s = time.monotonic()

    def say(come: int, size: int | None) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= _SAY_EVERY_S:
            said_s = time.monotonic()
            of = "" if not size else f" of {size / 1e6:.1f}"
            logger.info("%s: %.1f%s MB", shown(url), come / 1e6, of)

    return say
