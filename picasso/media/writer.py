"""Encoded frames into a playable file, by stream copy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Self

import av

from picasso.encode import Codec, EncodedUnit
from picasso.errors import MediaError
from picasso.media.ffmpeg import FAILURES, media_error, media_errors
from picasso.media.packets import StreamKind, Written, frame_of, kind_of, unit_of
from picasso.media.times import Ticks

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.stream import Stream

_MUXED: Final = {Codec.H264: "h264", Codec.HEVC: "hevc", Codec.AV1: "av1", Codec.JPEG: "mjpeg"}
_SUFFIXES: Final = (".mp4", ".mov", ".mkv")
_MATROSKA_TICKS: Final = Ticks(Fraction(1, 1000))
_TICKS: Final = 1_000_000
_MOST_TICKS: Final = 10_000_000


class StreamWriter:
    """Writes one stream of H.264, HEVC, AV1 or MJPEG to an MP4 or Matroska file; nothing is encoded again.

    The first frame opens the stream and must be a keyframe. Times keep their order and are exact to half a
    microsecond in MP4, where frames at the nominal rate are exact, and to half a millisecond in Matroska. An MP4 file
    plays once it is closed, or while it is written, up to its last keyframe, with
    ``options={"movflags": "frag_keyframe+empty_moov", "flush_packets": "1"}``.

    One thread writes at a time.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        kind: StreamKind | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Create the file, so that a folder that cannot be written to is found out at once.

        Args:
            path: ``.mp4``, ``.mov`` or ``.mkv``; an existing file is replaced.
            kind: Codec, size and rate for ``EncodedUnit``, which does not bring them; frames do.
            options: Options of FFmpeg's muxer.

        Raises:
            MediaError: The file cannot be created, or has another suffix.
        """
        self._path = Path(path)
        self._place = str(self._path)
        if self._path.suffix.lower() not in _SUFFIXES:
            raise MediaError(f"{self._place}: unknown container {self._path.suffix!r}; one of {', '.join(_SUFFIXES)}")
        self._kind = kind
        self._options = dict(options or {})
        self._container: OutputContainer | None = None
        self._stream: Stream | None = None
        self._ticks = _MATROSKA_TICKS
        self._last_ns: int | None = None
        self._last_tick = 0
        self._frames = 0
        self._closed = False
        with media_errors(self._place):
            self._path.open("wb").close()

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._frames

    def write(self, output: Written) -> None:
        """Write an output of the engine, a frame with encoded content, or a unit of an encoder.

        The end of the stream closes the file.

        Raises:
            MediaError: The file is closed or cannot be written, the stream changed its codec or size, times do not
                rise, the first frame is no keyframe, or there are no encoded bytes.
        """
        if isinstance(output, EncodedUnit):
            self._mux(output, self._kind or self._refuse("an EncodedUnit needs the writer to know its kind"))
        elif (frame := frame_of(output)) is not None:
            self._mux(unit_of(frame), kind_of(frame))
        else:
            self.close()

    def close(self) -> None:
        """Finish the file; one without frames is removed. May be called again.

        Raises:
            MediaError: The file cannot be finished.
        """
        if self._closed:
            return
        self._closed = True
        with media_errors(self._place):
            if self._container is not None:
                self._container.close()
            if not self._frames:
                self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _mux(self, unit: EncodedUnit, kind: StreamKind) -> None:
        if self._closed:
            self._refuse("the file is closed")
        decoded_ns = unit.pts_ns if unit.dts_ns is None else unit.dts_ns
        if self._last_ns is not None and decoded_ns <= self._last_ns:
            self._refuse(f"times must rise, got {decoded_ns} ns after {self._last_ns} ns")
        if kind is not self._kind:
            self._check_kind(kind)
        try:
            container = self._open(unit, kind) if self._container is None else self._container
            container.mux_one(self._packet(unit, decoded_ns))
        except FAILURES as error:
            raise media_error(self._place, error) from None
        self._last_ns = decoded_ns
        self._frames += 1

    def _check_kind(self, kind: StreamKind) -> None:
        if self._kind and (kind.codec, kind.size_wh) != (self._kind.codec, self._kind.size_wh):
            self._refuse(f"the stream changed from {_words(self._kind)} to {_words(kind)}; write it to another file")

    def _open(self, unit: EncodedUnit, kind: StreamKind) -> OutputContainer:
        """Make container and stream of the first keyframe, whose parameter sets go into the header."""
        if kind.codec not in _MUXED:
            names = ", ".join(codec.name() for codec in _MUXED)
            self._refuse(f"{kind.codec.name()} cannot be written to a container; one of {names}")
        if not unit.keyframe:
            self._refuse("the first frame must be a keyframe")
        self._kind = kind
        if self._path.suffix.lower() != ".mkv":
            self._ticks = Ticks(_tick(kind.frame_rate))
            # the start of the stream is counted in this one
            self._options.setdefault("movie_timescale", str(self._ticks.time_base.denominator))
        container = self._container = av.open(self._place, "w", options=self._options)
        width, height = kind.size_wh
        self._stream = container.add_mux_stream(
            _MUXED[kind.codec], rate=kind.frame_rate, width=width, height=height, time_base=self._ticks.time_base
        )
        return container

    def _packet(self, unit: EncodedUnit, decoded_ns: int) -> av.Packet[Stream]:
        """Count the unit's times in ticks, each later than the one before."""
        packet: av.Packet[Stream] = av.Packet(unit.data)
        ticks = self._ticks
        tick = ticks.from_ns(decoded_ns)
        self._last_tick = tick if self._last_ns is None else max(tick, self._last_tick + 1)
        packet.dts = packet.pts = self._last_tick
        if unit.pts_ns != decoded_ns:
            packet.pts = max(ticks.from_ns(unit.pts_ns), self._last_tick)
        packet.time_base = ticks.time_base
        packet.is_keyframe = unit.keyframe
        if unit.duration_ns is not None:
            packet.duration = ticks.from_ns(unit.duration_ns)
        if self._stream is not None:
            packet.stream = self._stream
        return packet

    def _refuse(self, why: str) -> NoReturn:
        raise MediaError(f"{self._place}: {why}")


def _tick(frame_rate: Fraction) -> Fraction:
    """Return a tick of at most a microsecond of which a frame is a whole number, if there is one of sensible size."""
    ticks = -(-_TICKS // frame_rate.numerator) * frame_rate.numerator
    return Fraction(1, ticks if ticks <= _MOST_TICKS else _TICKS)


def _words(kind: StreamKind) -> str:
    return f"{kind.codec.name()} {kind.size_wh[0]}x{kind.size_wh[1]}"
