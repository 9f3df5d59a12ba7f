"""Functions that are lowered on their own, and become machine code with the kernel that calls them.

Numba prepares every function for calls from Python, and optimises it again inside of each of its callers: a function
five calls deep is optimised six times. Here a function is lowered once, has no entry of its own, and is linked into its
callers as it is; the kernel at the top is optimised as a whole, once. That halves the time of compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from numba.core import types
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher

_OPTIONS = {"nopython": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class _Lowering(Compiler):  # type: ignore[misc]  # Numba carries no types
    """Numba's compiler up to LLVM's intermediate form."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.state.flags.no_compile = True


class LinkedFunction(CPUDispatcher):  # type: ignore[misc]  # Numba carries no types
    """A function that only compiled functions can call."""

    def __init__(self, function: Callable[..., Any], *, inline: bool) -> None:
        """Take a plain function; ``inline`` puts it into each of its callers."""
        super().__init__(function, targetoptions=_OPTIONS | {"forceinline": inline}, pipeline_class=_Lowering)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Give one form for all integers: constants and narrow numbers of a caller become 64 bits wide."""
        return super().get_call_template(tuple(map(_widened, args)), kws)

    def add_overload(self, result: Any) -> None:
        """Make a lowered form known to the callers that Numba lowers next."""
        key = _Key()
        result.library.finalize = MethodType(_link, result.library)
        self.targetctx.insert_user_function(key, result.fndesc, [result.library])
        self.overloads[tuple(result.signature.args)] = result._replace(entry_point=key)


class TopFunction(LinkedFunction):
    """A function that no other calls: it keeps its result as it was lowered."""

    result: Any

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, inline=False)

    def add_overload(self, result: Any) -> None:
        """Keep what was lowered."""
        self.result = result


def _widened(kind: Any) -> Any:
    return types.int64 if isinstance(kind, types.Integer | types.IntegerLiteral) else kind


class _Key:
    """What an overload is looked up by, instead of an entry that Python could call."""

    __slots__ = ()


def _link(library: Any) -> None:
    """Bring what a function calls into its module, and leave everything else to the kernel at the top."""
    for callee in dict.fromkeys(library._linking_libraries):
        library._reload_init.update(callee._reload_init)
        library._final_module.link_in(callee._get_module_for_linking(), preserve=True)
    library._finalize_dynamic_globals()
    library._finalized = True
