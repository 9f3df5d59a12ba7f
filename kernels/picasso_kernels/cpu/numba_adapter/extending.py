"""What machine loads and vector code are written with, all of it documented by Numba: intrinsics and LLVM's builder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numba
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from picasso_kernels.cpu.entries import Argument

__all__ = ["Value", "address_of", "argument_type", "copy_bytes", "for_range", "insert_function", "intrinsic", "ir"]
__all__ += ["tool_versions", "types", "variable"]

types: Any = numba_types

Value: TypeAlias = Any
"""A value of the IR under construction."""

for_range = cgutils.for_range
"""``for_range(builder, count)``: a loop, whose body is the ``with`` block."""
variable = cgutils.alloca_once_value
"""``variable(builder, value)``: a place on the stack that holds a value."""
insert_function = cgutils.get_or_insert_function
"""``insert_function(module, type, name)``: a function that LLVM or the linker knows by its name."""
copy_bytes = cgutils.raw_memcpy
"""``copy_bytes(builder, target, source, count, entry_bytes, align=1)``."""


def address_of(context: Any, builder: Any, kind: Any, memory: Any, at: Any) -> Any:
    """Return the address of entry ``at`` of an array or of a tail."""
    data = memory if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, memory).data
    return builder.gep(data, [at])


def argument_type(argument: Argument) -> Any:
    """Return Numba's type of an argument of an entry."""
    from picasso_kernels.cpu.entries import Array

    scalar = types.boolean if argument.dtype == "bool" else getattr(types, argument.dtype)
    return types.Array(scalar, 1, "C") if isinstance(argument, Array) else scalar


def tool_versions() -> str:
    """Return the versions of what makes machine code."""
    import llvmlite

    return f"numba {numba.__version__} llvmlite {llvmlite.__version__}"
