"""The language of label lines: text with ``{name}`` placeholders.

White space inside the braces is trimmed, ``{{`` and ``}}`` are literal braces, and there are no format specifiers.
An unknown name, an unclosed brace and a stray ``}`` are errors; ``parse_lines`` answers them with the raw text, so that
a typing mistake in a template costs the values of one label, never a frame.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from picasso.errors import TemplateError

_log = logging.getLogger(__name__)

CONVERSIONS = {
    "namespace": "%s",
    "label": "%s",
    "draw_label": "%s",
    "id": "%d",
    "parent_id": "%d",
    "track_id": "%d",
    "confidence": "%.2f",
    "det_xc": "%.1f",
    "det_yc": "%.1f",
    "det_width": "%.1f",
    "det_height": "%.1f",
    "det_angle": "%.1f",
    "track_xc": "%.1f",
    "track_yc": "%.1f",
    "track_width": "%.1f",
    "track_height": "%.1f",
    "track_angle": "%.1f",
}
"""Every placeholder there is, and how its value is written. Boxes are in output pixels."""
FIELDS = tuple(CONVERSIONS)
"""Their names. Numbers that are absent give empty text."""

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|(?P<text>[^{}]+)|[{}]")
_BRACES = {"{{": "{", "}}": "}"}


class Columns(Protocol):
    """The texts of each placeholder, for all objects of a frame."""

    def __getitem__(self, name: str, /) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Template:
    """One parsed line."""

    pattern: str
    """The line as a ``%`` format with one ``%s`` for each of ``fields``."""
    fields: tuple[str, ...]
    direct: str
    """The same with what the fields' own values need: ``%d`` for integers, ``%.2f`` or ``%.1f`` for other numbers."""
    literals: tuple[str, ...]
    """What stands before each of ``fields``, and behind the last."""

    @classmethod
    def parse(cls, line: str) -> Template:
        """Parse one line.

        Raises:
            TemplateError: The line has an unknown name, an unclosed brace or a stray ``}``; the message says which.
        """
        pattern, direct, fields, literals = [], [], [], [""]
        for token in _TOKEN.finditer(line):
            if (text := token["text"] or _BRACES.get(token[0])) is not None:
                pattern.append(text.replace("%", "%%"))
                direct.append(pattern[-1])
                literals[-1] += text
                continue
            fields.append(_field(line, token))
            literals.append("")
            pattern.append("%s")
            direct.append(CONVERSIONS[fields[-1]])
        return cls("".join(pattern), tuple(fields), "".join(direct), tuple(literals))

    @classmethod
    def verbatim(cls, line: str) -> Template:
        """Return the template that writes ``line`` unchanged."""
        pattern = line.replace("%", "%%")
        return cls(pattern, (), pattern, (line,))

    def render(self, columns: Columns, rows: Sequence[int]) -> list[str]:
        """Return the line of each of the objects ``rows``, whose values ``columns`` gives."""
        if not self.fields:
            return [self.pattern % ()] * len(rows)
        texts: list[Sequence[str]] = list(map(columns.__getitem__, self.fields))
        if rows != range(len(texts[0])):
            texts = [[column[row] for row in rows] for column in texts]
        return list(texts[0]) if self.pattern == "%s" else list(map(self.pattern.__mod__, zip(*texts, strict=True)))


def _field(line: str, token: re.Match[str]) -> str:
    """Return the placeholder's name, or say what is wrong with it."""
    name = token["name"]
    if name is None:
        fault = "unclosed '{'" if token[0] == "{" else "stray '}'"
        raise TemplateError(f"label template {line!r}: {fault} at {token.start()}")
    if (name := name.strip()) not in FIELDS:
        raise TemplateError(f"label template {line!r}: unknown name {name!r}; one of {', '.join(FIELDS)}")
    return name


@lru_cache(maxsize=1024)
def parse_lines(lines: tuple[str, ...]) -> tuple[Template, ...]:
    """Parse the lines of a label, never failing.

    No lines at all write the object's label. With an error in any line, all lines are written as they stand, and the
    log tells why, once for each text.
    """
    try:
        return tuple(Template.parse(line) for line in lines or ("{label}",))
    except TemplateError as error:
        _log.warning("drawn as raw text: %s", error)
        return tuple(Template.verbatim(line) for line in lines)


def whole_texts(numbers: Iterable[int | None]) -> list[str]:
    """Write integers; ``None`` gives empty text."""
    return ["" if number is None else str(number) for number in numbers]


def decimal_texts(numbers: Iterable[float | None], conversion: str) -> list[str]:
    """Write numbers by a ``%`` conversion; ``None`` and NaN give empty text."""
    given = list(numbers)
    if None in given:
        given = [math.nan if number is None else number for number in given]
    texts = list(map(conversion.__mod__, given))
    return [text if text != "nan" else "" for text in texts] if "nan" in texts else texts
