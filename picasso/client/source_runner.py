"""Sends frames, and says what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias, TypeVar

from picasso.client.health import RUNNING, wait_for_health
from picasso.client.logs import Logs
from picasso.primitives import EndOfStream, Message, Shutdown, VideoFrame
from picasso.trace import TelemetrySpan, new_context, read_context
from picasso.wire import Writer

if TYPE_CHECKING:
    from picasso.client.frame_sources import Built, FrameSource
    from picasso.client.logs import LogProvider
    from picasso.primitives import VideoFrameBatch

R = TypeVar("R")
Item: TypeAlias = "FrameSource | Built | tuple[VideoFrameBatch, str]"
"""What is sent: what makes a frame, a frame and its payload, or a batch and the source id in whose name it goes."""
OK: Final = "ok"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How long a module is waited for."""

    url: str
    """Where the module says how it is."""
    timeout_s: float = 60.0
    """Seconds until the wait is given up."""
    interval_s: float = 5.0
    """Seconds from one question to the next."""


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of a message."""

    trace_id: str | None
    """32 hexadecimal digits; None for what is not a frame, and where telemetry is off."""
    log_provider: LogProvider | None = field(repr=False)
    """Where the module's log of the frame is asked for; None where that is not known."""
    source_ids: set[str]
    """The sources that the message was for."""
    pts: int | None
    """Of the frame, in ticks of its time base; None for batches, ends of streams and shutdowns."""
    status: str = OK
    """``ok``, or what the writer says."""
    is_acknowledged: bool = False
    """Whether the reader has answered."""
    sequence: int = 0
    """The number of the message within its source."""

    def logs(self) -> Logs:
        """Fetch what the module logged of the frame; none without a log provider."""
        if self.log_provider is None or self.trace_id is None:
            return Logs()
        return self.log_provider.logs(self.trace_id)


class SourceRunner:
    """Sends frames to a module, one after another; belongs to one thread at a time.

    Every frame gets a trace of its own. What no one takes or acknowledges in time raises.
    """

    def __init__(
        self,
        open_writer: Callable[[], Writer],
        *,
        health: HealthCheck | None = None,
        log_provider: LogProvider | None = None,
        telemetry: bool = True,
    ) -> None:
        """Open the socket; the module is waited for before the first message.

        Args:
            open_writer: Opens the socket.
            health: How the module is asked whether it runs; None asks no one.
            log_provider: Where the results find logs.
            telemetry: Whether each frame gets a trace.
        """
        self._writer = open_writer()
        self._health = health
        self._log_provider = log_provider
        self._telemetry = telemetry

    @property
    def writer(self) -> Writer:
        """The socket."""
        return self._writer

    def __call__(self, source: Item, send_eos: bool = True) -> SourceResult:
        """Send one frame, and the end of its stream unless ``send_eos`` is False; errors as ``send``."""
        return self.send(source, send_eos)

    def send(self, source: Item, send_eos: bool = True) -> SourceResult:
        """Send one frame or batch.

        Args:
            source: What makes the frame, the frame and its payload, or a batch and its topic.
            send_eos: Whether the end of each stream in it follows.

        Raises:
            TransportTimeoutError: The module does not run, or no one took the frame, in time.
            MediaError: The source cannot be read.
        """
        item = source if isinstance(source, tuple) else source.build_frame()
        result = self._send(*item)
        for name in sorted(result.source_ids) if send_eos else ():
            self.send_eos(name)
        return result

    def send_iter(self, sources: Iterable[Item | EndOfStream], send_eos: bool = True) -> Iterator[SourceResult]:
        """Send frames, and yield what became of each; at the end the streams of all their sources are ended.

        Nothing is sent until someone iterates.

        Args:
            sources: What makes the frames, and ends of streams between them; a ``VideoSource`` is an iterable of them.
            send_eos: Whether the streams are ended.

        Raises:
            TransportTimeoutError: The module does not run, or no one took a frame, in time.
        """
        names: dict[str, None] = {}
        for source in sources:
            if isinstance(source, EndOfStream):
                names.pop(source.source_id, None)
                self.send_eos(source.source_id)
                continue
            result = self.send(source, send_eos=False)
            names.update(dict.fromkeys(result.source_ids))
            yield result
        for name in names if send_eos else ():
            self.send_eos(name)

    def send_eos(self, source_id: str) -> SourceResult:
        """End the stream of a source; errors as ``send``."""
        self._wait_for_module()
        sent = self._writer.send_eos(source_id)
        return SourceResult(None, None, {source_id}, None, OK, sent.is_acknowledged, sent.sequence)

    def send_shutdown(self, zmq_topic: str, auth: str) -> SourceResult:
        """Ask the module to stop.

        Args:
            zmq_topic: The source id in whose name it is asked; the module's filter must let it pass.
            auth: The module's key.

        Raises:
            TransportTimeoutError: No one took the message in time.
        """
        self._wait_for_module()
        sent = self._writer.send(zmq_topic, Message.shutdown(Shutdown(auth)))
        return SourceResult(None, None, {zmq_topic}, None, OK, sent.is_acknowledged, sent.sequence)

    def close(self) -> None:
        """Close the socket when what was sent has left."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.close()

    def _send(self, content: VideoFrame | VideoFrameBatch, beside: bytes | str) -> SourceResult:
        """Send a frame with its payload ``beside`` it, or a batch in the name ``beside`` it."""
        self._wait_for_module()
        if not self._telemetry:
            return self._send_in(content, beside, {})
        with TelemetrySpan("send") as span:  # is sent itself where the program has a tracer
            return self._send_in(content, beside, span.propagate() or new_context().headers())

    def _send_in(
        self, content: VideoFrame | VideoFrameBatch, beside: bytes | str, headers: Mapping[str, str]
    ) -> SourceResult:
        """Send with the context of a trace, as ``headers`` carry it."""
        message = Message(content, span_context=headers)
        if isinstance(content, VideoFrame):
            names, pts = {content.source_id}, content.pts
            sent = self._writer.send(content.source_id, message, beside)  # type: ignore[arg-type]  # a frame's is bytes
        else:
            names, pts = {frame.source_id for frame in content.frames}, None
            sent = self._writer.send(str(beside), message)
        context = read_context(headers)
        trace_id = None if context is None else context.trace_text
        return SourceResult(trace_id, self._log_provider, names, pts, OK, sent.is_acknowledged, sent.sequence)

    def _wait_for_module(self) -> None:
        if self._health is not None:
            wait_for_health(self._health.url, self._health.timeout_s, self._health.interval_s, RUNNING)
            self._health = None


class AsyncSourceRunner:
    """A ``SourceRunner`` whose calls are awaited; each runs on the runner's own thread."""

    def __init__(self, make: Callable[[], SourceRunner]) -> None:
        """Open the socket.

        Args:
            make: Makes the runner.
        """
        self._thread = ThreadPoolExecutor(1, "client-source")
        self._runner = self._thread.submit(make).result()

    async def __call__(self, source: Item, send_eos: bool = True) -> SourceResult:
        """Send one frame; ``send_eos`` says whether the end of its stream follows."""
        return await self.send(source, send_eos)

    async def send(self, source: Item, send_eos: bool = True) -> SourceResult:
        """Send the frame of a ``source``; ``send_eos`` says whether the end of its stream follows."""
        return await self._do(self._runner.send, source, send_eos)

    async def send_iter(
        self, sources: Iterable[Item | EndOfStream] | AsyncIterator[Item | EndOfStream], send_eos: bool = True
    ) -> AsyncIterator[SourceResult]:
        """Send the frames of ``sources``, an iterable or an asynchronous one, and end their streams if ``send_eos``."""
        names: dict[str, None] = {}
        async for source in _each(sources):
            if isinstance(source, EndOfStream):
                names.pop(source.source_id, None)
                await self.send_eos(source.source_id)
                continue
            result = await self.send(source, send_eos=False)
            names.update(dict.fromkeys(result.source_ids))
            yield result
        for name in names if send_eos else ():
            await self.send_eos(name)

    async def send_eos(self, source_id: str) -> SourceResult:
        """End the stream of a source."""
        return await self._do(self._runner.send_eos, source_id)

    async def send_shutdown(self, zmq_topic: str, auth: str) -> SourceResult:
        """Ask the module to stop, in the name of the source ``zmq_topic``, with the key ``auth``."""
        return await self._do(self._runner.send_shutdown, zmq_topic, auth)

    async def close(self) -> None:
        """Close the socket when what was sent has left."""
        self._runner.writer.stop()
        await self._do(self._runner.close)
        self._thread.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _do(self, step: Callable[..., R], *arguments: object) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: step(*arguments))


async def _each(
    sources: Iterable[Item | EndOfStream] | AsyncIterator[Item | EndOfStream],
) -> AsyncIterator[Item | EndOfStream]:
    if isinstance(sources, AsyncIterator):
        async for source in sources:
            yield source
    else:
        for one in sources:
            yield one
