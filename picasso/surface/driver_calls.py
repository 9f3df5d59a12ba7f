"""Calls of the CUDA driver that a frame makes one behind the other, handed over at once.

Alone, the driver takes half a microsecond for most of them, and Python as much again to get there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from picasso_kernels.cpu.compile import ready
from picasso_kernels.cuda.driver import demand
from picasso_kernels.cuda.launches import OFTEN, Call, Launch, address_of
from picasso_kernels.maths.calls import CALL_SIZE, STATUS_BITS, make_calls

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Device, Event, Stream

_STATUS: Final = (1 << STATUS_BITS) - 1


def order(event: Event, first: int, then: int) -> tuple[Call, Call]:
    """Let what stream ``then`` is told from now on start after what stream ``first`` has been told so far."""
    return Call("cuEventRecord", (event.address, first)), Call("cuStreamWaitEvent", (then, event.address, 0))


def copy_to_device(stream: Stream) -> Call:
    """Copy host memory that is not pinned; target, source and size are written before each call."""
    return Call("cuMemcpyHtoDAsync_v2", (0, 0, 0, stream.address))


@final
class DriverCalls:
    """A list of calls that is made again and again; single arguments change. Not for several threads at once.

    Keeps the GIL, and leaves current on the thread what was so before. What the arguments point to must live as long as
    this. A kernel that is launched often becomes a graph: then it has two calls instead of one, so those behind it are
    found from the end only.
    """

    __slots__ = ("_calls", "_count", "_device", "_names", "_parked", "_parts", "_run", "_until_graphs", "numbers")

    numbers: memoryview[int]
    """Of each call ``CALL_SIZE``, behind the one that makes the device current and before the one that takes it back:
    the function, then its arguments, which may be written."""

    def __init__(self, device: Device, *parts: Call | Launch) -> None:
        """Take calls for a device, in their order."""
        self._device = device
        self._parts = parts
        self._run: Callable[[Any, int], int] | None = None
        self._until_graphs = OFTEN
        self._lay([part if isinstance(part, Call) else part.call() for part in parts])

    def make(self) -> None:
        """Make them all.

        Raises:
            CudaError: One failed; those behind it were not made.
        """
        run = self._run or self._find()
        if made := run(self._calls, self._count):
            self._fail(made)
        if self._until_graphs:
            self._until_graphs -= 1
            if not self._until_graphs:
                self._turn_to_graphs()

    def _lay(self, calls: list[Call]) -> None:
        """Write the list. Where that is interrupted, the one before it stays as it was."""
        parked = ctypes.c_void_p()
        whole = [
            Call("cuCtxPushCurrent_v2", (self._device.context_address,)),
            *calls,
            Call("cuCtxPopCurrent_v2", (ctypes.addressof(parked),)),
        ]
        names, count = [call.name for call in whole], len(whole)
        laid = np.zeros(CALL_SIZE * count, np.int64)
        for number, call in enumerate(whole):
            for place, value in enumerate((address_of(call.name), *call.arguments), CALL_SIZE * number):
                laid[place] = value
        numbers = laid[CALL_SIZE:-CALL_SIZE].data
        # no call between these: signals are looked at in calls and at the ends of loops
        self._calls, self._count = laid, count
        self._names, self.numbers = names, numbers
        self._parked = parked

    def _fail(self, made: int) -> None:
        number = (made >> STATUS_BITS) - 1
        if 0 < number < self._count - 1:
            make_calls(self._calls[-CALL_SIZE:], 1)
        demand(made & _STATUS, self._names[number])

    def _turn_to_graphs(self) -> None:
        """Launch kernels as graphs from now on; the other calls stay as they were written."""
        calls: list[Call] = []
        with self._device.current():
            for number, part in enumerate(self._parts):
                if isinstance(part, Call):
                    first = CALL_SIZE * number + 1
                    calls.append(Call(part.name, tuple(self.numbers[first : first + len(part.arguments)])))
                else:
                    calls += part.graph_calls()
        self._lay(calls)

    def _find(self) -> Callable[[Any, int], int]:
        """Return what makes the calls: machine code, and as long as there is none, the interpreter."""
        self._run = ready(make_calls)
        return self._run or make_calls
