"""A source of pictures behind the rules of ingress."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, final

from picasso.flow import NEVER, IdlePolicy, Item, RestartPolicy
from picasso.flow.source import closing_items, interrupt
from picasso.module.sources.ingress_rules import StreamRules, Verdict
from picasso.primitives import EndOfStream

if TYPE_CHECKING:
    from picasso.flow import Source
    from picasso.module.elements.frame_filter import FrameFilter
    from picasso.module.run.limits import QueueUse
    from picasso.primitives import VideoFrame

logger: logging.Logger = logging.getLogger("picasso.module")


@final
class GuardedSource:
    """Lets through what the rules let in, counts the rest, and ends the stream where they say so."""

    def __init__(
        self,
        source: Source,
        *,
        accepts: FrameFilter | None = None,
        eos_on_resolution_change: bool = True,
        idle: IdlePolicy | None = None,
        reject_s: float | None = None,
    ) -> None:
        """Put the rules before a source.

        Args:
            source: Where the frames come from, decoded.
            accepts: A filter of the user's; None takes every frame. One that raises gives way, with one warning.
            eos_on_resolution_change: Whether another size ends a stream of jpeg or png, too.
            idle: When its stream is ended because nothing comes.
            reject_s: Seconds that it is left alone when it cannot be decoded; None treats it as any lost one.
        """
        self._source = source
        self._accepts = accepts
        self._has_filter_failed = False
        self._eos_on_resolution_change = eos_on_resolution_change
        self.idle = idle
        policy = getattr(source, "restart", NEVER)
        self.restart: RestartPolicy = _with_rejection(policy, reject_s)
        self.is_live: bool = bool(getattr(source, "is_live", False))
        self._kept_back: Counter[str] = Counter()

    @property
    def ingress_use(self) -> QueueUse | None:
        """What waits for the decoder of the source; None where nothing ever does."""
        use: QueueUse | None = getattr(self._source, "ingress_use", None)
        return use

    @property
    def came_ns(self) -> tuple[int, int] | None:
        """When the bytes of the newest frame were received and decoded, where the source tells."""
        came_ns: tuple[int, int] | None = getattr(self._source, "came_ns", None)
        return came_ns

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source.source_id

    @property
    def frame_count(self) -> int | None:
        """Frames to come, or None where that is unknown."""
        return getattr(self._source, "frame_count", None)

    @property
    def dropped(self) -> Counter[str]:
        """Frames that were kept back, by reason: by the rules, and by the source itself."""
        kept_back = Counter(self._kept_back)  # copied in one step: another thread may be counting
        kept_back.update(Counter(getattr(self._source, "dropped", {})))
        return kept_back

    def __iter__(self) -> Iterator[Item]:
        return self._guard(iter(self._source))

    def _guard(self, items: Iterator[Item]) -> Iterator[Item]:
        rules = StreamRules(eos_on_resolution_change=self._eos_on_resolution_change, are_decoded=True)
        with closing_items(items):
            for item in items:
                if isinstance(item, EndOfStream):
                    rules.end()
                elif not self._passes(item[0]):
                    self._kept_back["filtered"] += 1
                    continue
                elif (judgement := rules.judge(item[0])).verdict is Verdict.RESTART:
                    logger.warning("source %r: %s; its stream ends, another begins", self.source_id, judgement.reason)
                    yield EndOfStream(self.source_id)
                yield item

    def _passes(self, frame: VideoFrame) -> bool:
        if self._accepts is None:
            return True
        try:
            return bool(self._accepts(frame))
        except Exception as error:  # noqa: BLE001 - a filter never stops a module
            if not self._has_filter_failed:
                self._has_filter_failed = True
                logger.warning(
                    "source %r: the ingress filter raised, frames pass: %s: %s",
                    self.source_id,
                    type(error).__name__,
                    error,
                )
            return True

    def stop(self) -> None:
        """End the running iteration, and every later one. Any thread."""
        self._source.stop()

    def interrupt(self) -> None:
        """End the running iteration, if the source can do that. Any thread."""
        interrupt(self._source)


def _with_rejection(policy: RestartPolicy, reject_s: float | None) -> RestartPolicy:
    return policy if policy == NEVER else replace(policy, reject_s=reject_s)
