"""The quick way from a frame to its display list: one native call over the columns of its objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
import numpy.typing as npt

from picasso.draw.lists import DisplayList
from picasso_kernels.cpu.compile import ready
from picasso_kernels.paint import compose_frame as kernel
from picasso_kernels.paint import display_list as at

if TYPE_CHECKING:
    from picasso.draw.glyphs import GlyphAtlas
    from picasso.draw.looks import LookTable
    from picasso.draw.styles import StyleTable
    from picasso.primitives import VideoFrame

Ints = npt.NDArray[np.int32]

MOST_LETTERS: Final = 1 << 16
"""Frames with more letters than these are not labels but an accident, or an attack."""
_LETTERS_AT: Final = kernel.LETTERS_AT
_COUNT: Final = (1 << _LETTERS_AT) - 1
_GLYPH_SIZE: Final = at.GLYPH_SIZE
_COMMAND_SIZE: Final = at.COMMAND_SIZE


@final
class FrameLists:
    """Makes the lists of frames whose labels are plain, in memory that is kept. Not for several threads at once."""

    __slots__ = (
        "_atlas",
        "_bound",
        "_bound_to",
        "_clamp_labels",
        "_codes",
        "_commands",
        "_compose",
        "_drawing",
        "_glyphs",
        "_lists",
        "_looks",
        "_objects",
        "_scratch",
        "_styles",
    )

    def __init__(self, atlas: GlyphAtlas, styles: StyleTable, looks: LookTable, *, clamp_labels: bool) -> None:
        """Work with letters, styles and looks that others make."""
        self._atlas, self._styles, self._looks = atlas, styles, looks
        self._clamp_labels = clamp_labels
        self._bound: tuple[Any, ...] = ()
        """What the native call takes beside the columns of a frame."""
        self._compose: Callable[..., int] | None = None
        self._drawing: DisplayList
        """The list that was made last: one object, as it holds only until the next."""
        self._make_room(32, 512)

    def _make_room(self, objects: int, letters: int) -> None:
        """Take memory for the lists of a number of objects and letters."""
        commands = objects * at.COMMANDS_PER_OBJECT * at.COMMAND_SIZE
        size = kernel.LISTS_UNIT + commands + letters * at.GLYPH_SIZE
        self._objects = objects
        self._codes = np.empty(letters, np.uint32)
        self._scratch = np.empty(1 + 2 * objects + letters, np.int32)
        self._lists = np.empty(-(-size // kernel.LISTS_UNIT) * kernel.LISTS_UNIT, np.int32)
        self._glyphs = self._lists[: letters * at.GLYPH_SIZE].reshape(-1, at.GLYPH_SIZE)
        self._commands = self._lists.reshape(-1, at.COMMAND_SIZE)
        self._bound_to: tuple[object, ...] = ()

    def _bind(self, size_wh: tuple[int, int]) -> None:
        """Look up what changes with letters, looks and surfaces, and not from frame to frame."""
        looks, atlas = self._looks, self._atlas
        self._bound = (
            *(looks.look_of, looks.looks, self._styles.rows, looks.tokens, looks.texts, looks.text_ends),
            *(atlas.first_sprite, atlas.sprites, *size_wh, self._clamp_labels),
            *(self._codes, len(self._codes), self._scratch, self._lists),
        )
        nothing = self._lists[:0]
        self._drawing = DisplayList(
            nothing, nothing, atlas.coverage, atlas.revision, self._styles.may_blur, self._lists.ctypes.data
        )
        self._bound_to = atlas.revision, looks.revision, size_wh

    def build(self, frame: VideoFrame, size_wh: tuple[int, int]) -> DisplayList | None:
        """Return the list of a frame's objects; None where it needs a slower way.

        That is where there is no machine code yet, a label needs shaping or a value that few objects have, a letter has
        not been drawn before, or a look has more than box, dot and label.
        """
        store, looks = frame.object_table(), self._looks
        compose = self._compose
        if compose is None:
            compose = self._compose = ready(kernel.compose_frame)
        if compose is None or self._styles.has_shapes or not looks.find(store.namespaces, store.labels):
            return None
        if looks.names_sparse and (store.draw_labels or store.parents):
            return None
        count, ids = store.count, store.ids
        if count > self._objects:
            self._make_room(2 * count, len(self._codes))
        if self._bound_to != (self._atlas.revision, looks.revision, size_wh):
            self._bind(size_wh)
        made: int = compose(
            store.boxes.reshape(-1), len(ids), count, ids, store.track_ids, store.confidences, *self._bound
        )
        if made < 0:
            return self._after_failure(made, frame, size_wh)
        glyphs, drawing = made >> _LETTERS_AT, self._drawing
        first = -(-glyphs * _GLYPH_SIZE // _COMMAND_SIZE)
        drawing.commands = self._commands[first : first + (made & _COUNT)]
        drawing.glyphs = self._glyphs[:glyphs]
        return drawing

    def _after_failure(self, reason: int, frame: VideoFrame, size_wh: tuple[int, int]) -> DisplayList | None:
        """Try again with more room where that is what was missing, up to a limit."""
        letters = len(self._codes)
        if reason != kernel.NO_ROOM or letters >= MOST_LETTERS:
            return None
        self._make_room(self._objects, 2 * letters)
        return self.build(frame, size_wh)
