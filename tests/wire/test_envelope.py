"""The outermost level of a message: read, stamped, and refused where it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.errors import TransportError
from picasso.wire import Gap, MessageKind
from picasso.wire.envelope import end_of_stream, read_envelope, stamped
from picasso.wire.sequence import SequenceCheck, SequenceCounter

numbers = st.integers(1, 2**64 - 1)


@given(source_id=st.text(min_size=1), number=numbers, again=numbers)
def test_a_stamp_is_read_back_and_the_last_one_counts(source_id: str, number: int, again: int) -> None:
    message = stamped(stamped(end_of_stream(source_id), number), again)
    envelope = read_envelope(message)
    assert (envelope.kind, envelope.sequence) == (MessageKind.END_OF_STREAM, again)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_or_one_error(data: bytes) -> None:
    try:
        envelope = read_envelope(data)
    except TransportError:
        return
    assert 0 <= envelope.sequence < 2**64


@given(source_id=st.text(min_size=1, max_size=20), cut=st.integers(1, 12))
def test_a_message_that_is_cut_within_a_field_is_none(source_id: str, cut: int) -> None:
    message = end_of_stream(source_id)
    with pytest.raises(TransportError, match="end within a field"):
        read_envelope(message[: 7 + max(1, len(message) - 7 - cut)])


def test_fields_of_newer_peers_are_passed_over() -> None:
    newer = b"\xa2\x01\x03sys" + b"\xf9\x01" + bytes(8) + b"\xfd\x01" + bytes(4) + b"\xf0\x01\x07"
    assert read_envelope(stamped(newer + end_of_stream("a"), 3)).kind is MessageKind.END_OF_STREAM
    assert read_envelope(newer).kind is MessageKind.NOTHING


def test_more_fields_than_any_message_has_are_refused() -> None:
    with pytest.raises(TransportError, match="more than 100000 fields"):
        read_envelope(b"\x12\x00" * 100_001)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=60))
def test_numbers_of_a_counter_never_have_a_gap(messages: list[tuple[str, bool]]) -> None:
    counter, check = SequenceCounter(), SequenceCheck()
    for source_id, is_end in messages:
        number = counter.next(source_id)
        if is_end:
            counter.end(source_id)
        assert check.check(source_id, number, is_end=is_end) is None


@given(st.sets(st.integers(1, 60), min_size=1))
def test_what_is_missed_is_what_did_not_come(came: set[int]) -> None:
    check = SequenceCheck()
    gaps = [check.check("a", number) for number in sorted(came)]
    assert sum(gap.missed for gap in gaps if gap) == max(came) - len(came)
    assert not any(gap.is_restart for gap in gaps if gap)


@pytest.mark.parametrize(
    ("numbers", "gap", "missed", "restart"),
    [
        ([1, 2, 3], None, 0, False),
        ([4], Gap(1, 4), 3, False),
        ([1, 2, 1], Gap(3, 1), 0, True),
        ([1, 2, 3, 2], Gap(4, 2), 1, True),
        ([0, 0], None, 0, False),
        ([1, -2, 1], None, 0, False),
        ([1, -2, 3], None, 0, False),
        ([1, -2, 5], Gap(3, 5), 2, False),
        ([1, 2, 3, -4, 3], Gap(1, 3), 2, False),
    ],
    ids=str,
)
def test_gaps(numbers: list[int], gap: Gap | None, missed: int, restart: bool) -> None:
    """A negative number ends the stream."""
    check, found = SequenceCheck(), None
    for number in numbers:
        found = check.check("a", abs(number), is_end=number < 0)
    assert found == gap
    if found is not None:
        assert (found.missed, found.is_restart) == (missed, restart)
