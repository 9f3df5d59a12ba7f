"""Who computes a model: the execution providers of ONNX Runtime, and how many threads they get."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from picasso.errors import MissingDependencyError, ModelError, require

PROVIDERS: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
"""ONNX Runtime's name of each provider, by ours."""
CORES: Final = "PICASSO_CORES"
"""Environment variable: how many processors this process may count on."""
CHOICES: Final = ("auto", *PROVIDERS)
_INSTALL: Final = (
    "pip install 'picasso-engine[onnx]', or 'picasso-engine[onnx-gpu]' for NVIDIA GPUs; the two cannot be installed "
    "together"
)


def load_runtime() -> Any:
    """Import ONNX Runtime.

    Raises:
        MissingDependencyError: It is not installed; the message has the ``pip install`` line.
    """
    return require("onnxruntime", hint=_INSTALL)


def available_providers() -> tuple[str, ...]:
    """Return which of ``cpu``, ``cuda`` and ``tensorrt`` this ONNX Runtime was built with; a session may still fail.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed.
    """
    built = load_runtime().get_available_providers()
    return tuple(ours for ours, theirs in PROVIDERS.items() if theirs in built)


def choose_providers(wanted: str | Sequence[str] = "auto") -> tuple[str, ...]:
    """Return the providers to try, best first, the CPU last.

    Args:
        wanted: ``auto``: CUDA where ONNX Runtime has it and the machine has a GPU, else the CPU. Or one or several of
            ``cpu``, ``cuda``, ``tensorrt``. TensorRT is taken only where it is named: it compiles each model
            for minutes before the first picture.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed, or was built without what was named.
        ModelError: An unknown name.
    """
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    unknown = [name for name in names if name not in CHOICES]
    if unknown or not names:
        raise ModelError(f"provider {unknown[0] if unknown else names!r}: expected one of {', '.join(CHOICES)}")
    there = available_providers()
    if "auto" in names:
        return ("cuda", "cpu") if "cuda" in there and count_gpus() else ("cpu",)
    missing = [name for name in names if name not in there]
    if missing:
        raise MissingDependencyError(
            f"provider {missing[0]!r}: this ONNX Runtime has {', '.join(there)}; pip uninstall onnxruntime, then "
            "pip install 'picasso-engine[onnx-gpu]'"
        )
    behind = ["cuda"] if "tensorrt" in names and "cuda" in there else []  # what TensorRT leaves of a graph
    return tuple(dict.fromkeys([*names, *behind, "cpu"]))


def count_gpus() -> int:
    """Return how many GPUs the driver knows; 0 where there is no driver."""
    from picasso_kernels.cuda import libcuda

    try:
        return libcuda.device_count(libcuda.open_driver())
    except libcuda.NoDriverError:
        return 0


def usable_cores() -> int:
    """Return how many processors this process may use; ``$PICASSO_CORES`` says less where others use them, too."""
    there = _allowed_cores()
    said = os.environ.get(CORES, "")
    return min(int(said), there) if said.isdecimal() and int(said) else there


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def threads_for(sources: int, cores: int | None = None) -> int:
    """Return how many threads a model gets beside the threads of the sources.

    A source decodes and encodes in threads of its own. Each keeps one core, until half of the cores are taken; the
    model has the rest.

    Args:
        sources: How many sources run in this process, 0 or more; 0 stands for a program without any.
        cores: How many cores there are; by default those that this process may use.

    >>> [threads_for(sources, cores=8) for sources in (0, 1, 4, 16)]
    [8, 7, 4, 4]
    """
    cores = usable_cores() if cores is None else cores
    return max(1, cores - min(max(sources, 0), cores // 2))
