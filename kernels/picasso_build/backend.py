"""The build backend of this project: hatchling's, which also asks for a compiler of kernels where it makes wheels.

Numba is needed to build a wheel with machine code, and neither for an editable install nor for a source archive.
"""

from __future__ import annotations

from typing import Any

from hatchling.build import (  # type: ignore[import-not-found]  # there is one where packages are built
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
)
from hatchling.build import get_requires_for_build_wheel as _requires

from picasso_build.plan import requirements

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Return what a wheel's build needs: what hatchling says, and Numba where machine code is to be made."""
    return [*_requires(config_settings), *requirements()]
