"""Starting a module from Python the way existing programs do."""

from __future__ import annotations

import os
import sys


def main(config_file_path: str | os.PathLike[str]) -> None:
    """Run a module to its end, its imports of ``savant`` and ``savant_rs`` answered.

    ``config_file_path`` is the YAML file, or ``-`` for standard input. Faults of the configuration are printed, a line
    each.

    Raises:
        SystemExit: With 1, where the module cannot run, or an element or a sink failed.
    """
    from picasso.module.config import ConfigError, load_config
    from picasso.module.logs import logging_of
    from picasso.module.run.module import Module

    try:
        config = load_config(config_file_path)
        with logging_of(config.parameters):
            module = Module(config, compat=True)
            module.run()
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise SystemExit(1) from None
    except Exception as error:
        print(f"{config.name}: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    if any(sink.failure is not None for sink in module.statistics().sinks):
        raise SystemExit(1)  # the log says which, and why
