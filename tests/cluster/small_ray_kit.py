"""A small Ray on this machine, for the tests of one file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def small_ray() -> Iterator[Any]:
    """Ray with two CPUs, started for a file of tests and shut down behind it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray")
    with tempfile.TemporaryDirectory(prefix="rt", dir="/tmp") as folder:  # sockets have short names
        ray.init(
            address="local",
            num_cpus=2,
            object_store_memory=100_000_000,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="warning",
            _temp_dir=folder,
        )
        try:
            yield ray
        finally:
            ray.shutdown()
