"""What viewers see of a module: the streams that it encodes anyway, and JPEG where no stream can be shown."""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from concurrent.futures import Future
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, final

from picasso.draw.attached import ATTACHED, attached
from picasso.encode import Codec, EncoderConfig, EncoderProperties, JpegProps
from picasso.engine import Callbacks, CodecSpec, ConditionalSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import OperationError, PicassoError, ShutDownError
from picasso.module.run.geometry import STRETCH
from picasso.module.sinks.record import json_of, record_of
from picasso.web import Live, Picture
from picasso.web.live import STREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from picasso.engine import ErrorStage, OutputMessage
    from picasso.module.config import ModuleConfig
    from picasso.module.run.overrides import Overrides
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView
    from picasso.transform import Rect

SHOWN: Final = ("h264", "av1", "jpeg", "png")
"""Codecs that browsers show."""
SNAPSHOT: Final = "snapshot"
WIDTHS: Final = {"tile": 640, "large": 1280, SNAPSHOT: 0}
"""Most pixels of a picture's width, where nothing is drawn on it; 0 is its own."""
RATES: Final = {"tile": 10, "large": 30}
"""Most pictures a second."""
QUALITY: Final = {"tile": 75, "large": 85, SNAPSHOT: 92}
RATE: Final = Fraction(30)
MOST_KEPT: Final = 1024
"""Sources and kinds of pictures that are remembered."""
logger: logging.Logger = logging.getLogger("picasso.module")


@final
class _Wanted(Future[bytes]):
    """A snapshot, the same for all who wait for it."""

    waiting: int = 0


@final
class Views:
    """Takes pictures for viewers, while someone views; otherwise it costs a look into a dictionary for each frame.

    Pictures of JPEG are made by an engine of their own, so that nothing of them is counted as the module's. It works on
    one source at a time, and of each source on one picture at a time: what it cannot do, viewers do not see.
    """

    def __init__(self, config: Callable[[], ModuleConfig], overrides: Overrides) -> None:
        """Begin without viewers.

        Args:
            config: The module's.
            overrides: What control has changed.
        """
        self.live: Live = Live(self)
        self.keyframe: Callable[[str], None] = lambda _source_id: None
        """Asks the module's engine for a keyframe."""
        self.is_source: Callable[[str], bool] = lambda _source_id: False
        """Tells whether there is a source of that name."""
        self._config = config
        self._overrides = overrides
        self.engine: PicassoEngine | None = None
        """Makes pictures of JPEG; None before the first one is wanted."""
        self._opening = threading.Lock()
        self._is_closed = False
        self._wanted: dict[str, _Wanted] = {}
        """Snapshots that wait for a frame."""
        self._taken: dict[str, Future[bytes]] = {}
        """Snapshots whose frame is being encoded."""
        self._busy: set[tuple[str, str]] = set()
        self._due_s: dict[tuple[str, str], float] = {}
        self._specs: dict[str, tuple[int, int]] = {}
        self._failures = itertools.count(1)

    def has(self, source_id: str) -> bool:
        """Whether there is a source of that name."""
        return self.is_source(source_id)

    def stream_codec(self, source_id: str) -> str | None:
        """Return the codec of the stream of a source, if browsers show it and every frame is in it."""
        output = self._config().output_frame
        if output is None or output.codec not in SHOWN or self._overrides.tag(source_id, output) is not None:
            return None
        return output.codec

    def request_keyframe(self, source_id: str) -> None:
        """Ask for a keyframe; sources that are gone are ignored, and so is a module that has stopped."""
        try:
            self.keyframe(source_id)
        except PicassoError as error:
            logger.debug("source %r: no keyframe: %s", source_id, error)

    def due(self, source_id: str) -> tuple[str, ...]:
        """Return which pictures of a source are wanted now, beside its stream: the next frame is for all of them."""
        live = self.live
        is_watched = live.is_watched(source_id, "tile") or live.is_watched(source_id, "large")
        if not is_watched and source_id not in self._wanted:
            return ()
        return tuple(kind for kind in WIDTHS if self._is_due(source_id, kind))

    def show(
        self,
        kinds: Sequence[str],
        frame: VideoFrame,
        surface: SurfaceView,
        crop: Rect | None,
        size_wh: tuple[int, int],
    ) -> None:
        """Make pictures of a frame for those who want them. Never waits for room, and never raises.

        Args:
            kinds: What ``due`` has returned.
            frame: Of the caller's own, to be moved with the pixels; with what is drawn attached.
            surface: Shared: the caller goes on with it.
            crop: The part of the surface that is shown.
            size_wh: Of the module's output frame in pixels.
        """
        try:
            for kind in kinds:
                self._make(kind, frame.copy(), surface.share(), crop, size_wh)
        except Exception as error:  # noqa: BLE001 - who watches must not stop what runs
            self._report(frame.source_id, error)

    def stream(self, output: OutputMessage) -> None:
        """Hand an access unit of the module to those who watch its source. Never raises."""
        if output.is_eos:
            return
        source_id = output.source_id
        try:
            frame = output.as_video_frame()
            if self.live.is_watched(source_id, STREAM) and frame.content.is_internal():
                self.live.put(_picture(frame, source_id, STREAM))
            if self.live.wants_metadata(source_id):
                record = record_of(output, 0)
                shown = {key: value for key, value in record.items() if key not in ("schema", "frame_num")}
                self.live.put_metadata(source_id, json_of(shown).decode())
        except Exception as error:  # noqa: BLE001 - as above
            self._report(source_id, error)

    def snapshot(self, source_id: str, timeout_s: float) -> bytes:
        """Return the next frame of a source as JPEG, in full size.

        Raises:
            OperationError: None came in time (504), it cannot be made (500), or the module has stopped.
        """
        with self._opening:
            if self._is_closed:
                raise OperationError("the module has stopped")
            future = self._wanted.setdefault(source_id, _Wanted())
            future.waiting += 1
        try:
            return future.result(timeout_s)
        except TimeoutError:
            raise OperationError(f"source {source_id!r}: no frame within {timeout_s:g} s", 504) from None
        finally:
            with self._opening:
                future.waiting -= 1
                if not future.waiting and self._wanted.get(source_id) is future:
                    self._wanted.pop(source_id, None)

    def close(self) -> None:
        """Make no further picture."""
        with self._opening:
            self._is_closed = True
            engine, self.engine = self.engine, None
        if engine is not None:
            engine.shutdown(1.0)
        for waiting in (self._wanted, self._taken):
            for source_id in [*waiting]:
                if (future := waiting.pop(source_id, None)) is not None:  # who takes it out answers it
                    future.set_exception(OperationError("the module has stopped"))

    def _report(self, source_id: str, error: BaseException) -> None:
        """Log the first, second, fourth, eighth… picture that cannot be made."""
        number = next(self._failures)
        if number & (number - 1) == 0:
            text = "source %r: a picture for viewers cannot be made (no. %d): %s"
            logger.error(text, source_id, number, error, exc_info=number == 1 and error)

    def _is_due(self, source_id: str, kind: str) -> bool:
        key = (source_id, kind)
        if key in self._busy:
            return False
        if kind == SNAPSHOT:
            return source_id in self._wanted
        if not self.live.is_watched(source_id, kind):
            return False
        now_s = time.monotonic()
        if now_s < self._due_s.get(key, 0.0):
            return False
        if len(self._due_s) > MOST_KEPT:  # sources that have come and gone
            self._due_s = {known: due_s for known, due_s in self._due_s.items() if self.live.is_watched(*known)}
            self._specs.clear()
        step_s = 1 / RATES[kind]
        self._due_s[key] = max(self._due_s.get(key, 0.0) + step_s, now_s - step_s / 2)
        return True

    def _make(
        self, kind: str, frame: VideoFrame, surface: SurfaceView, crop: Rect | None, size_wh: tuple[int, int]
    ) -> None:
        source_id = frame.source_id
        with self._opening:
            if self._is_closed:
                return
            self.engine = engine = self.engine or self._opened()
        name = f"{kind}/{source_id}"
        made_wh = size_wh if attached(frame) is not None else _smaller(size_wh, WIDTHS[kind])
        if self._specs.get(name) != made_wh:
            encoder = EncoderConfig(Codec.JPEG, *made_wh).fps(RATE.numerator, RATE.denominator)
            encoder.properties(EncoderProperties.jpeg(JpegProps(quality=QUALITY[kind])))
            spec = SourceSpec(
                codec=CodecSpec.encode(STRETCH, encoder), conditional=ConditionalSpec(render_attribute=ATTACHED)
            )
            engine.set_source_spec(name, spec)
            self._specs[name] = made_wh
        if kind == SNAPSHOT and (future := self._wanted.pop(source_id, None)) is not None:
            self._taken[source_id] = future
        self._busy.add((source_id, kind))
        try:
            engine.send_frame(name, frame, surface, crop)
        except BaseException as error:
            if (failed := self._finished(source_id, kind)) is not None:
                failed.set_exception(OperationError(f"source {source_id!r}: {error}", 500))
            if not isinstance(error, ShutDownError):
                raise

    def _opened(self) -> PicassoEngine:
        general = GeneralSpec("picasso-views", idle_timeout_secs=5, inflight_queue_size=2, max_computing=1)
        return PicassoEngine(general, Callbacks(on_encoded_frame=self._came_out, on_error=self._failed))

    def _finished(self, source_id: str, kind: str) -> Future[bytes] | None:
        """Return who waits for a picture that is under way no more; only then can the next one be made."""
        future = self._taken.pop(source_id, None) if kind == SNAPSHOT else None
        self._busy.discard((source_id, kind))
        return future

    def _came_out(self, output: OutputMessage) -> None:
        kind, _, source_id = output.source_id.partition("/")
        if output.is_eos:
            self._busy.discard((source_id, kind))
            self._specs.pop(output.source_id, None)
            return
        frame, future = output.as_video_frame(), self._finished(source_id, kind)
        if future is not None:
            future.set_result(frame.content.get_data())
        elif kind != SNAPSHOT:
            self.live.put(_picture(frame, source_id, kind))

    def _failed(self, name: str, _stage: ErrorStage, error: BaseException, _frame: VideoFrame | None) -> None:
        kind, _, source_id = name.partition("/")
        future = self._finished(source_id, kind)
        self._report(source_id, error)
        if future is not None:
            future.set_exception(OperationError(f"source {source_id!r}: {error}", 500))


def _smaller(size_wh: tuple[int, int], width: int) -> tuple[int, int]:
    """Return even sides of the same shape, at most that wide."""
    if not width or size_wh[0] <= width:
        return size_wh
    height = round(size_wh[1] * width / size_wh[0] / 2) * 2
    return width, max(height, 16)


def _picture(frame: VideoFrame, source_id: str, view: str) -> Picture:
    is_key = bool(frame.keyframe) or view != STREAM
    size_wh, data = (frame.width, frame.height), frame.content.get_data()
    codec = (frame.codec or "jpeg") if view == STREAM else "jpeg"
    return Picture(source_id, view, codec, data, is_key, frame.pts, size_wh, _objects(frame))


def _objects(frame: VideoFrame) -> list[list[Any]]:
    """Return what is drawn over a picture for each object, in its pixels."""
    if not frame.object_count:
        return []
    boxes = frame.detection_boxes().tolist()
    names = ("namespace", "draw_label", "id", "track_id", "confidence")
    columns = [frame.object_column(name) for name in names]
    found = []
    for row, box in enumerate(boxes):
        sides = [0.0 if math.isnan(side) else round(side, 2) for side in box]
        found.append([*(column[row] for column in columns), *sides])
    return found
