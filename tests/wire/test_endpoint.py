"""Endpoint texts: what they mean, and which are refused."""

from __future__ import annotations

import pytest

from picasso.errors import SpecError
from picasso.wire import Endpoint, SocketKind

READ = [
    ("tcp://127.0.0.1:5555", "router", True, "tcp://127.0.0.1:5555"),
    ("sub+connect:tcp://host:5555", "sub", False, "tcp://host:5555"),
    ("rep+bind:ipc:///run/in.ipc", "rep", True, "ipc:///run/in.ipc"),
    ("router+connect:ipc://in.ipc", "router", False, "ipc://in.ipc"),
    ("sub:ipc:///run/in.ipc", "sub", True, "ipc:///run/in.ipc"),
    ("router+bind:tcp://*:5555", "router", True, "tcp://*:5555"),
    ("router+bind:tcp://[::1]:5555", "router", True, "tcp://[::1]:5555"),
    ("+connect:ipc:///run/in.ipc", "router", False, "ipc:///run/in.ipc"),
]


@pytest.mark.parametrize(("text", "kind", "bind", "address"), READ)
def test_a_reader_reads_what_the_text_says(text: str, kind: str, bind: bool, address: str) -> None:
    endpoint = Endpoint.parse(text, reads=True)
    assert (endpoint.kind, endpoint.bind, endpoint.address, endpoint.source_id) == (kind, bind, address, None)


@pytest.mark.parametrize(
    ("text", "kind", "bind", "source"),
    [
        ("ipc:///run/out.ipc", "dealer", True, None),
        ("pub+bind:tcp://*:6000", "pub", True, None),
        ("req+connect:tcp://host:6000:cam-1", "req", False, "cam-1"),
        ("dealer+connect:ipc:///run/out.ipc:cam-1", "dealer", False, "cam-1"),
    ],
)
def test_a_writer_may_name_its_source(text: str, kind: str, bind: bool, source: str | None) -> None:
    endpoint = Endpoint.parse(text, reads=False)
    assert (endpoint.kind, endpoint.bind, endpoint.source_id) == (kind, bind, source)


def test_a_prefix_wins_over_the_arguments() -> None:
    endpoint = Endpoint.parse("sub+connect:tcp://h:1", reads=True, kind="REP", bind=True)
    assert (endpoint.kind, endpoint.bind) == (SocketKind.SUB, False)


def test_arguments_count_where_the_text_is_silent() -> None:
    endpoint = Endpoint.parse("tcp://h:1", reads=False, kind="PUB", bind=False)
    assert (endpoint.kind, endpoint.bind) == (SocketKind.PUB, False)


@pytest.mark.parametrize(
    ("text", "reads", "says"),
    [
        ("dealer+bind:ipc:///x", True, "dealer writes; a reader takes one of sub, router, rep"),
        ("sub+bind:ipc:///x", False, "sub reads; a writer takes one of pub, dealer, req"),
        ("push+bind:ipc:///x", True, "unknown socket type 'push'"),
        ("router+listen:ipc:///x", True, "expected bind or connect after '\\+', got 'listen'"),
        ("inproc://x", True, "expected \\[TYPE"),
        ("tcp://host", True, "expected tcp://HOST:PORT"),
        ("tcp://host:70000", True, "expected a port of 0 … 65535, got 70000"),
        ("tcp://host:5555:cam", True, "a reader takes no source behind the address; got 'cam'"),
        ("ipc://", True, "expected \\[TYPE"),
        ("", False, "expected \\[TYPE"),
    ],
)
def test_bad_texts_are_refused_with_the_choices(text: str, reads: bool, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        Endpoint.parse(text, reads=reads)
