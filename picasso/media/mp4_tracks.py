"""One track of an MP4 or QuickTime file: what its header says, and where its samples are."""

from __future__ import annotations

import itertools
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add, sub
from typing import Any, Final

from picasso.media.mp4_boxes import MAX_U32, Runs, box, full_box, table, u32

MOST_TICKS: Final = 0x7FFF_FFFF
"""Longest time from one sample to the next that FFmpeg, among others, reads from the index of a plain file."""
_SYNC, _NOT_SYNC = 0x0200_0000, 0x0101_0000
"""Flags of a sample in a fragment: needs no other one, or does."""
_IN_MOOF, _OFFSET, _DURATION, _SIZE, _FLAGS, _SHIFT = 0x02_0000, 0x1, 0x100, 0x200, 0x400, 0x800
"""What ``tfhd`` and ``trun`` hold, by their flags."""
_UNDETERMINED: Final = 0x55C4
"""The language ``und``."""


Waiting = tuple[list[Any], ...]
"""Samples of a track: their bytes, then a list for each of the things known of them."""


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


class Track:
    """The samples of one track: those that wait for their fragment, and the index of those that are in the file.

    A sample is one coded frame or one packet of sound. All times are in ticks of the track.
    """

    def __init__(self, number: int, header: TrackHeader) -> None:
        self.number = number
        self.timescale = header.timescale
        self.written = 0
        """Samples in the file."""
        self.parts: list[bytes | memoryview] = []
        """The bytes of the samples that wait, in pieces that follow each other."""
        self.times: list[int] = []
        """When each sample that waits is decoded."""
        self.sizes: list[int] = []
        """Bytes of each sample that waits."""
        self._part_counts: list[int] = []
        self._shifts_waiting: list[int] = []
        self._flags: list[int] = []
        self._duration = 0
        self._header = header
        self._has_pause = False
        self._first_dts: int | None = None
        self._first_pts = self._last_dts = self._last_duration = self._end_pts = 0
        self._sizes = array("I")
        self._durations = Runs()
        self._shifts = Runs()
        self._sync = array("I")
        self._chunks = array("Q")
        self._chunk_firsts = array("I")
        self._chunk_lengths = array("I")

    def add(
        self, parts: Sequence[bytes | memoryview], size: int, dts: int, pts: int, duration: int, *, keyframe: bool
    ) -> None:
        """Take a sample, decoded later than those before.

        Args:
            parts: Its bytes, in pieces that follow each other.
            size: How many they are.
            dts: When it is decoded.
            pts: When it is shown.
            duration: How long it is shown if it is the last one; the others end where the next begins.
            keyframe: Whether decoding can begin here.
        """
        if self._first_dts is None:
            self._first_dts, self._first_pts = dts, pts
        self.parts += parts
        self._part_counts.append(len(parts))
        self.sizes.append(size)
        self.times.append(dts)
        self._shifts_waiting.append(pts - dts)
        self._flags.append(_SYNC if keyframe else _NOT_SYNC)
        self._duration = duration

    def split(self, count: int) -> Waiting:
        """Keep the first samples that wait, and return the others for ``put_back``."""
        parts = sum(self._part_counts[:count])
        rest: Waiting = (self.parts[parts:], *(column[count:] for column in self._columns()))
        del self.parts[parts:]
        for column in self._columns():
            del column[count:]
        return rest

    def put_back(self, rest: Waiting) -> None:
        """Let these samples wait, too, behind those that do."""
        self.parts += rest[0]
        for column, values in zip(self._columns(), rest[1:], strict=True):
            column.extend(values)

    def _columns(self) -> tuple[list[int], ...]:
        return self._part_counts, self.sizes, self.times, self._shifts_waiting, self._flags

    def drop(self) -> None:
        """Forget the samples that wait."""
        self.parts.clear()
        for column in self._columns():
            column.clear()

    def fragment(self, until: int | None, offset: int) -> bytes:
        """Return the ``traf`` of the samples that wait.

        Args:
            until: When the next sample of the track is decoded, if it is known.
            offset: Of the samples' bytes, from the beginning of the ``moof``.
        """
        times, shifts = self.times, self._shifts_waiting
        last = self._duration if until is None or until - times[-1] > MOST_TICKS else until - times[-1]
        columns = [[*map(sub, times[1:], times), last], self.sizes, self._flags]
        if any(shifts):
            columns.append([shift & MAX_U32 for shift in shifts])
        flags = _OFFSET | _DURATION | _SIZE | _FLAGS | (_SHIFT if any(shifts) else 0)
        rows = table(itertools.chain.from_iterable(zip(*columns, strict=True)))
        return box(
            b"traf",
            full_box(b"tfhd", 0, _IN_MOOF, u32(self.number)),
            full_box(b"tfdt", 1, 0, struct.pack(">Q", times[0] - self._origin)),
            full_box(b"trun", 1, flags, struct.pack(">Ii", len(times), offset), rows),
        )

    def note_written(self, offset: int) -> None:
        """Enter the samples that waited into the index: they are in the file now, from ``offset`` on."""
        times, shifts = self.times, self._shifts_waiting
        if not self._chunk_lengths or self._chunk_lengths[-1] != len(times):
            self._chunk_firsts.append(len(self._chunks) + 1)
            self._chunk_lengths.append(len(times))
        self._chunks.append(offset)
        gaps = [*map(sub, times, [self._last_dts, *times])] if self.written else [*map(sub, times[1:], times)]
        self._has_pause = self._has_pause or (bool(gaps) and max(gaps) > MOST_TICKS)
        self._durations.extend(min(gap, MOST_TICKS) for gap in gaps)
        self._shifts.extend(shifts)
        self._sizes.extend(self.sizes)
        self._sync.extend(number for number, flags in enumerate(self._flags, self.written + 1) if flags == _SYNC)
        self.written += len(times)
        self._last_dts, self._last_duration = times[-1], self._duration
        shown = [*map(add, times, shifts)]
        self._first_pts = min(self._first_pts, *shown)
        self._end_pts = max(self._end_pts, max(shown) + self._duration)
        self.drop()

    def header(self) -> bytes:
        """Return the ``trak`` of a file whose samples are in fragments."""
        edits = b"" if self._origin >= 0 else _edits([(0, -self._origin)])
        return self._trak(0, 0, edits, [full_box(kind, 0, 0, u32(0)) for kind in (b"stts", b"stsc", b"stco")], ())

    def index(self, *, movie_timescale: int) -> tuple[bytes, int]:
        """Return the ``trak`` of a plain file, and when it ends, in ticks of the movie."""
        first_dts = self._first_dts or 0
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
        length = self._last_dts + self._last_duration - (self._first_dts or 0)
        return not self._has_pause and self._first_pts <= 4 * length

    @property
    def _origin(self) -> int:
        """The time that fragments count from: 0, or the first sample's where that is below 0."""
        return min(self._first_dts or 0, 0)

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
                full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, self.timescale, length, _UNDETERMINED, 0)),
                self._header.handler,
                box(b"minf", self._header.media, box(b"stbl", self._header.description, *tables, stsz)),
            ),
        )


def _edits(edits: Sequence[tuple[int, int]]) -> bytes:
    """``edts``: lengths in ticks of the movie, and from where in the track; -1 shows nothing."""
    rows = (struct.pack(">QqI", length, start, 0x10000) for length, start in edits)
    return box(b"edts", full_box(b"elst", 1, 0, u32(len(edits)), *rows))
