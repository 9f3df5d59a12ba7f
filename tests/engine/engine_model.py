"""What the engine promises, without threads: each message is dealt with at once, on lists and counters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from picasso.engine.policies import NS_PER_S

Event = tuple[object, ...]
SizeWH = tuple[int, int]
SOURCE_WH = (16, 12)
DEFAULT_IDLE_S = 30


@dataclass(frozen=True)
class ModelSpec:
    """As much of a ``SourceSpec`` as makes a difference to the order of things."""

    mode: str = "drop"
    size_wh: SizeWH = (16, 16)
    fps: int = 30
    gated: bool = False
    idle_s: int | None = None

    @property
    def encoder(self) -> tuple[SizeWH, int]:
        return self.size_wh, self.fps


@dataclass(frozen=True)
class ModelFrame:
    """A frame: its number among all frames, its timestamp, and what is special about it."""

    number: int
    pts_ns: int
    passes: bool = True
    """Whether it carries the attribute of the gate."""
    flaw: str = ""
    """``"size"``: the surface is of another size. ``"raises"``: the callback that gets it raises."""
    kind: str = "pixels"
    """What is sent with it: ``"pixels"``, a ``"payload"`` that is coded already, or nothing: ``"metadata"``."""


@dataclass
class Laws:
    """What holds for all sources of one engine."""

    sends_eos: bool = True
    delay: int = 0
    fails_on: frozenset[int] = frozenset()
    live_changes: bool = False
    takes_gated: bool = False
    """Whether there is an ``on_gated_frame``."""


@dataclass
class Session:
    size_wh: SizeWH
    count: int = 0
    held: list[ModelFrame] = field(default_factory=list)
    """In the encoder; between them, frames without pixels that wait for those before."""
    slots: dict[int, str] = field(default_factory=dict)
    """Of frames that do not go through the encoder, by number, where they come out."""


@dataclass
class SourceModel:
    """One source."""

    laws: Laws
    events: list[Event] = field(default_factory=list)
    """Every call of a callback."""
    spec: ModelSpec = ModelSpec()
    idle_s: int = DEFAULT_IDLE_S
    is_live: bool = False
    is_known: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    deadline_ns: int = 0
    keyframes: dict[int, bool] = field(default_factory=dict)
    """Of the encoded frames, by number, whether they are keyframes."""
    _wants_keyframe: bool = False
    _session: Session | None = None
    _last_pts_ns: int | None = None

    def touch(self, now_ns: int) -> None:
        """A message arrived."""
        self.is_live = self.is_known = True
        self.deadline_ns = now_ns + self.idle_s * NS_PER_S

    def set_spec(self, spec: ModelSpec, now_ns: int) -> None:
        before, self.spec = self.spec, spec
        inherited = self.idle_s if self.is_live else DEFAULT_IDLE_S
        self.idle_s = inherited if spec.idle_s is None else spec.idle_s
        if self.is_live and (before.mode != spec.mode or (spec.mode == "encode" and before.encoder != spec.encoder)):
            same_size = before.mode == spec.mode and before.size_wh == spec.size_wh
            if not (same_size and self.laws.live_changes and self._session):
                self._end_session()
            self.events.append(("reset", "encoder_spec_changed", None, None))
        self.touch(now_ns)

    def send(self, frame: ModelFrame, now_ns: int) -> None:
        self.touch(now_ns)
        self.counts["in"] += 1
        slot = {"bypass": "bypass", "drop": ""}.get(self.spec.mode, "encoded")
        if frame.kind == "metadata":
            self._hand_on(frame, slot, "spec")
        elif self.spec.gated and not frame.passes:
            self._hand_on(frame, "gated" if self.laws.takes_gated else "", "gate")
        elif self.spec.mode == "drop":
            self.counts["spec"] += 1
        elif (frame.kind == "payload") != (self.spec.mode == "pass"):
            self._lose("input", frame)  # it has no pixels, or no payload
        elif self.spec.mode == "encode":
            self._encode(frame)
        else:
            self._deliver(slot, frame, SOURCE_WH)

    def _hand_on(self, frame: ModelFrame, slot: str, reason: str) -> None:
        """Without pixels, behind those that the encoder holds; where no one takes it, it is dropped."""
        if not slot:
            self.counts[reason] += 1
        elif self._session and self._session.held:
            self._session.held.append(frame)
            self._session.slots[frame.number] = slot
        else:
            self._deliver(slot, frame, SOURCE_WH)

    def request_keyframe(self, now_ns: int) -> None:
        """Take effect on the next frame that is encoded; the first of an encoder is a keyframe anyway."""
        if self.is_live:
            self.touch(now_ns)
            self._wants_keyframe = self._session is not None

    def send_eos(self, now_ns: int) -> None:
        if self.is_live:
            self.touch(now_ns)
            self._end_stream()

    def remove(self) -> None:
        """Deliver what is held, then forget everything."""
        self._end_session()
        self._forget()

    def _forget(self) -> None:
        self.spec, self.idle_s, self.is_live, self.is_known = ModelSpec(), DEFAULT_IDLE_S, False, False
        self.counts.clear()

    def shut_down(self) -> None:
        self._end_session()
        self.is_live = False

    def evict(self, decision: str | int, now_ns: int) -> None:
        """Be idle for too long; a number keeps the source for that many seconds."""
        self.events.append(("eviction",))
        if isinstance(decision, int):
            self.deadline_ns = now_ns + decision * NS_PER_S
            return
        if decision == "terminate":
            self._end_stream()
        elif self._session:
            self._discard(hands_on=False)
        self._last_pts_ns = None
        self.is_live = False

    def _encode(self, frame: ModelFrame) -> None:
        last_ns, self._last_pts_ns = self._last_pts_ns, frame.pts_ns
        if last_ns is not None and frame.pts_ns <= last_ns:
            self.events.append(("reset", "pts_decreased", last_ns, frame.pts_ns))
            self._end_session()
            self._last_pts_ns = frame.pts_ns
            if self.laws.sends_eos:
                self.events.append(("encoded", "eos"))
        if frame.flaw == "size":
            self._lose("input", frame)
            return
        session = self._session = self._session or Session(self.spec.size_wh)
        session.count += 1
        is_keyframe, self._wants_keyframe = session.count == 1 or self._wants_keyframe, False
        if session.count - 1 in self.laws.fails_on:
            self._discard()
            self._lose("encode", frame)
            return
        self.keyframes[frame.number] = is_keyframe
        session.held.append(frame)
        if sum(held.number not in session.slots for held in session.held) > self.laws.delay:
            self._deliver("encoded", session.held.pop(0), session.size_wh)
            while session.held and session.held[0].number in session.slots:
                first = session.held.pop(0)
                self._deliver(session.slots[first.number], first, SOURCE_WH)

    def _end_stream(self) -> None:
        self._end_session()
        self.events.append(("bypass" if self.spec.mode == "bypass" else "encoded", "eos"))

    def _end_session(self) -> None:
        session, self._session, self._last_pts_ns = self._session, None, None
        for frame in session.held if session else []:
            slot = session.slots.get(frame.number)
            self._deliver(slot or "encoded", frame, SOURCE_WH if slot else session.size_wh)

    def _discard(self, *, hands_on: bool = True) -> None:
        session, self._session = self._session, None
        for frame in session.held if session else []:
            if hands_on and frame.number in session.slots:
                self._deliver(session.slots[frame.number], frame, SOURCE_WH)
            else:
                self._lose("flush", frame)

    def _deliver(self, slot: str, frame: ModelFrame, size_wh: SizeWH) -> None:
        self.events.append((slot, frame.number, size_wh))
        if frame.flaw == "raises":
            self.events.append(("error", f"on_{slot}_frame", frame.number, size_wh))
        self.counts["out"] += 1

    def _lose(self, stage: str, frame: ModelFrame) -> None:
        self.events.append(("error", stage, frame.number, SOURCE_WH))
        self.counts["error"] += 1
