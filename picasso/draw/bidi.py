"""The bidirectional algorithm of Unicode (UAX #9): at which level each character of a line stands.

Even levels are read from left to right, odd ones from right to left. Characters are shaped in the order in which they
are read, so the levels are needed, not the reordered text that libraries give.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_MAX_DEPTH: Final = 125
_MAX_BRACKETS: Final = 63
_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}
"""Classes that take part when neutrals are resolved, and the direction that they stand for."""
_EMBEDDINGS = {"RLE": (1, None), "LRE": (0, None), "RLO": (1, "R"), "LRO": (0, "L")}
"""Parity of the level that they open, and the class that they force on characters."""
_ISOLATES = ("LRI", "RLI", "FSI")
_REMOVED = frozenset({"RLE", "LRE", "RLO", "LRO", "PDF", "BN"})
_NEUTRAL = frozenset({"B", "S", "WS", "ON", "LRI", "RLI", "FSI", "PDI"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})
_FAR_PARTNERS = {0x5B: 0x5D, 0x7B: 0x7D, 0xFF3B: 0xFF3D, 0xFF5B: 0xFF5D, 0x298D: 0x2990, 0x298F: 0x298E}
"""Brackets whose partner is not the next code point."""
_SAME_BRACKET = {0x2329: 0x3008, 0x232A: 0x3009}


def resolve(text: str) -> tuple[int, list[int]]:
    """Return the level of a line, 0 or 1, and the level of each of its characters.

    Its first letter with a direction decides the line's level. There must be no line break in ``text``.
    """
    classes = [unicodedata.bidirectional(letter) or "L" for letter in text]
    if _RIGHT_TO_LEFT.isdisjoint(classes):
        return 0, [0] * len(text)
    partners = _isolate_partners(classes)
    base = _first_strong(classes, partners, 0, len(classes))
    levels, types = _explicit(classes, partners, base)
    sides = _levels_beside(classes, levels, base)
    for run in _run_sequences(classes, levels, partners):
        before, after = sides[run[0]][0], base if classes[run[-1]] in _ISOLATES else sides[run[-1]][1]
        _resolve_sequence(text, classes, types, levels, run, (before, after))
    _finish(classes, levels, base)
    return base, levels


def visual_order(levels: Sequence[int]) -> list[int]:
    """Return the order, from left to right, in which runs of these levels stand."""
    order = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = end + 1
    return order


def _isolate_partners(classes: Sequence[str]) -> dict[int, int]:
    """Return for each isolate's start where it ends, and for each end where it starts."""
    partners, starts = {}, []
    for place, kind in enumerate(classes):
        if kind in _ISOLATES:
            starts.append(place)
        elif kind == "PDI" and starts:
            partners[place] = starts.pop()
            partners[partners[place]] = place
    return partners


def _first_strong(classes: Sequence[str], partners: dict[int, int], start: int, end: int) -> int:
    """Return 1 where the first letter with a direction is read from right to left, else 0; isolates are passed over."""
    place = start
    while place < end:
        kind = classes[place]
        if kind in ("L", "R", "AL"):
            return int(kind != "L")
        place = partners.get(place, end) if kind in _ISOLATES else place + 1
    return 0


class _Levels:
    """The embeddings, overrides and isolates that are open at a place, and those that were too deep to open."""

    __slots__ = ("_lost_embeddings", "_lost_isolates", "_open")

    def __init__(self, base: int) -> None:
        self._open: list[tuple[int, str | None, bool]] = [(base, None, False)]
        self._lost_embeddings = self._lost_isolates = 0

    @property
    def level(self) -> int:
        """The level that characters have here."""
        return self._open[-1][0]

    @property
    def override(self) -> str | None:
        """The class that is forced on characters here."""
        return self._open[-1][1]

    def begin(self, parity: int, override: str | None, *, isolates: bool) -> None:
        """Open the next level of a parity."""
        above = self.level + 1 + (self.level + 1 + parity) % 2
        if above <= _MAX_DEPTH and not self._lost_isolates and not self._lost_embeddings:
            self._open.append((above, override, isolates))
        elif isolates:
            self._lost_isolates += 1
        elif not self._lost_isolates:
            self._lost_embeddings += 1

    def end_isolate(self) -> None:
        """Close an isolate that was begun, and the embeddings in it."""
        if self._lost_isolates:
            self._lost_isolates -= 1
            return
        self._lost_embeddings = 0
        while not self._open[-1][2]:
            self._open.pop()
        self._open.pop()

    def end_embedding(self) -> None:
        """Close an embedding or override, if one is open within the isolate."""
        if self._lost_isolates:
            return
        if self._lost_embeddings:
            self._lost_embeddings -= 1
        elif not self._open[-1][2] and len(self._open) > 1:
            self._open.pop()


def _explicit(classes: Sequence[str], partners: dict[int, int], base: int) -> tuple[list[int], list[str]]:
    """Apply embeddings, overrides and isolates (rules X1 to X8); return levels and classes."""
    levels, types, here = [], list(classes), _Levels(base)
    for place, kind in enumerate(classes):
        if kind == "PDI" and place in partners:
            here.end_isolate()
        elif kind == "PDF":
            here.end_embedding()
        levels.append(here.level)
        if here.override and kind not in _REMOVED:
            types[place] = here.override
        if kind in _EMBEDDINGS:
            here.begin(*_EMBEDDINGS[kind], isolates=False)
        elif kind in _ISOLATES:
            here.begin(_parity(classes, partners, place), None, isolates=True)
    return levels, types


def _parity(classes: Sequence[str], partners: dict[int, int], place: int) -> int:
    """Return the direction of an isolate, 0 or 1."""
    if classes[place] == "FSI":
        return _first_strong(classes, partners, place + 1, partners.get(place, len(classes)))
    return int(classes[place] == "RLI")


def _run_sequences(classes: Sequence[str], levels: Sequence[int], partners: dict[int, int]) -> list[list[int]]:
    """Return the places of each isolating run sequence: runs of one level, joined over the isolates between them."""
    runs: list[list[int]] = []
    for place, kind in enumerate(classes):
        if kind in _REMOVED:
            continue
        if not runs or levels[runs[-1][-1]] != levels[place]:
            runs.append([])
        runs[-1].append(place)
    by_start = {run[0]: run for run in runs}
    sequences = []
    for run in runs:
        if classes[run[0]] == "PDI" and run[0] in partners:
            continue
        whole = list(run)
        while classes[whole[-1]] in _ISOLATES and (more := by_start.get(partners.get(whole[-1], -1))):
            whole += more
        sequences.append(whole)
    return sequences


def _levels_beside(classes: Sequence[str], levels: Sequence[int], base: int) -> dict[int, tuple[int, int]]:
    """Return for each place the levels before and behind it."""
    kept = [place for place, kind in enumerate(classes) if kind not in _REMOVED]
    around = [base, *(levels[place] for place in kept), base]
    return {place: (around[number], around[number + 2]) for number, place in enumerate(kept)}


def _resolve_sequence(
    text: str, classes: Sequence[str], types: list[str], levels: list[int], run: list[int], sides: tuple[int, int]
) -> None:
    """Resolve the classes of a sequence, between the levels ``sides``, and raise its levels (rules W, N and I)."""
    level = levels[run[0]]
    start, end = (_direction(max(level, side)) for side in sides)
    own = [types[place] for place in run]
    _resolve_weak(own, start)
    _resolve_brackets(text, classes, own, run, _direction(level), start)
    _resolve_neutral(own, _direction(level), start, end)
    for place, kind in zip(run, own, strict=True):
        if level % 2:
            levels[place] += kind != "R"
        else:
            levels[place] += {"L": 0, "R": 1}.get(kind, 2)


def _direction(level: int) -> str:
    return "R" if level % 2 else "L"


def _resolve_weak(own: list[str], start: str) -> None:
    """Resolve marks, numbers and what stands between them (rules W1 to W7)."""
    before, strong = start, start
    for place, kind in enumerate(own):
        if kind == "NSM":
            own[place] = "ON" if before in (*_ISOLATES, "PDI") else before
        before = own[place]
    for place, kind in enumerate(own):
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            own[place] = "AN"
    own[:] = ["R" if kind == "AL" else kind for kind in own]
    for place in range(1, len(own) - 1):
        left, right = own[place - 1], own[place + 1]
        if left == right and (own[place], left) in (("ES", "EN"), ("CS", "EN"), ("CS", "AN")):
            own[place] = left
    _join_terminators(own)
    strong = start
    for place, kind in enumerate(own):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            own[place] = "L"
        elif kind in ("ES", "ET", "CS"):
            own[place] = "ON"


def _join_terminators(own: list[str]) -> None:
    """Let signs such as % and $ that touch a number belong to it (rule W5)."""
    place = 0
    while place < len(own):
        end = place
        while end < len(own) and own[end] == "ET":
            end += 1
        if end > place and "EN" in own[max(place - 1, 0) : place] + own[end : end + 1]:
            own[place:end] = ["EN"] * (end - place)
        place = max(end, place + 1)


def _resolve_brackets(
    text: str, classes: Sequence[str], own: list[str], run: Sequence[int], embedding: str, start: str
) -> None:
    """Give both brackets of a pair one direction (rule N0)."""
    for opening, closing in _pairs(text, own, run):
        inside = {_STRONG[kind] for kind in own[opening + 1 : closing] if kind in _STRONG}
        if not inside:
            continue
        direction = embedding
        if embedding not in inside:
            context = next((_STRONG[kind] for kind in reversed(own[:opening]) if kind in _STRONG), start)
            direction = context if context != embedding else embedding
        for bracket in (opening, closing):
            own[bracket] = direction
            for mark in range(bracket + 1, len(own)):
                if classes[run[mark]] != "NSM":
                    break
                own[mark] = direction


def _pairs(text: str, own: Sequence[str], run: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of brackets, in the order of the opening ones."""
    closing_of, pairs = _brackets(), []
    open_ones: list[tuple[int, int]] = []
    for place, kind in enumerate(own):
        code = _SAME_BRACKET.get(ord(text[run[place]]), ord(text[run[place]]))
        if kind != "ON":
            continue
        if code in closing_of:
            if len(open_ones) == _MAX_BRACKETS:
                return []
            open_ones.append((closing_of[code], place))
        else:
            for depth in range(len(open_ones) - 1, -1, -1):
                if open_ones[depth][0] == code:
                    pairs.append((open_ones[depth][1], place))
                    del open_ones[depth:]
                    break
    return sorted(pairs)


@lru_cache(maxsize=1)
def _brackets() -> dict[int, int]:
    """Return the closing bracket of each opening one."""
    opening = [
        code
        for code in range(0xFFFF)
        if unicodedata.category(letter := chr(code)) == "Ps"
        and unicodedata.mirrored(letter)
        and unicodedata.bidirectional(letter) == "ON"
    ]
    return {code: _FAR_PARTNERS.get(code, code + 1) for code in opening}


def _resolve_neutral(own: list[str], embedding: str, start: str, end: str) -> None:
    """Give neutrals the direction that stands on both sides of them, else that of the line (rules N1 and N2)."""
    place = 0
    while place < len(own):
        stop = place
        while stop < len(own) and own[stop] in _NEUTRAL:
            stop += 1
        if stop > place:
            left = _STRONG[own[place - 1]] if place else start
            right = _STRONG[own[stop]] if stop < len(own) else end
            own[place:stop] = [left if left == right else embedding] * (stop - place)
        place = max(stop, place + 1)


def _finish(classes: Sequence[str], levels: list[int], base: int) -> None:
    """Give removed characters a level, and white space before tabs and the end that of the line (rule L1)."""
    for place, kind in enumerate(classes):
        if kind in _REMOVED:
            levels[place] = levels[place - 1] if place else base
    at_end = True
    for place in range(len(classes) - 1, -1, -1):
        kind = classes[place]
        at_end = kind in ("S", "B") or (at_end and kind in _REMOVED | {"WS", "LRI", "RLI", "FSI", "PDI"})
        if at_end:
            levels[place] = base
