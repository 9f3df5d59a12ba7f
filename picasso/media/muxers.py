"""From coded frames to the bytes of one file: MP4 and QuickTime by our own fragments, the rest by FFmpeg."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Protocol

import av

from picasso.encode import EncodedUnit
from picasso.errors import MediaError
from picasso.media.ffmpeg import FAILURES
from picasso.media.mp4 import Mp4Muxer
from picasso.media.mp4_codecs import (
    ParameterSets,
    add_sound,
    check_parameters,
    is_adts,
    packing,
    ticks_per_s,
    track_headers,
    without_adts,
)
from picasso.media.mp4_tracks import MOST_TICKS, Sample
from picasso.media.outputs import Output
from picasso.media.packets import FFMPEG_NAMES, StreamKind
from picasso.media.times import NS, Ticks
from picasso.signals import hold_stop

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.stream import Stream

Sound = tuple["Stream", "av.Packet[Any]"]
"""A stream whose packets are copied into the file beside the frames, and the first of its packets."""
CLUSTER_MS: Final = 1900
"""Longest cluster of Matroska: what an end without warning costs at most."""
_SURE_NS, _SURE_BYTES = 1_800_000_000, 2 << 20
"""A cluster that is shorter and smaller ends with a keyframe only; FFmpeg ends it at 1.9 s or 5 MB at the latest."""
_NOTHING: Final = contextlib.nullcontext()
_FORMATS: Final = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
_MATROSKA_TICKS: Final = Fraction(1, 1000)
_TICKS: Final = 1_000_000
_MOST_TICKS_PER_S: Final = 10_000_000


class Muxer(Protocol):
    """Writes the frames of one file, and packets of sound between them. Errors of the system come as ``OSError``."""

    @property
    def safe(self) -> int:
        """Frames that are safe: they are in the file and play."""

    def add(self, unit: EncodedUnit, dts_ns: int, pts_ns: int) -> None:
        """Take a frame, decoded later than those before."""

    def add_sound(self, index: int, packet: av.Packet[Any]) -> None:
        """Take a packet of one of the sounds, by its place among them."""

    def flush(self) -> None:
        """Bring into the file what can be brought there now."""

    def finish(self) -> None:
        """Bring everything into the file, and the index."""


class Fragments:
    """MP4 and QuickTime files that play while they are written, see ``Mp4Muxer``."""

    def __init__(
        self, output: Output, suffix: str, kind: StreamKind, first: EncodedUnit, sound: Sequence[Sound],
        *, fragment: bool, sync: bool,
    ) -> None:  # fmt: skip
        """Make the header from the first frame, which is a keyframe, and the first packets of the sounds."""
        time_base = frame_ticks(kind.frame_rate)
        self._clock = _Clock(time_base, kind.frame_rate)
        self._pack = packing(kind.codec)
        self._keeps_pauses = fragment or not output.seekable
        packed = self._pack(first.data)
        check_parameters(kind.codec, packed[0])
        self._sets = ParameterSets(kind.codec, packed)
        file_type, headers = track_headers(_FORMATS[suffix], kind, time_base.denominator, first.data, sound)
        self._sounds = [Ticks(Fraction(1, ticks_per_s(stream))) for stream, _packet in sound]
        self._is_adts = [is_adts(stream) for stream, _packet in sound]
        self._muxer = Mp4Muxer(output, file_type, headers, fragment=fragment, sync=sync)

    @property
    def safe(self) -> int:
        """Frames that are safe: they are in the file and play."""
        return self._muxer.safe

    def add(self, unit: EncodedUnit, dts_ns: int, pts_ns: int) -> None:
        """Take a frame, decoded later than those before; ``MediaError`` if the file cannot hold it."""
        if not self._keeps_pauses and self._clock.gap(dts_ns) > MOST_TICKS:
            raise MediaError(
                f"a pause of {self._clock.gap(dts_ns) // self._clock.ticks.time_base.denominator} s does not fit into a"
                " file that is not fragmented"
            )
        dts, pts, duration = self._clock.times(unit, dts_ns, pts_ns)
        if pts - dts > MOST_TICKS:
            raise MediaError(f"{(pts_ns - dts_ns) / NS:.0f} s between decoding and showing a frame do not fit into MP4")
        packed = self._pack(unit.data)
        parts, size = self._sets.without(packed) if unit.keyframe else packed
        self._muxer.add(0, Sample(parts, size, dts, pts, duration, unit.keyframe))

    def add_sound(self, index: int, packet: av.Packet[Any]) -> None:
        """Take a packet of one of the sounds, by its place among them."""
        ticks = self._sounds[index]
        dts, pts, duration = (
            ticks.from_ns(round(time * packet.time_base * NS)) if time is not None else 0
            for time in (packet.dts if packet.dts is not None else packet.pts, packet.pts, packet.duration)
        )
        data = without_adts(bytes(packet)) if self._is_adts[index] else bytes(packet)
        self._muxer.add(index + 1, Sample((data,), len(data), dts, pts, duration, keyframe=True))

    def flush(self) -> None:
        """Write what waits as a fragment."""
        self._muxer.flush()

    def finish(self) -> None:
        """Bring everything into the file, and the index."""
        self._muxer.finish()


class ByFFmpeg:
    """Matroska, and what FFmpeg's options make of an MP4 file. Clusters end at keyframes or after two seconds."""

    def __init__(
        self, output: Output, suffix: str, kind: StreamKind, sound: Sequence[Sound],
        options: Mapping[str, str], *, sync: bool,
    ) -> None:  # fmt: skip
        self.safe: int = 0
        self._output = output
        self._sync = sync
        self._taken = 0
        self._cluster_bytes = 0
        self._cluster_ns = self._now_ns = 0
        self._plays_early = suffix == ".mkv" or "frag" in options.get("movflags", "")
        is_matroska = suffix == ".mkv"
        time_base = _MATROSKA_TICKS if is_matroska else frame_ticks(kind.frame_rate)
        self._clock = _Clock(time_base, kind.frame_rate)
        self._longest = None if is_matroska else MOST_TICKS
        own = {"flush_packets": "1"}
        if is_matroska:
            own["cluster_time_limit"] = str(CLUSTER_MS)
        else:
            own["movie_timescale"] = str(time_base.denominator)  # the start of the stream is counted in this one
        self._tap = _Tap(output)
        self._container: OutputContainer = av.open(self._tap, "w", format=_FORMATS[suffix], options={**own, **options})
        width, height = kind.size_wh
        self._video = self._container.add_mux_stream(
            FFMPEG_NAMES[kind.codec], rate=kind.frame_rate, width=width, height=height, time_base=time_base
        )
        self._sounds = [add_sound(self._container, stream) for stream, _packet in sound]

    def add(self, unit: EncodedUnit, dts_ns: int, pts_ns: int) -> None:
        """Take a frame, decoded later than those before; ``MediaError`` if the file cannot hold it."""
        if self._longest is not None and self._clock.gap(dts_ns) > self._longest:
            raise MediaError(f"a pause up to {dts_ns / NS:.3f} s does not fit into a file with options of FFmpeg's")
        self._now_ns = dts_ns
        packet: av.Packet[Stream] = av.Packet(unit.data)
        packet.dts, packet.pts, duration = self._clock.times(unit, dts_ns, pts_ns)
        packet.time_base = self._clock.ticks.time_base
        packet.is_keyframe = unit.keyframe
        if unit.duration_ns is not None:
            packet.duration = duration
        packet.stream = self._video
        self._mux(packet, may_write=unit.keyframe or self._may_write(len(unit.data), dts_ns))
        self._taken += 1

    def _may_write(self, size: int, dts_ns: int) -> bool:
        """Whether a frame may end a cluster, so that FFmpeg calls us back; too often is right, too rarely is not."""
        self._cluster_bytes += size
        is_long = dts_ns - self._cluster_ns > _SURE_NS or self._cluster_bytes > _SURE_BYTES
        return is_long or not self._taken or self._longest is not None

    def add_sound(self, index: int, packet: av.Packet[Any]) -> None:
        """Take a packet of one of the sounds, by its place among them."""
        if packet.pts is None or packet.pts < 0:
            return  # Matroska has no time below 0, and FFmpeg would move the frames to make room
        copy: av.Packet[Any] = av.Packet(bytes(packet))
        copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
        copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
        copy.stream = self._sounds[index]
        self._cluster_bytes += copy.size
        self._mux(copy, may_write=True)

    def flush(self) -> None:
        """Nothing: FFmpeg ends a cluster when the next frame comes."""

    def finish(self) -> None:
        """Bring everything into the file, and the index."""
        self._tap.sync_before_patch = True
        size = self._output.size
        with hold_stop():
            try:
                self._container.close()
            except FAILURES as error:
                self._drop(size)
                raise self._tap.failure or error from None
            self.safe = self._taken

    def _mux(self, packet: av.Packet[Any], *, may_write: bool) -> None:
        """Hand over a packet; a cluster that is written meanwhile holds the frames before it."""
        size = self._output.size
        with hold_stop() if may_write else _NOTHING:  # an exception within FFmpeg would be lost
            try:
                self._container.mux_one(packet)
            except FAILURES as error:
                self._drop(size)
                raise self._tap.failure or error from None
            if self._output.size > size:
                self._cluster_bytes, self._cluster_ns = 0, self._now_ns
                self.safe = self._taken if self._plays_early else 0
                if self._sync:
                    self._output.sync()

    def _drop(self, size: int) -> None:
        """Cut off what was written in part, and free what FFmpeg holds without another byte."""
        self._output.cut(size)
        self._tap.is_deaf = True
        with contextlib.suppress(*FAILURES):  # what it says was said before
            self._container.close()


class _Tap:
    """What FFmpeg writes to: appends, and now and then changes what it wrote before, where that can be done."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.name = f"file:{output.part}"
        """What FFmpeg opens to read it again, when it makes room for an index in front (``faststart``)."""
        self._at = 0
        self.is_deaf = False
        """Whether what comes is thrown away."""
        self.sync_before_patch = False
        """Whether the next change of what was written before waits for the disk."""
        self.failure: OSError | None = None
        """What the system said first."""

    def seekable(self) -> bool:
        return self._output.seekable

    def write(self, data: bytes) -> int:
        if not self.is_deaf:
            try:
                self._write(data)
            except OSError as error:
                self.failure = self.failure or error
                raise
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._output.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def _write(self, data: bytes) -> None:
        old = min(max(self._output.size - self._at, 0), len(data))
        if old:
            if self.sync_before_patch:
                self._output.sync()
                self.sync_before_patch = False
            self._output.patch(data[:old], self._at)
        if old < len(data):
            self._output.write(data[old:])


class _Clock:
    """Counts the times of frames in ticks, each later than the one before."""

    def __init__(self, time_base: Fraction, frame_rate: Fraction) -> None:
        self.ticks = Ticks(time_base)
        self._frame = max(self.ticks.from_ns(round(NS / frame_rate)), 1)
        self._last: int | None = None

    def gap(self, dts_ns: int) -> int:
        """Ticks since the frame before."""
        return 0 if self._last is None else self.ticks.from_ns(dts_ns) - self._last

    def times(self, unit: EncodedUnit, dts_ns: int, pts_ns: int) -> tuple[int, int, int]:
        """When a frame is decoded and shown, and for how long."""
        dts = self.ticks.from_ns(dts_ns)
        if self._last is not None:
            dts = max(dts, self._last + 1)
        self._last = dts
        pts = dts if pts_ns == dts_ns else max(self.ticks.from_ns(pts_ns), dts)
        duration = self._frame if unit.duration_ns is None else self.ticks.from_ns(unit.duration_ns)
        return dts, pts, min(max(duration, 1), MOST_TICKS)


def frame_ticks(frame_rate: Fraction) -> Fraction:
    """Return a tick of at most a microsecond of which a frame is a whole number, if there is one of sensible size."""
    ticks = -(-_TICKS // frame_rate.numerator) * frame_rate.numerator
    return Fraction(1, ticks if ticks <= _MOST_TICKS_PER_S else _TICKS)
