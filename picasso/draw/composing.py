"""Who composes a display list: machine code, or the interpreter as long as there is none."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from picasso_kernels.cpu.compile import pure, ready
from picasso_kernels.paint import compose as kernel
from picasso_kernels.paint import display_list


def compose(*arguments: Any) -> int:
    """Do what the kernel ``compose`` does, without waiting for a compiler: some milliseconds a frame, meanwhile.

    Every array must be writable: machine code takes no other.
    """
    return (ready(kernel.compose) or compose_by_interpreter)(*arguments)


def compose_by_interpreter(*arguments: Any) -> int:
    """Do the same, run by the interpreter: on its own numbers, those of arrays would overflow or round."""
    *read, line_ends, glyphs, commands = arguments
    plain = [_Numbers(value) if isinstance(value, np.ndarray) else value for value in read]
    codes = arguments[5]
    written = [[0] * (len(codes) + 1), [0] * len(codes) * display_list.GLYPH_SIZE, [0] * len(commands)]
    count = pure(kernel.compose)(*plain, *written)  # type: ignore[arg-type]  # in its order
    for array, values in zip((line_ends, glyphs, commands), written, strict=True):
        array[: len(values)] = values
    return count


@final
class _Numbers:
    """An array that gives Python's numbers."""

    __slots__ = ("_array",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, index: int) -> Any:
        return self._array[index].item()
