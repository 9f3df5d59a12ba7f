from __future__ import annotations

import ctypes
import json
import sys
from types import SimpleNamespace

import pytest
from running import picasso

from picasso.cli.checks import Finding, State, examine
from picasso.cli.checks import cpu as cpu_checks
from picasso.cli.checks import gpu as gpu_checks
from picasso.cli.checks import host as host_checks
from picasso.cli.checks.kernels import check_kernels
from picasso.cli.checks.models import check_models
from picasso.infer.providers import threads_for, usable_cores
from picasso_kernels.cpu import forms
from picasso_kernels.cpu.levels import level_of
from picasso_kernels.cuda import libcuda


@pytest.fixture(scope="module")
def findings() -> dict[tuple[str, str], Finding]:
    return {(finding.area, finding.name): finding for finding in examine()}


def test_this_machine_has_a_working_cpu_path(findings: dict[tuple[str, str], Finding]) -> None:
    assert [finding for finding in findings.values() if finding.state is State.BROKEN] == []


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "jpeg", "png", "raw_rgba", "raw_rgb", "raw_nv12"])
def test_every_encoder_was_opened(findings: dict[tuple[str, str], Finding], codec: str) -> None:
    finding = findings["encoders", codec]
    assert (finding.state, finding.detail.split()[-3:]) == (State.OK, ["one", "of", "64x64"])


def test_every_finding_says_something(findings: dict[tuple[str, str], Finding]) -> None:
    for finding in findings.values():
        assert finding.detail
        assert "\n" not in finding.detail


def test_json_holds_all_findings(findings: dict[tuple[str, str], Finding]) -> None:
    done = picasso("doctor", "--json")
    report = json.loads(done.out)
    assert (done.code, report["cpu_path_works"]) == (0, True)
    assert {(finding["area"], finding["name"]) for finding in report["findings"]} == set(findings)
    assert {finding["state"] for finding in report["findings"]} <= {"ok", "absent", "broken"}


def test_the_table_ends_with_the_verdict() -> None:
    assert picasso("doctor").out.rstrip().endswith("The CPU path works.")


def test_what_is_broken_is_named_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.cli.checks.examine", lambda: [Finding.failed("drawing", "Skia", "gone", needed=True)])
    done = picasso("doctor")
    assert done.code == 1
    assert "gone" in done.out
    assert done.out.rstrip().endswith("Broken: drawing/Skia.")


def test_a_missing_package_comes_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.setitem(sys.modules, "cv2", None)
    found = {finding.name: finding for finding in host_checks.check_packages()}
    assert (found["msgspec"].state, found["msgspec"].fix) == (State.BROKEN, "pip install picasso-engine")
    assert found["opencv-python-headless"].state is State.ABSENT


V3 = forms.Form("built", "the best that this processor has", level_of("v3"))
JIT = forms.Form("jit", "v4 was not built")
PURE = forms.Form("pure", "PICASSO_KERNELS=pure")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (V3, "level v3, built with the package: the best that this processor has"),
        (JIT, "compiled here by Numba on first use, then cached: v4 was not built"),
        (PURE, "run by the interpreter, thousands of times slower: PICASSO_KERNELS=pure"),
    ],
)
def test_the_form_of_the_kernels_is_told_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, form: forms.Form, says: str
) -> None:
    monkeypatch.setattr(forms, "form", lambda: form)
    found = {finding.name: finding for finding in check_kernels()}
    assert (found["form"].state, found["form"].detail) == (State.OK, says)


def test_numba_is_needed_where_nothing_was_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    for form, state, fix in ((JIT, State.BROKEN, "pip install 'picasso-engine[jit]'"), (V3, State.ABSENT, None)):
        monkeypatch.setattr(forms, "form", lambda form=form: form)
        numba = {finding.name: finding for finding in check_kernels()}["numba"]
        assert (numba.state, numba.fix) == (state, fix)


def test_a_form_that_cannot_run_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> forms.Form:
        raise ImportError("PICASSO_KERNELS=v4: v4 was not built")

    monkeypatch.setattr(forms, "form", refuse)
    found = {finding.name: finding for finding in check_kernels()}
    assert (found["form"].state, found["form"].detail) == (State.BROKEN, "PICASSO_KERNELS=v4: v4 was not built")


def test_an_uninstalled_demo_package_comes_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_version(name: str) -> str:
        raise host_checks.PackageNotFoundError(name)

    monkeypatch.setattr(host_checks, "version", no_version)
    finding = list(host_checks.check_packages())[-1]
    assert (finding.name, finding.state) == ("scikit-video", State.ABSENT)
    assert finding.fix == "pip install 'picasso-engine[demo]'"


def test_an_opencv_without_cascades_is_no_good_for_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(__version__="5.0.0"))
    finding = list(host_checks.check_packages())[-2]
    assert (finding.name, finding.state) == ("opencv-python-headless", State.ABSENT)
    assert "OpenCV 5.0.0 has no cascades" in finding.detail
    assert finding.fix == "pip install 'picasso-engine[demo]'"


def test_missing_system_libraries_come_with_their_debian_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_checks, "_loads", lambda _library: False)
    monkeypatch.setitem(sys.modules, "skia", None)
    (finding,) = host_checks.check_skia()
    assert finding.state is State.ABSENT  # only on_render needs it
    assert "on_render" in finding.detail
    assert finding.fix == "apt-get install libgl1 libegl1"


@pytest.mark.parametrize(("codec", "state"), [("h264", State.BROKEN), ("av1", State.ABSENT)])
def test_an_encoder_that_fails_gives_its_reason(monkeypatch: pytest.MonkeyPatch, codec: str, state: State) -> None:
    def refuse(_name: str) -> str:
        raise RuntimeError("no such\nencoder")

    monkeypatch.setattr(cpu_checks, "_encode_one_frame", refuse)
    found = {finding.name: finding for finding in cpu_checks.check_encoders()}
    assert (found[codec].state, found[codec].detail) == (state, "no such encoder")


class Driver:
    """A CUDA driver with one GPU."""

    def __init__(self, init_code: int = 0) -> None:
        self._init_code = init_code

    def cuInit(self, _flags: int) -> int:  # noqa: N802 - the driver's name
        return self._init_code

    def cuDeviceGetCount(self, count: object) -> int:  # noqa: N802
        count._obj.value = 1  # type: ignore[attr-defined]
        return 0

    def cuDriverGetVersion(self, version: object) -> int:  # noqa: N802
        version._obj.value = 13000  # type: ignore[attr-defined]
        return 0

    def cuDeviceGet(self, _device: object, _index: int) -> int:  # noqa: N802
        return 0

    def cuDeviceGetName(self, name: ctypes.Array[ctypes.c_char], _length: int, _device: int) -> int:  # noqa: N802
        name.value = b"NVIDIA H200"
        return 0

    def cuDeviceGetAttribute(self, value: object, attribute: int, _device: int) -> int:  # noqa: N802
        value._obj.value = {75: 9, 76: 0}[attribute]  # type: ignore[attr-defined]
        return 0


def test_a_gpu_is_named_with_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcuda, "load", Driver)
    found = {finding.name: finding for finding in gpu_checks.check_gpu()}
    assert found["CUDA"].detail.startswith("devices: 1, driver speaks CUDA 13.0")
    assert found["device 0"].detail == "NVIDIA H200, compute capability 9.0"


@pytest.mark.parametrize(
    ("driver", "says"),
    [(None, "no NVIDIA driver is installed"), (Driver(100), "cuInit returned 100")],
    ids=["no driver", "driver without GPU"],
)
def test_no_gpu_comes_with_the_reason(monkeypatch: pytest.MonkeyPatch, driver: Driver | None, says: str) -> None:
    def load() -> Driver:
        if driver is None:
            raise OSError("libcuda.so.1: cannot open shared object file")
        return driver

    monkeypatch.setattr(libcuda, "load", load)
    found = {finding.name: finding for finding in gpu_checks.check_gpu()}
    assert found["CUDA"].state is State.ABSENT
    assert says in found["CUDA"].detail
    assert {found["NVENC"].state, found["NVDEC"].state} <= {State.ABSENT, State.OK}


def test_a_model_ran_on_the_cpu_and_its_threads_are_named(findings: dict[tuple[str, str], Finding]) -> None:
    assert findings["models", "ONNX Runtime"].state is State.OK
    assert (findings["models", "cpu"].state, findings["models", "cpu"].detail) == (State.OK, "runs a small graph")
    alone, beside = threads_for(0), threads_for(16)
    detail = f"a model alone gets {alone} of {usable_cores()} cores; beside 16 sources {beside}"
    assert findings["models", "threads"].detail == detail


def test_a_provider_that_runs_nothing_is_absent_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.infer.providers.available_providers", lambda: ("cpu", "cuda"))
    found = {finding.name: finding for finding in check_models()}
    assert (found["cuda"].state, found["tensorrt"].state) == (State.ABSENT, State.ABSENT)
    assert "CUDAExecutionProvider" in found["cuda"].detail
    assert found["tensorrt"].detail == "not in this ONNX Runtime"


def test_without_onnx_runtime_models_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (finding,) = check_models()
    assert (finding.state, finding.fix) == (State.ABSENT, "pip install 'picasso-engine[onnx]'")
