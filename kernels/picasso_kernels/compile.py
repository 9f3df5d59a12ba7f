"""Who runs a kernel: the interpreter as it stands (``pure``), or Numba for this CPU (``host``).

A kernel is a plain function on integers and flat arrays that calls other plain functions of this package by name.
``host`` compiles it with everything it names, without the GIL, and keeps the machine code on disk. Nothing here
imports Numba before something is compiled.

Numba's own cache looks at the file of the function that is called and not at the files of the functions which that one
calls; ours is keyed by the text of every file that host code can come from, and Numba's version. Numba adds the CPU and
its features.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent


def pure(kernel: Callable[P, R]) -> Callable[P, R]:
    """Return the reference: the kernel as it is written, run by the interpreter, every offset and value checked."""
    return kernel


def host(kernel: Callable[P, R], *, inline: tuple[str, ...] = (), keep_gil: bool = False) -> Callable[P, R]:
    """Return the kernel compiled for this CPU; the first call with new argument types compiles or loads from disk.

    The result runs without the GIL, checks nothing, and may be called from any thread.

    Args:
        kernel: A plain function.
        inline: Files of this package whose functions are put into those that call them, where LLVM would not: for loops
            of few turns around calls.
        keep_gil: For microseconds of work: a busy thread that gets the GIL may keep it for a thousand times longer.
    """
    return _compiled(kernel, True, inline, not keep_gil)  # type: ignore[no-any-return]  # dispatchers have no type


@functools.cache
def _compiled(kernel: Callable[..., Any], is_entry: bool, inline: tuple[str, ...], nogil: bool) -> Any:
    import numba

    from picasso_kernels.cache import keep_on_disk
    from picasso_kernels.link import Part
    from picasso_kernels.native import MACHINE
    from picasso_kernels.simd import TWINS

    if kernel in MACHINE:
        return MACHINE[kernel]
    scope = dict(kernel.__globals__)
    is_twin = kernel in TWINS.values()
    for name in _callees(kernel):
        callee = scope[name]
        scope[name] = _compiled(callee if is_twin else TWINS.get(callee, callee), False, inline, nogil)
    linked = types.FunctionType(kernel.__code__, scope, kernel.__name__, kernel.__defaults__, kernel.__closure__)
    linked.__qualname__, linked.__module__ = kernel.__qualname__, kernel.__module__
    if not is_entry:
        return Part(linked, inline=kernel.__module__.rpartition(".")[2] in inline)
    dispatcher = numba.njit(linked, nogil=nogil, error_model="numpy")
    keep_on_disk(dispatcher, cache_folder(), source_key(), "-".join([*inline, f"nogil{nogil:d}"]))
    return dispatcher


def _callees(kernel: Callable[..., Any]) -> list[str]:
    """Return the names by which a kernel calls plain functions of this package."""
    scope = kernel.__globals__
    names = [name for name in kernel.__code__.co_names if isinstance(scope.get(name), types.FunctionType)]
    return [name for name in names if scope[name].__module__.partition(".")[0] == __package__]


@functools.cache
def source_key() -> str:
    """Return a hash over what machine code depends on beside the CPU: Numba, and all kernels but those for CUDA."""
    import llvmlite
    import numba

    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for path in sorted(_PACKAGE.glob("*.py")):
        if not path.name.startswith("cuda"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def cache_folder() -> Path:
    """Return the folder of compiled kernels: beside the package, else the user's cache, else a temporary one."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = hashlib.sha256(str(_PACKAGE).encode()).hexdigest()[:12]
    for folder in (_PACKAGE / "__pycache__" / "kernels", user / "picasso" / place):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return Path(tempfile.mkdtemp(prefix="picasso-kernels-"))
