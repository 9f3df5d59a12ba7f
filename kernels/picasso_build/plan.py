"""What a build of the package makes: for which levels, and if for none, why not.

``PICASSO_BUILD`` in the environment chooses: ``host`` (the default) for the best level of this processor, ``all`` for
every level of its architecture, ``none``, an architecture (``aarch64``), or names of levels with commas between them.
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from typing import Final

from picasso_build import compiler
from picasso_kernels.cpu.levels import (
    Level,
    level_of,
    levels_of,
    levels_of_this_architecture,
    missing_flags,
    processor_flags,
)

NUMBA: Final = "numba>=0.62,<0.70"
"""What makes machine code, and what a package without machine code needs."""
ZIG: Final = "ziglang>=0.13,<1"
"""A C compiler as a wheel of 100 MB: for who names levels and has none."""
VARIABLE: Final = "PICASSO_BUILD"
PLATFORM: Final = "PICASSO_BUILD_PLATFORM"
"""Names the platform of the wheel's tag, e.g. ``manylinux_2_17_x86_64``; by default this system's."""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What is to be made."""

    levels: tuple[Level, ...]
    command: tuple[str, ...] = ()
    """The C compiler's."""
    reason: str = ""
    """Why no level is made."""


def plan() -> BuildPlan:
    """Return what a build here makes.

    Raises:
        ValueError: The variable names no level, or such as do not go together.
    """
    wanted = os.environ.get(VARIABLE, "").strip() or "host"
    if wanted == "none":
        return BuildPlan((), reason=f"{VARIABLE}=none")
    if wanted == "host":
        return _for_host()
    levels = levels_of(platform.machine() if wanted == "all" else wanted) or list(map(level_of, wanted.split(",")))
    if len({level.architecture for level in levels}) > 1:
        raise ValueError(f"{VARIABLE}={wanted}: these levels are of different architectures")
    try:
        return BuildPlan(tuple(levels), tuple(compiler.find(levels[0].architecture)))
    except compiler.CompilerError as error:
        return BuildPlan(tuple(levels), reason=str(error))


def _for_host() -> BuildPlan:
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return BuildPlan((), reason="this Python has not the stable ABI of CPython")
    level = host_level()
    if level is None:
        return BuildPlan((), reason=f"no level fits this processor ({platform.machine()})")
    try:
        return BuildPlan((level,), tuple(compiler.find()))
    except compiler.CompilerError as error:
        return BuildPlan((), reason=str(error))


def requirements() -> list[str]:
    """Return what must be installed before machine code can be made; nothing where none is made."""
    planned = plan()
    return [NUMBA, *([] if planned.command else [ZIG])] if planned.levels else []


def host_level() -> Level | None:
    """Return the best level that this processor has; None where it has none, or the system does not say."""
    flags = processor_flags()
    return next((level for level in levels_of_this_architecture() if not missing_flags(level, flags)), None)
