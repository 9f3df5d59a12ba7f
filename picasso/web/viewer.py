"""The WebSocket of one page: what it asks for, and what it gets."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from picasso.web.queue import ViewerQueue

if TYPE_CHECKING:
    from picasso.web.live import Live

VIEWERS: Final = 256
"""Pages that may be open at once."""
_Name = Annotated[str, msgspec.Meta(max_length=1024)]


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a page says: everything that it wants to see, each time."""

    watch: Annotated[dict[_Name, Literal["tile", "large"]], msgspec.Meta(max_length=1024)] = {}
    """What of each source."""
    decodes: Annotated[list[Literal["h264", "av1"]], msgspec.Meta(max_length=2)] = []
    """Codecs that the browser decodes."""
    detail: _Name | None = None
    """Whose metadata is shown."""
    keyframe: _Name | None = None
    """Whose stream broke off in the browser."""


_wishes = msgspec.json.Decoder(Wish)


async def watch(live: Live, socket: WebSocket) -> None:
    """Serve one page until it goes."""
    if live.viewers >= VIEWERS:
        await socket.send_denial_response(PlainTextResponse(f"{VIEWERS} pages are open already", 503))
        return
    await socket.accept()
    viewer = ViewerQueue()
    live.join(viewer)
    sending = asyncio.create_task(_send(live, viewer, socket))
    try:
        await _receive(live, viewer, socket)
    except (WebSocketDisconnect, msgspec.DecodeError) as error:
        if isinstance(error, msgspec.DecodeError) and socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await asyncio.wait_for(socket.close(1007, str(error)[:100]), 1.0)
    except TimeoutError:
        pass  # it takes nothing, not even its end
    finally:
        live.leave(viewer)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def _receive(live: Live, viewer: ViewerQueue, socket: WebSocket) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        wish = _wishes.decode(message.get("text") or message.get("bytes") or b"")
        if wish.keyframe is not None:
            if (wish.keyframe, "stream") in viewer.channels:
                live.ask_for_keyframe(wish.keyframe)
            continue
        live.choose(viewer, wish.watch, frozenset(wish.decodes))
        if wish.detail != viewer.detail:
            live.look_at(viewer, wish.detail)


async def _send(live: Live, viewer: ViewerQueue, socket: WebSocket) -> None:
    """Send what waits; the connection's own buffer decides how fast."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await viewer.next()
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(message)
            for source_id in viewer.take_broken():
                live.ask_for_keyframe(source_id)
