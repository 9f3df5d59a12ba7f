"""Auxiliary streams of a running module: their encoders, and their way to the sinks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, final

from picasso.draw.attached import ATTACHED, attach, joined
from picasso.engine import CodecSpec, ConditionalSpec, OutputMessage, SourceSpec
from picasso.errors import PicassoError, ShutDownError
from picasso.module.config import OutputFrame
from picasso.module.elements import AuxiliaryStream
from picasso.module.run.encoders import encoder_config, prove
from picasso.module.run.geometry import STRETCH
from picasso.observe.account import SourceAccount
from picasso.primitives import EndOfStream

if TYPE_CHECKING:
    from picasso.engine import PicassoEngine
    from picasso.module.meta import Frame
    from picasso.primitives import VideoFrame

CODECS: Final = ("h264", "hevc", "av1", "jpeg", "png")
"""What an auxiliary stream can be encoded as."""
logger: logging.Logger = logging.getLogger("picasso.module")
_PARTS: Final = ("codec", "encoder", "encoder_params", "profile")


@final
class AuxiliaryStreams:
    """The streams that the pyfuncs of a module have opened. Safe from any thread."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        engine: Callable[[], PicassoEngine],
        is_taken: Callable[[str], bool],
        emit: Callable[[OutputMessage], None],
    ) -> None:
        """Begin with none.

        Args:
            parameters: The module's: a stream that says no more than its codec takes the rest from its entry of
                ``auxiliary_encoders``.
            engine: Gives the engine that encodes.
            is_taken: Whether a source of the module has a name.
            emit: Hands what comes out to the sinks.
        """
        listed = parameters.get("auxiliary_encoders") or ()
        self._defaults = {one["codec"]: one for one in reversed(listed)}
        self._engine = engine
        self._is_taken = is_taken
        self._emit = emit
        self._open: dict[str, AuxiliaryStream | None] = {}
        """By name; None for one that is being opened."""
        self._lock = threading.Lock()
        self.sent: int = 0
        """Frames that were sent to the engine."""
        self.delivered: int = 0
        """Frames that have come out of it."""
        self.failed: int = 0
        """Frames that it has lost."""
        self.stopped: int = 0
        """Frames that came when the module stopped, and were not sent."""

    def open(
        self, source_id: str, size_wh: tuple[int, int], codec_params: Mapping[str, Any], framerate: str
    ) -> AuxiliaryStream:
        """Open a stream.

        Args:
            source_id: Its name.
            size_wh: Of its frames in pixels.
            codec_params: As ``output_frame``: ``codec``, ``encoder``, ``encoder_params``, ``profile``.
            framerate: Frames per second as a fraction.

        Raises:
            ValueError: The name is in use, or an argument has no meaning.
        """
        what = f"auxiliary stream {source_id!r}"
        if min(size_wh) < 16 or any(side % 2 for side in size_wh):
            raise ValueError(f"{what}: width and height are even numbers of at least 16 pixels, got {size_wh}")
        try:
            rate = Fraction(framerate)
        except (ValueError, ZeroDivisionError):
            rate = Fraction(0)
        if rate <= 0:
            raise ValueError(f"{what}: framerate: expected a fraction such as '30/1', got {framerate!r}")
        output = self._output(what, codec_params)
        if output.encoder is not None:
            try:
                prove(output, size_wh)
            except PicassoError as error:
                raise ValueError(
                    f"{what}: {output.codec} by {output.encoder} cannot be encoded here: {error}"
                ) from error
        config = encoder_config(output, size_wh, rate)
        with self._lock:
            if source_id in self._open or self._is_taken(source_id):
                raise ValueError(f"{what}: the source id is in use; names must be unique")
            self._open[source_id] = None
        spec = SourceSpec(
            codec=CodecSpec.encode(STRETCH, config), conditional=ConditionalSpec(render_attribute=ATTACHED)
        )
        try:
            self._engine().set_source_spec(source_id, spec)
        except BaseException:
            self._open.pop(source_id, None)
            raise
        stream = self._open[source_id] = AuxiliaryStream(
            source_id, size_wh, f"{rate.numerator}/{rate.denominator}", self
        )
        return stream

    def has(self, source_id: str) -> bool:
        """Whether a stream of this name is open."""
        return source_id in self._open

    def send(self, frame: Frame) -> None:
        """Encode a frame; waits while too many of its stream wait."""
        if drawings := frame.take_drawings():
            attach(frame.video_frame, joined(drawings))
        with self._lock:
            self.sent += 1  # first: it may come out before the call returns
        try:
            self._engine().send_frame(frame.source_id, frame.video_frame, frame.pixels.surface())
        except ShutDownError:
            with self._lock:
                self.sent -= 1
                self.stopped += 1
            logger.warning(
                "auxiliary stream %r: the frame at pts %d is lost: the module stops", frame.source_id, frame.pts
            )
        except BaseException:
            with self._lock:
                self.sent -= 1
            raise

    def end(self, source_id: str) -> None:
        """End a stream behind its frames, and forget it."""
        engine = self._engine()
        engine.send_eos(source_id)
        engine.remove_source_spec(source_id)
        with self._lock:
            self._open.pop(source_id, None)

    def came_out(self, output: OutputMessage) -> None:
        """Hand what the engine made of a frame to the sinks, if it is of one of these streams."""
        if output.source_id not in self._open:
            return
        if not output.is_eos:
            output.as_video_frame().delete_attribute(*ATTACHED)
            with self._lock:
                self.delivered += 1
        self._emit(output)

    def lost(self, frame: VideoFrame, error: BaseException) -> None:
        """Take notice of a ``frame`` of one of these streams that the engine lost; some are logged."""
        if frame.source_id in self._open:
            with self._lock:
                self.failed = number = self.failed + 1
            if number & (number - 1) == 0:
                text = "auxiliary stream %r: the frame at pts %d is lost (no. %d): %s"
                logger.error(text, frame.source_id, frame.pts, number, error)

    def account(self) -> SourceAccount:
        """Return what became of the frames of all streams together."""
        with self._lock:
            sent, left, failed, stopped = self.sent, self.delivered, self.failed, self.stopped
        dropped = {reason: count for reason, count in (("failed", failed), ("stopped", stopped)) if count}
        return SourceAccount(sent + stopped, left, dropped, sent - left - failed)

    def finish(self) -> None:
        """End the streams that are open, and wait until their frames have come out: no pyfunc will make any."""
        for stream in [one for one in list(self._open.values()) if one is not None]:
            stream.eos()

    def close(self) -> None:
        """End for the sinks what is still open; the engine has shut down."""
        with self._lock:
            names, self._open = sorted(self._open), {}
        for source_id in names:
            self._emit(OutputMessage(EndOfStream(source_id), is_eos=True))

    def _output(self, what: str, params: Mapping[str, Any]) -> OutputFrame:
        unknown = [key for key in params if key not in _PARTS]
        if unknown or "codec" not in params:
            wrong = f"unknown {unknown[0]!r}" if unknown else "codec is missing"
            raise ValueError(f"{what}: codec_params: {wrong}; there are {', '.join(_PARTS)}")
        codec = str(params["codec"])
        if codec not in CODECS:
            raise ValueError(f"{what}: codec_params: unknown codec {codec!r}; one of {', '.join(CODECS)}")
        merged = {**self._defaults.get(codec, {}), **params}
        encoder = merged.get("encoder")
        if encoder not in (None, "nvenc", "software"):
            raise ValueError(f"{what}: codec_params: unknown encoder {encoder!r}; one of nvenc, software")
        return OutputFrame(codec, encoder, dict(merged.get("encoder_params") or {}), merged.get("profile"))
