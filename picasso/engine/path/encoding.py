"""What happens to the frames of a source that encodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from picasso.encode.factory import like_the_source
from picasso.engine.continuation import Continuation
from picasso.engine.path.overlay import Overlay, Touch
from picasso.engine.path.routes import NO_PIXELS, Deliver
from picasso.engine.path.session import EncoderSession, Opener, Pending
from picasso.engine.path.timestamps import timestamps_ns
from picasso.engine.policies import NS_PER_S, PtsResetPolicy, StreamResetReason
from picasso.errors import EncoderError, SpecError, SurfaceError
from picasso.primitives import VideoFrameTransformation
from picasso.surface.pixels import pixels_of
from picasso.transform import Interpolation, Placement, Rect

if TYPE_CHECKING:
    from fractions import Fraction

    from picasso.encode import EncodedUnit
    from picasso.engine.messages import FrameMessage
    from picasso.engine.path.routes import MetadataFrame, SourceContext
    from picasso.engine.path.surfaces import Surfaces
    from picasso.engine.settings import Encoding, SourceSettings
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView, VideoFormat


@final
@dataclass(frozen=True, slots=True)
class Placed:
    """What is the same for all frames of a source that are alike."""

    key: tuple[tuple[int, int], Rect | None, Fraction]
    """What they have in common: size, crop, and shape of a pixel."""
    placement: Placement
    start: VideoFrameTransformation
    """The chain of a frame that has come out."""
    config_format: VideoFormat
    """``EncoderConfig.format``."""
    interpolation: Interpolation


@final
class EncodeRoute:
    """Timestamps, placement, transform, overlay, encoder, callback: straight down, once for each frame.

    Validate first, mutate last: a frame that fails has the geometry it came with. The encoder is opened by the first
    frame that needs it, and closed by ``end_stream``, ``close``, a timestamp that does not rise, a failure, or a
    configuration that it cannot take on.
    """

    __slots__ = (
        "_context", "_continuation", "_encoding", "_last_pts_ns", "_opener", "_overlay", "_permits", "_placed",
        "_session", "_steps", "_wants_keyframe", "outlet",
    )  # fmt: skip

    def __init__(self, context: SourceContext, settings: SourceSettings, encoding: Encoding) -> None:
        self._context = context
        self._steps, self._permits = context.steps, context.permits
        self.outlet: Deliver = context.hooks.encoded
        """Where frames come out."""
        self._encoding = encoding
        self._overlay = Overlay(settings, context.hooks)
        self._opener = Opener(context.encoder_factory, context.clock)
        self._session: EncoderSession | None = None
        self._wants_keyframe = False
        self._last_pts_ns: int | None = None
        self._continuation = Continuation() if context.pts_reset_policy is PtsResetPolicy.CONTINUE else None
        self._placed: Placed | None = None

    def process(self, message: FrameMessage) -> None:
        """Encode a frame. If it raises, the frame is as it was."""
        surface = message.surface
        if surface is None:
            raise SpecError(NO_PIXELS)
        frame = message.frame
        pts_ns, duration_ns = timestamps_ns(frame)
        last_pts_ns = self._last_pts_ns
        if self._continuation is None and (last_pts_ns is None or pts_ns > last_pts_ns):
            self._last_pts_ns = pts_ns
        else:
            pts_ns = self._follow(pts_ns, duration_ns)
        placed = self._place(frame, surface, message.src_rect)
        session = self._session or self._open_session(surface)
        with self._permits:
            units = self._compute(message, surface, placed, session, pts_ns, duration_ns)
        session.deliver(units)

    def hand_on(self, metadata: MetadataFrame) -> None:
        """Deliver a frame without pixels behind those that the encoder has."""
        if self._session is None:
            metadata.deliver(metadata.output, metadata.sent_ns)
        else:
            self._session.hand_on(metadata)

    def _compute(
        self,
        message: FrameMessage,
        surface: SurfaceView,
        placed: Placed,
        session: EncoderSession,
        pts_ns: int,
        duration_ns: int | None,
    ) -> list[EncodedUnit]:
        """Transform, move boxes, draw, encode: the work of processors, for which sources take turns."""
        frame, surfaces, steps = message.frame, session.surfaces, self._steps
        placement, form = placed.placement, surfaces.encoder_format
        steps.transform.begin()
        touches = self._overlay.touches(frame, form, placed.config_format)
        if touches:
            form = touches[0].format
        surface = surfaces.transform(surface, placement, form, placed.interpolation)
        message.release()  # its owner may have the source's pixels back while we encode
        if not touches:
            surface = surfaces.for_encoder(surface)
        steps.transform.end()
        geometry = frame.save_geometry()
        try:
            frame.move_boxes(placement.scale_xy, placement.offset_xy)
            frame.begin_at(placed.start)
            if touches:
                steps.draw.begin()
                surface = self._touch(surface, form, frame, surfaces, touches)
                steps.draw.end()
            pending = Pending(frame, geometry, placement, pts_ns, duration_ns, message.sent_ns)
            return self._encode(surface, pending, session)
        except BaseException:
            frame.restore_geometry(geometry)
            raise

    def request_keyframe(self) -> None:
        """Make the next frame that is encoded a keyframe; the first of an encoder is one anyway."""
        self._wants_keyframe = self._session is not None

    def end_stream(self) -> None:
        """Deliver what the encoder holds, then a sentinel; the next frame begins a new stream."""
        self._end_session()
        self._last_pts_ns = None
        if self._continuation is not None:
            self._continuation = Continuation()
        self._overlay.end_stream()
        self._context.hooks.end_of_encoded_stream()

    def update(self, settings: SourceSettings, encoding: Encoding) -> None:
        """Go on under new settings. Only another encoder configuration breaks the stream, and not always."""
        before, self._encoding = self._encoding, encoding
        self._placed = None
        self._overlay.update(settings)
        if encoding.encoder == before.encoder:
            return
        self._opener.reset()
        if self._session is None or not self._session.reconfigure(encoding.encoder):
            self._end_session()
        self._context.hooks.stream_reset(StreamResetReason.encoder_spec_changed())

    def close(self, *, deliver: bool) -> None:
        """Close the encoder; frames that it holds are delivered, or reported as lost."""
        self._overlay.close()
        if deliver:
            self._end_session()
            return
        self._last_pts_ns = None
        session, self._session = self._session, None
        if session is not None:
            session.discard(EncoderError("the source ended without draining its encoder"), deliver=False)

    def _follow(self, pts_ns: int, duration_ns: int | None) -> int:
        """Return when the frame is shown; a time that is not greater than the last begins a new stream, or is moved."""
        last_pts_ns = self._last_pts_ns
        if last_pts_ns is not None and pts_ns <= last_pts_ns:
            self._context.hooks.stream_reset(StreamResetReason.pts_decreased(last_pts_ns, pts_ns))
            if self._continuation is None:
                self._end_session()
            if self._context.pts_reset_policy.sends_eos:
                self._context.hooks.end_of_encoded_stream()
        self._last_pts_ns = pts_ns
        if self._continuation is not None:
            encoder = self._encoding.encoder
            pts_ns = self._continuation.move(pts_ns, duration_ns or NS_PER_S * encoder.fps_den // encoder.fps_num)
        return pts_ns

    def _place(self, frame: VideoFrame, surface: SurfaceView, src_rect: Rect | None) -> Placed:
        """Return where the pixels go, after checking that frame, surface and crop agree."""
        size_wh, pixels = frame.pristine_wh(), pixels_of(surface)
        if pixels.size_wh != size_wh:
            raise SurfaceError("the surface is {}x{}, its frame {}x{}".format(*pixels.size_wh, *size_wh))
        key = (size_wh, src_rect, pixels.sample_aspect_ratio)
        placed = self._placed
        if placed is None or placed.key != key:
            encoder, transform = self._encoding.encoder, self._encoding.transform
            target_wh = (encoder.width, encoder.height)
            placement = Placement.compute(size_wh, target_wh, transform, src_rect, sample_aspect_ratio=key[2])
            start = VideoFrameTransformation.initial_size(*target_wh)
            placed = self._placed = Placed(key, placement, start, encoder.video_format, transform.interpolation)
        return placed

    def _open_session(self, surface: SurfaceView) -> EncoderSession:
        with self._steps.open():
            config = like_the_source(self._encoding.encoder, surface)
            encoder = self._opener.open(config)
            try:
                self._session = EncoderSession(
                    encoder,
                    config,
                    self._context.hooks,
                    self._steps,
                    source_on_gpu=surface.is_cuda,
                    keeps_matrix=self._encoding.encoder.color_matrix is None,
                )
            except BaseException:
                encoder.close()
                raise
        surfaces = self._session.surfaces
        if (form := self._overlay.painted_format(surfaces.encoder_format)) is not None:
            surfaces.expect_painting(form)
        return self._session

    def _end_session(self) -> None:
        if self._continuation is None:
            self._last_pts_ns = None
        session, self._session = self._session, None
        if session is not None:
            session.finish()

    def _touch(
        self, surface: SurfaceView, form: VideoFormat, frame: VideoFrame, surfaces: Surfaces, touches: list[Touch]
    ) -> SurfaceView:
        """Draw and call, on a surface of format ``form`` at first, and return the surface for the encoder."""
        for touch in touches:
            if touch.on_host or form is not touch.format:
                form = touch.format
                surface = surfaces.convert(surface, form, on_host=touch.on_host)
            if touch.calls_user:
                with self._permits.lent:
                    touch.apply(surface, frame)
            else:
                touch.apply(surface, frame)
        return surfaces.for_encoder(surface)

    def _encode(self, surface: SurfaceView, pending: Pending, session: EncoderSession) -> list[EncodedUnit]:
        """Encode; an encoder that fails is closed, and the next frame opens another."""
        wants_keyframe, step = self._wants_keyframe, self._steps.encode
        self._wants_keyframe = False  # after a failure, the next frame is one in any case
        step.begin()
        try:
            units = session.encode(surface, pending, force_keyframe=wants_keyframe)
        except BaseException as error:
            self._steps.stop()
            self._session = None
            session.discard(error)
            raise
        step.end()
        return units
