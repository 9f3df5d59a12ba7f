"""What ``--record-calls`` does: the calls of entry kernels go into a file, with what Numba's code made of them.

``picasso_build.replay`` makes them again on processors of another kind. A record: the entry, how many blocks of memory
and arguments, and what was returned; each block as it was and as it became; then the arguments, numbers or places in
blocks.
"""

from __future__ import annotations

import ctypes
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from picasso_kernels.cpu import compile as compiling
from picasso_kernels.cpu.entries import ENTRIES, Array, Entry

_MOST_CALLS: Final = 1500
"""Of each entry."""
_MOST_BYTES: Final = 100_000_000
"""Of each entry; the table of all glyphs is 4 MB."""
_NOTHING: Final = -(1 << 63)
"""What an entry without a result returns."""


def record_calls(path: Path) -> None:
    """Record calls from now on, in this process."""
    out = path.open("wb")
    plain = compiling._host
    made: dict[Callable[..., Any], Callable[..., Any]] = {}
    calls, sizes = Counter[str](), Counter[str]()

    def host(kernel: Callable[..., Any], inline: tuple[str, ...] | None, keep_gil: bool | None) -> Any:
        entry = ENTRIES.get(kernel)
        if entry is None or entry.has_effects or keep_gil not in {None, entry.keep_gil}:
            return plain(kernel, inline, keep_gil)
        return made.setdefault(kernel, recorder(entry))

    def recorder(entry: Entry) -> Callable[..., Any]:
        code = compiling._compiled(entry.kernel, True, entry.inline, not entry.keep_gil)

        def run(*args: Any) -> Any:
            if calls[entry.name] >= _MOST_CALLS or sizes[entry.name] >= _MOST_BYTES:
                return code(*args)
            result, record = _recorded(entry, code, args)
            out.write(record)
            calls[entry.name] += 1
            sizes[entry.name] += len(record)
            return result

        return run

    compiling._host = host  # type: ignore[assignment]


def _recorded(entry: Entry, code: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, bytes]:
    kinds = list(entry.arguments.values())
    arrays = [(value, kind) for value, kind in zip(args, kinds, strict=True) if isinstance(kind, Array)]
    blocks = _blocks([value for value, _ in arrays])
    scratch = {_block_of(value, blocks) for value, kind in arrays if kind.scratch}
    before = [ctypes.string_at(start, end - start) for start, end in blocks]
    result = code(*args)
    number = list(ENTRIES).index(entry.kernel)
    record = struct.pack("<iiiq", number, len(blocks), len(args), _NOTHING if result is None else int(result))
    for index, (start, end) in enumerate(blocks):
        after = ctypes.string_at(start, end - start)
        record += struct.pack("<ii", end - start, index in scratch) + before[index] + after
    for value, kind in zip(args, kinds, strict=True):
        if isinstance(kind, Array):
            index = _block_of(value, blocks)
            record += struct.pack("<iiqq", 1, index, value.ctypes.data - blocks[index][0], len(value))
        else:
            record += struct.pack("<iiqq", 0, 0, int(value), 0)
    return result, record


def _blocks(arrays: list[Any]) -> list[tuple[int, int]]:
    """Return the addresses of memory that belongs together: arrays may overlap."""
    blocks: list[tuple[int, int]] = []
    for start, end in sorted({(array.ctypes.data, array.ctypes.data + max(array.nbytes, 1)) for array in arrays}):
        if blocks and start < blocks[-1][1]:
            blocks[-1] = blocks[-1][0], max(blocks[-1][1], end)
        else:
            blocks.append((start, end))
    return blocks


def _block_of(array: Any, blocks: list[tuple[int, int]]) -> int:
    return next(index for index, (start, end) in enumerate(blocks) if start <= array.ctypes.data < end)
