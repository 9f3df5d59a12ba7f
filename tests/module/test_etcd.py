"""The mirror of a real etcd: what is put is read, what is lost stays, what is back is read again."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from etcd_kit import Etcd
from ports import free_port
from test_module_run import PATTERN, pyfunc, tree

from picasso.module import ConfigError, Module
from picasso.module.params import eval_expr, use_dynamic
from picasso.module.params.etcd import EtcdError, EtcdMirror, open_etcd
from picasso.module.sinks import MemorySink
from picasso.observe.account import EtcdStatistics

PATIENCE_S = 30.0


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Etcd]:
    server = Etcd(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def mirror(etcd: Etcd) -> Iterator[EtcdMirror]:
    etcd.put("savant/first", "1")
    mirror = EtcdMirror([etcd.host])
    yield mirror
    use_dynamic(None)
    mirror.close()


def test_keys_below_the_path_are_there_at_once_and_others_are_not(etcd: Etcd, mirror: EtcdMirror) -> None:
    etcd.put("savanna/other", "2")
    etcd.put("savant/sources/gate", "true")
    assert mirror.wait_for("sources/gate", "true", PATIENCE_S)
    assert mirror.values() == {"first": "1", "sources/gate": "true"}
    assert mirror.get("nothing") is None


def test_changes_and_deletions_arrive(etcd: Etcd, mirror: EtcdMirror) -> None:
    etcd.put("savant/first", "zwei")
    assert mirror.wait_for("first", "zwei", PATIENCE_S)
    etcd.delete("savant/first")
    assert mirror.wait_for("first", None, PATIENCE_S)
    assert mirror.age_s == 0.0


def test_expressions_read_the_mirror(etcd: Etcd, mirror: EtcdMirror) -> None:
    use_dynamic(mirror)
    assert eval_expr('etcd("first", 0) + 1', 0) == (2, False)
    assert eval_expr('etcd("sources/gate", true)', 0) == (True, False)
    etcd.put("savant/sources/gate", "false")
    assert mirror.wait_for("sources/gate", "false", PATIENCE_S)
    assert eval_expr('etcd("sources/gate", true)', 0) == (False, False)


def test_while_etcd_is_away_the_last_values_stay_and_their_age_grows(etcd: Etcd, mirror: EtcdMirror) -> None:
    etcd.stop()
    while mirror.age_s == 0.0:
        pass
    assert mirror.get("first") == "1"
    assert mirror.age_s > 0
    etcd.start()
    etcd.put("savant/first", "2")
    assert mirror.wait_for("first", "2", PATIENCE_S)
    etcd.put("savant/first", "3")  # the watch is open again, too
    assert mirror.wait_for("first", "3", PATIENCE_S)


def test_an_etcd_that_does_not_answer_fails_the_start_at_once() -> None:
    port = free_port()
    with pytest.raises(EtcdError, match=rf"etcd cannot be reached: 127\.0\.0\.1:{port}: .*refused"):
        EtcdMirror([f"127.0.0.1:{port}"], connect_timeout_s=2)


def test_the_first_host_that_answers_is_used(etcd: Etcd) -> None:
    etcd.put("savant/a", "1")
    mirror = EtcdMirror([f"127.0.0.1:{free_port()}", etcd.host])
    assert mirror.get("a") == "1"
    mirror.close()


def test_an_empty_path_starts_empty_with_a_warning(etcd: Etcd, caplog: pytest.LogCaptureFixture) -> None:
    mirror = EtcdMirror([etcd.host], "elsewhere/deep/", wait_timeout_s=0.1)
    etcd.put("elsewhere/deep/key", "v")
    assert mirror.wait_for("key", "v", PATIENCE_S)
    mirror.close()
    assert "nothing below 'elsewhere/deep/' after 0.1 s; defaults are used" in caplog.text


def test_closing_is_bounded_at_every_moment(etcd: Etcd) -> None:
    for pause_s in [0.0, 0.001, 0.003, 0.01, 0.03] * 4:
        mirror = EtcdMirror([etcd.host], wait_timeout_s=0.0)
        mirror._stopping.wait(pause_s)
        mirror.close()
        assert not mirror._thread.is_alive()


def test_a_watch_that_is_closed_before_it_asks_is_not_opened_again(etcd: Etcd, monkeypatch: pytest.MonkeyPatch) -> None:
    real, is_open, has_asked = HTTPConnection.request, [], threading.Event()

    def request(connection: HTTPConnection, *args: Any, **named: Any) -> None:
        connection.close()  # as `close` of the mirror does, from another thread
        try:
            real(connection, *args, **named)
        finally:
            is_open.append(connection.sock is not None)
            has_asked.set()

    monkeypatch.setattr("picasso.module.params.etcd.HTTPConnection.request", request)
    mirror = EtcdMirror([etcd.host], wait_timeout_s=0.0)
    assert has_asked.wait(PATIENCE_S)
    mirror.close()
    assert not any(is_open)


def test_closing_does_not_wait_for_a_host_that_takes_calls_and_says_nothing(etcd: Etcd, mirror: EtcdMirror) -> None:
    mirror._timeout_s = 600.0
    etcd.stop()
    host, _, port = etcd.host.partition(":")
    with socket.create_server((host, int(port))) as silent:
        caller, _address = silent.accept()
        mirror.close()
        assert mirror.get("first") == "1"
        caller.close()
    mirror._thread.join()


def test_an_etcd_in_which_nothing_changes_is_not_away(
    etcd: Etcd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("picasso.module.params.etcd.READ_TIMEOUT_S", 0.05)
    etcd.put("savant/first", "1")
    mirror = EtcdMirror([etcd.host])
    with caplog.at_level(logging.DEBUG):
        for number in range(3):
            mirror._stopping.wait(0.2)  # several read time-outs
            etcd.put("savant/first", str(number))
            assert mirror.wait_for("first", str(number), PATIENCE_S)
    mirror.close()
    assert "away" not in caplog.text


def test_an_etcd_that_is_away_is_mentioned_once(
    etcd: Etcd, mirror: EtcdMirror, caplog: pytest.LogCaptureFixture
) -> None:
    etcd.stop()
    while mirror.age_s < 1.0:  # several attempts
        pass
    etcd.start()
    etcd.put("savant/first", "2")
    assert mirror.wait_for("first", "2", PATIENCE_S)
    assert caplog.text.count("etcd is away, the last values stay") == 1


def test_tls_with_a_certificate_of_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that name other authorities or a proxy do not matter."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    server = Etcd(tmp_path, has_tls=True)
    try:
        server.put("savant/first", "1")
        mirror = open_etcd({"hosts": [server.host], "tls": server.tls})
        assert mirror is not None
        server.put("savant/first", "2")
        assert mirror.wait_for("first", "2", PATIENCE_S)
        mirror.close()
        with pytest.raises(EtcdError, match="etcd cannot be reached"):
            EtcdMirror([server.host], tls={"ca_certificate": server.tls["ca_certificate"]}, connect_timeout_s=2)  # type: ignore[index]
    finally:
        server.stop()


SWITCH = """
from picasso.module import eval_expr
def It(frame):
    is_on, _ = eval_expr(f'etcd("sources/{frame.source_id}", true)', 0)
    frame.set_tag("on", is_on)
"""


def test_a_module_reads_etcd_and_its_statistics_tell_how_old_the_values_are(etcd: Etcd, tmp_path: Path) -> None:
    etcd.put("savant/sources/test", "false")
    source = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": -1, "is-live": True}}
    parameters = {"etcd": {"hosts": [etcd.host], "connect_timeout": 2}}
    config = tree(parameters=parameters, source=source, elements=[pyfunc("switch", tmp_path, SWITCH)])
    with Module(config, sinks=[sink := MemorySink()]) as module:
        wait_for_tag(sink, False)
        assert module.statistics().etcd == EtcdStatistics(0.0, 1)
        etcd.stop()
        while (statistics := module.statistics().etcd) is None or statistics.age_s == 0.0:
            pass
        assert statistics.keys == 1
        count = len(sink.outputs)
        while len(sink.outputs) < count + 3:
            pass
        wait_for_tag(sink, False)
        etcd.start()
        etcd.put("savant/sources/test", "true")
        wait_for_tag(sink, True)
    assert module.statistics().etcd is not None
    assert eval_expr('etcd("sources/test", "default")', 0)[0] == "default"  # the module is over


def wait_for_tag(sink: MemorySink, value: bool) -> None:
    """Wait until the newest frame has the tag ``on`` with this value."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        frames = [output.as_video_frame() for output in sink.outputs[-1:] if output.is_video_frame]
        if [frame.get_attribute("default", "on").values[0].as_boolean() for frame in frames] == [value]:  # type: ignore[union-attr]
            return
    pytest.fail(f"no frame with the tag {value}")


def test_a_module_without_hosts_runs_on_defaults_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tree(parameters={"etcd": {"hosts": []}}, elements=[pyfunc("switch", tmp_path, SWITCH)])
    module = Module(config, sinks=[sink := MemorySink()])
    module.run()
    tags = {
        output.as_video_frame().get_attribute("default", "on").values[0].as_boolean() for output in sink.outputs[:-1]
    }  # type: ignore[union-attr]
    assert tags == {True}
    assert caplog.text.count("no etcd is configured; defaults are used") == 1
    assert module.statistics().etcd is None


def test_a_module_whose_etcd_is_away_at_the_start_does_not_start() -> None:
    port = free_port()
    module = Module(tree(parameters={"etcd": {"hosts": [f"127.0.0.1:{port}"], "connect_timeout": 1}}), sinks=[])
    with pytest.raises(EtcdError, match=f"etcd cannot be reached: 127.0.0.1:{port}"):
        module.run()


def test_a_module_refuses_credentials_with_their_path() -> None:
    etcd = {"hosts": ["127.0.0.1:1"], "credentials": {"username": "u", "password": "secret"}}
    with pytest.raises(ConfigError, match=r"parameters\.etcd\.credentials: etcd3gw cannot log in") as caught:
        Module(tree(parameters={"etcd": etcd}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("settings", [None, {"hosts": []}])
def test_no_hosts_mean_no_etcd(settings: dict[str, list[str]] | None) -> None:
    assert open_etcd(settings) is None


def test_credentials_are_refused_by_name() -> None:
    settings = {"hosts": ["127.0.0.1:1"], "credentials": {"username": "u", "password": "p"}}
    with pytest.raises(EtcdError, match=r"parameters\.etcd\.credentials: etcd3gw cannot log in"):
        open_etcd(settings)
