"""One file of a stream, from its first frame to its place."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from picasso.encode import EncodedUnit
from picasso.errors import MediaError
from picasso.media.ffmpeg import FAILURES, reason
from picasso.media.muxers import ByFFmpeg, Fragments, Muxer, Sound
from picasso.media.outputs import Output
from picasso.media.packets import FFMPEG_NAMES, StreamKind
from picasso.signals import hold_stop

if TYPE_CHECKING:
    import av


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the files of a stream are written."""

    suffix: str
    """``.mp4``, ``.mov`` or ``.mkv``."""
    fragment: bool
    """Whether an MP4 file plays while it is written."""
    sync: bool
    """Whether what is written waits for the disk, a fragment at a time."""
    ffmpeg: Mapping[str, str]
    """Options of FFmpeg's muxer; with any, FFmpeg writes the file."""
    sound: Sequence[Sound] = ()
    """Streams of sound that are copied beside the frames."""


class StreamFile:
    """One file: its output, its muxer, and what became of the frames. One thread at a time.

    A write that fails is raised once; what comes later is counted in ``lost``, and ``complete`` says so.
    """

    def __init__(self, output: Output, options: FileOptions) -> None:
        self.output = output
        self.kind: StreamKind | None = None
        """What is in it, once its first frame came."""
        self.frames: int = 0
        """Frames that were taken."""
        self.lost: int = 0
        """Frames that came after the failure."""
        self.size_bytes: int = 0
        """Coded bytes that were taken."""
        self.failure: Exception | None = None
        """What went wrong, once it did."""
        self._options = options
        self._muxer: Muxer | None = None
        self._is_finished = False

    @property
    def safe(self) -> int:
        """Frames that are safe: they are in the file and play."""
        return 0 if self._muxer is None else self._muxer.safe

    def write(self, unit: EncodedUnit, kind: StreamKind, dts_ns: int, pts_ns: int) -> None:
        """Take a frame, decoded later than those before; the first one must be a keyframe.

        Raises:
            MediaError: It cannot be written, or is of a kind that the file cannot hold.
        """
        if self.failure is not None:
            self.lost += 1
            return
        if not unit.data:
            self._refuse(f"the frame at {unit.pts_ns} ns holds no encoded bytes")
        if self._muxer is None:
            self._muxer = self._open(unit, kind)
        try:
            self._muxer.add(unit, dts_ns, pts_ns)
        except MediaError as error:  # the frame is refused; the file goes on
            raise MediaError(f"{self.output.place}: {error}") from None
        except FAILURES as error:
            self.lost += 1
            self._fail(error)
        self.frames += 1
        self.size_bytes += len(unit.data)

    def write_sound(self, index: int, packet: av.Packet[Any]) -> None:
        """Take a packet of one of the sounds; those before the first frame are left out.

        Raises:
            MediaError: It cannot be written.
        """
        if self.failure is None and self._muxer is not None:
            try:
                self._muxer.add_sound(index, packet)
            except FAILURES as error:
                self._fail(error)

    def flush(self) -> None:
        """Bring what was taken into the file, as far as the container can.

        Raises:
            MediaError: It cannot be written.
        """
        if self.failure is None and self._muxer is not None:
            try:
                self._muxer.flush()
            except FAILURES as error:
                self._fail(error)

    def complete(self) -> None:
        """Finish the file and put it in its place; one without frames, or with lost ones, leaves what was there.

        Raises:
            MediaError: Frames are lost, or the file cannot be put in its place; the part file stays.
        """
        if self.output.closed:
            return
        if self._muxer is None and self.failure is None:
            self.output.abandon(keep=False)
            return
        self._finish()
        if self.failure is not None:
            self._keep()
            raise MediaError(f"{self.output.place}: {self._losses()}") from None
        try:
            self.output.complete()
        except OSError as error:
            stays = self.output.part is not None and self.output.part.exists()
            where = f"written to {self.output.part}" if stays else "lost"
            raise MediaError(f"{self.output.place}: {reason(error)}; {_frames(self.frames)} {where}") from None

    def abandon(self) -> bool:
        """Leave what was there as it is; tell whether a part file with frames stays. It plays."""
        if self.output.closed:
            return False
        with contextlib.suppress(OSError):
            self._finish()
        return self._keep()

    def _open(self, unit: EncodedUnit, kind: StreamKind) -> Muxer:
        if kind.codec not in FFMPEG_NAMES:
            names = ", ".join(codec.name() for codec in FFMPEG_NAMES)
            self._refuse(f"{kind.codec.name()} cannot be written to a container; one of {names}")
        if not unit.keyframe:
            self._refuse("the first frame must be a keyframe")
        options = self._options
        try:
            if options.suffix == ".mkv" or options.ffmpeg:
                muxer: Muxer = ByFFmpeg(
                    self.output, options.suffix, kind, options.sound, options.ffmpeg, sync=options.sync
                )
            else:
                muxer = Fragments(
                    self.output, options.suffix, kind, unit, options.sound, fragment=options.fragment, sync=options.sync
                )
        except FAILURES as error:
            self._refuse(reason(error))
        self.kind = kind
        return muxer

    def _finish(self) -> None:
        """Bring everything into the file; notes what goes wrong."""
        if self.failure is None and self._muxer is not None and not self._is_finished:
            try:
                self._muxer.finish()
            except FAILURES as error:
                self.failure = error
            self._is_finished = True

    def _keep(self) -> bool:
        keep = self.safe > 0
        self.output.abandon(keep=keep)
        return keep and self.output.part is not None

    def _fail(self, error: Exception) -> NoReturn:
        self.failure = error
        with hold_stop():  # a signal that came meanwhile goes first; what is lost is known now
            pass
        raise MediaError(f"{self.output.place}: {self._losses()}") from None

    def _losses(self) -> str:
        """Why, and what is left: one sentence."""
        assert self.failure is not None
        lost = self.frames + self.lost - self.safe
        left = f"{_frames(self.safe)} safe in {self.output.written_to}" if self.safe else "no frame is safe"
        return f"{reason(self.failure)}; {left}, {_frames(lost)} lost"

    def _refuse(self, why: str) -> NoReturn:
        raise MediaError(f"{self.output.place}: {why}")


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"
