"""Reading a file to its end to find out whether it is whole: what was lost or concealed, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import Any, Final

from picasso.errors import MediaError
from picasso.media.decoder import INCOMPLETE, Decoder, Shown
from picasso.media.describe import describe
from picasso.media.ffmpeg_log import logged_errors
from picasso.media.info import MediaInfo
from picasso.media.location import Location, Trust, input_place
from picasso.media.opening import Opener
from picasso.media.stopping import StopSignal
from picasso.media.timeline import Placed, Timeline
from picasso.media.times import NS, TimesReport, counted
from picasso.media.wholeness import COUNT_SLOTS, breaks_at

_LEAST_HOLE: Final = Fraction(3, 4)
"""Share of a frame's duration in which nothing is shown that counts as a hole."""
_STEADY: Final = Fraction(4, 5)
"""Share of the frames that must follow each other at one distance before a longer one is called a hole."""
_LEAST_SHOWN: Final = Fraction(1, 2)
"""Share of the time that the frames of a steady stream must fill by their durations."""
_EARLY_FRAMES: Final = 3
"""Frames by which a stream may end before its file says so."""
_JOINT: Final = 4
"""Frames around a restart whose packets count as whole: where two files are joined, FFmpeg misses bytes."""
_CONCEALED: Final = "concealed: parts of it, or of pictures that it refers to, are missing"


@dataclass(frozen=True, slots=True)
class Damage:
    """One place where a file is not what it was when it was written."""

    frame: int
    """Number of the first frame that it concerns, from 0; of the next frame, where frames are missing."""
    pts_ns: int
    """When that frame is shown, nanoseconds on the line of the reader; where the stream ends, if none follows."""
    what: str
    """What is wrong, in a few words."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a file turned out to hold when it was decoded to its end."""

    info: MediaInfo
    """What the header and the first frame say."""
    frames: int
    """Frames that were decoded."""
    keyframes: int
    """Keyframes among them."""
    end_ns: int
    """Where the last frame ends, nanoseconds."""
    times_rise: bool
    """Whether each frame is shown after the one before it, as a reader gives them."""
    times: TimesReport
    """What had to be done for that."""
    damage: tuple[Damage, ...]
    """Where the file is damaged, in the order of frames; empty for a file that is whole."""


def examine(location: Location, *, timeout_s: float | None = 10.0, trust: Trust = "origin") -> Examination:
    """Decode the first video stream of a file to its end, and say where it is damaged.

    Damage is what the container or the decoder misses, even where a decoder conceals it: packets that are incomplete
    or cannot be decoded, pictures with errors in their bits, holes in a stream that is steady otherwise, and an end
    before the one that the header tells. Bits that were changed into others that can be decoded are not found.

    FFmpeg's log is listened to meanwhile, so its level is changed for the process until the end.

    Args:
        location: As for ``VideoReader``.
        timeout_s: Seconds that a server may take to answer; None waits for as long as it takes.
        trust: As for ``VideoReader``.

    Raises:
        MediaError: It cannot be opened, or holds no picture.
    """
    opener = Opener(input_place(location, trust=trust), timeout_s, {}, trust, StopSignal())
    with logged_errors() as log:
        search = _Search(opener, log)
        try:
            return search.run()
        finally:
            search.decoder.close()


_NOT_ALLOWED: Final = "not on whitelist"
"""What FFmpeg says where a file is opened in another way than it asks for first: that is not damage."""


@dataclass(slots=True)
class _Seen:
    """What is kept of each frame."""

    pts_ns: int
    end_ns: int
    begins: bool
    packet: int


@dataclass(slots=True)
class _Search:
    """One reading of a file."""

    opener: Opener
    log: list[Any]
    decoder: Decoder = field(init=False)
    seen: list[_Seen] = field(default_factory=list)
    keyframes: int = 0
    faults: dict[int, str] = field(default_factory=dict)
    """What is wrong with packets, by their numbers."""
    found: list[Damage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.decoder = Decoder(self.opener, on_fault=self._note)
        self.log[:] = [entry for entry in self.log if _NOT_ALLOWED not in entry[2]]

    def run(self) -> Examination:
        """Read to the end, then judge."""
        decoder = self.decoder
        timeline = Timeline[Shown](decoder.time_base, decoder.rate, counter_bits=decoder.counter_bits)
        broke_off = None
        try:
            for index, shown in enumerate(decoder.frames()):
                if not index and not decoder.begins_at_keyframe:  # what comes before the first keyframe is not a loss
                    self.faults.clear()
                    self.log.clear()
                self._hear(shown)
                self._see(timeline.add(shown, shown.ticks, shown.frame.duration))
        except MediaError as error:
            broke_off = str(error).removeprefix(f"{decoder.place}: ")
        self._see(timeline.flush())
        self._judge(broke_off)
        times = TimesReport(timeline.restarts, timeline.made if decoder.has_times else 0, decoder.moved)
        self.found.sort(key=lambda damage: damage.frame)
        rise = all(before.pts_ns < after.pts_ns for before, after in pairwise(self.seen))
        info = describe(decoder)
        return Examination(info, len(self.seen), self.keyframes, self._end_ns, rise, times, tuple(self.found))

    @property
    def _end_ns(self) -> int:
        return max((frame.end_ns for frame in self.seen), default=0)

    def _note(self, packet: int, what: str) -> None:
        self.faults.setdefault(packet, what)

    def _hear(self, shown: Shown) -> None:
        """Note what the decoder said about a frame."""
        if shown.frame.is_corrupt:
            self.faults.setdefault(shown.packet, _CONCEALED)
        if self.log:
            _, who, text = self.log[0]
            self.faults.setdefault(shown.packet, f"FFmpeg's {who} says: {' '.join(text.split())}")
            self.log.clear()

    def _see(self, placed: Iterable[Placed[Shown]]) -> None:
        for shown, pts_ns, duration_ns, begins in placed:
            self.keyframes += shown.frame.key_frame
            self.seen.append(_Seen(pts_ns, pts_ns + duration_ns, begins, shown.packet))

    def _judge(self, broke_off: str | None) -> None:
        joints = {
            index + offset for index, frame in enumerate(self.seen) if frame.begins for offset in range(-_JOINT, _JOINT)
        }
        frame_of = {frame.packet: index for index, frame in enumerate(self.seen)}
        for packet, what in self.faults.items():
            index = frame_of.get(packet)
            if index is None:
                index = next((i for i, frame in enumerate(self.seen) if frame.packet > packet), len(self.seen))
                self._find(index, f"a packet {'before it' if index < len(self.seen) else 'at the end'}: {what}")
            elif index not in joints or what != INCOMPLETE:
                self._find(index, what)
        path = self.decoder.path
        if path is not None and (at := breaks_at(path)) is not None:
            self._find(len(self.seen), f"the file cannot be followed from byte {at} on")
        if broke_off is not None:
            self._find(len(self.seen), broke_off)
        if self.decoder.container.format.name not in COUNT_SLOTS:
            self._look_for_holes(ended=broke_off is not None)

    def _find(self, index: int, what: str) -> None:
        pts_ns = self.seen[index].pts_ns if index < len(self.seen) else self._end_ns
        self.found.append(Damage(index, pts_ns, what))

    def _look_for_holes(self, *, ended: bool) -> None:
        """Find the times at which a steady stream shows nothing, and an end before that of the file."""
        steps_ns = [after.pts_ns - before.pts_ns for before, after in pairwise(self.seen) if not after.begins]
        if not steps_ns or not _is_steady(steps_ns):
            return
        step_ns = median_low(steps_ns)
        for index, (before, after) in enumerate(pairwise(self.seen), 1):
            hole_ns = after.pts_ns - max(before.end_ns, before.pts_ns + step_ns)
            if hole_ns > _LEAST_HOLE * step_ns and not after.begins:
                count = round(hole_ns / step_ns)
                self._find(index, f"a hole of {hole_ns / NS:.3f} s before it, room for {counted(count, 'frame')}")
        shown_ns = sum(frame.end_ns - frame.pts_ns for frame in self.seen)
        span_ns = self._end_ns - self.seen[0].pts_ns
        if shown_ns < _LEAST_SHOWN * span_ns:
            count = round(span_ns * len(self.seen) / shown_ns)
            self._find(0, f"{counted(len(self.seen), 'frame')} in all, where there is room for {count}")
        if not ended:
            self._look_at_the_end(step_ns)

    def _look_at_the_end(self, step_ns: int) -> None:
        """Find an end before the one of the header, unless that may be the end of the sound."""
        said_s = self.decoder.said_end_s
        has_own_end = self.decoder.stream.duration is not None or len(self.decoder.container.streams) == 1
        if said_s is None or not has_own_end or any(frame.begins for frame in self.seen):
            return
        early_ns = int(said_s * NS) - self._end_ns
        if early_ns > _EARLY_FRAMES * step_ns:
            self._find(len(self.seen), f"the stream ends {early_ns / NS:.3f} s before the end that its header tells")


def _is_steady(steps_ns: Sequence[int]) -> bool:
    """Tell whether most frames follow each other at one distance, give or take a quarter."""
    step_ns = median_low(steps_ns)
    alike = sum(abs(step - step_ns) * 4 <= step_ns for step in steps_ns)
    return alike >= _STEADY * len(steps_ns)
