"""Whether this Numba is one that the adapter knows: a small kernel compiled, kept and loaded through all of it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from picasso_kernels.cache.folder import say_once
from picasso_kernels.cache.store import Name
from picasso_kernels.cpu.linking import linked
from picasso_kernels.maths.memory import Bytes, copy, load8, load16, load32, prefetch, store8, tail

_LOCK: Final = threading.RLock()
_COUNT: Final = 64
Plain = Callable[..., Any]


def obstacle() -> str | None:
    """Return what is wrong with the adapter here, None if it works; found out once a process, in half a second."""
    with _LOCK:
        return _obstacle()


@functools.cache
def _obstacle() -> str | None:
    try:
        _check()
    except Exception as error:  # noqa: BLE001  # a Numba that we do not know may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def warn(reason: str) -> None:
    """Say once that kernels are compiled the slow way, and why."""
    import numba

    say_once(
        f"Numba {numba.__version__} does not compile the kernels as picasso expects ({reason}); numba.njit compiles "
        "them instead, which takes several times as long, and they run slower"
    )


def _check() -> None:
    from picasso_kernels.cpu.numba_adapter.cache import CachedForm, KernelCache, cached
    from picasso_kernels.cpu.numba_adapter.extending import tool_versions, types

    class Unkept(KernelCache):
        def _write(self, _name: Name, _content: bytes) -> bool:
            return False

    kinds = (*[types.Array(types.uint8, 1, "C")] * 2, types.int64)
    made, loaded = (
        CachedForm(cached(linked(_sum, _machine), Unkept("check", "", "", tool_versions()), nogil=True), kinds)
        for _ in range(2)
    )
    if not loaded.load(made.make()):
        raise RuntimeError("what was compiled cannot be loaded")
    memory = (np.arange(8 * _COUNT) * 37).astype(np.uint8)
    results = []
    for run in (made.dispatcher, loaded.dispatcher, _sum):
        out = np.zeros(8 * _COUNT, np.uint8)
        results.append((int(run(out, memory, 3)), out.tobytes()))
    if not results[0] == results[1] == results[2]:
        raise RuntimeError(f"a small kernel returns {results[0][0]} and {results[1][0]} where {results[2][0]} is right")


@functools.cache
def _machine(function: Plain) -> Any:
    """Return what stands for a function that the small kernel calls: each kind of thing that kernels call."""
    from picasso_kernels.cpu.numba_adapter.lowering import LinkedFunction
    from picasso_kernels.cpu.numba_adapter.memory import MACHINE
    from picasso_kernels.cpu.numba_adapter.vectors import vector_function
    from picasso_kernels.cpu.vector_ops import Emitter

    def emit(context: Any, builder: Any, operands: Sequence[Any]) -> None:
        e, (out, source) = Emitter(context, builder), operands
        e.store(builder.add(e.load(source, _COUNT, 8), e.same(8, 1, _COUNT)), out)

    if function is _add_one:
        return vector_function(emit)
    return MACHINE.get(function) or LinkedFunction(linked(function, _machine), inline=False)


def _sum(out: Bytes, memory: Bytes, step: int) -> int:
    total = 0
    for at in range(_COUNT):
        prefetch(memory, at)
        total += _weighted(memory, at, step)
    copy(out, memory, 2 * _COUNT)
    _add_one(tail(out, _COUNT), memory)
    store8(out, 0, total & 255)
    return total


def _weighted(memory: Bytes, at: int, step: int) -> int:
    return load8(memory, at) + load16(memory, at + 1) * step - load32(memory, at)


def _add_one(out: Bytes, memory: Bytes) -> None:
    for at in range(_COUNT):
        store8(out, at, load8(memory, at) + 1 & 255)
