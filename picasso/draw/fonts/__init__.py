"""Which fonts letters come from: the one that ships with the package, those that the user adds, installed ones.

A letter is looked for in this order:

1. the font of the family that a source asks for (``font_family``; the default is the shipped font, DejaVu Sans),
2. DejaVu Sans, which ships with the package: Latin, Greek, Cyrillic, Arabic, Hebrew, and many signs,
3. the fonts that ``add`` named, and those of the environment variable ``PICASSO_FONTS`` (paths, separated by ``:``),
4. Lohit Devanagari, which ships with the package, too,
5. fonts that are installed on the machine, unless ``PICASSO_INSTALLED_FONTS`` is ``0``.

So what the shipped fonts have looks the same on every machine. A letter that no font has shows the box of a missing
letter. Nothing here needs a library of the system: HarfBuzz comes in the wheel of ``uharfbuzz``.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from picasso.draw.fonts import installed
from picasso.draw.fonts.face import Face
from picasso.errors import SpecError
from picasso_kernels.cache.once import SayOnce

say_once = SayOnce(logging.getLogger(__name__))
"""Warns of fonts; painters are made by many threads."""

SHIPPED = Path(__file__).with_name("DejaVuSans.ttf")
SHIPPED_DEVANAGARI = SHIPPED.with_name("Lohit-Devanagari.ttf")
SHIPPED_FAMILIES = ("sans-serif", "dejavu sans")
"""Families, in small letters, that are always the shipped font, so that labels look the same on every machine."""

_added: list[Face] = []
_lock = threading.Lock()


def add(path: str | os.PathLike[str], index: int = 0) -> str:
    """Let labels take letters that the shipped font lacks from the font file ``path``, and know its family by name.

    Painters that draw already go on with the fonts they have: add fonts before the engine starts.

    Args:
        path: A TrueType or OpenType file; it is read now.
        index: Which font of a collection (``.ttc``).

    Returns:
        The font's family, which ``font_family`` takes.

    Raises:
        SpecError: The file cannot be read, or holds no such font.
    """
    try:
        face = Face.read(path, index)
    except (OSError, ValueError) as error:
        raise SpecError(f"{os.fspath(path)}: not a font that can be read ({error})") from error
    with _lock:
        _added[:] = [known for known in _added if (known.path, known.index) != (face.path, face.index)] + [face]
        face_of.cache_clear()
    return face.family


def added() -> list[Path]:
    """Return the files of the fonts that were added, in their order."""
    return [Path(face.path) for face in _all_added()]


class FaceChain:
    """The fonts of one family and those behind it, each with a number that stays. Not for several threads at once."""

    __slots__ = ("_faces", "_installed", "_named", "_numbers")

    def __init__(self, family: str) -> None:
        shipped = shipped_face(), shipped_face(SHIPPED_DEVANAGARI)
        self._faces = list(dict.fromkeys([face_of(family), shipped[0], *_all_added(), shipped[1]]))
        self._named = len(self._faces)
        self._installed = installed.fallbacks() if _uses_installed() else iter(())
        self._numbers: dict[tuple[int, ...], int] = {}

    def __getitem__(self, number: int) -> Face:
        """Return the font with this number."""
        return self._faces[number]

    def find(self, codes: Sequence[int], *, color: bool = False) -> int:
        """Return the number of the first font with a glyph for every one of ``codes``; of the first of all, if none.

        With ``color``, fonts of colour glyphs come first, among those that are shipped or added and then among those
        that are installed.
        """
        key = (int(color), *codes)
        number = self._numbers.get(key)
        if number is None:
            if len(self._numbers) >= _MOST_FOUND:
                self._numbers.clear()
            number = self._numbers[key] = self._find(codes, color)
        return number

    def _find(self, codes: Sequence[int], color: bool) -> int:
        for numbers in (range(self._named), self._installed_numbers()):
            found = None
            for number in numbers:
                face = self._faces[number]
                if face.has(codes):
                    if face.is_color or not color:
                        return number
                    found = number if found is None else found
            if found is not None:
                return found
        return self.find(codes[:1], color=color) if len(codes) > 1 else 0

    def _installed_numbers(self) -> Iterator[int]:
        """Go through the fonts that are installed, opening them as they are needed."""
        number = self._named
        while number < len(self._faces) or self._open_installed():
            yield number
            number += 1

    def _open_installed(self) -> bool:
        face = next(self._installed, None)
        if face is not None:
            self._faces.append(face)
        return face is not None


_MOST_FOUND = 1 << 16
"""Answers kept by a chain."""


@functools.lru_cache(maxsize=2)
def shipped_face(path: Path = SHIPPED) -> Face:
    """Return a font that ships with the package."""
    return Face.read(path)


@functools.lru_cache(maxsize=64)
def face_of(family: str) -> Face:
    """Return the font of ``family``; of one that no one added or installed, the shipped font, and a warning."""
    name = family.lower()
    if name in SHIPPED_FAMILIES:
        return shipped_face()
    for face in _all_added():
        if face.family.lower() == name:
            return face
    found = installed.of_family(name) if _uses_installed() else None
    if found is None:
        say_once(f"font family {family!r} is not installed; labels are drawn in DejaVu Sans")
    return found or shipped_face()


def _all_added() -> list[Face]:
    return [*_added, *_of_environment(os.environ.get("PICASSO_FONTS", ""))]


@functools.lru_cache(maxsize=8)
def _of_environment(paths: str) -> tuple[Face, ...]:
    faces = []
    for path in filter(None, paths.split(os.pathsep)):
        try:
            faces.append(Face.read(path))
        except (OSError, ValueError) as error:
            say_once(f"PICASSO_FONTS: {path} is not a font that can be read ({error})")
    return tuple(faces)


def _uses_installed() -> bool:
    return os.environ.get("PICASSO_INSTALLED_FONTS", "1") != "0"
