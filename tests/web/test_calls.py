"""Every call of a module over HTTP does what it says."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import jsonschema
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from web_kit import H264, Blinking, Running, pattern, running, tree, until

from picasso.client.health import wait_for_health
from picasso.module.run import operations as module_operations
from picasso.web.calls import CALLS, openapi

pytestmark = pytest.mark.usefixtures("compiled_kernels")


@pytest.fixture
def served(compiled_kernels: None) -> Iterator[Running]:
    with running(tree(pattern("gate"), output_frame=H264, shutdown_auth="open sesame")) as one:
        yield one


def test_a_running_module_says_so_as_clients_of_the_reference_read_it(served: Running) -> None:
    for path in ("/healthcheck", "/status", "/ready"):
        answer = served.http.get(path)
        said = (answer.status_code, answer.text, answer.headers["content-type"])
        assert said == (200, "running", "text/plain; charset=utf-8")


def test_clients_of_modules_wait_for_this_health(served: Running) -> None:
    for path in ("healthcheck", "status"):
        wait_for_health(f"{served.module.web.page}/{path}", timeout_s=30)


def test_a_source_says_its_state_its_spec_and_its_counts(served: Running) -> None:
    served.wait_for_more("gate")
    (gate,) = [one for one in served.http.get("/sources").json() if one["source_id"] == "gate"]
    assert (gate["state"], gate["stream"], gate["last_error"]) == ("live", "h264", None)
    assert gate["spec"]["element"] == "videotestsrc"
    assert gate["spec"]["properties"]["width"] == 160
    counts = gate["counts"]
    assert counts["read"] >= counts["delivered"] > 0
    assert counts["dropped"] == 0
    assert {"muxer", "encode", "sink"} <= gate["stages_ms"].keys()
    assert gate["latency_ms"]["p50"] > 0


def test_statistics_name_the_stages_of_the_module(served: Running) -> None:
    found = served.http.get("/statistics").json()
    assert found["state"] == "running"
    assert {"muxer", "encode", "sink"} <= {stage["name"] for stage in found["stages"]}
    total = found["total"]
    assert total["came"] == total["left"] + sum(total["dropped"].values()) + total["under_way"]


def test_metrics_are_those_that_prometheus_reads(unused_port: int) -> None:
    telemetry = {"metrics": {"provider": "prometheus", "provider_params": {"port": unused_port}}}
    config = tree(pattern("gate"), output_frame=H264, telemetry=telemetry, healthcheck_port=unused_port)
    with running(config) as one:  # one port for both
        one.wait_for_more("gate")
        for url in (one.module.web.page, one.module.web.health):
            answer = httpx.get(f"{url}/metrics")
            assert answer.headers["content-type"].startswith("text/plain")
            families = {family.name: family for family in text_string_to_metric_families(answer.text)}
            (frames,) = [
                sample.value
                for family in families.values()
                for sample in family.samples
                if sample.labels.get("source_id") == "gate" and sample.name == "picasso_source_frames_received_total"
            ]
            assert frames > 0


def test_a_source_joins_pauses_goes_on_and_leaves(served: Running) -> None:
    entry = pattern("late")
    assert served.http.post("/sources", json=entry).json() == {"source_id": "late"}
    served.wait_for_more("late")
    assert served.http.post("/sources/late/pause").status_code == 202
    served.wait_for_state("late", "paused")
    held = served.source("late")["counts"]["read"]
    assert served.http.post("/sources/late/reconnect").status_code == 409
    assert served.http.post("/sources/late/resume").status_code == 202
    until(lambda: served.source("late")["counts"]["read"] > held)
    again = served.http.post("/sources", json=entry)
    assert (again.status_code, again.json()["error"]) == (409, "Runner.add: 'late' is in use; names must be unique")
    assert served.http.delete("/sources/late").status_code == 204
    assert served.http.get("/sources/late").status_code == 404
    assert served.http.post("/sources/late/remove").status_code == 404
    assert served.http.post("/sources", json=entry).status_code == 201
    assert served.http.post("/sources/late/remove").status_code == 204


WRONG: dict[str, tuple[str, Any, int, str]] = {
    "no element": ("/sources", {}, 422, "element: is missing"),
    "an element that is none": ("/sources", {"element": "nvurisrc"}, 422, "one of uridecodebin, v4l2src"),
    "a socket": ("/sources", {"element": "zeromq_source_bin"}, 422, "element: unknown value"),
    "code of the caller's": ("/sources", {"element": "videotestsrc", "ingress_frame_filter": {}}, 422, "unknown"),
    "a property that is none": (
        "/sources",
        {"element": "uridecodebin", "properties": {"uri": "a.mp4", "lop": True}},
        422,
        "did you mean 'loop'",
    ),
    "a range upside down": (
        "/sources",
        {"element": "uridecodebin", "properties": {"uri": "a.mp4", "start_s": 2, "stop_s": 1}},
        422,
        "expected more than start_s",
    ),
    "a list": ("/sources", [], 422, "expected an object"),
    "a body for a call without one": ("/sources/gate/pause", {"a": 1}, 400, "takes no body"),
    "a look that is none": (
        "/sources/gate/drawing",
        {"rendered_objects": {"yolo": {"car": {"bbox": {"thicknes": 1}}}}},
        422,
        "did you mean 'thickness'",
    ),
    "an empty tag": ("/sources/gate/gate", {"tag": ""}, 422, "not empty"),
    "a time-out of no time": ("/sources/gate/snapshot", {"timeout_s": 0}, 422, "above 0, at most 60"),
    "no key": ("/stop", {}, 403, "auth is not"),
    "another key": ("/stop", {"auth": "open"}, 403, "auth is not"),
    "no such source": ("/sources/nix/pause", None, 404, "there is no source 'nix'"),
}


def test_what_is_wrong_is_named(served: Running) -> None:
    for case, (path, body, status, text) in WRONG.items():
        answer = served.http.post(path, json=body) if body is not None else served.http.post(path)
        assert (case, answer.status_code, text in answer.json()["error"]) == (case, status, True), answer.text
    assert served.is_running


def test_bodies_are_json_by_name_and_by_content(served: Running) -> None:
    form = served.http.post("/sources", content=b'{"element":"videotestsrc"}', headers={"content-type": "text/plain"})
    assert form.status_code == 415
    broken = served.http.post("/stop", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400


def test_variables_are_not_read_for_a_request(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    entry = {"element": "uridecodebin", "properties": {"uri": "${oc.env:SECRET}", "source_id": "curious"}}
    assert served.http.post("/sources", json=entry).status_code == 201
    served.wait_for_state("curious", "failed")
    assert "s3cret" not in served.http.get("/sources/curious").text
    assert served.http.delete("/sources/curious").status_code == 204


def picture_of(answer: httpx.Response) -> Any:
    assert answer.headers["content-type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def test_a_snapshot_is_the_next_frame_in_full_size(served: Running) -> None:
    picture = picture_of(served.http.post("/sources/gate/snapshot", json={"timeout_s": 60}))
    assert picture.shape == (120, 160, 3)
    assert np.abs(picture[60].reshape(-1, 3).astype(int) - (255, 128, 0)).sum(1).min() < 40  # the square of the pattern


def test_a_snapshot_of_a_source_that_gives_nothing_says_so(served: Running) -> None:
    served.http.post("/sources", json=pattern("still"))
    served.wait_for_more("still")
    served.http.post("/sources/still/pause")
    served.wait_for_state("still", "paused")
    answer = served.http.post("/sources/still/snapshot", json={"timeout_s": 0.05})
    assert (answer.status_code, answer.json()["error"]) == (504, "source 'still': no frame within 0.05 s")
    served.http.delete("/sources/still")


def test_drawing_is_changed_for_one_source_while_it_runs() -> None:
    config = tree(pattern("unused"), draw_func={}, output_frame=H264)
    with running(config, Blinking("left"), Blinking("right")) as one:

        def red_to_blue(source_id: str) -> int:
            picture = picture_of(one.http.post(f"/sources/{source_id}/snapshot", json={"timeout_s": 60}))
            return int((np.abs(picture.astype(int) - (0, 0, 255)).sum(2) < 150).sum())

        assert red_to_blue("left") == 0
        look = {"bbox": {"border_color": "0000FFFF", "background_color": "0000FFFF"}}
        assert (
            one.http.post("/sources/left/drawing", json={"rendered_objects": {"yolo": {"car": look}}}).status_code
            == 204
        )
        assert red_to_blue("left") > 40 * 30 * 0.8
        assert red_to_blue("right") == 0
        assert one.source("left")["drawing"] == "own"
        one.http.post("/sources/left/drawing", json={"is_on": False})
        picture = picture_of(one.http.post("/sources/left/snapshot", json={"timeout_s": 60}))
        assert np.abs(picture.astype(int) - (200, 40, 40)).max() < 30  # nothing is drawn at all
        one.http.post("/sources/left/drawing", json={})
        assert "drawing" not in one.source("left")


def test_a_gate_is_changed_for_one_source_while_it_runs(served: Running) -> None:
    assert served.http.post("/sources/gate/gate", json={"tag": "never"}).status_code == 204
    gated = served.source("gate")
    assert (gated["gate"], gated["stream"]) == ("never", None)
    served.wait_for_more("gate")  # frames leave, as metadata
    until(lambda: served.http.get("/statistics").json()["stages"])

    def encoded() -> int:
        stages = {stage["name"]: stage["frames"] for stage in served.http.get("/statistics").json()["stages"]}
        return int(stages["queue-tagged"])

    before = encoded()
    served.wait_for_more("gate", 5)
    assert encoded() <= before + 2
    assert served.http.post("/sources/gate/gate", json={}).status_code == 204
    until(lambda: encoded() > before + 5)
    assert "gate" not in served.source("gate")


def test_a_module_without_pixels_has_no_gate_and_gives_snapshots() -> None:
    with running(tree(pattern("gate"))) as one:
        assert one.http.post("/sources/gate/gate", json={"tag": "a"}).status_code == 409
        assert picture_of(one.http.post("/sources/gate/snapshot", json={"timeout_s": 60})).shape == (120, 160, 3)
        assert one.source("gate")["stream"] is None


def test_a_lost_camera_is_opened_again_now_and_its_password_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    camera = Blinking("gate")
    camera.restart = type(camera.restart)(first_s=3600, most_s=3600, jitter=0, on_end=True)
    with running(tree(pattern("unused"), output_frame=H264), camera) as one:
        one.wait_for_more("gate")
        camera.is_lost.set()
        one.wait_for_state("gate", "backing_off")
        said = one.source("gate")["last_error"]
        assert "the cable was cut" in said
        assert "hunter2" not in said
        camera.is_lost.clear()
        assert one.source("gate")["can_reconnect"]
        assert one.http.post("/sources/gate/reconnect").status_code == 202
        one.wait_for_state("gate", "live")
        assert camera.opened == 2
        assert one.http.post("/sources/gate/reconnect").status_code == 202  # also one that is live
        until(lambda: one.source("gate")["reconnects"] == 1)


def test_a_file_that_has_failed_is_made_again_from_its_entry(tmp_path: Path) -> None:
    clip = tmp_path / "late.mp4"
    with running(tree(pattern("gate"), output_frame=H264)) as one:
        entry = {"element": "uridecodebin", "properties": {"uri": str(clip), "source_id": "late"}}
        assert one.http.post("/sources", json=entry).status_code == 201
        one.wait_for_state("late", "failed")
        assert "late.mp4" in one.source("late")["failure"]
        with av.open(str(clip), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
            for _ in range(5):
                picture = av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), np.uint8), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        assert one.http.post("/sources/late/reconnect").status_code == 202
        one.wait_for_state("late", "ended")
        assert one.source("late")["counts"]["delivered"] == 5
    assert [status.delivered for status in one.module.statuses() if status.source_id == "late"] == [5]


def test_a_file_that_two_requests_make_again_at_once_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = {"uri": str(tmp_path / "late.mp4"), "source_id": "late"}
    with running(tree(pattern("gate"), output_frame=H264)) as one:
        operations = one.module.web.operations
        operations.add_source({"element": "uridecodebin", "properties": clip})
        one.wait_for_state("late", "failed")
        over, open_source, opened = operations._own("late"), module_operations.open_source, []

        def open_slowly(*arguments: Any) -> Any:
            opened.append(open_source(*arguments))
            if len(opened) == 1:
                others.append(threads.submit(operations.reconnect, "late"))
                asked.wait()
            return opened[-1]

        def own(source_id: str) -> Any:
            if threading.current_thread() is not threading.main_thread() and not asked.is_set():
                asked.set()
                return over  # what it saw a moment ago
            return look(source_id)

        asked, others, look = threading.Event(), [], operations._own
        monkeypatch.setattr(module_operations, "open_source", open_slowly)
        monkeypatch.setattr(operations, "_own", own)
        with ThreadPoolExecutor(1) as threads:
            operations.reconnect("late")
            for other in others:
                other.result()
        one.wait_for_state("late", "failed")
        assert one.http.get("/sources").status_code == 200


def test_a_file_that_is_read_cannot_be_opened_again(tmp_path: Path) -> None:
    with running(tree(pattern("gate", **{"is-live": False}), output_frame=H264)) as one:
        answer = one.http.post("/sources/gate/reconnect")
        assert (answer.status_code, "is a file" in answer.json()["error"]) == (409, True)


def test_a_module_waits_for_a_source_when_its_last_one_was_removed() -> None:
    with running(tree(pattern("gate"), output_frame=H264, shutdown_auth="key")) as one:
        one.wait_for_more("gate")
        assert one.http.delete("/sources/gate").status_code == 204
        assert one.http.get("/sources").json() == []
        assert one.http.post("/sources", json=pattern("other")).status_code == 201
        one.wait_for_more("other")
        assert one.http.delete("/sources/other").status_code == 204
        assert one.http.post("/stop", json={"auth": "key"}).status_code == 202
        one.join()
    assert one.failure is None


def test_a_stop_lets_everything_out() -> None:
    with running(tree(pattern("gate"), output_frame=H264, shutdown_auth="key")) as one:
        one.wait_for_more("gate")
        assert one.http.post("/stop", json={"auth": "key"}).status_code == 202
        one.join()
    account = one.module.statistics().sources["gate"].account
    assert (account.came, account.dropped) == (account.left, {})
    assert account.came > 0


def test_a_module_without_a_key_is_not_stopped_by_a_request() -> None:
    with running(tree(pattern("gate"))) as one:
        answer = one.http.post("/stop", json={"auth": ""})
        assert (answer.status_code, "shutdown_auth is not set" in answer.json()["error"]) == (403, True)


def test_the_document_of_the_interface_names_every_call_and_is_valid(served: Running) -> None:
    document = served.http.get("/openapi.json").json()
    named = {(method.upper(), path) for path, calls in document["paths"].items() for method in calls}
    assert named == {(call.method, call.path) for call in CALLS}
    for calls in document["paths"].values():
        for call in calls.values():
            if "requestBody" in call:
                schema = call["requestBody"]["content"]["application/json"]["schema"]
                jsonschema.Draft202012Validator.check_schema(schema)
            assert all(answer["description"] for answer in call["responses"].values())
    names = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    assert len(names) == len(set(names))
    read_only = openapi("m", "1", is_control=False, needs_token=False)
    assert {method for calls in read_only["paths"].values() for method in calls} == {"get"}


def test_a_checkout_that_is_not_installed_serves_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_metadata(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("picasso.web.application.version", no_metadata)
    with running(tree(pattern("gate"))) as one:
        assert one.http.get("/openapi.json").json()["info"]["version"] == "unknown"
