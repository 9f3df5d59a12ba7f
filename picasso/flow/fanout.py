"""How the frames of one source reach each of its outputs, and what is counted of those that do not."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from picasso.engine.messages import OutputMessage
from picasso.flow.output import Branch, shares_of
from picasso.flow.state import bounded_reason
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.engine import PicassoEngine
    from picasso.transform import Rect

logger: logging.Logger = logging.getLogger("picasso.flow")


@final
class Fanout:
    """The ``Downstream`` of a source: a frame goes to each of its outputs, with metadata of its own."""

    def __init__(
        self, source_id: str, engine: PicassoEngine, branches: Sequence[Branch], src_rect: Rect | None
    ) -> None:
        self.source_id = source_id
        self.dropped: Counter[str] = Counter()
        """Frames that were not sent, by reason."""
        self._engine = engine
        self._branches = branches
        self._src_rect = src_rect
        self._sent_in_part = 0

    @property
    def dropped_shares(self) -> int:
        """Shares of outputs that were not sent: those of a frame that some outputs took are not among them."""
        return self.dropped.total() * len(self._branches) - self._sent_in_part

    def send_frame(self, frame: VideoFrame, surface: SurfaceView, src_rect: Rect | None = None) -> None:
        """Send a frame to each output. Called by the stage."""
        rect = self._src_rect if src_rect is None else src_rect
        shares = zip(self._branches, shares_of(frame, surface, self._branches), strict=True)
        for sent, (branch, (copy, view)) in enumerate(shares):
            try:
                self._engine.send_frame(branch.engine_id, copy, view, rect)
            except BaseException:
                self._sent_in_part += sent  # the code that drops the frame counts it for each output
                raise

    def send_metadata(self, frame: VideoFrame) -> None:
        """Send a frame without pixels to each output. Called by the stage."""
        copies = [frame, *(frame.copy() for _ in self._branches[1:])]
        for sent, (branch, copy) in enumerate(zip(self._branches, copies, strict=True)):
            if len(copies) > 1:
                copy.source_id = branch.engine_id
            try:
                self._engine.send_metadata(branch.engine_id, copy)
            except BaseException:
                self._sent_in_part += sent
                raise

    def pass_on(self, content: VideoFrame | EndOfStream) -> None:
        """Hand a frame or an end of stream to the sinks of each output. Called by the stage."""
        for branch in self._branches:
            copy = content.copy() if isinstance(content, VideoFrame) and len(self._branches) > 1 else content
            branch.deliver(OutputMessage(copy, is_eos=isinstance(content, EndOfStream)))

    def end_stream(self) -> None:
        """End the stream of each output. Called by the stage."""
        for branch in self._branches:
            self._engine.send_eos(branch.engine_id)

    def drop(self, frame: VideoFrame, reason: str) -> None:
        """Count a frame that the stage does not send. Called by the stage."""
        logger.debug("source %r: frame at pts %d is dropped: %s", self.source_id, frame.pts, reason)
        self.dropped[bounded_reason(reason, self.dropped)] += 1
