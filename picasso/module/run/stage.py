"""Between the threads that read and the engine: frames into batches, through the elements, and on."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final, final

from picasso.draw.attached import ATTACHED, attach, joined, moved
from picasso.engine.stages import Step
from picasso.errors import ShutDownError
from picasso.module.config.output import RAW
from picasso.module.elements import StreamEvent
from picasso.module.meta import Frame, FramePixels
from picasso.module.meta.soundness import take_out_unsound
from picasso.module.run.accounts import Accounts, Fate, Ticket
from picasso.module.run.baggage import baggage_of
from picasso.module.run.batcher import Batcher, Closed
from picasso.module.run.copying import COPY, Copying
from picasso.module.run.egress import Egress
from picasso.module.run.geometry import Geometry
from picasso.module.run.limits import Limit, payload_bytes
from picasso.module.run.outputs import NAMESPACE, SIZE, finish_metadata, internal_attributes, source_spec
from picasso.module.run.overrides import Overrides
from picasso.primitives import Attribute, AttributeValue, EndOfStream, VideoFrameTranscodingMethod

if TYPE_CHECKING:
    from picasso.draw import DisplayList
    from picasso.engine import OutputMessage, SourceSpec
    from picasso.flow import Downstream
    from picasso.module.config import ModuleConfig
    from picasso.module.run.batcher import Work
    from picasso.module.run.views import Views
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView
    from picasso.transform import Rect

FALLBACK_RATE: Final = Fraction(30)
_STAGES: Final = {
    Step.QUEUE: "queue-tagged",
    Step.TRANSFORM: "sink-convert",
    Step.DRAW: "sink-convert",
    Step.ENCODE: "encode",
}
"""The stages that a frame with pixels has passed when the engine has ended a step."""
logger: logging.Logger = logging.getLogger("picasso.module")


def _encoded_bytes(output: OutputMessage) -> int:
    """Return the bytes that the encoder made of a frame; 0 where it went past it."""
    if output.is_metadata_only or output.placement is None:
        return 0
    content = output.as_video_frame().content
    return len(content.get_data()) if content.is_internal() else 0


@final
class _Source:
    """A source while it is in the module."""

    def __init__(self, downstream: Downstream, limit: Limit) -> None:
        self.downstream = downstream
        self.geometry: Geometry | None = None
        self.encoded: tuple[tuple[int, int], tuple[int, int]] | None = None
        """Size and rate that the engine was told."""
        self.egress = Egress(limit)
        self.copying = Copying()
        self.frames = 0
        self.gone = threading.Event()
        """Everything of it has gone on."""


@final
class ModuleStage:
    """The stage of a module's runner.

    ``frame`` runs on the thread of the source: it moves the boxes to total pixels and waits while too many frames of
    the source wait. ``deliver`` runs on the last thread of the pipeline.
    """

    def __init__(
        self,
        module: ModuleConfig,
        batcher: Batcher,
        set_spec: Callable[[str, SourceSpec], None],
        accounts: Accounts | None = None,
        egress: Limit | None = None,
        *,
        lists_primary: bool = False,
        came_ns: Callable[[str], tuple[int, int] | None] = lambda _source_id: None,
        overrides: Overrides | None = None,
        views: Views | None = None,
    ) -> None:
        """Make a stage without sources.

        Args:
            module: The module.
            batcher: Where frames wait for the elements.
            set_spec: Tells the engine what is done with the frames of a source.
            accounts: Where frames are counted.
            egress: How much of a source may wait behind the elements.
            lists_primary: Whether the objects of a frame begin with the primary one.
            came_ns: When the bytes of the newest frame of a source were received, and when its decoder took them.
            overrides: What control changes for single sources.
            views: Those who watch; None where no one can.
        """
        self.accounts: Accounts = accounts or Accounts()
        self.tagged: int = 0
        self.untagged: int = 0
        """Frames that went to the engine, and past it, so far."""
        self._module = module
        self._internal = internal_attributes(module)
        self._batcher = batcher
        self._set_spec = set_spec
        self._egress = egress or Limit()
        self._lists_primary = lists_primary
        self._came_ns = came_ns
        self._overrides = overrides or Overrides()
        self._views = views
        self._sources: dict[str, _Source] = {}
        self._failures, self._unsound = itertools.count(1), itertools.count(1)
        self._copies = module.output_frame is not None and module.output_frame.codec == COPY

    def open(self, downstream: Downstream) -> None:
        """Take notice of a source."""
        self._sources[downstream.source_id] = _Source(downstream, self._egress)
        self._put_event("source-add", downstream.source_id)

    def frame(self, source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
        """Put a frame of ``source_id`` into its line; ``frame`` and ``surface`` are the stage's from now on."""
        source = self._sources[source_id]
        ticket = self.accounts.enter(frame, source, self._came_ns(source_id))
        try:
            self._enter(source, ticket, surface)
        except Closed:
            self._count(frame, Fate.STOPPED)
        except BaseException:
            self.accounts.drop(frame, Fate.FAILED)  # the thread of the source counts it for the runner
            raise

    def _enter(self, source: _Source, ticket: Ticket, surface: SurfaceView) -> None:
        frame = ticket.frame
        if said := take_out_unsound(frame):
            number = next(self._unsound)
            if number & (number - 1) == 0:
                logger.error(
                    "source %r: the frame at pts %d comes with objects that are left out (no. %d): %s",
                    frame.source_id,
                    frame.pts,
                    number,
                    said,
                )
        size_wh = (frame.width, frame.height)
        if source.geometry is None or source.geometry.source_wh != size_wh:
            source.geometry = Geometry.of(size_wh, self._module.frame)
        source.geometry.enter(frame)
        pixels = FramePixels(surface, source.geometry.total)
        number, source.frames = source.frames, source.frames + 1
        size_bytes = payload_bytes(frame, surface)
        self._batcher.put(
            source.downstream.source_id,
            Frame(frame, pixels, frame_num=number, trace=ticket.trace, lists_primary=self._lists_primary),
            size_bytes,
        )

    def end_stream(self, source_id: str) -> None:
        """Put the end of a stream of ``source_id`` into its line."""
        self._put_event("source-eos", source_id)

    def close(self, source_id: str) -> None:
        """Return when everything of ``source_id`` has gone on, and forget it."""
        source = self._sources[source_id]
        if self._put_event("source-delete", source_id):
            source.gone.wait()
        if self._sources.get(source_id) is source:
            del self._sources[source_id]
        self.accounts.close_source(source_id)

    def deliver(self, work: Work) -> None:
        """Pass on what has gone through the elements; a frame that cannot be passed on is counted and reported."""
        for frame in work.frames:
            ticket = self.accounts.ticket(frame.video_frame)
            if ticket is None:
                continue  # it was given up meanwhile
            ticket.trail += work.trail
            try:
                self._pass_on(frame, ticket.source)
            except ShutDownError:
                self._count(frame.video_frame, Fate.STOPPED)
            except Exception as error:  # noqa: BLE001 - one frame must not end the source, or the others of its batch
                self._report(frame, error)
                self.accounts.blame(frame.video_frame, error)
                self._count(frame.video_frame, Fate.FAILED)
        for event in work.events:
            source = self._sources.get(event.source_id)
            if source is not None and event.kind == "source-eos":
                self._end(source)
            elif source is not None and event.kind == "source-delete":
                source.gone.set()

    def drop(self, frame: Frame, reason: str) -> None:
        """Count a frame that goes no further."""
        self._count(frame.video_frame, reason)

    def release(self) -> None:
        """Let every source go: the pipeline has ended."""
        for source in list(self._sources.values()):
            source.egress.let_go()
            source.gone.set()

    def drop_all(self) -> None:
        """Count what is in the module, and cannot leave it in time, as stopped."""
        for ticket in self.accounts.drop_all(Fate.STOPPED):
            if not ticket.is_sent:  # the engine counts those that it has
                ticket.source.downstream.drop(ticket.frame, Fate.STOPPED)

    def finish(self, output: OutputMessage, emit: Callable[[OutputMessage], object]) -> None:
        """Count and complete what came out of the engine, or went past it, and hand it on.

        Args:
            output: A frame, or the end of a stream.
            emit: Hands it to the sinks. It does not get what was given up meanwhile.
        """
        if output.is_eos:
            emit(output)
            return
        frame = output.as_video_frame()
        ticket = self.accounts.leave(frame, _encoded_bytes(output))
        if ticket is None:
            if self.accounts.is_closed:
                return  # it is counted as stopped
            self.accounts.enter(frame)  # it was made on the way
            self.accounts.leave(frame)
        self.complete(output)
        emit(output)
        if ticket is not None and ticket.is_sent:
            ticket.source.egress.came_out()

    def step(self, _source_id: str, frame: VideoFrame, step: Step, _start_ns: int, end_ns: int) -> None:
        """Take notice that the engine has ended a ``step`` of a ``frame`` at ``end_ns``."""
        ticket = self.accounts.ticket(frame) if step in _STAGES else None
        if ticket is not None:
            stage = _STAGES[step] if ticket.has_pixels else "queue-not-tagged"
            if ticket.trail and ticket.trail[-1][0] == stage:
                ticket.trail.pop()  # two steps, one stage
            ticket.trail.append((stage, end_ns))

    def lose(self, frame: VideoFrame, error: BaseException) -> bool:
        """Take notice of a frame that the engine lost; tell whether it was in the module."""
        reason = Fate.STOPPED if isinstance(error, ShutDownError) else Fate.FAILED
        self.accounts.blame(frame, error)
        ticket = self.accounts.drop(frame, reason)
        if ticket is None:
            return False
        frame.delete_attribute(NAMESPACE, SIZE)
        frame.delete_attribute(*ATTACHED)
        if ticket.is_sent:
            ticket.source.egress.came_out()
        return True

    def egress_of(self, source_id: str) -> Egress | None:
        """Return the way from the elements to the sinks of a source that is there."""
        source = self._sources.get(source_id)
        return None if source is None else source.egress

    @property
    def open_sources(self) -> int:
        """Sources that are there."""
        return len(self._sources)

    def egresses(self) -> list[Egress]:
        """Return those of all sources that are there."""
        return [source.egress for source in list(self._sources.values())]

    def complete(self, output: OutputMessage) -> None:
        """Give what the engine made the module's metadata: the chain from the source's size to the output's."""
        if output.is_eos:
            return
        frame = output.as_video_frame()
        frame.delete_attribute(*ATTACHED)
        attribute = frame.delete_attribute(NAMESPACE, SIZE)
        if attribute is not None:
            width, height = attribute.values[0].as_integers() or (frame.width, frame.height)
            self._write_chain(frame, Geometry.of((width, height), self._module.frame))
            if (made := self._module.output_frame) is not None and made.codec in RAW:
                frame.codec, frame.dts = made.codec, None

    def _pass_on(self, frame: Frame, source: _Source) -> None:
        video_frame, module = frame.video_frame, self._module
        if frame.is_dropped:
            self._emit(source, source.copying.skip(video_frame))
            self._count(video_frame, frame.drop_reason)
            return
        geometry = self._geometry_of(frame)
        legacy = module.parameters["track_ids"] == "legacy"
        finish_metadata(frame, legacy_track_ids=legacy, internal=self._internal)
        drawings = self._overrides.drawings(frame)
        if self._views is not None and (kinds := self._views.due(video_frame.source_id)):
            self._show(self._views, kinds, frame, geometry, drawings)
        tag = self._overrides.tag(video_frame.source_id, module.output_frame)
        if self._copies:
            is_bare = tag is not None and not frame.has_tag(tag)
            self._emit(source, source.copying.send(frame, geometry, is_bare=is_bare))
            return
        video_frame.transcoding_method = VideoFrameTranscodingMethod.Encoded
        output = module.output_frame
        if output is None or (tag is not None and not frame.has_tag(tag)):
            geometry.place(video_frame)
            self._write_chain(video_frame, geometry)
            video_frame.transcoding_method = VideoFrameTranscodingMethod.Encoded
            video_frame.dts, video_frame.keyframe = None, output is None
            if output is not None:
                video_frame.codec = output.codec
            self.untagged += 1
            if output is None:
                source.downstream.pass_on(video_frame)
            else:
                self._fit_spec(source, video_frame, geometry)
                self._send(source, video_frame, None)
            return
        self._fit_spec(source, video_frame, geometry)
        _attach(video_frame, drawings, geometry)
        size = [AttributeValue.integers(geometry.source_wh)]
        video_frame.set_attribute(Attribute(NAMESPACE, SIZE, size, None, False, True))
        surface, crop = _pixels_of(frame, video_frame, geometry)
        self._send(source, video_frame, surface, crop)

    def _show(
        self, views: Views, kinds: Sequence[str], frame: Frame, geometry: Geometry, drawings: Sequence[DisplayList]
    ) -> None:
        """Have pictures made of a frame for viewers, as it would be encoded."""
        copy = frame.video_frame.copy()
        _attach(copy, drawings, geometry)
        surface, crop = _pixels_of(frame, copy, geometry)
        views.show(kinds, copy, surface, crop, geometry.output_wh)

    def _emit(self, source: _Source, frames: Iterator[tuple[VideoFrame, str | None]]) -> None:
        """Hand on what leaves with its own bytes."""
        for frame, reason in frames:
            if reason is not None:
                self._count(frame, reason)
                continue
            self.untagged += 1
            source.downstream.pass_on(frame)

    def _send(self, source: _Source, frame: VideoFrame, surface: SurfaceView | None, crop: Rect | None = None) -> None:
        """Send a frame to the engine, once there is room; without pixels it keeps its place among the others."""
        source.egress.wait_for_room()
        ticket = self.accounts.ticket(frame)
        if ticket is None:
            return  # it was given up while it waited
        source.egress.sent(0 if surface is None else payload_bytes(frame, surface))
        self.tagged += surface is not None
        ticket.is_sent, ticket.has_pixels = True, surface is not None
        ticket.trail.append(("output-queue", self.accounts.now_ns()))
        try:
            if surface is None:
                source.downstream.send_metadata(frame)
            else:
                source.downstream.send_frame(frame, surface, crop)
        except BaseException:
            ticket.is_sent = False
            source.egress.came_out()
            raise

    def _count(self, frame: VideoFrame, reason: str) -> None:
        ticket = self.accounts.drop(frame, reason)
        if ticket is not None:
            ticket.source.downstream.drop(frame, reason)

    def _report(self, frame: Frame, error: BaseException) -> None:
        """Log the first, second, fourth, eighth… frame that cannot be passed on."""
        number = next(self._failures)
        if number & (number - 1) == 0:
            logger.error(
                "source %r: the frame at pts %d is lost (no. %d): %s", frame.source_id, frame.pts, number, error
            )

    def _fit_spec(self, source: _Source, frame: VideoFrame, geometry: Geometry) -> None:
        """Tell the engine size and rate where they are others than before: behind the frames that it was sent."""
        if source.encoded != (geometry.output_wh, frame.fps):
            source.encoded = (
                None  # a frame behind one whose size cannot be encoded is lost, and counted, as that one is
            )
            rate = Fraction(*frame.fps) if frame.fps[0] > 0 else FALLBACK_RATE
            self._set_spec(frame.source_id, source_spec(self._module, geometry.output_wh, rate))
            source.encoded = (geometry.output_wh, frame.fps)

    def _geometry_of(self, frame: Frame) -> Geometry:
        return Geometry.of(frame.pixels.placement.source_wh, self._module.frame)

    def _write_chain(self, frame: VideoFrame, geometry: Geometry) -> None:
        chain, past = geometry.chain(), baggage_of(frame).chain
        frame.clear_transformations()
        for step in [*past, *chain[1:]] if past else chain:
            frame.add_transformation(step)

    def _end(self, source: _Source) -> None:
        if self._module.output_frame is None or self._copies:
            self._emit(source, source.copying.end())
            source.downstream.pass_on(EndOfStream(source.downstream.source_id))
        else:
            source.downstream.end_stream()

    def _put_event(self, kind: str, source_id: str) -> bool:
        try:
            self._batcher.put(source_id, StreamEvent(kind, source_id))
        except Closed:
            return False
        return True


def _attach(video_frame: VideoFrame, drawings: Sequence[DisplayList], geometry: Geometry) -> None:
    """Attach what is drawn, in pixels of the output frame."""
    if drawings:
        kept, drawing = geometry.crop, joined(drawings)
        attach(video_frame, drawing if kept is None else moved(drawing, -kept.left, -kept.top))


def _pixels_of(frame: Frame, video_frame: VideoFrame, geometry: Geometry) -> tuple[SurfaceView, Rect | None]:
    """Return what is encoded of a frame, and the part of it; move the boxes of its metadata to those pixels."""
    if geometry.keeps_padding or frame.pixels.is_edited:
        with frame.edit_image():
            pass
        return frame.pixels.surface(), geometry.crop
    geometry.leave(video_frame)
    return frame.pixels.source, None
