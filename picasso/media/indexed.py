"""What a reader does beside being iterated: frames by number, by time, and in slices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from picasso.media.frame_index import seconds
from picasso.media.random_access import Frames, NotIndexableError, RandomAccess, masked, number_in, place_at

if TYPE_CHECKING:
    from av.video.frame import VideoFrame as DecodedFrame

    from picasso.media.asked import Span
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

    FrameAndPixels = tuple[VideoFrame, SurfaceView]


_INSTEAD: Final = {
    "fps": "reader.info.frame_rate",
    "average_rate": "reader.info.frame_rate",
    "metadata": "reader.info",
    "streams": "reader.info",
    "codec": "reader.info.codec",
    "width": "reader.info.width, or reader.info.upright_size_wh as players show it",
    "height": "reader.info.height, or reader.info.upright_size_wh as players show it",
    "size": "reader.info.upright_size_wh",
    "duration": "reader.info.duration_ns",
    "num_frames": "len(reader), or reader.info.frame_count",
    "frame_count": "len(reader), or reader.info.frame_count",
    "get_frame_at": "reader[i]",
    "get_frames_at": "reader[[i, j]]",
    "get_frames_in_range": "reader[start:stop:step]",
    "get_frame_played_at": "reader.at(seconds)",
    "get_frames_played_at": "reader.at(seconds) for each of them",
    "get_frames_played_in_range": "reader.between(start_s, end_s)",
    "seek": "reader.at(seconds), or VideoReader(location, start_s=...)",
    "decode": "for frame, surface in reader.frames()",
    "read": "for frame, surface in reader.frames()",
    "release": "reader.close()",
}
"""What other readers of videos call it, and what it is here."""


class IndexedReader(ABC):
    """Frames of a file by number and time. The first call reads the file's packets once, without decoding them.

    Guarantees:

    - ``reader[i]`` is the frame that comes as number ``i`` when the file is read in order, with the same time and the
      same pixels, in any order of asking. In a damaged file, frames that cannot be decoded keep their
      numbers, and raise.
    - Asking for frames does not move the iteration: it has a container and a decoder of its own.
    - Frames come from the CPU, and do not carry the bytes that they were decoded from.
    """

    _random: RandomAccess
    _span: Span

    def __len__(self) -> int:
        if not self._random.is_local:
            raise NotIndexableError(f"{self._name}: take a frame first, which reads the file once, and then its length")
        return len(self._numbers)

    def __bool__(self) -> bool:
        return True

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = f": write {_INSTEAD[name]}" if name in _INSTEAD else ""
            text = f"{type(self).__name__!r} object has no attribute {name!r}{hint}"
            raise AttributeError(text, name=name, obj=self)

    @overload
    def __getitem__(self, item: int) -> FrameAndPixels: ...
    @overload
    def __getitem__(self, item: slice | Iterable[int]) -> Frames: ...
    def __getitem__(self, item: Any) -> FrameAndPixels | Frames:
        """Return a frame and its pixels by number, from the end where it is negative; several for a slice or a list.

        A list of as many bools as there are frames takes those that are true, as NumPy does.

        Raises:
            IndexError: There is no such frame, or not one bool for each.
            TypeError: ``item`` is not a whole number, a slice or a list of whole numbers.
            NotIndexableError: It is a pipe, a camera or a stream without an end.
            MediaError: It cannot be read.
        """
        numbers = self._numbers
        if isinstance(item, slice):
            return Frames(self._frame, numbers[item])
        pick = partial(number_in, count=len(numbers), place=self._name)
        if isinstance(item, Iterable) and not isinstance(item, str | bytes):
            item = list(item)
            if item and all(isinstance(one, bool | np.bool_) for one in item):
                item = masked(item, len(numbers), self._name)
            return Frames(self._frame, [numbers[pick(one)] for one in item])
        return self._frame(numbers[pick(item)])

    def at(self, time_s: float) -> FrameAndPixels:
        """Return the frame that is shown at a time, and its pixels: the last one that does not begin later.

        Args:
            time_s: Seconds on the line of ``frame.pts``.

        Raises:
            IndexError: No frame is shown then.
            ValueError: It is not a finite number.
            NotIndexableError, MediaError: As for ``reader[i]``.
        """
        numbers = self._numbers
        return self._frame(numbers[place_at(self._random.index, numbers, time_s, self._name)])

    def between(self, start_s: float, end_s: float) -> Frames:
        """Return the frames that are shown from ``start_s`` to before ``end_s``, seconds.

        The first is the one that is on the screen at ``start_s``, also where it began before; the last one begins
        before ``end_s``. Where nothing is shown there are none.

        Raises:
            ValueError: ``end_s`` lies before ``start_s``, or one is not a finite number.
            NotIndexableError, MediaError: As for ``reader[i]``.
        """
        start_ns, end_ns = seconds(start_s, "start_s"), seconds(end_s, "end_s")
        if end_ns < start_ns:
            raise ValueError(f"between: end_s = {end_s} lies before start_s = {start_s}")
        numbers, files = self._numbers, self._random.index
        times = [files.pts_ns[number] for number in numbers]
        last = 0 if end_ns == start_ns else bisect_left(times, end_ns)
        first = bisect_left(times, start_ns)
        if first and (first == len(times) or times[first] > start_ns):
            before = numbers[first - 1]
            is_shown = first < len(times) or start_ns < files.pts_ns[before] + files.durations_ns[before]
            first -= is_shown
        return Frames(self._frame, numbers[first : max(first, last)])

    @property
    def _numbers(self) -> range:
        return self._span.of(self._random.index)

    def _frame(self, number: int) -> FrameAndPixels:
        """Decode a frame of the file."""
        decoded = self._random.decoded(number)
        files = self._random.index
        return self._made(decoded, files.pts_ns[number], files.durations_ns[number])

    @property
    @abstractmethod
    def _name(self) -> str:
        """What messages call the file."""

    @abstractmethod
    def _made(self, decoded: DecodedFrame, pts_ns: int, duration_ns: int) -> FrameAndPixels:
        """Make a frame and its surface of what the decoder gave."""
