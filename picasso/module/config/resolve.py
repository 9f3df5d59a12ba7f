"""Interpolation: ``${…}`` in a merged tree becomes values, by OmegaConf.

OmegaConf takes a millisecond or more for each interpolation and a third of that for each plain key. So it is asked only
for the values that hold ``${``, and given only the keys whose names those mention.
"""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import replace
from typing import Any, Final

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from picasso.module.config.merge import Merged, leaves
from picasso.module.config.problem import Path, Problem

_VARIABLE: Final = re.compile(r"oc\.env:\s*([A-Za-z_][A-Za-z0-9_]*)")
_WORD: Final = re.compile(r"[\w-]+")
_NESTED: Final = re.compile(r"\$\{(?![\w.]+:)[^}]*\$\{|oc\.select:[^,}]*\$\{")
logger: logging.Logger = logging.getLogger("picasso.module")


def resolve(merged: Merged) -> tuple[dict[str, Any], list[Problem]]:
    """Return the tree with every interpolation resolved once, and what could not be.

    A value that cannot be resolved becomes None and is a problem. ``merged.origins`` learns which environment variables
    went into a value.
    """
    register_resolvers()
    tree = merged.tree
    asked = [(path, value) for path, value in leaves(tree) if _is_asked(value)]
    if not asked:
        return tree, []
    texts = [text for _path, text in asked]
    config = OmegaConf.create(
        tree if _names_are_computed(texts) else _mentioned(tree, set(_WORD.findall(" ".join(texts))))
    )
    problems = []
    for path, text in asked:
        origin = merged.origin(path)
        variables = tuple(name for name in dict.fromkeys(_VARIABLE.findall(text)) if name in os.environ)
        merged.origins[path] = replace(origin, variables=variables)
        value: Any = None
        try:
            value = _plain(_select(config, path))
        except (OmegaConfBaseException, ValueError, TypeError) as error:
            file = "defaults.yml" if origin.file is None else origin.file
            problems.append(Problem(f"{text}: {_words(error)}", path, file, origin.line))
        _put(tree, path, value)
    return tree, problems


def _names_are_computed(texts: list[str]) -> bool:
    """Whether a key is put together of other interpolations, so that no name can be read off the text."""
    return any(_NESTED.search(text) for text in texts)


def _mentioned(value: Any, words: set[str]) -> Any:
    """Return the tree without the plain keys that no interpolation names; lists keep their length."""
    if isinstance(value, dict):
        kept = {}
        for key, entry in value.items():
            if key in words:
                kept[key] = entry
            elif isinstance(entry, dict | list) or _is_asked(entry):
                kept[key] = _mentioned(entry, words)
        return kept
    return [_mentioned(entry, words) for entry in value] if isinstance(value, list) else value


def _is_asked(value: Any) -> bool:
    return isinstance(value, str) and "${" in value


def register_resolvers() -> None:
    """Teach OmegaConf ``json`` and ``calc``; ``oc.env``, ``oc.decode`` and ``oc.select`` it knows."""
    register = getattr(OmegaConf, "register_resolver", None) or OmegaConf.register_new_resolver
    register("json", _json, replace=True)
    register("calc", _calc, replace=True)


def _json(text: Any) -> Any:
    """Read JSON text as a tree; null stays null."""
    if text is None:
        return None
    if not isinstance(text, str):
        logger.warning("json: expected text, got %r, which counts as null", text)
        return None
    return json.loads(text)


def _calc(expression: str, *arguments: Any) -> Any:
    """Do arithmetic over the further arguments, ``arg_0`` and so on: ``${calc:"arg_0 * 2", 640}``."""
    from simpleeval import simple_eval

    return simple_eval(expression, names={f"arg_{index}": value for index, value in enumerate(arguments)})


def _select(config: Any, path: Path) -> Any:
    for part in path[:-1]:
        config = config._get_node(part)
    return config[path[-1]]


def _plain(value: Any) -> Any:
    if isinstance(value, DictConfig | ListConfig):
        return OmegaConf.to_container(value, resolve=True)
    return value


def _put(tree: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = value


def _words(error: Exception) -> str:
    """Return the first line of an error, which OmegaConf follows by its own bookkeeping."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    missing = re.search(r"Environment variable '([^']+)' not found", first)
    if missing:
        return f"the environment variable {missing[1]} is not set, and there is no default"
    return first.removeprefix("InterpolationResolutionError raised while resolving interpolation: ")
