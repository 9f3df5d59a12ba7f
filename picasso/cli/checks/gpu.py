"""The GPU, as far as this machine has one: driver, devices, NVENC and NVDEC, each really opened.

A source works on the GPU when its encoder's memory is CUDA's; what stands here tells what it would find there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

from picasso.cli.checks.finding import Finding, State

_COMPUTE_CAPABILITY_MAJOR = 75  # CUdevice_attribute
_COMPUTE_CAPABILITY_MINOR = 76


class _DriverError(Exception):
    """The CUDA driver is missing or refuses."""


def check_gpu() -> Iterator[Finding]:
    """Driver and devices, then one session of the encoder and of the decoder."""
    try:
        driver = _open_driver()
        yield from _devices(driver)
    except _DriverError as error:
        yield Finding.failed("gpu", "CUDA", str(error), needed=False)
    yield _session("NVENC", "h264_nvenc", "w")
    yield _session("NVDEC", "h264_cuvid", "r")


def _open_driver() -> ctypes.CDLL:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise _DriverError("libcuda.so.1 is not found: no NVIDIA driver is installed here") from error
    code = driver.cuInit(0)
    if code:
        raise _DriverError(f"the driver is installed and cuInit returned {code}: no usable NVIDIA GPU")
    return driver


def _devices(driver: ctypes.CDLL) -> Iterator[Finding]:
    count, api = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    driver.cuDriverGetVersion(ctypes.byref(api))
    speaks = f"driver speaks CUDA {api.value // 1000}.{api.value % 1000 // 10}"
    yield Finding("gpu", "CUDA", State.OK, f"devices: {count.value}, {speaks}")
    for index in range(count.value):
        name, major, minor = ctypes.create_string_buffer(128), ctypes.c_int(), ctypes.c_int()
        driver.cuDeviceGetName(name, len(name), index)
        driver.cuDeviceGetAttribute(ctypes.byref(major), _COMPUTE_CAPABILITY_MAJOR, index)
        driver.cuDeviceGetAttribute(ctypes.byref(minor), _COMPUTE_CAPABILITY_MINOR, index)
        detail = f"{name.value.decode(errors='replace')}, compute capability {major.value}.{minor.value}"
        yield Finding("gpu", f"device {index}", State.OK, detail)


def _session(name: str, codec: str, mode: Literal["r", "w"]) -> Finding:
    """Open a hardware session through PyAV: only that tells a GPU without the unit from one that has it."""
    try:
        import av

        level = av.logging.get_level()
        av.logging.set_level(av.logging.ERROR)
        try:
            with av.logging.Capture() as said:
                _open_session(codec, mode)
        except av.FFmpegError as error:  # its code is often "Operation not permitted"; what FFmpeg logged says more
            reason = "; ".join(message.strip() for _level, _name, message in said) or str(error)
            return Finding.failed("gpu", name, reason, needed=False)
        finally:
            av.logging.set_level(level)
    except Exception as error:  # noqa: BLE001 - the finding is why it does not open
        return Finding.failed("gpu", name, error, needed=False)
    return Finding("gpu", name, State.OK, f"a session of {codec} opens")


def _open_session(codec: str, mode: Literal["r", "w"]) -> None:
    import av

    context: Any = av.CodecContext.create(codec, mode)
    context.width, context.height, context.pix_fmt = 256, 256, "nv12"
    if mode == "w":
        context.time_base = Fraction(1, 25)
    context.open()
