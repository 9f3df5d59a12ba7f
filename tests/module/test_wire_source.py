"""``zeromq_source_bin``: what comes in through a socket, what begins and ends a stream, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wire_module_kit import ENCODERS, NS, SIZE, STEP_NS, config_of, encode, frame_of, running, send

from picasso.module import ConfigError, Module
from picasso.primitives import Message, Shutdown, VideoFrameBatch, VideoFrameContent
from picasso.testing import FakeClock

RGBA = {"output_frame": {"codec": "raw-rgba"}}


@pytest.mark.parametrize("codec", [*ENCODERS, "raw-rgba"])
def test_every_codec_comes_through_with_its_pixels_times_and_boxes(codec: str, tmp_path: Path) -> None:
    with running(config_of(tmp_path, RGBA)) as one:
        send(one.writer, encode(codec), codec)
        one.writer.send_eos("cam")
    assert one.story() == "ffffffE"
    for number, frame in enumerate(one.frames()):
        assert frame.pts == (number + 4) * STEP_NS
        assert frame.duration == STEP_NS
        box = frame.get_object(0).detection_box  # type: ignore[union-attr]
        assert (box.xc, box.yc, box.width, box.height) == (10 + number, 20, 8, 4)
        pixels = np.frombuffer(frame.content.get_data(), np.uint8)
        assert abs(pixels.reshape(*SIZE[::-1], 4)[..., :3].mean() - (30 + 20 * number)) < 6, (codec, number)
    assert one.dropped() == {}


def test_many_sources_of_one_socket_are_each_in_order(tmp_path: Path) -> None:
    units = encode("jpeg")
    with running(config_of(tmp_path)) as one:
        for index, (number, is_key, data) in enumerate(units):
            for name in ("a", "b", "c"):
                frame = frame_of(number, "jpeg", source_id=name, keyframe=is_key, decoded=index)
                one.writer.send(name, Message.video_frame(frame), data)
        one.writer.send_eos("b")
    for name in ("a", "b", "c"):
        assert [frame.pts for frame in one.frames(name)] == [(n + 4) * STEP_NS for n in range(6)]
        assert one.story(name) == "ffffffE"


def test_a_stream_that_ended_may_begin_again(tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        for _ in range(3):
            send(one.writer, encode("h264"), "h264")
            one.writer.send_eos("cam")
        one.writer.send_eos("cam")  # an end of nothing is not an end
    assert one.story() == "ffffffE" * 3


def test_a_stream_begins_with_a_keyframe(tmp_path: Path) -> None:
    units = encode("h264")
    with running(config_of(tmp_path)) as one:
        send(one.writer, type(units)(units[1:]), "h264")
        send(one.writer, units, "h264", start_ns=NS)
    assert one.story() == "ffffffE"
    assert one.frames()[0].pts == NS + 4 * STEP_NS
    assert one.dropped() == {"no_keyframe": 5}


@pytest.mark.parametrize("codec", ["h264", "hevc", "jpeg"])
def test_a_keyframe_that_nobody_marked_is_seen_in_its_bytes(codec: str, tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        for index, (number, _, data) in enumerate(encode(codec)):
            frame = frame_of(number, codec, keyframe=None, decoded=index)
            one.writer.send("cam", Message.video_frame(frame), data)
    assert one.story() == "ffffffE"


@pytest.mark.parametrize(
    ("codec", "size", "rate"), [("hevc", SIZE, "25/1"), ("h264", (96, 64), "25/1"), ("h264", SIZE, "30/1")]
)
def test_another_codec_size_or_rate_is_another_stream(
    codec: str, size: tuple[int, int], rate: str, tmp_path: Path
) -> None:
    with running(config_of(tmp_path, RGBA)) as one:
        send(one.writer, encode("h264"), "h264")
        for index, (number, is_key, data) in enumerate(encode(codec, size=size)):
            frame = frame_of(number, codec, keyframe=is_key, decoded=index, size=size, start_ns=NS)
            frame.framerate = rate
            one.writer.send("cam", Message.video_frame(frame), data)
    assert one.story() == "ffffffEffffffE"
    second = one.frames()[6]
    box = second.get_object(0).detection_box  # type: ignore[union-attr]
    assert box.xc == pytest.approx(10 * 64 / size[0])


@pytest.mark.parametrize(("setting", "story"), [(True, "ffffffEffffffE"), (False, "ffffffffffffE")])
def test_pictures_of_another_size_are_another_stream_where_that_is_set(
    setting: bool, story: str, tmp_path: Path
) -> None:
    with running(config_of(tmp_path, RGBA, eos_on_frame_resolution_change=setting)) as one:
        send(one.writer, encode("jpeg"), "jpeg")
        send(one.writer, encode("jpeg", size=(32, 32)), "jpeg", size=(32, 32), start_ns=NS)
    assert one.story() == story
    assert {len(frame.content.get_data()) for frame in one.frames()} == {64 * 48 * 4}


def test_times_that_go_back_are_another_stream(tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        send(one.writer, encode("h264"), "h264", start_ns=NS)
        send(one.writer, encode("h264"), "h264")
    assert one.story() == "ffffffEffffffE"


def test_times_of_any_base_are_nanoseconds_inside(tmp_path: Path) -> None:
    (_, _, data), *_ = encode("jpeg")
    with running(config_of(tmp_path)) as one:
        frame = frame_of(0, "jpeg")
        frame.time_base, frame.pts, frame.dts, frame.duration = (1, 90_000), 9_000, None, 3_600
        one.writer.send("cam", Message.video_frame(frame), data)
    (came,) = one.frames()
    assert (came.time_base, came.pts, came.duration) == ((1, NS), NS // 10, 40_000_000)


def test_bytes_that_cannot_be_decoded_blacklist_their_source_and_no_other(tmp_path: Path) -> None:
    with running(config_of(tmp_path, blacklist_ttl=3600)) as one:
        send(one.writer, encode("jpeg"), "jpeg")
        one.writer.send_eos("cam")
        one.writer.send("cam", Message.video_frame(frame_of(0, "jpeg", start_ns=NS)), b"no jpeg at all")
        while one.dropped() != {"undecodable": 1}:
            send(one.writer, encode("jpeg", 1), "jpeg", source_id="other")
            one.writer.send_eos("other")
        send(one.writer, encode("jpeg"), "jpeg", start_ns=2 * NS)
    assert one.story() == "ffffffE"
    assert one.dropped() == {"undecodable": 1}
    assert one.frames("other")
    assert one.dropped("other") == {}


def test_a_picture_of_another_size_than_its_frame_says_is_dropped(tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        send(one.writer, encode("jpeg", 1, size=(32, 32)), "jpeg")
        send(one.writer, encode("jpeg", 1), "jpeg", start_ns=NS)
    assert one.story() == "fE"
    assert one.dropped() == {"size differs": 1}


@pytest.mark.parametrize(
    ("content", "payload"),
    [
        (VideoFrameContent.none(), b""),
        (VideoFrameContent.external("s3", "bucket/key"), b""),
        (VideoFrameContent.external("zeromq"), b""),
        (VideoFrameContent.internal(b""), b""),
    ],
    ids=["none", "elsewhere", "empty", "empty-inside"],
)
def test_a_frame_without_pixels_is_dropped(content: VideoFrameContent, payload: bytes, tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        one.writer.send("cam", Message.video_frame(frame_of(0, "jpeg", content=content)), payload)
        send(one.writer, encode("jpeg", 1), "jpeg", start_ns=NS)
    assert one.story() == "fE"
    assert sum(one.dropped().values()) == 1


def test_payloads_may_lie_inside_their_message_alone_or_in_a_batch(tmp_path: Path) -> None:
    (_, _, data), *_ = encode("jpeg")
    batch = VideoFrameBatch()
    for index, name in enumerate(("a", "b")):
        batch.add(index, frame_of(0, "jpeg", source_id=name, content=VideoFrameContent.internal(data)))
    with running(config_of(tmp_path)) as one:
        one.writer.send("batch", Message.video_frame_batch(batch))
        inside = frame_of(1, "jpeg", source_id="a", content=VideoFrameContent.internal(data))
        one.writer.send("a", Message.video_frame(inside))
        one.writer.send("a", Message.video_frame(frame_of(2, "jpeg", source_id="a")), data[:100], data[100:])
    assert [one.story("a"), one.story("b")] == ["fffE", "fE"]


def test_more_sources_than_may_be_are_rejected_and_the_others_go_on(tmp_path: Path) -> None:
    units = encode("jpeg", 1)
    with running(config_of(tmp_path, {"max_parallel_streams": 2})) as one:
        for name in ("a", "b", "c"):
            send(one.writer, units, "jpeg", source_id=name)
        one.writer.send_eos("a")
        send(one.writer, units, "jpeg", source_id="c", start_ns=NS)
    assert [one.story(name) for name in "abc"] == ["fE", "fE", "fE"]
    assert one.dropped("c") == {"max_parallel_streams": 1}


def test_sources_that_come_once_do_not_pile_up(tmp_path: Path) -> None:
    """A source stays for ``source_timeout`` behind its end; with many of them, those go first that ended first."""
    (_, _, data), *_ = encode("jpeg", 1)
    names = [f"s{number}" for number in range(60)]
    most = 0
    with running(config_of(tmp_path, {"max_parallel_streams": 2}, source_timeout=3600)) as one:
        for name in names:
            one.writer.send(name, Message.video_frame(frame_of(0, "jpeg", source_id=name)), data)
            one.writer.send_eos(name)
            most = max(most, sum(not status.state.is_over for status in one.module.statuses()))
    assert [one.story(name) for name in names] == ["fE"] * 60
    assert most < 20
    assert sum(status.delivered for status in one.module.statuses()) == 60


def filter_by_label(frame: Any) -> bool:
    if frame.pts == 5 * STEP_NS:
        raise RuntimeError("boom")
    return bool(frame.pts != 6 * STEP_NS)


def test_a_filter_of_the_user_decides_and_one_that_raises_lets_frames_with_content_pass(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config["pipeline"]["source"]["ingress_frame_filter"] = {"module": __file__, "class_name": "filter_by_label"}
    with running(config) as one:
        send(one.writer, encode("jpeg", 4), "jpeg")
    assert [frame.pts // STEP_NS for frame in one.frames()] == [4, 5, 7]
    assert one.dropped() == {"filtered": 1}


@pytest.mark.parametrize(
    ("properties", "takes"),
    [({"source_id": "cam"}, {"cam"}), ({"source_id_prefix": "cam"}, {"cam", "cam-2"}), ({}, {"cam", "cam-2", "dog"})],
)
def test_only_sources_that_were_asked_for_come_in(properties: dict[str, str], takes: set[str], tmp_path: Path) -> None:
    with running(config_of(tmp_path, **properties)) as one:
        for name in ("cam", "cam-2", "dog"):
            send(one.writer, encode("jpeg", 1), "jpeg", source_id=name)
    assert {name for name in ("cam", "cam-2", "dog") if one.frames(name)} == takes


def test_a_silent_stream_is_ended_and_its_source_let_go(tmp_path: Path) -> None:
    clock = FakeClock()
    with running(config_of(tmp_path, source_timeout=60, source_eviction_interval=0.01), clock=clock) as one:
        send(one.writer, encode("h264"), "h264")
        one.writer.send_eos("other")  # who has answered this has taken every frame
        while one.story() != "ffffffE":
            clock.advance(61)
            one.writer.send_eos("other")
        while any(not status.state.is_over for status in one.module.statuses()):
            clock.advance(61)
            one.writer.send_eos("other")
        send(one.writer, encode("h264"), "h264")
    assert one.story() == "ffffffEffffffE"
    (status,) = one.module.statuses()
    assert (status.read, status.delivered, status.dropped) == (12, 12, 0)


def test_what_does_not_decode_as_a_frame_is_counted_and_nothing_ends(tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        one.writer.send("cam", b"\x2a\x02\x38\x00", b"")  # a frame of width 0
        one.writer.send("cam", b"\x2a\x00", b"")
        send(one.writer, encode("jpeg", 1), "jpeg")
    assert one.story() == "fE"


@pytest.mark.parametrize("key", [None, "secret"])
def test_only_the_right_key_shuts_a_module_down_and_everything_comes_out(
    key: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parameters = {} if key is None else {"shutdown_auth": key}
    with running(config_of(tmp_path, parameters)) as one:
        send(one.writer, encode("h264"), "h264")
        for wrong in ("", "Secret", "secret2", "sécret"):
            one.writer.send("cam", Message.shutdown(Shutdown(wrong)))
        send(one.writer, encode("jpeg", 1), "jpeg", source_id="before")
        one.writer.send_eos("before")
        assert one.module.state == "running"
        if key is not None:
            one.writer.send("cam", Message.shutdown(Shutdown(key)))
            one.is_told_to_end = True
    assert one.story() == "ffffffE"
    assert one.story("before") == "fE"
    why = "parameters.shutdown_auth is not set" if key is None else "its key is not parameters.shutdown_auth"
    assert caplog.messages.count(f"a shutdown message is ignored: {why}") == 4
    assert not any(word in caplog.text for word in ("secret2", "Secret"))


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        (
            {"socket": "pub+bind:ipc:///x"},
            "properties.socket: endpoint 'pub+bind:ipc:///x': pub writes; a reader takes",
        ),
        ({"socket": "nonsense"}, "properties.socket: endpoint 'nonsense': expected"),
        ({"source_id": "a", "source_id_prefix": "b"}, "source_id_prefix: given together with source_id; one of them"),
    ],
)
def test_bad_properties_are_told_before_anything_opens(properties: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        Module(config_of(tmp_path, **properties))


def test_an_address_in_use_is_told_and_nothing_stays_open(tmp_path: Path) -> None:
    with running(config_of(tmp_path)) as one:
        second = Module(config_of(tmp_path), sinks=[])
        with pytest.raises(OSError, match="the address is in use"):
            second.start()
        send(one.writer, encode("jpeg", 1), "jpeg")
    assert one.story() == "fE"
