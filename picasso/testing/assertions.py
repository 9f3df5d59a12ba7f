"""What tests say about pixels and about geometry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.surface import SurfaceView


def assert_same_surface(actual: SurfaceView, expected: SurfaceView, *, tolerance: int = 0) -> None:
    """Assert that two surfaces hold the same picture, wherever and however it lies in memory.

    Args:
        actual: The surface under test, in host or GPU memory.
        expected: What it should be.
        tolerance: Largest difference of two bytes, 0..255.

    Raises:
        AssertionError: Format, size or colour space differ, or a sample does by more than ``tolerance``; the message
            names plane, row, column and both values of the sample that differs most.
    """
    for what in ("format", "size_wh", "color"):
        ours, theirs = getattr(actual, what), getattr(expected, what)
        if ours != theirs:
            raise AssertionError(f"{what}: {ours!r}, expected {theirs!r}")
    for number, (ours, theirs) in enumerate(zip(_host_planes(actual), _host_planes(expected), strict=True)):
        difference = np.abs(ours.astype(np.int16) - theirs)
        if difference.size and difference.max() > tolerance:
            worst = np.unravel_index(difference.argmax(), difference.shape)
            row, column, *channel = map(int, worst)
            place = f"plane {number}, row {row}, column {column}" + (f", channel {channel[0]}" if channel else "")
            count = int((difference > tolerance).sum())
            raise AssertionError(
                f"{place}: {ours[worst]}, expected {theirs[worst]} ± {tolerance}; {count} of {difference.size} differ"
            )


def assert_inverts(
    inverse: Callable[..., ArrayLike],
    function: Callable[..., ArrayLike],
    values: ArrayLike,
    *arguments: Any,
    atol: float = 1e-3,
    angle_column: int | None = None,
) -> None:
    """Assert that ``inverse(function(values, *arguments), *arguments)`` gives ``values`` back.

    Args:
        inverse: E.g. ``unplace``.
        function: E.g. ``place``.
        values: Array of any shape; NaN comes back as NaN.
        *arguments: Handed to both, e.g. a ``Placement``.
        atol: Largest difference, in the unit of the values: pixels for boxes.
        angle_column: Column of the last axis that holds degrees, which are equal when they differ by whole turns.

    Raises:
        AssertionError: Shape or a value differs; the message names the worst one.
    """
    before = np.asarray(values)
    after = np.asarray(inverse(function(before, *arguments), *arguments))
    if after.shape != before.shape:
        raise AssertionError(f"{_name(inverse)} gave back shape {after.shape}, expected {before.shape}")
    difference = np.abs(np.asarray(after, np.float64) - before)
    if angle_column is not None:
        turned = difference[..., angle_column] % 360
        difference[..., angle_column] = np.minimum(turned, 360 - turned)
    difference[np.isnan(after) & np.isnan(before)] = 0
    wrong = ~(difference <= atol)
    if wrong.any():
        worst = np.unravel_index(np.where(np.isnan(difference), np.inf, difference).argmax(), difference.shape)
        place = ", ".join(str(int(index)) for index in worst)
        raise AssertionError(
            f"{_name(inverse)} does not invert {_name(function)}: [{place}] was {before[worst]}, "
            f"came back as {after[worst]}, tolerance {atol}"
        )


def _host_planes(surface: SurfaceView) -> list[NDArray[np.uint8]]:
    if not surface.is_cuda:
        return list(surface.planes)
    from picasso.surface.cuda_memory import download

    return list(download(surface).planes)


def _name(function: Callable[..., object]) -> str:
    return getattr(function, "__name__", repr(function))
