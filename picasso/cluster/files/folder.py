"""The folder of the results: who may write there, where results are made, and how they come to their places."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final, Self, final

import msgspec

from picasso.cluster.files.manifest import NAME, Manifest, Record
from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors

OWN: Final = ".picasso"
"""The folder below it for what is no result."""
WORK: Final = "work"
TOKEN: Final = "run"
"""The file by which a node of a cluster sees that it has the same folder."""
LOG: Final = "workers.log"
NOT_OWN: Final = "the manifest names places outside the folder"


class FolderInUseError(MediaError):
    """Another run writes to this folder."""


class TakenError(MediaError):
    """Something that no run made stands where a result belongs."""


@dataclass(frozen=True, slots=True)
class Made:
    """A result that is whole and not in its place yet."""

    staging: Path
    outputs: tuple[str, ...]


@final
class OutputFolder:
    """A folder of results while one run writes to it. Results come to their places on one thread."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the folder; nothing is made yet."""
        self.path = Path(os.path.abspath(path))
        self.token = uuid.uuid4().hex
        """What this run is called."""
        self.log = self.path / OWN / LOG
        """What the processes of this run print."""
        self._lock: int | None = None
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """What is done."""
        assert self._manifest is not None
        return self._manifest

    def __enter__(self) -> Self:
        """Make the folder, keep others out, and finish what an interrupted run had begun to put in place.

        Raises:
            FolderInUseError: Another run writes there.
            MediaError: It cannot be written.
        """
        with media_errors(str(self.path)):
            (self.path / OWN).mkdir(parents=True, exist_ok=True)
            self._take_lock()
        try:
            self._manifest = Manifest(self.path / NAME)
            with media_errors(str(self.path)):
                for record in list(self.manifest.placing.values()):
                    if _is_own(record):
                        self._go_on(record)
                    else:
                        self.manifest.append(
                            msgspec.structs.replace(
                                record, state="failed", outputs=(), staging="", removes=(), error=NOT_OWN
                            )
                        )
                self._clear()
                (self.path / OWN / TOKEN).write_text(self.token)
                self.log.unlink(missing_ok=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what is unfinished, and let others in."""
        if self._manifest is not None:
            with contextlib.suppress(OSError):
                self._clear()
            self._manifest.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def staging(self, job: int, attempt: int) -> Path:
        """Return where one attempt makes its results; no other attempt of any run has it."""
        return self.path / OWN / WORK / f"{self.token[:12]}-{job}-{attempt}"

    def discard(self, staging: Path) -> None:
        """Remove what an attempt made."""
        shutil.rmtree(staging, ignore_errors=True)

    def keep(self, record: Record, made: Made) -> Record:
        """Put a whole result in its place, in one piece for everyone who reads the manifest, and return its record.

        Raises:
            TakenError: Something else is there; nothing has been moved.
            MediaError: The disk takes no more.
        """
        old = self._outputs_of(record.file)
        with media_errors(str(self.path)):
            self._refuse_taken(made.outputs, old)
            placing = msgspec.structs.replace(
                record,
                state="placing",
                outputs=made.outputs,
                staging=made.staging.relative_to(self.path).as_posix(),
                removes=tuple(name for name in old if name not in made.outputs),
            )
            self.manifest.append(placing)
            return self._go_on(placing)

    def has(self, outputs: Iterable[str]) -> bool:
        """Whether all of a result is there."""
        return all((self.path / name).exists() for name in outputs)

    def _go_on(self, placing: Record) -> Record:
        """Move what is not moved yet, remove what is replaced, and write down that it is done."""
        staging = self.path / placing.staging
        lost = [name for name in placing.outputs if not (staging / name).exists() and not (self.path / name).exists()]
        done = msgspec.structs.replace(placing, state="done", staging="", removes=())
        if lost:  # someone removed it: the file is run again
            done = msgspec.structs.replace(done, state="failed", error=f"{lost[0]} was removed")
            self.manifest.append(done)
            return done
        folders = set()
        for name in placing.outputs:
            source, target = staging / name, self.path / name
            if not source.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir() and target.is_dir():
                target.rename(staging / f"{uuid.uuid4().hex}.replaced")
            source.replace(target)
            folders.add(target.parent)
        for name in placing.removes:
            self._remove(name)
        for folder in folders:
            _sync(folder)
        self.manifest.append(done)
        self.discard(staging)
        return done

    def _outputs_of(self, file: str) -> tuple[str, ...]:
        """Return what stands there of earlier results of a file."""
        records = (self.manifest.done.get(file), self.manifest.failed.get(file))
        return tuple(dict.fromkeys(name for one in records if one is not None for name in one.outputs))

    def _refuse_taken(self, outputs: Sequence[str], old: Sequence[str]) -> None:
        for name in outputs:
            if name not in old and os.path.lexists(self.path / name):
                raise TakenError(
                    f"{self.path / name}: is there already, and is no result of this file; move it away, or choose "
                    "another folder"
                )

    def _remove(self, name: str) -> None:
        if not _is_below(name):
            return  # a manifest that someone wrote by hand removes nothing elsewhere
        path = self.path / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def _clear(self) -> None:
        """Remove what attempts have made, except for results that are on their way to their places."""
        work = self.path / OWN / WORK
        kept = {work / Path(record.staging).parts[2] for record in self.manifest.placing.values() if _is_own(record)}
        for staging in work.iterdir() if work.is_dir() else ():
            if staging not in kept:
                shutil.rmtree(staging, ignore_errors=True)
        with contextlib.suppress(OSError):
            work.rmdir()
        (self.path / OWN / TOKEN).unlink(missing_ok=True)

    def _take_lock(self) -> None:
        fd = os.open(self.path / OWN / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 4096, 0)
            os.close(fd)
            raise FolderInUseError(f"{self.path}: another run of picasso map writes there{_words(holder)}") from None
        except OSError:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(" ", "seconds")}
        os.pwrite(fd, json.dumps(mine).encode(), 0)
        self._lock = fd


def _is_below(name: str) -> bool:
    """Whether a name is of something in the folder: not the folder itself, and nothing elsewhere."""
    path = PurePosixPath(name)
    return bool(path.parts) and ".." not in path.parts and not path.is_absolute()


def _is_own(placing: Record) -> bool:
    """Whether a result that is on its way comes from where attempts work, and goes into the folder."""
    parts = PurePosixPath(placing.staging).parts
    is_work = len(parts) > 2 and parts[:2] == (OWN, WORK) and ".." not in parts
    return is_work and all(map(_is_below, placing.outputs))


def _words(holder: bytes) -> str:
    try:
        said = json.loads(holder)
        return f": process {said['pid']} on {said['host']}, since {said['since']}"
    except (ValueError, KeyError, TypeError):
        return ""


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
