"""From the objects of a frame and their specs to a display list, which every painter reads alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from picasso.draw.columns import ObjectColumns, values_of
from picasso.draw.composing import compose
from picasso.draw.frame_lists import MOST_LETTERS, FrameLists
from picasso.draw.glyphs import GlyphAtlas
from picasso.draw.lists import DisplayList
from picasso.draw.looks import LookTable
from picasso.draw.object_shapes import Ways, with_shapes
from picasso.draw.shaping import NEEDS_SHAPING
from picasso.draw.spec import ObjectDraw, ObjectDrawSpec
from picasso.draw.styles import StyleTable
from picasso_kernels.paint import display_list, glyph_layout

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

Ints = npt.NDArray[np.int32]


_LONG_LINE = 256
"""What is drawn of each of their lines."""
_MARK = chr(glyph_layout.MARK)
_NO_MARK = "\N{REPLACEMENT CHARACTER}"
_ORDER_BYTES = 4
"""Before UTF-32 of the machine's own byte order stands a mark that tells it."""


class _ListMemory:
    """Memory of the lists of one scene, which grows to what the longest needs."""

    __slots__ = ("commands", "flat", "glyphs", "line_ends")

    def __init__(self, objects: int, letters: int) -> None:
        self.line_ends = np.empty(letters + 1, np.int32)
        self.glyphs = np.empty((letters, display_list.GLYPH_SIZE), np.int32)
        self.commands = np.empty((objects * display_list.COMMANDS_PER_OBJECT, display_list.COMMAND_SIZE), np.int32)
        self.flat = self.line_ends, self.glyphs.reshape(-1), self.commands.reshape(-1)
        """What ``compose`` writes."""

    def for_list(self, objects: int, letters: int) -> _ListMemory:
        """Return this, or one that is larger in what is too small."""
        most = len(self.commands) // display_list.COMMANDS_PER_OBJECT, len(self.glyphs)
        sizes = [
            have if need <= have else max(need, 2 * have) for need, have in zip((objects, letters), most, strict=True)
        ]
        return self if tuple(sizes) == most else _ListMemory(*sizes)


def _nothing() -> DisplayList:
    commands, glyphs = (
        np.empty((0, display_list.COMMAND_SIZE), np.int32),
        np.empty((0, display_list.GLYPH_SIZE), np.int32),
    )
    return DisplayList(commands, glyphs, np.empty(0, np.uint8))


class Scene:
    """Makes display lists; keeps the styles and the letters that they need. Not for several threads at once."""

    __slots__ = (
        "_atlas",
        "_clamp_labels",
        "_compose",
        "_counted",
        "_defaults",
        "_memory",
        "_quick",
        "_specs",
        "_static",
        "_styles",
        "_typesets",
        "_ways",
    )

    def __init__(self, font_family: str = "sans-serif", *, clamp_labels: bool = False) -> None:
        """Draw nothing, until ``set_specs``.

        Args:
            font_family: Of the labels. The default is the font that ships with the package; a family that is not
                installed falls back to it with a warning.
            clamp_labels: Move labels that would leave the surface into it.
        """
        self._compose = compose
        self._atlas = GlyphAtlas(font_family)
        self._styles = StyleTable(self._atlas)
        self._counted = np.empty(0, np.int32)
        self._memory = _ListMemory(0, 0)
        self._clamp_labels = clamp_labels
        self._ways: Ways = {}
        self._typesets = False  # whether the frame before had text to be shaped, or control characters
        self.set_specs(ObjectDrawSpec())

    def set_specs(self, specs: ObjectDrawSpec) -> None:
        """Draw objects as ``specs`` says now; later changes of it have no effect."""
        self._specs = specs.copy()
        self._styles.clear()
        self._static = {key: self._styles.number(draw) for key, draw in self._specs.items()}
        self._defaults = {name: self._styles.number(draw) for name, draw in self._specs.defaults()}
        looks = LookTable(self._styles, self._static, self._defaults)
        self._quick = FrameLists(self._atlas, self._styles, looks, clamp_labels=self._clamp_labels)

    def build(self, frame: VideoFrame, overrides: Mapping[int, ObjectDraw], size_wh: tuple[int, int]) -> DisplayList:
        """Make the display list of a frame's objects, in the order of their ids. It holds until the next is made.

        Args:
            frame: Its boxes are in pixels of the surface.
            overrides: By object id, what is drawn instead of what the specs say.
            size_wh: Of the surface; what lies outside is left out.
        """
        if self._atlas.is_full:
            self._atlas.trim()
        drawing = None if overrides else self._quick.build(frame, size_wh)
        if drawing is None:
            rows, style_of = self._resolve(frame, overrides)
            drawing = self._listed(frame, rows, style_of, size_wh)
        return drawing

    def build_listed(
        self, frame: VideoFrame, rows: Sequence[int], draws: Sequence[ObjectDraw], size_wh: tuple[int, int]
    ) -> DisplayList:
        """Make the display list of some objects in an order of the caller's. It holds until the next is made.

        Args:
            frame: Its boxes are in pixels of the surface.
            rows: Rows of its columns, lowest first; one may come several times.
            draws: What is drawn for each of ``rows``.
            size_wh: Of the surface; what lies outside is left out.
        """
        self._atlas.trim()
        if self._styles.is_full:
            self.set_specs(self._specs)
        return self._listed(frame, list(rows), [self._styles.number(draw) for draw in draws], size_wh)

    def build_texts(self, texts: Sequence[str], draw: ObjectDraw, size_wh: tuple[int, int]) -> DisplayList:
        """Make the display list of labels that look as that of ``draw``, each at a box of no size in the corner.

        It holds until the next is made.

        Args:
            texts: What stands in each, instead of the lines of the look, which has one.
            draw: The look.
            size_wh: Of the surface.
        """
        self._atlas.trim()
        if self._styles.is_full:
            self.set_specs(self._specs)
        text = "".join([line.replace(_MARK, _NO_MARK) + _MARK for line in texts])
        boxes = np.zeros((2, 5, len(texts)), np.float32)
        return self._laid_out(boxes, range(len(texts)), [self._styles.number(draw)] * len(texts), text, size_wh)

    def _listed(
        self, frame: VideoFrame, rows: Sequence[int], style_of: list[int], size_wh: tuple[int, int]
    ) -> DisplayList:
        if not rows:
            return _nothing()
        text = self._text_at_once(frame, rows)
        if text is None:
            text = self._text(frame, rows, style_of)
        drawing = self._laid_out(frame.box_columns(), rows, style_of, text, size_wh)
        if not self._styles.has_shapes:
            return drawing
        looks = self._styles.looks
        return with_shapes(drawing, frame, rows, [looks[style].draw for style in style_of], size_wh, self._ways)

    def _laid_out(
        self,
        boxes: npt.NDArray[np.float32],
        rows: Sequence[int],
        style_of: list[int],
        text: str,
        size_wh: tuple[int, int],
    ) -> DisplayList:
        """Compose the list of some of ``boxes``, ``(2, 5, N)``, making the letters that are not there yet."""
        typesets = self._typesets or not text.isascii()
        if typesets:
            text, style_of = self._typeset(text, style_of)
        drawing = self._composed(boxes, rows, style_of, text, size_wh)
        if drawing is None:  # a letter that was not drawn before, or a control character
            if not typesets:
                text, style_of = self._typeset(text, style_of)
            self._ensure_glyphs(text, style_of)
            drawing = self._composed(boxes, rows, style_of, text, size_wh)
        return drawing if drawing is not None else _nothing()

    def _composed(
        self,
        columns: npt.NDArray[np.float32],
        rows: Sequence[int],
        style_of: Sequence[int],
        text: str,
        size_wh: tuple[int, int],
    ) -> DisplayList | None:
        """Compose the list, or return None where a letter has no sprite yet; control characters never have one."""
        codes = _codes_of(text)
        memory = self._memory = self._memory.for_list(len(rows), len(codes))
        atlas = self._atlas
        numbers, styles = self._numbers(rows), np.array(style_of, np.int32)
        what = columns.reshape(-1), columns.shape[-1], numbers, styles, self._styles.rows, codes
        where = (*size_wh, self._clamp_labels, *memory.flat)
        count = self._compose(*what, atlas.first_sprite, atlas.sprites, *where)
        if count < 0:
            return None
        glyphs = memory.glyphs[: len(codes)]
        return DisplayList(memory.commands[:count], glyphs, atlas.coverage, atlas.revision, self._styles.may_blur)

    def _resolve(self, frame: VideoFrame, overrides: Mapping[int, ObjectDraw]) -> tuple[Sequence[int], list[int]]:
        """Return the rows that are drawn, in the order of their ids, and the style of each."""
        styles = self._styles
        if styles.is_full:
            self.set_specs(self._specs)
        static, defaults = self._static, self._defaults
        ids, keys = frame.object_column("id"), (frame.object_column("namespace"), frame.object_column("label"))
        found = list(map(static.get, zip(*keys, strict=True)))
        if defaults and None in found:
            found = [defaults.get(name) if style is None else style for name, style in zip(keys[0], found, strict=True)]
        if overrides:
            replaced = [overrides.get(object_id) for object_id in ids]
            found = [
                style if draw is None else styles.number(draw) for style, draw in zip(found, replaced, strict=True)
            ]
        rows: Sequence[int] = range(len(ids))
        if ids != sorted(ids):
            rows = sorted(rows, key=ids.__getitem__)
            found = [found[row] for row in rows]
        if None in found:
            rows = [row for row, style in zip(rows, found, strict=True) if style is not None]
            found = [style for style in found if style is not None]
        return rows, found  # type: ignore[return-value]  # there is no None left

    def _numbers(self, rows: Sequence[int]) -> Ints:
        """Return rows as an array; nearly always they are all there are, in their order, and the array is kept."""
        if not isinstance(rows, range):
            return np.array(rows, np.int32)
        if len(rows) > len(self._counted):
            self._counted = np.arange(2 * len(rows), dtype=np.int32)
        return self._counted[: len(rows)]

    def _text_at_once(self, frame: VideoFrame, rows: Sequence[int]) -> str | None:
        """Return what ``_text`` does by one formatting, or None where that takes more than one.

        That is where all objects are drawn, in their order, by the same lines, and no value is absent. Where a name has
        "nan" in it, it cannot be told from a number that is absent.
        """
        styles = self._styles
        if not styles.alike or not isinstance(rows, range):
            return None
        values = [values_of(frame, name) for name in styles.fields]
        try:
            text = styles.pattern * len(rows) % tuple(chain.from_iterable(zip(*values, strict=True)))
        except TypeError:  # None is not a number
            return None
        is_whole = "nan" not in text and text.count(_MARK) == len(rows) * len(styles.looks[0].templates)
        return text if is_whole and len(text) <= MOST_LETTERS else None

    def _text(self, frame: VideoFrame, rows: Sequence[int], style_of: Sequence[int]) -> str:
        """Return the lines of all labels, a mark behind each, those of an object together, in the order of ``rows``."""
        columns, looks = ObjectColumns(frame), self._styles.looks
        templates_of = [look.templates for look in looks]
        kinds = {id(templates_of[style]): templates_of[style] for style in set(style_of)}
        places_of: dict[int, list[int]] = {kind: [] for kind in kinds}
        for place, style in enumerate(style_of):
            places_of[id(templates_of[style])].append(place)
        texts: list[tuple[str, ...]] = [()] * len(rows)
        for kind, places in places_of.items():
            drawn = [rows[place] for place in places]
            lines = [line.render(columns, drawn) for line in kinds[kind]]
            for place, text in zip(places, zip(*lines, strict=True), strict=False):
                texts[place] = text
        all_lines = [line.replace(_MARK, _NO_MARK) for line in chain.from_iterable(texts)]
        if sum(map(len, all_lines)) > MOST_LETTERS:
            all_lines = [line[:_LONG_LINE] for line in all_lines]
        return "".join([line + _MARK for line in all_lines])

    def _typeset(self, text: str, style_of: list[int]) -> tuple[str, list[int]]:
        """Shape the lines that need it, and break those with line breaks; return the text and styles that result."""
        self._typesets = NEEDS_SHAPING.search(text) is not None
        if not self._typesets:
            return text, style_of
        looks, spell, lines = self._styles.looks, self._atlas.spell, iter(text.split(_MARK))
        spelled, styles = [], []
        for style in style_of:
            count = looks[style].lines
            broken = [line for _ in range(count) for line in spell(next(lines))]
            styles.append(style if len(broken) == count else self._styles.with_lines(style, len(broken)))
            spelled += broken
        return "".join([line + _MARK for line in spelled]), styles

    def _ensure_glyphs(self, text: str, style_of: Sequence[int]) -> None:
        """Make the letters that are not there yet."""
        looks, codes = self._styles.looks, _codes_of(text)
        fonts = [looks[style].font for style in style_of for _ in range(looks[style].lines)]
        places = codes.astype(np.int64)
        if any(fonts):
            lengths = [len(line) + 1 for line in text.split(_MARK)[:-1]]
            places += np.repeat(np.array(fonts) * display_list.CODE_POINTS, lengths)
        self._atlas.ensure(places[codes != glyph_layout.MARK])


def _codes_of(text: str) -> npt.NDArray[np.uint32]:
    encoded = bytearray(text.encode("utf-32", "surrogatepass"))  # machine code takes arrays that can be written to
    return np.frombuffer(encoded, np.uint32, offset=_ORDER_BYTES)
