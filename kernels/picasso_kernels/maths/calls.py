"""Calls of C functions by their addresses, several at once: where each alone takes less time than getting there.

A call is ``CALL_SIZE`` numbers: the address of the function, then its arguments, integers and addresses, from the
first on. A function of fewer arguments does not look at the others, as on every processor that kernels run on the first
four have registers of their own. It returns 0 where all went well.
"""

from __future__ import annotations

import ctypes
from typing import Final

from picasso_kernels.maths.memory import Ints

MOST_ARGUMENTS: Final = 4
CALL_SIZE: Final = 1 + MOST_ARGUMENTS
STATUS_BITS: Final = 32
"""Bits of what ``make_calls`` returns, below those of the number of calls: what the last one returned."""
_FUNCTION: Final = ctypes.PYFUNCTYPE(ctypes.c_int, *[ctypes.c_int64] * MOST_ARGUMENTS)


def make_calls(calls: Ints, count: int) -> int:
    """Make calls in their order, until one fails.

    Args:
        calls: ``CALL_SIZE`` numbers each.
        count: How many there are.

    Returns:
        0; or, where one failed, what it returned, and by ``STATUS_BITS`` bits higher its number, counted from 1.
    """
    for number in range(count):
        at = number * CALL_SIZE
        status = call(calls[at], calls[at + 1], calls[at + 2], calls[at + 3], calls[at + 4])
        if status != 0:
            return (number + 1) << STATUS_BITS | status & 0xFFFFFFFF
    return 0


def call(address: int, first: int, second: int, third: int, fourth: int) -> int:
    """Call a function that returns an ``int``; this is the reference, which keeps the GIL as machine code does."""
    return int(_FUNCTION(int(address))(int(first), int(second), int(third), int(fourth)))
