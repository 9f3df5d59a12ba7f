"""Connections with an end to every wait: for a request, for a client that does not read its answer, for a pong."""

from __future__ import annotations

import asyncio
from typing import final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from picasso.web.listener import ANSWER_S, IDLE_S


@final
class HttpConnection(H11Protocol):
    """Closes a connection on which no whole request has come for ``IDLE_S``: one that sends a byte a second, too.

    An answer has ``ANSWER_S``. The library itself waits for the first request, and for a client that does not read,
    without a limit.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library has it
        """Begin to wait for a request on ``transport``."""
        super().connection_made(transport)
        self._expect(IDLE_S)

    def data_received(self, data: bytes) -> None:
        """Take ``data``; a request that is whole, or that became a WebSocket, ends the wait."""
        was_answering = self._is_answering
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            self._stop_waiting()
        elif self._is_answering and not was_answering:
            self._expect(ANSWER_S)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._expect(IDLE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer; ``exc`` says why, or is None."""
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _expect(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, end, self.transport)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


@final
class WebSocketConnection(WebSocketsSansIOProtocol):
    """Ends a WebSocket that does not answer a ping, also where it does not read either."""

    def keepalive_timeout(self) -> None:
        """Give up: no pong came in time."""
        super().keepalive_timeout()
        end(self.transport)


def end(transport: asyncio.Transport) -> None:
    """Close a connection: at once where the client has not read what it was sent, as it may never do so."""
    if transport.get_write_buffer_size():
        transport.abort()
    else:
        transport.close()
