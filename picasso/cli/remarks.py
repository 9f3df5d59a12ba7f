"""What is said of a module beside its table: what its file probably does not mean, and which sinks failed."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig
    from picasso.observe import ModuleStatistics

logger: logging.Logger = logging.getLogger("picasso.module")


def log_warnings(config: ModuleConfig) -> None:
    """Log what is probably not meant; what is said of the log itself is printed where the log does not take it."""
    from picasso.module.logs import LogLevels

    takes_warnings = LogLevels.parse(config.parameters["log_level"]).level_of(logger.name) <= logging.WARNING
    for warning in config.warnings:
        logger.warning("%s", warning)
        if warning.path == ("parameters", "log_level") and not takes_warnings:
            _say(str(warning))


def say_failed(statistics: ModuleStatistics) -> None:
    """Print a sentence for each sink that failed, and exit with 1 where there is one: not all files are written."""
    failed = [sink for sink in statistics.sinks if sink.failure is not None]
    for sink in failed:
        why = " ".join(str(sink.failure).split())
        _say(f"sink {sink.name}: {sink.written} of {sink.came} frames written: {why}")
    if failed:
        raise typer.Exit(1)


def _say(sentence: str) -> None:
    print(f"picasso: {sentence}", file=sys.stderr)
