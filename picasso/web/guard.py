"""Who may ask: hosts, origins, tokens, and how much may be said."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final, final

from starlette.responses import JSONResponse, Response

from picasso.web.listener import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from picasso.web.listener import Listener

SESSION_S: Final = 12 * 3600.0
SESSIONS: Final = 1024
BODY_BYTES: Final = 64 << 10
"""Most bytes of a request's body."""
BODY_S: Final = 10.0
"""Seconds that a body may take to come."""
WRONG_S: Final = 0.5
"""Seconds before a wrong token is answered."""
OPEN: Final = frozenset(("/healthcheck", "/status", "/live", "/ready", "/session", "/openapi.json"))
"""Paths that say nothing that is secret, beside the files of the page."""
SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""What every answer says to a browser: nothing from elsewhere, nothing for elsewhere, nothing kept."""
logger: logging.Logger = logging.getLogger("picasso.web")


@final
class Sessions:
    """Browsers that have proved that they know the token. For one thread."""

    def __init__(self, token: str | None, port: int = 0) -> None:
        """Let no one in yet.

        Args:
            token: What is to be known; None lets everyone in.
            port: Of the listener: browsers keep cookies by host alone, and another module may be at another port.
        """
        self.cookie: str = f"picasso_session_{port}"
        """The name of the cookie."""
        self._token = token
        self._open: OrderedDict[str, float] = OrderedDict()

    @property
    def is_needed(self) -> bool:
        """Whether there is a token."""
        return self._token is not None

    def is_token(self, text: str) -> bool:
        """Whether a text is the token; takes as long whether or not it is."""
        return self._token is not None and hmac.compare_digest(text.encode(), self._token.encode())

    def begin(self) -> str:
        """Begin a session; return its name, which is not the token."""
        name = secrets.token_urlsafe(32)
        self._open[name] = time.monotonic() + SESSION_S
        while len(self._open) > SESSIONS:
            self._open.popitem(last=False)
        return name

    def end(self, headers: dict[bytes, bytes]) -> None:
        """End the session of a request, where it has one."""
        self._open.pop(self._name(headers), None)

    def allows(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request comes from someone who knows the token: by header, or by the cookie of a session."""
        if self._token is None:
            return True
        kind, _, given = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() == "bearer" and self.is_token(given.strip()):
            return True
        return self._open.get(self._name(headers), 0.0) > time.monotonic()

    def _name(self, headers: dict[bytes, bytes]) -> str:
        """Return the name of the session that a request belongs to; empty where it has none."""
        try:
            jar = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return ""
        return jar[self.cookie].value if self.cookie in jar else ""


@final
class Guard:
    """Stands before an application, and lets through what may come in.

    - The ``Host`` of a listener on loopback is one of this machine's names: a page from elsewhere that has its own name
      point here (DNS rebinding) is refused.
    - What a browser sends for a page of another origin is refused: by ``Origin``, and by ``Sec-Fetch-Site``.
    - Where there is a token, everything but health and the files of the page needs it.
    - Bodies are limited in size and time.
    """

    def __init__(self, app: ASGIApp, listener: Listener, sessions: Sessions, files: frozenset[str]) -> None:
        """Take the application.

        Args:
            app: What is protected.
            listener: Where it listens.
            sessions: Who knows the token.
            files: Paths of the page's own files.
        """
        self._app = app
        self._is_loopback = listener.is_control and is_loopback(listener.host)
        self._host = listener.host.strip("[]").lower()
        self._sessions = sessions
        self._open = OPEN | files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it through."""
        if scope["type"] not in ("http", "websocket"):
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        send = _with_headers(send)
        if (refusal := self._refusal(scope, headers)) is not None:
            if refusal.status_code == 401 and b"authorization" in headers:
                logger.warning("web: a wrong token came from %s", (scope.get("client") or ("?",))[0])
                await asyncio.sleep(WRONG_S)
            await refusal(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(receive, headers) if scope["method"] not in SAFE else b""
        except _TooMuch as error:
            await JSONResponse({"error": str(error)}, error.status, {"connection": "close"})(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> Response | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self._is_loopback and not self._is_own(host):
            return _refused(421, f"the host {host!r} is not one of this machine's names")
        if not self._is_same_origin(scope, headers, host):
            return _refused(403, "the request comes from a page of another origin")
        if scope["path"] not in self._open and not self._sessions.allows(headers):
            refusal = _refused(401, "a token is needed: Authorization: Bearer ...")
            refusal.headers["www-authenticate"] = "Bearer"
            return refusal
        return None

    def _is_own(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.strip("[]")
        return name == self._host or is_loopback(name)

    def _is_same_origin(self, scope: Scope, headers: dict[bytes, bytes], host: str) -> bool:
        origin = headers.get(b"origin")
        if origin is not None:
            _scheme, _, authority = origin.decode("latin-1").lower().partition("://")
            return authority == host or (scope["type"] == "http" and scope["path"] in OPEN and _is_read(scope))
        site = headers.get(b"sec-fetch-site", b"none")
        is_navigation = headers.get(b"sec-fetch-mode") == b"navigate" and _is_read(scope)
        return site in (b"none", b"same-origin") or is_navigation or scope["path"] in OPEN


def _is_read(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in SAFE


def _refused(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status, {"connection": "close"})


class _TooMuch(Exception):
    """A body that is too long, or too slow."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def _body(receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    """Return the whole body of a request.

    Raises:
        _TooMuch: It is too long, or does not come in time.
    """
    said = headers.get(b"content-length", b"0")
    if not said.isdigit() or int(said) > BODY_BYTES:
        raise _TooMuch(413, f"the body has more than {BODY_BYTES} bytes")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _TooMuch(400, "the client has gone")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > BODY_BYTES:
                    raise _TooMuch(413, f"the body has more than {BODY_BYTES} bytes")
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise _TooMuch(408, f"the body did not come within {BODY_S:g} s") from None


def _replay(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send) -> Send:
    async def more(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            said = {name for name, _value in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in HEADERS if pair[0] not in said)]
        await send(message)

    return more
