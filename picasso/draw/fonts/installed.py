"""Fonts that are installed on the machine: found in the folders where they lie, without a library of the system."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from picasso.draw.fonts.face import Face

_SUFFIXES = (".ttf", ".otf", ".ttc")
_MOST_FILES = 4096
_UNLIKELY = ("bold", "italic", "oblique", "condensed", "light", "thin", "black", "mono")
"""Words in the names of files that are asked last for a letter that no other font has."""
_GENERIC = {
    "serif": ("dejavu serif", "noto serif", "liberation serif", "times new roman"),
    "monospace": ("dejavu sans mono", "noto sans mono", "liberation mono", "courier new"),
}
"""Families that are not a font's own name, and fonts that stand for them."""
_opening = threading.Lock()


def fallbacks() -> Iterator[Face]:
    """Go through the installed fonts, opening one at a time: those that are likely to be upright and regular first."""
    for path in _files():
        face = _opened(path)
        if face is not None:
            yield face


def of_family(name: str) -> Face | None:
    """Return the installed font of a family, given in small letters; the regular one where there are several."""
    wanted = _GENERIC.get(name, (name,))
    found = [face for face in fallbacks() if face.family.lower() in wanted]
    found.sort(key=lambda face: (wanted.index(face.family.lower()), not face.is_regular))  # keeps the order of paths
    return found[0] if found else None


def _folders() -> list[Path]:
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    folders = [Path(folder, "fonts") for folder in shared.split(":") if folder]
    home = os.environ.get("HOME")
    if home:
        folders += [Path(home, ".local/share/fonts"), Path(home, ".fonts")]
    return [*folders, Path("/System/Library/Fonts"), Path("/Library/Fonts")]


@functools.lru_cache(maxsize=1)
def _files() -> tuple[str, ...]:
    paths = [
        os.path.join(folder, name)
        for top in _folders()
        for folder, _, names in os.walk(top)
        for name in names
        if name.lower().endswith(_SUFFIXES)
    ]
    return tuple(sorted(dict.fromkeys(paths), key=_rank)[:_MOST_FILES])


def _rank(path: str) -> tuple[bool, str]:
    name = os.path.basename(path).lower()
    return any(word in name for word in _UNLIKELY), path


def _opened(path: str) -> Face | None:
    with _opening:
        return _open(path)


@functools.lru_cache(maxsize=_MOST_FILES)
def _open(path: str) -> Face | None:
    try:
        return Face.map(path)
    except (OSError, ValueError):
        return None
