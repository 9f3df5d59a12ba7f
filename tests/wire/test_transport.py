"""Readers and writers: what arrives, what is acknowledged, what is refused, what is reported as lost."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
import zmq
from wire_kit import FRAME, PAIRS, meet, pair, take

from picasso.errors import SpecError, TransportError, TransportTimeoutError
from picasso.wire import MessageKind, Reader, Received, Rejected, RejectReason, TimedOut, Writer
from picasso.wire.blacklist import Blacklist
from picasso.wire.envelope import end_of_stream, stamped


@pytest.mark.parametrize("reader_binds", [True, False], ids=["reader-binds", "writer-binds"])
@pytest.mark.parametrize(("reading", "writing"), PAIRS)
@pytest.mark.parametrize("protocol", ["ipc", "tcp"])
def test_a_pair_carries_messages_payloads_and_ends(
    protocol: str, reading: str, writing: str, reader_binds: bool, tmp_path: Path
) -> None:
    payloads = [b"", b"small", bytes(100_000), memoryview(b"view" * 10_000), bytearray(b"x" * 50_000)]
    with pair(protocol, reading, writing, tmp_path, reader_binds=reader_binds) as (reader, writer):
        if writing == "pub":
            meet(reader, writer)
        sent: list[object] = []

        def write() -> None:
            sent.extend(writer.send("cam-1", FRAME, payload) for payload in payloads)
            sent.append(writer.send("cam-1", FRAME, b"two", b"parts"))
            sent.append(writer.send_eos("cam-1"))

        thread = threading.Thread(target=write)
        thread.start()
        received = [take(reader) for _ in range(len(payloads) + 2)]
        thread.join()
    assert all(isinstance(one, Received) and one.gap is None and one.source_id == "cam-1" for one in received)
    frames, end = received[:-1], received[-1]
    assert [bytes(one.joined_payload()) for one in frames] == [bytes(p) for p in payloads] + [b"twoparts"]
    assert [len(one.payload) for one in frames] == [1] * len(payloads) + [2]
    assert [one.sequence for one in received] == list(range(1, len(payloads) + 3))
    assert (end.kind, end.payload) == (MessageKind.END_OF_STREAM, ())
    expected = {"pub": [False] * 7, "dealer": [False] * 6 + [True], "req": [True] * 7}[writing]
    assert [one.is_acknowledged for one in sent] == expected  # type: ignore[attr-defined]


def test_a_payload_is_seen_where_zeromq_received_it(tmp_path: Path) -> None:
    with pair("ipc", "router", "dealer", tmp_path) as (reader, writer):
        writer.send("a", FRAME, bytes(range(256)) * 1000)
        received = take(reader)
    assert isinstance(received.payload[0], memoryview)
    assert bytes(received.payload[0]) == bytes(range(256)) * 1000  # also when the socket is closed


def test_a_buffer_that_its_owner_changes_is_sent_as_it_was(tmp_path: Path) -> None:
    buffer = bytearray(b"a" * 1_000_000)
    with pair("ipc", "router", "dealer", tmp_path) as (reader, writer):
        writer.send("a", FRAME, buffer)
        buffer[:] = b"b" * len(buffer)
        assert set(take(reader).payload[0]) == {ord("a")}


def test_a_send_that_nobody_takes_is_never_a_success(tmp_path: Path) -> None:
    patience = {"send_timeout_s": 0.02, "send_retries": 2}
    with Writer(f"dealer+connect:ipc://{tmp_path}/no one.ipc", **patience) as writer:
        with pytest.raises(TransportTimeoutError, match=r"no one took a message within 0\.06 s"):
            writer.send("a", FRAME)
        assert (writer.stats().sent, writer.stats().lost) == (0, 1)
    with Reader(f"router+bind:ipc://{tmp_path}/r.ipc") as reader, Writer(f"dealer+connect:{reader.address}") as writer:
        assert writer.send("a", FRAME).sequence == 1


def test_a_full_reader_makes_the_writer_time_out(tmp_path: Path) -> None:
    patience = {"send_hwm": 1, "send_timeout_s": 0.05, "send_retries": 0}
    with (
        Reader(f"router+bind:ipc://{tmp_path}/r.ipc", receive_hwm=1) as reader,
        Writer(f"dealer+connect:{reader.address}", **patience) as writer,
    ):
        error = None
        while error is None:
            try:
                writer.send("a", FRAME, bytes(65_536))
            except TransportTimeoutError as timeout:
                error = timeout
        sent = writer.stats().sent
        assert [take(reader).sequence for _ in range(sent)] == list(range(1, sent + 1))
        assert isinstance(reader.receive(0), TimedOut)
        writer.send("a", FRAME)
        gap = take(reader).gap
    assert gap is not None
    assert gap.missed == 1  # the one that was told as lost


@pytest.mark.parametrize("kind", ["dealer", "req"])
def test_an_end_that_nobody_acknowledges_is_never_a_success(kind: str, tmp_path: Path) -> None:
    context = zmq.Context()
    peer = context.socket(zmq.ROUTER if kind == "dealer" else zmq.REP)
    try:
        peer.bind(f"ipc://{tmp_path}/mute.ipc")
        patience = {"receive_timeout_s": 0.02, "receive_retries": 1}
        with Writer(f"{kind}+connect:ipc://{tmp_path}/mute.ipc", **patience) as writer:
            with pytest.raises(TransportTimeoutError, match=r"no one acknowledged a message within 0\.04 s"):
                writer.send_eos("a")
            first = peer.recv_multipart()
            answer = [first[0], b"OK"] if kind == "dealer" else [b"OK"]
            peer.send_multipart(answer)  # too late: it must not count for the next one
            with pytest.raises(TransportTimeoutError):
                writer.send_eos("a")
    finally:
        context.destroy(linger=0)


def test_a_request_whose_answer_was_lost_does_not_end_all_sending(tmp_path: Path) -> None:
    context = zmq.Context()
    peer = context.socket(zmq.REP)
    try:
        peer.bind(f"ipc://{tmp_path}/rep.ipc")
        patience = {"receive_timeout_s": 0.02, "receive_retries": 0, "send_timeout_s": 10.0}
        with Writer(f"req+connect:ipc://{tmp_path}/rep.ipc", **patience) as writer:
            with pytest.raises(TransportTimeoutError):
                writer.send("a", FRAME)
            assert peer.poll(5000)
            assert peer.recv_multipart()[0] == b"a"
            peer.send(b"OK")
            with pytest.raises(TransportTimeoutError):
                writer.send("a", FRAME)
            assert peer.poll(5000)
            assert peer.recv_multipart()[1] == stamped(FRAME, 2)
    finally:
        context.destroy(linger=0)


@pytest.mark.parametrize(("reading", "writing"), PAIRS[:2])
def test_only_chosen_sources_pass_and_the_others_are_answered(reading: str, writing: str, tmp_path: Path) -> None:
    with Reader(f"{reading}+bind:ipc://{tmp_path}/r.ipc", source_id_prefix="cam-", receive_timeout_s=5) as reader:
        with Writer(f"{writing}+connect:{reader.address}") as writer:
            results = []
            thread = threading.Thread(target=lambda: [writer.send(s, FRAME) for s in ("cam-1", "dog", "cam-")])
            thread.start()
            results = [take(reader) for _ in range(3)]
            thread.join()
    assert [(type(one), one.source_id) for one in results] == [
        (Received, "cam-1"),
        (Rejected, "dog"),
        (Received, "cam-"),
    ]
    assert results[1].reason is RejectReason.FILTERED


def test_a_subscriber_never_gets_what_it_did_not_ask_for(tmp_path: Path) -> None:
    with Writer(f"pub+bind:ipc://{tmp_path}/p.ipc") as writer:
        with Reader(f"sub+connect:{writer.address}", source_id="cam-1", receive_timeout_s=5) as reader:
            while not isinstance(reader.receive(0.02), Received):
                writer.send("cam-1", FRAME)
            for source_id in ("dog", "cam-10", "cam-1"):
                writer.send(source_id, FRAME, b"last")
            results = [take(reader)]
            while results[-1].source_id != "cam-1" or bytes(results[-1].payload[0]) != b"last":  # type: ignore[union-attr]
                results.append(take(reader))
    assert {one.source_id for one in results if isinstance(one, Received)} == {"cam-1"}
    assert [one.reason for one in results if isinstance(one, Rejected)] == [RejectReason.FILTERED]  # cam-10


def test_a_blacklisted_source_is_refused_until_its_time_is_over() -> None:
    now_s = [0.0]
    blacklist = Blacklist(size=2, ttl_s=10, now_s=lambda: now_s[0])
    for source_id in ("a", "b", "c"):
        blacklist.add(source_id)
    assert ["a" in blacklist, "b" in blacklist, "c" in blacklist] == [False, True, True]  # the oldest had to go
    now_s[0] = 9.9
    assert "b" in blacklist
    now_s[0] = 10.0
    assert "b" not in blacklist
    blacklist.add("c")
    blacklist.remove("c")
    assert "c" not in blacklist
    assert len(Blacklist(size=0)._until_s) == 0


@pytest.mark.parametrize(("reading", "writing"), PAIRS[:2])
def test_a_blacklisted_sender_is_told_so_by_nothing_but_is_answered(reading: str, writing: str, tmp_path: Path) -> None:
    with pair("ipc", reading, writing, tmp_path) as (reader, writer):
        reader.blacklist.add("a")
        thread = threading.Thread(
            target=lambda: (writer.send("a", FRAME), writer.send_eos("a"), writer.send("b", FRAME))
        )
        thread.start()
        results = [take(reader) for _ in range(3)]
        thread.join()
    assert [getattr(one, "reason", None) for one in results] == [RejectReason.BLACKLISTED] * 2 + [None]


def test_a_restarted_sender_takes_its_source_over(tmp_path: Path) -> None:
    with Reader(f"router+bind:ipc://{tmp_path}/r.ipc", receive_timeout_s=5) as reader:
        with Writer(f"dealer+connect:{reader.address}") as old, Writer(f"dealer+connect:{reader.address}") as new:
            for _ in range(3):
                old.send("a", FRAME)
                assert isinstance(take(reader), Received)
            new.send("a", FRAME)
            taken_over = take(reader)
            assert isinstance(taken_over, Received)
            assert taken_over.gap is not None
            assert (taken_over.gap.is_restart, taken_over.gap.missed) == (True, 0)
            old.send("a", FRAME)
            late = take(reader)
            assert isinstance(late, Rejected)
            assert late.reason is RejectReason.SUPERSEDED
            thread = threading.Thread(target=old.send_eos, args=("a",))  # answered, and ends nothing
            thread.start()
            assert isinstance(take(reader), Rejected)
            thread.join()
            new.send("a", FRAME)
            following = take(reader)
            assert isinstance(following, Received)
            assert following.gap is None


HOSTILE = [
    [b"only a topic"],
    [b"a", b"\xff\xff\xff"],
    [b"a", b"\x2a\x7f"],
    [b"\xff\xfe", FRAME, b""],
    [b"a", FRAME, *[b""] * 2000],
]


@pytest.mark.parametrize("kind", ["router", "rep"])
@pytest.mark.parametrize("parts", HOSTILE, ids=["one-part", "no-protobuf", "cut", "topic-no-text", "2000-parts"])
def test_hostile_messages_are_one_rejection_and_the_next_one_arrives(
    kind: str, parts: list[bytes], tmp_path: Path
) -> None:
    context = zmq.Context()
    peer = context.socket(zmq.DEALER if kind == "router" else zmq.REQ)
    try:
        with Reader(f"{kind}+bind:ipc://{tmp_path}/r.ipc", receive_timeout_s=5) as reader:
            peer.connect(reader.address)
            peer.send_multipart(parts)
            rejected = take(reader)
            assert isinstance(rejected, Rejected)
            assert rejected.reason is RejectReason.MALFORMED
            if kind == "rep":
                assert peer.recv() == b"OK"
            peer.send_multipart([b"a", stamped(FRAME, 1), b"payload"])
            received = take(reader)
            assert isinstance(received, Received)
            assert bytes(received.payload[0]) == b"payload"
            assert reader.stats().rejected == {RejectReason.MALFORMED: 1}
    finally:
        context.destroy(linger=0)


def test_a_part_beyond_the_limit_ends_its_connection_and_no_other(tmp_path: Path) -> None:
    with Reader(f"router+bind:ipc://{tmp_path}/r.ipc", receive_timeout_s=5, max_part_bytes=1000) as reader:
        with Writer(f"dealer+connect:{reader.address}") as large, Writer(f"dealer+connect:{reader.address}") as small:
            large.send("large", FRAME, bytes(100_000))
            small.send("small", FRAME, bytes(900))
            assert take(reader).source_id == "small"
            assert isinstance(reader.receive(0.05), TimedOut)


def test_stop_ends_a_reader_that_waits(tmp_path: Path) -> None:
    received: list[Received] = []
    with Reader(f"router+bind:ipc://{tmp_path}/r.ipc", receive_timeout_s=3600) as reader:
        thread = threading.Thread(target=lambda: received.extend(reader))
        thread.start()
        with Writer(f"dealer+connect:{reader.address}") as writer:
            writer.send_eos("a")  # it has been read when this returns
        reader.stop()
        thread.join()
    assert [one.kind for one in received] == [MessageKind.END_OF_STREAM]


def test_stop_ends_a_writer_that_waits(tmp_path: Path) -> None:
    writer = Writer(f"dealer+connect:ipc://{tmp_path}/no one.ipc", send_timeout_s=3600)
    errors: list[BaseException] = []
    began = threading.Event()

    def write() -> None:
        began.set()
        try:
            writer.send("a", FRAME)
        except TransportError as error:
            errors.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    began.wait()
    writer.stop()
    thread.join()
    writer.close()
    assert len(errors) == 1
    assert "stopped" in str(errors[0])
    with pytest.raises(TransportError, match="closed"):
        writer.send("a", FRAME)


def test_what_is_closed_says_so_and_closes_once_more(tmp_path: Path) -> None:
    reader = Reader(f"router+bind:ipc://{tmp_path}/r.ipc")
    reader.close()
    reader.close()
    reader.stop()
    with pytest.raises(TransportError, match="the reader is closed"):
        reader.receive()


def test_an_ipc_socket_makes_its_folder_and_lets_everybody_in(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "in.ipc"
    with Reader(f"ipc://{path}"):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o777
    with Reader(f"ipc://{tmp_path}/own.ipc", ipc_permissions=0o600):
        assert stat.S_IMODE(os.stat(tmp_path / "own.ipc").st_mode) == 0o600


def test_an_ipc_address_that_is_in_use_is_not_taken_away(tmp_path: Path) -> None:
    with Reader(f"ipc://{tmp_path}/in.ipc", receive_timeout_s=5) as reader:
        with pytest.raises(TransportError, match="the address is in use"):
            Reader(f"ipc://{tmp_path}/in.ipc")
        with Writer(f"dealer+connect:ipc://{tmp_path}/in.ipc") as writer:
            writer.send("a", FRAME)
            assert isinstance(take(reader), Received)


def test_the_file_of_a_dead_process_is_no_obstacle(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "in.ipc"))
    Reader(f"ipc://{tmp_path}/in.ipc").close()


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda p: Reader(f"ipc://{p}/{'x' * 200}"), TransportError, "."),
        (lambda p: Reader("tcp://256.1.1.1:1"), TransportError, "tcp://256"),
        (lambda p: Reader("ipc:///proc/none/in.ipc"), TransportError, "No such file"),
        (lambda p: Reader(f"ipc://{p}/a", source_id="a", source_id_prefix="b"), SpecError, "exclude each other"),
        (lambda p: Writer(f"sub+bind:ipc://{p}/a"), SpecError, "sub reads"),
    ],
    ids=["path-too-long", "no-host", "no-folder", "id-and-prefix", "writer-of-a-reader"],
)
def test_what_cannot_be_opened_says_why(make: object, error: type[Exception], says: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=says):
        make(tmp_path)  # type: ignore[operator]


def test_a_writer_needs_a_source_and_a_message(tmp_path: Path) -> None:
    with Reader(f"ipc://{tmp_path}/r.ipc", receive_timeout_s=5) as reader:
        with Writer(f"dealer+connect:{reader.address}:cam-7") as writer:
            writer.send(None, FRAME)
            assert take(reader).source_id == "cam-7"
            with pytest.raises(TransportError, match="no message"):
                writer.send("a", b"\xff\xff")
            with pytest.raises(SpecError, match="expected a source id, got ''"):
                writer.send("", FRAME)
            thread = threading.Thread(target=writer.send, args=("b", end_of_stream("b")))
            thread.start()
            assert take(reader).kind is MessageKind.END_OF_STREAM
            thread.join()
