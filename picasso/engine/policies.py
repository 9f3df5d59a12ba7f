"""The choices that a source's life depends on: eviction, falling timestamps, full queues, order of callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, Self

from picasso.engine import checks
from picasso.primitives.enums import TextEnum, any_case, exact

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
    """What happens to a source that was idle for too long; the answer of ``on_eviction``.

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


class PtsResetPolicy(TextEnum, unknown="unknown policy '{}' for timestamps that start again", fold=any_case):
    """What happens to a stream whose timestamps start again: a camera that came back, joined files, a loop.

    The engine, ``VideoReader`` and ``StreamWriter`` share it. ``eos_on_decreasing_pts`` and
    ``recreate_on_decreasing_pts`` are the engine's older names of two members.
    """

    CONTINUE = "continue", "continue"
    """One stream: the times that start again are moved behind the end of the last frame, and all later ones too."""
    SEGMENT = "segment", "segment", "eos_on_decreasing_pts"
    """Two streams: an end of stream stands between them, and the second has its own times."""
    RESET = "reset", "reset", "recreate_on_decreasing_pts"
    """Times go back, and nothing stands between: the engine begins with a new encoder, a reader hands them on."""

    @classmethod
    def eos_on_decreasing_pts(cls) -> PtsResetPolicy:
        """End the stream with a sentinel, as ``send_eos`` does: ``SEGMENT``."""
        return cls.SEGMENT

    @classmethod
    def recreate_on_decreasing_pts(cls) -> PtsResetPolicy:
        """Begin a new stream without a sentinel: ``RESET``."""
        return cls.RESET

    @classmethod
    def of(cls, policy: PtsResetPolicy | str) -> PtsResetPolicy:
        """Return a policy, or the one that a name means.

        Raises:
            TypeError: It is neither a policy nor a string.
            ValueError: No policy has this name; the message lists those there are.
        """
        return policy if isinstance(policy, cls) else cls.from_name(policy)  # type: ignore[arg-type]  # it checks

    @property
    def sends_eos(self) -> bool:
        """Whether an end of stream stands between the two streams."""
        return self is PtsResetPolicy.SEGMENT

    def __hash__(self) -> int:
        return _HASHES[self._name_]

    def __repr__(self) -> str:
        return f"PtsResetPolicy.{_CALLS.get(self._name_, self._name_)}"

    def __str__(self) -> str:
        return repr(self)


_HASHES: Final = {"SEGMENT": 0, "RESET": 1, "CONTINUE": 2}
_CALLS: Final = {"SEGMENT": "eos_on_decreasing_pts()", "RESET": "recreate_on_decreasing_pts()"}


@dataclass(frozen=True, slots=True, repr=False)
class StreamResetReason:
    """Why a source's encoded stream begins again; given to ``on_stream_reset``.

    Under ``PtsResetPolicy.CONTINUE`` timestamps that start again are told too, and the stream goes on.
    """

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
