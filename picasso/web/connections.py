"""One HTTP connection, with an end to the wait for a request."""

from __future__ import annotations

import asyncio
from typing import final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from picasso.web.listener import IDLE_S


@final
class HttpConnection(H11Protocol):
    """Closes a connection on which no whole request has come for ``IDLE_S``: one that sends a byte a second, too.

    The library itself waits for the first request without a limit.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library has it
        """Begin to wait for a request on ``transport``."""
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Take ``data``; a request that is whole, or that became a WebSocket, ends the wait."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering or self.transport.get_protocol() is not self:
            self._stop_waiting()
        elif self._deadline is None:
            self._expect_request()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer; ``exc`` says why, or is None."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(IDLE_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
