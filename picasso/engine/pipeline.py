"""What happens to a source's frames: the gate, then the route of its mode."""

from __future__ import annotations

from typing import final

from picasso.engine.encoding import EncodeRoute
from picasso.engine.messages import FrameMessage
from picasso.engine.policies import StreamResetReason
from picasso.engine.routes import BypassRoute, DropRoute, Route, SourceContext
from picasso.engine.settings import Mode, SourceSettings
from picasso.engine.stats import DropReason, Step


@final
class Pipeline:
    """Takes a source's frames, ends of stream and settings, one at a time, on one thread. No method raises."""

    __slots__ = ("_context", "_queue_times", "_route", "_settings")

    def __init__(self, context: SourceContext, settings: SourceSettings) -> None:
        self._context = context
        self._queue_times = context.meter.steps[Step.QUEUE]
        self._settings = settings
        self._route = self._make_route(settings)

    def process(self, message: FrameMessage) -> None:
        """Let a frame through the gate and along the route; if it fails, report it."""
        self._queue_times.add(self._context.clock.now_ns() - message.sent_ns)
        frame, key = message.frame, self._settings.encode_attribute
        if key is not None and not frame.has_attribute(*key):
            self._context.meter.dropped[DropReason.GATE] += 1
            frame.release()
            return
        try:
            self._route.process(message)
        except BaseException as error:  # noqa: BLE001  # one frame must not end the source
            message.release()  # the error has a traceback that leads to the message
            self._context.hooks.lost(self._route.stage, error, frame)

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
        return BypassRoute(self._context) if settings.mode is Mode.BYPASS else DropRoute(self._context)
