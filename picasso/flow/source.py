"""Where frames come from: anything that yields pictures and can be stopped; files and cameras are the common ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from picasso.errors import OpeningStoppedError
from picasso.flow.restart import NEVER, RestartPolicy
from picasso.media import StopSignal, VideoReader
from picasso.media.location import Location, input_place
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView

Item = tuple[VideoFrame, SurfaceView] | EndOfStream
"""A picture with its metadata, or the end of a stream after which another may begin."""


@runtime_checkable
class Source(Protocol):
    """Yields the pictures of one source.

    Each ``iter()`` opens the source once more, on the thread that iterates. ``stop`` may be called from any thread;
    the iteration then ends within half a second. A ``VideoReader`` is a source that can be read once.

    A source may also have these attributes:

    - ``restart``: its ``RestartPolicy`` when ``Runner.add`` gets none;
    - ``is_live``: True where frames that no one reads are gone, as those of a camera;
    - ``frame_count``: frames to come, or None where that is unknown;
    - ``interrupt()``: end the running iteration, and only that one; called from any thread. Without it, a live source
      that is paused while it is silent is closed at its next frame;
    - ``is_admitted``: True where the owner of the source has limited how many there are; ``max_sources`` lets it in;
    - ``idle``: the ``IdlePolicy`` that ends its stream when it says nothing;
    - ``dropped``: how many frames it has kept back, by reason; they count as read and dropped;
    - ``came_ns``: when the bytes of the frame that was given last were received and when its decoder took them,
      ``time.monotonic_ns()``, or None; a module's latency begins there.
    """

    @property
    def source_id(self) -> str:
        """The name of the source; unique in a runner."""

    def __iter__(self) -> Iterator[Item]:
        """Open the source and yield its pictures in order."""

    def stop(self) -> None:
        """End the running iteration, and every later one."""


class File:
    """A file, an image sequence or any URL that ends. Each iteration reads it from its beginning."""

    is_live = False
    restart: RestartPolicy = NEVER

    def __init__(self, location: Location | int, source_id: str | None = None, **options: Any) -> None:
        """Name the file; nothing is opened yet.

        Args:
            location: Path, URL, or pattern of an image sequence; a number: 0 is the camera ``/dev/video0``.
            source_id: Name of the source; by default the file's name without its suffix.
            options: What ``VideoReader`` takes by keyword: ``loops``, ``pace``, ``pixel_format``, ``device``,
                ``timeout_s``, …
        """
        location = f"/dev/video{location}" if isinstance(location, int) else location
        self.location: Location = location
        self._source_id = input_place(location).stem if source_id is None else source_id
        self._options = options
        self._stop = StopSignal(options.pop("stop", None))
        self._now = StopSignal(self._stop)
        self._frame_count: int | None = None
        self._reader: VideoReader | None = None

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source_id

    @property
    def frame_count(self) -> int | None:
        """Frames of one pass, as the open file's header says; None before it is open, and where it does not say."""
        return self._frame_count

    @property
    def came_ns(self) -> tuple[int, int] | None:
        """Of the newest frame: when its packet was read and when its decoder took it; None where that is not known."""
        reader = self._reader
        return None if reader is None else reader.came_ns

    def __iter__(self) -> Iterator[Item]:
        self._now = StopSignal(self._stop)
        return self._read(self._now)

    def _read(self, stop: StopSignal) -> Iterator[Item]:
        try:
            reader = VideoReader(self.location, self._source_id, stop=stop, **self._options)
        except OpeningStoppedError:
            return
        with reader:
            self._frame_count, self._reader = reader.info.frame_count, reader
            try:
                yield from reader
            finally:
                self._reader = None

    def stop(self) -> None:
        """End the running iteration, and every later one, also while the file is being opened. Any thread."""
        self._stop.set()

    def interrupt(self) -> None:
        """End the running iteration, also while the file is being opened; a later one reads again. Any thread."""
        self._now.set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source_id!r})"


class Camera(File):
    """A live stream: read as it comes, opened again whenever it is lost or ends."""

    is_live: bool = True
    restart: RestartPolicy = RestartPolicy(on_end=True)


@contextmanager
def closing_items(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """Close a generator or reader now, on this thread, instead of when it is collected."""
    try:
        yield items
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def interrupt(source: Source) -> None:
    """End the running iteration of a source that can do so without ending every later one."""
    step = getattr(source, "interrupt", None)
    if step is not None:
        step()
