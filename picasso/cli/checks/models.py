"""Models: ONNX Runtime, each of its providers on a small graph, and the threads that a model gets."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from picasso.cli.checks.finding import Finding, State

_RELU: Final = base64.b64decode("CAc6NQoMCgF4EgF5IgRSZWx1EgFnWhAKAXgSCwoJCAESBQoDEgFuYhAKAXkSCwoJCAESBQoDEgFuQgQKABAO")
"""An ONNX graph that computes ``max(x, 0)``."""
_SOURCES: Final = 16
_INSTALL: Final = "pip install 'picasso-engine[onnx]'"
_DISTRIBUTIONS: Final = ("onnxruntime-gpu", "onnxruntime")


def check_models() -> Iterator[Finding]:
    """Run a small graph by each provider that ONNX Runtime has, and say how many threads a model gets."""
    from picasso.errors import MissingDependencyError

    try:
        from picasso.infer.providers import PROVIDERS, available_providers, threads_for, usable_cores

        there = available_providers()
    except MissingDependencyError:
        yield Finding("models", "ONNX Runtime", State.ABSENT, "only models need it", _INSTALL)
        return
    except Exception as error:  # noqa: BLE001 - what a package raises while it loads is the finding
        yield Finding.failed("models", "ONNX Runtime", error, needed=False, fix=_INSTALL)
        return
    yield Finding("models", "ONNX Runtime", State.OK, _version())
    for name in PROVIDERS:
        yield _provider(name, built=name in there)
    few, many = threads_for(0), threads_for(_SOURCES)
    detail = f"a model alone gets {few} of {usable_cores()} cores; beside {_SOURCES} sources {many}"
    yield Finding("models", "threads", State.OK, detail)


def _provider(name: str, *, built: bool) -> Finding:
    """Compute something by a provider: only that tells one that is built in from one that finds its libraries."""
    if not built:
        return Finding(
            "models", name, State.ABSENT, "not in this ONNX Runtime", "pip install 'picasso-engine[onnx-gpu]'"
        )
    import numpy as np

    from picasso.infer.session import Session

    try:
        said = Session(_RELU, provider=name).run(np.array([-1, 2], np.float32))
    except Exception as error:  # noqa: BLE001 - the finding is why it does not run
        return Finding.failed("models", name, error, needed=False)
    if said["y"].tolist() != [0, 2]:
        return Finding.failed("models", name, f"max([-1, 2], 0) gives {said['y'].tolist()}", needed=False)
    return Finding("models", name, State.OK, "runs a small graph")


def _version() -> str:
    for distribution in _DISTRIBUTIONS:
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return "of unknown version"
