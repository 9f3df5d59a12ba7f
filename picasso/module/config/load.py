"""From a file to a configuration: parse, merge, resolve, check, build. Every fault is found before anything opens."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Any, Final

from picasso.module.config import rules
from picasso.module.config.build import build
from picasso.module.config.document import Document, Tree, parse
from picasso.module.config.edges import edge_faults, edge_warnings
from picasso.module.config.merge import Merged, merge
from picasso.module.config.model import ModuleConfig
from picasso.module.config.models import model_faults, model_warnings
from picasso.module.config.notation import entries, expand, find_faults_of_kinds
from picasso.module.config.problem import ConfigError, Path, Problem
from picasso.module.config.resolve import resolve
from picasso.module.config.sound import is_broken, without
from picasso.module.config.validate import Fault, coerce, find_faults
from picasso.module.config.watch import ConfigWatch

STDIN: Final = "<stdin>"
MAPPING: Final = "<config>"
ELEMENTS: Final[Path] = ("pipeline", "elements")


def load_config(source: str | os.PathLike[str] | Mapping[str, Any], *, replaced: Collection[str] = ()) -> ModuleConfig:
    """Load a module's configuration.

    Args:
        source: The YAML file, ``-`` for standard input, or the tree of one as a mapping.
        replaced: ``source``, ``sink``: parts of the pipeline that the program replaces. Variables that those need may
            be unset.

    Raises:
        ConfigError: Something is wrong; the error holds everything that is.
    """
    document = _read(source)
    folder = None if document.name in (STDIN, MAPPING) else str(FilePath(document.name).resolve().parent)
    if document.problems and not document.tree:
        raise ConfigError(document.problems)
    unused: list[Path] = [("pipeline", name) for name in replaced]
    merged = merge(_defaults(), document)
    tree, problems = resolve(merged)
    unresolved = {problem.path for problem in problems}
    faults = [*_shape(tree), *_check(coerce(tree), problems)]
    problems = [problem for problem in problems if problem.path[:2] not in unused]
    problems += [_placed(merged, path, text) for path, text in dict.fromkeys(faults) if not is_broken(path, unresolved)]
    problems += document.problems
    if problems:
        problems = sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))
        raise ConfigError(problems, [_placed(merged, path, text) for path, text in rules.near_misses(tree)])
    given = {path for path, origin in merged.origins.items() if origin.file is not None}
    warnings = tuple(
        _placed(merged, path, text)
        for path, text in [*rules.warnings(tree, given), *edge_warnings(tree), *model_warnings(tree)]
    )
    config = build(tree, merged.origins, document.name, folder, warnings)
    if folder is None or not (config.parameters["dev_mode"] or any(one.dev_mode for one in config.elements)):
        return config
    return dataclasses.replace(config, watch=ConfigWatch(config, lambda: load_config(source, replaced=replaced)))


def _read(source: str | os.PathLike[str] | Mapping[str, Any]) -> Document:
    if isinstance(source, Mapping):
        return Document(MAPPING, _plain(source), {})
    name = os.fspath(source)
    if name == "-":
        try:
            return parse(sys.stdin.read(), STDIN)
        except UnicodeDecodeError as error:
            raise ConfigError([Problem(f"cannot be read: {error}", (), STDIN)]) from None
    try:
        text = FilePath(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Problem(f"cannot be read: {why}", (), name)]) from None
    return parse(text, name)


def _plain(value: Any) -> Any:
    """Copy mappings and sequences of any kind into dictionaries and lists, with text as keys."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


@functools.cache
def _default_text() -> str:
    return files(__package__).joinpath("defaults.yml").read_text(encoding="utf-8")


def _defaults() -> Tree:
    return parse(_default_text(), "defaults.yml").tree


def _shape(tree: Tree) -> list[Fault]:
    """Take the notations of elements apart; what is not a list or mapping is left to the schema."""
    pipeline = tree.get("pipeline")
    elements = pipeline.get("elements") if isinstance(pipeline, dict) else None
    if not isinstance(elements, list):
        return []
    found = entries(elements, ELEMENTS)
    return [fault for element, path, _enabled in found if "element" in element for fault in expand(element, path)]


def _check(tree: Tree, problems: list[Problem]) -> list[Fault]:
    """Hold a tree against the schema, and what is left of it without those faults against the rules."""
    faults = find_faults(tree)
    broken = {path for path, _text in faults} | {problem.path for problem in problems}
    sound = without(tree, broken) or {}
    pipeline = sound.get("pipeline")
    later: list[Fault] = []
    if isinstance(pipeline, dict) and isinstance(pipeline.get("elements"), list):
        later += find_faults_of_kinds(pipeline["elements"], ELEMENTS, broken)
    later += [*rules.faults(sound, broken), *edge_faults(sound), *model_faults(sound)]
    return [*faults, *[fault for fault in later if not is_broken(fault[0], broken)]]


def _placed(merged: Merged, path: Path, text: str) -> Problem:
    """Give a fault the line of the value, or of what should hold it."""
    origin = merged.origin(path)
    return Problem(text, path, "defaults.yml" if origin.file is None else origin.file, origin.line)
