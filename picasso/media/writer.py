"""Encoded frames into playable files, by stream copy."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from picasso.encode import EncodedUnit
from picasso.engine import PtsResetPolicy
from picasso.engine.continuation import Continuation
from picasso.engine.lifetime import close_all
from picasso.errors import MediaError
from picasso.media.location import Location, output_place
from picasso.media.muxers import Sound
from picasso.media.outputs import Output
from picasso.media.packets import StreamKind, Written, frame_of, has_no_pixels, kind_of, unit_of
from picasso.media.segments import SegmentLimits, SegmentNames
from picasso.media.stream_file import FileOptions, StreamFile
from picasso.media.times import NS
from picasso.signals import hold_stop

if TYPE_CHECKING:
    import av

_LOG: Final = logging.getLogger("picasso.media")
_SUFFIXES: Final = (".mp4", ".mov", ".mkv")
_PIPE_SUFFIX: Final = ".mkv"
_RETRY_NS: Final = 10 * NS
"""How much of the stream passes before a recording in segments tries a disk again that took nothing, nanoseconds."""


class StreamWriter:
    """Writes one stream of H.264, HEVC, AV1 or MJPEG to MP4 or Matroska files; nothing is encoded again.

    The file is written beside its place as ``NAME.part.EXT`` and plays at any time, up to its last fragment: from one
    keyframe to the next, or two seconds. ``close`` moves it into its place. A file without frames, and one that lost
    frames, leaves what was there; a part file of an earlier run is reported and stays. Pipes and devices (``-``,
    ``/dev/stdout``, a FIFO) are written directly, as Matroska unless the name or ``container`` says otherwise.

    The first frame opens the stream and must be a keyframe. Times are kept, after any pause and wherever they
    begin: exact to half a microsecond in MP4, where frames at the nominal rate are exact, and to half a millisecond in
    Matroska. Times that start again go behind the last frame, or begin the next segment, as ``on_restart`` says. An
    end of the stream brings what was written into the file and leaves it open, for a source that comes back.

    One thread writes at a time.
    """

    def __init__(
        self,
        path: Location,
        *,
        kind: StreamKind | None = None,
        options: Mapping[str, str] | None = None,
        container: str | None = None,
        fragment: bool = True,
        fsync: bool = False,
        on_restart: PtsResetPolicy | str = PtsResetPolicy.CONTINUE,
        segment_s: float | None = None,
        segment_bytes: int | None = None,
        source_id: str | None = None,
        names: SegmentNames | None = None,
        sound: Sequence[Sound] = (),
    ) -> None:
        """Create the file, so that a folder that cannot be written to is found out at once.

        With ``segment_s``, ``segment_bytes`` or ``on_restart="segment"`` there are several files, each begun by a
        keyframe and created with its first frame. The path is then a pattern, see ``SegmentNames``:
        ``rec/{source}/{time}.mp4``. Nothing is replaced, and another codec or size begins the next file.

        Args:
            path: ``.mp4``, ``.mov`` or ``.mkv``; a pipe, a device, or ``-`` for standard output.
            kind: Codec, size and rate for ``EncodedUnit``, which does not bring them; frames do.
            options: Options of FFmpeg's muxer, which then writes MP4 files, too.
            container: ``mp4``, ``mov`` or ``mkv``, instead of what the suffix says.
            fragment: Whether an MP4 file plays while it is written; if not, it plays once it is closed.
            fsync: Whether each fragment waits for the disk, so that a power cut costs no more than a crash.
            on_restart: ``continue`` or ``segment``, for times that start again.
            segment_s: Seconds of a segment, at least; the next keyframe begins another one.
            segment_bytes: Bytes of coded frames of a segment, at least.
            source_id: Name of the source in the pattern; by default that of the frames.
            names: Names of a pattern, of a writer before, whose numbers go on; ``path`` is that pattern.
            sound: Streams whose packets ``write_sound`` copies into the file, each with its first packet.

        Raises:
            MediaError: The file cannot be created, or has another suffix.
            ValueError: A pattern with unknown fields, an unknown policy, or a limit that is not above 0.
        """
        suffix = f".{container}" if container is not None else _suffix(path)
        if suffix not in _SUFFIXES:
            what = repr(container if container is not None else suffix)
            raise MediaError(f"{output_place(path).shown}: unknown container {what}; one of {', '.join(_SUFFIXES)}")
        policy = PtsResetPolicy.of(on_restart)
        if policy is PtsResetPolicy.RESET:
            raise ValueError("on_restart = reset: times in a file cannot go back; expected one of continue, segment")
        self._policy = policy
        self._kind = kind
        self._source_id = source_id
        self._options = FileOptions(suffix, fragment, fsync, dict(options or {}), tuple(sound))
        self._limits = SegmentLimits(segment_s, segment_bytes)
        is_cut = segment_s is not None or segment_bytes is not None or policy is PtsResetPolicy.SEGMENT
        self._names = (names or SegmentNames(path)) if is_cut else None
        self._place = output_place(path).shown
        self._times = Continuation()
        self._dts_ns = 0
        self._first_ns = 0
        self._closed = False
        self._slot = _Slot()
        if self._names is None:
            self._slot.file = StreamFile(Output(path), self._options)
        _open.add(self._slot)
        self._finalizer = weakref.finalize(self, _Slot.end, self._slot)
        self._finalizer.atexit = False

    @property
    def frames(self) -> int:
        """Frames taken so far, over all files."""
        return self._slot.frames + (self._slot.file.frames if self._slot.file else 0)

    @property
    def safe_frames(self) -> int:
        """Frames that are safe: they are in a file and play."""
        return self._slot.safe + (self._slot.file.safe if self._slot.file else 0)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are complete and in their place, in the order of the stream."""
        return tuple(self._slot.paths)

    @property
    def part_path(self) -> Path | None:
        """The file that is being written, or that a failure left; None before the first one, and for pipes."""
        return self._slot.file.output.part if self._slot.file else self._slot.left

    def write(self, output: Written) -> None:
        """Write an output of the engine, a frame with encoded content, or a unit of an encoder.

        Frames that came as metadata only are left out. The end of the stream brings what was written into the file;
        with ``on_restart="segment"`` it completes it. A disk that takes no more is raised once. Later frames are
        counted, and ``close`` raises.

        Raises:
            MediaError: The writer is closed, the disk takes nothing, the stream changed its codec or size, the first
                frame is not a keyframe, or there are no encoded bytes.
        """
        if self._closed:
            self._refuse("the file is closed")
        if isinstance(output, EncodedUnit):
            kind = self._kind or self._refuse("an EncodedUnit needs the writer to know its kind")
            self._write(output, kind, self._source_id or "")
        elif (frame := frame_of(output)) is not None:
            if not has_no_pixels(output):
                self._write(unit_of(frame), kind_of(frame), self._source_id or frame.source_id)
        else:
            self._end_stream()

    def write_sound(self, packet: av.Packet[Any], index: int = 0) -> None:
        """Copy a packet of sound; packets before the first frame are left out.

        Args:
            packet: Its times count from where those of the frames do.
            index: Its stream, by the place in ``sound``.

        Raises:
            MediaError: The writer is closed, or the packet cannot be written.
        """
        if self._closed:
            self._refuse("the file is closed")
        if self._slot.file is not None:
            self._slot.file.write_sound(index, packet)

    def flush(self) -> None:
        """Bring what was written into the file: all of it in MP4, whole clusters in Matroska.

        Raises:
            MediaError: The disk takes nothing.
        """
        if self._slot.file is not None:
            self._slot.file.flush()

    def close(self) -> None:
        """Finish the file and put it in its place; without frames, what was there stays. May be called again.

        Raises:
            MediaError: Frames are lost, or the file cannot be put in its place; the message says what is safe, where.
        """
        if self._closed:
            return
        known = len(self._slot.failures)
        try:
            with hold_stop():
                self._slot.complete()
                self._end()
        except KeyboardInterrupt:  # it takes the place of what is raised below
            self._slot.log_failures(known)
            raise
        if self._slot.failures:
            raise MediaError("; ".join(map(str, self._slot.failures)))

    def abandon(self) -> Path | None:
        """Give up: what was there stays, and so does a part file with the frames so far, which plays.

        May be called again, and after ``close``.

        Returns:
            The part file, None if there is none.
        """
        if not self._closed:
            with hold_stop():
                self._slot.abandon()
                self._end()
        return self._slot.left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close; an exception abandons the file, unless it is Ctrl-C or another way to end the program."""
        if not isinstance(error, Exception):
            self.close()
        elif (left := self.abandon()) is not None:
            error.add_note(f"what was written is in {left}")

    def _write(self, unit: EncodedUnit, kind: StreamKind, source_id: str) -> None:
        own_ns = unit.pts_ns if unit.dts_ns is None else unit.dts_ns
        file = self._slot.file
        if self._names is not None and unit.keyframe and self._is_over(file, own_ns, kind):
            file = self._next(self._names, own_ns, source_id)
        if file is None:
            if not self._slot.failures:
                self._refuse("the first frame must be a keyframe")
            self._slot.lost += 1
            return
        if file.kind is not None and kind is not file.kind and _shape(file.kind) != _shape(kind):
            self._refuse(f"the stream changed from {_words(file.kind)} to {_words(kind)}; write it to another file")
        if unit.dts_ns is not None and not unit.keyframe and own_ns < self._dts_ns:
            self._refuse(
                f"a frame at {unit.pts_ns / NS:.3f} s is decoded before the one that was written last: a stream with "
                "B-frames is written in the order of decoding, as codec: copy of a module does"
            )
        self._slot.ended, self._dts_ns = False, own_ns
        duration_ns = unit.duration_ns or round(NS / kind.frame_rate)
        dts_ns = self._times.move(own_ns, duration_ns)
        file.write(unit, kind, dts_ns, unit.pts_ns + self._times.offset_ns)

    def _is_over(self, file: StreamFile | None, own_ns: int, kind: StreamKind) -> bool:
        """Whether a keyframe belongs into the next segment."""
        is_restart = self._times.starts_again(own_ns)
        if is_restart and self._policy is PtsResetPolicy.SEGMENT:
            return True
        length_ns = 0 if is_restart else own_ns + self._times.offset_ns - self._first_ns
        if file is None:
            return not self._slot.failures or length_ns >= _RETRY_NS
        if file.failure is not None:
            return length_ns >= (self._limits.seconds_ns or _RETRY_NS)
        if file.kind is None:
            return False
        return _shape(file.kind) != _shape(kind) or self._limits.is_reached(length_ns, file.size_bytes)

    def _next(self, names: SegmentNames, own_ns: int, source_id: str) -> StreamFile:
        """Complete a segment and begin the next one."""
        if names.needs_source and not source_id:
            self._refuse("the pattern names the source; an EncodedUnit needs source_id")
        self._complete()
        if self._policy is PtsResetPolicy.SEGMENT and self._times.starts_again(own_ns):
            self._times = Continuation()
        self._first_ns = own_ns + self._times.offset_ns
        try:
            self._slot.file = StreamFile(names.create(source_id), self._options)
        except MediaError as error:
            self._slot.failures.append(error)
            self._slot.lost += 1
            raise
        return self._slot.file

    def _end(self) -> None:
        self._closed = True
        self._finalizer.detach()
        _open.discard(self._slot)

    def _end_stream(self) -> None:
        self._slot.ended = True
        if self._policy is PtsResetPolicy.SEGMENT:
            self._complete()
        else:
            self.flush()

    def _complete(self) -> None:
        """Put a segment in its place; what goes wrong is logged, and ``close`` raises."""
        known = len(self._slot.failures)
        try:
            with hold_stop():
                self._slot.complete()
        finally:
            self._slot.log_failures(known)

    def _refuse(self, why: str) -> NoReturn:
        raise MediaError(f"{self._place}: {why}")


class _Slot:
    """The files of one writer: the one that is being written, and what became of those before. Outlives its writer."""

    def __init__(self) -> None:
        self.file: StreamFile | None = None
        self.paths: list[Path] = []
        self.failures: list[MediaError] = []
        self.frames = self.safe = self.lost = 0
        self.left: Path | None = None
        self.ended = False

    def complete(self) -> None:
        """Put the file in its place; a failure is kept. May be called again after a signal interrupted it."""
        file = self.file
        if file is None:
            return
        try:
            file.complete()
        except MediaError as error:
            self.failures.append(error)
            self.left = file.output.part
        else:
            if file.frames and file.output.path is not None:
                self.paths.append(file.output.path)
        self._settle(file)

    def abandon(self) -> None:
        """Leave what was there, and the part file if it holds frames."""
        file = self.file
        if file is not None:
            if file.abandon():
                self.left = file.output.part
            self._settle(file)

    def _settle(self, file: StreamFile) -> None:
        self.frames += file.frames
        self.safe += file.safe
        self.file = None

    def end(self) -> None:
        """What happens to files that no one closed: a stream that ended is complete, another one is not."""
        _open.discard(self)
        known = len(self.failures)
        if self.ended:
            self.complete()
        else:
            self.abandon()
            if self.left is not None:
                _LOG.warning("%s: a writer that no one closed left %d frames here", self.left, self.safe)
        self.log_failures(known)

    def log_failures(self, known: int) -> None:
        """Write into the log what went wrong, except the first ``known`` failures."""
        for failure in self.failures[known:]:
            _LOG.error("%s", failure)


_open: Final[set[_Slot]] = set()
"""Of the writers that no one has closed yet."""


@atexit.register
def _end_all() -> None:
    """Finish what is left once the engines, which may still write, have ended; complete, unless the program failed."""
    close_all()
    has_failed = isinstance(getattr(sys, "last_value", None), Exception)
    for slot in list(_open):
        slot.ended = slot.ended or not has_failed
        slot.end()


def _disown() -> None:
    """Leave the files to the parent."""
    for slot in _open:
        slot.file = None
    _open.clear()


os.register_at_fork(after_in_child=_disown)


def _suffix(path: Location) -> str:
    place = output_place(path)
    suffix = Path(os.fsdecode(path)).suffix.lower()
    return _PIPE_SUFFIX if place.is_direct and suffix not in _SUFFIXES else suffix


def _shape(kind: StreamKind) -> tuple[object, tuple[int, int]]:
    """What a file cannot change."""
    return kind.codec, kind.size_wh


def _words(kind: StreamKind) -> str:
    return f"{kind.codec.name()} {kind.size_wh[0]}x{kind.size_wh[1]}"
