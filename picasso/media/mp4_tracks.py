"""One track of an MP4 or QuickTime file: what its header says, and where its samples are."""

from __future__ import annotations

import itertools
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub
from typing import Final, NamedTuple

from picasso.media.mp4_boxes import MAX_U32, Runs, box, full_box, table, u32

MOST_TICKS: Final = 0x7FFF_FFFF
"""Longest time from one sample to the next that FFmpeg, among others, reads from the index of a plain file."""
_SYNC, _NOT_SYNC = 0x0200_0000, 0x0101_0000
"""Flags of a sample in a fragment: needs no other one, or does."""
_IN_MOOF, _OFFSET, _DURATION, _SIZE, _FLAGS, _SHIFT = 0x02_0000, 0x1, 0x100, 0x200, 0x400, 0x800
"""What ``tfhd`` and ``trun`` hold, by their flags."""
_UNDETERMINED: Final = 0x55C4
"""The language ``und``."""


class Sample(NamedTuple):
    """One coded frame, or one packet of sound. Times are in ticks of its track."""

    parts: Sequence[bytes | memoryview]
    """Its bytes, in pieces that follow each other."""
    size: int
    """How many they are."""
    dts: int
    """When it is decoded."""
    pts: int
    """When it is shown."""
    duration: int
    """How long it is shown if it is the last one; the others end where the next begins."""
    keyframe: bool
    """Whether decoding can begin here."""


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """What does not change over a track, as FFmpeg's muxer writes it."""

    timescale: int
    """Ticks a second."""
    shape: bytes
    """The end of ``tkhd``: layer, volume, matrix, width and height."""
    handler: bytes
    """``hdlr``, whole."""
    media: bytes
    """The boxes of ``minf`` before the tables."""
    description: bytes
    """``stsd``, whole."""
    language: int = _UNDETERMINED
    """Three letters of ISO 639-2, five bits each."""


class Track:
    """The samples of one track: those that wait for their fragment, and the index of those that are in the file."""

    def __init__(self, number: int, header: TrackHeader) -> None:
        self.number = number
        self.timescale: int = header.timescale
        self.waiting: list[Sample] = []
        """Samples that are not in the file, each decoded later than those before; appended by the muxer."""
        self.written: int = 0
        """Samples in the file."""
        self._header = header
        self._has_pause = False
        self._origin: int | None = None
        self._first_dts = self._first_pts = self._last_dts = self._last_duration = self._end_pts = 0
        self._sizes = array("I")
        self._durations = Runs()
        self._shifts = Runs()
        self._sync = array("I")
        self._chunks = array("Q")
        self._chunk_firsts = array("I")
        self._chunk_lengths = array("I")

    @property
    def waiting_bytes(self) -> int:
        """Size of the samples that wait."""
        return sum(sample.size for sample in self.waiting)

    def fragment(self, until: int | None, offset: int) -> bytes:
        """Return the ``traf`` of the samples that wait.

        Args:
            until: When the next sample of the track is decoded, if it is known.
            offset: Of the samples' bytes, from the beginning of the ``moof``.
        """
        _parts, sizes, times, shown, durations, keyframes = zip(*self.waiting, strict=True)
        shifts = [*map(sub, shown, times)]
        last = durations[-1] if until is None or until - times[-1] > MOST_TICKS else until - times[-1]
        columns = [
            [*map(sub, times[1:], times), last],
            sizes,
            [_SYNC if keyframe else _NOT_SYNC for keyframe in keyframes],
            *([[shift & MAX_U32 for shift in shifts]] if any(shifts) else []),
        ]
        flags = _OFFSET | _DURATION | _SIZE | _FLAGS | (_SHIFT if any(shifts) else 0)
        rows = table(itertools.chain.from_iterable(zip(*columns, strict=True)))
        return box(
            b"traf",
            full_box(b"tfhd", 0, _IN_MOOF, u32(self.number)),
            full_box(b"tfdt", 1, 0, struct.pack(">Q", times[0] - self.origin())),
            full_box(b"trun", 1, flags, struct.pack(">Ii", len(times), offset), rows),
        )

    def note_written(self, offset: int) -> None:
        """Enter the samples that waited into the index: they are in the file now, from ``offset`` on."""
        _parts, sizes, times, shown, durations, keyframes = zip(*self.waiting, strict=True)
        if not self.written:
            self._first_dts, self._first_pts = times[0], shown[0]
        if not self._chunk_lengths or self._chunk_lengths[-1] != len(times):
            self._chunk_firsts.append(len(self._chunks) + 1)
            self._chunk_lengths.append(len(times))
        self._chunks.append(offset)
        gaps = [*map(sub, times, [self._last_dts, *times])] if self.written else [*map(sub, times[1:], times)]
        self._has_pause = self._has_pause or (bool(gaps) and max(gaps) > MOST_TICKS)
        self._durations.extend(min(gap, MOST_TICKS) for gap in gaps)
        self._shifts.extend(map(sub, shown, times))
        self._sizes.extend(sizes)
        self._sync.extend(number for number, keyframe in enumerate(keyframes, self.written + 1) if keyframe)
        self.written += len(times)
        self._last_dts, self._last_duration = times[-1], durations[-1]
        self._first_pts = min(self._first_pts, *shown)
        self._end_pts = max(self._end_pts, max(shown) + durations[-1])
        self.waiting = []

    def origin(self) -> int:
        """The time that fragments count from: 0, or that of the first sample of all where it is below 0."""
        if self._origin is None:
            self._origin = min(self.waiting[0].dts, 0) if self.waiting else 0
        return self._origin

    def header(self) -> bytes:
        """Return the ``trak`` of a file whose samples are in fragments."""
        edits = _edits([(0, -self.origin())]) if self.origin() else b""
        return self._trak(0, 0, edits, [full_box(kind, 0, 0, u32(0)) for kind in (b"stts", b"stsc", b"stco")], ())

    def index(self, *, movie_timescale: int) -> tuple[bytes, int]:
        """Return the ``trak`` of a plain file, and when it ends, in ticks of the movie."""
        first_dts = self._first_dts
        start = max(self._first_pts, 0)
        start_movie = -(-start * movie_timescale // self.timescale)
        shown_movie = -(-(self._end_pts - start) * movie_timescale // self.timescale)
        edits = [(start_movie, -1)] if start else []
        edits.append((shown_movie, start - first_dts))
        durations = self._durations.copy()
        durations.extend([self._last_duration])
        tables = [full_box(b"stts", 0, 0, durations.table())]
        if not self._shifts.is_all(0):
            tables.append(full_box(b"ctts", 1, 0, self._shifts.table()))
        if len(self._sync) != self.written:
            tables.append(full_box(b"stss", 0, 0, u32(len(self._sync)), table(self._sync)))
        tables += [full_box(b"stsc", 0, 0, self._chunk_table()), self._offset_table()]
        length = self._last_dts + self._last_duration - first_dts
        end = start_movie + shown_movie
        return self._trak(end, length, _edits(edits), tables, self._sizes), end

    @property
    def fits_plain_file(self) -> bool:
        """Whether players read the times of this track from the index of a plain file.

        FFmpeg reads no pause of 2³¹ ticks, and GStreamer drops a track that lasts less than a fifth of the movie, as
        one does that begins late.
        """
        length = self._last_dts + self._last_duration - self._first_dts
        return not self._has_pause and self._first_pts <= 4 * length

    def _chunk_table(self) -> bytes:
        """Which chunks hold how many samples, each by the first sample description."""
        rows = itertools.chain.from_iterable(
            zip(self._chunk_firsts, self._chunk_lengths, itertools.repeat(1), strict=False)
        )
        return u32(len(self._chunk_firsts)) + table(rows)

    def _offset_table(self) -> bytes:
        is_long = bool(self._chunks) and self._chunks[-1] > MAX_U32
        offsets = table(self._chunks if is_long else array("I", self._chunks))
        return full_box(b"co64" if is_long else b"stco", 0, 0, u32(len(self._chunks)), offsets)

    def _trak(self, end: int, length: int, edits: bytes, tables: Sequence[bytes], sizes: Sequence[int]) -> bytes:
        stsz = full_box(b"stsz", 0, 0, u32(0, len(sizes)), table(sizes))
        return box(
            b"trak",
            full_box(b"tkhd", 1, 3, struct.pack(">QQIIQ8x", 0, 0, self.number, 0, end), self._header.shape),
            edits,
            box(
                b"mdia",
                full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, self.timescale, length, self._header.language, 0)),
                self._header.handler,
                box(b"minf", self._header.media, box(b"stbl", self._header.description, *tables, stsz)),
            ),
        )


def _edits(edits: Sequence[tuple[int, int]]) -> bytes:
    """``edts``: lengths in ticks of the movie, and from where in the track; -1 shows nothing."""
    rows = (struct.pack(">QqI", length, start, 0x10000) for length, start in edits)
    return box(b"edts", full_box(b"elst", 1, 0, u32(len(edits)), *rows))
