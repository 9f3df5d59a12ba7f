"""Messages in a file: recorded with their times, replayed at them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picasso.client import DumpReader, DumpWriter, replay
from picasso.errors import MediaError
from picasso.testing import FakeClock
from picasso.wire import MessageKind, Reader, Received, Writer
from picasso.wire.envelope import end_of_stream

messages = st.lists(
    st.tuples(st.text(min_size=1, max_size=9), st.binary(max_size=40), st.lists(st.binary(max_size=40), max_size=3)),
    max_size=6,
)


def received(source_id: str, data: bytes, parts: list[bytes]) -> Received:
    return Received(source_id, MessageKind.UNKNOWN, data, tuple(map(memoryview, parts)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(messages)
def test_what_is_written_is_read(tmp_path: Path, written: list[tuple[str, bytes, list[bytes]]]) -> None:
    with DumpWriter(tmp_path / "a.messages") as writer:
        for number, (source_id, data, parts) in enumerate(written):
            writer.write(received(source_id, data, parts), time_ns=1000 + 7 * number)
    read = list(DumpReader(tmp_path / "a.messages"))
    assert [(one.source_id, one.message, list(one.payload)) for one in read] == written
    assert [one.time_ns for one in read] == [7 * number for number in range(len(written))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_file_that_breaks_off_gives_what_is_whole_and_one_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.messages"
    with DumpWriter(path) as writer:
        for number in range(3):
            writer.write(received("a", b"message", [b"payload"]), time_ns=number)
    whole = path.read_bytes()
    size = (len(whole) - 19) // 3
    cut = data.draw(st.integers(19, len(whole) - 1))
    path.write_bytes(whole[:cut])
    reader, came = DumpReader(path), []
    if (cut - 19) % size == 0:
        assert len(list(reader)) == (cut - 19) // size
        return
    with pytest.raises(MediaError, match="breaks off within a message"):
        came.extend(one for one in reader)
    path.write_bytes(b"something else")
    with pytest.raises(MediaError, match="holds no recorded messages"):
        DumpReader(path)


def test_messages_are_sent_again_at_their_times(tmp_path: Path) -> None:
    path = tmp_path / "a.messages"
    with DumpWriter(path) as writer:
        for number in range(3):
            writer.write(received("a", end_of_stream("a"), []), time_ns=number * 10_000_000_000)
    clock = FakeClock()
    with Reader(f"sub+bind:ipc://{tmp_path}/in.ipc") as reader, Writer(f"pub+connect:{reader.address}") as sender:
        sent = replay(DumpReader(path), sender, speed=2.0, clock=clock)
        times = []
        for number in range(3):
            clock.advance(5.0 * bool(number))
            times.append((next(sent).time_ns, clock.now_ns()))
    assert [time for time, _ in times] == [0, 10_000_000_000, 20_000_000_000]
    began = times[0][1]
    assert [now - began for _, now in times] == [0, 5_000_000_000, 10_000_000_000]
    with pytest.raises(ValueError, match="speed = 0: expected a factor > 0"):
        next(replay(DumpReader(path), sender, speed=0))
