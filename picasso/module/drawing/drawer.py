"""Drawers: the last step of a module, which decides what is drawn on each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.draw import ObjectDraw
from picasso.draw.letters import Letters
from picasso.module.drawing.artist import Artist
from picasso.module.drawing.stock import Override, StockDrawing
from picasso.module.elements import BasePyFuncPlugin, Batch

if TYPE_CHECKING:
    from picasso.module.meta import Frame, ObjectMeta


class BaseNvDsDrawFunc(BasePyFuncPlugin):
    """A drawer that draws nothing by itself: define ``draw_on_frame``, or ``draw``.

    It is built with the ``kwargs`` of ``draw_func``, ``rendered_objects`` and ``condition``.
    """

    rendered_objects: Any = None
    condition: Any = None
    _letters: Letters | None = None

    def process_frame(self, buffer: Batch, frame_meta: Frame) -> None:
        """Draw on ``frame_meta``, a frame of ``buffer``, where it has the tag of ``condition``."""
        tag = (self.condition or {}).get("tag")
        if tag is None or frame_meta.has_tag(tag):
            self.draw(buffer, frame_meta)

    def draw(self, buffer: Batch, frame_meta: Frame) -> None:  # noqa: ARG002 - for those who override it
        """Draw on ``frame_meta``, a frame of ``buffer``; by default what ``draw_on_frame`` draws."""
        if self._letters is None:
            self._letters = Letters()
        with Artist(frame_meta, letters=self._letters) as artist:
            self.draw_on_frame(frame_meta, artist)

    def draw_on_frame(self, frame_meta: Frame, artist: Artist) -> None:
        """Draw on ``frame_meta`` with ``artist``."""


class NvDsDrawFunc(BaseNvDsDrawFunc):
    """The stock drawer: draws the objects that ``rendered_objects`` lists, or without such a map all of them.

    A drawer derived from it may draw more, before or after ``super().draw_on_frame(frame_meta, artist)``, and change
    the look of objects in ``override_draw_spec``.
    """

    _stock: StockDrawing | None = None

    def draw(self, buffer: Batch, frame_meta: Frame) -> None:
        """Draw on ``frame_meta``, a frame of ``buffer``; without code of the user's, as a list for the engine."""
        kind = type(self)
        if kind.draw_on_frame is not NvDsDrawFunc.draw_on_frame:
            super().draw(buffer, frame_meta)
            return
        drawing = self._ready_stock().draw(frame_meta, self._override())
        if len(drawing):
            frame_meta.add_drawing(drawing)

    def draw_on_frame(self, frame_meta: Frame, artist: Artist) -> None:
        """Draw the objects of ``frame_meta`` with ``artist``."""
        artist.draw_list(*self._ready_stock().layers(frame_meta, self._override()))

    def override_draw_spec(self, object_meta: ObjectMeta, draw_spec: ObjectDraw) -> ObjectDraw:  # noqa: ARG002
        """Return the look of ``object_meta``, whose listed look is ``draw_spec``; called for listed objects."""
        return draw_spec

    def _ready_stock(self) -> StockDrawing:
        """Return the stock drawing; made late, for classes that set ``rendered_objects`` themselves."""
        if self._stock is None:
            self._stock = StockDrawing(self.rendered_objects)
        return self._stock

    def _override(self) -> Override | None:
        is_own = type(self).override_draw_spec is not NvDsDrawFunc.override_draw_spec
        return self.override_draw_spec if is_own else None
