"""The sound of a file beside frames that were read of it: packets as they are, at the times that the frames have."""

from __future__ import annotations

import io
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import av

from picasso.errors import MediaError
from picasso.media.ffmpeg import FAILURES, media_error, media_errors, reason
from picasso.media.location import Location, Trust, input_place
from picasso.media.mp4_codecs import add_sound
from picasso.media.opening import Opener
from picasso.media.stopping import StopSignal
from picasso.media.times import NS, Ticks

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

    from picasso.media.muxers import Sound

log: logging.Logger = logging.getLogger("picasso.media")

FORMATS: Final[Mapping[str, str]] = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
_MOST_WAITING: Final = 5000
"""Packets that are read ahead while a stream has none."""
_RESTART_NS: Final = NS // 2
"""A fall by more than this is a stream that starts again."""


@dataclass(slots=True)
class _Track:
    """One stream of sound on its way."""

    stream: AudioStream
    ticks: Ticks
    waiting: deque[av.Packet[Any]] = field(default_factory=deque)
    part: int = 0
    """How often its times started again."""
    last_ns: int | None = None
    """When the last packet began, as a time of the stream."""
    end_ns: int = 0
    """When it ended."""
    last_dts: int | None = None


class SoundCopy:
    """The packets of the audio streams of a file, for ``StreamWriter.write_sound``.

    Opens the file once more, beside the reader of its frames. One thread reads at a time.
    """

    def __init__(self, location: Location, suffix: str, *, trust: Trust = "origin") -> None:
        """Open a file and read the first packet of each audio stream.

        A stream that the container cannot hold, or that has no packet, is left out, which is warned of.

        Args:
            location: The file that the frames are read from.
            suffix: Of the file that is written: ``.mp4``, ``.mov`` or ``.mkv``.
            trust: As for ``VideoReader``.

        Raises:
            MediaError: It cannot be opened.
        """
        place = input_place(location, trust=trust)
        self._place = place.shown
        self._tracks: list[_Track] = []
        self._by_stream: dict[int, _Track] = {}
        with media_errors(self._place):
            self._opened = Opener(place, 10.0, {}, trust, StopSignal()).open()
        try:
            self._begin(suffix)
        except BaseException:
            self._opened.close()
            raise

    @property
    def tracks(self) -> Sequence[Sound]:
        """The streams to copy, each with its first packet: the argument ``sound`` of a ``StreamWriter``."""
        return [(track.stream, track.waiting[0]) for track in self._tracks]

    def until(
        self, end_ns: int | None, offsets_ns: Sequence[int], first_ns: int = 0
    ) -> Iterator[tuple[av.Packet[Any], int]]:
        """Yield the next packets, each with the place of its stream among ``tracks``.

        Args:
            end_ns: Packets that begin earlier, on the line of the frames, are given; None gives all.
            offsets_ns: What takes times of the file to those of the frames, for each part of the stream; see
                ``VideoReader.offsets_ns``. Packets of a part that has none yet wait.
            first_ns: When the first frame is shown; packets that end before it are left out.

        Raises:
            MediaError: The file cannot be read on.
        """
        while True:
            for index, track in enumerate(self._tracks):
                while track.waiting and self._is_due(track, end_ns, offsets_ns):
                    packet = self._placed(track, offsets_ns, first_ns)
                    if packet is not None:
                        yield packet, index
            if all(track.waiting for track in self._tracks) or not self._read_on():
                return

    def close(self) -> None:
        """Close the file. May be called again."""
        self._opened.close()

    def _begin(self, suffix: str) -> None:
        streams = list(self._opened.container.streams.audio)
        for stream in streams:
            if stream.time_base is not None:
                track = _Track(stream, Ticks(stream.time_base))
                self._by_stream[stream.index] = track
                self._tracks.append(track)
        self._packets = self._opened.container.demux(*streams) if streams else iter(())
        while not all(track.waiting for track in self._tracks) and self._read_on():
            pass
        for track in self._tracks.copy():
            why = "it has no packet" if not track.waiting else _refusal(suffix, track.stream, track.waiting[0])
            if why is not None:
                number, name = self._tracks.index(track), track.stream.codec_context.name
                log.warning("%s: audio stream %s (%s) is left out: %s", self._place, number, name, why)
                del self._by_stream[track.stream.index]
        self._tracks = list(self._by_stream.values())

    def _read_on(self) -> bool:
        """Read a packet of any stream; False at the end, and where too many wait for the packet of another stream."""
        if sum(len(track.waiting) for track in self._tracks) >= _MOST_WAITING:
            return False
        try:
            packet = next(self._packets, None)
        except FAILURES as error:
            raise media_error(self._place, error) from None
        if packet is None:
            return False
        track = self._by_stream.get(packet.stream.index)
        if track is not None and packet.size:
            track.waiting.append(packet)
        return True

    @staticmethod
    def _own_ns(track: _Track) -> int:
        packet = track.waiting[0]
        ticks = packet.pts if packet.pts is not None else packet.dts
        return track.end_ns if ticks is None else track.ticks.to_ns(ticks)

    def _is_due(self, track: _Track, end_ns: int | None, offsets_ns: Sequence[int]) -> bool:
        own_ns = self._own_ns(track)
        if track.last_ns is not None and own_ns < track.last_ns - _RESTART_NS:
            track.part += 1
            track.last_ns = None
        if track.part >= len(offsets_ns):
            return False
        return end_ns is None or own_ns + offsets_ns[track.part] < end_ns

    def _placed(self, track: _Track, offsets_ns: Sequence[int], first_ns: int) -> av.Packet[Any] | None:
        """Move the next packet to the line of the frames; None for one that belongs before them, or out of order."""
        own_ns = self._own_ns(track)
        packet = track.waiting.popleft()
        duration_ns = track.ticks.to_ns(packet.duration) if packet.duration else 0
        track.last_ns, track.end_ns = own_ns, own_ns + duration_ns
        begin_ns = own_ns + offsets_ns[track.part]
        if begin_ns < 0 or begin_ns + duration_ns <= first_ns:
            return None
        pts = track.ticks.from_ns(begin_ns)
        dts = pts if packet.dts is None or packet.pts is None else pts - (packet.pts - packet.dts)
        if track.last_dts is not None and dts <= track.last_dts:
            return None
        packet.pts, packet.dts, track.last_dts = pts, dts, dts
        return packet


def _refusal(suffix: str, stream: AudioStream, packet: av.Packet[Any]) -> str | None:
    """Say why a container cannot hold a stream, by writing one of its packets to memory; None if it can."""
    try:
        with av.open(io.BytesIO(), "w", format=FORMATS[suffix]) as target:
            other = add_sound(target, stream)
            copy: av.Packet[Any] = av.Packet(bytes(packet))
            copy.pts = copy.dts = 0
            copy.time_base, copy.is_keyframe, copy.stream = packet.time_base, True, other
            target.mux_one(copy)
    except MediaError:
        raise
    except FAILURES as error:
        return f"{suffix} cannot hold it ({reason(error)})"
    return None
