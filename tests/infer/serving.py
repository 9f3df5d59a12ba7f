"""A server on this machine that gives what a test puts into it, and remembers what it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shelf:
    """What the server has, by path, and what it was asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.short_by: dict[str, int] = {}
        """Bytes that are announced and do not come."""
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []

    def url(self, path: str) -> str:
        return f"{self.address}{path}"


@contextmanager
def served() -> Iterator[Shelf]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            path = self.path.partition("?")[0]
            shelf.asked.append(path)
            shelf.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.close_connection = True
            if path in shelf.redirects:
                self.send_response(302)
                self.send_header("Location", shelf.redirects[path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if path not in shelf.files:
                self.send_error(404)
                return
            body = shelf.files[path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body) + shelf.short_by.get(path, 0)))
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Mon, 30 Nov 2026 00:00:00 GMT")
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shelf = Shelf(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield shelf
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
