"""``Runner.reconnect``: a source is opened again now, in every wait; one that is read once is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from flow_kit import BYPASS, Kept, Scripted, States

from picasso.flow import RestartPolicy, Runner, SourceState
from picasso.testing import FakeClock

HOURLY = RestartPolicy(first_s=3600, most_s=3600, jitter=0, on_end=True)


class Interruptible(Scripted):
    """A camera whose running iteration can be ended."""

    def interrupt(self) -> None:
        self.go()


def test_a_source_that_waits_to_be_opened_is_opened_at_once(fake_clock: FakeClock) -> None:
    """The clock stands still: no time passes until the next attempt."""
    states, sink = States(), Kept()
    camera = Scripted("cam", [0, OSError("the cable was cut")], [1, "wait"], restart=HOURLY, is_live=True)
    with Runner(BYPASS, clock=fake_clock, on_state=states) as runner:
        runner.add(camera, sinks=[sink])
        runner.start()
        states.wait_for(SourceState.BACKING_OFF)
        assert runner.can_reconnect("cam")
        assert runner.reconnect("cam")
        states.wait_for(SourceState.LIVE, 2)
        (status,) = runner.statuses()
        assert (status.restarts, camera.opened) == (1, 2)
    assert sink.frames == [0, 1]


def test_a_live_source_is_closed_and_opened_again(fake_clock: FakeClock) -> None:
    states, sink = States(), Kept()
    camera = Interruptible("cam", [0, "wait"], [1, "wait"], restart=HOURLY, is_live=True)
    with Runner(BYPASS, clock=fake_clock, on_state=states) as runner:
        runner.add(camera, sinks=[sink])
        runner.start()
        camera.waits.wait()
        assert runner.reconnect("cam")
        states.wait_for(SourceState.LIVE, 2)
        assert camera.opened == 2
        assert states.seen[:4] == [SourceState.CONNECTING, SourceState.LIVE] * 2  # it did not wait in between
    assert sink.seen[:2] == [0, "eos"]
    assert sink.frames == [0, 1]


def test_the_next_wait_is_as_long_as_ever(fake_clock: FakeClock) -> None:
    states = States()
    camera = Scripted("cam", [OSError("away")], restart=HOURLY, is_live=True)
    with Runner(BYPASS, clock=fake_clock, on_state=states) as runner:
        runner.add(camera)
        runner.start()
        states.wait_for(SourceState.BACKING_OFF)
        assert runner.reconnect("cam")
        states.wait_for(SourceState.BACKING_OFF, 2)
        assert camera.opened == 2  # and it waits again, although it was told to hurry before


def test_what_is_read_once_cannot_be_opened_again(fake_clock: FakeClock) -> None:
    file = Scripted("file", [0, "wait", 1])
    with Runner(BYPASS, clock=fake_clock) as runner:
        runner.add(file)
        runner.start()
        file.waits.wait()
        assert (runner.can_reconnect("file"), runner.reconnect("file"), file.opened) == (False, False, 1)


def test_a_source_that_is_held_or_over_is_not_opened(fake_clock: FakeClock) -> None:
    states = States()
    camera = Interruptible("cam", [0, "wait"], restart=HOURLY, is_live=True)
    with Runner(BYPASS, clock=fake_clock, on_state=states) as runner:
        runner.add(camera)
        runner.start()
        camera.waits.wait()
        runner.pause("cam")
        states.wait_for(SourceState.PAUSED)
        assert not runner.reconnect("cam")
        with pytest.raises(KeyError):
            runner.reconnect("nix")
        runner.stop()
        states.wait_for(SourceState.ENDED)
        assert not runner.can_reconnect("cam")
