"""Calls of C functions by their addresses: in order, with all bits of their arguments, up to the first failure."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso_kernels.cpu.compile import host, pure
from picasso_kernels.maths.calls import CALL_SIZE, MOST_ARGUMENTS, STATUS_BITS, make_calls

numbers = st.integers(-(1 << 63), (1 << 63) - 1)
calls = st.lists(st.tuples(*[numbers] * MOST_ARGUMENTS), max_size=6)
statuses = st.lists(st.sampled_from([0, 0, 0, 1, 700, -1, -(1 << 31)]), min_size=6, max_size=6)
FUNCTION = ctypes.PYFUNCTYPE(ctypes.c_int, *[ctypes.c_int64] * MOST_ARGUMENTS)


def run(make: Callable[..., int], rows: list[tuple[int, ...]], answers: list[int]) -> tuple[int, list[tuple[int, ...]]]:
    """Make calls of a function that answers so; return what comes back, and what the function was given."""
    given_to: list[tuple[int, ...]] = []

    def record(*arguments: int) -> int:
        given_to.append(arguments)
        return answers[len(given_to) - 1]

    function = FUNCTION(record)
    address = ctypes.cast(function, ctypes.c_void_p).value
    table = np.array([(address, *row) for row in rows], np.int64).reshape(-1)
    return make(table, len(rows)), given_to


@pytest.mark.parametrize("form", [pure, host])
@given(calls, statuses)
def test_calls_are_made_in_their_order_until_one_fails(
    form: Any, rows: list[tuple[int, ...]], answers: list[int]
) -> None:
    made, given_to = run(form(make_calls), rows, answers)
    failed = next((number for number, status in enumerate(answers[: len(rows)], 1) if status), 0)
    assert given_to == rows[: failed or len(rows)]
    assert made >> STATUS_BITS == failed
    assert made & 0xFFFFFFFF == (answers[failed - 1] & 0xFFFFFFFF if failed else 0)


@pytest.mark.parametrize("form", [pure, host])
def test_a_function_of_fewer_arguments_does_not_look_at_the_others(form: Any) -> None:
    """As those of the driver: ``labs`` of C takes one."""
    table = np.array([ctypes.cast(ctypes.CDLL(None).labs, ctypes.c_void_p).value, -5, 7, 8, 9], np.int64)
    assert len(table) == CALL_SIZE
    assert form(make_calls)(table, 1) == 1 << STATUS_BITS | 5
