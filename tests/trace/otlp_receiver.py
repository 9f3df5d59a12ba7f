"""A collector for tests: takes spans by OTLP over HTTP, and knows the trees that they make."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """A span that came."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    status: tuple[int, str]
    resource: dict[str, Any]
    children: list[Taken] = field(default_factory=list)

    def tree(self) -> Any:
        """The name, and where there are children, the trees of those, in the order of their beginnings."""
        below = [child.tree() for child in self.children]
        return {self.name: below} if below else self.name

    def find(self, name: str) -> Taken:
        """The first span of this name, this one or one below it."""
        found = [span for span in self.walk() if span.name == name]
        assert found, f"no span {name!r} among {[span.name for span in self.walk()]}"
        return found[0]

    def walk(self) -> Iterator[Taken]:
        yield self
        for child in self.children:
            yield from child.walk()


class OtlpReceiver:
    """What came, and what is answered."""

    def __init__(self) -> None:
        self.spans: list[Taken] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.status = 200
        self.changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver._take(self.path, dict(self.headers), body)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.server.block_on_close = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        request = ExportTraceServiceRequest.FromString(body)
        with self.changed:
            self.requests.append((path, headers))
            if self.status == 200:
                for group in request.resource_spans:
                    resource = _plain(group.resource.attributes)
                    for scope in group.scope_spans:
                        self.spans += [_taken(span, resource) for span in scope.spans]
            self.changed.notify_all()

    def roots(self) -> list[Taken]:
        """Spans whose parents are not among those that came, by their beginnings; each with what is below it."""
        by_id = {span.span_id: span for span in self.spans}
        assert len(by_id) == len(self.spans)
        for span in self.spans:
            span.children = sorted(
                (one for one in self.spans if one.parent_id == span.span_id), key=lambda one: one.start_ns
            )
        return sorted((span for span in self.spans if span.parent_id not in by_id), key=lambda span: span.start_ns)

    def root(self) -> Taken:
        """The one span that has no parent here."""
        (found,) = self.roots()
        return found


def _taken(span: Any, resource: dict[str, Any]) -> Taken:
    return Taken(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _plain(span.attributes),
        [(event.name, _plain(event.attributes)) for event in span.events],
        (span.status.code, span.status.message),
        resource,
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    held = getattr(value, kind)
    return [_value(one) for one in held.values] if kind == "array_value" else held


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """A collector while the context lasts."""
    receiver = OtlpReceiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,), name="otlp-receiver")
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()
