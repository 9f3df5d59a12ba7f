"""Parts of a configuration that come while a module runs: checked as in the file, and built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from picasso.module.config.build import source_of
from picasso.module.config.edges import edge_faults
from picasso.module.config.problem import ConfigError, Path, Problem
from picasso.module.config.sound import is_broken, without
from picasso.module.config.validate import coerce, find_faults

if TYPE_CHECKING:
    from picasso.module.config.model import ModuleConfig, SourceConfig

REQUEST = "<request>"
"""Stands where the name of the file stands in problems."""


def source_config(config: ModuleConfig, entry: Mapping[str, Any]) -> SourceConfig:
    """Return a source that joins a running module. ``${…}`` is not resolved: a request reads no variables.

    Args:
        config: The module.
        entry: As in ``pipeline.source``.

    Raises:
        ConfigError: The entry is wrong; the error holds everything that is.
    """
    tree = _tree(config)
    tree["pipeline"]["source"] = dict(entry)
    path: Path = ("pipeline", "source")
    _check(tree, path)
    return source_of(tree["pipeline"]["source"], path)


def rendered_objects(config: ModuleConfig, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return looks that a running module takes, by element name and label.

    Args:
        config: The module.
        given: As ``rendered_objects`` of ``draw_func``.

    Raises:
        ConfigError: They are wrong; the error holds everything that is.
    """
    tree = _tree(config)
    tree["parameters"]["draw_func"] = {"rendered_objects": dict(given)}
    path: Path = ("parameters", "draw_func", "rendered_objects")
    _check(tree, path)
    found = tree["parameters"]["draw_func"]["rendered_objects"]
    return {unit: {label: look or {} for label, look in (labels or {}).items()} for unit, labels in found.items()}


def _tree(config: ModuleConfig) -> dict[str, Any]:
    """Return a copy of the whole tree, so that a part is checked as it is in a file."""
    tree: dict[str, Any] = json.loads(json.dumps(config.tree, default=str))
    return tree


def _check(tree: dict[str, Any], path: Path) -> None:
    faults = find_faults(coerce(tree))
    broken = {where for where, _text in faults}
    faults += [fault for fault in edge_faults(without(tree, broken) or {}) if not is_broken(fault[0], broken)]
    problems = [
        Problem(text, where[len(path) :], REQUEST)
        for where, text in dict.fromkeys(faults)
        if where[: len(path)] == path
    ]
    if problems:
        raise ConfigError(problems)
