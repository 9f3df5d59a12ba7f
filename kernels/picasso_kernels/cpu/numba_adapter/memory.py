"""Machine loads, stores and calls for compiled kernels: what takes the place of ``maths.memory`` and ``maths.calls``.

Unchecked, little-endian, of any alignment; numbers widen to 64 bits, so that no expression of a kernel changes type.
Imported when something is compiled for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from picasso_kernels.cpu.numba_adapter.extending import address_of, copy_bytes, insert_function, intrinsic, ir, types
from picasso_kernels.maths import calls, memory

Plain = Callable[..., Any]


def _load(bits: int, *, signed: bool) -> Any:
    kind = ir.IntType(bits)

    def load(_typing: Any, array: Any, _at: Any) -> tuple[Any, Plain]:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = builder.bitcast(address_of(context, builder, signature.args[0], *args), kind.as_pointer())
            value = builder.load(place, align=1)
            return (builder.sext if signed else builder.zext)(value, ir.IntType(64))

        return types.int64(array, types.int64), generate

    return intrinsic(load)


def _store(bits: int) -> Any:
    kind = ir.IntType(bits)

    def store(_typing: Any, array: Any, _at: Any, _value: Any) -> tuple[Any, Plain]:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = address_of(context, builder, signature.args[0], *args[:2])
            builder.store(builder.trunc(args[2], kind), builder.bitcast(place, kind.as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(array, types.int64, types.int64), generate

    return intrinsic(store)


@intrinsic  # type: ignore[untyped-decorator]  # Numba carries no types
def _tail(_typing: Any, memory: Any, _start: Any) -> tuple[Any, Plain]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return address_of(context, builder, signature.args[0], *args)

    return types.CPointer(memory.dtype)(memory, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba carries no types
def _copy(_typing: Any, out: Any, memory: Any, _count: Any) -> tuple[Any, Plain]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        start = ir.IntType(64)(0)
        target, source = (address_of(context, builder, signature.args[i], args[i], start) for i in range(2))
        copy_bytes(builder, target, source, args[2], 1, align=1)
        return context.get_dummy_value()

    return types.void(out, memory, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba carries no types
def _prefetch(_typing: Any, array: Any, _at: Any) -> tuple[Any, Plain]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), *[ir.IntType(32)] * 3])
        hint = insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, keep, data = (ir.IntType(32)(number) for number in (0, 2, 1))
        builder.call(hint, [address_of(context, builder, signature.args[0], *args), read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba carries no types
def _call(_typing: Any, _address: Any, _first: Any, _second: Any, _third: Any, _fourth: Any) -> tuple[Any, Plain]:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(64)] * calls.MOST_ARGUMENTS)
        status = builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])
        return builder.sext(status, ir.IntType(64))

    return types.int64(*[types.int64] * calls.CALL_SIZE), generate


MACHINE: dict[Plain, Any] = {
    calls.call: _call,
    memory.tail: _tail,
    memory.copy: _copy,
    memory.prefetch: _prefetch,
    memory.load8: _load(8, signed=False),
    memory.load16: _load(16, signed=True),
    memory.load32: _load(32, signed=True),
    memory.load64: _load(64, signed=True),
    memory.pixel: _load(32, signed=False),
    memory.store8: _store(8),
    memory.store16: _store(16),
    memory.store32: _store(32),
    memory.store64: _store(64),
    memory.store_pixel: _store(32),
}
"""What compiled kernels call instead of these functions."""
