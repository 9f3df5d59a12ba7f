"""Vectors in LLVM's own terms: the few operations that the row loops need, emitted by the best instruction there is.

Everything is written for registers of 64 bytes; LLVM splits what the CPU has not. Where a CPU has one instruction for
an operation that LLVM does not recognise in plain terms, it is named in ``INSTRUCTIONS``; elsewhere the plain terms do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from picasso_kernels.cpu.numba_adapter.extending import Value, insert_function, ir
from picasso_kernels.cpu.numba_adapter.vectors import cpu_features

I64: Final = ir.IntType(64)
BYTES: Final = 64
"""Bytes of a register."""
_FLOAT: Final = ir.FloatType()

INSTRUCTIONS: Final = {
    "multiply_rounded": (
        ("avx512bw", 512, "llvm.x86.avx512.pmul.hr.sw.512"),
        ("avx2", 256, "llvm.x86.avx2.pmul.hr.sw"),
        ("ssse3", 128, "llvm.x86.ssse3.pmul.hr.sw.128"),
    ),
    "alternate_bytes": (
        ("avx512bw", 512, "llvm.x86.avx512.packuswb.512"),
        ("avx2", 256, "llvm.x86.avx2.packuswb"),
        ("sse2", 128, "llvm.x86.sse2.packuswb.128"),
    ),
    "dot_pairs": (
        ("avx512bw", 512, "llvm.x86.avx512.pmaddw.d.512"),
        ("avx2", 256, "llvm.x86.avx2.pmadd.wd"),
        ("sse2", 128, "llvm.x86.sse2.pmadd.wd"),
    ),
    "dot_bytes": (
        ("avx512bw", 512, "llvm.x86.avx512.pmaddubs.w.512"),
        ("avx2", 256, "llvm.x86.avx2.pmadd.ub.sw"),
        ("ssse3", 128, "llvm.x86.ssse3.pmadd.ub.sw.128"),
    ),
    "turn_bytes": (
        ("avx512bw", 512, "llvm.x86.avx512.pshuf.b.512"),
        ("avx2", 256, "llvm.x86.avx2.pshuf.b"),
        ("ssse3", 128, "llvm.x86.ssse3.pshuf.b.128"),
    ),
}
"""For each operation: the CPU feature, the bits and the intrinsic, best first."""


def vector(count: int, bits: int) -> ir.VectorType:
    """Return the type of ``count`` integers of ``bits``."""
    return ir.VectorType(ir.IntType(bits), count)


class Emitter:
    """Emits operations on vectors for one CPU."""

    builder: Any
    """LLVM's builder, for the arithmetic that needs no choice."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.builder = builder
        self._features = cpu_features(context)

    def has(self, feature: str) -> bool:
        """Whether code is made for a CPU with this LLVM feature."""
        return f"+{feature}" in self._features

    def skip(self, address: Value, count: Value | int) -> Value:
        """Return the address ``count`` bytes on."""
        return self.builder.gep(address, [I64(count) if isinstance(count, int) else count])

    def number(self, address: Value, index: int, bits: int) -> Value:
        """Load the number ``index`` of those of ``bits`` at any address; 64 bits, none of them a sign."""
        place = self.builder.bitcast(self.skip(address, index * bits // 8), ir.IntType(bits).as_pointer())
        return self.builder.zext(self.builder.load(place, align=1), I64)

    def load(self, address: Value, count: int, bits: int) -> Value:
        """Load a vector from any address."""
        return self.builder.load(self.builder.bitcast(address, vector(count, bits).as_pointer()), align=1)

    def store(self, value: Value, address: Value) -> None:
        """Store a vector to any address."""
        self.builder.store(value, self.builder.bitcast(address, value.type.as_pointer()), align=1)

    def stream(self, value: Value, address: Value, size: int) -> None:
        """Store a vector of ``size`` bytes past the caches, if its address is a multiple of them; else as ``store``."""
        b = self.builder
        place = b.and_(b.ptrtoint(address, I64), I64(size - 1))
        with b.if_else(b.icmp_unsigned("==", place, I64(0))) as (aligned, other):
            with aligned:
                stored = b.store(value, b.bitcast(address, value.type.as_pointer()), align=size)
                stored.set_metadata("nontemporal", b.module.add_metadata([ir.IntType(32)(1)]))
            with other:
                self.store(value, address)

    def constant(self, bits: int, numbers: Sequence[int]) -> Value:
        """Return a vector of known numbers."""
        return ir.Constant(vector(len(numbers), bits), [number & ((1 << bits) - 1) for number in numbers])

    def same(self, bits: int, number: int, count: int) -> Value:
        """Return one known number in every lane."""
        return self.constant(bits, [number] * count)

    def splat(self, scalar: Value, count: int, bits: int) -> Value:
        """Return the low ``bits`` of a 64-bit number in every lane."""
        kind = vector(count, bits)
        narrow = self.builder.trunc(scalar, kind.element) if bits < scalar.type.width else scalar
        one = self.builder.insert_element(ir.Constant(kind, ir.Undefined), narrow, ir.IntType(32)(0))
        return self.pick(one, [0] * count)

    def pick(self, value: Value, lanes: Sequence[int], other: Value | None = None) -> Value:
        """Return the named lanes; those of ``other`` count on from the last of ``value``."""
        other = ir.Constant(value.type, ir.Undefined) if other is None else other
        return self.builder.shuffle_vector(value, other, self.constant(32, lanes))

    def concat(self, values: Sequence[Value]) -> Value:
        """Return vectors of one type one after the other; their number is a power of two."""
        if len(values) == 1:
            return values[0]
        half = len(values) // 2
        low, high = self.concat(values[:half]), self.concat(values[half:])
        return self.pick(low, range(2 * low.type.count), high)

    def widen(self, value: Value, bits: int) -> Value:
        """Return unsigned lanes with more bits."""
        return self.builder.zext(value, vector(value.type.count, bits))

    def view(self, value: Value, bits: int) -> Value:
        """Return the same register as lanes of other bits."""
        lanes = value.type.count * value.type.element.width // bits
        return self.builder.bitcast(value, vector(lanes, bits))

    def multiply_rounded(self, a: Value, b: Value) -> Value:
        """Return ``(a * b + 2**14) >> 15`` of signed 16-bit lanes; not for -32768 twice."""
        return self._instruction("multiply_rounded", a, b, a.type) or self._multiply_rounded(a, b)

    def computes_floats(self, size: int) -> bool:
        """Whether a CPU has ``multiply_add``, and of 2 bytes also ``halves``."""
        whole = self.has("avx512f") or self.has("neon")
        return whole or (self.has("fma") and (size == 4 or self.has("f16c")))

    def splat_float(self, address: Value, index: int, count: int) -> Value:
        """Load the float32 ``index`` from any address into every lane."""
        bits = self.splat(self.number(address, index, 32), count, 32)
        return self.builder.bitcast(bits, ir.VectorType(_FLOAT, count))

    def load_floats(self, address: Value, count: int) -> Value:
        """Load float32 from any address."""
        return self.builder.bitcast(self.load(address, count, 32), ir.VectorType(_FLOAT, count))

    def floats(self, value: Value) -> Value:
        """Return signed 32-bit lanes as float32."""
        return self.builder.sitofp(value, ir.VectorType(_FLOAT, value.type.count))

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """Return ``a * b + c`` of float32, rounded once. Only where ``computes_floats``."""
        return self._call(f"llvm.fma.v{a.type.count}f32", a.type, a, b, c)

    def halves(self, value: Value) -> Value:
        """Return float32 rounded to float16. Only where ``computes_floats``."""
        return self.builder.fptrunc(value, ir.VectorType(ir.HalfType(), value.type.count))

    def dot_pairs(self, a: Value, b: Value, total: Value) -> Value:
        """Return ``total``, 32-bit lanes, plus the sums of products of neighbouring signed 16-bit lanes."""
        if self.has("avx512vnni") and a.type.count == 32:
            return self._call("llvm.x86.avx512.vpdpwssd.512", total.type, total, a, b)
        sums = self._instruction("dot_pairs", a, b, total.type) or self._dot_neighbours(a, b, 32, "sext", "sext")
        return self.builder.add(total, sums)

    def dot_bytes(self, a: Value, b: Value) -> Value:
        """Return the sums of products of neighbouring bytes, those of ``b`` signed; they must fit signed 16 bits."""
        kind = vector(a.type.count // 2, 16)
        return self._instruction("dot_bytes", a, b, kind) or self._dot_neighbours(a, b, 16, "zext", "sext")

    def clamp(self, value: Value) -> Value:
        """Force signed 32-bit lanes into 0..255."""
        builder = self.builder
        for limit, keep in ((0, ">"), (255, "<")):
            bound = self.same(32, limit, value.type.count)
            value = builder.select(builder.icmp_signed(keep, value, bound), value, bound)
        return value

    def bytes_of(self, low: Value, high: Value) -> Value:
        """Return two vectors of 32 16-bit lanes, all 0..255, one after the other as bytes."""
        if not self.has("avx512bw"):
            return self.builder.trunc(self.concat([low, high]), vector(64, 8))
        mixed = self._call("llvm.x86.avx512.packuswb.512", vector(64, 8), low, high)
        return self.view(self.pick(self.view(mixed, 64), [0, 2, 4, 6, 1, 3, 5, 7]), 8)

    def alternate_bytes(self, a: Value, b: Value) -> Value:
        """Return two vectors of 16-bit lanes, all 0..255, as bytes: alternately eight of each."""
        count = 2 * a.type.count
        found = self._instruction("alternate_bytes", a, b, vector(count, 8))
        if found is not None:
            return found
        lanes = [lane // 16 * 8 + lane % 8 + count // 2 * (lane % 16 // 8) for lane in range(count)]
        return self.builder.trunc(self.pick(a, lanes, b), vector(count, 8))

    def saturate(self, parts: Sequence[Value]) -> Value:
        """Return four vectors of signed 32-bit lanes, one after the other, as bytes clamped to 0..255."""
        if not self.has("avx512bw"):
            return self.builder.trunc(self.clamp(self.concat(parts)), vector(4 * parts[0].type.count, 8))
        words = [self._call("llvm.x86.avx512.packusdw.512", vector(32, 16), *parts[pair : pair + 2]) for pair in (0, 2)]
        mixed = self.view(self._call("llvm.x86.avx512.packuswb.512", vector(64, 8), *words), 32)
        return self.view(self.pick(mixed, [4 * (i % 4) + i // 4 for i in range(16)]), 8)

    def words_of(self, low: Value, high: Value) -> Value:
        """Return two vectors of 16 32-bit lanes that fit 16 bits, alternately four and four of each."""
        if self.has("avx512bw"):
            return self._call("llvm.x86.avx512.packssdw.512", vector(32, 16), low, high)
        mixed = self.pick(low, [4 * (i // 8) + i % 4 + 16 * (i % 8 // 4) for i in range(32)], high)
        return self.builder.trunc(mixed, vector(32, 16))

    def gather(self, address: Value, size: int, places: Value, bits: int) -> Value:
        """Load a number of ``bits`` from ``address`` plus ``size`` bytes times each of ``places``, 32-bit lanes."""
        builder, count = self.builder, places.type.count
        offsets = self.widen(builder.mul(places, self.same(32, size, count)), 64)
        base = self.splat(builder.ptrtoint(address, I64), count, 64)
        pointers = builder.inttoptr(builder.add(base, offsets), ir.VectorType(ir.IntType(8).as_pointer(), count))
        mask = self.same(1, 1, count)
        nothing = ir.Constant(vector(count, bits), ir.Undefined)
        return self._call(f"llvm.masked.gather.v{count}i{bits}.v{count}p0", nothing.type, pointers, mask, nothing)

    def turn_bytes(self, value: Value, places: Value) -> Value:
        """Return the bytes that ``places`` names, 0..15, within each 16 of a register. Needs SSSE3."""
        return self._instruction("turn_bytes", value, places, value.type)

    def permute(self, table: tuple[Value, Value], lanes: Value) -> Value:
        """Return the lanes of two registers that ``lanes`` names, counted through both. Needs AVX-512."""
        name = {64: "q", 16: "hi"}[lanes.type.element.width]
        return self._call(f"llvm.x86.avx512.vpermi2var.{name}.512", lanes.type, table[0], lanes, table[1])

    def _instruction(self, operation: str, a: Value, b: Value, kind: ir.VectorType) -> Value | None:
        for feature, bits, name in INSTRUCTIONS[operation]:
            if self.has(feature) and bits <= a.type.count * a.type.element.width:
                return self._by_parts(name, bits, a, b, kind)
        return None

    def _by_parts(self, name: str, bits: int, a: Value, b: Value, kind: ir.VectorType) -> Value:
        """Call an intrinsic on as many registers as the operands fill."""
        lanes = bits // a.type.element.width
        parts = a.type.count // lanes
        if parts == 1:
            return self._call(name, kind, a, b)
        piece = vector(kind.count // parts, kind.element.width)
        cuts = [range(part * lanes, (part + 1) * lanes) for part in range(parts)]
        return self.concat([self._call(name, piece, self.pick(a, cut), self.pick(b, cut)) for cut in cuts])

    def _call(self, name: str, kind: ir.VectorType, *args: Value) -> Value:
        signature = ir.FunctionType(kind, [arg.type for arg in args])
        return self.builder.call(insert_function(self.builder.module, signature, name), args)

    def _multiply_rounded(self, a: Value, b: Value) -> Value:
        builder, wide = self.builder, vector(a.type.count, 32)
        product = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
        rounded = builder.add(product, self.same(32, 1 << 14, wide.count))
        return builder.trunc(builder.ashr(rounded, self.same(32, 15, wide.count)), a.type)

    def _dot_neighbours(self, a: Value, b: Value, bits: int, widen_a: str, widen_b: str) -> Value:
        builder, count = self.builder, a.type.count
        wide = vector(count // 2, bits)
        products = []
        for first in (0, 1):
            lanes = range(first, count, 2)
            left = getattr(builder, widen_a)(self.pick(a, lanes), wide)
            products.append(builder.mul(left, getattr(builder, widen_b)(self.pick(b, lanes), wide)))
        return builder.add(*products)
