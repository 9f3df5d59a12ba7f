"""What a module reads: the sources of its file or of the program that made it, and its sockets."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from picasso.module.config import ConfigError
from picasso.module.run.ingresses import Ingresses
from picasso.module.sources import WIRE, guarded, open_source
from picasso.module.sources.uri import UriSource

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.flow import Source, SourceStatus
    from picasso.module.config import ModuleConfig, Problem, SourceConfig
    from picasso.module.elements import CodePath

logger: logging.Logger = logging.getLogger("picasso.module")


def configured_sources(config: ModuleConfig, code: CodePath, clock: Clock) -> list[Source]:
    """Make the sources that a configuration names, without its sockets; none is open yet.

    Raises:
        ConfigError: Two of them have one id, or one cannot be made.
    """
    configs = [one for one in config.sources if one.element != WIRE]
    made: list[Source] = []
    problems: list[Problem] = []
    for one in configs:
        try:
            made.append(open_source(one, config, code, clock))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    ids = [source.source_id for source in made]
    twice = [(one, name) for one, name in zip(configs, ids, strict=True) if ids.count(name) > 1]
    if twice:
        raise ConfigError(
            [
                config.problem((*one.path, "properties", "source_id"), f"the source id {name!r} is in use")
                for one, name in twice
            ]
        )
    return made


def given_sources(
    given: Sequence[Source | str | os.PathLike[str]], config: ModuleConfig, code: CodePath, clock: Clock
) -> list[Source]:
    """Make the sources that a program gives in place of those of the configuration.

    Args:
        given: Sources, or files; a file takes the rules and the ``source_id`` of the source in its place.
        config: The configuration of the module.
        code: Where filters are looked for.
        clock: What sources wait by.

    Raises:
        ValueError: Two of them have one id.
    """
    entries = [*config.sources, *[None] * len(given)]
    made = [
        _given_file(os.fspath(one), entry, config, code, clock) if isinstance(one, str | os.PathLike) else one
        for one, entry in zip(given, entries, strict=False)
    ]
    ids = [source.source_id for source in made]
    if twice := [name for name in ids if ids.count(name) > 1]:
        raise ValueError(f"Module: the source id {twice[0]!r} is in use; names must be unique")
    return made


def configured_ingresses(config: ModuleConfig, code: CodePath, clock: Clock) -> Ingresses:
    """Make the sockets that a configuration names; none is open yet.

    Raises:
        MissingDependencyError: It names one, and the wire extra is not installed.
    """
    configs = [one for one in config.sources if one.element == WIRE]
    if not configs:
        return Ingresses([])
    from picasso.module.sources.open_wire import open_ingress  # needs the wire extra

    return Ingresses([open_ingress(one, config, code, clock) for one in configs])


def report_failure(source_id: str, statuses: Sequence[SourceStatus]) -> None:
    """Log why a source has failed, when it fails: the others may run for days."""
    for status in statuses:
        if status.source_id == source_id:
            logger.error("source %r has failed: %s", source_id, status.failure)


def _given_file(file: str, entry: SourceConfig | None, config: ModuleConfig, code: CodePath, clock: Clock) -> Source:
    name = None if entry is None else entry.properties.get("source_id")
    output = config.output_frame
    carries = output is not None and output.codec == "copy"
    return guarded(UriSource(file, name, payload=carries, clock=clock), entry, config, code)
