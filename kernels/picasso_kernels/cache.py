"""Numba's disk cache with a folder and a key of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator


class _Locator(_CacheLocator):  # type: ignore[misc]  # Numba carries no types
    """Names the folder and the key instead of deriving them from one source file."""

    def __init__(self, py_file: str, folder: Path, key: str, options: str) -> None:
        self._py_file = py_file  # Numba's warnings name it
        self._folder = folder
        self._key = key
        self._options = options

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return self._key

    def get_disambiguator(self) -> str:
        return self._options


def keep_on_disk(dispatcher: Any, folder: Path, key: str, options: str) -> None:
    """Let a Numba dispatcher load its machine code from disk, and save it there.

    Args:
        dispatcher: What ``numba.njit`` returned, not yet called.
        folder: Where; code made under another key is overwritten.
        key: Code that was made under another one is not loaded.
        options: How it is compiled; part of the file name, so that code of one kernel under several does not mix.
    """

    class Locator(_Locator):
        @classmethod
        def from_function(cls, _py_func: Any, py_file: str) -> Locator:
            return cls(py_file, folder, key, options)

    class Impl(CompileResultCacheImpl):  # type: ignore[misc]  # Numba carries no types
        _locator_classes = (Locator,)

    class Cache(FunctionCache):  # type: ignore[misc]  # Numba carries no types
        _impl_class = Impl

    dispatcher._cache = Cache(dispatcher.py_func)
