"""What a reader is asked for: which frames, and in a way that it can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from picasso.media.frame_index import seconds
from picasso.media.nvdec import gpu_of
from picasso.media.random_access import chosen

if TYPE_CHECKING:
    from picasso.media.frame_index import FrameIndex
    from picasso.media.timeline import Placed

T = TypeVar("T")


class Span:
    """Which frames of a file are wanted: those that begin in a span of time, and of these each so-many-th."""

    __slots__ = ("_first_ns", "end_ns", "start_ns", "stride")

    def __init__(self, start_s: float | None, end_s: float | None, stride: int) -> None:
        """Check what a user asks for.

        Raises:
            ValueError: A time is not finite or below 0, ``end_s`` is not after ``start_s``, or ``stride`` is below 1.
        """
        self.start_ns: int = seconds(start_s or 0.0, "start_s")
        self.end_ns: int | None = None if end_s is None else seconds(end_s, "end_s")
        self.stride: int = stride
        self._first_ns: int | None = None
        if self.start_ns < 0:
            raise ValueError(f"start_s = {start_s}: expected at least 0 seconds")
        if self.end_ns is not None and self.end_ns <= self.start_ns:
            raise ValueError(f"end_s = {end_s}: expected more than start_s = {start_s or 0}")
        if stride < 1:
            raise ValueError(f"stride = {stride!r}: expected a whole number of at least 1")

    @property
    def is_all(self) -> bool:
        """Whether every frame is wanted."""
        return self.start_ns <= 0 and self.end_ns is None and self.stride == 1

    def of(self, files: FrameIndex) -> range:
        """Return the numbers of the frames that are wanted."""
        return chosen(files, self.start_ns, self.end_ns, self.stride)

    def pick(self, frames: Iterator[Placed[T]]) -> Iterator[Placed[T]]:
        """Yield those of a pass over the file that are wanted; a later pass lies elsewhere on the line of time."""
        begin_ns, wanted = None, 0
        for one in frames:
            if begin_ns is None:
                begin_ns = one.pts_ns
                self._first_ns = begin_ns if self._first_ns is None else self._first_ns
                begin_ns -= self._first_ns
            own_ns = one.pts_ns - begin_ns
            if self.end_ns is not None and own_ns >= self.end_ns:
                return
            if own_ns >= self.start_ns:
                if not wanted % self.stride:
                    yield one
                wanted += 1


def check_options(
    loops: int | None, timeout_s: float | None, device: str, pixel_format: str, geometry: str, *, payload: bool
) -> int | None:
    """Return the number of the GPU that decodes, None for the CPU; refuse what no reader can do."""
    gpu_id = gpu_of(device)
    on_gpu = f"with device {device!r}"
    faults = {
        f"loops must be at least 1, or None without a limit, got {loops}": loops is not None and loops < 1,
        f"timeout_s must be above 0 seconds, or None without a limit, got {timeout_s}": (
            timeout_s is not None and not timeout_s > 0
        ),
        f"geometry {geometry!r}: expected one of display, raw": geometry not in {"display", "raw"},
    }
    if gpu_id is not None:
        is_wanted = pixel_format in {"native", "rgba"}
        faults[f"pixel_format {pixel_format!r} {on_gpu}: expected one of native, rgba"] = not is_wanted
        faults[f"payload {on_gpu}: NVDEC keeps no packets; expected device cpu"] = payload
    for text, is_fault in faults.items():
        if is_fault:
            raise ValueError(text)
    return gpu_id
