"""Who runs a kernel: the interpreter (``pure``), or Numba for this CPU (``host``).

A kernel is a plain function on integers and flat arrays that calls other plain functions of this package by name.
``host`` compiles it with everything it names, without the GIL, and keeps the machine code on disk. Nothing here
imports Numba before something is compiled.

What ``entries`` lists is compiled by other processes (``pending``, ``pool``); anything else, as tests do, by the
call. ``ready`` is for those who can do without: it never waits.

Numba's own cache looks at the file of the function that is called and not at the files of the functions which that one
calls. Ours is keyed by the text of every file that host code can come from, by the versions of Numba and LLVM, and by
the CPU and its features. ``numba_adapter`` holds all that depends on Numba.
"""

from __future__ import annotations

import functools
import importlib.util
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from picasso_kernels.cache.folder import cache_folder
from picasso_kernels.cache.sources import source_key
from picasso_kernels.cpu import forms
from picasso_kernels.cpu.linking import PACKAGE, is_ours, linked
from picasso_kernels.processes import pool
from picasso_kernels.processes.pending import PendingKernel, compile_later, compile_now

if TYPE_CHECKING:
    from pathlib import Path

    from picasso_kernels.cpu.entries import Entry

__all__ = ["cache_folder", "host", "linked_kernel", "prepare", "pure", "ready", "request", "source_key"]

P = ParamSpec("P")
R = TypeVar("R")
Plain = Callable[..., Any]
Key = tuple[Plain, tuple[str, ...] | None, bool | None]

_READY: Final[dict[Key, Any]] = {}
"""What can be called without waiting, by what ``host`` was asked for."""
_PENDING: Final[dict[Plain, PendingKernel]] = {}
"""The entries that were asked for."""


def pure(kernel: Callable[P, R]) -> Callable[P, R]:
    """Return the reference: the kernel as it is written, run by the interpreter, every offset and value checked."""
    return kernel


def host(
    kernel: Callable[P, R], *, inline: tuple[str, ...] | None = None, keep_gil: bool | None = None
) -> Callable[P, R]:
    """Return the kernel as machine code: that which came with the package, else what Numba makes here.

    The result runs without the GIL and may be called from any thread. Of an entry of ``entries``, which also says
    how it is compiled, there may be machine code that fits this processor (``forms``). Else the first call with new
    argument types compiles or loads from disk, and arguments are not checked.

    Args:
        kernel: A plain function.
        inline: Files of this package, such as ``paint.blend``, whose functions are put into their callers, where LLVM
            would not: for loops of few turns around calls. By default what its entry in ``entries`` says, else none.
        keep_gil: For microseconds of work: a busy thread that gets the GIL may keep it for a thousand times longer. By
            default what its entry says, else no.
    """
    found = _READY.get((kernel, inline, keep_gil))
    return _host(kernel, inline, keep_gil) if found is None else found  # type: ignore[no-any-return]


def ready(kernel: Callable[P, R], *, after_s: float = 1.0) -> Callable[P, R] | None:
    """Return what ``host`` returns if it can be called without a compiler; else None, and it is compiled meanwhile.

    For those who have another way to the same result. Where no other process can compile, it is as if there were none.

    Args:
        kernel: A plain function of ``entries``.
        after_s: How many seconds from now compiling may begin.
    """
    found = _READY.get((kernel, None, None))
    if found is not None:
        return found  # type: ignore[no-any-return]  # dispatchers have no type
    pending = _host(kernel, None, None)
    if not isinstance(pending, PendingKernel) or pool.POOL.obstacle or (pending.job and pending.job.error):
        return pending  # type: ignore[no-any-return]
    compile_later(pending, after_s)
    return pending.ready()  # type: ignore[no-any-return]


def request(*kernels: Plain) -> None:
    """Have kernels compiled at the same time, if they are not ready; returns at once. ``host`` then waits for less."""
    if any((kernel, None, None) not in _READY for kernel in kernels):
        waiting = [_host(kernel, None, None) for kernel in kernels]
        compile_now(*(pending for pending in waiting if isinstance(pending, PendingKernel)))


def prepare(*kernels: Plain) -> None:
    """Have kernels compiled at the same time, or load them from disk, and wait for all of them."""
    request(*kernels)
    for kernel in kernels:
        pending = _host(kernel, None, None)
        if isinstance(pending, PendingKernel):
            pending.wait()


@functools.cache
def _host(kernel: Plain, inline: tuple[str, ...] | None, keep_gil: bool | None) -> Any:
    """Return machine code that came with the package, what makes it ready when it is called, or what Numba makes."""
    from picasso_kernels.cpu.entries import ENTRIES

    entry = ENTRIES.get(kernel)
    options = _options(entry, inline, keep_gil)
    found = forms.find(kernel, options[1])
    if found is None and importlib.util.find_spec("numba") is None:
        raise ImportError(
            f"no machine code of the kernels serves here ({forms.form().reason}), and Numba, which makes it, "
            "is not installed; pip install 'picasso-engine[jit]'",
            name="numba",
        )
    if found is None and entry is not None and options == (entry.inline, entry.keep_gil):
        if (inline, keep_gil) != (None, None):
            return _host(kernel, None, None)
        pending = PendingKernel(entry.name, functools.partial(Compiled, entry), functools.partial(_set_ready, entry))
        return _PENDING.setdefault(kernel, pending)  # two threads may come here at once
    if found is None:
        found = _compiled(kernel, True, options[0], not options[1])
    _READY[kernel, inline, keep_gil] = found
    return found


def _options(
    entry: Entry | None, inline: tuple[str, ...] | None, keep_gil: bool | None
) -> tuple[tuple[str, ...], bool]:
    if inline is None:
        inline = entry.inline if entry else ()
    if keep_gil is None:
        keep_gil = bool(entry and entry.keep_gil)
    return inline, keep_gil


def _set_ready(entry: Entry, machine_code: Any) -> None:
    for inline in (None, entry.inline):
        for keep_gil in (None, entry.keep_gil):
            _READY[entry.kernel, inline, keep_gil] = machine_code


class Compiled:
    """An entry as Numba compiles it, one form: through the adapter, or by ``numba.njit`` where that does not work."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._form: Any = None
        try:
            self._form = _cached_form(entry)
        except Exception as error:  # noqa: BLE001  # an unknown Numba may lack anything that the adapter imports
            self._go_plain(f"{type(error).__name__}: {error}")

    @property
    def dispatcher(self) -> Any:
        """What is called."""
        return self._form.dispatcher

    def load(self, content: bytes | None = None) -> bool:
        """Load the form from ``content``, or from disk; say whether it is there."""
        return bool(self._form.load(content)) or (content is None and self._load_plain())

    def make(self) -> bytes:
        """Load the form from disk, else compile it here; return it if it was compiled and no disk takes it."""
        from picasso_kernels.cpu.numba_adapter.check import obstacle

        if (reason := obstacle()) and not self._is_plain:
            self._go_plain(reason)
        return bytes(self._form.make())

    def cached_at(self) -> Path | None:
        """Return the file that holds it; None where there is none."""
        from picasso_kernels.cpu.numba_adapter.plain import cached_at

        found: Path | None = self._form.cached_at()
        return found or cached_at(self._entry.name)

    def why_absent(self) -> str:
        """Say why ``load`` finds nothing."""
        return str(self._form.why_absent())

    def _load_plain(self) -> bool:
        """Load what ``numba.njit`` made here before, if the adapter still does not work."""
        from picasso_kernels.cpu.numba_adapter.check import obstacle
        from picasso_kernels.cpu.numba_adapter.plain import cached_at

        if self._is_plain or cached_at(self._entry.name) is None or not (reason := obstacle()):
            return False
        self._go_plain(reason)
        return bool(self._form.load())

    def _go_plain(self, reason: str) -> None:
        from picasso_kernels.cpu.numba_adapter.check import warn
        from picasso_kernels.cpu.numba_adapter.plain import PlainForm

        warn(reason)
        self._form, self._is_plain = PlainForm(self._entry), True

    _is_plain = False


def _cached_form(entry: Entry) -> Any:
    from picasso_kernels.cpu.numba_adapter.cache import CachedForm
    from picasso_kernels.cpu.numba_adapter.extending import argument_type

    dispatcher = _compiled(entry.kernel, True, entry.inline, not entry.keep_gil)
    return CachedForm(dispatcher, tuple(map(argument_type, entry.arguments.values())))


def cached_files() -> dict[str, Path | None]:
    """Return the file of each entry that holds its machine code for this processor; asks Numba."""
    from picasso_kernels.cpu.entries import ENTRIES

    return {entry.name: Compiled(entry).cached_at() for entry in ENTRIES.values()}


def entry_named(name: str) -> Entry:
    """Return the entry of ``entries`` with a name."""
    from picasso_kernels.cpu.entries import ENTRIES

    return next(entry for entry in ENTRIES.values() if entry.name == name)


@functools.cache
def _compiled(kernel: Plain, is_entry: bool, inline: tuple[str, ...], nogil: bool) -> Any:
    from picasso_kernels.cpu.numba_adapter.cache import KernelCache, cached
    from picasso_kernels.cpu.numba_adapter.extending import tool_versions
    from picasso_kernels.cpu.numba_adapter.lowering import LinkedFunction
    from picasso_kernels.cpu.numba_adapter.memory import MACHINE

    if kernel in MACHINE:
        return MACHINE[kernel]
    function = linked_kernel(kernel, inline, nogil, {})
    if not is_entry:
        return LinkedFunction(function, inline=kernel.__module__.removeprefix(PACKAGE) in inline)
    options = "-".join([*inline, f"nogil{nogil:d}"])
    # the key follows the text of this package only
    cache = KernelCache(kernel.__name__, options, source_key(), tool_versions()) if is_ours(kernel) else None
    return cached(function, cache, nogil=nogil)


def linked_kernel(
    kernel: Callable[..., Any], inline: tuple[str, ...], nogil: bool, given: Mapping[Callable[..., Any], Any]
) -> types.FunctionType:
    """Return a kernel which Numba can compile: what it calls is a linked function, or what is ``given`` instead."""
    from picasso_kernels.cpu.vector_rows import VECTOR_FORMS

    is_vector_form = kernel in VECTOR_FORMS.values()

    def replace(callee: Plain) -> Any:
        callee = callee if is_vector_form else VECTOR_FORMS.get(callee, callee)
        return given[callee] if callee in given else _compiled(callee, False, inline, nogil)

    return linked(kernel, replace)
