"""What a server sends over http and https, as bytes for FFmpeg.

FFmpeg's own client follows redirects to anywhere, takes a connection that broke for the end of a file, and cannot be
woken. So the standard library's client does it.
"""

from __future__ import annotations

import functools
import http.client
import os
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from http import HTTPStatus
from typing import IO, Any, Final, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from picasso.errors import ConnectionLostError, MediaError
from picasso.media.byte_source import READ_BYTES, ByteSource, hang_up
from picasso.media.policy import ADVICE, Host
from picasso.media.stopping import StoppedReading, StopSignal

_SKIP_BYTES: Final = 1 << 18
"""A step forward of up to this many bytes is read rather than asked for by another request."""
_HEADERS: Final = {"user_agent": "User-Agent", "user-agent": "User-Agent", "referer": "Referer", "cookies": "Cookie"}
_FFMPEGS_OWN: Final = frozenset(
    {
        "auth_type", "cert_file", "chunked_post", "content_type", "http_proxy", "icy", "key_file", "listen", "method",
        "post_data", "reconnect", "reconnect_at_eof", "reconnect_on_http_error", "reconnect_on_network_error",
        "reconnect_delay_max", "reconnect_max_retries", "reconnect_streamed", "verifyhost",
    }
)  # fmt: skip
"""Options of FFmpeg's client that mean something else here, or nothing."""


class HttpSource(ByteSource):
    """The body of one address; goes to other bytes by further requests where the server can."""

    _left: int | None = None

    def __init__(
        self,
        url: str,
        place: str,
        timeout_s: float | None,
        stop: StopSignal,
        *,
        options: Mapping[str, str] | None = None,
        first: int = 0,
        end: int | None = None,
    ) -> None:
        """Ask for an address.

        Args:
            url: Where; user name and password in it answer a server that asks for them.
            place: The location for messages.
            timeout_s: Longest wait for the server, in seconds; None without a limit.
            stop: Ends a wait.
            options: Of FFmpeg's: ``headers``, ``user_agent``, ``referer``, ``cookies``, ``tls_verify``, ``ca_file``.
            first: First byte that is wanted.
            end: The byte after the last one that is wanted, None for all.

        Raises:
            MediaError: The server refuses, cannot be reached, or leads elsewhere.
        """
        super().__init__(url, place, timeout_s, stop)
        options = options or {}
        if strange := sorted(_FFMPEGS_OWN & set(options)):
            raise MediaError(f"{place}: the option {strange[0]} belongs to FFmpeg's own http client; {ADVICE}")
        self._headers = _headers(options)
        self._first, self._end = first, end
        self._position = self._wanted = first
        self._socket: socket.socket | None = None
        self._cleanup = ExitStack()
        self._cleanup.enter_context(stop.watched_by(self._hang_up))
        self._opener = self._make_opener(url, options)
        try:
            self._response = self._ask(first)
        except BaseException:
            self._cleanup.close()
            raise
        self.name: str = self._response.geturl()
        self._can_seek = self._response.status == HTTPStatus.PARTIAL_CONTENT and not first and end is None
        self._size = self._left if self._left is None else self._left + first

    def seekable(self) -> bool:
        """Whether the server gives parts."""
        return self._can_seek

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Note which byte comes next; the next read asks for it."""
        if whence == os.SEEK_END:
            if self._size is None:
                raise OSError(f"{self._place}: its length is unknown")
            offset += self._size
        elif whence == os.SEEK_CUR:
            offset += self.tell()
        if offset != self.tell():
            self._ahead, self._wanted = b"", offset
        return offset

    def tell(self) -> int:
        """Return the number of the next byte."""
        return self._wanted - len(self._ahead)

    def close(self) -> None:
        """Hang up."""
        super().close()
        self._cleanup.close()
        self._response.close()

    def _receive(self, size: int) -> bytes:
        if self._wanted != self._position:
            self._go_to(self._wanted)
        data = self._take(size)
        self._wanted = self._position
        return data

    def _go_to(self, wanted: int) -> None:
        """Read on to a byte that is near, or ask for it."""
        if self._size is not None and wanted >= self._size:
            self._position, self._left = wanted, 0
            return
        while 0 < wanted - self._position <= _SKIP_BYTES and self._take(min(wanted - self._position, READ_BYTES)):
            pass
        if wanted != self._position:
            self._response.close()
            try:
                self._response = self._ask(wanted)
            except ConnectionLostError:
                raise
            except MediaError as error:
                raise ConnectionLostError(str(error)) from None
            if self._response.status != HTTPStatus.PARTIAL_CONTENT:
                raise ConnectionLostError(f"{self._place}: the server no longer gives parts")
            self._position = wanted

    def _take(self, size: int) -> bytes:
        """Wait for bytes of the present response."""
        if self._left is not None:
            size = min(size, self._left)
        if not size or self._response.isclosed():
            return b""
        if self._socket is not None:
            self._socket.settimeout(self._left_s())
        try:
            data: bytes = self._response.read1(size)
        except (OSError, ValueError, http.client.HTTPException, AttributeError) as error:
            self._fail(error)
        if not data and self._stop.is_set:
            raise StoppedReading
        if not data and self._left:
            raise ConnectionLostError(f"{self._place}: connection lost, {self._left} bytes are missing")
        self._position += len(data)
        if self._left is not None:
            self._left -= len(data)
        return data

    def _ask(self, first: int) -> Any:
        """Send a request and return its response."""
        end = "" if self._end is None else self._end - 1
        request = urllib.request.Request(_request_url(self.name), headers=self._headers)
        request.add_header("Range", f"bytes={first}-{end}")
        try:
            response: Any = self._opener.open(request, timeout=self._left_s())
        except HTTPError as error:
            error.close()
            raise MediaError(f"{self._place}: the server answers {error.code} {error.reason}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(error, MediaError):
                raise
            cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
            self._fail(cause, opening=True)
        self._left = response.length
        if self._end is not None:
            if first and response.status != HTTPStatus.PARTIAL_CONTENT:
                response.close()
                raise MediaError(f"{self._place}: the server gives no parts")
            wanted = self._end - first
            self._left = wanted if self._left is None else min(self._left, wanted)
        return response

    def _fail(self, error: Exception, *, opening: bool = False) -> NoReturn:
        if self._stop.is_set:
            raise StoppedReading
        if isinstance(error, TimeoutError):
            self._give_up()
        words = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())
        if isinstance(error, ssl.SSLCertVerificationError):
            words = f'{error.verify_message}; options={{"tls_verify": "0"}} accepts any certificate'
        if isinstance(error, http.client.IncompleteRead):
            words = "the end is missing"
        if opening:
            raise MediaError(f"{self._place}: {words}") from None
        raise ConnectionLostError(f"{self._place}: connection lost: {words}") from None

    def _hang_up(self) -> None:
        if (link := self._socket) is not None:
            hang_up(link)

    def _make_opener(self, url: str, options: Mapping[str, str]) -> urllib.request.OpenerDirector:
        """Make a client that knows http, https, passwords and redirects to the same origin, and nothing else."""
        opener = urllib.request.OpenerDirector()
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        parts = urlsplit(url)
        if parts.username is not None:
            user, word = unquote(parts.username), unquote(parts.password or "")
            passwords.add_password(None, _request_url(url), user, word)
        for handler in (
            urllib.request.ProxyHandler(),
            _Http(self),
            _Https(self, options),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPBasicAuthHandler(passwords),
            urllib.request.HTTPDigestAuthHandler(passwords),
            _Redirects(Host(self._place, url)),
        ):
            opener.add_handler(handler)
        return opener

    def use(self, link: socket.socket) -> None:
        """Note the socket that a connection opened, so that it can be woken."""
        self._socket = link
        if self._stop.is_set:
            hang_up(link)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to other addresses of its own."""

    def __init__(self, origin: Host) -> None:
        self._origin = origin

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage
    ) -> Any:
        """Look at the address before the library does, whose words name no option."""
        try:
            self._origin.check(headers.get("location") or headers.get("uri") or "")
        except MediaError:
            fp.close()
            raise
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class _Http(urllib.request.HTTPHandler):
    def __init__(self, source: HttpSource) -> None:
        super().__init__()
        self._source = source

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_noting(http.client.HTTPConnection, self._source), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, source: HttpSource, options: Mapping[str, str]) -> None:
        super().__init__()
        self._source = source
        self._options = options

    def https_open(self, req: urllib.request.Request) -> Any:
        context = _tls(self._options.get("ca_file"), self._options.get("tls_verify") != "0")
        return self.do_open(_noting(http.client.HTTPSConnection, self._source), req, context=context)


def _noting(kind: type[http.client.HTTPConnection], source: HttpSource) -> Any:
    """Return a kind of connection that tells the source its socket."""

    class Connection(kind):  # type: ignore[misc, valid-type]  # a class by choice
        def connect(self) -> None:
            super().connect()
            source.use(self.sock)

    return Connection


@functools.cache
def _tls(ca_file: str | None, is_checked: bool) -> ssl.SSLContext:
    """Return how certificates are checked; to read them takes a tenth of a second."""
    context = ssl.create_default_context(cafile=ca_file)
    if not is_checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _headers(options: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that FFmpeg's options ask for."""
    headers = {_HEADERS[name]: value for name, value in options.items() if name in _HEADERS}
    for line in options.get("headers", "").splitlines():
        name, _, value = line.partition(":")
        if name.strip():
            headers[name.strip()] = value.strip()
    return {"User-Agent": "picasso", "Accept": "*/*", **headers}


def _request_url(url: str) -> str:
    """Return an address as a request may have it: without user and fragment, and with blanks and letters quoted."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if not host.isascii():
        host = host.encode("idna").decode()
    path, query = (quote(part, safe="!#$%&'()*+,/:;=?@[]~") for part in (parts.path, parts.query))
    return urlunsplit(parts._replace(netloc=host, path=path, query=query, fragment=""))
