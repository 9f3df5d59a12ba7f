"""``zeromq_sink``: what leaves a module through a socket, and what a chain of two modules makes of a frame."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wire_module_kit import NS, SIZE, STEP_NS, config_of, encode, frame_of, send

from picasso.media.payload import PayloadDecoder
from picasso.module import ConfigError, Frame, Module
from picasso.primitives import Attribute, AttributeValue, Message, VideoFrame, VideoFrameTranscodingMethod
from picasso.wire import Reader, Received, Rejected, Writer

PAIRS = [("PUB", "sub"), ("DEALER", "router"), ("REQ", "rep")]


def wire_config(folder: Path, kind: str = "DEALER", **parameters: Any) -> dict[str, Any]:
    config = config_of(folder, parameters)
    config["pipeline"]["sink"] = [
        {"element": "zeromq_sink", "properties": {"socket": f"ipc://{folder}/out.ipc", "socket_type": kind}}
    ]
    return config


def through(config: Mapping[str, Any], folder: Path, reading: str = "router", codec: str = "jpeg") -> list[Received]:
    """Send six frames and an end through a module; return what came out of its socket."""
    module = Module(config)
    module.start()
    thread = threading.Thread(target=module.run)
    thread.start()
    received: list[Received] = []
    try:
        with (
            Reader(f"{reading}+connect:ipc://{folder}/out.ipc", receive_timeout_s=60) as reader,
            Writer(f"dealer+connect:ipc://{folder}/in.ipc") as writer,
        ):
            while reading == "sub" and not isinstance(reader.receive(0.02), Received):
                send(writer, encode("jpeg", 1), "jpeg", source_id="meet")  # until the subscription has arrived
                writer.send_eos("meet")
            for index, (number, is_key, data) in enumerate(encode(codec)):
                frame = frame_of(number, codec, keyframe=is_key, decoded=index)
                frame.set_attribute(Attribute("default", "kept", [AttributeValue.string("a")], None, True, False))
                frame.set_attribute(Attribute("default", "gone", [AttributeValue.string("b")], None, False, False))
                context = {"traceparent": f"trace-{number}"}
                writer.send("cam", Message(frame, span_context=context, labels=["east"]), data)
            writer.send_eos("cam")
            while len(received) < 7:
                result = reader.receive()
                assert isinstance(result, Received | Rejected), result
                if isinstance(result, Received) and result.source_id == "cam":
                    received.append(result)
    finally:
        module.stop()
        thread.join()
    return received


@pytest.mark.parametrize(("kind", "reading"), PAIRS)
def test_every_pair_takes_frames_in_order_and_one_end(kind: str, reading: str, tmp_path: Path) -> None:
    received = through(wire_config(tmp_path, kind), tmp_path, reading)
    assert [one.kind.name for one in received] == ["VIDEO_FRAME"] * 6 + ["END_OF_STREAM"]
    assert [one.gap for one in received] == [None] * 7
    frames = [one.message().as_video_frame() for one in received[:6]]
    assert [frame.pts for frame in frames if frame] == [(number + 4) * STEP_NS for number in range(6)]


def test_metadata_only_frames_say_so(tmp_path: Path) -> None:
    *frames, _end = through(wire_config(tmp_path), tmp_path)
    for one in frames:
        frame = frame_in(one)
        assert one.payload_bytes == 0
        assert frame.content.is_none()
        assert (frame.keyframe, frame.dts, frame.transcoding_method) == (
            True,
            None,
            VideoFrameTranscodingMethod.Encoded,
        )
        assert (frame.width, frame.height, frame.codec, frame.duration) == (*SIZE, "jpeg", STEP_NS)


@pytest.mark.parametrize("codec", ["h264", "hevc", "jpeg", "png", "raw-rgba", "raw-rgb24"], ids=lambda codec: codec)
def test_encoded_frames_lie_beside_their_messages(codec: str, tmp_path: Path) -> None:
    encoder = {"encoder": "software"} if codec in ("h264", "hevc", "av1") else {}
    config = wire_config(tmp_path, output_frame={"codec": codec, **encoder})
    *frames, _end = through(config, tmp_path, codec="h264")
    decoder: PayloadDecoder[int] = PayloadDecoder(codec, SIZE)
    shown = []
    for number, one in enumerate(frames):
        frame = frame_in(one)
        assert frame.codec == codec
        assert frame.content.is_external()
        assert frame.content.get_method() == "zeromq"
        assert frame.time_base == (1, NS)
        assert frame.transcoding_method is VideoFrameTranscodingMethod.Encoded
        shown += decoder.feed(number, one.joined_payload())
    shown += decoder.flush()
    assert [number for number, _ in shown] == list(range(6))
    for number, surface in shown:
        value = np.mean(surface.to_numpy()[..., :3]) if not surface.format.is_yuv else np.mean(surface.planes[0])
        grey = 30 + 20 * number
        full = surface.color is None or surface.color.full_range
        assert abs(value - (grey if full else 16 + grey * 219 / 255)) < 6


def test_trace_labels_identity_and_attributes_travel_with_each_frame(tmp_path: Path) -> None:
    config = wire_config(tmp_path, output_frame={"codec": "jpeg"})
    *frames, _end = through(config, tmp_path)
    for number, one in enumerate(frames):
        message = one.message()
        assert message.span_context == {"traceparent": f"trace-{number}"}
        assert message.labels == ["east"]
        frame = frame_in(one)
        assert frame.attributes == [("default", "kept")]
        assert frame.framerate == "25/1"


@pytest.mark.parametrize("codec", ["h264", "hevc", "jpeg", "raw-rgba"])
def test_copy_sends_the_very_bytes_on_in_the_order_in_which_they_came(codec: str, tmp_path: Path) -> None:
    config = wire_config(tmp_path, frame={"width": 96, "height": 64}, output_frame={"codec": "copy"})
    *frames, _end = through(config, tmp_path, codec=codec)
    units = encode(codec)
    assert [bytes(one.joined_payload()) for one in frames] == [data for _, _, data in units]
    for index, (one, (number, is_key, _)) in enumerate(zip(frames, units, strict=True)):
        frame = frame_in(one)
        assert (frame.width, frame.height, frame.codec, frame.keyframe) == (*SIZE, codec, is_key)
        assert (frame.pts, frame.dts) == ((number + 4) * STEP_NS, index * STEP_NS)
        assert frame.transcoding_method is VideoFrameTranscodingMethod.Copy
        assert boxes(frame)["thing"] == pytest.approx((10 + number, 20, 8, 4), abs=1e-4)  # back in source pixels


@pytest.mark.parametrize("old_peers", [True, False])
def test_padding_is_told_in_steps_that_old_readers_know(old_peers: bool, tmp_path: Path) -> None:
    config = wire_config(tmp_path, frame={"width": 64, "height": 48, "padding": {"left": 8, "top": 16}})
    config["pipeline"]["sink"][0]["properties"]["old_peers"] = old_peers
    first, *_ = through(config, tmp_path)
    steps = [(step.step.value, step.values) for step in frame_in(first).transformations]
    boxed = [("letter_box", (72, 64, 8, 16, 0, 0))]
    assert steps == [
        ("initial_size", (64, 48)),
        *([("letter_box", (64, 48, 0, 0, 0, 0)), ("padding", (8, 16, 0, 0))] if old_peers else boxed),
    ]


def add_object(frame: Frame) -> None:
    from picasso.module import ObjectMeta
    from picasso.primitives import BBox

    frame.add_obj_meta(ObjectMeta("finder", "found", BBox(frame.width / 2, 10, 6, 4), 0.75))


def test_two_modules_in_a_chain_agree_with_one(tmp_path: Path) -> None:
    """Decode, scale, encode, wire, decode, scale back: boxes are those of one module that scales once."""
    finder = [{"element": "pyfunc", "module": __file__, "class_name": "add_object"}]
    one_folder, a_folder, b_folder = tmp_path / "one", tmp_path / "a", tmp_path / "b"
    small, large = {"width": 96, "height": 64}, {"width": 192, "height": 96}
    one = wire_config(one_folder, frame=large, output_frame={"codec": "jpeg"})
    one["pipeline"]["elements"] = finder
    single = through(one, one_folder)

    second = Module(wire_config(b_folder, frame=large, output_frame={"codec": "jpeg"}))
    second.start()
    thread = threading.Thread(target=second.run)
    thread.start()
    first = wire_config(a_folder, frame=small, output_frame={"codec": "h264", "encoder": "software"})
    first["pipeline"]["elements"] = finder
    first["pipeline"]["sink"][0]["properties"] = {"socket": f"dealer+connect:ipc://{b_folder}/in.ipc"}
    module = Module(first)
    module.start()
    runner = threading.Thread(target=module.run)
    runner.start()
    received: list[Received] = []
    try:
        with (
            Reader(f"router+connect:ipc://{b_folder}/out.ipc", receive_timeout_s=60) as reader,
            Writer(f"dealer+connect:ipc://{a_folder}/in.ipc") as writer,
        ):
            send(writer, encode("jpeg"), "jpeg")
            writer.send_eos("cam")
            while len(received) < 7:
                result = reader.receive()
                assert isinstance(result, Received), result
                received.append(result)
    finally:
        for each, worker in ((module, runner), (second, thread)):
            each.stop()
            worker.join()
    for chained, alone in zip(received[:6], single[:6], strict=True):
        ours, theirs = frame_in(chained), frame_in(alone)
        assert ours.pts == theirs.pts
        assert boxes(ours)["thing"] == pytest.approx(boxes(theirs)["thing"], abs=1e-4)
        assert boxes(ours)["found"][0] == pytest.approx(96.0)
        assert boxes(theirs)["found"][0] == pytest.approx(96.0)
        assert str(ours.transformations[0]) == str(theirs.transformations[0])


def boxes(frame: VideoFrame) -> dict[str, tuple[float, ...]]:
    return {one.label: tuple(one.detection_box.as_xcycwh()) for one in frame.get_all_objects()}


def test_a_reader_that_comes_late_gets_everything_of_a_dealer(tmp_path: Path) -> None:
    module = Module(wire_config(tmp_path))
    module.start()
    thread = threading.Thread(target=module.run)
    thread.start()
    try:
        with Writer(f"dealer+connect:ipc://{tmp_path}/in.ipc") as writer:
            send(writer, encode("jpeg"), "jpeg")
            writer.send_eos("cam")
        with Reader(f"router+connect:ipc://{tmp_path}/out.ipc", receive_timeout_s=60) as reader:
            received = [reader.receive() for _ in range(7)]
    finally:
        module.stop()
        thread.join()
    assert [one.sequence for one in received] == list(range(1, 8))  # type: ignore[union-attr]


def test_a_module_whose_output_nobody_reads_stops_all_the_same(tmp_path: Path) -> None:
    module = Module(wire_config(tmp_path))
    module.start()
    with Writer(f"dealer+connect:ipc://{tmp_path}/in.ipc") as writer:
        send(writer, encode("jpeg"), "jpeg")
        writer.send_eos("cam")
    module.close(timeout_s=0.2)
    assert module.state == "stopped"


def test_a_req_sink_whose_frames_nobody_answers_fails_the_module(tmp_path: Path) -> None:
    import zmq

    config = wire_config(tmp_path, "REQ")
    config["pipeline"]["sink"][0]["properties"] |= {"receive_timeout": 20, "req_receive_retries": 1}
    module, errors = Module(config), []
    module.start()

    def run() -> None:
        try:
            module.run()
        except OSError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    context = zmq.Context()
    mute = context.socket(zmq.REP)
    try:
        mute.connect(f"ipc://{tmp_path}/out.ipc")
        with Writer(f"dealer+connect:ipc://{tmp_path}/in.ipc") as writer:
            send(writer, encode("jpeg"), "jpeg")
            thread.join()
    finally:
        context.destroy(linger=0)
    assert len(errors) == 1
    assert "no one acknowledged a message within 0.04 s" in errors[0]


@pytest.mark.parametrize("socket", ["sub+bind:ipc:///x", "nonsense", "tcp://host"])
def test_a_bad_endpoint_is_told_before_anything_opens(socket: str, tmp_path: Path) -> None:
    config = wire_config(tmp_path)
    config["pipeline"]["sink"][0]["properties"] = {"socket": socket}
    with pytest.raises(ConfigError, match=r"pipeline\.sink\[0\]\.properties\.socket: endpoint"):
        Module(config)


def frame_in(received: Received) -> VideoFrame:
    frame = received.message().as_video_frame()
    assert frame is not None
    return frame
