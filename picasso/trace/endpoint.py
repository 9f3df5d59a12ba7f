"""Where spans go: OTLP over HTTP, whichever way the endpoint is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from picasso.errors import SpecError

PORT: Final = 4318
"""Where collectors and Jaeger take OTLP over HTTP."""
PATH: Final = "/v1/traces"
_WRONG: Final = "endpoint: expected host, host:port, http://… or https://…, got {!r}"
AGENT_PORTS: Final = (5775, 6831, 6832)
"""Of Jaeger's agent, which took Thrift by UDP and is gone since Jaeger 2."""


@dataclass(frozen=True, slots=True)
class TraceEndpoint:
    """An address that takes spans."""

    url: str
    """The address, with its path."""
    note: str = ""
    """What differs from the endpoint as it was written; empty where nothing does."""

    @property
    def shown(self) -> str:
        """The address as a log may say it: without a password, and without what a query holds."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    @classmethod
    def parse(cls, text: str) -> TraceEndpoint:
        """Read an endpoint: a URL is taken as it is, anything else names a host, whose port 4318 is used.

        A URL without a path gets ``/v1/traces``.

        Args:
            text: Such as ``http://collector:4318``, ``collector``, or ``jaeger:6831``, the port of the old agent.

        Raises:
            SpecError: It is neither.
        """
        given = text.strip()
        if any(character.isspace() for character in given):
            raise SpecError(_WRONG.format(text))
        if "://" in given:
            return cls(_with_path(given))
        try:
            parts = urlsplit(f"//{given}")
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise SpecError(_WRONG.format(text)) from error
        if not host or parts.path or parts.query or parts.username is not None:
            raise SpecError(_WRONG.format(text))
        note = ""
        if port in AGENT_PORTS:
            note = f"port {port} is that of Jaeger's old agent, which took another protocol; OTLP goes to {PORT}"
        elif port not in (None, PORT):
            note = f"port {port} is not used; write a URL where OTLP over HTTP has another port than {PORT}"
        return cls(f"http://{f'[{host}]' if ':' in host else host}:{PORT}{PATH}", note)


def _with_path(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise SpecError(_WRONG.format(url)) from error
    if not is_good:
        raise SpecError(_WRONG.format(url))
    return parts._replace(path=PATH).geturl() if parts.path in ("", "/") else url
