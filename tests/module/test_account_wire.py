"""The account of sources that come through a socket: from the message to the sink, also of those that are gone."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("zmq")
sys.path.insert(0, str(Path(__file__).parent))
from wire_module_kit import config_of, encode, frame_of, running, send

from picasso.observe import ModuleStatistics
from picasso.primitives import Message


def balance(statistics: ModuleStatistics) -> bool:
    accounts = [statistics.total, *(one.account for one in statistics.sources.values())]
    return all(one.came == one.left + sum(one.dropped.values()) + one.under_way for one in accounts)


@pytest.mark.parametrize("codec", ["h264", "jpeg", "raw-rgba"])
def test_latency_runs_from_the_receipt_of_the_message_to_the_sink(codec: str, tmp_path: Path) -> None:
    units = encode(codec)
    with running(config_of(tmp_path)) as one:
        send(one.writer, units, codec)
        one.writer.send_eos("cam")
    source = one.module.statistics().sources["cam"]
    assert source.latency.count == source.account.left == len(units)
    assert list(source.stages)[:3] == ["source", "decode", "muxer"]
    assert {times.count for times in source.stages.values()} == {len(units)}
    assert sum(times.sum_ns for times in source.stages.values()) == source.latency.sum_ns


def test_frames_without_a_keyframe_and_broken_ones_are_in_the_account_with_their_reasons(tmp_path: Path) -> None:
    units = encode("h264")
    with running(config_of(tmp_path)) as one:
        send(one.writer, units[1:], "h264")  # nothing that a stream may begin with
        send(one.writer, units, "h264", start_ns=10**10)
        one.writer.send("cam", Message.video_frame(frame_of(9, "jpeg", start_ns=10**10)), b"no picture")
        one.writer.send_eos("cam")
        while not one.module.statistics().sources.get("cam") or balance(one.module.statistics()) is False:
            Event().wait(0.001)
    statistics = one.module.statistics()
    account = statistics.sources["cam"].account
    assert balance(statistics)
    assert account.came == 2 * len(units)
    assert account.left == len(units)
    assert account.dropped == one.dropped()
    assert sum(statistics.refused.values()) >= len(units) - 1


def test_sources_that_are_gone_leave_their_frames_and_reasons_in_the_totals_and_no_series(tmp_path: Path) -> None:
    units = encode("jpeg", 2)
    many = 12
    seen: list[int] = []
    properties = {"source_timeout": 0.2, "source_eviction_interval": 0.05}
    metrics = {"telemetry": {"metrics": {"provider": "prometheus", "provider_params": {"port": 0}}}}
    with running(config_of(tmp_path, metrics, **properties)) as one:
        for number in range(many):
            send(one.writer, units, "jpeg", source_id=f"cam-{number}")
            broken = frame_of(9, "jpeg", source_id=f"cam-{number}")
            one.writer.send(broken.source_id, Message.video_frame(broken), b"no picture")
            one.writer.send_eos(f"cam-{number}")
            seen.append(one.module.statistics().total.came)
        while any(source.is_there for source in one.module.statistics().sources.values()):
            seen.append(one.module.statistics().total.came)
        statistics = one.module.statistics()
        text = one.module.metrics_text()
    assert seen == sorted(seen)
    assert statistics.total.came == 3 * many
    assert statistics.total.left == 2 * many
    assert sum(statistics.total.dropped.values()) == many
    assert balance(statistics)
    assert "cam-" not in text
    assert f"picasso_frames_received_total {3 * many}.0" in text
