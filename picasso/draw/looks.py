"""What each kind of object looks like and is called, as tables that one native call makes a display list of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from picasso.draw.shaping import NEEDS_SHAPING
from picasso_kernels.paint import compose_frame, display_list, glyph_layout, label_text

if TYPE_CHECKING:
    from picasso.draw.label import Template
    from picasso.draw.styles import StyleTable

Ints = npt.NDArray[np.int32]
Kind = tuple[str, str]
"""Namespace and label."""

NOT_DRAWN: Final = -1
_UNKNOWN: Final = -2
"""A kind whose label is not of letters that stand for themselves."""
_MOST_KINDS: Final = 4096
_MOST_LETTERS: Final = 1 << 20
_LONGEST: Final = 1024
_MARK: Final = chr(glyph_layout.MARK)
_TOKENS: Final = {
    "namespace": (label_text.NAMESPACE, 0),
    "label": (label_text.LABEL, 0),
    "draw_label": (label_text.LABEL, 0),
    "id": (label_text.IDENTITY, 0),
    "track_id": (label_text.TRACK, 0),
    "confidence": (label_text.CONFIDENCE, 0),
    **{
        f"{box}_{side}": (kind, column)
        for box, kind in (("det", label_text.BOX), ("track", label_text.TRACK_BOX))
        for column, side in enumerate(("xc", "yc", "width", "height", "angle"))
    },
}
"""The token of each placeholder; of the parent's id, which few objects have, there is none."""
SPARSE: Final = frozenset({"draw_label", "parent_id"})
"""Placeholders of values that few objects have: where one has, it is no case for these tables."""


class LookTable:
    """Numbers the kinds of objects of a stream, each when it is seen for the second time.

    Those that are seen once, as where each label is another text, are left to slower ways. Not for several threads.
    """

    __slots__ = (
        "_defaults",
        "_last",
        "_letters",
        "_looks",
        "_numbers",
        "_once",
        "_static",
        "_styles",
        "_texts",
        "_tokens",
        "is_known",
        "look_of",
        "looks",
        "names_sparse",
        "revision",
        "text_ends",
        "texts",
        "tokens",
    )

    look_of: Ints
    """For each object of the frame that ``find`` was asked for last its number in ``looks``; -1 if it is not drawn."""
    looks: Ints
    """``LOOK_SIZE`` numbers a kind."""
    tokens: Ints
    """``TOKEN_SIZE`` numbers a token, those of a style behind each other."""
    texts: npt.NDArray[np.uint32]
    """Code points."""
    text_ends: Ints
    """Where each text ends, after a 0."""
    revision: int
    """Another number whenever one of the tables is another, or longer."""
    names_sparse: bool
    """Whether a label has values that few objects have."""

    def __init__(self, styles: StyleTable, static: Mapping[Kind, int], defaults: Mapping[str, int]) -> None:
        """Begin with no kinds; ``static`` and ``defaults`` are numbers of ``styles``, by kind and by namespace."""
        self._styles, self._static, self._defaults = styles, static, defaults
        self.look_of = np.empty(32, np.int32)
        self.revision = 0
        self._clear()

    def _clear(self) -> None:
        self._numbers: dict[Kind, int] = {}
        self._once: set[Kind] = set()
        self._texts: dict[str, int] = {}
        self._letters: list[int] = []
        self._looks: list[int] = []
        self._tokens: dict[int, tuple[int, int]] = {}
        self._last: tuple[list[str], list[str]] = ([], [])
        self.is_known = True
        self.looks, self.tokens = np.zeros(1, np.int32), np.zeros(1, np.int32)
        self.texts, self.text_ends = np.zeros(1, np.uint32), np.zeros(1, np.int32)
        self.names_sparse = False

    def find(self, namespaces: list[str], labels: list[str]) -> bool:
        """Write ``look_of`` for the objects of a frame; False where the tables do not hold what they look like."""
        last = self._last
        if namespaces == last[0] and labels == last[1]:
            return self.is_known
        kinds = list(zip(namespaces, labels, strict=True))
        found = list(map(self._numbers.get, kinds))
        if None in found:
            self._learn(kinds)
            found = list(map(self._numbers.get, kinds))
        if None in found:
            self._last = [], []  # another look at the same objects finds more
            return False
        self._last = namespaces.copy(), labels.copy()
        self.is_known = _UNKNOWN not in found
        if self.is_known:
            if len(found) > len(self.look_of):
                self.look_of = np.empty(2 * len(found), np.int32)
                self.revision += 1
            self.look_of[: len(found)] = np.array(found, np.int32)
        return self.is_known

    def _learn(self, kinds: Sequence[Kind]) -> None:
        """Number the kinds that are seen for the second time."""
        if len(self._numbers) > _MOST_KINDS or len(self._letters) > _MOST_LETTERS:
            self._clear()
        new = {kind for kind in kinds if kind not in self._numbers}
        known = new & self._once if self._numbers else new
        if len(self._once) > _MOST_KINDS:
            self._once.clear()
        self._once |= new
        self._once -= known
        for kind in sorted(known):
            self._numbers[kind] = self._number(kind)
        if known:
            self.revision += 1
            self.looks = np.array([*self._looks, 0], np.int32)
            self.texts = np.array([*self._letters, 0], np.uint32)

    def _number(self, kind: Kind) -> int:
        """Return the number of a kind, which is new."""
        style = self._static.get(kind, self._defaults.get(kind[0]))
        if style is None:
            return NOT_DRAWN
        texts = [self._text(text) for text in kind]
        if None in texts or not self._spell(style):
            return _UNKNOWN
        self._looks += [style, *(text or 0 for text in texts)]
        return len(self._looks) // compose_frame.LOOK_SIZE - 1

    def _text(self, text: str) -> int | None:
        """Return the number of a text; None where its letters do not stand for themselves."""
        number = self._texts.get(text)
        if number is None:
            if NEEDS_SHAPING.search(text) or _MARK in text or len(text) > _LONGEST:
                return None
            number = self._texts[text] = len(self.text_ends) - 1
            self._letters += map(ord, text)
            self.text_ends = np.append(self.text_ends, np.int32(len(self._letters)))
        return number

    def _spell(self, style: int) -> bool:
        """Write how the label of a style is written, if that is not done; False where it cannot be."""
        row = self._styles.rows.reshape(-1, display_list.STYLE_SIZE)[style]
        if style not in self._tokens:
            made = self._tokens_of(self._styles.looks[style].templates)
            if made is None:
                return False
            first = sum(end - start for start, end in self._tokens.values())
            self._tokens[style] = first, first + len(made)
            flat = [number for token in made for number in token]
            self.tokens = np.concatenate([self.tokens[: first * label_text.TOKEN_SIZE], np.array([*flat, 0], np.int32)])
        row[display_list.STYLE_TOKENS], row[display_list.STYLE_TOKENS_END] = self._tokens[style]
        return True

    def _tokens_of(self, templates: Sequence[Template]) -> list[tuple[int, int]] | None:
        """Return the tokens of a label's lines; None where a text between its values needs shaping."""
        tokens: list[tuple[int, int]] = []
        for line in templates:
            self.names_sparse = self.names_sparse or not SPARSE.isdisjoint(line.fields)
            for literal, field in zip(line.literals, (*line.fields, None), strict=True):
                if literal:
                    number = self._text(literal)
                    if number is None:
                        return None
                    tokens.append((label_text.TEXT, number))
                if field in _TOKENS:
                    tokens.append(_TOKENS[field])
            tokens.append((label_text.LINE_END, 0))
        return tokens
