"""What happens to frames between the thread that reads them and the engine: nothing, unless a stage is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    from picasso.primitives import EndOfStream, VideoFrame
    from picasso.surface import SurfaceView
    from picasso.transform import Rect


class Downstream(Protocol):
    """Where the frames of one source go on: to each of its outputs. Safe from any one thread at a time."""

    @property
    def source_id(self) -> str:
        """The source."""

    def send_frame(self, frame: VideoFrame, surface: SurfaceView, src_rect: Rect | None = None) -> None:
        """Send a frame to the engine; waits while the source's queue is full.

        Args:
            frame: Its metadata.
            surface: Its pixels, which are handed over.
            src_rect: What to take of them; by default what the source was added with.
        """

    def send_metadata(self, frame: VideoFrame) -> None:
        """Send a ``frame`` without pixels through the engine: it comes out as it is, in its place among the others."""

    def pass_on(self, content: VideoFrame | EndOfStream) -> None:
        """Hand ``content`` to the sinks past the engine: for stages that send nothing to the engine at all."""

    def end_stream(self) -> None:
        """End the stream behind the frames that were sent; another may begin."""

    def drop(self, frame: VideoFrame, reason: str) -> None:
        """Count a ``frame`` that will not be sent, under a ``reason``."""


class Stage(Protocol):
    """Work between reading and the engine, over all sources: batches, models, functions of the user.

    Guarantees of the runner: for each source ``open`` comes first, then ``frame`` and ``end_stream`` in order, then
    ``close``, all on the thread of the source. Different sources call at once. Every frame must be sent or dropped,
    once, in the order of its source; ``close`` returns when that is done for all frames of the source.
    """

    def open(self, downstream: Downstream) -> None:
        """Take notice of a source, whose frames go on to ``downstream``."""

    def frame(self, source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
        """Take one ``frame`` of ``source_id`` with its pixels, ``surface``; may wait, which slows the source."""

    def end_stream(self, source_id: str) -> None:
        """Take the end of a stream of ``source_id``, which goes on behind its frames."""

    def close(self, source_id: str) -> None:
        """Return when everything of ``source_id`` has gone on; it may be opened again later."""


@final
class Direct:
    """The stage of a runner without one: frames go straight to the engine."""

    def __init__(self) -> None:
        self._downstreams: dict[str, Downstream] = {}

    def open(self, downstream: Downstream) -> None:
        """Take notice of a source."""
        self._downstreams[downstream.source_id] = downstream

    def frame(self, source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
        """Send the frame."""
        self._downstreams[source_id].send_frame(frame, surface)

    def end_stream(self, source_id: str) -> None:
        """End the stream."""
        self._downstreams[source_id].end_stream()

    def close(self, source_id: str) -> None:
        """Forget the source."""
        self._downstreams.pop(source_id, None)
