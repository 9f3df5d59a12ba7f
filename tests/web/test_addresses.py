"""Where a module listens: health on every interface, control and the page where the file says so."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from running import picasso
from web_kit import H264, pattern, running, tree, until
from wire_module_kit import encode, send

from picasso.errors import MissingDependencyError, PicassoError
from picasso.module import ConfigError, Module, load_config
from picasso.web.calls import CALLS
from picasso.wire import Writer

pytestmark = pytest.mark.usefixtures("compiled_kernels")


def test_health_is_read_only_on_every_interface(unused_port: int) -> None:
    with running(tree(pattern("gate"), healthcheck_port=unused_port, shutdown_auth="key")) as one:
        for host in ("127.0.0.1", "127.0.0.2"):
            with httpx.Client(base_url=f"http://{host}:{unused_port}") as http:
                assert http.get("/healthcheck").text == "running"
                assert http.get("/sources", headers={"host": "picasso.example"}).json()[0]["source_id"] == "gate"
                assert http.get("/live").status_code == 200
                assert {http.get(path).status_code for path in ("/", "/watch", "/page/main.js", "/healthchec")} == {404}
                asked = [http.post(call.path.replace("{source_id}", "gate")) for call in CALLS if call.method == "POST"]
                assert {answer.status_code for answer in asked} == {404, 405}
        assert one.is_running


def test_health_answers_before_and_behind_the_run(unused_port: int, tmp_path: Path) -> None:
    code = tmp_path / "slow.py"
    code.write_text(
        "import pathlib, urllib.request, urllib.error\n"
        "from picasso.module import NvDsPyFuncPlugin\n"
        "seen = []\n"
        "def ask():\n"
        "    for path in ('healthcheck', 'ready', 'live'):\n"
        f"        url = f'http://127.0.0.1:{unused_port}/{{path}}'\n"
        "        try:\n"
        "            with urllib.request.urlopen(url) as answer:\n"
        "                seen.append((answer.status, answer.read()))\n"
        "        except urllib.error.HTTPError as error:\n"
        "            seen.append((error.code, error.read()))\n"
        "class Asks(NvDsPyFuncPlugin):\n"
        "    def on_start(self):\n"
        "        ask()\n"
        "        return True\n"
        "    def on_stop(self):\n"
        "        ask()\n"
        "        pathlib.Path(__file__ + '.seen').write_text(repr(seen))\n"
        "        return True\n"
        "    def process_frame(self, buffer, frame_meta):\n"
        "        pass\n"
    )
    config = tree(pattern("gate", **{"num-buffers": 2}), healthcheck_port=unused_port, web=None)
    config["pipeline"]["elements"] = [{"element": "pyfunc", "module": str(code), "class_name": "Asks"}]
    Module(config).run()
    starting, stopping = (503, b"starting"), (503, b"stopping")
    assert Path(f"{code}.seen").read_text() == repr(
        [starting, starting, (200, b"live"), stopping, stopping, (200, b"live")]
    )
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{unused_port}/live")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "cameras.example", "::"])
def test_beyond_loopback_a_token_is_needed(host: str) -> None:
    with pytest.raises(ConfigError, match=r"parameters\.web\.token: other machines reach .* so a token is needed"):
        load_config(tree(pattern("gate"), web={"host": host, "port": 8080}))
    load_config(tree(pattern("gate"), web={"host": host, "port": 8080, "token": "a long secret"}))


def test_a_token_that_is_wrong_is_the_only_fault() -> None:
    with pytest.raises(ConfigError) as failed:
        load_config(tree(pattern("gate"), web={"host": "0.0.0.0", "port": 8080, "token": "short"}))
    (problem,) = failed.value.problems
    assert "token" in str(problem)
    assert "short" not in str(problem).replace("shorter", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_it_is_not(host: str) -> None:
    config = load_config(tree(pattern("gate"), web={"host": host, "port": 8080}))
    assert config.warnings == ()


def test_an_address_that_is_in_use_is_named(unused_port: int) -> None:
    with running(tree(pattern("gate"), healthcheck_port=unused_port)):
        other = Module(tree(pattern("gate"), web={"port": unused_port}))
        with pytest.raises(ConfigError, match=r"parameters\.web\.port: cannot listen: .*Address already in use"):
            other.run()
    assert issubclass(ConfigError, PicassoError)


def test_a_source_of_a_name_with_slashes_is_reached() -> None:
    with running(tree(pattern("yard/north/1"), output_frame=H264)) as one:
        assert one.source("yard/north/1")["source_id"] == "yard/north/1"
        assert one.source("yard%2Fnorth%2F1")["source_id"] == "yard/north/1"
        assert one.http.post("/sources/yard/north/1/keyframe").status_code == 202
        assert one.http.post("/sources/yard/north/1/pause").status_code == 202
        one.wait_for_state("yard/north/1", "paused")


def test_a_program_and_the_command_line_choose_the_port(
    unused_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Module(tree(pattern("gate"), web=None), web=unused_port) as module:
        assert module.web.page == f"http://127.0.0.1:{unused_port}"
        assert httpx.get(f"{module.web.page}/ready").text == "running"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yml").write_text(
        "name: m\nparameters: {code_root: null}\npipeline:\n"
        "  source: {element: videotestsrc, properties: {num-buffers: 2, width: 64, height: 48}}\n"
        "  sink: [{element: devnull_sink}]\n"
    )
    done = picasso("run", "m.yml", "--web", str(unused_port), "-q")
    assert done.code == 0, done.err
    assert f"live page and control at http://127.0.0.1:{unused_port}" in done.err


def test_sources_of_a_socket_are_watched_and_left_to_their_senders(tmp_path: Path) -> None:
    config = tree(output_frame=H264, frame={"width": 64, "height": 48})
    socket = f"router+bind:ipc://{tmp_path}/in.ipc"
    config["pipeline"]["source"] = {"element": "zeromq_source_bin", "properties": {"socket": socket}}
    config["pipeline"]["sink"] = [{"element": "devnull_sink"}]
    with running(config) as one, Writer(f"dealer+connect:ipc://{tmp_path}/in.ipc") as writer:
        send(writer, encode("h264", 10), "h264")
        until(lambda: one.source("cam").get("counts", {}).get("delivered", 0) > 0)
        cam = one.source("cam")
        assert (cam["spec"], cam["is_own"], cam["can_reconnect"]) == ({"element": "zeromq_source_bin"}, False, False)
        for call in ("pause", "resume", "reconnect", "remove"):
            answer = one.http.post(f"/sources/cam/{call}")
            assert (call, answer.status_code) == (call, 409)
            assert "its sender begins and ends it" in answer.json()["error"]
        assert one.http.post("/sources/cam/keyframe").status_code == 202
        assert one.http.post("/sources/cam/gate", json={"tag": "a"}).status_code == 204


def test_without_the_extra_one_error_names_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for parameters in ({"web": {"port": 0}}, {"web": None, "healthcheck_port": 8080}):
        with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[web\]'"):
            Module(tree(pattern("gate"), **parameters))
    Module(tree(pattern("gate"), web=None)).close()


def test_without_the_block_nothing_listens() -> None:
    with Module(tree(pattern("gate", **{"num-buffers": 1}), web=None)) as module:
        assert (module.web.page, module.web.health) == (None, None)
        module.run()
