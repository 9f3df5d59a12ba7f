"""What the frames of a stream must be like, one after another: where it may begin, and where it has become another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, final

from picasso.media.payload import codec_name, is_still, may_begin

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame


class Verdict(Enum):
    """What happens to a frame."""

    PASS = "pass"
    """It goes on; the first one begins a stream."""
    RESTART = "restart"
    """The stream ends, and this frame begins another."""
    SKIP = "skip"
    """It is not a frame to begin with."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason."""

    verdict: Verdict
    reason: str = ""


PASS = Judgement(Verdict.PASS)


@final
class StreamRules:
    """The rules over the frames of one source."""

    def __init__(self, *, eos_on_resolution_change: bool = True, are_decoded: bool = False) -> None:
        """Wait for a first frame.

        Args:
            eos_on_resolution_change: Whether pictures that decode on their own begin another stream, too, when codec,
                size or rate change.
            are_decoded: Whether the frames come decoded, in the order in which they are shown: then a stream may begin
                at any of them, and their PTS must rise.
        """
        self._are_decoded = are_decoded
        self._restarts_stills = eos_on_resolution_change
        self._kind: tuple[object, ...] | None = None
        self._last: tuple[int, int | None] = 0, None

    @property
    def is_open(self) -> bool:
        """Whether a stream has begun."""
        return self._kind is not None

    def end(self) -> None:
        """End the stream; the next one begins with a keyframe."""
        self._kind = None

    def judge(self, frame: VideoFrame, data: bytes | memoryview = b"") -> Judgement:
        """Say what to do with a ``frame`` with the payload ``data``; a stream that it begins is open from now on."""
        kind = (codec_name(frame.codec), frame.width, frame.height, frame.fps)
        times = frame.pts, None if self._are_decoded else frame.dts
        judgement = PASS if self._kind is None else self._change(kind, times)
        begins = self._kind is None or judgement.verdict is Verdict.RESTART
        if begins and not self._are_decoded and not _is_key(frame, data):
            self._kind = None
            return Judgement(Verdict.SKIP, judgement.reason)
        self._kind, self._last = kind, times
        return judgement

    def _change(self, kind: tuple[object, ...], times: tuple[int, int | None]) -> Judgement:
        if kind != self._kind and (self._restarts_stills or not is_still(str(kind[0]))):
            return Judgement(Verdict.RESTART, f"codec, size or rate changed from {self._kind} to {kind}")
        last, now = self._last[1], times[1]
        if last is None and now is None:  # of one that has a time of decoding and one that has none, nothing is known
            last, now = self._last[0], times[0]
        if last is not None and now is not None and now < last:
            return Judgement(Verdict.RESTART, f"times go back from {last} to {now} ns")
        return PASS


def _is_key(frame: VideoFrame, data: bytes | memoryview) -> bool:
    if frame.keyframe is not None:
        return frame.keyframe or is_still(frame.codec)
    return may_begin(frame.codec, data)
