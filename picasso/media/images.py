"""Encoded images as numbered files in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Self

from picasso.encode import Codec, EncodedUnit
from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors
from picasso.media.names import safe_file_name
from picasso.media.packets import Written, codec_of, frame_of, unit_of

_SUFFIXES: Final = {Codec.JPEG: ".jpg", Codec.PNG: ".png"}


class ImageSequenceWriter:
    """Writes each JPEG or PNG frame to a file of its own: ``000000.jpg``, ``000001.jpg`` and so on.

    ``VideoReader("folder/%06d.jpg")`` reads them again. One thread writes at a time.
    """

    def __init__(self, folder: str | os.PathLike[str], prefix: str = "", *, codec: Codec | None = None) -> None:
        """Create the folder, and those above it.

        Args:
            folder: Where the files go; files of the same names are replaced.
            prefix: What comes before the number and a ``-``, e.g. a source id; made safe by ``safe_file_name``.
            codec: Codec of ``EncodedUnit``, which does not bring it; frames do.

        Raises:
            MediaError: The folder cannot be created.
        """
        self._folder = Path(folder)
        self._prefix = f"{safe_file_name(prefix)}-" if prefix else ""
        self._codec = codec
        self._frames = 0
        with media_errors(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def frames(self) -> int:
        """Images written so far."""
        return self._frames

    def write(self, output: Written) -> Path | None:
        """Write an image and return its file; the end of the stream writes nothing.

        Raises:
            MediaError: The file cannot be written, or the frame is neither JPEG nor PNG.
        """
        if isinstance(output, EncodedUnit):
            return self._save(output.data, self._codec)
        frame = frame_of(output)
        return None if frame is None else self._save(unit_of(frame).data, codec_of(frame))

    def close(self) -> None:
        """Do nothing: every file is finished when it was written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _save(self, data: bytes, codec: Codec | None) -> Path:
        if codec is None or codec not in _SUFFIXES:
            what = "an EncodedUnit without codec" if codec is None else codec.name()
            raise MediaError(f"{self._folder}: {what} is no image; one of jpeg, png")
        path = self._folder / f"{self._prefix}{self._frames:06d}{_SUFFIXES[codec]}"
        with media_errors(str(path)):
            path.write_bytes(data)
        self._frames += 1
        return path
