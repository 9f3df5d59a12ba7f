"""``zeromq_source_bin``: one socket, many sources; who is let in, what begins and ends a stream, what is refused."""

from __future__ import annotations

import hmac
import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.engine.source_at_work import work_for
from picasso.engine.threads import EngineThread
from picasso.errors import ShutDownError
from picasso.media.carried import note_arrival
from picasso.media.times import NS, Ticks
from picasso.module.run.baggage import Baggage, give
from picasso.module.sources.ingress_rules import StreamRules, Verdict
from picasso.module.sources.wire_source import WireSource
from picasso.primitives import EndOfStream, Shutdown, VideoFrame, VideoFrameBatch, VideoFrameContent
from picasso.wire import Reader, Received

if TYPE_CHECKING:
    from fractions import Fraction

    from picasso.engine.clock import Clock
    from picasso.errors import MediaError
    from picasso.flow import Source, SourceState
    from picasso.module.run.limits import Limit
    from picasso.primitives import Message

Payload = bytes | memoryview
FrameFilter = Callable[[VideoFrame], bool]
ZEROMQ: Final = "zeromq"
"""The method of content that lies beside its message."""
MAX_EARLY: Final = 1024
"""Sources without a stream whose dropped frames are counted by name."""
MAX_LINGERING: Final = 4
"""How many times as many sources as may stream at once may be there, with those whose stream has ended."""
logger: logging.Logger = logging.getLogger("picasso.module")


@dataclass(frozen=True, slots=True)
class IngressSettings:
    """The properties of ``zeromq_source_bin`` beside those of its socket."""

    source_timeout_s: float = 10.0
    """Seconds without a frame after which a stream is ended."""
    eviction_interval_s: float = 1.0
    """Seconds between two looks for such streams."""
    queue_frames: int = 200
    """Frames of a source that wait for its decoder, 0 for no limit."""
    queue_bytes: int = 10 << 20
    eos_on_resolution_change: bool = True
    low_latency_decoding: bool = False
    decoder_limit: Limit | None = None
    """Decoded frames of a source that wait; None for the module's own."""
    max_sources: int = 64
    """Sources at once, 0 for no limit."""
    shutdown_auth: str | None = None
    """The key of a message that stops the module; None takes none."""
    keeps_payload: bool = False
    """Whether frames keep their payload, for ``codec: copy``."""


class Host(Protocol):
    """The module, as an ingress sees it. Every call comes from the ingress' thread."""

    def admit(self, source: Source) -> None:
        """Read a source from now on; ``ShutDownError`` where the module stops."""

    def dismiss(self, source_id: str) -> None:
        """Forget a source that is over."""

    def drain(self) -> None:
        """Stop in order: someone who may has asked for it."""


@final
@dataclass(slots=True)
class _Line:
    """A source that has been let in."""

    source: WireSource
    rules: StreamRules
    heard_ns: int
    arrivals: int = 0
    """Frames that were let in, which numbers them where they keep their payload."""
    is_broken: bool = False
    """Its thread could not decode something; set there, taken back by the ingress."""


@final
class WireIngress:
    """Reads a socket on a thread of its own, and feeds a ``WireSource`` for each source that it hears of.

    A source is let in with its first frame that may begin a stream. It stays for ``source_timeout_s`` behind the end of
    its stream, so that the next one finds it, and is then let go.
    """

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        settings: IngressSettings,
        *,
        accepts: FrameFilter | None,
        clock: Clock,
    ) -> None:
        """Take what is needed; nothing is opened yet.

        Args:
            open_reader: Opens the socket.
            settings: Limits and habits.
            accepts: The user's filter; None drops frames without content.
            clock: Tells how long a source has been silent.
        """
        self._open_reader = open_reader
        self._settings = settings
        self._accepts = accepts
        self._filter_failed = False
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._early: OrderedDict[str, Counter[str]] = OrderedDict()
        self._looked_ns = 0
        self._is_stopped = self._is_finishing = False
        self._lock = threading.Lock()
        """Over ``_over``: threads of sources write it."""
        self._over: set[str] = set()
        self.dropped: Counter[str] = Counter()
        """Frames and messages that were not let in, by reason, over all sources."""
        self._thread = EngineThread(target=self._run, name="ingress", daemon=True)
        self._reader: Reader | None = None
        self._host: Host

    def open(self) -> None:
        """Open the socket.

        Raises:
            TransportError: It cannot be opened.
        """
        self._reader = self._open_reader()

    @property
    def address(self) -> str | None:
        """Where the socket is bound, or what it calls; None before it is open."""
        reader = self._reader
        return None if reader is None or reader.is_closed else reader.address

    def start(self, host: Host) -> None:
        """Begin to read; sources go to ``host``."""
        self._host = host
        self._thread.start()

    def finish(self) -> None:
        """Read no further, and end every source behind what was read. Any thread."""
        self._is_finishing = True
        self._wake()

    def stop(self) -> None:
        """Read no further, and drop what waits. Any thread."""
        self._is_stopped = True
        self._wake()
        for line in list(self._lines.values()):
            line.source.stop()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing more comes of it; tell whether that is so."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        elif self._reader is not None:
            self._reader.close()
        return not self._thread.is_alive()

    @property
    def is_over(self) -> bool:
        """Whether it lets no further source in."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def note_state(self, source_id: str, state: SourceState) -> None:
        """Take notice of the ``state`` of a source. Any thread."""
        line = self._lines.get(source_id)
        if state.is_over and line is not None:
            line.source.stop()
            with self._lock:
                self._over.add(source_id)  # from now on the thread that reads may let it go
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None:
            self._reader.wake()

    def _run(self) -> None:
        reader = self._reader
        assert reader is not None
        interval_ns = round(self._settings.eviction_interval_s * NS)
        self._looked_ns = self._clock.now_ns()
        try:
            while not (self._is_stopped or self._is_finishing):
                result = reader.receive(self._settings.eviction_interval_s)
                if isinstance(result, Received):
                    self._take(result)
                if self._over:
                    self._let_go()
                if self._clock.now_ns() - self._looked_ns >= interval_ns:
                    self._look()
        except BaseException as error:  # noqa: BLE001 - reported; the module's other sources go on
            logger.error("zeromq_source_bin %s: it reads no further: %s", reader.endpoint, error)
        finally:
            for line in list(self._lines.values()):
                line.source.finish()
            reader.close()

    def _take(self, received: Received) -> None:
        began_ns = self._clock.now_ns()
        work_for(received.source_id)
        try:
            message = received.message()
            content = message.content
            if isinstance(content, VideoFrame | EndOfStream) and content.source_id != received.source_id:
                self._count("malformed", received.source_id, f"inside it is of the source {content.source_id!r:.100}")
            elif isinstance(content, VideoFrame):
                self._frame(content, received.payload, message)
            elif isinstance(content, EndOfStream):
                self._end(content.source_id)
            elif isinstance(content, Shutdown):
                self._shut_down(content)
            elif isinstance(content, VideoFrameBatch):
                for frame in content.frames:
                    if self._reader is not None and frame.source_id in self._reader.blacklist:
                        self._drop("blacklisted", frame.source_id)
                    else:
                        self._frame(frame, (), message)
            else:
                self._count("other messages", received.source_id, message.kind)
        except ShutDownError:
            self._is_stopped = True
        except Exception as error:  # noqa: BLE001 - no message ends the reading of others
            self._count("malformed", received.source_id, error)
        work_for(None)
        waited_ns = self._clock.now_ns() - began_ns
        for line in self._lines.values():  # while a full queue was waited for, no one could be heard
            line.heard_ns += waited_ns

    def _shut_down(self, shutdown: Shutdown) -> None:
        key = self._settings.shutdown_auth
        given = shutdown.auth.encode()
        if key is not None and hmac.compare_digest(key.encode(), given):
            logger.info("a shutdown message has come: the module stops when everything has come out")
            self._host.drain()
        else:
            why = "parameters.shutdown_auth is not set" if key is None else "its key is not parameters.shutdown_auth"
            logger.warning("a shutdown message is ignored: %s", why)

    def _frame(self, frame: VideoFrame, parts: tuple[memoryview, ...], message: Message) -> None:
        source_id = frame.source_id
        if not self._passes(frame):
            self._drop("filtered", source_id)
            return
        payload = _payload_of(frame, parts)
        if isinstance(payload, str):
            self._drop("no_content", source_id, payload)
            return
        _to_ns(frame)
        line = self._lines.get(source_id)
        if line is not None and line.is_broken:
            line.is_broken = False
            line.rules.end()
        rules = line.rules if line is not None else self._new_rules()
        judgement = rules.judge(frame, payload)
        if line is not None and (judgement.verdict is Verdict.RESTART or judgement.reason):
            logger.warning("source %r: its stream starts again: %s", source_id, judgement.reason)
            line.source.end()
        if judgement.verdict is Verdict.SKIP:
            self._drop("no_keyframe", source_id)
            return
        if line is None:
            line = self._let_in(source_id, rules)
        if line is None:
            return
        line.heard_ns = self._clock.now_ns()
        give(frame, _baggage(frame, message))
        frame.set_geometry(frame.width, frame.height)
        frame.content = VideoFrameContent.none()
        if self._settings.keeps_payload:
            frame.content = VideoFrameContent.internal(bytes(payload))
            note_arrival(frame, line.arrivals)
            line.arrivals += 1
        line.source.put(frame, payload)

    def _passes(self, frame: VideoFrame) -> bool:
        if self._accepts is not None:
            try:
                return bool(self._accepts(frame))
            except Exception as error:  # noqa: BLE001 - a filter never stops a module
                if not self._filter_failed:
                    self._filter_failed = True
                    logger.warning(
                        "ingress filter raised, frames with content pass: %s: %s", type(error).__name__, error
                    )
        return not frame.content.is_none()

    def _new_rules(self) -> StreamRules:
        return StreamRules(eos_on_resolution_change=self._settings.eos_on_resolution_change)

    def _let_in(self, source_id: str, rules: StreamRules) -> _Line | None:
        limit = self._settings.max_sources
        if limit and sum(line.rules.is_open for line in self._lines.values()) >= limit:
            self._drop("max_parallel_streams", source_id, f"{limit} sources are in")
            return None
        if limit and not self._has_room(limit):
            self._drop("max_parallel_streams", source_id, f"{len(self._lines)} sources are in or on their way out")
            return None
        self._let_idle_go(2 * limit)
        settings = self._settings
        source = WireSource(
            source_id,
            queue_frames=settings.queue_frames,
            queue_bytes=settings.queue_bytes,
            low_latency=settings.low_latency_decoding,
            decoder_limit=settings.decoder_limit,
            on_broken=self._broken,
        )
        source.dropped.update(self._early.pop(source_id, {}))
        line = self._lines[source_id] = _Line(source, rules, self._clock.now_ns())
        try:
            self._host.admit(source)
        except ValueError as error:  # a source of the module has that name
            del self._lines[source_id]
            self._drop("name_in_use", source_id, error)
            return None
        return line

    def _has_room(self, limit: int) -> bool:
        """Tell whether a further source may come in; where many have ended, let the oldest of those go early."""
        closed = [line for line in self._lines.values() if not line.rules.is_open]
        for line in closed[:-limit]:
            line.source.finish()
        return len(self._lines) < MAX_LINGERING * limit

    def _let_idle_go(self, most: int) -> None:
        """Let the source go whose stream ended first, where ``most`` sources or more are there; 0 is no limit."""
        if not most or len(self._lines) < most:
            return
        idle = [line for line in self._lines.values() if not line.rules.is_open and not line.source.waiting]
        if idle:
            min(idle, key=lambda line: line.heard_ns).source.finish()

    def _end(self, source_id: str) -> None:
        line = self._lines.get(source_id)
        if line is not None:
            line.heard_ns = self._clock.now_ns()
            if line.rules.is_open:
                line.rules.end()
                line.source.end()

    def _broken(self, source_id: str, error: MediaError) -> None:
        """Leave a source alone for a while. Called on its thread."""
        reader, line = self._reader, self._lines.get(source_id)
        if reader is not None:
            reader.blacklist.add(source_id)
        if line is not None:
            line.is_broken = True
        logger.error("source %r: %s; it is left alone for a while", source_id, error)

    def _look(self) -> None:
        """End streams that are silent, and let sources go that have had none for as long."""
        now_ns = self._looked_ns = self._clock.now_ns()
        limit_ns = round(self._settings.source_timeout_s * NS)
        for source_id, line in list(self._lines.items()):
            if now_ns - line.heard_ns < limit_ns or line.source.waiting:
                continue
            if line.rules.is_open:
                logger.warning("source %r: no frame for %.1f s; its stream is ended", source_id, limit_ns / NS)
                self._end(source_id)
            else:
                line.source.finish()

    def _let_go(self) -> None:
        with self._lock:
            over, self._over = self._over, set()
        for source_id in over:
            if self._lines.pop(source_id, None) is not None:
                self._host.dismiss(source_id)

    def _drop(self, reason: str, source_id: str, detail: object = "") -> None:
        """Count a frame that is not let in, for its source."""
        line = self._lines.get(source_id)
        if line is not None:
            line.source.dropped[reason] += 1
        else:
            self._early.setdefault(source_id, Counter())[reason] += 1
            if len(self._early) > MAX_EARLY:
                self._early.popitem(last=False)
        self._count(reason, source_id, detail)

    def _count(self, reason: str, source_id: str, detail: object = "") -> None:
        """Count, and log the first, second, fourth and so on."""
        count = self.dropped[reason] = self.dropped[reason] + 1
        if count & (count - 1) == 0:
            note = f": {detail}" if detail else ""
            logger.warning("source %r: dropped no. %d of all sources, %s%s", source_id, count, reason, note)


def _payload_of(frame: VideoFrame, parts: tuple[memoryview, ...]) -> Payload | str:
    """Return a frame's bytes, or why there are none."""
    content = frame.content
    if content.is_internal():
        payload: Payload = content.get_data()
    elif content.is_external():
        if content.get_method() != ZEROMQ:
            return f"content lies elsewhere, by method {content.get_method()!r}"
        payload = parts[0] if len(parts) == 1 else b"".join(parts)
    else:
        return "content is none"
    return payload if len(payload) else "the payload is empty"


def _baggage(frame: VideoFrame, message: Message) -> Baggage:
    context = message.span_context
    chain = frame.transformations
    return Baggage(context.as_dict() if context else {}, tuple(message.labels), tuple(chain) if len(chain) > 1 else ())


def _to_ns(frame: VideoFrame) -> None:
    """Give a frame times in nanoseconds, which is what a module counts in."""
    if frame.time_base == (1, NS):
        return
    from fractions import Fraction

    base: Fraction = Fraction(*frame.time_base)
    to_ns = Ticks(base).to_ns
    frame.pts = to_ns(frame.pts)
    frame.dts = None if frame.dts is None else to_ns(frame.dts)
    frame.duration = None if frame.duration is None else to_ns(frame.duration)
    frame.time_base = (1, NS)
