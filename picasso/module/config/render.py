"""A resolved configuration as text: each value with where it came from, secrets masked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from picasso.module.config.model import ModuleConfig
from picasso.module.config.problem import Path
from picasso.module.config.secrets import masked


def render(config: ModuleConfig) -> str:
    """Return the configuration as YAML, with the origin of each value as a comment."""
    rows = list(_rows(config, config.tree, (), 0))
    width = min(max((len(text) for text, _origin in rows), default=0), 72)
    return "".join(f"{text:<{width}}  # {origin}\n" if origin else f"{text}\n" for text, origin in rows)


def _rows(config: ModuleConfig, value: Any, path: Path, depth: int, dash: str = "") -> Iterator[tuple[str, str]]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        for index, (key, entry) in enumerate(value.items()):
            lead = f"{pad}{dash if index == 0 else ' ' * len(dash)}{_scalar(key)}:"
            here = (*path, key)
            if isinstance(entry, dict | list) and entry:
                yield lead, ""
                yield from _rows(config, entry, here, depth + 1 + len(dash) // 2)
            else:
                yield f"{lead} {_shown(config, entry, here)}", str(config.origin(here))
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            here = (*path, index)
            if isinstance(entry, dict) and entry:
                yield from _rows(config, entry, here, depth, "- ")
            else:
                yield f"{pad}- {_shown(config, entry, here)}", str(config.origin(here))


def _shown(config: ModuleConfig, value: Any, path: Path) -> str:
    return _scalar(masked(value, path, config.origin(path).variables))


def _scalar(value: Any) -> str:
    """Write a value so that YAML reads it back."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_/][\w./-]*", value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
