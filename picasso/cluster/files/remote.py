"""Files of stores and servers: which an address names, what their store says of them, and how they come here."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from picasso.errors import ConnectionLostError, MediaError, MissingDependencyError, require
from picasso.infer.files.fetching import FetchError, fetch, scheme_of
from picasso.media.location import shown
from picasso.module.sources.files import VIDEO_SUFFIXES

EXTRA: Final = "s3"
IN_PROCESS: Final = "memory"
"""The file system that exists in this process only."""
_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_HTTP: Final = ("http", "https")
_TAGS: Final = ("etag", "md5", "checksum", "content_md5", "crc32c", "crc", "generation", "version_id", "sha256")
_TIMES: Final = ("mtime", "lastmodified", "date_time", "last_modified", "updated", "modified", "created")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that is not in this machine's file system, as its store describes it."""

    url: str
    shown: str
    size: int | None = None
    """Bytes."""
    mark: str | None = None
    """What changes with it: the store's tag, or its time; None where the store says neither."""

    @property
    def file_name(self) -> str:
        """The last part of its path, as a name of a file here."""
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.url.partition("::")[0]).path)
        name = PurePosixPath(path or self.url.partition("::")[0].rpartition("/")[2]).name
        return re.sub(r"[^\w.\- ]", "_", name).lstrip(".-") or "file"


def is_address(text: str) -> bool:
    """Whether a text is an address and no path: ``s3://…``, ``https://…``, but not ``file://…``."""
    return bool(_ADDRESS.match(text)) and not os.path.lexists(text) and not text.lower().startswith("file://")


def remote_files(url: str, options: Mapping[str, Any]) -> Iterator[tuple[RemoteFile, str]]:
    """Yield the files that an address names, each with its path below the part that is no pattern.

    Raises:
        MediaError: Nothing is there, or the store does not answer.
        MissingDependencyError: A library that the address needs is not there.
    """
    head, chain, tail = url.partition("::")
    is_pattern = "*" in head or (scheme_of(head) not in _HTTP and any(letter in head for letter in "?["))
    if scheme_of(url) in _HTTP and not is_pattern:
        yield _by_http(url, options), PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name
        return
    system, path = _system_of(url, options)

    def file_of(info: Mapping[str, Any]) -> RemoteFile:
        found = f"{system.unstrip_protocol(str(info['name']).lstrip('/'))}{chain}{tail}"
        return RemoteFile(found, shown(found), info.get("size"), _mark_of(info))

    try:
        if is_pattern:
            infos = [info for info in system.glob(path, detail=True).values() if info.get("type") != "directory"]
        elif system.isdir(path):
            infos = [info for info in system.ls(path, detail=True) if _is_video(info)]
        else:
            infos = [system.info(path)]
    except ImportError as error:
        raise MissingDependencyError(f"{scheme_of(url)}:// needs a library that is not there: {error}") from error
    except Exception as error:  # each store has errors of its own
        raise MediaError(f"{shown(url)}: {_words(error)}") from error
    if not infos:
        raise MediaError(f"{shown(url)}: no file is there")
    root = _fixed_part(path) if is_pattern else str(PurePosixPath(infos[0]["name"]).parent)
    for info in sorted(infos, key=lambda info: str(info["name"])):
        name = str(info["name"])
        below = name.removeprefix(root).lstrip("/") if name.startswith(root) else PurePosixPath(name).name
        yield file_of(info), below


def remote_lines(url: str, options: Mapping[str, Any]) -> list[str]:
    """Return the lines of a text at an address.

    Raises:
        MediaError: It cannot be read.
    """
    system, path = _system_of(url, options)
    try:
        return bytes(system.cat_file(path)).decode("utf-8-sig").splitlines()
    except Exception as error:  # each store has errors of its own
        raise MediaError(f"{shown(url)}: {_words(error)}") from error


def bring(url: str, folder: Path, name: str, options: Mapping[str, Any]) -> Path:
    """Copy a file from its address into a folder, and return where it is.

    Raises:
        ConnectionLostError: It cannot be reached, or breaks off.
        MediaError: The address has no meaning, or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    try:
        with path.open("wb") as target:
            if "::" in url or scheme_of(url) not in _HTTP:
                system, there = _system_of(url, options)
                with system.open(there, "rb") as source:
                    while block := source.read(1 << 20):
                        target.write(block)
            else:
                fetch(url, target, options)
    except (FetchError, ConnectionError, TimeoutError) as error:
        raise ConnectionLostError(_words(error)) from error
    except MissingDependencyError:
        raise
    except Exception as error:  # each store has errors of its own
        raise MediaError(f"{shown(url)}: {_words(error)}") from error
    return path


def _system_of(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    fsspec = require("fsspec", extra=EXTRA)
    if scheme_of(url) == "s3":
        require("s3fs", extra=EXTRA)
    try:
        system, path = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        raise MissingDependencyError(f"{scheme_of(url)}:// needs a library that is not there: {error}") from error
    except Exception as error:  # each store has errors of its own
        raise MediaError(f"{shown(url)}: {_words(error)}") from error
    return system, str(path)


def _by_http(url: str, options: Mapping[str, Any]) -> RemoteFile:
    """Ask a server for what it says of a file; one that says nothing, or not now, is asked when the file is read."""
    import urllib.error
    import urllib.request

    headers = {str(name): str(value) for name, value in (options.get("headers") or {}).items()}
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "picasso", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30.0) as response:
            said = {name.lower(): value for name, value in response.headers.items()}
    except (urllib.error.URLError, OSError, ValueError):
        return RemoteFile(url, shown(url))
    length = said.get("content-length", "")
    return RemoteFile(
        url, shown(url), int(length) if length.isdigit() else None, said.get("etag") or said.get("last-modified")
    )


def _mark_of(info: Mapping[str, Any]) -> str | None:
    low = {str(key).lower().replace("-", "_"): value for key, value in info.items()}
    for key in (*_TAGS, *_TIMES):
        if low.get(key) is not None:
            return f"{key} {low[key]}"
    return None


def _is_video(info: Mapping[str, Any]) -> bool:
    return info.get("type") != "directory" and PurePosixPath(str(info["name"])).suffix.lower() in VIDEO_SUFFIXES


def _fixed_part(pattern: str) -> str:
    parts = pattern.split("/")[:-1]
    for index, part in enumerate(parts):
        if any(letter in part for letter in "*?["):
            return "/".join(parts[:index])
    return "/".join(parts)


def _words(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:300]
