"""The CUDA driver's library: the one place that opens it, and what can be asked of it without NVIDIA's packages.

``driver`` calls what a frame needs through ``load_quick``, and everything else through ``cuda.bindings``, which has the
driver's structures. ``picasso doctor`` and ``picasso.surface.platform`` ask here: they work where nothing is installed.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any, Final

LIBRARY: Final = "libcuda.so.1"
_COMPUTE_CAPABILITY_MAJOR: Final = 75  # cuda.h, CUdevice_attribute
_COMPUTE_CAPABILITY_MINOR: Final = 76
fork_notes: Final[list[bool]] = []
"""Not empty in a child of ``os.fork`` whose parent had opened a device: there no call of the driver succeeds."""


def is_over(ending: Callable[[], bool] = sys.is_finalizing, notes: list[bool] = fork_notes) -> bool:
    """Tell whether destructors leave everything to the driver: at the interpreter's end, and in a fork.

    Its parameters are what it needs of this module, whose names may be gone by then.
    """
    return bool(notes) or ending()


class NoDriverError(Exception):
    """The CUDA driver is missing or does not initialise; the message says which."""


def load() -> Any:
    """Return the library, whose calls release the GIL.

    Raises:
        OSError: There is none.
    """
    return ctypes.CDLL(LIBRARY)


def load_quick() -> Any:
    """Return the library, whose calls keep the GIL: for those that take the driver a microsecond.

    Raises:
        ImportError: There is none.
    """
    try:
        return ctypes.PyDLL(LIBRARY)
    except OSError as error:
        raise ImportError(f"there is no CUDA driver: {error}") from error


def open_driver() -> Any:
    """Return the library, initialised.

    Raises:
        NoDriverError: There is none, or it finds no GPU that it can use.
    """
    try:
        cuda = load()
    except OSError as error:
        raise NoDriverError(
            f"no CUDA driver on this machine: {LIBRARY} cannot be loaded; no NVIDIA driver is installed"
        ) from error
    if code := cuda.cuInit(0):
        raise NoDriverError(f"the CUDA driver does not initialise: cuInit returned {code}; no GPU can be used")
    return cuda


def device_count(cuda: Any) -> int:
    """Return how many GPUs an open driver sees."""
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    return count.value


def cuda_version(cuda: Any) -> tuple[int, int]:
    """Return the newest CUDA that an open driver knows, e.g. ``(13, 0)``."""
    version = ctypes.c_int()
    cuda.cuDriverGetVersion(ctypes.byref(version))
    return version.value // 1000, version.value % 1000 // 10


def device_at(cuda: Any, index: int) -> ctypes.c_int | None:
    """Return a GPU of an open driver; None where there is no such GPU."""
    device = ctypes.c_int()
    if not 0 <= index < device_count(cuda) or cuda.cuDeviceGet(ctypes.byref(device), index):
        return None
    return device


def name_of(cuda: Any, device: ctypes.c_int) -> str | None:
    """Return what a GPU calls itself, e.g. ``"NVIDIA L4"``; None where the driver does not say."""
    name = ctypes.create_string_buffer(256)
    failed = cuda.cuDeviceGetName(name, len(name), device)
    return None if failed else name.value.decode(errors="replace")


def compute_capability_of(cuda: Any, device: ctypes.c_int) -> tuple[int, int]:
    """Return the compute capability of a GPU, e.g. ``(8, 9)``."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    cuda.cuDeviceGetAttribute(ctypes.byref(major), _COMPUTE_CAPABILITY_MAJOR, device)
    cuda.cuDeviceGetAttribute(ctypes.byref(minor), _COMPUTE_CAPABILITY_MINOR, device)
    return major.value, minor.value
