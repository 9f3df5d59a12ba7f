"""Memory access: reference and machine agree, and the reference refuses what the machine would not notice."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from picasso_kernels.cpu.compile import host
from picasso_kernels.maths.memory import (
    copy,
    load8,
    load16,
    load32,
    load64,
    pixel,
    prefetch,
    store8,
    store16,
    store32,
    store64,
    store_pixel,
    tail,
)

BYTES = st.binary(min_size=16, max_size=16)


def read_all(memory, at, out):
    """Read every kind of number at one place."""
    here = tail(memory, at)
    prefetch(here, 4096)
    out[0], out[1], out[2], out[3] = load8(here, 0), load16(tail(here, -at), at), load32(here, 0), pixel(here, 0)
    out[4] = load64(memory, 0)


def write_all(memory, value):
    """Write a number as every kind it can be, and copy it."""
    here = tail(memory, 4)
    store8(memory, 0, value & 255)
    store16(memory, 1, (value & 0xFFFF) - 32768)
    store32(here, 0, value - (1 << 31))
    store_pixel(here, 4, value)
    store64(here, 8, (value - (1 << 31)) * value)
    copy(tail(here, 16), memory, 5)


@given(BYTES, st.integers(0, 12))
def test_machine_reads_what_the_reference_reads(content: bytes, at: int) -> None:
    ours, theirs = np.zeros(5, np.int64), [0] * 5
    host(read_all)(np.frombuffer(bytearray(content), np.uint8), at, ours)
    read_all(content, at, theirs)
    assert ours.tolist() == theirs
    assert theirs[2] == int.from_bytes(content[at : at + 4], "little", signed=True)


@given(st.integers(0, (1 << 32) - 1))
def test_machine_writes_what_the_reference_writes(value: int) -> None:
    ours, theirs = np.zeros(32, np.uint8), bytearray(32)
    host(write_all)(ours, value)
    write_all(theirs, value)
    assert ours.tobytes() == bytes(theirs)


@pytest.mark.parametrize(
    "call",
    [
        lambda memory: load8(memory, -1),
        lambda memory: load8(memory, 4),
        lambda memory: load32(memory, 1),
        lambda memory: store8(memory, -1, 0),
        lambda memory: store8(memory, 4, 0),
        lambda memory: store8(memory, 0, 256),
        lambda memory: store8(memory, 0, -1),
        lambda memory: store16(memory, 0, 32768),
        lambda memory: store32(memory, 0, 1 << 31),
        lambda memory: store_pixel(memory, 0, 1 << 32),
        lambda memory: load8(tail(memory, 2), -3),
        lambda memory: load8(tail(tail(memory, 2), 1), 1),
        lambda memory: store8(tail(memory, 1), -2, 0),
    ],
    ids=[
        "before",
        "behind",
        "half behind",
        "write before",
        "write behind",
        "256",
        "-1",
        "16 bits",
        "32 bits",
        "pixel",
        "before a tail",
        "behind a tail",
        "write before a tail",
    ],
)
def test_the_reference_refuses(call: Callable[[bytearray], object]) -> None:
    with pytest.raises((IndexError, OverflowError)):
        call(bytearray(4))
