"""Between the threads that read and the engine: frames into batches, through the elements, and on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Final, final

from picasso.errors import ShutDownError
from picasso.module.elements import StreamEvent
from picasso.module.meta import Frame, FramePixels
from picasso.module.run.batcher import Batcher, Closed
from picasso.module.run.geometry import Geometry
from picasso.module.run.outputs import NAMESPACE, SIZE, finish_metadata, source_spec
from picasso.module.run.sequence import Sequence
from picasso.primitives import Attribute, AttributeValue, EndOfStream

if TYPE_CHECKING:
    from picasso.engine import OutputMessage, SourceSpec
    from picasso.flow import Downstream
    from picasso.module.config import ModuleConfig
    from picasso.module.run.batcher import Work
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

FALLBACK_RATE: Final = Fraction(30)


@final
class _Source:
    """A source while it is in the module."""

    def __init__(self, downstream: Downstream) -> None:
        self.downstream = downstream
        self.geometry: Geometry | None = None
        self.sequence = Sequence(downstream.pass_on)
        self.frames = 0
        self.gone = threading.Event()
        """Everything of it has gone on."""


@final
class ModuleStage:
    """The stage of a module's runner.

    ``frame`` runs on the thread of the source: it moves the boxes to total pixels and waits while too many frames of
    the source wait. ``deliver`` runs on the last thread of the pipeline.
    """

    def __init__(self, module: ModuleConfig, batcher: Batcher, set_spec: Callable[[str, SourceSpec], None]) -> None:
        """Make a stage without sources.

        Args:
            module: The module.
            batcher: Where frames wait for the elements.
            set_spec: Tells the engine what is done with the frames of a source.
        """
        self._module = module
        self._batcher = batcher
        self._set_spec = set_spec
        self._sources: dict[str, _Source] = {}

    def open(self, downstream: Downstream) -> None:
        """Take notice of a source."""
        self._sources[downstream.source_id] = _Source(downstream)
        self._put_event("source-add", downstream.source_id)

    def frame(self, source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
        """Put a frame of ``source_id`` into its line; ``frame`` and ``surface`` are the stage's from now on."""
        source = self._sources[source_id]
        size_wh = (frame.width, frame.height)
        if source.geometry is None or source.geometry.source_wh != size_wh:
            source.geometry = Geometry.of(size_wh, self._module.frame)
            if self._module.output_frame is not None:
                rate = Fraction(*frame.fps) if frame.fps[0] > 0 else FALLBACK_RATE
                self._set_spec(source_id, source_spec(self._module, source.geometry.output_wh, rate))
        source.geometry.enter(frame)
        pixels = FramePixels(surface, source.geometry.total)
        number, source.frames = source.frames, source.frames + 1
        try:
            self._batcher.put(source_id, Frame(frame, pixels, frame_num=number))
        except Closed:
            raise ShutDownError("the module stops") from None

    def end_stream(self, source_id: str) -> None:
        """Put the end of a stream of ``source_id`` into its line."""
        self._put_event("source-eos", source_id)

    def close(self, source_id: str) -> None:
        """Return when everything of ``source_id`` has gone on."""
        source = self._sources[source_id]
        if self._put_event("source-delete", source_id):
            source.gone.wait()

    def deliver(self, work: Work) -> None:
        """Pass on what has gone through the elements."""
        for frame in work.frames:
            self._pass_on(frame, self._sources[frame.source_id])
        for event in work.events:
            source = self._sources[event.source_id]
            if event.kind == "source-eos":
                self._end(source)
            elif event.kind == "source-delete":
                source.gone.set()

    def drop(self, frame: Frame, reason: str) -> None:
        """Count a frame that goes no further."""
        self._sources[frame.source_id].downstream.drop(frame.video_frame, reason)

    def release(self) -> None:
        """Let every source go: the pipeline has ended."""
        for source in list(self._sources.values()):
            source.gone.set()

    def came_out(self, source_id: str) -> None:
        """Take notice that a frame of a source has reached the sinks, or was lost in the engine."""
        self._sources[source_id].sequence.came_out()

    def complete(self, output: OutputMessage) -> None:
        """Give what the engine made the module's metadata: the chain from the source's size to the output's."""
        if output.is_eos:
            return
        frame = output.as_video_frame()
        attribute = frame.delete_attribute(NAMESPACE, SIZE)
        if attribute is not None:
            width, height = attribute.values[0].as_integers() or (frame.width, frame.height)
            self._write_chain(frame, Geometry.of((width, height), self._module.frame))

    def _pass_on(self, frame: Frame, source: _Source) -> None:
        video_frame, module = frame.video_frame, self._module
        if frame.is_dropped:
            source.downstream.drop(video_frame, "pyfunc")
            return
        geometry = self._geometry_of(frame)
        finish_metadata(frame, legacy_track_ids=module.parameters["track_ids"] == "legacy")
        output = module.output_frame
        if output is None or (output.tag is not None and not frame.has_tag(output.tag)):
            geometry.place(video_frame)
            self._write_chain(video_frame, geometry)
            video_frame.dts = None
            video_frame.keyframe, video_frame.codec = (True, None) if output is None else (False, output.codec)
            source.sequence.pass_on(video_frame)
            return
        source.sequence.sent()
        size = [AttributeValue.integers(geometry.source_wh)]
        video_frame.set_attribute(Attribute(NAMESPACE, SIZE, size, None, False, True))
        if geometry.keeps_padding or frame.pixels.is_edited:
            with frame.edit_image():
                pass
            source.downstream.send_frame(video_frame, frame.pixels.surface(), geometry.crop)
        else:
            geometry.leave(video_frame)
            source.downstream.send_frame(video_frame, frame.pixels.source)

    def _geometry_of(self, frame: Frame) -> Geometry:
        return Geometry.of(frame.pixels.placement.source_wh, self._module.frame)

    def _write_chain(self, frame: VideoFrame, geometry: Geometry) -> None:
        frame.clear_transformations()
        for step in geometry.chain():
            frame.add_transformation(step)

    def _end(self, source: _Source) -> None:
        if self._module.output_frame is None:
            source.downstream.pass_on(EndOfStream(source.downstream.source_id))
        else:
            source.downstream.end_stream()

    def _put_event(self, kind: str, source_id: str) -> bool:
        try:
            self._batcher.put(source_id, StreamEvent(kind, source_id))
        except Closed:
            return False
        return True
