"""A source that goes on where another run of it has ended, and sinks that take nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, final

from picasso.cluster.messages import Position
from picasso.flow import NEVER, Item, LeftOut, RestartPolicy
from picasso.flow.source import closing_items, interrupt
from picasso.module.sinks.open import Named
from picasso.module.sources.uri import UriSource
from picasso.primitives import EndOfStream

if TYPE_CHECKING:
    from picasso.cluster.lease import Lease
    from picasso.engine import OutputMessage
    from picasso.flow import Sink, Source
    from picasso.primitives import VideoFrame

NS = 1_000_000_000
GRANT_S = 30.0
"""Seconds that the first frame of an actor, as of a socket, waits for the first lease."""


@final
class Resumed:
    """Yields what a source yields behind a position; what lies before is neither counted nor delivered.

    A live source yields what comes.
    """

    def __init__(self, source: Source, after: Position | None) -> None:
        """Take a source that was not read.

        Args:
            source: What to read.
            after: The newest frame that is not wanted; None wants all.
        """
        self._source = source
        self.is_live = bool(getattr(source, "is_live", False))
        self.restart: RestartPolicy = getattr(source, "restart", NEVER)
        self._after = None if self.is_live else after
        self.size_wh: tuple[int, int] | None = None
        """Of the newest picture, in pixels."""
        if self._after is not None and isinstance(source, UriSource) and source.is_one_file:
            source.begin_near(self._after.pts_ns)

    def __getattr__(self, name: str) -> Any:
        """What else a source may have: ``dropped``, ``came_ns``, ``ingress_use``, ``frame_count``."""
        if name.startswith("__") or name == "_source":
            raise AttributeError(name)
        return getattr(self._source, name)

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source.source_id

    def __iter__(self) -> Iterator[Item]:
        return self._behind(iter(self._source))

    def _behind(self, items: Iterator[Item]) -> Iterator[Item]:
        after, part = self._after, 0
        with closing_items(items):
            for item in items:
                if isinstance(item, EndOfStream):
                    part += 1
                    if after is None or part > after.part:
                        yield item
                elif after is None or Position(part, pts_ns_of(item[0])) > after:
                    self.size_wh = item[0].width, item[0].height
                    yield item
                del item

    def stop(self) -> None:
        """End the running iteration, and every later one. Any thread."""
        self._source.stop()

    def interrupt(self) -> None:
        """End the running iteration, if the source can do that. Any thread."""
        interrupt(self._source)


def pts_ns_of(frame: VideoFrame) -> int:
    """Return the time of a frame in nanoseconds."""
    numerator, denominator = frame.time_base
    return frame.pts * numerator * NS // denominator


@final
class Fenced(Named):
    """A sink that takes nothing once the lease of its actor is over, and no frame that an earlier run has written.

    ``end`` waits until the sink has taken the end of a source's stream.
    """

    def __init__(self, sink: Sink, lease: Lease) -> None:
        """Put the fence before a sink."""
        super().__init__(sink)
        self._lease = lease
        self._parts: dict[str, int] = {}
        self._written: dict[str, Position] = {}
        """Of the newest frame of each source that an earlier run has written."""
        self._positions: dict[str, Position] = {}
        self._open: set[str] = set()
        self._changed = threading.Condition()

    def begin(self, source_id: str, part: int, written: Position | None) -> None:
        """Expect a source from a part on; what lies up to ``written`` is there already."""
        with self._changed:
            self._parts[source_id] = part
            self._positions.pop(source_id, None)
            self._written.pop(source_id, None)
            if written is not None:
                self._written[source_id] = written

    def position(self, source_id: str) -> Position | None:
        """Return where the newest frame of a source is that the sink has taken or left out; None before the first."""
        return self._positions.get(source_id)

    def write(self, output: OutputMessage) -> object:
        """Write the ``output``, where that is allowed and needed."""
        source_id = output.source_id
        if not self._lease.was_granted:
            self._lease.wait_for_the_first(GRANT_S)
        if not self._lease.is_valid:
            return None if output.is_eos else LeftOut("fenced")
        if output.is_eos:
            result = self._sink.write(output)
            with self._changed:
                self._parts[source_id] = self._parts.get(source_id, 0) + 1
                self._open.discard(source_id)
                self._changed.notify_all()
            return result
        position = Position(self._parts.get(source_id, 0), pts_ns_of(output.as_video_frame()))
        self._open.add(source_id)
        written = self._written.get(source_id)
        result = LeftOut("already_written") if written is not None and position <= written else self._sink.write(output)
        self._positions[source_id] = position
        return result

    def end(self, source_id: str, timeout_s: float) -> bool:
        """Wait until no stream of a source is open; tell whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: source_id not in self._open, timeout_s)

    def close(self) -> None:
        """Close the sink; one whose lease is over leaves its files as they are: they play, and others go on."""
        if self._lease.is_valid or not self._lease.was_granted:
            super().close()
