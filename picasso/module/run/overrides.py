"""What control has changed for single sources while the module runs: their gates, and what is drawn on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from picasso.draw import DisplayList

if TYPE_CHECKING:
    from picasso.module.config import OutputFrame
    from picasso.module.drawing.stock import StockDrawing
    from picasso.module.meta import Frame


@final
class Overrides:
    """Read for each frame by the last thread of the pipeline, changed by any thread: each change is one step."""

    def __init__(self) -> None:
        """Change nothing."""
        self._gates: dict[str, str | None] = {}
        self._looks: dict[str, StockDrawing | None] = {}

    def tag(self, source_id: str, output: OutputFrame | None) -> str | None:
        """Return the tag that a frame of a source needs to be encoded; None where every frame is."""
        if self._gates and source_id in self._gates:
            return self._gates[source_id]
        return None if output is None else output.tag

    def drawings(self, frame: Frame) -> Sequence[DisplayList]:
        """Take what is drawn on a frame, lowest first."""
        drawings = frame.take_drawings()
        if not self._looks or frame.source_id not in self._looks:
            return drawings
        look = self._looks[frame.source_id]
        if look is None:
            return ()
        drawing = look.draw(frame, None)
        return (drawing,) if len(drawing) else ()

    def set_gate(self, source_id: str, tag: str | None) -> None:
        """Encode only frames with a tag; None encodes all."""
        self._gates[source_id] = tag

    def reset_gate(self, source_id: str) -> None:
        """Return a source to the gate of the module."""
        self._gates.pop(source_id, None)

    def set_look(self, source_id: str, look: StockDrawing | None) -> None:
        """Draw by a look of the source's own; None draws nothing."""
        self._looks[source_id] = look

    def reset_look(self, source_id: str) -> None:
        """Draw as the module says."""
        self._looks.pop(source_id, None)

    def forget(self, source_id: str) -> None:
        """Forget a source that is removed."""
        self.reset_gate(source_id)
        self.reset_look(source_id)

    def describe(self, source_id: str) -> dict[str, object]:
        """Return what was changed for a source, for those who ask."""
        found: dict[str, object] = {}
        if source_id in self._gates:
            found["gate"] = self._gates[source_id]
        if source_id in self._looks:
            found["drawing"] = "own" if self._looks[source_id] is not None else "off"
        return found
