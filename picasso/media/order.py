"""Which time belongs to which picture: decoders reorder pictures, and some containers do not reorder the times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from picasso.media.wholeness import COUNT_SLOTS

if TYPE_CHECKING:
    from av.format import ContainerFormat

T = TypeVar("T")

PATIENCE: Final = 17
"""Pictures that may come before one that was decoded earlier: the most that H.264 and HEVC reorder, and one."""
NO_PACKET: Final = -1
"""The number of a picture that does not say which packet it was in."""
_OLD: Final = 32
"""Packets after which a picture that has not come will not come."""
_TRIES: Final = 3
"""Pictures that were waited for in vain, after which none is waited for."""

_NO_TIMES: Final = 0x0080
"""AVFMT_NOTIMESTAMPS of libavformat: the container holds no times, and those of packets are guesses."""


class PacketTimes:
    """Which of the two times of a packet says when its picture is shown."""

    def __init__(self, container: ContainerFormat) -> None:
        self.are_real: bool = not container.flags & _NO_TIMES
        """Whether the container holds times."""
        self._has_slots = container.name in COUNT_SLOTS
        self._knows_display = False

    @property
    def tell_both(self) -> bool:
        """Whether the container tells when packets are decoded and when they are shown."""
        return self.are_real and not self._has_slots

    def of(self, pts: int | None, dts: int | None) -> int | None:
        """Return when a picture is shown, or else when it is decoded, as far as the container tells.

        AVI counts the slots in which packets are decoded, and FFmpeg guesses when they are shown.
        """
        if not self.are_real:
            return None
        if pts is not None:
            self._knows_display = True
        return pts if self._knows_display and not self._has_slots else dts


_Key = tuple[int, int]
"""A part of the stream, and a time in it."""


class _Shown(NamedTuple, Generic[T]):
    """A picture whose time is not sure."""

    packet: int
    key: _Key | None
    picture: T


class DisplayOrder(Generic[T]):
    """Pairs the pictures that a decoder shows with the times of the packets it was fed.

    A picture has the time of its own packet. But AVI, and other containers that were written carelessly, give times in
    the order in which packets are decoded: then times fall although the decoder shows the pictures in order, and each
    picture gets the smallest time that is still free. The two are told apart by a picture that comes after one whose
    packet is later *and* has a later time. So a picture waits only while an earlier packet with an earlier time has
    not shown its own, for at most ``PATIENCE`` pictures; where codec and container agree, none waits.

    Times are ticks, or None. Packets are counted by the caller, rising.
    """

    def __init__(self, reorders: Callable[[], bool]) -> None:
        """Begin a stream.

        Args:
            reorders: Whether the decoder may show pictures in another order than that of their packets.
        """
        self._reorders = reorders
        self._due: dict[int, _Key] = {}
        """The times of packets whose pictures have not come, by the number of the packet."""
        self._timeless: set[int] = set()
        """Packets without a time, whose pictures have not come."""
        self._held: list[_Shown[T]] = []
        self._last: _Key = (0, -(2**63))
        """The time that was given out last; a packet below it begins another part."""
        self._tries = _TRIES
        self._sorts = False
        self.moved: int = 0
        """Pictures so far that got the time of another packet."""

    def feed(self, packet: int, time: int | None) -> None:
        """Note the time of a packet that the decoder gets."""
        if time is None:
            self._timeless.add(packet)
        else:
            part, last = self._last
            self._due[packet] = (part + (time < last), time)

    def lose(self, packet: int) -> None:
        """Expect no picture of a packet any more."""
        self._due.pop(packet, None)
        self._timeless.discard(packet)

    def show(self, packet: int, picture: T) -> Iterable[tuple[T, int | None]]:
        """Take the picture of a packet as it is shown; return those whose times are sure, in the order they came."""
        due = self._due
        if self._sorts:
            return [self._sorted(_Shown(packet, due.get(packet), picture))]
        key = due.pop(packet, None)
        if self._held:
            self._held.append(_Shown(packet, key, picture))
            return list(self._judge(self._held[-1]))
        if key is None:
            self._forget(packet)
            return ((picture, None),)
        if due and self._tries and self._reorders():
            for number, time in due.items():  # packets rise
                if number > packet:
                    break
                if time < key:  # one that is earlier in both orders has not shown its picture
                    self._held.append(_Shown(packet, key, picture))
                    return ()
        if len(due) > PATIENCE or self._timeless:
            self._forget(packet)
        if key > self._last:  # noqa: PLR1730  # max() takes as long as all of this
            self._last = key
        return ((picture, key[1]),)

    def flush(self) -> Iterator[tuple[T, int | None]]:
        """Yield what waits: no picture comes after it."""
        held, self._held = self._held, []
        yield from map(self._own, held)

    def _judge(self, last: _Shown[T]) -> Iterator[tuple[T, int | None]]:
        """Decide about the pictures that wait, now that another has come."""
        if any(
            last.key is not None and last.packet < shown.packet and shown.key is not None and last.key < shown.key
            for shown in self._held
        ):
            self._sorts = True
            held, self._held = self._held, []
            self._due |= {shown.packet: shown.key for shown in held if shown.key is not None}
            yield from map(self._sorted, held)
        elif len(self._held) > PATIENCE:
            self._tries -= 1
            for packet in [packet for packet in self._due if packet < last.packet - PATIENCE]:
                del self._due[packet]
            yield from self.flush()

    def _own(self, shown: _Shown[T]) -> tuple[T, int | None]:
        """Give a picture the time of its own packet."""
        self._forget(shown.packet)
        return shown.picture, self._give(shown.key)

    def _sorted(self, shown: _Shown[T]) -> tuple[T, int | None]:
        """Give a picture the smallest time that is free."""
        self._forget(shown.packet)
        if shown.packet in self._timeless or not self._due:
            return shown.picture, None
        packet = min(self._due, key=self._due.__getitem__)
        self.moved += packet != shown.packet
        return shown.picture, self._give(self._due.pop(packet))

    def _give(self, key: _Key | None) -> int | None:
        if key is None:
            return None
        self._last = max(self._last, key)
        return key[1]

    def _forget(self, packet: int) -> None:
        """Drop the packets whose pictures never came."""
        if len(self._due) > PATIENCE:
            for old in [number for number in self._due if number < packet - _OLD]:
                del self._due[old]
        if len(self._timeless) > _OLD:
            self._timeless = {number for number in self._timeless if number >= packet - _OLD}
