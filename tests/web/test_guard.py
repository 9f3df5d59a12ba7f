"""Who is let in, and what a client that is wrong, slow or hostile costs: its own connection."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).parent))
from socket_kit import Raw
from web_kit import H264, PATIENCE_S, Running, pattern, running, tree, until

from picasso.errors import OperationError
from picasso.web import guard, server
from picasso.web.bodies import checked
from picasso.web.calls import CALLS
from picasso.web.connections import HttpConnection
from picasso.web.guard import BODY_BYTES
from picasso.web.listener import Listener, is_loopback
from picasso.web.server import MESSAGE_BYTES

pytestmark = pytest.mark.usefixtures("compiled_kernels")
TOKEN = "correct horse battery"


@pytest.fixture
def served(compiled_kernels: None) -> Iterator[Running]:
    with running(tree(pattern("gate"), output_frame=H264)) as one:
        yield one


@pytest.fixture
def locked(compiled_kernels: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(guard, "WRONG_S", 0.0)
    with running(tree(pattern("gate"), output_frame=H264, web={"port": 0, "token": TOKEN})) as one:
        yield one


def address(one: Running) -> str:
    assert one.module.web.page is not None
    return one.module.web.page


PATHS = [
    "/page/../server.py",
    "/page/%2e%2e/server.py",
    "/page/..%2fserver.py",
    "/page/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
    "//etc/passwd",
    "/page//etc/passwd",
    "/page/main.js/../../guard.py",
    "/page/main.js%00.css",
    "/page/",
    "/page",
    "/picasso/web/page/main.js",
    "/page/..\\server.py",
    "/page/main%2ejs%3f",
    "/page/index.html",
]


def test_no_path_leads_to_a_file_that_is_not_the_page_s(served: Running) -> None:
    for path in PATHS:
        with Raw(address(served)) as client:
            status, body = client.ask(f"GET {path}")
        assert (path, status, b"import" in body or b"root:" in body) == (path, 404, False)
    assert served.http.get("/page/main.js").headers["content-type"] == "text/javascript; charset=utf-8"


HOSTS = {
    "127.0.0.1": 200,
    "127.0.0.1:9": 200,
    "localhost:8080": 200,
    "LOCALHOST": 200,
    "[::1]:80": 200,
    "127.0.0.2": 200,
    "evil.example": 421,
    "evil.example:80": 421,
    "127.0.0.1.evil.example": 421,
    "localhost.evil.example": 421,
    "192.168.0.1": 421,
    "": 421,
}


def test_a_name_from_elsewhere_that_points_here_is_refused(served: Running) -> None:
    for host, expected in HOSTS.items():
        with Raw(address(served)) as client:
            assert (host, client.ask("GET /sources", f"Host: {host}")[0]) == (host, expected)
    with Raw(address(served)) as client:
        client.send("GET /sources HTTP/1.0\r\n\r\n")
        assert client.answer()[0] == 421


CROSS = {
    "another origin": ("POST /sources/gate/pause", ["Origin: http://evil.example"], 403),
    "no origin of its own": ("POST /sources/gate/pause", ["Origin: null"], 403),
    "another port": ("POST /sources/gate/pause", ["Origin: http://127.0.0.1:1"], 403),
    "a form of another site": ("POST /sources/gate/pause", ["Sec-Fetch-Site: cross-site"], 403),
    "a form of another port": ("POST /sources/gate/pause", ["Sec-Fetch-Site: same-site"], 403),
    "a form that goes here": (
        "POST /sources/gate/pause",
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"],
        403,
    ),
    "a picture of another site": ("GET /sources", ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"], 403),
    "a script of another site": ("GET /page/main.js", ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"], 403),
    "a link from another site": ("GET /", ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"], 200),
    "the page itself": ("GET /sources", ["Sec-Fetch-Site: same-origin"], 200),
    "health, which says nothing": ("GET /healthcheck", ["Origin: http://evil.example"], 200),
    "a program": ("GET /sources", [], 200),
}


def test_pages_of_other_origins_reach_nothing(served: Running) -> None:
    for case, (line, headers, expected) in CROSS.items():
        with Raw(address(served)) as client:
            assert (case, client.ask(line, *headers, "Content-Length: 0")[0]) == (case, expected)
    with Raw(address(served)) as client:
        own = f"Origin: http://{client.authority}"
        assert client.ask("POST /sources/gate/keyframe", own, "Content-Length: 0")[0] == 202
    assert served.source("gate")["state"] == "live"


def test_a_websocket_of_another_origin_is_refused(served: Running) -> None:
    url = f"{address(served).replace('http', 'ws')}/watch"
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, origin=origin)
    with connect(url, origin=address(served)) as socket:
        assert "statistics" in str(socket.recv(30))


UNPROVED = ([], ["Authorization: Bearer wrong"], [f"Authorization: Basic {TOKEN}"], ["Cookie: picasso_session_1=x"])


def test_without_the_token_nothing_is_told_or_done(locked: Running) -> None:
    url = address(locked)
    calls = ["GET /sources", "GET /sources/gate", "GET /statistics", "GET /metrics", "POST /stop", "POST /sources"]
    calls += ["POST /sources/gate/snapshot", "DELETE /sources/gate", f"GET /sources?token={TOKEN.replace(' ', '%20')}"]
    for call in calls:
        for headers in (
            [],
            ["Authorization: Bearer wrong"],
            [f"Authorization: Basic {TOKEN}"],
            ["Cookie: picasso_session_1=x"],
        ):
            with Raw(url) as client:
                status, body = client.ask(call, *headers, "Content-Length: 0")
            assert (call, status, b"gate" in body) == (call, 401, False)
    with pytest.raises(InvalidStatus, match="401"):
        connect(f"{url.replace('http', 'ws')}/watch")
    for path in ("/healthcheck", "/status", "/ready", "/live", "/", "/page/main.js", "/openapi.json"):
        with Raw(url) as client:
            assert (path, client.ask(f"GET {path}")[0]) == (path, 200)


def test_the_token_opens_by_header_and_by_session(locked: Running) -> None:
    assert locked.http.get("/sources").status_code == 200
    url = f"{address(locked).replace('http', 'ws')}/watch"
    with connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        assert "statistics" in str(socket.recv(30))
    del locked.http.headers["authorization"]
    assert locked.http.post("/session", json={"token": "wrong"}).status_code == 401
    assert locked.http.get("/sources").status_code == 401
    answer = locked.http.post("/session", json={"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 204
    assert ("HttpOnly" in cookie, "SameSite=strict" in cookie, TOKEN in cookie) == (True, True, False)
    assert locked.http.get("/sources").status_code == 200
    ((name, value),) = locked.http.cookies.items()
    assert name.endswith(address(locked).rpartition(":")[2])  # browsers keep cookies by host: each port has its own
    named = {"Cookie": f"{name}={value}"}
    assert locked.http.delete("/session").status_code == 204
    assert locked.http.get("/sources", headers=named).status_code == 401  # a copy of the cookie is worth nothing, too


def test_every_answer_tells_browsers_to_keep_to_this_origin(served: Running) -> None:
    for path in ("/", "/sources", "/page/main.js", "/nothing", "/healthcheck"):
        headers = served.http.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
    refused = served.http.get("/sources", headers={"origin": "http://evil.example"})
    assert (refused.status_code, "content-security-policy" in refused.headers) == (403, True)


def test_bodies_that_are_too_long_are_refused_unread(served: Running) -> None:
    kind = "Content-Type: application/json"
    with Raw(address(served)) as client:
        client.send(
            f"POST /sources HTTP/1.1\r\nHost: {client.authority}\r\n{kind}\r\nContent-Length: 1000000000000\r\n\r\n"
        )
        assert client.answer()[0] == 413
    with Raw(address(served)) as client:
        client.send(
            f"POST /sources HTTP/1.1\r\nHost: {client.authority}\r\n{kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"4000\r\n" + bytes(0x4000) + b"\r\n"
        for _number in range(BODY_BYTES // 0x4000 + 1):
            client.send(chunk)
        assert client.answer()[0] == 413
    deep = b"[" * 30_000
    answer = served.http.post("/sources", content=deep, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    with Raw(address(served)) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: {client.authority}\r\nX: ")
        try:
            for _number in range(64):
                client.send(bytes([65]) * 4096)
            status = client.answer()[0]
        except (BrokenPipeError, ConnectionResetError):
            status = 400
        assert status in (400, 431)
    assert served.http.get("/healthcheck").text == "running"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.web.connections.IDLE_S", 0.2)
    monkeypatch.setattr(server, "IDLE_S", 1)
    monkeypatch.setattr(guard, "BODY_S", 0.2)


def test_a_client_that_says_nothing_or_not_all_of_it_is_left(hurried: None, served: Running) -> None:
    assert HttpConnection._deadline is None
    silent, half, idle, late = (Raw(address(served)) for _ in range(4))
    half.send(f"GET / HTTP/1.1\r\nHost: {half.authority}\r\n")
    idle.send(f"GET /live HTTP/1.1\r\nHost: {idle.authority}\r\n\r\n")
    late.send(f"POST /sources HTTP/1.1\r\nHost: {late.authority}\r\nContent-Length: 10\r\n\r\nabc")
    assert silent.rest() == b""
    assert half.rest() == b""
    assert idle.rest().endswith(b"live")
    assert late.answer()[0] == 408
    for client in (silent, half, idle, late):
        client.socket.close()
    assert served.http.get("/live").text == "live"


def test_a_client_that_does_not_read_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was sent is more than the buffers of the system take."""
    monkeypatch.setattr("picasso.web.connections.IDLE_S", 0.3)
    monkeypatch.setattr("picasso.web.connections.ANSWER_S", 0.3)
    with running(tree(pattern("gate"), output_frame=H264)) as one:
        deaf = Raw(address(one), receive_bytes=2048)
        call = f"GET /openapi.json HTTP/1.1\r\nHost: {deaf.authority}\r\n\r\n"
        deaf.socket.settimeout(0.2)
        with contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
            for _number in range(2000):
                deaf.send(call)
        deaf.socket.settimeout(PATIENCE_S)
        with contextlib.suppress(ConnectionResetError):
            until(lambda: not deaf.socket.recv(1 << 16))
        deaf.socket.close()
        assert one.http.get("/live").text == "live"


def test_connections_are_limited_and_come_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECTIONS", 8)
    with running(tree(pattern("gate"), output_frame=H264)) as one:
        silent = [Raw(address(one)) for _ in range(8)]
        with Raw(address(one)) as client:
            assert client.ask("GET /live")[0] == 503
        for other in silent:
            other.socket.close()
        until(lambda: one.http.get("/live").status_code == 200)


def code_of_close(socket: ClientConnection) -> int:
    """Take what comes until the server closes; return why it does."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(PATIENCE_S)
    assert socket.close_code is not None
    return socket.close_code


def test_a_page_that_says_nonsense_or_too_much_is_shut(served: Running) -> None:
    url = f"{address(served).replace('http', 'ws')}/watch"
    nonsense = ["", "{", "[]", '{"watch": {"gate": "huge"}}', '{"watch": 3}', '{"unknown": 1}', '{"decodes": ["vp9"]}']
    for said in nonsense:
        with connect(url) as socket:
            socket.send(said)
            assert (said, code_of_close(socket)) == (said, 1007)
    with connect(url) as socket:
        socket.send(b"x" * (MESSAGE_BYTES + 1))
        assert code_of_close(socket) == 1009
    assert served.http.get("/live").text == "live"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
BODIES = [call.body for call in CALLS if call.body is not None]


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()), st.sampled_from(BODIES))
def test_a_body_is_what_the_call_takes_or_one_error(body: bytes, schema: dict[str, Any]) -> None:
    status, found = 200, {}
    try:
        found = checked(body, "application/json", schema)
    except OperationError as error:
        status = error.status
    assert status in (200, 400, 422)
    if status == 200:
        jsonschema.validate(found, schema)


def test_a_listener_that_others_reach_needs_a_token() -> None:
    for host in ("0.0.0.0", "10.0.0.1", "picasso.example", "::"):
        assert not is_loopback(host)
        with pytest.raises(ValueError, match="needs a token"):
            Listener(host, 0, is_control=True)
    assert TOKEN not in repr(Listener("0.0.0.0", 0, is_control=True, token=TOKEN))
