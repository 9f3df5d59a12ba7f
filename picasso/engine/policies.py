"""The choices that a source's life depends on: eviction, falling timestamps, full queues, order of callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Self

from picasso.engine import checks
from picasso.primitives.enums import TextEnum, exact

NS_PER_S = 1_000_000_000


class CallbackInvocationOrder(TextEnum, unknown="Unknown CallbackInvocationOrder: {}", fold=exact):
    """When ``on_gpumat`` is called, relative to drawing and ``on_render``."""

    SkiaGpuMat = "SkiaGpuMat"
    GpuMatSkia = "GpuMatSkia"
    GpuMatSkiaGpuMat = "GpuMatSkiaGpuMat"
    """Before and after: twice for each frame."""


class OverflowPolicy(StrEnum):
    """What ``send_frame`` does when the source's queue is full."""

    BLOCK = "block"
    """Wait for room; ``send_frame(timeout=…)`` bounds the wait."""
    DROP_OLDEST = "drop_oldest"
    """Discard the frame that has waited longest, and take this one."""
    DROP_NEWEST = "drop_newest"
    """Discard this frame."""


class IdleTimeout(Enum):
    """The idle time-out of a source, where it is not a number of seconds."""

    ENGINE_DEFAULT = "engine_default"
    """That of the engine's ``GeneralSpec``."""

    def __repr__(self) -> str:
        return f"IdleTimeout.{self.name}"


class _Verdict(Enum):
    KEEP = "keep_for"
    TERMINATE = "terminate"
    TERMINATE_IMMEDIATELY = "terminate_immediately"


@dataclass(frozen=True, slots=True, repr=False)
class EvictionDecision:
    """What becomes of a source that was idle for too long; the answer of ``on_eviction``.

    Made by ``keep_for``, ``terminate`` and ``terminate_immediately``.
    """

    _verdict: _Verdict
    _keep_s: float = 0

    @classmethod
    def keep_for(cls, secs: float) -> Self:
        """Keep the source for ``secs`` more seconds, then ask again; any message before that restarts its idle time.

        Raises:
            SpecError: ``secs`` is not greater than 0.
        """
        return cls(_Verdict.KEEP, checks.seconds("EvictionDecision.keep_for(secs)", secs))

    @classmethod
    def terminate(cls) -> Self:
        """End the stream as ``send_eos`` does, with its sentinel, then end the source's thread."""
        return cls(_Verdict.TERMINATE)

    @classmethod
    def terminate_immediately(cls) -> Self:
        """End the source's thread: no sentinel; frames still inside the encoder are reported as lost."""
        return cls(_Verdict.TERMINATE_IMMEDIATELY)

    @property
    def keep_ns(self) -> int | None:
        """Nanoseconds that the source is kept, None if it ends."""
        return round(self._keep_s * NS_PER_S) if self._verdict is _Verdict.KEEP else None

    @property
    def drains(self) -> bool:
        """Whether a source that ends delivers what its encoder holds, and a sentinel."""
        return self._verdict is _Verdict.TERMINATE

    def __repr__(self) -> str:
        seconds = f"{self._keep_s}" if self._verdict is _Verdict.KEEP else ""
        return f"EvictionDecision.{self._verdict.value}({seconds})"


@dataclass(frozen=True, slots=True, repr=False)
class PtsResetPolicy:
    """What an encoded source does when a timestamp is not greater than the one before it.

    Made by ``eos_on_decreasing_pts`` and ``recreate_on_decreasing_pts``. Either way the frames before it are delivered
    and the frame itself begins a new stream.
    """

    sends_eos: bool
    """Whether a sentinel stands between the two streams."""

    @classmethod
    def eos_on_decreasing_pts(cls) -> Self:
        """End the stream with a sentinel, as ``send_eos`` does."""
        return cls(sends_eos=True)

    @classmethod
    def recreate_on_decreasing_pts(cls) -> Self:
        """Begin a new stream without a sentinel."""
        return cls(sends_eos=False)

    def __hash__(self) -> int:
        return 0 if self.sends_eos else 1

    def __repr__(self) -> str:
        return f"PtsResetPolicy.{'eos' if self.sends_eos else 'recreate'}_on_decreasing_pts()"


@dataclass(frozen=True, slots=True, repr=False)
class StreamResetReason:
    """Why a source's encoded stream begins anew; given to ``on_stream_reset``."""

    kind: str
    """``"pts_decreased"`` or ``"encoder_spec_changed"``."""
    last_pts_ns: int | None = None
    """Last timestamp of the old stream, nanoseconds; None unless timestamps are the reason."""
    new_pts_ns: int | None = None
    """First timestamp of the new stream, not greater than ``last_pts_ns``; None unless timestamps are the reason."""

    @classmethod
    def pts_decreased(cls, last_pts_ns: int, new_pts_ns: int) -> Self:
        """Say that the timestamp ``new_pts_ns`` was not greater than ``last_pts_ns``, the one before it."""
        return cls("pts_decreased", last_pts_ns, new_pts_ns)

    @classmethod
    def encoder_spec_changed(cls) -> Self:
        """Say that the source's spec names another mode or another encoder configuration."""
        return cls("encoder_spec_changed")

    def __repr__(self) -> str:
        if self.last_pts_ns is None:
            return f"StreamResetReason.{self.kind}()"
        return f"StreamResetReason.{self.kind}(last_pts_ns={self.last_pts_ns}, new_pts_ns={self.new_pts_ns})"
