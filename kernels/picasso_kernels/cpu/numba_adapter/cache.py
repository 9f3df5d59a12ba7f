"""Between Numba and the store: machine code of a kernel under a name that says all that it depends on.

Numba's own cache trusts what it finds, and an index that is damaged fails every call; this one takes Numba's
place in a dispatcher and never raises.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import serialize, sigutils
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock

from picasso_kernels.cache import folder, store
from picasso_kernels.cache.store import Name


class KernelCache(_Cache):  # type: ignore[misc]  # Numba carries no types
    """The cache of one dispatcher."""

    def __init__(self, kernel: str, options: str, sources: str, tools: str) -> None:
        """Name what is kept.

        Args:
            kernel: The function's name.
            options: How it is compiled.
            sources: Hash over the text of the kernels: code that was made of another one is not loaded.
            tools: The versions of what compiles.
        """
        self._kernel = kernel
        self._options = options
        self._sources = sources
        self._tools = tools
        self._ready: dict[Any, Any] = {}
        self.unsaved = b""
        """What was compiled and no disk took."""

    @property
    def cache_path(self) -> str:
        """What ``dispatcher.stats`` shows."""
        return str(folder.writable_folder() or "")

    def name(self, signature: Any, codegen: Any) -> Name:
        """Return the name of the code for a signature, by a compiler's target."""
        arguments, _ = sigutils.normalize_signature(signature)
        form = _hash(f"{self._options} {arguments}")
        abi = f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
        return Name(f"{self._kernel}-{form}", self._sources, _hash(f"{abi} {self._tools} {codegen.magic_tuple()}"))

    def fetch(self, sig: Any, target_context: Any, content: bytes | None = None) -> bool:
        """Make ``content``, or what is on the disk, ready for ``load_overload``; say whether there is anything."""
        if sig not in self._ready:
            found = self._load(sig, target_context, content)
            if found is None:
                return False
            self._ready[sig] = found
        return True

    def why_absent(self, sig: Any, target_context: Any) -> str:
        """Say why there is nothing for a signature."""
        return store.why_absent(self.name(sig, target_context.codegen()))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was saved; None where there is nothing, or nothing that can be used."""
        return self._ready.pop(sig, None) or self._load(sig, target_context, None)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled form, if the disk takes it."""
        if data.library.has_dynamic_globals or data.lifted:
            return
        content = serialize.dumps(data._reduce())
        if not self._write(self.name(sig, data.codegen), content):
            self.unsaved = content

    def _write(self, name: Name, content: bytes) -> bool:
        return store.write(name, content)

    def _load(self, sig: Any, target_context: Any, content: bytes | None) -> Any:
        target_context.refresh()
        name = self.name(sig, target_context.codegen())
        content = store.read(name) if content is None else content
        if content is None:
            return None
        try:
            return CompileResult._rebuild(target_context, *pickle.loads(content))
        except Exception as error:  # noqa: BLE001  # it can be made again
            store.discard(name, f"{type(error).__name__}: {error}")
            return None

    def enable(self) -> None:
        """Part of what Numba expects; this cache is always on."""

    def disable(self) -> None:
        """Part of what Numba expects; this cache is always on."""

    def flush(self) -> None:
        """Part of what Numba expects: forgets nothing, for what the sources say does not change."""


def cached(function: Callable[..., Any], cache: KernelCache | None, *, nogil: bool) -> Any:
    """Return a dispatcher of Numba's for a function with a cache of ours."""
    dispatcher = numba.njit(function, nogil=nogil, error_model="numpy")
    if cache:
        dispatcher._cache = cache
    return dispatcher


class CachedForm:
    """One form of a function: the one for some argument types."""

    def __init__(self, dispatcher: Any, types: tuple[Any, ...]) -> None:
        """Begin nothing yet; ``dispatcher`` is one of ``cached``."""
        self.dispatcher = dispatcher
        """What is called."""
        self._types = types

    def load(self, content: bytes | None = None) -> bool:
        """Load the form from ``content``, or from disk; say whether it is there."""
        with global_compiler_lock:
            if not self.dispatcher._cache.fetch(self._types, self.dispatcher.targetctx, content):
                return False
            self.dispatcher.compile(self._types)
        return True

    def make(self) -> bytes:
        """Load the form from disk, else compile it here; return it if it was compiled and no disk takes it."""
        self.dispatcher.compile(self._types)
        return bytes(self.dispatcher._cache.unsaved)

    def cached_at(self) -> Path | None:
        """Return the file that holds it; None where there is none."""
        return store.find(self.dispatcher._cache.name(self._types, self.dispatcher.targetctx.codegen()))

    def why_absent(self) -> str:
        """Say why ``load`` finds nothing."""
        return str(self.dispatcher._cache.why_absent(self._types, self.dispatcher.targetctx))


@functools.cache
def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
