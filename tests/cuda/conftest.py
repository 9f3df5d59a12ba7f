"""Tests marked ``cuda`` need a GPU; without one they are skipped, and say so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from picasso.errors import DeviceError, MissingDependencyError

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else each process takes 3/4 of a GPU for JAX


def _why_not() -> str:
    from picasso.surface.cuda_memory import open_device

    try:
        open_device(0)
    except (DeviceError, MissingDependencyError) as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def streams() -> Any:
    """Give a stream of each of two GPUs."""
    from picasso.surface.cuda_memory import open_device
    from picasso_kernels.cuda.driver import Stream

    try:
        return Stream(open_device(0)), Stream(open_device(1))
    except DeviceError as error:
        pytest.skip(f"needs two GPUs: {error}")


@pytest.fixture(scope="module")
def gpu() -> Any:
    """Give a transformer, closed at the end."""
    from picasso.transform.cuda import CudaTransformer

    transformer = CudaTransformer()
    yield transformer
    transformer.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    marked = [item for item in items if item.get_closest_marker("cuda") and here in item.path.parents]
    if marked and (reason := _why_not()):
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"no GPU: {reason}"))
