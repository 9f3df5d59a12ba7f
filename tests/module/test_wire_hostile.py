"""Peers that send what they should not: each message is told, and the sources beside it never notice."""

from __future__ import annotations

from pathlib import Path

import pytest
from wire_module_kit import config_of, encode, frame_of, running, send

from picasso.primitives import EndOfStream, Message, VideoFrame

HUGE = 2**62


def strange_frames() -> dict[str, VideoFrame]:
    """Frames that the protocol carries, and that no module can work with."""
    far = frame_of(0, "jpeg", source_id="evil")
    far.time_base, far.pts, far.dts = (1000, 1), HUGE, HUGE
    longest = frame_of(0, "jpeg", source_id="evil")
    longest.time_base, longest.duration = (1, 1), HUGE
    rate = frame_of(0, "jpeg", source_id="evil")
    rate.fps = (10**17, 1)
    unnamed = frame_of(0, "jpeg", source_id="")
    codec = frame_of(0, "jpeg", source_id="evil")
    codec.codec = "no such codec"
    nothing = frame_of(0, "jpeg", source_id="evil")
    nothing.codec = None
    large = frame_of(0, "raw-rgba", source_id="evil", size=(2**31 - 1, 2**31 - 1))
    return {
        "far": far,
        "longest": longest,
        "rate": rate,
        "unnamed": unnamed,
        "codec": codec,
        "none": nothing,
        "large": large,
    }


@pytest.mark.parametrize("what", strange_frames())
def test_a_frame_that_nobody_can_work_with_ends_nobody_else(what: str, tmp_path: Path) -> None:
    (_, _, data), *_ = units = encode("jpeg")
    with running(config_of(tmp_path)) as one:
        one.writer.send("evil", Message.video_frame(strange_frames()[what]), data)
        send(one.writer, units, "jpeg")
        one.writer.send_eos("cam")
    assert one.story() == "ffffffE"


def test_who_writes_one_name_outside_and_another_inside_is_refused(tmp_path: Path) -> None:
    """What a reader filters, refuses and acknowledges by is the name outside."""
    units = encode("jpeg")
    with running(config_of(tmp_path, source_id_prefix="c")) as one:
        number, _, data = units[0]
        one.writer.send("cam", Message.video_frame(frame_of(number, "jpeg", source_id="evil")), data)
        one.writer.send("cam", Message.video_frame(frame_of(number, "jpeg", source_id="cellar")), data)
        send(one.writer, units, "jpeg")
        one.writer.send("camera", Message.end_of_stream(EndOfStream("cam")))
        send(one.writer, units, "jpeg", start_ns=10**9)
        one.writer.send_eos("cam")
    assert one.story() == "ffffffffffffE"  # the end of another's stream is none
    assert (one.story("evil"), one.story("cellar")) == ("", "")


def test_sources_that_come_and_go_do_not_pile_up(tmp_path: Path) -> None:
    (number, _, data), *_ = encode("jpeg")
    config = config_of(tmp_path, {"max_parallel_streams": 2})
    with running(config) as one:
        for index in range(40):
            name = f"s{index}"
            one.writer.send(name, Message.video_frame(frame_of(number, "jpeg", source_id=name)), data)
            one.writer.send_eos(name)
        assert sum(not status.state.is_over for status in one.module.statuses()) <= 8
