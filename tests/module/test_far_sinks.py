"""``mqtt_sink`` at a real broker and ``webhook_sink`` at a real server: what arrives, what is dropped and counted."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mqtt_kit import Broker, Subscriber
from test_module_run import no_thread_is_left

from picasso.errors import MediaError, SpecError
from picasso.flow import NEVER
from picasso.module import ConfigError, Module
from picasso.module.config import load_config
from picasso.module.config import render as render_config
from picasso.module.sinks.mqtt import MqttSink
from picasso.module.sinks.outbox import Outbox, Parcel, RefusedError, UnreachableError
from picasso.module.sinks.webhook import WebhookSink
from picasso.primitives import BBox, VideoFrame

__all__ = ["no_thread_is_left"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    one = Broker(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def subscriber(broker: Broker) -> Iterator[Subscriber]:
    one = Subscriber(broker)
    yield one
    one.close()


class Receiver:
    """A server of webhooks."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        """Statuses of the next requests; then 204."""
        self.headers: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.gate.wait(60)
                with receiver._changed:
                    receiver.requests.append((dict(self.headers), body))
                    status = receiver.answers.pop(0) if receiver.answers else 204
                    receiver._changed.notify_all()
                self.send_response(status)
                for name, text in receiver.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/secret-path"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def wait_for(self, count: int) -> list[Any]:
        """Wait for that many requests; return what they held."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, 60), self.requests
            return [json.loads(body) for _headers, body in self.requests]

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def module_of(element: str, **properties: Any) -> Module:
    tree = {
        "name": "crossing",
        "parameters": {"frame": {"width": 64, "height": 48}},
        "pipeline": {"sink": [{"element": element, "properties": properties}]},
    }
    return Module(tree, sources=[], sinks="configured")


def frame(number: int, source_id: str = "cam", objects: int = 1) -> VideoFrame:
    one = VideoFrame(source_id, "30/1", 64, 48, time_base=(1, 10**9), pts=number * 40_000_000)
    for _ in range(objects):
        one.create_object("detector", "car", detection_box=BBox(20, 20, 8, 8), confidence=0.5)
    return one


def send(module: Module, count: int, source_id: str = "cam", objects: int = 1) -> None:
    for number in range(count):
        module.send(frame(number, source_id, objects), np.zeros((48, 64, 3), np.uint8))


def run(module: Module, count: int, **options: Any) -> Any:
    """Send frames through a module to its end; return the statistics of its sink."""
    with module:
        send(module, count, **options)
        module.run()
    (sink,) = module.statistics().sinks
    return sink


def test_records_and_events_reach_topics_of_a_broker(broker: Broker, subscriber: Subscriber) -> None:
    sink = run(module_of("mqtt_sink", url=broker.url), 3)
    assert (sink.came, sink.written, dict(sink.dropped)) == (3, 3, {})
    messages = subscriber.wait_for(4 + 6)
    frames = [said for topic, said in messages if topic == "picasso/crossing/metadata/cam"]
    assert [said.get("frame_num") for said in frames] == [0, 1, 2, None]
    assert [said["schema"] for said in frames] == ["VideoFrame"] * 3 + ["EndOfStream"]
    (seen,) = frames[1]["metadata"]["objects"]
    assert (seen["label"], seen["bbox"]["xc"], frames[1]["pts"]) == ("car", 20.0, 40_000_000)
    module = [said for topic, said in messages if topic == "picasso/crossing/events"]
    assert [said["state"] for said in module] == ["running", "stopping", "stopped"]
    assert {(said["event"], said["module"], said["schema"]) for said in module} == {
        ("module-state", "crossing", "Event")
    }
    source = [said for topic, said in messages if topic == "picasso/crossing/events/cam"]
    assert [said["state"] for said in source] == ["connecting", "live", "ended"]
    assert {said["source_id"] for said in source} == {"cam"}


KINDS = {"metadata": {"t/metadata/cam"}, "events": {"t/events", "t/events/cam"}}


@pytest.mark.parametrize(("send_", "topics"), KINDS.items(), ids=KINDS)
def test_one_kind_may_be_sent_alone(broker: Broker, subscriber: Subscriber, send_: str, topics: set[str]) -> None:
    sink = run(module_of("mqtt_sink", url=broker.url, topic="t/{kind}/{source}", send=[send_], qos=2), 2)
    assert dict(sink.dropped) == ({} if send_ == "metadata" else {"events_only": 2})
    assert {topic for topic, _said in subscriber.wait_for(3)} == topics


def test_frames_without_objects_may_be_left_out(broker: Broker, subscriber: Subscriber) -> None:
    with module_of("mqtt_sink", url=broker.url, send=["metadata"], skip_frames_without_objects=True) as module:
        send(module, 2, objects=0)
        send(module, 2)
        module.run()
    assert dict(module.statistics().sinks[0].dropped) == {"no_objects": 2}
    assert [said.get("frame_num") for _topic, said in subscriber.wait_for(3)] == [2, 3, None]


def test_webhooks_leave_them_out_too(receiver: Receiver) -> None:
    module = module_of("webhook_sink", url=receiver.url, send=["metadata"], skip_frames_without_objects=True)
    assert dict(run(module, 2, objects=0).dropped) == {"no_objects": 2}
    assert [one["schema"] for request in receiver.wait_for(1) for one in request] == ["EndOfStream"]


def test_what_is_said_of_a_connection_arrives(broker: Broker) -> None:
    options = {"retain": True, "client_id": "the-module", "keepalive_s": 7}
    with module_of("mqtt_sink", url=broker.url, send=["metadata"], **options) as module:
        send(module, 2)
        client = the_sink(module)._client
        assert (client._client_id, client._keepalive) == (b"the-module", 7)
        wait_until(lambda: the_sink(module).outbox.sent == 2)
        late = Subscriber(broker)  # comes after the frames, and gets the newest, which the broker keeps
        assert [said["frame_num"] for _topic, said in late.wait_for(1)] == [1]
        late.close()
        module.run()


def certificates(folder: Path) -> dict[str, str]:
    """An authority, and a certificate of it for the broker and its clients."""
    files = {name: str(folder / name) for name in ("ca.pem", "ca.key", "own.pem", "own.key", "own.csr", "names")}
    Path(files["names"]).write_text("subjectAltName=IP:127.0.0.1")
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    own = ["-keyout", files["own.key"], "-out", files["own.csr"], "-subj", "/CN=own"]
    sign = ["openssl", "x509", "-req", "-in", files["own.csr"], "-CA", files["ca.pem"], "-CAkey", files["ca.key"]]
    for command in (
        [*new, "-x509", "-days", "1", "-keyout", files["ca.key"], "-out", files["ca.pem"], "-subj", "/CN=authority"],
        [*new, *own],
        [*sign, "-CAcreateserial", "-days", "1", "-extfile", files["names"], "-out", files["own.pem"]],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return {"ca_certificate": files["ca.pem"], "certificate": files["own.pem"], "key": files["own.key"]}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the refused socket open
def test_a_broker_is_reached_by_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = certificates(tmp_path)
    broker = Broker(tmp_path, tls=files)
    with module_of("mqtt_sink", url=broker.url, send=["metadata"], **files) as module:
        send(module, 1)
        wait_until(lambda: the_sink(module).outbox.sent == 1)
        module.run()
    assert dict(module.statistics().sinks[0].dropped) == {}
    unknown = module_of("mqtt_sink", url=broker.url, send=["metadata"])  # does not know the authority
    with unknown:
        send(unknown, 1)
        wait_until(lambda: "the broker cannot be reached; it is called again" in caplog.text)
        close(unknown, 0.2)
    assert dict(unknown.statistics().sinks[0].dropped) == {"lost": 1}
    broker.stop()


def test_a_broker_that_comes_back_gets_what_waited(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    module = module_of("mqtt_sink", url=broker.url, send=["metadata"])
    with module:
        send(module, 2)
        sink = the_sink(module)
        wait_until(lambda: sink.outbox.sent == 2)
        broker.stop()
        send(module, 3)
        broker.start()
        subscriber = Subscriber(broker)
        module.run()
        assert [said.get("frame_num") for _topic, said in subscriber.wait_for(4)][-4:] == [2, 3, 4, None]
    subscriber.close()
    assert sink.outbox.dropped == {}


@pytest.mark.parametrize("limit", [{"queue_length": 4}, {"queue_byte_size": 2000}], ids=str)
def test_a_broker_that_stays_away_costs_the_oldest_messages_and_no_frame(
    limit: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    from ports import free_port

    module = module_of("mqtt_sink", url=f"mqtt://127.0.0.1:{free_port()}", send=["metadata"], **limit)
    with module:
        send(module, 20)
        close(module, 0.2)
    (sink,) = module.statistics().sinks
    assert (sink.came, sink.written + sum(sink.dropped.values())) == (20, 20)
    outbox = the_sink(module).outbox
    assert outbox.sent == 0
    assert outbox.dropped["overflow"] + outbox.dropped["unsent"] >= 20
    assert "messages were dropped (overflow)" in caplog.text


def test_a_broker_that_wants_a_password_gets_it(tmp_path: Path) -> None:
    broker = Broker(tmp_path, password="open sesame")
    subscriber = Subscriber(broker, "open sesame")
    host = f"127.0.0.1:{broker.port}"
    run(module_of("mqtt_sink", url=f"mqtt://me:open%20sesame@{host}", send=["metadata"]), 1)
    run(module_of("mqtt_sink", url=broker.url, username="me", password="open sesame", send=["metadata"]), 1)
    assert len(subscriber.wait_for(4)) == 4
    subscriber.close()
    broker.stop()


def test_a_wrong_password_is_said_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker(tmp_path, password="open sesame")
    with module_of("mqtt_sink", url=broker.url, username="me", password="wrong") as module:
        send(module, 2)
        wait_until(lambda: "refuses the connection: Not authorized" in caplog.text)
        close(module, 0.2)
    assert sum(module.statistics().sinks[0].dropped.values()) == 2
    assert "wrong" not in caplog.text
    broker.stop()


def test_the_broker_tells_when_it_hears_no_more_of_a_module(broker: Broker, subscriber: Subscriber) -> None:
    program = f"""if True:
        import sys
        from picasso.module import Module
        sink = {{"element": "mqtt_sink", "properties": {{"url": {broker.url!r}}}}}
        tree = {{"name": "crossing", "parameters": {{}}, "pipeline": {{"sink": [sink]}}}}
        module = Module(tree, sources=[], sinks="configured")
        module.start()
        sys.stdin.read()
    """
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    subscriber.wait_for(1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    messages = [(topic, said["state"]) for topic, said in subscriber.wait_for(2)]
    assert messages == [("picasso/crossing/events", "running"), ("picasso/crossing/events", "lost")]


SOURCES = {"gate": "gate", "a/b": "a%2Fb", "50%": "50%25", "plus+": "plus%2B", "#": "%23", "süd 1": "süd 1"}


@pytest.mark.parametrize(("source_id", "level"), SOURCES.items(), ids=SOURCES)
def test_a_source_is_one_level_of_a_topic(source_id: str, level: str) -> None:
    sink = MqttSink("mqtt://127.0.0.1:1", "m", topic="x/{module}/{kind}/{source}")
    try:
        assert sink.topic_of("metadata", source_id) == f"x/m/metadata/{level}"
        assert sink.topic_of("events", None) == "x/m/events"
    finally:
        sink.stop()
        sink.close()


WRONG = {
    "mqtt_sink": [
        {"url": "http://host"},
        {"url": "mqtt://"},
        {"url": "mqtt://host", "topic": "a/{other}"},
        {"url": "mqtt://host", "topic": "a/#"},
        {"url": "mqtt://host", "topic": "{"},
        {"url": "mqtt://host", "qos": 3},
        {"url": "mqtt://host", "send": []},
        {"url": "mqtt://host", "send": ["frames"]},
        {"url": "mqtt://host", "queue_length": 0},
        {},
    ],
    "webhook_sink": [
        {"url": "ftp://host"},
        {"url": "http://"},
        {"url": "http://host", "batch_size": 0},
        {"url": "http://host", "headers": {"a": 1}},
        {"url": "http://host", "timeout_s": 0},
        {},
    ],
}


ROWS = [(element, properties) for element, rows in WRONG.items() for properties in rows]


@pytest.mark.parametrize(("element", "properties"), ROWS, ids=str)
def test_wrong_properties_are_faults_of_the_configuration(element: str, properties: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"pipeline\.sink\[0\]\.properties"):
        with module_of(element, **properties):
            pytest.fail("it runs")


def test_secrets_are_masked() -> None:
    hook = {"url": "https://h/?token=hush", "secret": "hush", "headers": {"Authorization": "hush"}}
    sinks = [
        {"element": "mqtt_sink", "properties": {"url": "mqtt://me:hush@host", "password": "hush"}},
        {"element": "webhook_sink", "properties": hook},
    ]
    tree = {"name": "m", "parameters": {}, "pipeline": {"sink": sinks}}
    assert "hush" not in render_config(load_config(tree, replaced=["source"]))


def test_records_are_posted_in_arrays_and_signed(receiver: Receiver) -> None:
    headers = {"Authorization": "Bearer abc"}
    sink = run(module_of("webhook_sink", url=receiver.url, secret="key", headers=headers), 5)
    assert (sink.came, sink.written) == (5, 5)
    said = [one for request in receiver.wait_for(1) for one in request]
    assert [one["pts"] // 40_000_000 for one in said if one["schema"] == "VideoFrame"] == [0, 1, 2, 3, 4]
    assert [one["state"] for one in said if one.get("event") == "module-state"] == ["running", "stopping", "stopped"]
    for got, body in receiver.requests:
        assert got["X-Picasso-Signature"] == f"sha256={hmac.new(b'key', body, hashlib.sha256).hexdigest()}"
        assert (got["Authorization"], got["Content-Type"]) == ("Bearer abc", "application/json")


def test_with_a_batch_of_one_each_record_is_posted_alone(receiver: Receiver) -> None:
    run(module_of("webhook_sink", url=receiver.url, batch_size=1, send=["metadata"]), 2)
    assert [one["schema"] for one in receiver.wait_for(3)] == ["VideoFrame", "VideoFrame", "EndOfStream"]


def test_what_a_receiver_cannot_take_now_is_sent_again_in_order(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [503, 429]
    sink = run(module_of("webhook_sink", url=receiver.url, send=["metadata"], batch_size=1), 2)
    assert (sink.written, dict(sink.dropped)) == (2, {})
    assert [one.get("frame_num") for one in receiver.wait_for(5)] == [0, 0, 0, 1, None]
    assert "it takes messages again, after 2 failed attempts" in caplog.text
    assert "secret-path" not in caplog.text


def test_what_a_receiver_refuses_is_dropped_and_counted(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answers = [400, 302]
    sink = run(module_of("webhook_sink", url=receiver.url, send=["metadata"], batch_size=1), 3)
    assert (sink.came, sink.written, dict(sink.dropped)) == (3, 1, {"lost": 2})
    assert ("status 400" in caplog.text, "status 302" in caplog.text) == (True, True)


@pytest.mark.parametrize("limit", [{"queue_length": 3}, {"queue_byte_size": 1200}], ids=str)
def test_a_slow_receiver_costs_the_oldest_records_and_no_frame(receiver: Receiver, limit: dict[str, int]) -> None:
    receiver.gate.clear()
    module = module_of("webhook_sink", url=receiver.url, send=["metadata"], batch_size=1, **limit)
    with module:
        send(module, 30)  # returns although the server answers none
        wait_until(lambda: module.statistics().sinks[0].waiting == 0)
        receiver.gate.set()
        module.run()
    (sink,) = module.statistics().sinks
    numbers = [one.get("frame_num") for one in receiver.wait_for(4)]
    assert numbers[-3:] == [28, 29, None]
    assert numbers[:-1] == sorted(numbers[:-1])
    assert sink.dropped["lost"] == 30 - len(numbers) + 1
    assert sink.came == sink.written + sink.dropped["lost"] == 30


def test_a_receiver_that_takes_too_long_is_tried_again(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.gate.clear()
    with module_of("webhook_sink", url=receiver.url, send=["metadata"], timeout_s=1) as module:
        send(module, 1)
        wait_until(lambda: "attempt no. 1 failed: ReadTimeout" in caplog.text)
        receiver.gate.set()
        module.run()
    assert (module.statistics().sinks[0].written, len(receiver.wait_for(2)) >= 2) == (1, True)


def test_a_receiver_that_asks_for_a_pause_gets_it(receiver: Receiver) -> None:
    receiver.headers = {"Retry-After": "3600"}
    receiver.answers = [503]
    with module_of("webhook_sink", url=receiver.url, send=["metadata"]) as module:
        send(module, 1)
        receiver.wait_for(1)
        close(module, 0.2)
    assert len(receiver.requests) == 1
    assert dict(module.statistics().sinks[0].dropped) == {"lost": 1}


STEPS = st.lists(st.sampled_from(["put", "frame", "good", "refuse"]), max_size=40)


@given(STEPS, st.integers(1, 4), st.integers(1, 5))
def test_every_message_is_sent_dropped_or_waits(steps: list[str], batch: int, length: int) -> None:
    answers = [step for step in steps if step in ("good", "refuse")]
    arrived: list[int] = []

    def deliver(parcels: Sequence[Parcel]) -> None:
        answer = answers.pop(0) if answers else "good"
        if answer == "refuse":
            raise RefusedError("no")
        arrived.extend(int(parcel.body) for parcel in parcels)

    outbox = Outbox("far", deliver, length=length, batch=batch)
    puts = [step for step in steps if step in ("put", "frame")]
    for number, step in enumerate(puts):
        outbox.put(Parcel("t", str(number).encode(), is_frame=step == "frame"))
    outbox.close()
    assert outbox.sent == len(arrived)
    assert outbox.sent + sum(outbox.dropped.values()) + outbox.waiting == len(puts)
    assert outbox.waiting == 0
    assert arrived == sorted(arrived)
    lost = set(range(len(puts))) - set(arrived)
    assert outbox.lost_frames == sum(puts[number] == "frame" for number in lost)


def test_a_message_that_is_under_way_when_sending_stops_is_counted_once() -> None:
    entered, gate = threading.Event(), threading.Event()

    def deliver(parcels: Sequence[Parcel]) -> None:
        entered.set()
        gate.wait(60)

    outbox = Outbox("far", deliver, length=9, batch=2)
    for number in range(5):
        outbox.put(Parcel("t", str(number).encode()))
    entered.wait(60)
    outbox.stop()
    gate.set()
    outbox.close()
    outbox.put(Parcel("t", b"late"))
    assert (outbox.sent, dict(outbox.dropped), outbox.waiting) == (0, {"unsent": 6}, 0)


def test_a_receiver_that_is_away_gets_messages_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from picasso.module.sinks import outbox as under_test

    monkeypatch.setattr(under_test, "BACK_OFF_S", (0.0,))
    answers = iter([UnreachableError("away")] * 5)
    arrived: list[bytes] = []

    def deliver(parcels: Sequence[Parcel]) -> None:
        if (error := next(answers, None)) is not None:
            raise error
        arrived.extend(parcel.body for parcel in parcels)

    outbox = Outbox("far", deliver, length=9, batch=2)
    for number in range(3):
        outbox.put(Parcel("t", str(number).encode()))
    outbox.close()
    assert (arrived, outbox.sent, dict(outbox.dropped)) == ([b"0", b"1", b"2"], 3, {})


def close(module: Module, timeout_s: float) -> None:
    """Close a module that has less time than its sinks want, and wait for their threads."""
    module.close(timeout_s)
    for thread in module._sinks:
        assert thread.join(30)


def the_sink(module: Module) -> Any:
    """The sink of a module, as it was opened."""
    (thread,) = module._sinks
    return thread._sink


def wait_until(holds: Callable[[], bool]) -> None:
    while not holds():
        threading.Event().wait(0.005)


def test_a_sink_that_is_given_takes_events_where_it_asks_for_them() -> None:
    class Listening:
        def __init__(self) -> None:
            self.states: list[str] = []

        def write(self, output: Any) -> None:
            """Nothing."""

        def on_event(self, event: Any) -> None:
            self.states.append(event.state)
            if event.state == "live":
                raise ValueError("not mine")

        def close(self) -> None:
            """Nothing."""

    sink = Listening()
    tree = {"name": "m", "parameters": {"frame": {"width": 64, "height": 48}}}
    with Module(tree, sources=[], sinks=[sink]) as module:
        send(module, 1)
        module.run()
    assert sink.states == ["running", "connecting", "live", "ended", "stopping", "stopped"]


def test_why_a_source_has_failed_is_said_without_its_password(receiver: Receiver) -> None:
    class Lost:
        source_id, is_live, restart = "gate", False, NEVER

        def __iter__(self) -> Iterator[Any]:
            raise MediaError("rtsp://me:hush@camera/1?token=hush: refused")

        def stop(self) -> None:
            """Nothing waits."""

    sink = WebhookSink(receiver.url, "m", send=["events"])
    Module({"name": "m", "parameters": {"frame": {"width": 64, "height": 48}}}, sources=[Lost()], sinks=[sink]).run()
    said = [one for request in receiver.wait_for(1) for one in request]
    (failed,) = [one for one in said if one["state"] == "failed"]
    assert failed["source_id"] == "gate"
    assert failed["error"].startswith("rtsp://********@camera/1?token=********")


def test_addresses_that_are_none_are_refused() -> None:
    with pytest.raises(SpecError, match="expected mqtt://host"):
        MqttSink("host", "m")
    with pytest.raises(SpecError, match="expected http://host"):
        WebhookSink("host", "m")
