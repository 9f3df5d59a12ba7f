"""Where a command writes: whether the outputs fit each other and the inputs, and what writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from picasso.cli.excerpt import Excerpt
from picasso.cli.run import Written
from picasso.encode import Codec
from picasso.engine import PtsResetPolicy
from picasso.media import ImageSequenceWriter, MetadataWriter, StreamWriter
from picasso.media.location import Kind, Place, Trust, input_place, output_place
from picasso.media.sameness import is_same, real_path
from picasso.media.sound import SoundCopy
from picasso.verbs.sound import SoundSink, open_sound

CONTAINERS: Final[dict[Codec, tuple[str, ...]]] = {
    Codec.H264: (".mp4", ".mov", ".mkv"),
    Codec.HEVC: (".mp4", ".mov", ".mkv"),
    Codec.AV1: (".mp4", ".mkv"),
    Codec.JPEG: (".mp4", ".mov", ".mkv"),
}
"""The files that a codec can go to."""
IMAGES: Final = (Codec.JPEG, Codec.PNG)
"""The codecs that can go to a folder, a file a frame."""
_IMAGE_FILE: Final = re.compile(r"\d{6,}(\.part(-\d+)?)?\.(jpg|png)")
"""The names of the images in such a folder."""
_SUFFIXES: Final = frozenset(suffix for suffixes in CONTAINERS.values() for suffix in suffixes)
_STDOUT: Final = 1


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a conversion writes."""

    video: str
    """A file, a folder for images, or ``-`` for standard output."""
    metadata: str | None
    """NDJSON file, if wanted."""
    codec: Codec
    fragment: bool = True
    """Whether an MP4 file plays while it is written."""
    fsync: bool = False
    """Whether what is written waits for the disk, a fragment at a time."""
    on_restart: PtsResetPolicy = PtsResetPolicy.CONTINUE
    """Where frames go whose times start again: into the same file, or with ``SEGMENT`` into the next one."""

    def check(self, inputs: Sequence[str]) -> None:
        """Make sure that the codec goes there, and that nothing is written over what is read or written.

        Raises:
            typer.BadParameter: It does not.
        """
        video = output_place(self.video)
        suffix = Path(self.video).suffix.lower()
        containers = CONTAINERS.get(self.codec, ())
        if video.is_direct:
            if not containers or suffix in _SUFFIXES - {*containers}:  # the name of a pipe may end in anything else
                raise typer.BadParameter(f"{self.codec.name()} does not go to {self.video!r}")
        elif not self._to_folder and suffix not in containers:
            goes_to = f"a file, one of {', '.join(containers)}" if containers else "a folder"
            raise typer.BadParameter(f"{self.codec.name()} goes to {goes_to}; got {self.video!r}")
        written = [(self.video, video, self._to_folder)]
        if self.metadata is not None:
            written.append((self.metadata, output_place(self.metadata), False))
            if _clash(written[1][1], video, is_folder=self._to_folder):
                raise typer.BadParameter(f"{self.video!r} cannot hold both the frames and their metadata")
        for name, place, is_folder in written:
            if any(_clash(input_place(read), place, is_folder=is_folder) for read in inputs):
                raise typer.BadParameter(f"{name!r} is read and written at once")

    def sound(self, source: str, trust: Trust) -> SoundCopy | None:
        """Open the sound of the source; None where there is none, or nothing to write it to.

        Raises:
            MediaError: It cannot be opened.
        """
        return None if self._to_folder else open_sound(source, self.video, trust=trust)

    def open(self, sound: SoundCopy | None = None, excerpt: Excerpt | None = None) -> Sequence[Written]:
        """Begin to write; what was there stays until the files are closed.

        Args:
            sound: What is copied beside the frames of ``excerpt``.
            excerpt: Where the frames come from.

        Raises:
            MediaError: Something cannot be written; nothing is left of the rest.
        """
        with ExitStack() as opened:
            if self._to_folder:
                video: Written = ImageSequenceWriter(self.video, whole=True, fsync=self.fsync)
            else:
                tracks = () if sound is None else sound.tracks
                policy = self._within_a_file
                video = writer = StreamWriter(
                    self.video, fragment=self.fragment, fsync=self.fsync, on_restart=policy, sound=tracks
                )
                if sound is not None and excerpt is not None:
                    video = SoundSink(writer, sound, excerpt, goes_on=self.on_restart is PtsResetPolicy.CONTINUE)
            opened.callback(video.abandon)
            files = [video]
            if self.metadata is not None:
                files.append(MetadataWriter(self.metadata, space="source"))
            opened.pop_all()
        return files

    @property
    def to_stdout(self) -> bool:
        """Whether something is written to standard output, where nothing else belongs then."""
        places = [output_place(name) for name in (self.video, self.metadata) if name is not None]
        stdout = Place(Kind.STREAM, "-", descriptor=_STDOUT)
        return any(place.is_direct and is_same(place, stdout) for place in places)

    @property
    def _within_a_file(self) -> PtsResetPolicy:
        """What a file can do: times in it never go back."""
        return PtsResetPolicy.SEGMENT if self.on_restart is PtsResetPolicy.SEGMENT else PtsResetPolicy.CONTINUE

    @property
    def _to_folder(self) -> bool:
        if self.codec not in IMAGES or output_place(self.video).is_direct:
            return False
        return Path(self.video).suffix.lower() not in CONTAINERS[Codec.H264]


def _clash(one: Place, written: Place, *, is_folder: bool) -> bool:
    """Whether a file is what is written, or one of the images that are written to a folder."""
    if is_same(one, written):
        return True
    if one.path is None or written.path is None:
        return False
    if one.kind is Kind.SEQUENCE:
        numbered = re.sub(r"%0?\d*d", r"\\d+", re.escape(one.path.name))
        folder, name = (written.path, None) if is_folder else (written.path.parent, written.path.name)
        return real_path(one.path.parent) == real_path(folder) and (name is None or bool(re.fullmatch(numbered, name)))
    if not is_folder:
        return False
    return real_path(one.path.parent) == real_path(written.path) and bool(_IMAGE_FILE.fullmatch(one.path.name))
