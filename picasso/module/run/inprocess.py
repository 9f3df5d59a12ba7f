"""A module in the program that calls it: frames that the program sends, and what came out, kept in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from picasso.errors import ShapeError, ShutDownError
from picasso.flow import NEVER, Item, SourceStatus
from picasso.module.config import ModuleConfig
from picasso.module.meta import Frame
from picasso.module.run.state import ModuleState
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.engine import OutputMessage
    from picasso.engine.clock import Clock
    from picasso.primitives import VideoFrame

_NOTHING: Final = None


@final
class SentSource:
    """A source whose frames the program sends. Any thread may send; the module's thread of the source reads."""

    restart = NEVER
    frame_count = None

    def __init__(self, source_id: str) -> None:
        """Begin with nothing sent."""
        self._source_id = source_id
        self._changed = threading.Condition()
        self._item: Item | None = _NOTHING
        self._is_ending = False
        self._is_closed = False

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source_id

    def put(self, item: Item) -> None:
        """Hand over a frame or the end of a stream, and return when the module has taken it.

        Raises:
            ShutDownError: The module reads no further.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is _NOTHING or self._is_closed)
            if not self._is_closed and not self._is_ending:
                self._item = item
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._item is not item or self._is_closed)
                if self._item is not item:
                    return
        raise ShutDownError(f"source {self._source_id!r}: the module reads no further")

    def end(self) -> None:
        """End the source behind what was sent."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Read no further."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        try:
            while (item := self._next()) is not _NOTHING:
                yield item
                del item  # frees the frame while we wait
        finally:
            self.stop()

    def _next(self) -> Item | None:
        with self._changed:
            self._changed.wait_for(lambda: self._item is not _NOTHING or self._is_ending or self._is_closed)
            item, self._item = (_NOTHING if self._is_closed else self._item), _NOTHING
            self._changed.notify_all()
            return item


@final
class SentSources:
    """Every source of a module whose frames the program sends: the first frame that names one lets it in."""

    def __init__(
        self,
        state: Callable[[], ModuleState],
        add: Callable[[SentSource], None],
        failure: Callable[[], BaseException | None],
    ) -> None:
        """Begin with none.

        Args:
            state: Where the module stands.
            add: Lets a source in.
            failure: What ended the module before its time.
        """
        self._state = state
        self._add = add
        self._failure = failure
        self._sources: dict[str, SentSource] = {}
        self._lock = threading.Lock()

    def send(self, source_id: str, item: Item) -> None:
        """Hand over a frame or the end of a stream.

        Raises:
            RuntimeError: The module has not started.
            ShutDownError: It has stopped; where an element stopped it, its error is the cause.
        """
        if self._state() in (ModuleState.INITIALIZING, ModuleState.STARTING):
            raise RuntimeError("Module.send: the module has not started; use it as `with Module(config) as module:`")
        with self._lock:
            source = self._sources.get(source_id)
            if source is None and self._state() is ModuleState.RUNNING:
                source = SentSource(source_id)
                self._add(source)
                self._sources[source_id] = source
        try:
            if source is None:
                raise ShutDownError("Module.send: the module has stopped")
            source.put(item)
        except ShutDownError as error:
            raise error from self._failure()

    def end(self) -> None:
        """End each behind what was sent."""
        with self._lock:
            for source in self._sources.values():
                source.end()


def surface_of(frame: VideoFrame, pixels: Any) -> SurfaceView:
    """Return the pixels of a ``frame``: an array is copied, a surface is taken as it is.

    Raises:
        ShapeError: They do not have the frame's size.
        SurfaceError: They are not a picture.
    """
    surface = SurfaceView.wrap(np.array(pixels) if isinstance(pixels, np.ndarray) else pixels)
    if surface.size_wh != (frame.width, frame.height):
        raise ShapeError(
            f"pixels: expected the frame's size {frame.width}x{frame.height}, got {surface.width}x{surface.height}"
        )
    return surface


@dataclass(frozen=True, slots=True)
class ModuleOutput:
    """One frame that came out of a module."""

    frame: Frame
    """Its metadata, boxes in pixels of the output frame; it has no pixels."""

    @classmethod
    def of(cls, output: OutputMessage) -> ModuleOutput:
        """Wrap a frame that a sink got."""
        return cls(Frame(output.as_video_frame(), None))

    @property
    def is_encoded(self) -> bool:
        """Whether a payload came with it, encoded or raw; else it left as metadata only."""
        return self.frame.video_frame.content.is_internal()

    @property
    def data(self) -> bytes:
        """The payload; empty where there is none."""
        return self.frame.video_frame.content.get_data() if self.is_encoded else b""


class Outcome(Mapping[str, Sequence[ModuleOutput]]):
    """What came of a run: ``outcome["gate"]`` is the frames of a source in order, ``statuses`` how each source fared.

    Frames are there where the module keeps them in memory, see ``Module``; other sinks have them elsewhere.
    """

    def __init__(self, statuses: Sequence[SourceStatus], outputs: Sequence[OutputMessage]) -> None:
        """Sort outputs by source; ends of streams are left out."""
        self.statuses: list[SourceStatus] = list(statuses)
        self._frames: dict[str, list[ModuleOutput]] = {status.source_id: [] for status in statuses}
        for output in outputs:
            if output.is_video_frame:
                self._frames.setdefault(output.source_id, []).append(ModuleOutput.of(output))

    def __getitem__(self, source_id: str) -> Sequence[ModuleOutput]:
        try:
            return self._frames[source_id]
        except KeyError:
            known = ", ".join(map(repr, self._frames)) or "none"
            raise KeyError(f"no source {source_id!r}; there are: {known}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name!r}: {len(frames)} frames" for name, frames in self._frames.items())
        return f"Outcome({counts})"


def ends_of(config: ModuleConfig | Mapping[str, Any]) -> tuple[bool, bool]:
    """Tell whether frames come from somewhere and go somewhere, by the configuration or by the environment."""
    pipeline = config.get("pipeline") if isinstance(config, Mapping) else None
    if isinstance(config, ModuleConfig) or not isinstance(pipeline, Mapping | None):
        return True, True
    pipeline = pipeline or {}
    return (
        bool(pipeline.get("source")) or "ZMQ_SRC_ENDPOINT" in os.environ,
        ("sink" in pipeline and pipeline["sink"] is not None) or "ZMQ_SINK_ENDPOINT" in os.environ,
    )


def parts_replaced(sources: object, sinks: object) -> list[str]:
    """Return the parts of a pipeline that a program replaces which gives ``sources`` and ``sinks``."""
    replaced = [] if sources is None else ["source"]
    if sinks not in (None, "configured") or (replaced and sinks is None):
        replaced.append("sink")
    return replaced


def standing_clock() -> Clock:
    """Return a clock that a test moves."""
    from picasso.testing.clock import FakeClock

    return FakeClock()
