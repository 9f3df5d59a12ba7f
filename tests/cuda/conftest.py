"""Tests marked ``cuda`` need a GPU; without one they are skipped, and say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from picasso.errors import DeviceError, MissingDependencyError


def _why_not() -> str:
    from picasso.surface.cuda_memory import open_device

    try:
        open_device(0)
    except (DeviceError, MissingDependencyError) as error:
        return str(error)
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    marked = [item for item in items if here in item.path.parents and item.get_closest_marker("cuda")]
    if marked and (reason := _why_not()):
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"no GPU: {reason}"))
