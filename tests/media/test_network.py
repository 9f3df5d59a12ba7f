"""Servers that fall silent, break off or end: ``stop`` never waits for them, and lost is not ended."""

from __future__ import annotations

import gc
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from media_servers import Caller, Server, Talk, camera, http, pages
from ports import free_port

from picasso.errors import ConnectionLostError, MediaError, OpeningStoppedError, ReadTimeoutError
from picasso.media import StopSignal, VideoReader, probe
from picasso.media.http import HttpSource
from picasso.primitives import EndOfStream

LONG_S = 60.0
"""A time-out that no test waits for."""
PATIENCE_S = 20.0
"""How long a thread may take that should be over at once; the machine may be busy."""


@pytest.fixture
def stream(make_clip: Callable[..., Path]) -> bytes:
    """A transport stream of 50 frames."""
    return make_clip("stream.ts", 50).read_bytes()


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    """A thread that was left behind ends with its connection."""
    yield
    for thread in threading.enumerate():
        if thread.name == "picasso-input":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def silence(caller: Caller) -> None:
    caller.fall_silent()


def with_length(stream: bytes, sent: int, then: Talk = lambda _caller: None) -> Talk:
    def answer(caller: Caller) -> None:
        caller.say("200 OK", stream[:sent], {"Content-Length": len(stream)})
        then(caller)

    return http(answer)


def in_chunks(stream: bytes, end: bytes) -> Talk:
    return http(
        lambda caller: caller.say(
            "200 OK", b"%x\r\n%b\r\n%b" % (len(stream), stream, end), {"Transfer-Encoding": "chunked"}
        )
    )


def until_closed(stream: bytes, then: Talk = lambda _caller: None) -> Talk:
    def answer(caller: Caller) -> None:
        caller.say("200 OK", stream, {"Connection": "close"})
        then(caller)

    return http(answer)


def plainly(stream: bytes, then: Talk = lambda _caller: None) -> Talk:
    def talk(caller: Caller) -> None:
        caller.link.sendall(stream)
        then(caller)

    return talk


def read_all(url: str, timeout_s: float = LONG_S) -> tuple[int, type | None]:
    """Return how many frames came, and what was raised after them."""
    count = 0
    with VideoReader(url, timeout_s=timeout_s) as reader:
        try:
            for item in reader:
                count += not isinstance(item, EndOfStream)
        except MediaError as error:
            return count, type(error)
    return count, None


@pytest.mark.parametrize(
    ("scheme", "talk_of"),
    [
        ("http", lambda stream: with_length(stream, len(stream))),
        ("http", lambda stream: in_chunks(stream, b"0\r\n\r\n")),
        ("http", until_closed),
        ("tcp", plainly),
        ("rtsp", lambda stream: camera(stream, lambda _caller: None, range_s=1.0)),
    ],
    ids=[
        "http, all of its length",
        "http, last chunk",
        "http, closed in order",
        "tcp, closed in order",
        "rtsp, length",
    ],
)
def test_a_stream_that_is_whole_ends(scheme: str, talk_of: Callable[[bytes], Talk], stream: bytes) -> None:
    with Server(talk_of(stream)) as server:
        count, error = read_all(server.url("", "tcp") if scheme == "tcp" else server.url(scheme=scheme))
    assert error is None
    assert count == (49 if scheme == "rtsp" else 50)  # FFmpeg forgets the last picture that comes by RTP


@pytest.mark.parametrize(
    ("scheme", "talk_of"),
    [
        ("http", lambda stream: with_length(stream, len(stream) * 2 // 3)),
        ("http", lambda stream: in_chunks(stream, b"")),
        ("http", lambda stream: in_chunks(stream, b"ffff\r\n")),
        ("rtsp", lambda stream: camera(stream, lambda _caller: None)),
        ("rtsp", lambda stream: camera(stream, lambda _caller: None, range_s=100.0)),
    ],
    ids=["http, short of its length", "http, no last chunk", "http, in a chunk", "rtsp, camera", "rtsp, too early"],
)
def test_a_stream_that_breaks_off_is_lost(scheme: str, talk_of: Callable[[bytes], Talk], stream: bytes) -> None:
    with Server(talk_of(stream)) as server:
        count, error = read_all(server.url(scheme=scheme))
    assert error is ConnectionLostError
    assert 20 < count <= 50


@pytest.mark.parametrize("talk_of", [until_closed, plainly], ids=["http", "tcp"])
def test_a_reset_is_a_loss(talk_of: Callable[..., Talk], stream: bytes) -> None:
    """The reset follows when the reader has begun, for it takes with it what was not yet read."""
    begun = threading.Event()

    def reset(caller: Caller) -> None:
        begun.wait(PATIENCE_S)
        caller.reset()

    with Server(talk_of(stream, reset)) as server:
        url = server.url("", "tcp") if talk_of is plainly else server.url()
        with VideoReader(url, timeout_s=LONG_S) as reader:
            pictures = reader.frames()
            next(pictures)
            begun.set()
            with pytest.raises(ConnectionLostError, match="connection lost"):
                list(pictures)


@pytest.mark.parametrize(
    ("scheme", "talk_of"),
    [
        ("http", lambda stream: with_length(stream, len(stream) * 2 // 3, silence)),
        ("tcp", lambda stream: plainly(stream, silence)),
        ("rtsp", lambda stream: camera(stream, silence)),
    ],
    ids=["http", "tcp", "rtsp"],
)
class TestSilence:
    """A server that sends, and then says nothing."""

    def url(self, server: Server, scheme: str) -> str:
        return server.url("", "tcp") if scheme == "tcp" else server.url(scheme=scheme)

    def test_it_is_lost_after_the_time_out(self, scheme: str, talk_of: Callable[[bytes], Talk], stream: bytes) -> None:
        with Server(talk_of(stream)) as server:
            count, error = read_all(self.url(server, scheme), timeout_s=2.0)
        assert error is ReadTimeoutError
        assert count > 20

    def test_stop_does_not_wait_for_it(self, scheme: str, talk_of: Callable[[bytes], Talk], stream: bytes) -> None:
        items: list[object] = []
        with Server(talk_of(stream)) as server, VideoReader(self.url(server, scheme), timeout_s=LONG_S) as reader:
            items.append(next(reader))
            reading = threading.Thread(target=lambda: items.extend(reader))
            reading.start()
            assert server.silent.wait(PATIENCE_S)
            reader.stop()
            reading.join(PATIENCE_S)
            assert not reading.is_alive()
        assert isinstance(items[-1], EndOfStream)


@pytest.mark.parametrize("scheme", ["http", "tcp", "rtsp", "rtmp", "udp"])
def test_stop_ends_an_opening_that_gets_no_answer(scheme: str) -> None:
    stop, raised = StopSignal(), []

    def open_it(url: str) -> None:
        with pytest.raises(OpeningStoppedError) as caught:
            VideoReader(url, timeout_s=2.0 if scheme == "udp" else LONG_S, stop=stop)
        raised.append(str(caught.value))

    with Server(silence) as server:
        url = server.url("" if scheme == "tcp" else "/x", scheme)
        opening = threading.Thread(target=open_it, args=(url,))
        opening.start()
        if scheme != "udp":
            assert server.silent.wait(PATIENCE_S)
        stop.set()
        opening.join(PATIENCE_S)
        assert raised in ([f"{url}: stopped while it was being opened"], [f"{url}: stopped before it was opened"])


@pytest.mark.parametrize("scheme", ["http", "tcp", "rtsp", "udp"])
def test_an_opening_that_gets_no_answer_obeys_the_time_out(scheme: str) -> None:
    with Server(silence) as server, pytest.raises(ReadTimeoutError, match="no answer in time"):
        probe(server.url("" if scheme == "tcp" else "/x", scheme), timeout_s=0.3)


def test_a_signal_that_is_set_opens_nothing() -> None:
    stop = StopSignal()
    stop.set()
    with Server(silence) as server, pytest.raises(OpeningStoppedError):
        VideoReader(server.url(), stop=stop)
    assert not server.silent.is_set()


def test_one_signal_stops_many_readers_and_one_reader_stops_alone(stream: bytes) -> None:
    stop = StopSignal()
    with Server(plainly(stream, silence)) as server:
        readers = [VideoReader(server.url("", "tcp"), timeout_s=LONG_S, stop=stop) for _ in range(3)]
        readers[0].stop()
        assert isinstance(next(readers[0]), EndOfStream)
        assert not isinstance(next(readers[1]), EndOfStream)
        stop.set()
        assert [isinstance(next(reader), EndOfStream) for reader in readers[1:]] == [True, True]
        for reader in readers:
            reader.close()


def test_a_server_that_is_not_there_is_no_loss() -> None:
    port = free_port()
    for url in (f"http://127.0.0.1:{port}/x", f"tcp://127.0.0.1:{port}", f"rtsp://127.0.0.1:{port}/x"):
        with pytest.raises(MediaError, match="Connection refused") as caught:
            probe(url, timeout_s=LONG_S)
        assert type(caught.value) is MediaError


def test_an_mp4_with_its_index_at_the_end_is_read_in_parts(make_clip: Callable[..., Path]) -> None:
    body = make_clip("clip.mp4", 200, size=(320, 240), options={"movflags": "0"}).read_bytes()
    padded = body.replace(b"mdat", b"mdat", 1)
    assert padded.index(b"moov") > padded.index(b"mdat")
    with Server(pages({"/clip.mp4": padded})) as server:
        assert read_all(server.url("/clip.mp4")) == (200, None)


def test_a_server_that_answers_no_is_told() -> None:
    with Server(pages({})) as server, pytest.raises(MediaError, match="the server answers 404 Not Found"):
        probe(server.url())


def test_user_password_and_headers_reach_the_server(stream: bytes) -> None:
    seen = []

    def answer(caller: Caller) -> None:
        seen.append((caller.header("Authorization"), caller.header("User-Agent"), caller.header("X-Key")))
        if not seen[-1][0]:
            caller.say("401 Unauthorized", headers={"WWW-Authenticate": 'Basic realm="r"', "Content-Length": 0})
        else:
            caller.say("200 OK", stream, {"Content-Length": len(stream)})

    with Server(http(answer)) as server:
        url = server.url().replace("//", "//user:pass%3Aword@")
        assert probe(url, options={"user_agent": "me", "headers": "X-Key: 7\r\n"}).location == server.url()
    assert seen == [("", "me", "7"), ("Basic dXNlcjpwYXNzOndvcmQ=", "me", "7")]


def test_options_of_ffmpegs_own_client_are_not_ignored() -> None:
    with pytest.raises(MediaError, match=r'the option reconnect belongs .* trust="any"'):
        probe("http://127.0.0.1:1/x", options={"reconnect": "1"})


def test_a_reader_that_is_forgotten_leaves_no_thread(stream: bytes) -> None:
    with Server(plainly(stream, silence)) as server:
        reader = VideoReader(server.url("", "tcp"), timeout_s=LONG_S)
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "picasso-input"]
        del reader
        gc.collect()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_digest_answers_a_server_that_asks_for_it(stream: bytes) -> None:
    seen = []

    def answer(caller: Caller) -> None:
        seen.append(caller.header("Authorization"))
        if not seen[-1]:
            asked = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
            caller.say("401 Unauthorized", headers={"WWW-Authenticate": asked, "Content-Length": 0})
        else:
            caller.say("200 OK", stream, {"Content-Length": len(stream)})

    with Server(http(answer)) as server:
        probe(server.url().replace("//", "//user:word@"))
    assert seen[1].startswith('Digest username="user", realm="r", nonce="n", uri="/x"')


def test_names_with_blanks_and_letters_reach_the_server(stream: bytes) -> None:
    paths = {"/a%20b.ts": stream, "/%C3%A9.ts": stream, "/c.ts?x=%2F&y=%20": stream}
    with Server(pages(paths)) as server:
        for path in ("/a b.ts", "/a%20b.ts", "/\u00e9.ts", "/c.ts?x=%2F&y= "):
            assert probe(server.url(path)).size_wh == (64, 48)


CERTIFICATE = Path(__file__).with_name("tls.pem")
"""Of ``localhost`` and 127.0.0.1, signed by itself; its key is in it."""


def test_certificates_are_checked_unless_told_otherwise(stream: bytes) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    with Server(with_length(stream, len(stream)), tls=tls) as server:
        url = server.url(scheme="https")
        with pytest.raises(MediaError, match=r'self-signed certificate; options=\{"tls_verify": "0"\} accepts any'):
            probe(url)
        assert probe(url, options={"tls_verify": "0"}).codec == "h264"
        assert probe(url, options={"ca_file": str(CERTIFICATE)}).codec == "h264"


def test_a_server_that_goes_away_between_two_parts_is_lost() -> None:
    """Each part is a connection of its own."""
    data = bytes(range(256)) * 8192

    def answer(caller: Caller) -> None:
        if len(caller.server.paths) > 2:
            caller.say("404 Not Found", headers={"Content-Length": 0})
            return
        first = int(caller.header("Range").removeprefix("bytes=").rstrip("-"))
        part = data[first:]
        span = f"bytes {first}-{len(data) - 1}/{len(data)}"
        caller.say("206 Partial Content", part, {"Content-Length": len(part), "Content-Range": span})

    with Server(http(answer)) as server:
        source = HttpSource(server.url(), "place", LONG_S, StopSignal())
        assert source.seekable()
        assert source.read(10) == data[:10]
        assert (source.seek(100), source.read(4)) == (100, data[100:104])  # near: the same connection
        assert (source.seek(-16, os.SEEK_END), source.read(99)) == (len(data) - 16, data[-16:])
        assert source.read(1) == b""
        assert server.paths == ["/x"] * 2
        source.seek(5)
        with pytest.raises(ConnectionLostError, match="place: the server answers 404 Not Found"):
            source.read(1)
        source.close()


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan")])
def test_a_time_out_is_a_time(timeout_s: float) -> None:
    with pytest.raises(
        ValueError, match=f"timeout_s must be above 0 seconds, or None without a limit, got {timeout_s}"
    ):
        probe("tcp://127.0.0.1:1", timeout_s=timeout_s)
