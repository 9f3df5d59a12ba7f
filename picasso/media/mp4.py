"""MP4 and QuickTime files that play at any time: fragments while they are written, a plain file in the end.

FFmpeg's muxer is not used for the fragments: through PyAV it cannot be told to write one, and it does not keep pauses
of 2³¹ ticks. It writes the headers of the tracks, see ``mp4_codecs``.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from typing import Final

from picasso.media.mp4_boxes import MATRIX, box, free_box, full_box, long_header, u32
from picasso.media.mp4_tracks import MOST_TICKS, Sample, Track, TrackHeader
from picasso.media.outputs import Output
from picasso.signals import hold_stop

FRAGMENT_S: Final = 2.0
"""Longest fragment, in seconds, where keyframes are further apart."""
SHORTEST_S: Final = 0.5
"""Shortest fragment, where keyframes are closer."""
_MOST_BYTES: Final = 64 << 20
_LONG_HEADER: Final = 16


class Mp4Muxer:
    """Writes the samples of some tracks; the first one is video, and its keyframes begin the fragments.

    While it is written, the file is ``ftyp``, 16 free bytes, ``moov`` without samples, then ``moof`` and ``mdat`` a
    fragment: it plays up to the last whole fragment. ``finish`` appends a ``moov`` that lists all samples, waits for
    the disk, and turns the free bytes into the header of one ``mdat`` that encloses everything before: a plain file.
    A file with a pause, or a start, that players cannot read from a plain one stays in fragments.
    """

    def __init__(
        self, output: Output, file_type: bytes, headers: Sequence[TrackHeader], *, fragment: bool, sync: bool
    ) -> None:
        """Nothing is written before the first sample.

        Args:
            output: File to write to, at its beginning.
            file_type: ``ftyp``, whole.
            headers: Of the tracks.
            fragment: Whether the file plays before it is finished; needed where bytes cannot be changed.
            sync: Whether each fragment waits for the disk.
        """
        self.safe: int = 0
        """Samples of the first track that are in the file, so that they play."""
        self._output = output
        self._file_type = file_type
        self._fragment = fragment or not output.seekable
        self._sync = sync
        self._tracks = [Track(number, header) for number, header in enumerate(headers, 1)]
        self._video = self._tracks[0]
        self._movie_timescale = self._video.timescale
        self._longest = round(FRAGMENT_S * self._video.timescale)
        self._shortest = round(SHORTEST_S * self._video.timescale)
        self._waiting_bytes = 0
        self._number = 0
        self._enclosed_from = 0

    def add(self, track: int, sample: Sample) -> None:
        """Take a sample of a track; a fragment that is long enough is written before.

        Raises:
            OSError: It cannot be written; the samples of the fragment are lost.
        """
        target = self._tracks[track]
        if target.waiting:
            if target is self._video and self._is_full(sample):
                self.flush(until=sample.dts)
            elif sample.dts - target.waiting[-1].dts > MOST_TICKS:
                self.flush()
        target.waiting.append(sample)  # at once, or, when a signal comes, not at all
        self._waiting_bytes += sample.size

    def flush(self, *, until: int | None = None) -> None:
        """Write the samples that wait as one fragment; of those that do not fit on the disk, as many as do.

        Args:
            until: When the next frame is decoded, if it is known.

        Raises:
            OSError: They cannot be written, and those after ``safe`` are lost.
        """
        waiting = [track for track in self._tracks if track.waiting]
        if not waiting:
            return
        self._waiting_bytes = 0
        with hold_stop():  # what is in the file and what is known of it belong together
            if not self._number:
                self._begin()
            try:
                self._write(waiting, until)
            except OSError:
                for track in waiting:
                    if track is not self._video or not self._fragment:
                        track.waiting = []
                self._rescue()
                raise

    def _write(self, waiting: Sequence[Track], until: int | None) -> None:
        self._number += 1
        head = self._fragment_header(waiting, until) if self._fragment else b""
        begin = self._output.size
        parts = (part for track in waiting for sample in track.waiting for part in sample.parts)
        self._output.write(b"".join([head, *parts]))
        offset = begin + len(head)
        for track in waiting:
            size = track.waiting_bytes
            track.note_written(offset)
            offset += size
        if self._sync:
            self._output.sync()
        self.safe = self._video.written if self._fragment else 0

    def _rescue(self) -> None:
        """Write the frames that wait in ever smaller fragments, until the disk takes none."""
        frames = self._video.waiting
        count = len(frames) // 2
        while count:
            self._video.waiting = frames[:count]
            with contextlib.suppress(OSError):
                self._write([self._video], None)
                frames = frames[count:]
            count = min(count // 2, len(frames))
        self._video.waiting = []

    def finish(self) -> None:
        """Write what waits, then make a plain file of it, if it can be one.

        Raises:
            OSError: Frames are lost.
        """
        self.flush()
        if not self._number or not self._output.seekable:
            return
        if self._fragment and not all(track.fits_plain_file for track in self._tracks if track.written):
            return
        index_at = self._output.size
        try:
            self._output.write(self._index())
            self._output.sync()
            self._output.patch(long_header(b"mdat", index_at - self._enclosed_from), self._enclosed_from)
        except OSError:
            if not self._fragment:
                raise
            self._output.cut(index_at)  # without the index it plays as it did before
        self.safe = self._video.written

    def _is_full(self, sample: Sample) -> bool:
        """Whether a frame that comes now begins the next fragment."""
        waiting = sample.dts - self._video.waiting[0].dts
        return (
            waiting >= self._longest
            or (sample.keyframe and waiting >= self._shortest)
            or self._waiting_bytes >= _MOST_BYTES
        )

    def _begin(self) -> None:
        """Write what stands before the samples."""
        if self._fragment:
            tracks = [track.header() for track in self._tracks]
            extends = [full_box(b"trex", 0, 0, u32(track.number, 1, 0, 0, 0)) for track in self._tracks]
            head = free_box(_LONG_HEADER) + self._movie(0, [*tracks, box(b"mvex", *extends)])
        else:
            head = long_header(b"mdat", _LONG_HEADER)
        self._output.write(self._file_type + head)
        self._enclosed_from = len(self._file_type)

    def _fragment_header(self, waiting: Sequence[Track], until: int | None) -> bytes:
        """``moof`` and the beginning of ``mdat``."""
        sizes = [track.waiting_bytes for track in waiting]
        empty = self._fragment_tracks(waiting, until, [0] * len(waiting))
        offsets, offset = [], len(empty) + 8
        for size in sizes:
            offsets.append(offset)
            offset += size
        return self._fragment_tracks(waiting, until, offsets) + u32(8 + sum(sizes)) + b"mdat"

    def _fragment_tracks(self, waiting: Sequence[Track], until: int | None, offsets: Sequence[int]) -> bytes:
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, u32(self._number)),
            *(
                track.fragment(until if track is self._video else None, offset)
                for track, offset in zip(waiting, offsets, strict=True)
            ),
        )

    def _index(self) -> bytes:
        tracks = [track.index(movie_timescale=self._movie_timescale) for track in self._tracks if track.written]
        return self._movie(max(end for _, end in tracks), [trak for trak, _ in tracks])

    def _movie(self, end: int, inner: Sequence[bytes]) -> bytes:
        """``moov``: the header of the movie, and what is in it."""
        times = struct.pack(">QQIQ", 0, 0, self._movie_timescale, end)
        normal = struct.pack(">IH10x", 0x10000, 0x100) + MATRIX + bytes(24)
        return box(b"moov", full_box(b"mvhd", 1, 0, times, normal, u32(len(self._tracks) + 1)), *inner)
