"""What the painter paints on, as a flat table of ``TARGET_SIZE`` integers."""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Ints

WIDTH: Final = 0
HEIGHT: Final = 1
BASE: Final = 2
"""Byte of the top left sample of a plane. Three planes follow each other: red, green and blue, or Y, U and V."""
PITCH: Final = 3
"""Bytes from a row to the next, may be negative."""
STEP: Final = 4
"""Bytes from a sample to the next."""
PLANE: Final = 3
"""Entries a plane."""
TO_YUV: Final = 11
"""The ten coefficients of ``color.ToYuv``, for 4:2:0."""
TARGET_SIZE: Final = 21


def sample_at(target: Ints, plane: int, x: int, y: int) -> int:
    """Return the byte of a sample of a plane."""
    entry = plane * PLANE
    byte: int = target[entry + BASE] + y * target[entry + PITCH] + x * target[entry + STEP]
    return byte
