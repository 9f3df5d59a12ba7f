"""Who runs a kernel: the interpreter as it stands (``pure``), or Numba for this CPU (``host``).

A kernel is a plain function on integers and flat arrays that calls other plain functions of this package by name.
``host`` compiles it with everything it names, without the GIL, and keeps the machine code on disk. Nothing here
imports Numba before something is compiled.

Numba's own cache looks at the file of the function that is called and not at the files of the functions which that one
calls; ours (``cache``, ``store``) is keyed by the text of every file that host code can come from, by the versions of
Numba and LLVM, and by the CPU and its features.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from picasso_kernels.folder import cache_folder

__all__ = ["cache_folder", "host", "pure", "source_key", "tool_versions", "with_parts"]

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent
_NO_KERNELS: Final = frozenset({"folder.py", "store.py", "cache.py", "farm.py", "workshop.py"})
"""Files that change nothing in what is compiled."""


def pure(kernel: Callable[P, R]) -> Callable[P, R]:
    """Return the reference: the kernel as it is written, run by the interpreter, every offset and value checked."""
    return kernel


def host(
    kernel: Callable[P, R], *, inline: tuple[str, ...] | None = None, keep_gil: bool | None = None
) -> Callable[P, R]:
    """Return the kernel as machine code: that which came with the package, else what Numba makes here.

    The result runs without the GIL and may be called from any thread. Of an entry of ``signatures``, which also says
    how it is compiled, there may be machine code that fits this processor (``forms``). Else the first call with new
    argument types compiles or loads from disk, and arguments are not checked.

    Args:
        kernel: A plain function.
        inline: Files of this package whose functions are put into those that call them, where LLVM would not: for loops
            of few turns around calls. By default what its entry says, else none.
        keep_gil: For microseconds of work: a busy thread that gets the GIL may keep it for a thousand times longer. By
            default what its entry says, else no.
    """
    return _host(kernel, inline, keep_gil)  # type: ignore[no-any-return]  # dispatchers have no type


@functools.cache
def _host(kernel: Callable[..., Any], inline: tuple[str, ...] | None, keep_gil: bool | None) -> Any:
    from picasso_kernels import forms
    from picasso_kernels.signatures import ENTRIES

    entry = ENTRIES.get(kernel)
    if inline is None:
        inline = entry.inline if entry else ()
    if keep_gil is None:
        keep_gil = bool(entry and entry.keep_gil)
    return forms.find(kernel, keep_gil) or _compiled(kernel, True, inline, not keep_gil)


@functools.cache
def _compiled(kernel: Callable[..., Any], is_entry: bool, inline: tuple[str, ...], nogil: bool) -> Any:
    import numba

    from picasso_kernels.cache import KernelCache
    from picasso_kernels.link import Part
    from picasso_kernels.native import MACHINE

    if kernel in MACHINE:
        return MACHINE[kernel]
    linked = with_parts(kernel, inline, nogil, {})
    if not is_entry:
        return Part(linked, inline=kernel.__module__.rpartition(".")[2] in inline)
    dispatcher = numba.njit(linked, nogil=nogil, error_model="numpy")
    if _is_ours(kernel):  # the key follows the text of this package only
        options = "-".join([*inline, f"nogil{nogil:d}"])
        dispatcher._cache = KernelCache(kernel.__name__, options, source_key(), tool_versions())
    return dispatcher


def with_parts(
    kernel: Callable[..., Any], inline: tuple[str, ...], nogil: bool, given: Mapping[Callable[..., Any], Any]
) -> types.FunctionType:
    """Return a kernel which Numba can compile: whatever it calls is a part, or what is ``given`` in its place."""
    from picasso_kernels.simd import TWINS

    scope = dict(kernel.__globals__)
    is_twin = kernel in TWINS.values()
    for name in _callees(kernel):
        callee = scope[name] if is_twin else TWINS.get(scope[name], scope[name])
        scope[name] = given[callee] if callee in given else _compiled(callee, False, inline, nogil)
    linked = types.FunctionType(kernel.__code__, scope, kernel.__name__, kernel.__defaults__, kernel.__closure__)
    linked.__qualname__, linked.__module__ = kernel.__qualname__, kernel.__module__
    return linked


def _callees(kernel: Callable[..., Any]) -> list[str]:
    """Return the names by which a kernel calls plain functions of this package."""
    scope = kernel.__globals__
    names = [name for name in kernel.__code__.co_names if isinstance(scope.get(name), types.FunctionType)]
    return [name for name in names if _is_ours(scope[name])]


def _is_ours(function: Callable[..., Any]) -> bool:
    return function.__module__.partition(".")[0] == __package__


@functools.cache
def source_key() -> str:
    """Return a hash over the text of all kernels but those for CUDA."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.glob("*.py")):
        if not path.name.startswith("cuda") and path.name not in _NO_KERNELS:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def tool_versions() -> str:
    """Return the versions of what makes machine code."""
    import llvmlite
    import numba

    return f"numba {numba.__version__} llvmlite {llvmlite.__version__}"
