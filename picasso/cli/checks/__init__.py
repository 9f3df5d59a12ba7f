"""What ``picasso doctor`` looks at: each check is tried for real and says what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from picasso.cli.checks.cluster import check_cluster
from picasso.cli.checks.cpu import check_encoders, check_pipeline
from picasso.cli.checks.finding import Finding, State
from picasso.cli.checks.gpu import check_gpu
from picasso.cli.checks.host import check_fonts, check_host, check_packages, check_skia
from picasso.cli.checks.kernels import check_kernel_cache, check_kernels
from picasso.cli.checks.models import check_models

__all__ = ["Finding", "State", "examine"]

_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_host,
    check_packages,
    check_skia,
    check_fonts,
    check_kernels,
    check_pipeline,
    check_kernel_cache,
    check_encoders,
    check_gpu,
    check_models,
    check_cluster,
)


def examine() -> Iterator[Finding]:
    """Look at this machine, one finding after another; none of the checks raises."""
    for check in _CHECKS:
        yield from check()
