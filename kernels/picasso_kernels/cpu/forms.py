"""Which form of the kernels runs here, and why: machine code that came with the package, Numba's, or the interpreter.

``PICASSO_KERNELS`` in the environment chooses: a level's name (``v2``, ``v3``, ``v4``), ``jit`` for Numba, ``pure`` for
the interpreter; without it the best level that was built and that this processor has, else Numba.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import logging
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from picasso_kernels.cache.sources import source_key
from picasso_kernels.cpu.levels import (
    LEVELS,
    Level,
    level_of,
    levels_of_this_architecture,
    missing_flags,
    processor_flags,
)

VARIABLE: Final = "PICASSO_KERNELS"
_CHOICES: Final = ("auto", *(level.name for level in LEVELS), "jit", "pure")
_BUILT: Final = "picasso_kernels.built"
NOTE: Final = "absent.txt"
"""File beside the machine code that says why there is none."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """What runs the kernels of this process."""

    source: Literal["built", "jit", "pure"]
    """Machine code that came with the package, Numba, or the interpreter."""
    reason: str
    """Why this one, in one sentence."""
    level: Level | None = None
    """Of machine code that came with the package."""
    module: ModuleType | None = None
    """The extension that holds it."""


@functools.cache
def form() -> Form:
    """Return what runs the kernels here; decided once a process.

    Raises:
        ValueError: The variable names no form.
        ImportError: It names a level that was not built, was built from other sources, or that this processor lacks.
    """
    wanted = os.environ.get(VARIABLE, "").strip().lower() or "auto"
    if wanted not in _CHOICES:
        raise ValueError(f"{VARIABLE}={wanted}: no such form of the kernels; one of {', '.join(_CHOICES)}")
    if wanted == "jit":
        return Form("jit", f"{VARIABLE}=jit")
    if wanted == "pure":
        return Form("pure", f"{VARIABLE}=pure")
    if wanted != "auto":
        found = open_level(level_of(wanted), processor_flags())
        if isinstance(found, str):
            raise ImportError(f"{VARIABLE}={wanted}: {found}")
        return Form("built", f"{VARIABLE}={wanted}", level_of(wanted), found)
    return _best()


def _best() -> Form:
    flags = processor_flags()
    reasons: list[str] = []
    for level in levels_of_this_architecture():
        found = open_level(level, flags)
        if not isinstance(found, str):
            best = f"{level.name} is the best that was built and that runs here"
            return Form("built", "; ".join([*reasons, best]), level, found)
        reasons.append(found)
    if not reasons:
        reasons = [f"there are no levels for {platform.machine()}"]
    return Form("jit", "; ".join([*reasons, *_why_nothing_was_built()]))


def _why_nothing_was_built() -> list[str]:
    """Return what the build of the package said, where it made no machine code."""
    note = Path(__file__).parents[1] / "built" / NOTE
    return [note.read_text(encoding="utf-8").strip()] if note.exists() else []


def open_level(level: Level, flags: frozenset[str]) -> ModuleType | str:
    """Return the extension that holds a level's machine code, or why it does not serve."""
    missing = missing_flags(level, flags)
    if not flags:
        return f"{level.name}: the system does not say what the processor can do"
    if missing:
        return f"{level.name}: this processor has no {', '.join(missing)}"
    try:
        module = importlib.import_module(f"{_BUILT}.{level.module}")
    except ModuleNotFoundError:
        return f"{level.name} was not built"
    except ImportError as error:
        return f"{level.name} does not load ({error})"
    if module.sources != source_key():
        _log.warning("machine code of level %s is ignored: it was built from other sources of the kernels", level.name)
        return f"{level.name} was built from other sources"
    return module


def load(name: str, path: Path) -> ModuleType:
    """Return the extension module ``name`` of a file, wherever it lies."""
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def find(kernel: Callable[..., Any], keep_gil: bool) -> Callable[..., Any] | None:
    """Return the form of an entry kernel that runs here without Numba; None where Numba must make it.

    Args:
        kernel: A plain function.
        keep_gil: Whether the GIL is kept; what was built otherwise does not serve.
    """
    from picasso_kernels.cpu.entries import ENTRIES

    running = form()
    if running.source == "pure":
        return interpreted(kernel)
    entry = ENTRIES.get(kernel)
    if running.module is None or entry is None or entry.keep_gil != keep_gil:
        return None
    found: Callable[..., Any] = getattr(running.module, entry.name)
    return found


def interpreted(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that the interpreter runs on the same arrays: slow, every offset and value checked."""
    import numpy as np

    def run(*args: Any) -> Any:
        return kernel(*[value.data if isinstance(value, np.ndarray) else value for value in args])

    return functools.wraps(kernel)(run)
