"""From a kernel's name to machine code for one device: compiled, assembled, kept on disk.

Numba's PTX is newer than what older drivers read, so nvJitLink assembles it for the device, and the cubin is what the
driver loads. A second process finds it on disk and imports neither Numba nor nvJitLink.
"""

from __future__ import annotations

import functools
import hashlib
import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NamedTuple

from picasso_kernels.cache import store
from picasso_kernels.cache.sources import key_of

_TOOLS: Final = ("numba", "numba-cuda", "llvmlite", "nvidia-nvjitlink", "nvidia-cuda-nvcc", "nvidia-nvvm")
ARCHITECTURES: Final = ((7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0))
"""Compute capabilities that every kernel is assembled for in the tests; others work as far as nvJitLink knows them."""


class Usage(NamedTuple):
    """What one thread of a kernel takes."""

    registers: int
    stack: int
    """Bytes."""
    local: int
    """Bytes of local memory, where registers go that do not fit: device memory, and slow."""


def load_cubin(name: str, compute_capability: tuple[int, int], *, batched: bool) -> bytes:
    """Return a kernel's machine code, from disk if it was built before.

    Args:
        name: A key of ``cuda.kernels.KERNELS`` or ``cuda.paint.PAINTERS``.
        compute_capability: Of the device, e.g. ``(9, 0)``.
        batched: Whether the kernel takes a table of frames by value, or one frame; painters take one.
    """
    major, minor = compute_capability
    place = store.Name(f"{entry_name(name, batched=batched)}-sm{major}{minor}", source_key(), tool_key(), "cubin")
    cubin = store.read(place)
    if cubin is None:
        cubin, _ = assemble(build_ptx(name, batched=batched), compute_capability)
        store.write(place, cubin)
    return cubin


def entry_name(name: str, *, batched: bool) -> str:
    """Return the name of a kernel's entry in its cubin."""
    return f"{name}_batch" if batched else name


def build_ptx(name: str, *, batched: bool) -> str:
    """Compile a kernel with Numba; needs no GPU and no driver."""
    from picasso_kernels.cuda.kernels import KERNELS
    from picasso_kernels.cuda.numba_adapter import compile_kernel, compile_painter
    from picasso_kernels.cuda.paint import PAINTERS

    if name in PAINTERS:
        return compile_painter(PAINTERS[name], name)
    kernel = KERNELS[name]
    entry = entry_name(name, batched=batched)
    return compile_kernel(kernel.write, kernel.parts, entry, batched=batched, blocks=kernel.blocks)


def assemble(ptx: str, compute_capability: tuple[int, int]) -> tuple[bytes, str]:
    """Make machine code of PTX; return it with the assembler's log, which ``read_usage`` reads.

    Raises:
        RuntimeError: nvJitLink refuses it; the message is its log.
    """
    from cuda.bindings import nvjitlink

    major, minor = compute_capability
    options = [f"-arch=sm_{major}{minor}", "-O3", "-verbose"]
    linker = nvjitlink.create(len(options), options)
    text = ptx.encode()
    try:
        nvjitlink.add_data(linker, nvjitlink.InputType.PTX, text, len(text), "kernel")
        nvjitlink.complete(linker)
        cubin = bytearray(nvjitlink.get_linked_cubin_size(linker))
        nvjitlink.get_linked_cubin(linker, cubin)
        return bytes(cubin), _log(nvjitlink, linker, "info")
    except nvjitlink.nvJitLinkError as error:
        raise RuntimeError(f"{error}: {_log(nvjitlink, linker, 'error')}") from error
    finally:
        nvjitlink.destroy(linker)


def _log(nvjitlink: Any, linker: int, kind: str) -> str:
    text = bytearray(getattr(nvjitlink, f"get_{kind}_log_size")(linker))
    getattr(nvjitlink, f"get_{kind}_log")(linker, text)
    return text.decode(errors="replace").strip("\0")


def read_usage(log: str) -> Usage:
    """Read what the assembler says of a kernel."""
    found = re.search(r"used (\d+) registers.*?(\d+) stack.*?(\d+) bytes lmem", log)
    if not found:
        raise RuntimeError(f"the assembler's log names no registers: {log}")
    return Usage(*map(int, found.groups()))


@functools.cache
def source_key() -> str:
    """Return a hash over the text of all kernels that run on a GPU."""
    return key_of("maths", "frame", "paint", "cuda")


@functools.cache
def tool_key() -> str:
    """Return a hash over the versions of what makes machine code."""
    return hashlib.sha256(" ".join(f"{tool} {_version(tool)}" for tool in _TOOLS).encode()).hexdigest()[:12]


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"
