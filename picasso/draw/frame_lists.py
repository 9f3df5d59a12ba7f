"""The quick way from a frame to its display list: one native call over the columns of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

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
_COUNT: Final = (1 << kernel.LETTERS_AT) - 1


@final
class FrameLists:
    """Makes the lists of frames whose labels are plain, in memory that is kept. Not for several threads at once."""

    __slots__ = ("_address", "_atlas", "_clamp_labels", "_codes", "_lists", "_looks", "_objects", "_scratch", "_styles")

    def __init__(self, atlas: GlyphAtlas, styles: StyleTable, looks: LookTable, *, clamp_labels: bool) -> None:
        """Work with letters, styles and looks that others make."""
        self._atlas, self._styles, self._looks = atlas, styles, looks
        self._clamp_labels = clamp_labels
        self._make_room(32, 512)

    def _make_room(self, objects: int, letters: int) -> None:
        """Take memory for the lists of a number of objects and letters."""
        commands = objects * at.COMMANDS_PER_OBJECT * at.COMMAND_SIZE
        self._objects = objects
        self._codes = np.empty(letters, np.uint32)
        self._scratch = np.empty(1 + 2 * objects + letters, np.int32)
        self._lists = np.empty(kernel.LISTS_UNIT + commands + letters * at.GLYPH_SIZE, np.int32)
        self._address = self._lists.ctypes.data

    def build(self, frame: VideoFrame, size_wh: tuple[int, int]) -> DisplayList | None:
        """Return the list of a frame's objects; None where it needs a slower way.

        That is where there is no machine code yet, a label needs shaping or a value that few objects have, a letter has
        not been drawn before, or a look has more than box, dot and label.
        """
        store, looks, styles = frame.object_table(), self._looks, self._styles
        compose = ready(kernel.compose_frame)
        if compose is None or styles.has_shapes or not looks.find(store.namespaces, store.labels):
            return None
        if looks.names_sparse and (store.draw_labels or store.parents):
            return None
        count, atlas, letters = store.count, self._atlas, len(self._codes)
        if count > self._objects:
            self._make_room(2 * count, letters)
        made: int = compose(
            store.boxes.reshape(-1), len(store.ids), count, store.ids, store.track_ids, store.confidences,
            looks.look_of, looks.looks, styles.rows, looks.tokens, looks.texts, looks.text_ends,
            atlas.first_sprite, atlas.sprites, *size_wh, self._clamp_labels,
            self._codes, letters, self._scratch, self._lists,
        )  # fmt: skip
        if made < 0:
            if made == kernel.NO_ROOM and letters < MOST_LETTERS:
                self._make_room(self._objects, 2 * letters)
                return self.build(frame, size_wh)
            return None
        commands, glyphs = made & _COUNT, made >> kernel.LETTERS_AT
        first = -(-glyphs * at.GLYPH_SIZE // kernel.LISTS_UNIT) * kernel.LISTS_UNIT
        lists = self._lists
        return DisplayList(
            lists[first : first + commands * at.COMMAND_SIZE].reshape(-1, at.COMMAND_SIZE),
            lists[: glyphs * at.GLYPH_SIZE].reshape(-1, at.GLYPH_SIZE),
            atlas.coverage,
            atlas.revision,
            styles.may_blur,
            self._address,
        )
