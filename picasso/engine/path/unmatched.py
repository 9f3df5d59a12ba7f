"""Entries of a drawing spec that match no object: misspelt, most likely, and no one sees what is not drawn."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from picasso.draw import ObjectDrawSpec
    from picasso.primitives import VideoFrame

Key = tuple[str, str]
"""Namespace and label."""

LOOK_FRAMES = 300
"""Frames with objects after which an entry that matched none of them is taken for a mistake."""
CATALOGUE = 8
"""Entries to spare, more than these, where everything is drawn that there is: a list of all classes, no mistake."""
MOST_NAMES = 8
"""Names in a sentence."""
MOST_KEPT = 256
"""Names kept; labels may be as many as there are objects."""


@final
class Unmatched:
    """Compares a drawing spec with the objects of the first frames that are drawn on."""

    __slots__ = ("_entries", "_frames", "_missing", "_said", "_seen")

    def __init__(self, draw: ObjectDrawSpec, said: set[Key]) -> None:
        """Begin.

        Args:
            draw: The spec.
            said: Entries of which it was said already; grows.
        """
        self._entries = frozenset(key for key, _ in draw.items())
        self._missing = set(self._entries) - said
        self._seen: set[Key] = set()
        self._frames = 0
        self._said = said

    def look(self, frame: VideoFrame) -> bool:
        """Look at a frame that is drawn on, and return whether another look is of use."""
        if frame.object_count:
            keys = set(zip(frame.object_column("namespace"), frame.object_column("label"), strict=True))
            self._frames += 1
            self._missing -= keys
            if len(self._seen) < MOST_KEPT:
                self._seen |= keys
        return bool(self._missing) and self._frames < LOOK_FRAMES

    def sentence(self) -> str | None:
        """Say which entries matched nothing, each once; None if there is nothing to say."""
        missing, others = self._missing, self._seen - self._entries
        if not self._frames or not missing or (len(missing) > CATALOGUE and not others):
            return None
        self._said |= missing
        self._missing = set()
        frames = "the frame" if self._frames == 1 else f"{self._frames} frames"
        return (
            f"the drawing spec matches no object for {_names(missing)}: of {frames} with objects, "
            f"the objects are {_names(self._seen)}"
        )


def _names(keys: Iterable[Key]) -> str:
    """Return names in order, with an end."""
    ordered = sorted(keys)
    names = ", ".join(repr(f"{namespace}/{label}") for namespace, label in islice(ordered, MOST_NAMES))
    more = len(ordered) - MOST_NAMES
    return f"{names} and {more} more" if more > 0 else names
