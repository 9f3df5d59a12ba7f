"""What loads and stores of CUDA kernels compile to: LLVM's instructions for those of ``cuda.instructions``.

Beside ``numba_adapter``, which puts them in place: these know LLVM, and nothing of Numba's types. Offsets and words are
32 bits wide, addresses of planes 64. Threads of a warp that change words do it by ``shfl``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
GLOBAL_MEMORY: Final = 1
_EVERYONE: Final = -1
"""All 32 threads of a warp."""
_FROM: Final = 0
_CROSSWISE: Final = 3
"""Modes of ``shfl``: from the thread that is named; from the one whose number differs by the bits that are named."""


def _pointer(
    builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, kind: ir.Type, *, ahead: bool = False
) -> ir.Value:
    return builder.inttoptr(_address(builder, plane, offset, ahead=ahead), ir.PointerType(kind, GLOBAL_MEMORY))


def _address(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, *, ahead: bool) -> ir.Value:
    """Add an offset; one that is never negative (``ahead``) keeps half of the sum off the units for integers."""
    if offset.type != I64:
        offset = builder.zext(offset, I64) if ahead else builder.sext(offset, I64)
    return builder.add(plane, offset)


def load(kind: ir.Type, size: int, *, read_only: bool = True, ahead: bool = False) -> Callable[..., Any]:
    """Emit a load, through the read-only path (LDG.CONSTANT) of memory that the kernel does not write."""

    def emit(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value) -> Any:
        value = builder.load(_pointer(builder, plane, offset, kind, ahead=ahead), align=size)
        if read_only:
            value.set_metadata("invariant.load", builder.module.add_metadata([]))
        if isinstance(kind, ir.VectorType):
            return [builder.extract_element(value, I32(lane)) for lane in range(kind.count)]
        return builder.zext(value, I32) if kind.width < 32 else value

    return emit


def load_beside(kind: ir.IntType, size: int, count: int = 2) -> Callable[..., Any]:
    """Emit loads of neighbours, whose addresses differ by what a load adds for nothing."""

    def emit(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value) -> list[ir.Value]:
        address = _address(builder, plane, offset, ahead=True)
        loads = []
        for place in range(count):
            pointer = builder.inttoptr(builder.add(address, I64(size * place)), ir.PointerType(kind, GLOBAL_MEMORY))
            value = builder.load(pointer, align=size)
            value.set_metadata("invariant.load", builder.module.add_metadata([]))
            loads.append(builder.zext(value, I32) if kind.width < 32 else value)
        return loads

    return emit


def load_words(count: int) -> Callable[..., list[ir.Value]]:
    """Emit loads of neighbours, each but the first only where the reach says that it is needed."""
    places = range(1, count)
    text = "{ .reg .pred " + ", ".join(f"need{place}" for place in places) + ";"
    text += "".join(f" setp.ge.s32 need{place}, ${count + 1}, {4 * place};" for place in places)
    text += f" ld.global.nc.b32 $0, [${count}];"
    text += "".join(f" @need{place} ld.global.nc.b32 ${place}, [${count}+{4 * place}];" for place in places) + " }"
    kind = ir.FunctionType(ir.LiteralStructType([I32] * count), [I64, I32])
    operands = ",".join([*["=r"] * count, "l", "r"])

    def emit(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, reach: ir.Value) -> list[ir.Value]:
        address = _address(builder, plane, offset, ahead=True)
        words = builder.asm(kind, text, operands, [address, reach], side_effect=False)
        return [builder.extract_value(words, place) for place in range(count)]

    return emit


def load_between(count: int) -> Callable[..., list[ir.Value]]:
    """Emit loads of ``count`` words and of the half before and behind them, or of the outermost halves of their own."""

    def emit(
        builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, before: ir.Value, behind: ir.Value
    ) -> list[ir.Value]:
        address = _address(builder, plane, offset, ahead=True)
        given = count + 2
        lines = [f"ld.global.nc.b32 ${place + 1}, [${given}+{4 * place}];" for place in range(count)]
        text = f"""{{ .reg .pred left, right;
            setp.ne.s32 left, ${given + 1}, 0;
            setp.ne.s32 right, ${given + 2}, 0;
            {" ".join(lines)}
            @left ld.global.nc.u16 $0, [${given}+-2];
            @right ld.global.nc.u16 ${count + 1}, [${given}+{4 * count}];
            @!left mov.b32 $0, $1;
            @!right shr.u32 ${count + 1}, ${count}, 16; }}"""
        kind = ir.FunctionType(ir.LiteralStructType([I32] * given), [I64, I32, I32])
        text_ = ",".join(["=&r"] * given + ["l", "r", "r"])
        words = builder.asm(kind, text, text_, [address, before, behind], side_effect=False)
        return [builder.extract_value(words, place) for place in range(given)]

    return emit


def store(kind: ir.IntType, size: int, *, ahead: bool = True) -> Callable[..., None]:
    """Emit a store of the low bits of a number."""

    def emit(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, value: ir.Value) -> None:
        narrowed = builder.trunc(value, kind) if kind.width < value.type.width else value
        builder.store(narrowed, _pointer(builder, plane, offset, kind, ahead=ahead), align=size)

    return emit


def store_words(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, *words: ir.Value) -> None:
    """Write 2 or 4 words in one access."""
    kind = ir.VectorType(I32, len(words))
    together = ir.Constant(kind, ir.Undefined)
    for place, word in enumerate(words):
        together = builder.insert_element(together, word, I32(place))
    builder.store(together, _pointer(builder, plane, offset, kind, ahead=True), align=4 * len(words))


def _lane(builder: ir.IRBuilder) -> ir.Value:
    """Return a thread's number in its warp."""
    number = cgutils.get_or_insert_function(builder.module, ir.FunctionType(I32, []), "llvm.nvvm.read.ptx.sreg.laneid")
    return builder.call(number, [])


def _shuffle(builder: ir.IRBuilder, mode: int, value: ir.Value, which: ir.Value) -> ir.Value:
    """Take what another thread of the warp has."""
    kind = ir.FunctionType(ir.LiteralStructType((I32, ir.IntType(1))), [I32] * 5)
    shuffle = cgutils.get_or_insert_function(builder.module, kind, "llvm.nvvm.shfl.sync.i32")
    return builder.extract_value(builder.call(shuffle, [I32(_EVERYONE), I32(mode), value, which, I32(31)]), 0)


def _choose(builder: ir.IRBuilder, is_first: ir.Value, first: Sequence[Any], second: Sequence[Any]) -> list[ir.Value]:
    return [builder.select(is_first, a, b) for a, b in zip(first, second, strict=True)]


def store_shared(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, room: ir.Value, *words: ir.Value) -> None:
    """Write 8 or 12 words in fours, so that an even thread's and the next one's lie in whole sectors of 32 bytes.

    Of 8, the even one writes its first four, then the next one's; the odd one those of the one before, then its last.
    Of 12, the same with the second four in between, and both write four of their own in the second turn.
    """
    odd, size = builder.trunc(_lane(builder), ir.IntType(1)), 4 * len(words)
    first, last = words[:4], words[-4:]
    others = (_choose(builder, odd, first, last), words[4:8])[len(words) == 12]
    others = [_shuffle(builder, _CROSSWISE, word, I32(1)) for word in others]
    has_next = builder.and_(builder.not_(odd), builder.icmp_signed(">", room, I32(size)))
    at_odd, at_next = -16, size
    turns = [(_choose(builder, odd, others, first), builder.select(odd, I32(at_odd), I32(0)))]
    if len(words) == 12:
        turns = [(turns[0][0], builder.select(odd, I32(-32), I32(0)))]
        turns.append((_choose(builder, odd, first, last), builder.select(odd, I32(0), I32(32))))
        own = _choose(builder, odd, last, words[4:8])
        at_own = builder.select(odd, I32(32), I32(16))
        turns.append((_choose(builder, has_next, others, own), builder.select(has_next, I32(64), at_own)))
    else:
        turns.append((_choose(builder, has_next, others, last), builder.select(has_next, I32(at_next), I32(16))))
    with builder.if_then(builder.icmp_signed(">", room, I32(0))):
        for four, shift in turns:
            store_words(builder, plane, builder.add(offset, shift), *four)


def store_three(builder: ir.IRBuilder, plane: ir.Value, offset: ir.Value, room: ir.Value, *words: ir.Value) -> None:
    """Write word ``32 * turn + lane`` of the warp's 96 in each turn, which another thread has as one of its three.

    In each turn a thread needs another of the three, so that all first words are changed at once, then all second ones.
    """
    lane = _lane(builder)
    rest = builder.urem(lane, I32(3))

    def of_three(values: Sequence[Any]) -> ir.Value:
        other = builder.select(builder.icmp_unsigned("==", rest, I32(1)), values[1], values[2])
        return builder.select(builder.icmp_unsigned("==", rest, I32(0)), values[0], other)

    taken = []
    for place, word in enumerate(words):
        turns = [turn for after in range(3) for turn in range(3) if (32 * turn + after) % 3 == place]
        source = builder.udiv(builder.add(lane, of_three([I32(32 * turn) for turn in turns])), I32(3))
        taken.append(_shuffle(builder, _FROM, word, source))
    start = builder.mul(lane, I32(12))
    first, left = builder.sub(offset, start), builder.add(room, start)
    for turn in range(3):
        at = builder.add(builder.mul(lane, I32(4)), I32(128 * turn))
        with builder.if_then(builder.icmp_signed("<", at, left)):
            word = of_three([taken[(32 * turn + after) % 3] for after in range(3)])
            builder.store(word, _pointer(builder, plane, builder.add(first, at), I32), align=4)
