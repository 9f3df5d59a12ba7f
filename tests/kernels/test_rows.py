"""Rows by the register equal rows by the loop, bit for bit, for every length and content."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from picasso_kernels.cpu import vector_rows
from picasso_kernels.cpu.compile import host
from picasso_kernels.frame.plan import vector_entries
from picasso_kernels.maths import filter_rows, numbers, rows
from picasso_kernels.maths.axis import Axis
from picasso_kernels.maths.color import to_rgb, to_yuv
from picasso_kernels.maths.memory import tail
from picasso_kernels.maths.pixel import ONE
from picasso_kernels.paint import blend, picture

SIZE = 1 << 13
COUNTS = [2, 14, 16, 18, 30, 32, 34, 62, 64, 66, 100, 128, 130, 190]
"""Row lengths around the sizes of blocks, and around twice those."""


class Row:
    """One call: what to run and its memory. Arguments name memory, or memory and where its tail starts."""

    def __init__(self, loop: Callable[..., None], seed: int, table: Any = (), job: Any = ()) -> None:
        random = np.random.default_rng(seed)
        self.loop = loop
        self.source = random.integers(0, 256, SIZE, np.uint8)
        self.wide = random.integers(0, 32641, SIZE // 2).astype("<i2").view(np.uint8)
        self.table = np.array(table, np.int16)
        self.job = np.array(job, np.int64)
        self.out = np.full(SIZE, 0xA5, np.uint8)

    def outcome(self, loop: Callable[..., None], *args: Any) -> bytes:
        """Run the loop or its vector form; tails of arrays are slices for the machine."""
        out = self.out.copy()
        memory = {"out": out, "source": self.source, "wide": self.wide, "table": self.table, "job": self.job}
        begin: Callable[..., Any] = slice_of
        if loop is self.loop:
            memory |= {"table": self.table.tolist(), "job": self.job.tolist()}
            begin = tail
        loop(*(begin(memory[arg[0]], arg[1]) if type(arg) is tuple and arg[0] in memory else arg for arg in args))
        return out.tobytes()


def slice_of(array: npt.NDArray[Any], start: int) -> npt.NDArray[Any]:
    return array[start:]


def assert_same(row: Row, *args: Any) -> None:
    assert row.outcome(host(vector_rows.VECTOR_FORMS[row.loop]), *args) == row.outcome(row.loop, *args)


def axis(count: int, ratio: float, seed: int) -> npt.NDArray[np.int16]:
    """Return the tables of ``count`` pixels of which each is ``ratio`` source pixels from the next."""
    return vector_entries(Axis(0, count, 1, seed % 3, max(int(count * ratio), 1), 1))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("weight", [0, 1, 16, 777, 1024, 1536, 2032, 2047])
def test_blend_rows(count: int, weight: int) -> None:
    row = Row(rows.blend_rows, count)
    assert_same(row, ("out", 6), ("source", 3), ("source", 901), weight, ("source", 0), 500, count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("ratio", "near"), [(0.3, 1), (0.9, 1), (1.5, 1), (2, 1), (2, 0), (2.7, 0), (4, 0)])
@pytest.mark.parametrize("loop", [rows.lerp_pixels, rows.lerp_samples], ids=["pixels", "samples"])
def test_lerp(loop: Callable[..., None], count: int, ratio: float, near: int) -> None:
    row = Row(loop, count, axis(count, ratio, count))
    assert_same(row, ("out", 5), ("wide", 64), ("table", 0), near, ("source", 0), 500, count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("ratio", [1.5, 2, 2.7, 4, 6])
@pytest.mark.parametrize("weight", [0, 1, 16, 777, 1024, 2032, 2047])
def test_mix_pixels(count: int, ratio: float, weight: int) -> None:
    row = Row(rows.mix_pixels, count, axis(count, ratio, count))
    upper, lower = ("source", 3), ("source", SIZE - 5 * 1024)
    assert_same(row, ("out", 5), upper, lower, weight, ("table", 0), ("source", 0), 500, count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("ratio", [2.1, 2.7, 3, 4, 6])
@pytest.mark.parametrize("weight", [0, 1, 16, 777, 1024, 2032, 2047])
def test_mix_opaque(count: int, ratio: float, weight: int) -> None:
    row = Row(rows.mix_opaque, count, axis(count, ratio, count))
    upper, lower = ("source", 3), ("source", SIZE - 5 * 1024)
    assert_same(row, ("out", 5), upper, lower, weight, ("table", 0), ("source", 0), 500, count)


@pytest.mark.parametrize("loop", [rows.mix_opaque, rows.pick_opaque], ids=["mixed", "picked"])
@pytest.mark.parametrize("count", [16, 17, 40, 64])
def test_no_byte_behind_a_row_of_three_bytes_a_pixel_is_read(loop: Callable[..., None], count: int) -> None:
    """The row ends where memory does: a read behind it would end the process."""
    table = axis(count, 3.3, count)
    size = 3 * (int(table[count - 1]) + 2 if loop is rows.mix_opaque else int(table[count - 1]) + 1)
    with guarded(size) as row:
        row[:] = np.arange(size) % 251
        out, plain = np.zeros(4 * count, np.uint8), np.zeros(4 * count, np.uint8)
        args: list[Any] = [row, row, 777, table, row, size, count]
        if loop is rows.pick_opaque:
            args = [row, 3, 1, table, count]
        host(vector_rows.VECTOR_FORMS[loop])(out, *args)
        loop(plain, *(arg.tolist() if arg is table else arg for arg in args))
    np.testing.assert_array_equal(out, plain)


@contextmanager
def guarded(size: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield memory whose end is followed by a page that must not be touched."""
    libc, page = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
    memory = mmap.mmap(-1, (size // page + 2) * page)
    whole = np.frombuffer(memory, np.uint8)
    last = whole.ctypes.data + len(whole) - page
    for protection in (mmap.PROT_READ, 0):
        assert libc.mprotect(ctypes.c_void_p(last), ctypes.c_size_t(page), protection) == 0, ctypes.get_errno()
    yield whole[len(whole) - page - size : len(whole) - page]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("step", "lane_step"), [(3, 1), (4, 1), (4, -1), (-3, 1), (12, 4), (-4, 1)])
def test_picks(count: int, step: int, lane_step: int) -> None:
    first = 9 if step > 0 else SIZE - 9
    index = np.random.default_rng(count).integers(0, 600, count)
    for loop in (rows.pick_pixels, rows.pick_opaque):
        assert_same(Row(loop, count, index), ("out", 5), ("source", first), step, lane_step, ("table", 0), count)


@pytest.mark.parametrize("count", COUNTS)
def test_halve_samples(count: int) -> None:
    row = Row(rows.halve_samples, count)
    assert_same(row, ("out", 5), ("source", 3), ("source", 901), ("source", 0), 500, count)


def test_halves_are_two_blends() -> None:
    """What is done at once is what the two passes do, and rounds as they do."""
    count, half = 1 << 10, ONE // 2
    random = np.random.default_rng(0)
    upper, lower = (random.integers(0, 256, 2 * count, np.uint8) for _ in range(2))
    at_once, in_two, wide = (np.zeros(size, np.uint8) for size in (count, count, 4 * count))
    rows.halve_samples(at_once, upper, lower, upper, 0, count)
    rows.blend_rows(wide, upper, lower, half, upper, 0, 2 * count)
    rows.lerp_samples(in_two, wide, [*range(0, 2 * count, 2), *[half] * count], 1, upper, 0, count)
    np.testing.assert_array_equal(at_once, in_two)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
def test_colours(count: int, matrix: str, full_range: bool) -> None:
    luma, source = [("out", 0), ("out", 300)], [("source", 1), ("source", 2001), ("job", 0)]
    both = Row(rows.yuv_planar, count, job=to_yuv(matrix, full_range))
    assert_same(both, *luma, ("out", 600), ("out", 800), *source, 512, count)
    paired = Row(rows.yuv_paired, count, job=to_yuv(matrix, full_range))
    assert_same(paired, *luma, ("out", 600), *source, 512, count)
    back = Row(rows.rgb_row, count, job=to_rgb(matrix, full_range))
    assert_same(back, ("out", 9), ("source", 0), ("source", 701), ("source", 1501), ("job", 0), count)


def test_colours_at_their_extremes() -> None:
    """Chroma of full range rounds up to 256 and must be held at 255."""
    row = Row(rows.yuv_planar, 0, job=to_yuv("bt709", True))
    row.source = np.where(np.arange(SIZE) % 4 == np.arange(SIZE) // 64 % 4, 255, 0).astype(np.uint8)
    out = [("out", start) for start in (0, 300, 600, 800)]
    assert_same(row, *out, ("source", 0), ("source", 2048), ("job", 0), 0, 192)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("step", [-3, -1, 1, 2, 3, 4])
def test_collecting_and_spreading(count: int, step: int) -> None:
    first = 0 if step > 0 else SIZE // 2
    assert_same(Row(rows.collect_samples, count), ("out", 3), ("source", first), step, count)
    assert_same(Row(rows.collect_opaque, count), ("out", 3), ("source", first + 2), step, -1, count)
    assert_same(Row(rows.collect_opaque, count), ("out", 3), ("source", first + 2), step, 1, count)
    for lanes in (3, 4):
        assert_same(Row(rows.spread_pixels, count), ("out", first), step, 1, lanes, ("source", 7), count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("number", [2, 4, 10])
def test_sums(count: int, number: int) -> None:
    random = np.random.default_rng(count)
    places = random.integers(0, SIZE - count, number).astype("<i8").view(np.uint8)
    weights = random.dirichlet(np.ones(number), count) * 20000 - 3616 / number
    down = Row(filter_rows.sum_rows, count, weights[0])
    down.wide = places
    assert_same(down, ("out", 2), ("source", 0), ("wide", 0), ("table", 0), number, count)
    index = np.floor(np.arange(count) * 1.7)
    by_pairs = weights.reshape(count, -1, 2).swapaxes(0, 1).reshape(-1)
    for loop in (filter_rows.sum_pixels, filter_rows.sum_samples):
        across = Row(loop, count, np.concatenate([index, by_pairs]))
        across.wide = (across.wide.view("<i2") // 2).view(np.uint8)
        assert_same(across, ("out", 2), ("wide", 16), ("table", 0), ("table", count), number, count)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, *COUNTS])
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("room", [0, 1, 7, 8, 200])
def test_tints(count: int, step: int, room: int) -> None:
    """Samples beyond the last stay as they are, and none is written beyond the end of the row."""
    row = Row(blend.tint_samples, count)
    shares = np.random.default_rng(count).integers(0, 257, SIZE // 2)
    shares[count : count + blend.MARGIN] = 0
    row.wide = shares.astype("<i2").view(np.uint8)
    row.out = row.source
    pixels = Row(blend.tint_pixels, count)
    pixels.wide, pixels.out = row.wide, row.source
    triples = Row(blend.tint_triples, count)
    triples.wide, triples.out = row.wide, row.source
    for rows_of in (1, 5):
        assert_same(row, ("out", 3), (40, 600, step), 200, ("wide", 0), 0, count + room, count, rows_of)
        assert_same(pixels, ("out", 3), 40, 1600, 0xFF20E001, ("wide", 0), 0, count + room, count, rows_of)
        assert_same(triples, ("out", 3), 40, 1200, 0xFF20E001, ("wide", 0), 0, count + room, count, rows_of)


@pytest.mark.parametrize("count", [1, 3, 7, 8, 9, *COUNTS])
@pytest.mark.parametrize("room", [0, 3, 20])
@pytest.mark.parametrize("loop", [blend.tint_pixel_spots, blend.tint_triple_spots, blend.tint_sample_spots])
def test_spots(loop: Callable[..., None], count: int, room: int) -> None:
    """Pixels beyond the last stay as they are; the coverage behind it has no effect."""
    row = Row(loop, count)
    row.out = row.source[::-1].copy()
    over = 0xE7 if loop is blend.tint_sample_spots else 0xFF20E0F1
    for alpha in (0, 100, 256):
        assert_same(row, ("out", 3), 40, over, alpha, ("source", 5), 2, count + room, count)


@pytest.mark.parametrize("count", [1, 3, 7, 8, 9, *COUNTS])
@pytest.mark.parametrize("step", [3, 4])
@pytest.mark.parametrize("loop", [picture.lay_row, picture.lay_swapped_row])
def test_rows_of_images(loop: Callable[..., None], count: int, step: int) -> None:
    row = Row(loop, count)
    row.out = row.source[::-1].copy()
    for alpha in (0, 100, 256):
        assert_same(row, ("out", 3), 40, step, ("source", 5), 2, alpha, count)


@pytest.mark.parametrize("count", [1, 3, 7, 8, 9, *COUNTS])
@pytest.mark.parametrize("room", [0, 3, 20])
def test_means_of_shares(count: int, room: int) -> None:
    row = Row(blend.average_shares, count)
    row.out = np.random.default_rng(count).integers(0, 257, SIZE // 2).astype("<i2").view(np.uint8)
    assert_same(row, ("out", 4), 2 * (count + 5 + room), 5, count + 5)


PLANES = [1 << 10, -(1 << 10), 0]
SCALES = [((1 / 255,) * 3, (0.0,) * 3), ((1 / 58.395, 1 / 57.12, -1 / 57.375), (-2.1, -2.0, 1.8)), ((1,) * 3, (0,) * 3)]


@pytest.mark.parametrize("count", [1, 3, 15, 17, *COUNTS])
@pytest.mark.parametrize(("scale", "bias"), SCALES, ids=["unit", "mean and deviation", "levels"])
@pytest.mark.parametrize(
    ("loop", "dtype"),
    [(numbers.numbers32, "float32"), (numbers.numbers16, "float16"), (numbers.numbers8, "uint8")],
    ids=["float32", "float16", "uint8"],
)
def test_numbers(loop: Callable[..., None], dtype: str, scale: Any, bias: Any, count: int) -> None:
    row, size = Row(loop, count), np.dtype(dtype).itemsize
    row.wide = numbers.table_of(scale, bias, dtype)
    hints: list[tuple[int, ...]] = [()] if size == 1 else [(0,), (1,)]
    for hint in hints:
        for lane_step in PLANES:
            for step, first in ((size, 1 << 12), (size, 3 + (1 << 12)), (2 * size, 1 << 12), (-size, 1 << 12)):
                assert_same(row, ("out", first), step, lane_step, ("source", 5), ("wide", 0), *hint, count)
        for step, lane_step in ((3 * size, size), (4 * size, size), (3 * size, -size)):
            assert_same(row, ("out", 64), step, lane_step, ("source", 5), ("wide", 0), *hint, count)


def test_every_level_becomes_the_number_that_is_looked_up() -> None:
    """Computed by the machine, with factors that need the one rounding of a fused multiplication and addition."""
    random = np.random.default_rng(5)
    for _ in range(20):
        scale, bias = random.normal(0, 1, 3), random.normal(0, 2, 3) * 10.0 ** -random.integers(0, 8)
        for loop, dtype in ((numbers.numbers32, "float32"), (numbers.numbers16, "float16")):
            row, size = Row(loop, 0), np.dtype(dtype).itemsize
            row.source = np.repeat(np.arange(256, dtype=np.uint8), 4)
            row.wide = numbers.table_of(scale, bias, dtype)
            assert_same(row, ("out", 0), size, 1024, ("source", 0), ("wide", 0), 0, 256)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("generic", ""),
        ("haswell", "+avx2,+avx,+ssse3,+sse4.2,+sse4.1,+sse3,+sse2"),
        ("haswell", "+avx2,+avx,+fma,+f16c,+ssse3,+sse4.2,+sse4.1,+sse3,+sse2"),
    ],
    ids=["sse2", "avx2", "fma"],
)
def test_lesser_machines_agree(name: str, features: str) -> None:
    """The same rows, made for CPUs without the instructions that this one may have."""
    this = f"{__file__}::"
    chosen = [
        "test_blend_rows",
        "test_lerp",
        "test_mix_pixels",
        "test_mix_opaque",
        "test_picks",
        "test_halve_samples",
        "test_colours",
        "test_collecting_and_spreading",
        "test_sums",
        "test_tints",
        "test_spots",
        "test_rows_of_images",
        "test_means_of_shares",
        "test_numbers",
    ]
    environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(this + test for test in chosen)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:]
