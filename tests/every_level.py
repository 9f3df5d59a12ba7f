"""What ``--every-level`` does: each call of an entry kernel runs at every level that was built, and by Numba.

So each law that a test holds holds for all of them, and they agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picasso_kernels.cpu import compile as compiling
from picasso_kernels.cpu import forms
from picasso_kernels.cpu.entries import ENTRIES, Array, Entry
from picasso_kernels.cpu.levels import levels_of_this_architecture, missing_flags, processor_flags


def compare_levels(folder: Path) -> None:
    """Put comparisons instead of what ``compile.host`` returns for entries, in this process.

    Fails where a level that this processor has was not built, or from other sources.
    """
    flags = processor_flags()
    modules = {}
    for level in levels_of_this_architecture():
        path = folder / f"{level.module}.abi3.so"
        if not missing_flags(level, flags):
            if not path.exists():
                raise pytest.UsageError(f"--every-level: there is no {path}; python -m picasso_build")
            modules[level.name] = forms.load(level.module, path)
            if modules[level.name].sources != compiling.source_key():
                raise pytest.UsageError(f"--every-level: {path} was built from other sources")
    if not modules:
        raise pytest.UsageError("--every-level: this processor has none of the levels")
    made: dict[Callable[..., Any], Callable[..., Any]] = {}

    def host(kernel: Callable[..., Any], inline: tuple[str, ...] | None, keep_gil: bool | None) -> Any:
        entry = ENTRIES.get(kernel)
        if entry is None or entry.has_effects or keep_gil not in {None, entry.keep_gil}:
            return plain(kernel, inline, keep_gil)
        if kernel not in made:
            ways = {name: getattr(module, entry.name) for name, module in modules.items()}
            made[kernel] = _comparison(entry, ways, compiling._compiled(kernel, True, entry.inline, not entry.keep_gil))
        return made[kernel]

    plain = compiling._host
    compiling._host = host  # type: ignore[assignment]


def _comparison(entry: Entry, ways: dict[str, Callable[..., Any]], numba: Callable[..., Any]) -> Callable[..., Any]:
    kinds = list(entry.arguments.values())
    written = [place for place, kind in enumerate(kinds) if isinstance(kind, Array) and kind.written]
    results = [place for place in written if not kinds[place].scratch]  # type: ignore[union-attr]

    def run(*args: Any) -> Any:
        before = [np.array(args[place]) for place in written]
        expected = numba(*args), [args[place].tobytes() for place in results]
        for name, way in ways.items():
            for place, content in zip(written, before, strict=True):
                args[place][...] = content
            assert (way(*args), [args[place].tobytes() for place in results]) == expected, f"{entry.name} at {name}"
        return expected[0]

    return run
