"""A signal wakes each thread that watches it, once, in any order of threads and families."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from picasso.media import StopSignal


@given(st.lists(st.integers(0, 3), max_size=8), st.integers(0, 3))
def test_a_signal_wakes_its_watchers_and_those_of_its_descendants(parents: list[int], which: int) -> None:
    """Each signal but the first has one before it as its parent."""
    signals = [StopSignal()]
    lines = [[0]]
    for parent in parents:
        above = min(parent, len(signals) - 1)
        lines.append([*lines[above], len(signals)])
        signals.append(StopSignal(signals[above]))
    woken: list[int] = []
    chosen = min(which, len(signals) - 1)

    def watch(number: int) -> None:
        if number == len(signals):
            signals[chosen].set()
            signals[chosen].set()
            return
        with signals[number].watched_by(lambda: woken.append(number)):
            watch(number + 1)

    watch(0)
    expected = [number for number, line in enumerate(lines) if chosen in line]
    assert sorted(woken) == expected
    assert [number for number, signal in enumerate(signals) if signal.is_set] == expected


def test_who_watches_late_is_woken_at_once_and_who_has_left_is_not() -> None:
    signal, woken = StopSignal(), []
    with signal.watched_by(lambda: woken.append("left")):
        pass
    signal.set()
    with signal.watched_by(lambda: woken.append("late")):
        assert woken == ["late"]
    assert woken == ["late"]


def test_a_waker_may_set_and_watch_the_signal_itself() -> None:
    """As a reader does that is collected while another one is woken."""
    signal, woken = StopSignal(), []

    def wake() -> None:
        signal.set()
        with signal.watched_by(lambda: woken.append("inner")):
            woken.append("outer")

    setting = threading.Thread(target=signal.set)
    with signal.watched_by(wake):
        setting.start()
        setting.join(20)
        assert not setting.is_alive()
    assert woken == ["inner", "outer"]
