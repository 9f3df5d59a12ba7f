"""Functions that kernels call and vector code writes, for any number of arguments of any type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba.core import cgutils
from numba.core.types.containers import StarArgTuple
from numba.core.typing.templates import Signature

from picasso_kernels.cpu.numba_adapter.extending import Value, address_of, intrinsic, ir, types

Plain = Callable[..., Any]


def cpu_features(context: Any) -> frozenset[str]:
    """Return the features of the processor that code is made for, as LLVM calls them: ``+avx2``."""
    return frozenset(context.codegen().magic_tuple()[2].split(","))


def vector_function(emit: Callable[[Any, Any, Sequence[Value]], None]) -> Any:
    """Return what compiled kernels call and ``emit(context, builder, operands)`` writes.

    Arrays and tails become addresses of bytes, numbers 64-bit integers.
    """

    def typing(_context: Any, *args: Any) -> tuple[Signature, Plain]:
        def generate(context: Any, builder: Any, _signature: Signature, packed: Sequence[Value]) -> Any:
            values = zip(args, cgutils.unpack_tuple(builder, packed[0]), strict=True)
            emit(context, builder, [_operand(context, builder, *value) for value in values])
            return context.get_dummy_value()

        return Signature(types.void, (StarArgTuple.from_types(args),), None), generate

    return intrinsic(typing)


def _operand(context: Any, builder: Any, kind: Any, value: Value) -> Value:
    if isinstance(kind, types.Integer):
        return context.cast(builder, value, kind, types.int64)
    start = ir.IntType(64)(0)
    return builder.bitcast(address_of(context, builder, kind, value, start), ir.IntType(8).as_pointer())
