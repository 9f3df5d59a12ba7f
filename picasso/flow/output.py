"""What is made of a source: one spec and the sinks behind it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from picasso.engine.policies import OverflowPolicy
from picasso.flow.sink import QUEUE_FRAMES, Sink, SinkThread

if TYPE_CHECKING:
    from picasso.engine import OutputMessage, SourceSpec, SourceStats
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView


OnOutput = Callable[["OutputMessage"], object]


@dataclass(frozen=True, slots=True)
class Output:
    """One way in which the frames of a source come out. Several outputs share the pixels; each has its own metadata."""

    spec: SourceSpec
    """What the engine does with the frames."""
    sinks: Sequence[Sink] = ()
    """Where they go, each through a queue and a thread of its own."""
    name: str | None = None
    """Names the output among several: its frames and its engine source are called ``<source>-<name>``."""
    sink_policy: OverflowPolicy = OverflowPolicy.BLOCK
    """What happens when a sink's queue is full: ``BLOCK`` slows the source, the others drop frames and count them."""
    sink_queue_frames: int = QUEUE_FRAMES
    """Frames that may wait for each sink, at least 1."""
    on_output: OnOutput | None = None
    """Called with each output before the sinks get it, on the thread of the engine: it may complete the metadata."""


@final
class Branch:
    """An output while it runs. ``deliver`` belongs to the engine's worker, the rest to the thread of the source."""

    def __init__(self, source_id: str, output: Output) -> None:
        if output.sink_queue_frames < 1:
            raise ValueError(f"sink_queue_frames = {output.sink_queue_frames}: expected at least 1")
        self.engine_id: str = source_id if output.name is None else f"{source_id}-{output.name}"
        self.spec: SourceSpec = output.spec
        self._on_output = output.on_output
        for sink in output.sinks:
            if not hasattr(sink, "write") or not hasattr(sink, "close"):
                raise TypeError(
                    f"sinks: expected something with write and close, got {type(sink).__name__}{_hint(sink)}"
                )
        self.sinks: list[SinkThread] = [
            SinkThread(sink, self.engine_id, output.sink_policy, output.sink_queue_frames) for sink in output.sinks
        ]
        self.delivered: int = 0
        self.last_delivery_s: float = 0.0
        self.final_stats: SourceStats | None = None
        """The engine's counters at the newest end of a stream; None before the first."""
        self.given_up = 0
        """Frames that the engine, shut down, did not come to."""
        self._is_started = False

    def start(self) -> None:
        """Start the sinks. May be called again."""
        if not self._is_started:
            self._is_started = True
            for sink in self.sinks:
                sink.start()

    def deliver(self, output: OutputMessage) -> None:
        """Queue one output for every sink."""
        if self._on_output is not None:
            self._on_output(output)
        for sink in self.sinks:
            sink.put(output)
        if not output.is_eos:
            self.delivered += 1
            self.last_delivery_s = time.perf_counter()

    def finish(self) -> None:
        """Close the sinks behind what they were given. May be called again."""
        for sink in self.sinks:
            sink.finish()

    def join(self, deadline_s: float | None = None) -> bool:
        """Wait until every sink is closed, until ``time.monotonic()`` reaches ``deadline_s``; tell whether they are."""
        closed = [
            sink.join(None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)) for sink in self.sinks
        ]
        return all(closed)


def shares_of(
    frame: VideoFrame, surface: SurfaceView, branches: Sequence[Branch]
) -> list[tuple[VideoFrame, SurfaceView]]:
    """Return the frame and a view of its pixels for each branch; only copies where there are several."""
    shares = [(frame, surface)]
    for branch in branches[1:]:
        copy = frame.copy()
        copy.source_id = branch.engine_id
        shares.append((copy, surface.share()))
    if len(branches) > 1:
        frame.source_id = branches[0].engine_id
    return shares


def _hint(sink: object) -> str:
    if isinstance(sink, str | os.PathLike):
        return ": StreamWriter(path) writes a video file"
    return ": Output(spec, on_output=...) takes a function" if callable(sink) else ""
