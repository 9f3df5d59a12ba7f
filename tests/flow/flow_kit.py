"""Sources and sinks for the tests of the runner: pictures from memory, outputs into lists."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from picasso.engine import CodecSpec, OutputMessage, SourceSpec
from picasso.flow import NEVER, Item, RestartPolicy, SourceState
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView, VideoFormat

SIZE_WH = (32, 32)
FRAME_NS = 40_000_000
BYPASS = SourceSpec(codec=CodecSpec.bypass())


def picture(source_id: str, index: int) -> tuple[VideoFrame, SurfaceView]:
    frame = VideoFrame(source_id, (25, 1), *SIZE_WH, time_base=(1, 10**9), pts=index * FRAME_NS)
    return frame, SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH)


class Scripted:
    """A source that plays one script a connection: numbers are frames, ``"eos"`` ends a stream, errors are raised.

    ``"wait"`` holds it until ``stop`` or ``go``.
    """

    def __init__(
        self,
        source_id: str,
        *connections: Sequence[int | str | BaseException],
        restart: RestartPolicy = NEVER,
        is_live: bool = False,
    ) -> None:
        self.source_id = source_id
        self.restart = restart
        self.is_live = is_live
        self.opened = 0
        self.closed = 0
        self.waits = threading.Event()
        self._connections = connections
        self._go = threading.Event()
        self._stopped = False

    def __iter__(self) -> Iterator[Item]:
        script = self._connections[min(self.opened, len(self._connections) - 1)]
        self.opened += 1
        try:
            for step in script:
                if step == "wait":
                    self.waits.set()
                    self._go.wait()
                    if self._stopped:
                        return
                elif isinstance(step, BaseException):
                    raise step
                else:
                    yield EndOfStream(self.source_id) if isinstance(step, str) else picture(self.source_id, step)
        finally:
            self.closed += 1

    def go(self) -> None:
        self._go.set()

    def stop(self) -> None:
        self._stopped = True
        self._go.set()


class Kept:
    """A sink that keeps timestamps and ends of streams, and fails where it is told to."""

    def __init__(self, *, fails_at: int | None = None, fails_to_close: bool = False) -> None:
        self.seen: list[int | str] = []
        self.outputs: list[OutputMessage] = []
        self.closed = 0
        self.changed = threading.Condition()
        self._fails_at = fails_at
        self._fails_to_close = fails_to_close

    @property
    def frames(self) -> list[int]:
        return [entry for entry in self.seen if isinstance(entry, int)]

    def write(self, output: OutputMessage) -> None:
        if self._fails_at is not None and len(self.frames) >= self._fails_at:
            raise OSError("the disk is full")
        with self.changed:
            self.seen.append("eos" if output.is_eos else output.as_video_frame().pts // FRAME_NS)
            self.outputs.append(output)
            self.changed.notify_all()

    def close(self) -> None:
        self.closed += 1
        if self._fails_to_close:
            raise OSError("the disk is gone")


class Gated(Kept):
    """A sink that takes nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.gate = threading.Event()

    def write(self, output: OutputMessage) -> None:
        self.entered.set()
        self.gate.wait()
        super().write(output)


class States:
    """An ``on_state`` that a test can wait on, for a state of a source."""

    def __init__(self) -> None:
        self.seen: list[SourceState] = []
        self._changed = threading.Condition()

    def __call__(self, _source_id: str, state: SourceState) -> None:
        with self._changed:
            self.seen.append(state)
            self._changed.notify_all()

    def wait_for(self, state: SourceState, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.seen.count(state) >= count, 60), (state, self.seen)
