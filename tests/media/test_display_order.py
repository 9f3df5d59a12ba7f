"""Pictures and the times of their packets: own ones where the container tells, sorted ones where it does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picasso.media.order import PATIENCE, DisplayOrder

Out = list[tuple[int, int | None]]
GROUP = [0, 2, 3, 1]
"""In which order the pictures of four packets are shown: I P B B."""


def display(groups: int, group: list[int] = GROUP) -> list[int]:
    return [index * len(group) + packet for index in range(groups) for packet in group]


def shown(packets_as_shown: list[int], times: list[int | None], *, delay: int = 4) -> tuple[Out, DisplayOrder[int]]:
    """Feed packets, each with its time; the decoder shows a picture some packets after its own, or later."""
    order: DisplayOrder[int] = DisplayOrder(lambda: True)
    out: Out = []
    waiting = [*reversed(packets_as_shown)]
    for number, time in enumerate(times):
        order.feed(number, time)
        while waiting and number >= max(waiting[-1], len(packets_as_shown) - len(waiting) + delay):
            out += order.show(waiting[-1], waiting.pop())
    for packet in reversed(waiting):
        out += order.show(packet, packet)
    out += order.flush()
    assert [picture for picture, _ in out] == packets_as_shown
    return out, order


def proper(packets_as_shown: list[int]) -> list[int | None]:
    times: list[int | None] = [None] * (max(packets_as_shown) + 1)
    for index, packet in enumerate(packets_as_shown):
        times[packet] = 40 * index
    return times


groups = st.permutations(range(4)).map(list)


@given(st.integers(1, 10), groups, st.integers(4, 9))
def test_where_the_container_knows_the_order_each_picture_has_its_own_time(
    count: int, group: list[int], delay: int
) -> None:
    packets = display(count, group)
    out, order = shown(packets, proper(packets), delay=delay)
    assert [time for _, time in out] == [40 * index for index in range(len(packets))]
    assert order.moved == 0


@given(st.integers(1, 10), groups, st.integers(4, 9))
def test_where_it_counts_packets_the_times_are_sorted(count: int, group: list[int], delay: int) -> None:
    packets = display(count, group)
    out, order = shown(packets, [40 * number for number in range(len(packets))], delay=delay)
    assert [time for _, time in out] == [40 * index for index in range(len(packets))]
    assert order.moved == sum(packet != index for index, packet in enumerate(packets))


@given(st.sets(st.integers(0, 39), max_size=12))
def test_pictures_that_never_come_take_no_time_from_the_others(lost: set[int]) -> None:
    packets = display(10)
    times = proper(packets)
    kept = [packet for packet in packets if packet not in lost]
    out, order = shown(kept, times)
    assert [time for _, time in out] == [times[packet] for packet in kept]
    assert order.moved == 0


def test_a_packet_that_is_known_to_be_lost_holds_nothing_back() -> None:
    order: DisplayOrder[str] = DisplayOrder(lambda: True)
    for number in range(3):
        order.feed(number, 40 * number)
    assert list(order.show(0, "a")) == [("a", 0)]
    order.lose(1)
    assert list(order.show(2, "c")) == [("c", 80)]


def test_a_picture_waits_only_for_an_earlier_packet_with_an_earlier_time() -> None:
    order: DisplayOrder[int] = DisplayOrder(lambda: True)
    for number in range(PATIENCE + 4):
        order.feed(number, 40 * number)
    assert len(list(order.show(0, 0))) == 1
    counts = [len(list(order.show(number, number))) for number in range(2, PATIENCE + 4)]
    assert counts == [0] * PATIENCE + [PATIENCE + 1, 1]


def test_a_decoder_that_does_not_reorder_holds_nothing_back() -> None:
    order: DisplayOrder[int] = DisplayOrder(lambda: False)
    for number in range(4):
        order.feed(number, 40 * number)
    assert [list(order.show(number, number)) for number in (0, 3)] == [[(0, 0)], [(3, 120)]]


def test_packets_that_are_counted_from_0_again_are_sorted_after_those_before() -> None:
    packets = display(4)
    times: list[int | None] = [40 * (number % 8) for number in range(16)]
    out, _ = shown(packets, times)
    assert [time for _, time in out] == [40 * (index % 8) for index in range(16)]


def test_a_picture_without_a_time_stays_without_one() -> None:
    packets = display(2)
    out, _ = shown(packets, [None if number == 5 else 40 * number for number in range(8)])
    assert dict(out)[5] is None
    assert sorted(time for _, time in out if time is not None) == [0, 40, 80, 120, 160, 240, 280]
