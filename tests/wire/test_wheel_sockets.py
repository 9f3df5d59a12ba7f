"""Sockets of the wheel of savant-rs 0.3.0 in a second process, and ours: all pairs, both directions, either binding."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ports import free_port
from wheel_kit import wheel_command
from wire_kit import PAIRS, address_of, take

from picasso.primitives import (
    Attribute,
    AttributeValue,
    Message,
    RBBox,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameContent,
)
from picasso.wire import MessageKind, Reader, Received, RejectReason, Writer

PATIENCE = {"send_timeout_s": 10.0, "send_retries": 0, "receive_timeout_s": 10.0, "receive_retries": 0}
SIDE = Path(__file__).with_name("wheel_sockets.py")


class Peer:
    """The wheel's process."""

    def __init__(self) -> None:
        command, environment = wheel_command()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [*command, str(SIDE)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            text=True,
        )  # fmt: skip

    def tell(self, *request: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            pytest.fail(f"the wheel's process ended: {self._errors.read()[-2000:].decode(errors='replace')}")
        answer = json.loads(line)
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def ask(self, *request: Any) -> Any:
        self.tell(*request)
        return self.answer()

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()
        self._errors.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Peer]:
    one = Peer()
    yield one
    one.close()


@pytest.fixture
def peer(shared: Peer) -> Iterator[Peer]:
    yield shared
    shared.ask("close")


def frame(number: int) -> VideoFrame:
    made = VideoFrame(
        "cam-1", "30/1", 1280, 720, VideoFrameContent.external("zeromq"), codec="jpeg", keyframe=True,
        time_base=(1, 10**9), pts=number, duration=33_333_333,
    )  # fmt: skip
    made.create_object("detector", "person", None, 0.5, RBBox(400 + number, 300, 200, 100, 15.0), 7, None)
    made.set_attribute(Attribute("default", "draw", [AttributeValue.boolean(True)], None, True, False))
    return made


def describe(one: VideoFrame) -> dict[str, Any]:
    """In the words of the wheel's side."""
    return {
        "source_id": one.source_id,
        "uuid": one.uuid,
        "framerate": one.framerate,
        "size": [one.width, one.height],
        "codec": one.codec,
        "keyframe": one.keyframe,
        "time_base": list(one.time_base),
        "times": [one.pts, one.dts, one.duration],
        "objects": [
            [
                *(each.namespace, each.label, list(each.detection_box.as_xcycwh()), each.detection_box.angle),
                *(each.confidence, each.track_id, each.id),
            ]
            for each in sorted(one.get_all_objects(), key=lambda each: each.id)
        ],
        "tags": sorted(list(key) for key in one.attributes),
    }


def wheel_address(protocol: str, folder: Path) -> str:
    return f"tcp://127.0.0.1:{free_port()}" if protocol == "tcp" else f"ipc://{folder}/s.ipc"


both = pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "wheel-binds"])
pairs = pytest.mark.parametrize(("reading", "writing"), PAIRS)
protocols = pytest.mark.parametrize("protocol", ["ipc", "tcp"])


@both
@pairs
@protocols
def test_what_the_wheel_reads_is_what_we_wrote(
    protocol: str, reading: str, writing: str, we_bind: bool, peer: Peer, tmp_path: Path
) -> None:
    if we_bind:
        writer = Writer(f"{writing}+bind:{address_of(protocol, tmp_path)}", **PATIENCE)
        peer.ask("open_reader", f"{reading}+connect:{writer.address}", None, 10_000)
    else:
        address = wheel_address(protocol, tmp_path)
        peer.ask("open_reader", f"{reading}+bind:{address}", None, 10_000)
        writer = Writer(f"{writing}+connect:{address}", **PATIENCE)
    with writer:
        if writing == "pub":
            _meet_wheel_reader(peer, writer)
        for number in range(3):
            message = Message(frame(number), span_context={"traceparent": f"t{number}"}, labels=["east"])
            peer.tell("receive")
            sent = writer.send("cam-1", message, bytes([number]) * 70_000)
            said = peer.answer()
            assert said["kind"] == "frame"
            expected = describe(message.as_video_frame())  # type: ignore[arg-type]
            assert {key: said[key] for key in expected} == expected
            assert (said["topic"], said["context"], said["labels"]) == (
                "cam-1",
                {"traceparent": f"t{number}"},
                ["east"],
            )
            assert [base64.b64decode(part) for part in said["data"]] == [bytes([number]) * 70_000]
            assert sent.is_acknowledged == (writing == "req")
        for message, kind in (
            (Message.user_data(UserData("cam-1")), "user_data"),
            (Message.shutdown(Shutdown("key")), "shutdown"),
        ):
            peer.tell("receive")
            writer.send("cam-1", message)
            assert peer.answer()["kind"] == kind
        peer.tell("receive")
        end = writer.send_eos("cam-1")
        said = peer.answer()
        assert (said["kind"], said["source_id"], said["data"]) == ("eos", "cam-1", [])
        assert end.is_acknowledged == (writing != "pub")


def _meet_wheel_reader(peer: Peer, writer: Writer) -> None:
    """Send until the wheel's subscription has arrived, and let it take all of that."""
    peer.tell("receive")
    told = threading.Event()
    said: list[Any] = []
    waiting = threading.Thread(target=lambda: (said.append(peer.answer()), told.set()))
    waiting.start()
    while not told.wait(0.01):
        writer.send("meet", Message.user_data(UserData("meet")))
    waiting.join()
    writer.send_eos("meet")
    while said[-1]["kind"] != "eos":
        said.append(peer.ask("receive"))


@both
@pairs
@protocols
def test_what_we_read_is_what_the_wheel_wrote(
    protocol: str, reading: str, writing: str, we_bind: bool, peer: Peer, tmp_path: Path
) -> None:
    if we_bind:
        reader = Reader(f"{reading}+bind:{address_of(protocol, tmp_path)}", receive_timeout_s=10)
        peer.ask("open_writer", f"{writing}+connect:{reader.address}", 10_000)
    else:
        address = wheel_address(protocol, tmp_path)
        peer.ask("open_writer", f"{writing}+bind:{address}", 10_000)
        reader = Reader(f"{reading}+connect:{address}", receive_timeout_s=10)
    with reader:
        if writing == "pub":
            _meet_wheel_writer(peer, reader)
        peer.tell("send", "cam-1", [0, 1, 2], 70_000)
        received = [take(reader) for _ in range(3)]
        for number, (one, (outcome, expected)) in enumerate(zip(received, peer.answer(), strict=True)):
            assert isinstance(one, Received)
            assert describe(one.message().as_video_frame()) == expected  # type: ignore[arg-type]
            assert [bytes(part) for part in one.payload] == [bytes([number]) * 70_000]
            assert outcome == ("acknowledged" if writing == "req" else "sent")
            assert number == 0 or one.gap is None
        for kind in ("user_data", "shutdown"):
            peer.tell("send_other", kind, "cam-1")
            assert take(reader).kind.name == kind.upper()  # type: ignore[union-attr]
            peer.answer()
        peer.tell("send_eos", "cam-1")
        end = take(reader)
        assert isinstance(end, Received)
        assert (end.kind, end.payload) == (MessageKind.END_OF_STREAM, ())
        assert peer.answer() == ("sent" if writing == "pub" else "acknowledged")


def _meet_wheel_writer(peer: Peer, reader: Reader) -> None:
    while not isinstance(reader.receive(0.02), Received):
        peer.ask("send_other", "user_data", "meet")
    peer.ask("send_eos", "meet")
    while take(reader).kind is not MessageKind.END_OF_STREAM:  # type: ignore[union-attr]
        pass


def test_the_wheel_takes_over_its_source_after_a_restart_and_refuses_the_former_one(peer: Peer, tmp_path: Path) -> None:
    """As we do: the newest sender of a source has it."""
    peer.ask("open_reader", f"router+bind:ipc://{tmp_path}/r.ipc", None, 10_000)
    with (
        Writer(f"dealer+connect:ipc://{tmp_path}/r.ipc", **PATIENCE) as old,
        Writer(f"dealer+connect:ipc://{tmp_path}/r.ipc", **PATIENCE) as new,
    ):
        kinds = []
        for writer in (old, new, old):
            writer.send("cam-1", Message.video_frame(frame(0)), b"x")
            kinds.append(peer.ask("receive")["kind"])
    assert kinds == ["frame", "frame", "mismatch"]


def test_a_wheel_that_is_killed_and_comes_again_takes_its_source_over_and_the_gap_is_told(tmp_path: Path) -> None:
    first, second = Peer(), Peer()
    try:
        with Reader(f"router+bind:ipc://{tmp_path}/r.ipc", receive_timeout_s=10) as reader:
            first.ask("open_writer", f"dealer+connect:ipc://{tmp_path}/r.ipc", 10_000)
            first.ask("send", "cam-1", list(range(20)), 50_000)
            taken = [take(reader) for _ in range(10)]
            first.kill()
            second.ask("open_writer", f"dealer+connect:ipc://{tmp_path}/r.ipc", 10_000)
            second.ask("send", "cam-1", list(range(5)), 50_000)
            while len(taken) < 1 or taken[-1].sequence != 5 or reader.stats().gaps == 0:  # type: ignore[union-attr]
                taken.append(take(reader))
    finally:
        second.close()
    assert all(isinstance(one, Received) for one in taken)
    gaps = [one.gap for one in taken if isinstance(one, Received) and one.gap]
    assert len(gaps) == 1
    assert gaps[0].is_restart
    assert gaps[0].missed == 0
    assert taken[0].sequence == 1  # type: ignore[union-attr]


def test_a_wheel_that_reads_no_more_makes_us_time_out_and_its_successor_gets_the_rest(tmp_path: Path) -> None:
    first, second = Peer(), Peer()
    address = f"ipc://{tmp_path}/r.ipc"
    try:
        first.ask("open_reader", f"router+bind:{address}", None, 10_000)
        with Writer(
            f"dealer+connect:{address}", send_hwm=2, send_timeout_s=0.2, send_retries=0, receive_timeout_s=10.0
        ) as writer:
            writer.send("cam-1", Message.video_frame(frame(0)), b"x")
            assert first.ask("receive")["kind"] == "frame"
            first.kill()
            lost = 0
            second.ask("open_reader", f"router+bind:{address}", None, 10_000)
            for number in range(1, 6):
                try:
                    writer.send("cam-1", Message.video_frame(frame(number)), b"x")
                except TimeoutError:
                    lost += 1
            second.tell("receive")
            said = [second.answer()]
            waiting = threading.Thread(target=writer.send_eos, args=("cam-1",))
            waiting.start()
            while said[-1]["kind"] != "eos":
                said.append(second.ask("receive"))
            waiting.join()
    finally:
        second.close()
    assert 1 <= len(said) - 1 <= 5
    assert writer.stats().lost == lost


def test_a_prefix_of_ours_is_answered_to_a_wheel_that_waits(peer: Peer, tmp_path: Path) -> None:
    with Reader(f"rep+bind:ipc://{tmp_path}/r.ipc", source_id_prefix="cam", receive_timeout_s=10) as reader:
        peer.ask("open_writer", f"req+connect:ipc://{tmp_path}/r.ipc", 10_000)
        peer.tell("send_other", "user_data", "dog")
        rejected = take(reader)
        assert rejected.reason is RejectReason.FILTERED  # type: ignore[union-attr]
        assert peer.answer() == "acknowledged"
