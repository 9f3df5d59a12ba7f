"""What the machine has: GPU, its family and memory, NVENC, Jetson. Works, and says no, where there is no CUDA.

Asks the driver's own libraries (``libcuda``, ``libnvidia-ml``, ``libnvidia-encode``) and needs no toolkit.
"""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path
from typing import Any, Final

from picasso.errors import DeviceError
from picasso_kernels.cuda import libcuda

_MODEL_FILE = Path("/proc/device-tree/model")
_MIB: Final = 1 << 20

# nvml.h, nvmlMemory_v2_t: version, total, reserved, free, used; the version is 2 and the size of it
_NVML_MEMORY_VERSION: Final = 2 << 24 | 40

# https://developer.nvidia.com/cuda-gpus
_ARCHITECTURES: Final = (
    ((10, 0), "blackwell"),
    ((9, 0), "hopper"),
    ((8, 9), "ada"),
    ((8, 0), "ampere"),
    ((7, 5), "turing"),
    ((7, 0), "volta"),
    ((6, 0), "pascal"),
    ((5, 0), "maxwell"),
)
# Families of compute cards without an encoder: https://developer.nvidia.com/video-encode-decode-support-matrix
_NO_NVENC: Final = ("A100", "A30", "A800", "H100", "H200", "H20", "H800", "GH200", "B100", "B200", "GB200", "B300")


def init_cuda(gpu_id: int = 0) -> None:
    """Initialise the CUDA driver and make sure that this GPU is there.

    Raises:
        DeviceError: No driver, or no such device; the message says which.
    """
    _device(gpu_id)


def has_nvenc(gpu_id: int = 0) -> bool:
    """Tell whether a GPU should have a hardware encoder.

    The driver's encoder library must load, and the card must not be of a family that is known to have no encoder.
    Opening a session is the only proof.
    """
    name = gpu_name(gpu_id)
    if name is None or _load("libnvidia-encode.so.1") is None:
        return False
    return not any(word in _NO_NVENC for word in name.replace("-", " ").split())


def gpu_name(gpu_id: int = 0) -> str | None:
    """Return the driver's name of a GPU, e.g. ``"NVIDIA L4"``; None without one."""
    try:
        cuda, device = _device(gpu_id)
    except DeviceError:
        return None
    return libcuda.name_of(cuda, device)


def gpu_compute_capability(gpu_id: int = 0) -> tuple[int, int] | None:
    """Return the compute capability of a GPU, e.g. ``(8, 9)``; None without one."""
    try:
        cuda, device = _device(gpu_id)
    except DeviceError:
        return None
    return libcuda.compute_capability_of(cuda, device)


def gpu_architecture(gpu_id: int = 0) -> str | None:
    """Return the family of a GPU in lower case, e.g. ``"ada"``; None without one, or for one before Maxwell."""
    capability = gpu_compute_capability(gpu_id)
    if capability is None:
        return None
    return next((name for least, name in _ARCHITECTURES if capability >= least), None)


def gpu_platform_tag(gpu_id: int = 0) -> str | None:
    """Return ``"jetson"`` on a Jetson, else ``"dgpu-"`` and the family, e.g. ``"dgpu-ada"``; None without a GPU."""
    if is_jetson_kernel():
        return "jetson"
    family = gpu_architecture(gpu_id)
    return family and f"dgpu-{family}"


def gpu_mem_used_mib(gpu_id: int = 0) -> int | None:
    """Return the memory of a GPU in use by all processes, in MiB; None where the driver cannot tell."""
    nvml = _load("libnvidia-ml.so.1")
    if nvml is None or nvml.nvmlInit_v2():
        return None
    try:
        device, memory = ctypes.c_void_p(), (ctypes.c_ulonglong * 5)(_NVML_MEMORY_VERSION)
        if nvml.nvmlDeviceGetHandleByIndex_v2(gpu_id, ctypes.byref(device)):
            return None
        return None if nvml.nvmlDeviceGetMemoryInfo_v2(device, memory) else memory[4] // _MIB
    finally:
        nvml.nvmlShutdown()


def is_jetson_kernel() -> bool:
    """Tell whether the kernel is NVIDIA's for Jetson."""
    return "tegra" in platform.uname().release


def jetson_model() -> str | None:
    """Return what the board calls itself, e.g. ``"NVIDIA Jetson Orin Nano Developer Kit"``; None elsewhere."""
    try:
        model = _MODEL_FILE.read_bytes().rstrip(b"\0").decode(errors="replace")
    except OSError:
        return None
    return model if "jetson" in model.lower() else None


def _device(gpu_id: int) -> tuple[Any, ctypes.c_int]:
    """Open the driver and find a device."""
    try:
        cuda = libcuda.open_driver()
    except libcuda.NoDriverError as error:
        raise DeviceError(str(error)) from error
    device = libcuda.device_at(cuda, gpu_id)
    if device is None:
        raise DeviceError(f"no GPU {gpu_id}: the CUDA driver sees {libcuda.device_count(cuda)}")
    return cuda, device


def _load(library: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(library)
    except OSError:
        return None
