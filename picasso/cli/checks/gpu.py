"""The GPU, as far as this machine has one: driver, devices, NVENC and NVDEC, each really opened.

A source works on the GPU when its encoder's memory is CUDA's; what stands here tells what it would find there.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

from picasso.cli.checks.finding import Finding, State
from picasso_kernels.cuda import libcuda


def check_gpu() -> Iterator[Finding]:
    """Driver and devices, then one session of the encoder and of the decoder."""
    try:
        driver = libcuda.open_driver()
        yield from _devices(driver)
    except libcuda.NoDriverError as error:
        yield Finding.failed("gpu", "CUDA", str(error), needed=False)
    yield _session("NVENC", "h264_nvenc", "w")
    yield _session("NVDEC", "h264_cuvid", "r")


def _devices(driver: Any) -> Iterator[Finding]:
    count, (major, minor) = libcuda.device_count(driver), libcuda.cuda_version(driver)
    yield Finding("gpu", "CUDA", State.OK, f"devices: {count}, driver speaks CUDA {major}.{minor}")
    for index in range(count):
        device = libcuda.device_at(driver, index)
        if device is not None:
            major, minor = libcuda.compute_capability_of(driver, device)
            detail = f"{libcuda.name_of(driver, device)}, compute capability {major}.{minor}"
            yield Finding("gpu", f"device {index}", State.OK, detail)


def _session(name: str, codec: str, mode: Literal["r", "w"]) -> Finding:
    """Open a hardware session through PyAV: only that tells a GPU without the unit from one that has it."""
    try:
        import av

        from picasso.media.ffmpeg_log import logged_errors

        try:
            with logged_errors() as said:
                _open_session(codec, mode)
        except av.FFmpegError as error:  # its code is often "Operation not permitted"; what FFmpeg logged says more
            reason = "; ".join(message.strip() for _level, _name, message in said) or str(error)
            return Finding.failed("gpu", name, reason, needed=False)
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
