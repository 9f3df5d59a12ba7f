"""What happens to a source's frames: the gate, then the route of its mode."""

from __future__ import annotations

from typing import final

from picasso.engine.messages import FrameMessage, OutputMessage
from picasso.engine.path.encoding import EncodeRoute
from picasso.engine.path.routes import (
    BypassRoute,
    Deliver,
    DropRoute,
    MetadataFrame,
    PassThroughRoute,
    Route,
    SourceContext,
)
from picasso.engine.policies import StreamResetReason
from picasso.engine.settings import Mode, SourceSettings
from picasso.engine.stats import DropReason


@final
class Pipeline:
    """Takes a source's frames, ends of stream and settings, one at a time, on one thread. No method raises."""

    __slots__ = ("_context", "_route", "_settings", "_steps")

    def __init__(self, context: SourceContext, settings: SourceSettings) -> None:
        self._context = context
        self._steps = context.steps
        self._settings = settings
        self._route = self._make_route(settings)

    def process(self, message: FrameMessage) -> None:
        """Let a frame through the gate and along the route; if it fails, report it."""
        frame, key = message.frame, self._settings.encode_attribute
        self._steps.begin(frame, message.sent_ns)
        try:
            if message.surface is None and message.payload is None:
                self._hand_on(message, self._route.outlet, DropReason.SPEC)
            elif key is not None and not frame.has_attribute(*key):
                self._hand_on(message, self._context.hooks.gated, DropReason.GATE)
            else:
                self._route.process(message)
        except BaseException as error:  # noqa: BLE001  # one frame must not end the source
            message.release()  # the error has a traceback that leads to the message
            self._steps.stop()
            progress = self._steps.progress
            progress.frame = None
            self._context.hooks.lost(progress.stage, error, frame)

    def _hand_on(self, message: FrameMessage, deliver: Deliver | None, reason: DropReason) -> None:
        """Deliver a frame in its place, without pixels and as it is; drop it where no one takes it."""
        frame = message.frame
        message.release()
        if deliver is None:
            self._context.meter.dropped[reason] += 1
            frame.release()
            return
        chain = tuple(frame.transformations)
        source_id = self._context.hooks.source_id
        output = OutputMessage(
            frame, is_eos=False, source_id=source_id, source_transformations=chain, is_metadata_only=True
        )
        self._route.hand_on(MetadataFrame(output, message.sent_ns, deliver))

    def end_stream(self) -> None:
        """Deliver what is held, then a sentinel."""
        self._route.end_stream()

    def request_keyframe(self) -> None:
        """Make the next frame that is encoded a keyframe; the other routes have none."""
        if isinstance(self._route, EncodeRoute):
            self._route.request_keyframe()

    def update(self, settings: SourceSettings) -> None:
        """Go on under new settings; another mode or encoder configuration begins a new stream, without a sentinel."""
        before, self._settings = self._settings, settings
        route = self._route
        if isinstance(route, EncodeRoute) and settings.encoding is not None:
            route.update(settings, settings.encoding)
        elif settings.mode is not before.mode:
            route.close(deliver=True)
            self._route = self._make_route(settings)
            self._context.hooks.stream_reset(StreamResetReason.encoder_spec_changed())

    def close(self, *, deliver: bool) -> None:
        """Give everything back; what is held is delivered, or reported as lost."""
        self._route.close(deliver=deliver)

    def _make_route(self, settings: SourceSettings) -> Route:
        if settings.encoding is not None:
            return EncodeRoute(self._context, settings, settings.encoding)
        match settings.mode:
            case Mode.BYPASS:
                return BypassRoute(self._context)
            case Mode.PASS_THROUGH:
                return PassThroughRoute(self._context)
            case _:
                return DropRoute(self._context)
