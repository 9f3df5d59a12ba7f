"""Kernels by ``numba.njit`` and its own cache: for a Numba whose private parts are not those that we know.

Each function is compiled for calls from Python and once more inside of each caller, and no loop has its vector form:
several times slower to compile, slower to run, the same result.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numba

from picasso_kernels.cache.folder import writable_folder
from picasso_kernels.cache.sources import source_key
from picasso_kernels.cache.store import UNUSED_S
from picasso_kernels.cpu.linking import linked
from picasso_kernels.cpu.numba_adapter.extending import argument_type
from picasso_kernels.cpu.numba_adapter.memory import MACHINE

if TYPE_CHECKING:
    from picasso_kernels.cpu.entries import Entry

Plain = Callable[..., Any]
_FOLDER: Final = "njit-"
_LOCK: Final = threading.Lock()


class PlainForm:
    """An entry as ``numba.njit`` compiles it, for the types that ``entries`` says."""

    def __init__(self, entry: Entry) -> None:
        self.dispatcher = compiled(entry.kernel, nogil=not entry.keep_gil)
        """What is called."""
        self._name = entry.name
        self._types = tuple(map(argument_type, entry.arguments.values()))

    def load(self, content: bytes | None = None) -> bool:
        """Load the form from disk; say whether it is there. No one has ``content`` of it."""
        if content is not None or self.cached_at() is None:
            return False
        self.dispatcher.compile(self._types)
        return True

    def make(self) -> bytes:
        """Load the form from disk, else compile it here and keep it where that is possible."""
        self.dispatcher.compile(self._types)
        _prune()
        return b""

    def cached_at(self) -> Path | None:
        """Return the index of Numba's cache that names it; None where there is none."""
        return cached_at(self._name)

    def why_absent(self) -> str:
        """Say why ``load`` finds nothing."""
        return f"none are kept in {_folder() or 'any folder'}"


def cached_at(name: str) -> Path | None:
    """Return the index of Numba's cache that names an entry; None where there is none."""
    folder = _folder()
    return next(folder.rglob(f"*.{name}-*.nbi"), None) if folder else None


def compiled(kernel: Plain, *, nogil: bool) -> Any:
    """Return a dispatcher of Numba's for a kernel, which compiles on its first call."""
    function, folder = linked(kernel, _callee), _folder()
    if folder is None:
        return numba.njit(function, nogil=nogil, error_model="numpy")
    with _LOCK:  # Numba asks for the folder once, here
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            return numba.njit(function, nogil=nogil, error_model="numpy", cache=True)
        finally:
            numba.config.CACHE_DIR = before


@functools.cache
def _callee(kernel: Plain) -> Any:
    return MACHINE.get(kernel) or numba.njit(linked(kernel, _callee), error_model="numpy")


def _folder() -> Path | None:
    """Return the folder for machine code of these sources: Numba's cache does not look at what a kernel calls."""
    place = writable_folder()
    return place / f"{_FOLDER}{source_key()}" if place else None


def _prune() -> None:
    """Remove what was made of other sources and not touched for long."""
    place = writable_folder()
    for folder in place.glob(f"{_FOLDER}*") if place else ():
        with contextlib.suppress(OSError):
            if folder != _folder() and time.time() - folder.stat().st_mtime > UNUSED_S:
                shutil.rmtree(folder)
