"""Which frames a file has, when each is shown, and at which packet decoding begins for it: made once, then kept."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Final

from picasso.media.order import PacketTimes
from picasso.media.timeline import Timeline
from picasso.media.times import NS

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from picasso.media.location import Place

HIDES: Final = frozenset({"vp8"})
"""Codecs whose packets may hold pictures that are never shown, beside those that are."""
_MOST_KEPT: Final = 32
"""Indexes of files that a process keeps."""


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """The frames of a file in the order in which they are shown."""

    pts_ns: Sequence[int]
    """When each is shown, as iteration says it; rising."""
    durations_ns: Sequence[int]
    ticks: list[int] | None
    """The time of the packet of each, in ticks of the stream; None where the container does not tell frames apart by
    times, so that they have to be counted."""
    keys: Sequence[int]
    """For each frame: the packet at which decoding begins for it, by its number in the order of decoding."""
    key_ticks: dict[int, int]
    """The time of each packet at which decoding may begin, by its number, rising."""
    offsets_ns: tuple[int, ...] = (0,)
    """From times of the stream to those of the frames, for each part; see ``VideoReader.offsets_ns``."""

    def __len__(self) -> int:
        return len(self.pts_ns)

    @property
    def end_ns(self) -> int:
        """Where the last frame ends."""
        return self.pts_ns[-1] + self.durations_ns[-1] if self.pts_ns else 0

    def shown_at(self, time_ns: int) -> int:
        """Return the frame that is shown at a time: the last one that does not begin later; −1 before the first."""
        return bisect_right(self.pts_ns, time_ns) - 1

    def before(self, key: int) -> int | None:
        """Return the packet before ``key`` at which decoding may begin as well, None where there is none."""
        earlier = [number for number in self.key_ticks if number < key]
        return earlier[-1] if earlier else None


def index_packets(
    container: InputContainer, stream: VideoStream, rate: Fraction | None, time_base: Fraction
) -> FrameIndex | None:
    """Index a container by its packets, without decoding; None where they do not say enough.

    Args:
        container: At its beginning; it is read to its end.
        stream: Its video stream.
        rate: Nominal frames a second.
        time_base: Seconds a tick.
    """
    if stream.codec_context.name in HIDES or not PacketTimes(container.format).tell_both:
        return None
    key_ticks: dict[int, int] = {}
    shown: list[tuple[int, int, int]] = []
    number = 0
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.pts is None or packet.is_corrupt:
            return None
        if packet.is_keyframe or not number:
            key_ticks[number] = packet.pts
        if not packet.is_discard:
            shown.append((packet.pts, number, packet.duration or 0))
        number += 1
    shown.sort()
    if any(before[0] == after[0] for before, after in pairwise(shown)):
        return None
    line: Timeline[None] = Timeline(time_base, rate)
    placed = [one for ticks, _, duration in shown for one in line.add(None, ticks, duration)]
    placed += line.flush()
    if line.made or line.restarts or len(placed) != len(shown):
        return None
    return FrameIndex(
        [one.pts_ns for one in placed],
        [one.duration_ns for one in placed],
        [ticks for ticks, _, _ in shown],
        _keys(shown, key_ticks),
        key_ticks,
        tuple(line.offsets_ns),
    )


def _keys(shown: list[tuple[int, int, int]], key_ticks: dict[int, int]) -> list[int]:
    """Return for each frame the last keyframe that comes before it in both orders."""
    numbers = list(key_ticks)
    found = []
    for ticks, number, _ in shown:
        place = bisect_right(numbers, number) - 1
        while place > 0 and key_ticks[numbers[place]] > ticks:
            place -= 1
        found.append(numbers[place])
    return found


_kept: OrderedDict[Hashable, FrameIndex] = OrderedDict()
_lock = Lock()


def key_of(place: Place, options: object) -> Hashable | None:
    """Return what a file is known by as long as it stays as it is; None for what is no file."""
    if place.path is None or not place.can_be_read_again:
        return None
    try:
        status = os.stat(place.path)
    except OSError:
        return None
    return os.path.realpath(place.path), status.st_size, status.st_mtime_ns, status.st_ino, repr(options)


def kept(key: Hashable | None) -> FrameIndex | None:
    """Return the index of a file that was indexed before."""
    with _lock:
        found = None if key is None else _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
        return found


def keep(key: Hashable | None, index: FrameIndex) -> None:
    """Keep an index for later readers of the same file."""
    if key is None:
        return
    with _lock:
        _kept[key] = index
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)


def seconds(time_s: float, name: str) -> int:
    """Return seconds as nanoseconds.

    Raises:
        ValueError: It is not a finite number.
        TypeError: It is no number.
    """
    try:
        return round(time_s * NS)
    except (OverflowError, ValueError):
        raise ValueError(f"{name}: expected seconds, got {time_s!r}") from None
    except TypeError:
        raise TypeError(f"{name}: expected seconds, got {time_s!r}") from None
