"""Ray: whether it is here, and whether a cluster runs on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from picasso.cli.checks.finding import Finding, State

_INSTALL: Final = "pip install 'picasso-engine[ray]'"


def check_cluster() -> Iterator[Finding]:
    """Say which Ray there is, and which cluster ``--ray`` would look for; Ray itself is not started."""
    try:
        found = version("ray")
        is_there = find_spec("ray") is not None
    except PackageNotFoundError:
        yield Finding("cluster", "Ray", State.ABSENT, "only picasso run --ray and picasso map --ray need it", _INSTALL)
        return
    if not is_there:
        yield Finding.failed("cluster", "Ray", "it is listed, and its files are gone", needed=False, fix=_INSTALL)
        return
    address = os.environ.get("RAY_ADDRESS")
    where = f"RAY_ADDRESS names the cluster at {address}" if address else "RAY_ADDRESS is not set"
    yield Finding("cluster", "Ray", State.OK, f"{found}; {where}")
