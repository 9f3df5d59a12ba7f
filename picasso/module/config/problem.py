"""What is wrong with a configuration: every problem with its place, and the error that holds them all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from picasso.errors import PicassoError

Path = tuple[str | int, ...]
"""Keys and list indices from the root to a value."""


def dotted(path: Path) -> str:
    """Return a path as users write it: ``pipeline.elements[0].kwargs.x``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that a misspelt word most likely means, if there is one."""
    found = difflib.get_close_matches(word, list(choices), 1, 0.75)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    text: str
    """What, with the value and the choices."""
    path: Path = ()
    file: str = ""
    line: int | None = None
    """From 1; None where the value does not stand in the file."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(filter(None, (place, dotted(self.path), self.text)))


class ConfigError(PicassoError, ValueError):
    """A module's configuration is wrong; ``problems`` holds everything that is, in the order of the file.

    ``warnings`` holds keys that are probably written wrong, and are taken for parameters of the user.
    """

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.warnings: tuple[Problem, ...] = tuple(warnings)
        super().__init__("\n".join(map(str, self.problems)))
