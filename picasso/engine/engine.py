"""The engine as its users hold it."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Self, final

from picasso.draw.canvas import check_canvas
from picasso.encode import Codec, open_encoder
from picasso.engine.callbacks import Callbacks
from picasso.engine.checks import MAX_SECONDS
from picasso.engine.clock import Clock, MonotonicClock
from picasso.engine.messages import FrameMessage, Payload
from picasso.engine.path.routes import EncoderFactory
from picasso.engine.policies import NS_PER_S
from picasso.engine.runtime.core import Core
from picasso.engine.runtime.inputs import accept, give_back, view_of
from picasso.engine.spec import GeneralSpec, SourceSpec
from picasso.engine.stats import EngineStats
from picasso.errors import SpecError
from picasso.primitives import VideoFrame, VideoFrameContent
from picasso.primitives.checks import text
from picasso.surface import SurfaceView
from picasso.transform import Rect


@final
class PicassoEngine:
    """Processes the frames of many sources at once, each in a thread of its own.

    Guarantees:

    - Every method may be called from any thread, from every callback too.
    - Frames, specs and ends of stream of one source take effect in the order in which they were sent. Sources do not
      wait for each other.
    - ``send_frame`` waits while its source's queue is full (``OverflowPolicy``, ``timeout``), ``remove_source_spec``
      and ``shutdown`` wait for threads. Nothing else waits. In a callback nothing does: a full queue grows instead.
    - A frame that was accepted is delivered to a callback, reported to ``on_error``, or counted in ``stats()`` as
      dropped by spec, gate or overflow policy.
    - An engine that is garbage collected, or alive when the interpreter ends, shuts down by itself.

    After a fork, the child process cannot use the engines of its parent.
    """

    __slots__ = ("__weakref__", "_core")

    def __init__(
        self,
        general: GeneralSpec,
        callbacks: Callbacks,
        *,
        clock: Clock | None = None,
        encoder_factory: EncoderFactory = open_encoder,
    ) -> None:
        """Start the engine. Both specs are copied.

        Args:
            general: What holds for all sources.
            callbacks: What to call.
            clock: Tells the time and waits; by default the system's monotonic clock.
            encoder_factory: Opens the encoder for a configuration, or raises.
        """
        _check("general", general, GeneralSpec)
        _check("callbacks", callbacks, Callbacks)
        self._core = Core(general.copy(), callbacks.copy(), clock or MonotonicClock(), encoder_factory)
        # Until this object is gone, the finaliser keeps what it calls: a bell, which leads to no callback.
        weakref.finalize(self, self._core.closing_bell.put, None).atexit = False

    def set_source_spec(self, source_id: str, spec: SourceSpec) -> None:
        """Set what is done with the frames sent from now on; an unknown source comes to life. Does not wait.

        Raises:
            ShutDownError: The engine is shut down.
            MissingDependencyError: The spec has ``use_on_render``, and Skia, which draws on its canvas, does not load.
        """
        text("source_id", source_id)
        _check("spec", spec, SourceSpec)
        if spec.use_on_render:
            check_canvas()
        self._core.set_source_spec(source_id, spec)

    def remove_source_spec(self, source_id: str) -> None:
        """Let a source finish the frames it was sent, without a sentinel, then forget it; unknown ones are ignored.

        Waits until that is done, except in a callback.

        Raises:
            ShutDownError: The engine is shut down.
        """
        text("source_id", source_id)
        self._core.remove_source_spec(source_id)

    def send_frame(
        self,
        source_id: str,
        frame: VideoFrame,
        buf: object,
        src_rect: Rect | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        """Hand over a frame; it is processed later, by the source's thread. A source without a spec drops it.

        The frame stays a shared object: the engine moves its boxes and fills in the encoded content. Until it has come
        out, was reported or was dropped, it cannot be sent a second time.

        Args:
            source_id: Whose frame it is.
            frame: Metadata; width and height are those of the pixels.
            buf: A ``SurfaceView`` or ``SharedBuffer``, which is consumed, or any array object (NumPy, DLPack,
                ``__cuda_array_interface__``), whose pixels must not change until the frame is done.
            src_rect: Part of the picture to encode; by default all.
            timeout: Seconds to wait at most while the queue is full and the source's policy is to block, ≥ 0; None
                waits for as long as it takes. Who waits goes on when half the queue is free, or within a quarter of a
                second of any room.

        Raises:
            ShutDownError: The engine is shut down; ``buf`` is not consumed.
            SendTimeoutError: The queue stayed full; ``buf`` is not consumed.
            FrameInFlightError: ``frame`` was sent before and has not come out yet, of this engine or another;
                ``buf`` is not consumed. Send ``frame.copy()``.
            ConsumedError: ``buf`` was handed over before.
            SurfaceError: ``buf`` is an array that cannot be pixels.
            SurfaceTypeError: ``buf`` is nothing of the kind.
        """
        core = self._core
        if not core.is_open:
            core.check_open()
        text("source_id", source_id)
        if type(frame) is not VideoFrame:
            _check("frame", frame, VideoFrame)
        if src_rect is not None:
            _check("src_rect", src_rect, Rect)
            src_rect = Rect(src_rect.top, src_rect.left, src_rect.width, src_rect.height)
        timeout_ns = None if timeout is None else _timeout_ns(timeout)
        surface = buf.take() if type(buf) is SurfaceView else view_of(buf)
        message = FrameMessage(frame, surface, src_rect, core.clock.now_ns())
        try:
            self._send(source_id, message, timeout_ns)
        except BaseException as error:
            if _is_refused(message, error):
                give_back(buf, surface)
            raise
        if type(buf) is not SurfaceView:  # which was consumed by ``take``
            accept(buf)

    def send_metadata(self, source_id: str, frame: VideoFrame, *, timeout: float | None = None) -> None:
        """Hand over a frame without pixels: it comes out as it is, in its place among the other frames of the source.

        It goes to the callback of the source's mode, ``on_encoded_frame`` or ``on_bypass_frame``, with
        ``OutputMessage.is_metadata_only``; a source that drops frames drops it. No gate is asked.

        Args:
            source_id: Whose frame it is.
            frame: Metadata; the engine changes nothing in it.
            timeout: As in ``send_frame``.

        Raises:
            ShutDownError: The engine is shut down.
            SendTimeoutError: The queue stayed full.
            FrameInFlightError: ``frame`` was sent before and has not come out yet.
        """
        self._send_without_pixels(source_id, frame, None, timeout)

    def send_payload(
        self,
        source_id: str,
        frame: VideoFrame,
        data: bytes | VideoFrameContent,
        *,
        codec: str | Codec | None = None,
        keyframe: bool | None = None,
        timeout: float | None = None,
    ) -> None:
        """Hand over a frame that is coded already, for a source under ``CodecSpec.pass_through()``.

        It comes out at ``on_encoded_frame``, in its place among the other frames of the source: with ``data`` as its
        content, its boxes in pixels of the picture as it was coded, and its times as they are. Under any other mode
        that delivers frames, it is reported to ``on_error``.

        Args:
            source_id: Whose frame it is.
            frame: Metadata, of the picture that ``data`` is or of one that was made from it; its chain says how.
            data: The coded bytes, or where they are.
            codec: What they are coded with, such as ``"h264"``; None leaves ``frame.codec``.
            keyframe: Whether they decode on their own; None leaves ``frame.keyframe``.
            timeout: As in ``send_frame``.

        Raises:
            ShutDownError: The engine is shut down.
            SendTimeoutError: The queue stayed full.
            FrameInFlightError: ``frame`` was sent before and has not come out yet.
            SpecError: ``data`` is empty.
        """
        content = data if isinstance(data, VideoFrameContent) else VideoFrameContent.internal(data)
        if content.is_none() or (content.is_internal() and not content.get_data()):
            raise SpecError("data: expected at least one byte, or a place where the bytes are")
        if codec is not None:
            codec = text("codec", codec.name() if isinstance(codec, Codec) else codec).lower()
        if keyframe is not None:
            _check("keyframe", keyframe, bool)
        self._send_without_pixels(source_id, frame, Payload(content, codec, keyframe), timeout)

    def _send_without_pixels(
        self, source_id: str, frame: VideoFrame, payload: Payload | None, timeout: float | None
    ) -> None:
        core = self._core
        core.check_open()
        text("source_id", source_id)
        _check("frame", frame, VideoFrame)
        timeout_ns = _timeout_ns(timeout)
        self._send(source_id, FrameMessage(frame, None, None, core.clock.now_ns(), payload), timeout_ns)

    def _send(self, source_id: str, message: FrameMessage, timeout_ns: int | None) -> None:
        message.frame.claim(source_id)
        try:
            self._core.send_frame(source_id, message, timeout_ns)
        except BaseException as error:
            if _is_refused(message, error):
                message.frame.release()
            raise

    def send_eos(self, source_id: str) -> None:
        """End the stream of a source behind the frames it was sent, with one sentinel; unknown ones are ignored.

        Does not wait. The source stays alive; its next frame begins a new stream.

        Raises:
            ShutDownError: The engine is shut down.
        """
        self._core.check_open()
        text("source_id", source_id)
        self._core.send_eos(source_id)

    def request_keyframe(self, source_id: str) -> None:
        """Make a keyframe of the next frame that a source encodes of those sent from now on; unknown ones are ignored.

        For viewers who join in the middle of a stream. Does not wait. A source that encodes nothing forgets the
        request; so does one whose next frame begins a stream, and is a keyframe in any case.

        Raises:
            ShutDownError: The engine is shut down.
        """
        self._core.check_open()
        text("source_id", source_id)
        self._core.request_keyframe(source_id)

    def stats(self) -> EngineStats:
        """Return how the sources are doing; also after ``shutdown``."""
        return self._core.stats()

    def shutdown(self, timeout: float | None = None) -> None:
        """Let all sources finish the frames they were sent, all at once, and wait until they have. May be repeated.

        No sentinels are sent. In a callback it does not wait, nor in a signal handler that interrupts a call of an
        engine. Once the interpreter ends, no call waits beyond the 30 s that all engines have together.

        Args:
            timeout: Seconds for all of them together; None waits for as long as it takes. Sources that are not done in
                time are abandoned: what is still in their queues is counted as lost, and reported to ``on_error`` on a
                thread of its own, which gets a tenth of a second more.
        """
        self._core.shutdown(_timeout_ns(timeout))

    @property
    def is_calling_back(self) -> bool:
        """Whether the calling thread runs a callback of this engine, where ``shutdown`` and its like do not wait."""
        return self._core.may_not_wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"PicassoEngine({'running' if self._core.is_open else 'shut_down'})"


def _check(place: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{place}: expected {kind.__name__}, got {value!r:.80}")


def _is_refused(message: FrameMessage, error: BaseException) -> bool:
    """Whether a send that raised has left its frame outside; an interrupt may have come when it was in the queue."""
    return isinstance(error, Exception) or hasattr(message, "is_withdrawn")


def _timeout_ns(timeout: float | None) -> int | None:
    if timeout is None or timeout > MAX_SECONDS:
        return None
    if not timeout >= 0:
        raise SpecError(f"timeout = {timeout}: expected seconds ≥ 0, or None")
    return round(timeout * NS_PER_S)
