"""From a line of text to glyphs: directions, scripts, fonts, then HarfBuzz for each run of one of each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from picasso.draw import bidi
from picasso.draw.fonts import FaceChain
from picasso.draw.fonts.face import GlyphPlace, harfbuzz

MOST_LETTERS: Final = 1024
"""Of a line that is shaped, what comes behind these is left out."""
MOST_LINES: Final = 64
"""Of one label."""
TAB_SPACES: Final = 8
"""Tabs go on to the next multiple of this many spaces."""

_PLAIN: Final = (
    "\\x20-\\x7e\\xa0-\\xac\\xae-\\u02ff\\u0370-\\u0482\\u048a-\\u0590\\u10a0-\\u10ff\\u1e00-\\u200a\\u2010-\\u2027\\u202f-\\u205f"
    "\\u2070-\\u20cf\\u2100-\\u2cee\\u2cf2-\\u2d7e\\u2e00-\\u2fff\\u3001-\\u3029\\u3030-\\u3098\\u309b-\\u4dbf\\u4e00-\\ua48f\\ua700-\\ua7ff"
    "\\uab30-\\uab6f\\uac00-\\ud7a3\\uf900-\\ufb06\\uff01-\\uffef\\ufffd\\U00020000-\\U0003ffff"
)
"""Letters that stand for themselves: one code point is one glyph, next to any other, and is read to the right."""
NEEDS_SHAPING: Final = re.compile(f"[^{_PLAIN}\\0]")
"""Finds what makes a line need shaping; the mark behind lines does not."""

_DROPPED: Final = re.compile("[\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f]")
"""Control characters that are not drawn."""
_SURROGATES: Final = re.compile("[\\ud800-\\udfff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_NO_SCRIPT: Final = "Zyyy"
_EVEN_SCRIPTS: Final = frozenset({_NO_SCRIPT, "Latn", "Grek", "Cyrl", "Armn", "Geor", "Hani", "Hira", "Kana", "Hang"})
_EVENLY: Final = {"kern": False, "liga": False, "clig": False}
"""Features off in these scripts, whose letters stand as they do in lines that need no shaping."""
_JOINER, _TEXT_STYLE, _EMOJI_STYLE = 0x200D, 0xFE0E, 0xFE0F


class Placed(NamedTuple):
    """A glyph of a line, in the order from left to right, with the number of its font in the chain."""

    face: int
    place: GlyphPlace


class _Run(NamedTuple):
    """Letters of one level, font and script."""

    start: int
    end: int
    level: int
    face: int
    script: str


def lines_of(text: str) -> list[str]:
    """Split at line breaks of every kind; an empty text is one empty line."""
    return text.splitlines()[:MOST_LINES] or [""]


def shape_line(text: str, faces: FaceChain) -> list[Placed]:
    """Return the glyphs of a line from left to right. There is no line break in ``text``.

    Control characters are left out, except tabs; half a surrogate pair becomes a replacement character.
    """
    text = _SURROGATES.sub(_REPLACEMENT, _DROPPED.sub("", text[:MOST_LETTERS]))
    if not text:
        return []
    base, levels = bidi.resolve(text)
    codes = list(map(ord, text))
    runs = _runs(codes, levels, faces)
    placed: list[Placed] = []
    for number in bidi.visual_order([run.level for run in runs]):
        placed += _shape_run(codes, runs[number], faces)
    return _with_tabs(placed, faces, from_right=base == 1) if "\t" in text else placed


def _shape_run(codes: Sequence[int], run: _Run, faces: FaceChain) -> list[Placed]:
    if codes[run.start] == _TAB:
        return [Placed(_TAB_FACE, GlyphPlace(0, 0.0, 0.0, 0.0))] * (run.end - run.start)
    features = _EVENLY if run.script in _EVEN_SCRIPTS else {}
    glyphs = faces[run.face].shape(
        codes, run.start, run.end, rtl=run.level % 2 == 1, script=run.script, features=features
    )
    return [Placed(run.face, glyph) for glyph in glyphs]


_TAB = 9
_TAB_FACE = -1


def _with_tabs(placed: Sequence[Placed], faces: FaceChain, *, from_right: bool) -> list[Placed]:
    """Give tabs the width that ends at the next stop, counted from where the line begins."""
    face = faces[0]
    space = face.glyph(ord(" "))
    stop = TAB_SPACES * face.advance(space) or 1.0
    pen, out = 0.0, []
    for one in reversed(placed) if from_right else placed:
        is_tab = one.face == _TAB_FACE
        out.append(Placed(0, GlyphPlace(space, 0.0, 0.0, stop - pen % stop)) if is_tab else one)
        pen += out[-1].place.advance
    return out[::-1] if from_right else out


def _runs(codes: Sequence[int], levels: Sequence[int], faces: FaceChain) -> list[_Run]:
    """Cut a line into runs: of one level, font and script each; tabs are runs of their own."""
    face_of = [
        number for start, end in _clusters(codes) for number in [_face_of(codes[start:end], faces)] * (end - start)
    ]
    keys = [
        (level, face, script, code == _TAB)
        for level, face, script, code in zip(levels, face_of, _scripts(codes), codes, strict=True)
    ]
    runs, start = [], 0
    for (level, face, script, _), group in groupby(keys):
        end = start + sum(1 for _ in group)
        runs.append(_Run(start, end, level, face, script))
        start = end
    return runs


def _face_of(cluster: Sequence[int], faces: FaceChain) -> int:
    """Return the number of the font for a letter with its marks, or for the parts of an emoji."""
    color = _EMOJI_STYLE in cluster or (cluster[0] >= _FIRST_EMOJI and _TEXT_STYLE not in cluster)
    visible = "".join([chr(code) for code in cluster if not _is_ignorable(code)])
    composed = unicodedata.normalize("NFC", visible)  # which is how HarfBuzz looks for it
    return faces.find(tuple(map(ord, composed)), color=color) if visible else 0


_FIRST_EMOJI = 0x1F000
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_TAGS = range(0xE0020, 0xE0080)


def _is_ignorable(code: int) -> bool:
    """Tell whether a font need not have a glyph for a code point: joiners, marks of direction, variants."""
    return 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE0FFF or unicodedata.category(chr(code)) in ("Cf", "Cc")


def _clusters(codes: Sequence[int]) -> list[tuple[int, int]]:
    """Cut a line into letters with their marks; emoji that are joined, skin tones and flags stay together."""
    starts: list[int] = []
    flags = 0
    for place, code in enumerate(codes):
        flags = flags + 1 if code in _FLAG_LETTERS else 0
        extends = place > 0 and (
            unicodedata.category(chr(code))[0] == "M"
            or code in _SKIN_TONES
            or code in _TAGS
            or code == _JOINER
            or (flags and flags % 2 == 0)
            or (codes[place - 1] == _JOINER and code >= 0x2000)
        )
        if not extends:
            starts.append(place)
    return list(zip(starts, [*starts[1:], len(codes)], strict=True))


def _scripts(codes: Sequence[int]) -> list[str]:
    """Return each letter's script; one that all scripts have takes that of the letter before it, or of the first."""
    own = [_script(code) for code in codes]
    before = next((script for script in own if script), _NO_SCRIPT)
    scripts = []
    for script in own:
        before = script or before
        scripts.append(before)
    return scripts


@lru_cache(maxsize=1 << 14)
def _script(code: int) -> str | None:
    """Return the four letters of a code point's script; None for one that all scripts have."""
    buffer = harfbuzz().Buffer()
    buffer.add_codepoints([code])
    buffer.guess_segment_properties()
    script: str | None = buffer.script
    return None if script in (_NO_SCRIPT, "Zinh", "Zzzz") else script
