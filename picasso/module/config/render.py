"""A resolved configuration as text: each value with where it came from, secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from picasso.module.config.model import ModuleConfig
from picasso.module.config.problem import Path

MASK: Final = "********"
_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)?|secret|token|auth|credential|api_?key|access_?key|^key$", re.IGNORECASE
)
_USER_INFO: Final = re.compile(r"(?<=://)[^/?#\s@]+@")


def render(config: ModuleConfig) -> str:
    """Return the configuration as YAML, with the origin of each value as a comment."""
    rows = list(_rows(config, config.tree, (), 0))
    width = min(max((len(text) for text, _origin in rows), default=0), 72)
    return "".join(f"{text:<{width}}  # {origin}\n" if origin else f"{text}\n" for text, origin in rows)


def masked(value: Any, path: Path) -> Any:
    """Return a value as it may be shown: secrets by their name, and passwords in addresses, are masked."""
    names = [part for part in path if isinstance(part, str)]
    if value not in (None, "") and not isinstance(value, dict | list) and any(map(_SECRET.search, names)):
        return MASK
    return _USER_INFO.sub(f"{MASK}@", value) if isinstance(value, str) else value


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
                yield f"{lead} {_scalar(masked(entry, here))}", str(config.origin(here))
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            here = (*path, index)
            if isinstance(entry, dict) and entry:
                yield from _rows(config, entry, here, depth, "- ")
            else:
                yield f"{pad}- {_scalar(masked(entry, here))}", str(config.origin(here))


def _scalar(value: Any) -> str:
    """Write a value so that YAML reads it back."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_/][\w./-]*", value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
