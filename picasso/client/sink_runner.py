"""Receives what a module makes, as frames whose pixels are decoded when someone asks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from picasso.client.health import READABLE, wait_for_health
from picasso.client.logs import Logs
from picasso.client.pixels import Group, Groups, rgb_of
from picasso.errors import MediaError, ProtocolError
from picasso.primitives import EndOfStream, VideoFrame, VideoFrameBatch
from picasso.trace import read_context
from picasso.wire import Reader, Received

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from picasso.client.logs import LogProvider
    from picasso.client.source_runner import HealthCheck
    from picasso.primitives import Message
    from picasso.surface import SurfaceView

POLL_S: Final = 1.0
logger: logging.Logger = logging.getLogger("picasso.client")


class SinkResult:
    """One message of a module: a frame, or the end of a stream."""

    def __init__(self, received: Received, message: Message, log_provider: LogProvider | None) -> None:
        """Take a message apart."""
        content = message.content
        self.source_id: str = received.source_id
        self.frame_meta: VideoFrame | None = content if isinstance(content, VideoFrame) else None
        """The frame's metadata; None at the end of a stream, and for a batch."""
        self.frame_batch: VideoFrameBatch | None = content if isinstance(content, VideoFrameBatch) else None
        """Several frames at once; None for one frame."""
        self.eos: bool = isinstance(content, EndOfStream)
        """Whether this is the end of a stream."""
        context = read_context(message.span_context)
        self.trace_id: str | None = None if context is None else context.trace_text
        """32 hexadecimal digits; None where the message belongs to no trace."""
        self.message = message
        self.received = received
        """The message as it came, with its number and the gap before it."""
        self.surface: SurfaceView | None = None
        self._group: Group[SinkResult] | None = None
        self.log_provider = log_provider

    @property
    def payload(self) -> bytes | memoryview:
        """The encoded bytes, beside the message or in it, where they were received; empty where there are none."""
        if self.frame_meta is not None and self.frame_meta.content.is_internal():
            return self.frame_meta.content.get_data()
        return self.received.joined_payload()

    @property
    def frame_content(self) -> bytes | None:
        """A copy of the encoded bytes; None where there are none."""
        return bytes(self.payload) or None

    def pixels(self) -> NDArray[np.uint8]:
        """Decode the picture: ``(height, width, 3)`` RGB, uint8.

        Raises:
            MediaError: There is no picture, or it cannot be decoded.
        """
        return rgb_of(self.picture())

    def picture(self) -> SurfaceView:
        """Decode the picture as a surface, in the decoder's own format.

        Raises:
            MediaError: There is no picture, or it cannot be decoded.
        """
        if self._group is None or not len(self.payload):
            raise MediaError(f"source {self.source_id!r}: this message brings no picture")
        return self._group.show(self)

    def logs(self) -> Logs:
        """Fetch what was logged of the frame; none without a log provider."""
        if self.log_provider is None or self.trace_id is None:
            return Logs()
        return self.log_provider.logs(self.trace_id)

    def __repr__(self) -> str:
        what = "eos" if self.eos else repr(self.frame_meta or self.frame_batch)
        return f"SinkResult({self.source_id!r}, {what}, {self.received.payload_bytes} bytes)"


class SinkRunner:
    """Iterates over what a module sends, until nothing has come for the idle timeout. One thread at a time."""

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        *,
        idle_timeout_s: float | None = None,
        health: HealthCheck | None = None,
        log_provider: LogProvider | None = None,
    ) -> None:
        """Open the socket; the module is waited for before the first message.

        Args:
            open_reader: Opens the socket.
            idle_timeout_s: Seconds without a message that end the iteration; None waits without a limit.
            health: How the module is asked whether it runs; None asks no one.
            log_provider: Where the results find logs.
        """
        self._reader = open_reader()
        self._idle_timeout_s = idle_timeout_s
        self._health = health
        self._log_provider = log_provider
        self._groups: Groups[SinkResult] = Groups()
        self._is_stopped = False
        self.malformed: int = 0
        """Messages that were skipped because they could not be read; each is logged."""

    @property
    def reader(self) -> Reader:
        """The socket, with its counts of what was missed."""
        return self._reader

    def __iter__(self) -> Iterator[SinkResult]:
        return self

    def __next__(self) -> SinkResult:
        result = self.next_or_none()
        if result is None:
            raise StopIteration
        return result

    def next_or_none(self) -> SinkResult | None:
        """Return the next frame or end of a stream; None where nothing came for the idle timeout, or after ``stop``.

        Raises:
            TransportTimeoutError: The module does not run in time.
        """
        if self._health is not None:
            wait_for_health(self._health.url, self._health.timeout_s, self._health.interval_s, READABLE)
            self._health = None
        idle_s = self._idle_timeout_s
        until_s = None if idle_s is None else time.monotonic() + idle_s
        while not self._is_stopped:
            left_s = POLL_S if until_s is None else max(until_s - time.monotonic(), 0.0)
            received = self._reader.receive(left_s)
            if isinstance(received, Received) and (result := self._result(received)) is not None:
                return result
            if until_s is not None and time.monotonic() >= until_s:
                return None
        return None

    def stop(self) -> None:
        """End the iteration. Any thread."""
        self._is_stopped = True
        self._reader.wake()

    def close(self) -> None:
        """Close the socket."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_reader"):
            self._reader.close()

    def _result(self, received: Received) -> SinkResult | None:
        try:
            message = received.message()
        except ProtocolError as error:
            self.malformed += 1
            logger.warning("source %r: message no. %d that is skipped: %s", received.source_id, self.malformed, error)
            return None
        result = SinkResult(received, message, self._log_provider)
        if result.frame_meta is not None:
            result._group = self._groups.of(received.source_id, result.frame_meta, result)
        elif result.eos:
            self._groups.end(received.source_id)
        elif result.frame_batch is None:
            logger.warning("source %r: a message of kind %s is skipped", received.source_id, result.message.kind)
            return None
        return result


class AsyncSinkRunner:
    """A ``SinkRunner`` for ``async for``; it receives on a thread of its own."""

    def __init__(self, make: Callable[[], SinkRunner]) -> None:
        """Open the socket.

        Args:
            make: Makes the runner.
        """
        self._thread = ThreadPoolExecutor(1, "client-sink")
        self._runner = self._thread.submit(make).result()

    def __aiter__(self) -> AsyncIterator[SinkResult]:
        return self

    async def __anext__(self) -> SinkResult:
        result = await self._do(self._runner.next_or_none)
        if result is None:
            raise StopAsyncIteration
        return result  # type: ignore[no-any-return]  # what the runner returned

    async def close(self) -> None:
        """Close the socket."""
        self._runner.stop()
        await self._do(self._runner.close)
        self._thread.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _do(self, step: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)
