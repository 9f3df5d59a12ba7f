"""Encoded images as numbered files in a folder."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import deque
from pathlib import Path
from typing import Final, Self

from picasso.encode import Codec, EncodedUnit
from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors
from picasso.media.names import safe_file_name
from picasso.media.packets import Written, codec_of, frame_of, has_no_pixels, unit_of
from picasso.signals import hold_stop

_LOG: Final = logging.getLogger("picasso.media")
_SUFFIXES: Final = {Codec.JPEG: ".jpg", Codec.PNG: ".png"}


class ImageSequenceWriter:
    """Writes each JPEG or PNG frame to a file of its own: ``000000.jpg``, ``000001.jpg`` and so on.

    Each is written as ``000000.part.jpg`` and moved into its place when it is complete, so that no one reads half an
    image. With ``whole``, all of them are moved by ``close``. ``VideoReader("folder/%06d.jpg")`` reads them again.
    One thread writes at a time.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        prefix: str = "",
        *,
        codec: Codec | None = None,
        whole: bool = False,
        fsync: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Create the folder, and those above it.

        Args:
            folder: Where the files go; files of the same names are replaced.
            prefix: What comes before the number and a ``-``, e.g. a source id; made safe by ``safe_file_name``.
            codec: Codec of ``EncodedUnit``, which does not bring it; frames do.
            whole: Whether no file is replaced before ``close``, so that a run that fails leaves what was there.
            fsync: Whether each image waits for the disk.
            goes_on: Whether numbers go on behind those of files that are there, so that none is replaced.

        Raises:
            MediaError: The folder cannot be created.
        """
        self._folder = Path(folder)
        self._prefix = f"{safe_file_name(prefix)}-" if prefix else ""
        self._codec = codec
        self._frames = 0
        self._first = 0
        self._whole = whole
        self._fsync = fsync
        self._failure: Exception | None = None
        self._lost = 0
        self._parts: deque[tuple[Path, Path]] = deque()
        with media_errors(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._part = self._free_part()
            if goes_on:
                self._first = self._free_number()

    @property
    def frames(self) -> int:
        """Images written so far."""
        return self._frames

    def write(self, output: Written) -> Path | None:
        """Write an image and return its file; the end of the stream and frames of metadata only write nothing.

        A disk that takes no more is raised once; later images are counted, return None, and ``close`` raises.

        Raises:
            MediaError: The file cannot be written, or the frame is neither JPEG nor PNG.
        """
        if isinstance(output, EncodedUnit):
            return self._save(output.data, self._codec)
        frame = frame_of(output)
        return None if frame is None or has_no_pixels(output) else self._save(unit_of(frame).data, codec_of(frame))

    def close(self) -> None:
        """Move what waits into its place. May be called again.

        Raises:
            MediaError: Images are lost, or cannot be moved; those of ``whole`` keep their part names then.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise MediaError(f"{failure}; {self._frames} images are safe, {self._lost} are lost")
        with media_errors(str(self._folder)), hold_stop():
            while self._parts:
                part, path = self._parts[0]
                part.replace(path)
                self._parts.popleft()

    def abandon(self) -> Path | None:
        """Give up: with ``whole``, what was there stays, and so do the images so far under their part names.

        Returns:
            The first of them, None if there is none.
        """
        return self._parts[0][0] if self._parts else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close; an exception abandons what waits, unless it is Ctrl-C or another way to end the program."""
        if not isinstance(error, Exception):
            self.close()
        elif (left := self.abandon()) is not None:
            error.add_note(f"what was written begins with {left}")

    def _save(self, data: bytes, codec: Codec | None) -> Path | None:
        if codec is None or codec not in _SUFFIXES:
            what = "an EncodedUnit without codec" if codec is None else codec.name()
            raise MediaError(f"{self._folder}: {what} is not an image; one of jpeg, png")
        if self._failure is not None:
            self._lost += 1
            return None
        name = f"{self._prefix}{self._first + self._frames:06d}"
        path = self._folder / f"{name}{_SUFFIXES[codec]}"
        part = self._folder / f"{name}{self._part}{_SUFFIXES[codec]}"
        try:
            with media_errors(str(path)):
                self._write(part, data)
                if not self._whole:
                    part.replace(path)
        except MediaError as error:
            self._failure = error
            self._lost += 1
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        if self._whole:
            self._parts.append((part, path))
        self._frames += 1
        return path

    def _write(self, part: Path, data: bytes) -> None:
        with part.open("xb") as file:
            file.write(data)
            if self._fsync:
                file.flush()
                os.fsync(file.fileno())

    def _free_number(self) -> int:
        """Return the number behind the greatest of the images that are there."""
        names = [path.stem.removeprefix(self._prefix) for path in self._folder.iterdir() if self._is_image(path)]
        return max((int(name) + 1 for name in names if name.isdecimal()), default=0)

    def _is_image(self, path: Path) -> bool:
        return path.suffix in _SUFFIXES.values() and path.name.startswith(self._prefix)

    def _free_part(self) -> str:
        """What our part files have in their names: ``.part``, or ``.part-2`` and so on where runs before left some."""
        number, part = 1, ".part"
        names = [path.name for path in self._folder.iterdir() if path.name.startswith(self._prefix)]
        while left := [name for name in names if Path(name).stem.endswith(part)]:
            _LOG.warning(
                "%s: %d files such as %s are left from a run before; they stay", self._folder, len(left), left[0]
            )
            number += 1
            part = f".part-{number}"
        return part
