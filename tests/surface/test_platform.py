"""What the machine has, on machines that have it and on those that have not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from picasso.errors import DeviceError
from picasso.surface import platform
from picasso_kernels.cuda import libcuda


class Driver:
    """``libcuda`` of a machine with one GPU."""

    def __init__(self, name: bytes = b"NVIDIA L4", capability: tuple[int, int] = (8, 9), init: int = 0) -> None:
        self.name, self.capability, self.init = name, capability, init

    def cuInit(self, flags: int) -> int:  # noqa: N802  # the driver's own name
        return self.init

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = 1
        return 0

    def cuDeviceGet(self, device: Any, index: int) -> int:  # noqa: N802
        return 0

    def cuDeviceGetName(self, name: Any, length: int, device: Any) -> int:  # noqa: N802
        name.value = self.name
        return 0

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:  # noqa: N802
        value._obj.value = self.capability[attribute - 75]
        return 0


class Nvml:
    """``libnvidia-ml`` of a machine whose GPU 0 has 100 MiB in use."""

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return 0

    def nvmlShutdown(self) -> int:  # noqa: N802
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, handle: Any) -> int:  # noqa: N802
        return 0 if index == 0 else 2

    def nvmlDeviceGetMemoryInfo_v2(self, handle: Any, memory: Any) -> int:  # noqa: N802
        assert memory[0] == 0x2000028
        memory[4] = 100 << 20
        return 0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The libraries that load, by name; none at first."""
    libraries: dict[str, Any] = {}

    def load() -> Any:
        if libcuda.LIBRARY not in libraries:
            raise OSError(f"{libcuda.LIBRARY}: cannot open shared object file")
        return libraries[libcuda.LIBRARY]

    monkeypatch.setattr(libcuda, "load", load)
    monkeypatch.setattr(platform, "_load", libraries.get)
    return libraries


def test_without_a_gpu_everything_says_no(machine: dict[str, Any]) -> None:
    assert not platform.has_nvenc()
    assert platform.gpu_name() is None
    assert platform.gpu_mem_used_mib() is None
    assert platform.gpu_architecture() is None
    assert platform.gpu_platform_tag() is None
    with pytest.raises(DeviceError, match=r"no CUDA driver on this machine: libcuda\.so\.1 cannot be loaded"):
        platform.init_cuda()


@pytest.mark.parametrize(
    ("capability", "family"),
    [
        ((7, 5), "turing"),
        ((8, 6), "ampere"),
        ((8, 9), "ada"),
        ((9, 0), "hopper"),
        ((12, 0), "blackwell"),
        ((3, 5), None),
    ],
)
def test_the_family_of_a_gpu(machine: dict[str, Any], capability: tuple[int, int], family: str | None) -> None:
    machine["libcuda.so.1"] = Driver(capability=capability)
    platform.init_cuda()
    assert platform.gpu_compute_capability() == capability
    assert platform.gpu_architecture() == family
    assert platform.gpu_platform_tag() == (family and f"dgpu-{family}")


@pytest.mark.parametrize(
    ("name", "library", "answer"),
    [
        (b"NVIDIA L4", True, True),
        (b"NVIDIA GeForce RTX 4090", True, True),
        (b"NVIDIA L4", False, False),
        (b"NVIDIA H200", True, False),
        (b"NVIDIA H100 80GB HBM3", True, False),
        (b"NVIDIA A100-SXM4-40GB", True, False),
        (b"NVIDIA A30", True, False),
        (b"NVIDIA RTX A3000", True, True),
    ],
)
def test_nvenc_needs_its_library_and_a_card_with_an_encoder(
    machine: dict[str, Any], name: bytes, library: bool, answer: bool
) -> None:
    machine["libcuda.so.1"] = Driver(name)
    if library:
        machine["libnvidia-encode.so.1"] = SimpleNamespace()
    assert platform.has_nvenc() is answer


@pytest.mark.parametrize("gpu_id", [1, -1])
def test_a_gpu_that_is_not_there(machine: dict[str, Any], gpu_id: int) -> None:
    machine["libcuda.so.1"] = Driver()
    with pytest.raises(DeviceError, match=f"no GPU {gpu_id}: the CUDA driver sees 1"):
        platform.init_cuda(gpu_id)
    assert platform.gpu_name(gpu_id) is None


def test_a_driver_that_does_not_start(machine: dict[str, Any]) -> None:
    machine["libcuda.so.1"] = Driver(init=100)
    with pytest.raises(DeviceError, match="cuInit returned 100"):
        platform.init_cuda()


def test_memory_in_use(machine: dict[str, Any]) -> None:
    machine["libnvidia-ml.so.1"] = Nvml()
    assert platform.gpu_mem_used_mib() == 100
    assert platform.gpu_mem_used_mib(1) is None


@pytest.mark.parametrize(("release", "answer"), [("5.15.148-tegra", True), ("6.1.0-18-amd64", False)])
def test_the_kernel_of_a_jetson(monkeypatch: pytest.MonkeyPatch, release: str, answer: bool) -> None:
    monkeypatch.setattr("platform.uname", lambda: SimpleNamespace(release=release))
    assert platform.is_jetson_kernel() is answer
    if answer:
        assert platform.gpu_platform_tag() == "jetson"


@pytest.mark.parametrize(
    ("content", "model"),
    [
        (b"NVIDIA Jetson Orin Nano Developer Kit\0", "NVIDIA Jetson Orin Nano Developer Kit"),
        (b"Raspberry Pi 5 Model B\0", None),
        (None, None),
    ],
)
def test_the_model_of_a_jetson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, model: str | None
) -> None:
    file = tmp_path / "model"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(platform, "_MODEL_FILE", file)
    assert platform.jetson_model() == model


def test_libraries_load_or_do_not() -> None:
    assert platform._load("libm.so.6") is not None
    assert platform._load("libno-such-library.so.1") is None
