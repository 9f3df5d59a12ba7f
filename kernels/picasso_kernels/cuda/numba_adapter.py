"""Numba's CUDA compiler: plain functions in, PTX out, no GPU and no driver needed.

A kernel is a plain function ``(frame, column, row)`` and the plain functions it names, computed in 32 bits
(``cuda.rewrite``), with machine instructions instead of the functions of ``cuda.instructions``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Final

from llvmlite import ir
from numba import cuda, types
from numba.cuda.compiler import compile_cuda
from numba.cuda.dispatcher import CUDADispatcher
from numba.cuda.extending import intrinsic

from picasso_kernels.cuda import instructions as machine
from picasso_kernels.cuda import paint
from picasso_kernels.cuda.frame_table import ADDRESSES, BATCH_FRAMES, BLOCK_THREADS, FRAME, NUMBERS, FrameRow
from picasso_kernels.cuda.numba_memory import (
    I8,
    I16,
    I32,
    I64,
    load,
    load_beside,
    load_between,
    load_words,
    store,
    store_shared,
    store_three,
    store_words,
)
from picasso_kernels.cuda.paint import TABLES, Sheet
from picasso_kernels.cuda.rewrite import narrow, rebuild
from picasso_kernels.maths import memory
from picasso_kernels.paint import coverage

Plain = Callable[..., Any]

_FLOAT, _HALF = ir.FloatType(), ir.HalfType()
_CONSTANT_MEMORY: Final = 4
_TABLE = types.CPointer(types.int32)
SHEET_TYPE: Final = types.NamedTuple(
    [_TABLE, _TABLE, *[types.int64] * 5, _TABLE, *[types.int32] * (len(Sheet._fields) - TABLES)], Sheet
)
BASELINE: Final = (7, 5)
"""The oldest compute capability that the toolkits still serve; the kernels use no instruction that is newer."""
FRAME_TYPE: Final = types.NamedTuple([types.int64] * ADDRESSES + [types.int32] * NUMBERS, FrameRow)


def compile_kernel(write: Plain, parts: Mapping[Plain, Plain], name: str, *, batched: bool, blocks: int = 0) -> str:
    """Return a kernel's PTX for ``BASELINE``, which assembles for every later device; its entry is called ``name``.

    Args:
        write: What a thread does, ``(frame, column, row)``.
        parts: Which function takes the place of which.
        name: An identifier.
        batched: Whether its argument is a table of ``BATCH_FRAMES`` frames by value, one for each ``blockIdx.z``; else
            it is one frame by value.
        blocks: Blocks of ``BLOCK_THREADS`` that a multiprocessor has to have room for; 0 lets the assembler choose.
    """
    enter, argument = (_enter_many, types.int64) if batched else (_enter_one, FRAME_TYPE)
    entry = _device_entry(enter, write, parts)
    ptx, _ = cuda.compile(entry, types.void(argument), device=False, abi="numba", cc=BASELINE)
    if batched:
        ptx = _with_table(ptx)
    return _named(_with_room(ptx, blocks) if blocks else ptx, name)


def _with_room(ptx: str, blocks: int) -> str:
    """Tell the assembler how many blocks there have to be room for, so that it knows how many registers it may use."""
    bounds = f"\n.maxntid {BLOCK_THREADS}, 1, 1\n.minnctapersm {blocks}\n{{"
    ptx, found = re.subn(r"(\.entry [^{]*\))\s*\{", rf"\1{bounds}", ptx, count=1)
    if not found:
        raise RuntimeError("no entry in the PTX")
    return ptx


def _with_table(ptx: str) -> str:
    """Let a kernel whose argument is the address of a table in constant memory have the table itself as its argument.

    Arguments lie in constant memory, which all threads of a warp read at once, and come with the launch: no copy
    before it. Numba knows no argument that is an array by value, so its PTX is told: the argument's size, its address
    in place of its value, and reads of arguments in place of reads of constants, of which there are no others.
    """
    size = BATCH_FRAMES * FRAME.itemsize
    ptx, declared = re.subn(r"\.param \.u64 (\w+_param_0)\b", rf".param .align 16 .b8 \1[{size}]", ptx)
    ptx, taken = re.subn(r"ld\.param\.u64(\s+%rd\d+), \[(\w+_param_0)\]", r"mov.b64\1, \2", ptx)
    ptx, read = re.subn(r"\bld\.const\b", "ld.param", ptx)
    if declared != 1 or not taken or not read:
        raise RuntimeError(
            f"the PTX of a batch is not as expected: {declared} arguments, taken {taken} times, {read} reads"
        )
    return ptx


def compile_painter(paint: Plain, name: str) -> str:
    """Return the PTX of a kernel whose threads do ``paint(sheet, column, row)``, its entry called ``name``.

    Only ``_WIDE`` computes in 64 bits: commands may lie far outside of the surface.
    """
    done = dict(_INSTRUCTIONS) | {wide: rebuild(wide, {}, {}, _wide_function) for wide in _WIDE}
    entry = narrow(_enter_sheet, {"_paint": rebuild(paint, {}, done, _device_function)}, types.int32)
    ptx, _ = cuda.compile(entry, types.void(SHEET_TYPE), device=False, abi="numba", cc=BASELINE)
    return _named(ptx, name)


def _named(ptx: str, name: str) -> str:
    found = re.search(r"\.entry (\w+)", ptx)
    if not found:
        raise RuntimeError(f"no entry in the PTX of {name}")
    return str(ptx).replace(found[1], name)


def _device_entry(enter: Plain, write: Plain, parts: Mapping[Plain, Plain]) -> Plain:
    body = rebuild(write, parts, dict(_INSTRUCTIONS), _device_function)
    return narrow(enter, {"_write": body, "_load_frame": _load_frame}, types.int32)


def _device_function(function: Plain, names: Mapping[str, Any]) -> Any:
    return _shared_function(function, tuple(names.items()))


@functools.cache
def _shared_function(function: Plain, names: tuple[tuple[str, Any], ...]) -> Any:
    """Make a function once for all kernels that bind its names alike: what one compiled, the next ones inline."""
    return _DeviceFunction(narrow(function, dict(names), types.int32), targetoptions={"device": True})


def _wide_function(function: Plain, names: Mapping[str, Any]) -> Any:
    scope = {**function.__globals__, **names}
    linked = FunctionType(function.__code__, scope, function.__name__)
    return _DeviceFunction(linked, targetoptions={"device": True})


class _DeviceFunction(CUDADispatcher):  # type: ignore[misc]  # Numba carries no types
    """A function that kernels call and LLVM inlines, compiled for ``BASELINE`` and not for the device of this machine.

    Numba's own asks the driver which device that is; here is none.
    """

    def compile_device(self, args: Any, return_type: Any = None) -> Any:
        """Compile for some argument types, once."""
        if args not in self.overloads:
            options = {"nvvm_options": {"opt": 3}, "forceinline": True, "cc": BASELINE}
            made = compile_cuda(self.py_func, return_type, args, **options)
            made.target_context.insert_user_function(made.entry_point, made.fndesc, [made.library])
            self.overloads[args] = made
        return self.overloads[args]


def _write(frame: FrameRow, column: int, row: int) -> None:
    raise NotImplementedError("stands for what a kernel's threads do")


def _enter_one(frame: FrameRow) -> None:
    column = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    _write(frame, column, cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y)


def _paint(sheet: Sheet, column: int, row: int) -> None:
    raise NotImplementedError("stands for what a painter's threads do")


def _enter_sheet(sheet: Sheet) -> None:
    column = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    _paint(sheet, column, cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y)


def _lanes() -> int:
    return 32


def _lane() -> Any:
    return cuda.laneid


def _vote(value: bool) -> Any:
    return cuda.ballot_sync(0xFFFFFFFF, value)


def _lowest_vote(votes: int) -> Any:
    return cuda.ffs(votes) - 1


def _enter_many(table: int) -> None:
    column = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    frame = _load_frame(table, cuda.blockIdx.z)
    _write(frame, column, cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y)


# Instructions. Each takes int32, and int64 for addresses; each keeps the meaning of the function it stands for.


def _intrinsic(result: Any, emit: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Make an intrinsic of ``emit(builder, *values)``."""
    signature = result(*arguments)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        made = emit(builder, *values)
        if isinstance(signature.return_type, types.BaseTuple):
            return context.make_tuple(builder, signature.return_type, made)
        return context.get_dummy_value() if made is None else made

    names = ", ".join(f"a{index}" for index in range(len(arguments)))
    scope: dict[str, Any] = {"signature": signature, "generate": generate}
    exec(f"def typed(typing, {names}):\n    return signature, generate", scope)  # Numba reads the parameters' count
    return intrinsic(scope["typed"])


def _assembly(instruction: str) -> Callable[..., ir.Value]:
    """Emit one PTX instruction of three 32-bit operands."""

    def emit(builder: ir.IRBuilder, first: ir.Value, second: ir.Value, third: ir.Value) -> ir.Value:
        kind = ir.FunctionType(I32, [I32] * 3)
        text = f"{instruction} $0, $1, $2, $3;"
        return builder.asm(kind, text, "=r,r,r,r", [first, second, third], side_effect=False)

    return emit


def _pack_saturated(builder: ir.IRBuilder, low: ir.Value, high: ir.Value, rest: ir.Value) -> ir.Value:
    kind = ir.FunctionType(I32, [I32] * 3)
    text = "cvt.pack.sat.u8.s32.b32 $0, $2, $1, $3;"
    return builder.asm(kind, text, "=r,r,r,r", [low, high, rest], side_effect=False)


def _number_of(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    return builder.bitcast(builder.sitofp(value, _FLOAT), I32)


def _number_behind_lead(builder: ir.IRBuilder, word: ir.Value) -> ir.Value:
    """Take 2**23 away, which is exact."""
    kind = ir.FunctionType(_FLOAT, [_FLOAT])
    number = builder.bitcast(word, _FLOAT)
    made = builder.asm(kind, "add.rn.f32 $0, $1, 0fCB000000;", "=f,f", [number], side_effect=False)
    return builder.bitcast(made, I32)


def _fused(builder: ir.IRBuilder, value: ir.Value, scale: ir.Value, bias: ir.Value) -> ir.Value:
    kind = ir.FunctionType(_FLOAT, [_FLOAT] * 3)
    operands = [builder.bitcast(value, _FLOAT), builder.bitcast(scale, _FLOAT), builder.bitcast(bias, _FLOAT)]
    return builder.asm(kind, "fma.rn.f32 $0, $1, $2, $3;", "=f,f,f,f", operands, side_effect=False)


def _scaled_half(builder: ir.IRBuilder, value: ir.Value, scale: ir.Value, bias: ir.Value) -> ir.Value:
    kind = ir.FunctionType(I16, [_FLOAT])
    number = _fused(builder, value, scale, bias)
    return builder.zext(builder.asm(kind, "cvt.rn.f16.f32 $0, $1;", "=h,f", [number], side_effect=False), I32)


def _scaled_single(builder: ir.IRBuilder, value: ir.Value, scale: ir.Value, bias: ir.Value) -> ir.Value:
    return builder.bitcast(_fused(builder, value, scale, bias), I32)


def _read_frame(builder: ir.IRBuilder, table: ir.Value, index: ir.Value) -> list[ir.Value]:
    row = builder.add(table, builder.mul(builder.sext(index, I64), I64(FRAME.itemsize)))
    addresses = [_field(builder, row, 8 * place, I64) for place in range(ADDRESSES)]
    return addresses + [_field(builder, row, 8 * ADDRESSES + 4 * place, I32) for place in range(NUMBERS)]


def _field(builder: ir.IRBuilder, row: ir.Value, offset: int, kind: ir.IntType) -> ir.Value:
    pointer = builder.inttoptr(builder.add(row, I64(offset)), ir.PointerType(kind, _CONSTANT_MEMORY))
    return builder.load(pointer, align=offset & -offset & 15 or 16)


def _instructions() -> tuple[dict[Plain, Any], Any]:
    plane = types.int64
    word, pair, quad = types.int32, types.UniTuple(types.int32, 2), types.UniTuple(types.int32, 4)
    two, four = ir.VectorType(I32, 2), ir.VectorType(I32, 4)
    table: dict[Plain, Any] = {
        machine.load_byte: _intrinsic(word, load(I8, 1), (plane, word)),
        machine.load_half: _intrinsic(word, load(I16, 2), (plane, word)),
        machine.load_number: _intrinsic(word, load(I32, 4, ahead=True), (plane, word)),
        machine.load_number_pair: _intrinsic(pair, load(two, 8, ahead=True), (plane, word)),
        machine.load_word: _intrinsic(word, load(I32, 4), (plane, word)),
        machine.load_word_pair: _intrinsic(pair, load(two, 8), (plane, word)),
        machine.load_word_quad: _intrinsic(quad, load(four, 16), (plane, word)),
        machine.load_number_quad: _intrinsic(quad, load(four, 16, ahead=True), (plane, word)),
        machine.load_byte_pair: _intrinsic(pair, load_beside(I8, 1), (plane, word)),
        machine.load_half_pair: _intrinsic(pair, load_beside(I16, 2), (plane, word)),
        machine.load_nine_words: _intrinsic(types.UniTuple(word, 9), load_beside(I32, 4, 9), (plane, word)),
        machine.load_three_words: _intrinsic(types.UniTuple(word, 3), load_words(3), (plane, word, word)),
        machine.load_two_between: _intrinsic(quad, load_between(2), (plane, *[word] * 3)),
        machine.load_three_between: _intrinsic(types.UniTuple(word, 5), load_between(3), (plane, *[word] * 3)),
        machine.load_two_words: _intrinsic(pair, load_words(2), (plane, word, word)),
        machine.store_byte: _intrinsic(types.void, store(I8, 1), (plane, word, word)),
        machine.store_half: _intrinsic(types.void, store(I16, 2), (plane, word, word)),
        machine.store_word: _intrinsic(types.void, store(I32, 4), (plane, word, word)),
        machine.store_word_pair: _intrinsic(types.void, store_words, (plane, word, word, word)),
        machine.store_word_quad: _intrinsic(types.void, store_words, (plane, *[word] * 5)),
        machine.store_three_words: _intrinsic(types.void, store_three, (plane, *[word] * 5)),
        machine.store_twelve_words: _intrinsic(types.void, store_shared, (plane, *[word] * 14)),
        machine.store_eight_words: _intrinsic(types.void, store_shared, (plane, *[word] * 10)),
        memory.load8: _intrinsic(word, load(I8, 1, read_only=False), (plane, word)),
        memory.pixel: _intrinsic(word, load(I32, 4, read_only=False), (plane, word)),
        memory.store8: _intrinsic(types.void, store(I8, 1, ahead=False), (plane, word, word)),
        memory.store_pixel: _intrinsic(types.void, store(I32, 4, ahead=False), (plane, word, word)),
        machine.lanes: _wide_function(_lanes, {}),
        machine.lane: _wide_function(_lane, {}),
        machine.vote: _wide_function(_vote, {}),
        machine.lowest_vote: _wide_function(_lowest_vote, {}),
        machine.multiply_add_word: _intrinsic(word, _assembly("mad.lo.s32"), (word, word, word)),
        machine.pack_saturated: _intrinsic(word, _pack_saturated, (word, word, word)),
        machine.pick_bytes: _intrinsic(word, _assembly("prmt.b32"), (word, word, word)),
        machine.dot2_low: _intrinsic(word, _assembly("dp2a.lo.s32.u32"), (word, word, word)),
        machine.dot2_high: _intrinsic(word, _assembly("dp2a.hi.s32.u32"), (word, word, word)),
        machine.number_of: _intrinsic(word, _number_of, (word,)),
        machine.number_behind_lead: _intrinsic(word, _number_behind_lead, (word,)),
        machine.scaled_half: _intrinsic(word, _scaled_half, (word, word, word)),
        machine.scaled_single: _intrinsic(word, _scaled_single, (word, word, word)),
    }
    return table, _intrinsic(FRAME_TYPE, _read_frame, (plane, word))


_WIDE: Final = (coverage.box_coverage, coverage.disc_coverage, paint.mean_of_curve)
"""What multiplies numbers that need not fit 32 bits."""
_INSTRUCTIONS, _load_frame = _instructions()
