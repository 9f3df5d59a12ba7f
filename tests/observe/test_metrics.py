"""What Prometheus reads: families and labels, the law of the account, and a real Prometheus that evaluates them."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import urllib.error
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_kit import OWN_DISLIKED, complaints, read, scraping, values

sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
from engine_kit import bypass_spec, encode_spec, send
from test_module_run import FRAMES, PATTERN, no_thread_is_left, pyfunc, tree

from picasso.engine import Callbacks, EvictionDecision, GeneralSpec, PicassoEngine
from picasso.errors import MissingDependencyError, TransportError
from picasso.flow import Runner
from picasso.module import ConfigError, Module
from picasso.module.sinks import MemorySink
from picasso.observe import Gauge, metrics_registry, serve_metrics
from picasso.observe.exporter import MOST_CLIENTS, MetricsServer, Registry
from picasso.primitives import VideoFrame

__all__ = ["no_thread_is_left"]

DROPS = "def It(frame):\n    if frame.frame_num % 4 == 0: frame.drop()"


def with_metrics(**more: Any) -> dict[str, Any]:
    """Parameters of a module that Prometheus may read."""
    metrics = {"provider": "prometheus", "provider_params": {"port": 0, **more}, "frame_period": 5}
    return {"telemetry": {"metrics": metrics}}


def sums(found: dict[str, float], name: str, **labels: str) -> float:
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        value
        for key, value in found.items()
        if re.fullmatch(rf"{name}(\{{.*\}})?", key) and all(label in key for label in wanted)
    )


def test_a_real_prometheus_scrapes_and_evaluates(tmp_path: Path) -> None:
    source = {
        **PATTERN,
        "properties": {**PATTERN["properties"], "num-buffers": -1, "is-live": True, "source_id": "gate"},
    }
    parameters = {**with_metrics(labels={"site": "north"}), "output_frame": {"codec": "jpeg"}}
    module = Module(
        tree(parameters=parameters, source=source, elements=[pyfunc("drops", tmp_path, DROPS)]), sinks=[MemorySink()]
    )
    with module:
        assert module.metrics_port is not None
        with scraping(module.metrics_port, tmp_path) as prometheus:
            prometheus.wait_for('rate(picasso_source_latency_seconds_count{source_id="gate"}[2s]) > 0')
            prometheus.wait_for('frame_counter_total{record_type="frame"} > 4')
            law = (
                "picasso_frames_received_total == on(site) picasso_frames_delivered_total + on(site) "
                "sum by (site) (picasso_frames_dropped_total) + on(site) picasso_frames_under_way"
            )
            prometheus.wait_for(law)
            of_source = law.replace("picasso_frames", "picasso_source_frames").replace("site", "source_id")
            prometheus.wait_for(of_source)
            quantile = "histogram_quantile(0.99, rate(picasso_source_latency_seconds_bucket[2s]))"
            seconds = prometheus.value(f"{quantile} >= 0")
            assert seconds is not None
            assert 0 < seconds <= 10
            share = prometheus.value(
                'picasso_frames_dropped_total{reason="element"} / ignoring(reason) picasso_frames_received_total'
            )
            assert share == pytest.approx(0.25, abs=0.1)
            assert prometheus.value('picasso_source_state{state="live", source_id="gate", site="north"}') == 1
            assert prometheus.value("picasso_source_encoder_bytes_per_second > 0") is not None
            assert prometheus.value("count(up == 1)") == 1


def test_promtool_dislikes_only_the_names_that_existing_dashboards_read(tmp_path: Path) -> None:
    element = pyfunc("counts", tmp_path, COUNTS)
    module = Module(
        tree(parameters={**with_metrics(), "output_frame": {"codec": "jpeg"}}, elements=[element]), sinks=[MemorySink()]
    )
    module.run()
    assert complaints(module.metrics_text()) == OWN_DISLIKED


COUNTS = """
from picasso.module import Counter, Gauge, PyFunc
class It(PyFunc):
    def on_start(self):
        self.metrics["seen"] = Counter("frames_seen", "Frames that were seen.", ("source_id",))
        self.metrics["size"] = Gauge("widest_pixels", "Width of the widest frame.")
        return True
    def __call__(self, frame):
        self.metrics["seen"].inc(labels=(frame.source_id,))
        self.metrics["size"].set(frame.video_frame.width)
"""


def test_the_families_and_labels_of_existing_dashboards_are_there(tmp_path: Path) -> None:
    module = Module(
        tree(parameters=with_metrics(labels={"b": "2", "a": 1}), elements=[pyfunc("counts", tmp_path, COUNTS)]),
        sinks=[MemorySink()],
    )
    module.run()
    text = module.metrics_text()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert {name: types[name] for name in types if not name.startswith(("picasso_", "process_"))} == {
        "frame_counter_total": "counter",
        "object_counter_total": "counter",
        "stage_queue_length": "gauge",
        "stage_frame_counter_total": "counter",
        "stage_object_counter_total": "counter",
        "stage_batch_counter_total": "counter",
        "frames_seen_total": "counter",
        "widest_pixels": "gauge",
    }
    assert re.search(
        rf'^frame_counter_total{{a="1",b="2",record_type="frame"}} {FRAMES}\.0 \d{{13}}$', text, re.MULTILINE
    )
    assert f'frames_seen_total{{a="1",b="2",source_id="test"}} {FRAMES}.0\n' in text
    assert 'record_type="initial"' not in text
    element = (
        f'stage_batch_counter_total{{a="1",b="2",record_type="frame",stage_name="pyfunc/{tmp_path}/counts.py.It"}}'
    )
    assert values(text)[element] == sum(
        stage.batches for stage in module.statistics().stages if stage.name.startswith("pyfunc/")
    )


def test_without_periods_no_records_are_exported_and_everything_else_is() -> None:
    parameters = with_metrics()
    parameters["telemetry"]["metrics"] |= {"frame_period": None, "time_period": None}
    module = Module(tree(parameters=parameters), sinks=[MemorySink()])
    module.run()
    found = values(module.metrics_text())
    assert not [name for name in found if name.startswith(("frame_counter", "stage_"))]
    assert found["picasso_frames_received_total"] == FRAMES


def test_every_number_is_that_of_the_account(tmp_path: Path) -> None:
    source = [{**PATTERN, "properties": {**PATTERN["properties"], "source_id": name}} for name in ("a", "b")]
    parameters = {**with_metrics(), "output_frame": {"codec": "jpeg"}, "batch_size": 2}
    module = Module(
        tree(parameters=parameters, source=source, elements=[pyfunc("drops", tmp_path, DROPS)]),
        sinks=[MemorySink(), MemorySink()],
    )
    module.run()
    statistics, found = module.statistics(), values(module.metrics_text())
    assert found["picasso_frames_received_total"] == statistics.total.came == 2 * FRAMES
    assert found["picasso_frames_delivered_total"] == statistics.total.left
    assert sums(found, "picasso_frames_dropped_total") == sum(statistics.total.dropped.values()) == FRAMES // 2
    for name, one in statistics.sources.items():
        got = {
            family: sums(found, f"picasso_source_{family}", source_id=name)
            for family in ("frames_received_total", "frames_delivered_total", "frames_dropped_total")
        }
        assert list(got.values()) == [one.account.came, one.account.left, sum(one.account.dropped.values())]
        assert sums(found, "picasso_source_latency_seconds_count", source_id=name) == one.account.left
        assert sums(found, "picasso_source_latency_seconds_sum", source_id=name) == one.latency.sum_ns / 1e9
        assert sums(found, "picasso_source_encoded_bytes_total", source_id=name) == one.encoded_bytes > 0
        encoded = sums(found, "picasso_source_stage_latency_seconds_count", source_id=name, stage="encode")
        assert encoded == one.account.left
        assert found[f'picasso_source_state{{source_id="{name}",state="ended"}}'] == 1
        assert sums(found, "picasso_source_state", source_id=name) == 1
    assert {name for name in found if name.startswith("picasso_sink_frames_written")} == {
        'picasso_sink_frames_written_total{sink="memory_sink"}',
        'picasso_sink_frames_written_total{sink="memory_sink_1"}',
    }
    assert sums(found, "picasso_batch_size_sum") == 2 * FRAMES
    assert sums(found, "picasso_encoded_bytes_total") == sum(one.encoded_bytes for one in statistics.sources.values())


def test_a_thousand_sources_that_come_and_go_leave_no_series_behind(tmp_path: Path) -> None:
    element = pyfunc("counts", tmp_path, COUNTS)
    module = Module(tree(parameters=with_metrics(), elements=[element]), sources=[], sinks=[MemorySink()])
    frame = VideoFrame("", "30/1", 64, 48, time_base=(1, 10**9), pts=0)
    with module:
        before = len(values(module.metrics_text()))
        for number in range(1_000):
            frame.source_id = f"cam-{number}"
            module.send(frame, np.zeros((48, 64, 3), np.uint8))
            module._sent._sources[frame.source_id].end()
            assert module._runner is not None
            module._runner.remove(frame.source_id)
        found = values(module.metrics_text())
        assert not [name for name in found if "cam-" in name]
        assert len(found) < before + 200  # histograms of stages that had not been passed
        assert (found["picasso_frames_received_total"], found["picasso_frames_delivered_total"]) == (1_000, 1_000)
        assert found["picasso_latency_seconds_count"] == 1_000


@pytest.mark.parametrize(
    ("metrics", "place", "why"),
    [
        ({"provider": "grafana"}, "provider", "grafana"),
        ({"provider": "prometheus"}, "provider", "prometheus needs provider_params.port"),
        ({"provider": "prometheus", "provider_params": {}}, "provider", "prometheus needs provider_params.port"),
        (
            {"provider": "prometheus", "provider_params": {"port": 70000}},
            "provider_params.port",
            "0 to 65535, got 70000",
        ),
        ({"provider": "prometheus", "provider_params": {"port": True}}, "provider_params.port", "got True"),
        ({"provider": "prometheus", "provider_params": {"port": "x"}}, "provider_params.port", "got 'x'"),
        ({"provider": "prometheus", "provider_params": {"prot": 1, "port": 1}}, "provider_params.prot", "mean 'port'"),
        (
            {"provider": "prometheus", "provider_params": {"port": 1, "labels": ["a"]}},
            "provider_params.labels",
            "expected names and values",
        ),
        (
            {"provider": "prometheus", "provider_params": {"port": 1, "labels": {"source_id": "x"}}},
            "provider_params.labels.source_id",
            "series have this label of their own",
        ),
        (
            {"provider": "prometheus", "provider_params": {"port": 1, "labels": {"a-b": "x"}}},
            "provider_params.labels.a-b",
            "letters, digits and underscores",
        ),
        (
            {"provider": "prometheus", "provider_params": {"port": 1, "labels": {"a": []}}},
            "provider_params.labels.a",
            "expected a text, got list",
        ),
    ],
    ids=str,
)
def test_what_a_provider_cannot_do_is_named(metrics: dict[str, Any], place: str, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Module(tree(parameters={"telemetry": {"metrics": metrics}}))
    (problem,) = raised.value.problems
    assert f"parameters.telemetry.metrics.{place}: " in str(problem)
    assert why in str(problem)


def test_a_port_may_come_from_the_environment_as_a_text() -> None:
    with Module(tree(parameters=with_metrics(port="0")), sinks=[MemorySink()]) as module:
        assert "picasso_frames_received_total" in read(f"http://127.0.0.1:{module.metrics_port}/metrics")


def test_a_port_that_is_in_use_is_named_before_anything_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        module = Module(tree(parameters=with_metrics(port=port)), sinks=[sink := MemorySink()])
        with pytest.raises(ConfigError, match=rf"provider_params\.port: .*port {port} cannot be listened at"):
            module.run()
    assert not sink.outputs


def test_nothing_listens_when_the_module_has_stopped() -> None:
    with Module(tree(parameters=with_metrics()), sinks=[MemorySink()]) as module:
        port = module.metrics_port
        assert read(f"http://127.0.0.1:{port}/metrics")
        assert read(f"http://[::1]:{port}/metrics") or not socket.has_dualstack_ipv6()
    with pytest.raises(urllib.error.URLError):
        read(f"http://127.0.0.1:{port}/metrics")


def collected() -> MetricsServer:
    return MetricsServer(Registry(lambda: ()), 0, "127.0.0.1")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("GET /metrics?name[]=x HTTP/1.0\r\n\r\n", 200),
        ("HEAD /metrics HTTP/1.0\r\n\r\n", 200),
        ("GET / HTTP/1.0\r\n\r\n", 404),
        ("GET /favicon.ico HTTP/1.0\r\n\r\n", 404),
        ("GET /metrics/../../../etc/passwd HTTP/1.0\r\n\r\n", 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", 404),
        ("POST /metrics HTTP/1.0\r\nContent-Length: 1000000000\r\n\r\nx", 405),
        ("DELETE /metrics HTTP/1.0\r\n\r\n", 405),
    ],
    ids=lambda value: str(value).split("\r", maxsplit=1)[0],
)
def test_the_server_reads_only_and_knows_one_path(request_text: str, status: int) -> None:
    with collected() as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(request_text.encode())
        answer = b""
        while part := client.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"root:" not in answer
    assert (body != b"") is (request_text.startswith("GET /metrics HTTP") or status != 200)


@pytest.mark.parametrize("nonsense", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02", b"GET " + b"x" * 100_000, b"\r\n"])
def test_nonsense_ends_its_own_connection(nonsense: bytes) -> None:
    with collected() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client, suppress(ConnectionError):
            client.sendall(nonsense)
            client.shutdown(socket.SHUT_WR)
            assert b"200" not in client.recv(65536).split(b"\r\n")[0]
        assert "process_cpu_seconds_total" in read(f"http://127.0.0.1:{server.port}/metrics")


def test_clients_that_say_nothing_keep_no_others_from_an_answer() -> None:
    with collected() as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MOST_CLIENTS - 1)]
        for _ in range(3):
            assert "process_cpu_seconds_total" in read(f"http://127.0.0.1:{server.port}/metrics")
        for one in silent:
            one.close()


def test_a_client_that_trickles_is_cut_off() -> None:
    with collected() as server:
        server._server._deadline_s = 0.0
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(b"GET /metr")
            assert client.recv(1) == b""  # without the deadline it would be asked to go on indefinitely
        server._server._deadline_s = 20.0
        assert "process_cpu_seconds_total" in read(f"http://127.0.0.1:{server.port}/metrics")


def test_an_engine_alone_offers_the_same_by_one_call() -> None:
    done = threading.Semaphore(0)
    with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=lambda _output: done.release())) as engine:
        engine.set_source_spec("a", encode_spec())
        people = Gauge("people", "People in the picture.", ("zone",))
        with serve_metrics(engine, 0, host="127.0.0.1", labels={"site": "x"}, custom=[people]) as server:
            for pts in range(5):
                send(engine, pts)
            for _ in range(5):
                done.acquire()
            people.set(3, ("door",))
            engine.remove_source_spec("b")  # unknown
            engine.send_eos("a")
            done.acquire()
            text = read(f"http://127.0.0.1:{server.port}/metrics")
            found = values(text)
            label = '{site="x",source_id="a"}'
            assert found[f"picasso_source_frames_received_total{label}"] == 5
            assert found[f"picasso_source_frames_delivered_total{label}"] == 5
            assert found[f"picasso_source_frames_under_way{label}"] == 0
            assert found[f"picasso_source_latency_seconds_count{label}"] == 5
            assert found['picasso_source_stage_latency_seconds_count{site="x",source_id="a",stage="encode"}'] == 5
            assert found[f"picasso_source_encoded_bytes_total{label}"] == 5 * 32 * 32 * 4
            assert found['people{site="x",zone="door"}'] == 3
            assert complaints(text) == set()
            engine.remove_source_spec("a")
            assert 'source_id="a"' not in read(f"http://127.0.0.1:{server.port}/metrics")


def test_sources_of_an_engine_that_are_evicted_leave_no_series_behind() -> None:
    callbacks = Callbacks(on_eviction=lambda _source: EvictionDecision.terminate_immediately())
    with PicassoEngine(GeneralSpec(), callbacks) as engine:
        registry = metrics_registry(engine)
        for number in range(20):
            engine.set_source_spec(f"cam-{number}", bypass_spec(idle_timeout_secs=0.01))
        from prometheus_client import generate_latest

        while b"cam-" in generate_latest(registry):
            threading.Event().wait(0.01)
        assert engine.stats().sources


def test_a_runner_tells_states_and_reconnects_too() -> None:
    class OneFrame:
        source_id = "s"

        def __iter__(self) -> Any:
            from engine_kit import make_frame, make_pixels

            yield make_frame(1, source_id="s"), make_pixels()

        def stop(self) -> None: ...

    runner = Runner()
    runner.add(OneFrame(), sinks=[MemorySink()])
    runner.start()
    with serve_metrics(runner, 0) as server:
        assert [status.delivered for status in runner.run()] == [1]
        text = read(f"http://127.0.0.1:{server.port}/metrics")
    found = values(text)
    assert found['picasso_source_state{source_id="s",state="ended"}'] == 1
    assert found['picasso_source_reconnects_total{source_id="s"}'] == 0
    assert found['picasso_source_frames_read_total{source_id="s"}'] == 1
    assert found['picasso_sink_frames_written_total{sink="0",source_id="s"}'] == 1
    assert complaints(text) == set()


def test_bad_arguments_of_the_one_call_are_named() -> None:
    with PicassoEngine(GeneralSpec(), Callbacks()) as engine:
        with pytest.raises(TypeError, match="expected a PicassoEngine or a Runner, got 'engine'"):
            serve_metrics("engine", 0)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"labels\['le'\]: series have this label of their own"):
            serve_metrics(engine, 0, labels={"le": "x"})
        with serve_metrics(engine, 0) as server, pytest.raises(TransportError, match=f"port {server.port}"):
            serve_metrics(engine, server.port)


def test_without_the_library_one_error_names_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("picasso.observe.")]:
        if name.endswith(("families", "exporter")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    install = r"pip install 'picasso-engine\[metrics\]'"
    with (
        PicassoEngine(GeneralSpec(), Callbacks()) as engine,
        pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[metrics\]'"),
    ):
        serve_metrics(engine, 0)
    with pytest.raises(MissingDependencyError, match=install):
        Module(tree(parameters=with_metrics()), sinks=[MemorySink()]).run()


DASHBOARD = Path(__file__).parents[2] / "docs" / "examples" / "grafana-dashboard.json"
ALARMS = Path(__file__).parents[2] / "docs" / "observing.md"


def expressions() -> list[str]:
    """What the dashboard and the page of alarms ask Prometheus."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    section = ALARMS.read_text().partition("## Alarms worth setting")[2]
    rows = [line.replace("\\|", "/") for line in section.splitlines() if line.startswith("| ")][1:]
    asked += [
        text.replace("/", "|", 3) if "=~" in text else text
        for row in rows
        for text in re.findall(r"`([^`]*\(?picasso_[^`]+)`", row)
    ]
    return [
        text.replace("$__rate_interval", "1m").replace("$source", ".*")
        for text in asked
        if " " in text or "{" in text or "(" in text
    ]


def test_the_dashboard_and_the_alarms_ask_for_what_is_there(tmp_path: Path) -> None:
    element = pyfunc("counts", tmp_path, COUNTS)
    parameters = {**with_metrics(), "output_frame": {"codec": "jpeg"}}
    module = Module(tree(parameters=parameters, elements=[element]), sinks=[MemorySink()])
    module.run()
    known = set(re.findall(r"^# TYPE (\S+) \S+$", module.metrics_text(), re.MULTILINE))
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    asked = expressions()
    assert len(asked) > 20
    names = {name for text in asked for name in re.findall(r"\b(?:picasso|process|frame_counter)_\w+", text)}
    assert names - known == set()
    with MetricsServer(Registry(lambda: ()), 0) as server, scraping(server.port, tmp_path) as prometheus:
        prometheus.wait_for("up == 1")
        for text in asked:
            prometheus.query(text)  # raises where it cannot be parsed


@pytest.mark.parametrize("name", ['say "hi"', "back\\\\slash", "line\nbreak", "Kamera Süd", "{x=1}"])
def test_sources_may_have_any_name(name: str) -> None:
    source = {**PATTERN, "properties": {**PATTERN["properties"], "source_id": name}}
    module = Module(tree(parameters=with_metrics(), source=source), sinks=[MemorySink()])
    module.run()
    text = module.metrics_text()
    assert complaints(text) <= OWN_DISLIKED
    (line,) = re.findall(r"^picasso_source_frames_received_total\{.*\} (.*)$", text, re.MULTILINE)
    assert float(line) == FRAMES
