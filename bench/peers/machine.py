"""What machine this is, and what others do on it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
PACKAGES = ("numpy", "numba", "av", "opencv-python-headless", "supervision")


def busy_s() -> float:
    """Return the processor time that all programs of the machine have used since it started."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    except FileNotFoundError:  # not Linux
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / TICKS


def describe() -> dict[str, Any]:
    """Return what a reader needs to know to judge figures: processors, versions, load."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "load": round(os.getloadavg()[0], 2),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    import llvmlite.binding

    for line in (
        Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines() if Path("/proc/cpuinfo").exists() else ()
    ):
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()} ({llvmlite.binding.get_host_cpu_name()})"
    return str(llvmlite.binding.get_host_cpu_name())
