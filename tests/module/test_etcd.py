"""The mirror of a real etcd: what is put is read, what is lost stays, what is back is read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from etcd_kit import Etcd, free_port

from picasso.module.params import eval_expr, use_dynamic
from picasso.module.params.etcd import EtcdError, EtcdMirror, open_etcd

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


@pytest.mark.parametrize("settings", [None, {"hosts": []}])
def test_no_hosts_mean_no_etcd(settings: dict[str, list[str]] | None) -> None:
    assert open_etcd(settings) is None


def test_credentials_are_refused_by_name() -> None:
    settings = {"hosts": ["127.0.0.1:1"], "credentials": {"username": "u", "password": "p"}}
    with pytest.raises(EtcdError, match=r"parameters\.etcd\.credentials: etcd3gw cannot log in"):
        open_etcd(settings)
