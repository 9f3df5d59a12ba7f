"""What a module logged of one frame, from the traces that it sent to Jaeger."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from picasso.errors import TransportError


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of a log."""

    timestamp: datetime
    """When it was written, UTC."""
    level: str
    """How serious it is, e.g. ``INFO``."""
    target: str
    """The logger that wrote it."""
    message: str
    """The text."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """What was logged beside the text, by name."""

    def pretty_format(self) -> str:
        """Return the line, and a line below it for each attribute."""
        when = self.timestamp.strftime("%Y-%m-%d %H:%M:%S.%f")
        lines = [f"{when} | [{self.level}] [{self.target}] {self.message}"]
        lines += [f"{' ' * len(when)} | {key}={value}" for key, value in sorted(self.attributes.items())]
        return "\n".join(lines)


class Logs:
    """The lines of one trace."""

    def __init__(self, entries: Iterable[LogEntry] = ()) -> None:
        """Sort the lines by their times."""
        self.entries: list[LogEntry] = sorted(entries, key=lambda entry: entry.timestamp)
        """The lines, the oldest first."""

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def pretty_format(self) -> str:
        """Return all lines as text."""
        return "\n".join(entry.pretty_format() for entry in self.entries)

    def pretty_print(self) -> None:
        """Print all lines."""
        print(self.pretty_format())


class LogProvider(ABC):
    """Where the logs of traces are."""

    def logs(self, trace_id: str) -> Logs:
        """Fetch the lines of a trace."""
        return Logs(self._fetch_logs(trace_id))

    @abstractmethod
    def _fetch_logs(self, trace_id: str) -> list[LogEntry]:
        """Fetch the lines of a trace, in any order."""


class JaegerLogProvider(LogProvider):
    """Reads logs of traces through the HTTP API of Jaeger's query service."""

    def __init__(self, endpoint: str, login: str | None = None, password: str | None = None) -> None:
        """Name the service.

        Args:
            endpoint: Such as ``http://localhost:16686``.
            login: For basic authentication.
            password: For basic authentication.
        """
        self._endpoint = endpoint.rstrip("/")
        self._login = login
        self._headers = {}
        if login is not None:
            token = base64.b64encode(f"{login}:{password or ''}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def __repr__(self) -> str:
        secret = "" if self._login is None else f", {self._login!r}, '***'"
        return f"JaegerLogProvider({self._endpoint!r}{secret})"

    def _fetch_logs(self, trace_id: str) -> list[LogEntry]:
        """Fetch the lines of a trace; none where Jaeger does not know it yet.

        Raises:
            TransportError: The service cannot be asked, or does not answer as Jaeger does.
        """
        url = f"{self._endpoint}/api/traces/{trace_id}"
        if not url.startswith(("http://", "https://")):
            raise TransportError(f"{url}: expected http:// or https://")
        request = urllib.request.Request(url, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # its scheme is checked above
                found = json.load(response)
            return [entry for trace in found["data"] for span in trace["spans"] for entry in _entries(span)]
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return []
                raise TransportError(f"{url}: status {error.code}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TransportError(f"{url}: {type(error).__name__}: {error}") from None


def _entries(span: Mapping[str, Any]) -> Iterator[LogEntry]:
    """Read the log records of a span; events of other kinds, and incomplete ones, are left out."""
    for log in span.get("logs") or ():
        fields = {one["key"]: one["value"] for one in log["fields"]}
        if fields.pop("event.name", None) != "log-record":
            continue
        level, target, message = (fields.pop(name, None) for name in ("log.level", "log.target", "event"))
        fields.pop("event.domain", None)
        if level is not None and target is not None and message is not None:
            when = datetime.fromtimestamp(log["timestamp"] / 1e6, UTC)
            yield LogEntry(when, str(level), str(target), str(message), fields)
