"""Frames of a reader by number and by time, beside its iteration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import index
from typing import TYPE_CHECKING, Any, Final, overload

from av.error import FFmpegError

from picasso.errors import MediaError, OpeningStoppedError, UnreadableError
from picasso.media.ffmpeg import media_errors
from picasso.media.frame_index import FrameIndex, index_packets, keep, kept, key_of, seconds
from picasso.media.location import Kind
from picasso.media.seeking import Counter, Seeker, UnindexedError, index_frames
from picasso.media.stopping import StoppedReading
from picasso.media.timeline import Placed
from picasso.media.times import NS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from av.video.frame import VideoFrame as DecodedFrame

    from picasso.media.decoder import Decoder
    from picasso.media.opening import Opener
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

    FrameAndPixels = tuple[VideoFrame, SurfaceView]

_AGAIN: Final = frozenset({"http", "https"})
"""Schemes of addresses that give the same again."""


class NotIndexableError(MediaError, TypeError):
    """Frames of a pipe, a camera or a stream that does not end have no numbers; they can only be read in order."""


class Frames(Sequence["FrameAndPixels"]):
    """Some frames of a file, in some order; each is decoded when it is asked for.

    A sequence: it has a length, can be indexed and sliced again, and iterated any number of times.
    """

    def __init__(self, get: Callable[[int], FrameAndPixels], numbers: Sequence[int]) -> None:
        """View frames.

        Args:
            get: Decodes the frame of a number.
            numbers: Which ones.
        """
        self._get = get
        self.numbers: Sequence[int] = numbers
        """Their numbers in the file."""

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, item: int) -> FrameAndPixels: ...
    @overload
    def __getitem__(self, item: slice) -> Frames: ...
    def __getitem__(self, item: int | slice) -> FrameAndPixels | Frames:
        if isinstance(item, slice):
            return Frames(self._get, self.numbers[item])
        return self._get(self.numbers[item])

    def __iter__(self) -> Iterator[FrameAndPixels]:
        return map(self._get, self.numbers)

    def __repr__(self) -> str:
        return f"Frames({len(self)})"


class RandomAccess:
    """Decodes frames of one place by number, on a container of its own. For one thread."""

    def __init__(self, opener: Opener, open_decoder: Callable[[], Decoder], threads: int) -> None:
        """Remember what to open; nothing is opened yet.

        Args:
            opener: Opens the place.
            open_decoder: Opens it and decodes its first frame.
            threads: Threads of the decoder.
        """
        self._opener, self._open, self._threads = opener, open_decoder, threads
        self._index: FrameIndex | None = None
        self._frames: Seeker | Counter | None = None
        self._key: Hashable | None = None
        self._is_damaged = False

    @property
    def is_possible(self) -> bool:
        """Whether the place gives the same when it is read again."""
        place = self._opener.place
        return place.can_be_read_again or (place.kind is Kind.URL and place.scheme in _AGAIN)

    @property
    def is_local(self) -> bool:
        """Whether it is a file of this machine, or was indexed before."""
        return self._index is not None or self._opener.place.can_be_read_again

    @property
    def index(self) -> FrameIndex:
        """The index, made by the first who asks.

        Raises:
            NotIndexableError: The place cannot be read again.
            MediaError: It cannot be read.
        """
        if self._index is None:
            with self._named_errors():
                self._index = self._indexed()
        return self._index

    def decoded(self, number: int) -> DecodedFrame:
        """Return a frame as the decoder makes it.

        Raises:
            UnreadableError: It cannot be decoded; the others keep their numbers.
            MediaError: The file cannot be read.
        """
        files = self.index
        if self._frames is None:
            by_time = files.ticks is not None
            with self._named_errors():
                self._frames = Seeker(self._opener, files, self._threads) if by_time else Counter(self._open)
        try:
            with self._named_errors():
                return self._frames.frame(number)
        except UnindexedError:
            self._frames.close()
            self._frames = None
        if not self._is_damaged:
            with self._named_errors():
                self._look_again()
        if self._is_damaged:
            at_s = files.pts_ns[number] / NS
            raise UnreadableError(f"{self._opener.place.shown}: frame {number} at {at_s:g} s cannot be decoded")
        if number >= len(self.index):
            raise UnreadableError(f"{self._opener.place.shown}: only {len(self.index)} frames can be decoded")
        return self.decoded(number)

    def _look_again(self) -> None:
        """Decode all of the file: it is damaged, or it has packets whose pictures are never shown."""
        decoder = self._open()
        try:
            found = index_frames(decoder)
            self._is_damaged = bool(decoder.lost)
        finally:
            decoder.close()
        if not self._is_damaged:
            keep(self._key, found)
            self._index = found

    def placed(self, choose: Callable[[FrameIndex], range]) -> Iterator[Placed[DecodedFrame]]:
        """Yield the frames that are chosen, with their times, and close what is open."""
        try:
            for number in choose(self.index):
                try:
                    decoded, files = self.decoded(number), self.index
                except UnreadableError:
                    continue  # one that is read in order leaves it out, too
                yield Placed(decoded, files.pts_ns[number], files.durations_ns[number], begins=False)
        finally:
            self.close()

    def close(self) -> None:
        """Close what is open."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Raise what FFmpeg and the bytes below it raise as errors of this place."""
        place = self._opener.place.shown
        try:
            with media_errors(place):
                yield
        except StoppedReading as stopped:
            if stopped.interruption is not None:
                raise stopped.interruption from None
            raise OpeningStoppedError(f"{place}: the reader was stopped") from None

    def _indexed(self) -> FrameIndex:
        place = self._opener.place
        if not self.is_possible:
            raise NotIndexableError(
                f"{place.shown}: is {place.kind.value}, whose frames have no numbers; read it in order"
            )
        self._key = key_of(place, (self._opener.options, self._opener.trust))
        if (found := kept(self._key)) is not None:
            return found
        decoder = self._open()
        try:
            rate, time_base = decoder.rate, decoder.time_base
            is_plain = decoder.begins_at_keyframe and not decoder.hides_packets
            is_interlaced = bool(decoder.first.frame.interlaced_frame)
        finally:
            decoder.close()
        found = None
        if is_plain and not is_interlaced:
            opened = self._opener.open()
            try:
                found = index_packets(opened.container, opened.container.streams.video[0], rate, time_base)
            except FFmpegError:
                found = None  # it breaks off: what there is has to be decoded
            finally:
                opened.close()
        if found is None:
            return self._count()
        keep(self._key, found)
        return found

    def _count(self) -> FrameIndex:
        """Index the place by decoding all of it."""
        decoder = self._open()
        try:
            found = index_frames(decoder)
        finally:
            decoder.close()
        keep(self._key, found)
        return found


def chosen(files: FrameIndex, start_ns: int, end_ns: int | None, stride: int) -> range:
    """Return the numbers of the frames that begin in a span of time, each ``stride``-th of them."""
    first = files.shown_at(start_ns - 1) + 1
    last = len(files) if end_ns is None else files.shown_at(end_ns - 1) + 1
    return range(first, max(first, last), stride)


def number_in(item: Any, count: int, place: str) -> int:
    """Return a number of a frame, counted from the end where it is negative.

    Raises:
        TypeError: It is not a whole number.
        IndexError: There is no such frame.
    """
    number = index(item)
    if not -count <= number < count:
        raise IndexError(f"{place}: frame {number} is not there; it has {count}")
    return number % count


def masked(mask: Sequence[object], count: int, place: str) -> list[int]:
    """Return the numbers for which a mask is true.

    Raises:
        IndexError: It has another length.
    """
    if len(mask) != count:
        raise IndexError(f"{place}: a mask of {len(mask)} bools; it has {count} frames")
    return [number for number, wanted in enumerate(mask) if wanted]


def place_at(files: FrameIndex, numbers: range, time_s: float, place: str) -> int:
    """Return which of the chosen frames is shown at a time.

    Raises:
        IndexError: None is.
    """
    time_ns = seconds(time_s, "at")
    if not numbers:
        raise IndexError(f"{place}: no frame at {time_s:g} s; none is chosen")
    last = min(numbers.stop, len(files)) - 1
    first_ns, end_ns = files.pts_ns[numbers[0]], files.pts_ns[last] + files.durations_ns[last]
    if not first_ns <= time_ns < end_ns:
        raise IndexError(
            f"{place}: no frame at {time_s:g} s; there are some from {first_ns / NS:g} to {end_ns / NS:g} s"
        )
    return min((files.shown_at(time_ns) - numbers.start) // numbers.step, len(numbers) - 1)
