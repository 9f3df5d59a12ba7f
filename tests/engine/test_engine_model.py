"""The engine against its model: any sequence of calls, over several sources, with time that moves when it is told to.

What must agree after any of them: every call of every callback, in order, source by source; every counter; and that no
thread is left. ``just model`` tries many more sequences than the suite does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from engine_kit import picasso_threads
from engine_model import SOURCE_WH, Event, Laws, ModelFrame, ModelSpec, SourceModel
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from picasso.encode import Codec, EncoderConfig
from picasso.engine import (
    CodecSpec,
    ConditionalSpec,
    DropReason,
    EvictionDecision,
    GeneralSpec,
    OverflowPolicy,
    PicassoEngine,
    PtsResetPolicy,
    SourceSpec,
)
from picasso.engine.clock import Bell
from picasso.errors import FrameInFlightError, ShutDownError
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView
from picasso.testing import Call, FakeClock, MemoryEncoders, RecordingCallbacks
from picasso.transform import TransformConfig

SLOTS = ["on_encoded_frame", "on_bypass_frame", "on_eviction", "on_stream_reset", "on_error"]
OUTLETS = {"on_encoded_frame": "encoded", "on_bypass_frame": "bypass", "on_gated_frame": "gated"}
PIXELS = np.zeros((SOURCE_WH[1], SOURCE_WH[0], 4), np.uint8)
GATE = ("gate", "open")
SOURCES = ["a", "b", "c"]
FLOODED = "flooded"
NEVER_S = 10**9
PATIENCE_S = 300
"""The first frame of all may have to wait for the compiler."""

sources = st.sampled_from(SOURCES)
specs = st.builds(
    ModelSpec,
    st.sampled_from(["encode", "encode", "encode", "bypass", "pass", "drop"]),
    st.sampled_from([(16, 16), (32, 16)]),
    st.sampled_from([30, 25]),
    st.sampled_from([False, False, True]),
    st.sampled_from([None, 5, 60]),
)
steps = st.sampled_from([1, 1, 1, 2, 7, 0, -3])
"""From a timestamp to the next: most rise."""
flaws = st.sampled_from(["", "", "", "", "", "size", "raises"])
kinds = st.sampled_from(["pixels", "pixels", "pixels", "metadata", "payload"])
a_frame = st.tuples(steps, st.sampled_from([True, True, False]), flaws, kinds)
Shot = tuple[int, bool, str, str]
bursts = st.lists(a_frame, min_size=1, max_size=5)
"""Frames in a row: step of the timestamp, whether it passes the gate, flaw, what comes with it."""
decisions = st.sampled_from(["terminate", "terminate_immediately", 1, 40])
messages = st.lists(a_frame | st.just("eos") | specs, min_size=2, max_size=8)
"""Frames, ends of stream and specs in any order."""


class HoldingClock:
    """Time that stands still, and workers that sleep on although their bell was rung: their queues fill up."""

    def __init__(self) -> None:
        self.fake = FakeClock()
        self.now_ns = self.fake.now_ns
        self._may_go = threading.Event()
        self._may_go.set()

    def wait(self, bell: Bell, deadline_ns: int | None) -> None:
        self.fake.wait(bell, deadline_ns)
        if threading.current_thread().name.startswith("picasso-"):
            assert self._may_go.wait(PATIENCE_S)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._may_go.clear()
        try:
            yield
        finally:
            self._may_go.set()


def real_spec(spec: ModelSpec) -> SourceSpec:
    makers = {"drop": CodecSpec.drop_frames, "bypass": CodecSpec.bypass, "pass": CodecSpec.pass_through}
    codec = makers.get(spec.mode)
    encoder = EncoderConfig(Codec.RAW_RGBA, *spec.size_wh).fps(spec.fps, 1)
    return SourceSpec(
        codec() if codec else CodecSpec.encode(TransformConfig(), encoder),
        ConditionalSpec(encode_attribute=GATE if spec.gated else None),
        idle_timeout_secs=spec.idle_s,
    )


class EngineMachine(RuleBasedStateMachine):
    """Does everything to the engine and to the model, and compares."""

    @initialize(
        laws=st.builds(
            Laws,
            st.booleans(),
            st.integers(0, 2),
            st.frozensets(st.integers(0, 3), max_size=1),
            st.booleans(),
            st.booleans(),
        ),
        queue_size=st.integers(1, 3),
        overflow=st.sampled_from([OverflowPolicy.DROP_OLDEST, OverflowPolicy.DROP_NEWEST]),
        first_specs=st.tuples(specs, specs, specs),
    )
    def start(
        self, laws: Laws, queue_size: int, overflow: OverflowPolicy, first_specs: tuple[ModelSpec, ...] = ()
    ) -> None:
        self.is_open = True
        self.holding_clock, self.recorder = HoldingClock(), RecordingCallbacks()
        self.clock = self.holding_clock.fake
        self.queue_size = queue_size
        self.decisions: dict[str, str | int] = {}
        self.recorder.on = {
            "on_eviction": self._decide,
            "on_encoded_frame": self._receive,
            "on_bypass_frame": self._receive,
            "on_gated_frame": self._receive,
        }
        policy = PtsResetPolicy
        reset = policy.eos_on_decreasing_pts() if laws.sends_eos else policy.recreate_on_decreasing_pts()
        encoders = MemoryEncoders(delay=laws.delay, fails_on=laws.fails_on, live_changes=laws.live_changes)
        self.engine = PicassoEngine(
            GeneralSpec(inflight_queue_size=queue_size, pts_reset_policy=reset),
            self.recorder.callbacks(*SLOTS, *(["on_gated_frame"] if laws.takes_gated else [])),
            clock=self.holding_clock,
            encoder_factory=encoders,
        )
        self.models = {name: SourceModel(laws) for name in SOURCES}
        self.pts_ns = dict.fromkeys([*SOURCES, FLOODED], 0)
        self.frames: list[VideoFrame] = []
        self.numbers: dict[int, int] = {}
        self.kinds: list[str] = []
        self.raising: set[int] = set()
        self.flood_counts = {"sent": 0, "sentinels": 0}
        spec = SourceSpec(CodecSpec.bypass(), idle_timeout_secs=NEVER_S, overflow=overflow)
        self.engine.set_source_spec(FLOODED, spec)
        for source, first_spec in zip(SOURCES, first_specs, strict=False):
            self.set_spec(source, first_spec)

    # What may happen

    @rule(source=sources, spec=specs)
    def set_spec(self, source: str, spec: ModelSpec) -> None:
        if self._call(lambda: self.engine.set_source_spec(source, real_spec(spec))):
            self.models[source].set_spec(spec, self.clock.now_ns())

    @rule(source=sources, frames=bursts)
    def send(self, source: str, frames: list[Shot]) -> None:
        for step, passes, flaw, kind in frames:
            frame = self._new_frame(source, step, passes=passes, flaw=flaw, kind=kind)
            pixels = PIXELS[:-2] if flaw == "size" else PIXELS
            if self._call(lambda frame=frame, pixels=pixels: self._send(source, frame, pixels)):
                self.models[source].send(frame, self.clock.now_ns())

    @precondition(lambda self: self.is_open and self.frames)
    @rule(source=sources, choice=st.integers(0, 10**6))
    def send_again(self, source: str, choice: int) -> None:
        """A frame that an encoder holds is refused; every other one is free."""
        self._settle()
        number = choice % len(self.frames)
        held = {frame.number for model in self.models.values() for frame in self._held(model)}
        assert self.frames[number].is_claimed == (number in held)
        if number in held:
            with pytest.raises(FrameInFlightError):
                self.engine.send_frame(source, self.frames[number], SurfaceView.wrap(PIXELS))

    @rule(source=sources)
    def request_keyframe(self, source: str) -> None:
        if self._call(lambda: self.engine.request_keyframe(source)):
            self.models[source].request_keyframe(self.clock.now_ns())

    @rule(source=sources)
    def send_eos(self, source: str) -> None:
        if self._call(lambda: self.engine.send_eos(source)):
            self.models[source].send_eos(self.clock.now_ns())

    @rule(source=sources, first=bursts, second=bursts, spec=st.none() | specs)
    def send_two_streams(
        self,
        source: str,
        first: list[Shot],
        second: list[Shot],
        spec: ModelSpec | None,
    ) -> None:
        """Without a pause: the second begins at 0 again, under another spec maybe."""
        self.send(source, first)
        self.send_eos(source)
        self.pts_ns[source] = 0
        if spec:
            self.set_spec(source, spec)
        self.send(source, second)

    @precondition(lambda self: self.is_open)
    @rule(source=sources, messages=messages)
    def send_while_it_sleeps(self, source: str, messages: list[Shot | str | ModelSpec]) -> None:
        """The worker finds all of them in its queue at once, and nothing has overtaken anything."""
        room = self.queue_size
        self._settle()
        with self.holding_clock.held():
            for message in messages:
                if message == "eos":
                    self.send_eos(source)
                elif isinstance(message, ModelSpec):
                    self.set_spec(source, message)
                elif room:
                    room -= 1
                    self.send(source, [message])

    @rule(source=sources, successor=st.none() | specs)
    def remove(self, source: str, successor: ModelSpec | None) -> None:
        """A source that is removed begins again: without a spec, or with another one."""
        if self._call(lambda: self.engine.remove_source_spec(source)):
            self.models[source].remove()
            if successor:
                self.set_spec(source, successor)

    @rule(count=st.integers(1, 12), ends=st.booleans())
    def flood(self, count: int, ends: bool) -> None:
        """More than the queue may hold: some are discarded, and counted."""
        for _ in range(count):
            frame = self._new_frame(FLOODED, 1)
            self.flood_counts["sent"] += self._call(lambda frame=frame: self._send(FLOODED, frame, PIXELS))
        if ends:
            self.flood_counts["sentinels"] += self._call(lambda: self.engine.send_eos(FLOODED))

    @precondition(lambda self: self.is_open)
    @rule(seconds=st.sampled_from([1, 5, 30, 60]), chosen=st.tuples(decisions, decisions, decisions))
    def let_time_pass(self, seconds: int, chosen: tuple[str | int, ...]) -> None:
        self._settle()
        self.decisions = dict(zip(SOURCES, chosen, strict=True))
        workers = {name: live.worker for name, live in self.engine._core._live.items()}
        self.clock.advance(seconds)
        now_ns = self.clock.now_ns()
        for name, model in self.models.items():
            if model.is_live and model.deadline_ns <= now_ns:
                model.evict(self.decisions[name], now_ns)
                if not model.is_live:
                    workers[name].join()
        self._settle()  # those that are kept have been asked
        self._compare()

    @rule()
    def compare(self) -> None:
        if self.is_open:
            self._settle()
        self._compare()

    @precondition(lambda self: self.is_open and len(self.frames) >= 60)
    @rule()
    def shut_down(self) -> None:
        """Everything that was sent is dealt with, and everything else refused. Not too early: it ends a history."""
        self.engine.shutdown()
        self.is_open = False
        for model in self.models.values():
            model.shut_down()
        self._compare()

    @invariant()
    def an_engine_that_is_shut_down_has_no_threads(self) -> None:
        assert self.is_open or picasso_threads() == []

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            if self.is_open:
                self.shut_down()
            self.engine.shutdown()

    # How it is done

    def _call(self, do: Callable[[], object]) -> bool:
        """Do it if the engine is open; otherwise it must refuse."""
        if self.is_open:
            do()
        else:
            with pytest.raises(ShutDownError):
                do()
        return self.is_open

    def _new_frame(
        self, source: str, step: int, *, passes: bool = True, flaw: str = "", kind: str = "pixels"
    ) -> ModelFrame:
        pts_ns = self.pts_ns[source] = max(self.pts_ns[source] + step, 0)
        number = len(self.frames)
        frame = VideoFrame(source, "30/1", *SOURCE_WH, time_base=(1, 10**9), pts=pts_ns)
        if passes:
            frame.set_persistent_attribute(*GATE)
        self.frames.append(frame)
        self.numbers[id(frame)] = number
        self.kinds.append(kind)
        if flaw == "raises":
            self.raising.add(id(frame))
        return ModelFrame(number, pts_ns, passes, flaw, kind)

    def _send(self, source: str, frame: ModelFrame, pixels: np.ndarray) -> None:
        sent = self.frames[frame.number]
        if frame.kind == "pixels":
            self.engine.send_frame(source, sent, SurfaceView.wrap(pixels))
        elif frame.kind == "payload":
            self.engine.send_payload(source, sent, b"payload %d" % frame.number, keyframe=frame.number % 2 == 0)
        else:
            self.engine.send_metadata(source, sent)

    def _decide(self, source: str) -> EvictionDecision:
        decision = self.decisions[source]
        if isinstance(decision, int):
            return EvictionDecision.keep_for(decision)
        return EvictionDecision.terminate() if decision == "terminate" else EvictionDecision.terminate_immediately()

    def _receive(self, output) -> None:
        if output.is_video_frame and id(output.as_video_frame()) in self.raising:
            raise RuntimeError("told to raise")

    def _settle(self) -> None:
        """Wait until every worker has dealt with all it was sent, and sleeps."""
        workers = [live.worker for live in self.engine._core._live.values()]

        def all_sleep() -> bool:
            return all(w.inbox._reader_waits and w._thread.ident in self.clock._sleepers for w in workers)

        with self.clock._changed:
            assert self.clock._changed.wait_for(all_sleep, timeout=PATIENCE_S)

    def _event(self, call: Call) -> Event:
        first, *rest = call.arguments
        match call.slot:
            case "on_eviction":
                return ("eviction",)
            case "on_stream_reset":
                return "reset", rest[0].kind, rest[0].last_pts_ns, rest[0].new_pts_ns
            case "on_error":
                stage, _, frame = rest
                return "error", str(stage), self.numbers[id(frame)], (frame.width, frame.height)
        slot = OUTLETS[call.slot]
        if first.is_eos:
            return slot, "eos"
        frame = first.as_video_frame()
        assert first.is_metadata_only == (slot == "gated" or self.kinds[self.numbers[id(frame)]] == "metadata")
        return slot, self.numbers[id(frame)], (frame.width, frame.height)

    def _compare(self) -> None:
        stats = self.engine.stats().sources
        for name, model in self.models.items():
            assert [self._event(call) for call in self.recorder.calls(source_id=name)] == model.events
            assert (name in stats) == model.is_known
            if model.is_known:
                found, counts = stats[name], model.counts
                expected = (counts["in"], counts["out"], counts["spec"], counts["gate"], counts["error"], 0)
                reasons = (DropReason.SPEC, DropReason.GATE, DropReason.ERROR, DropReason.OVERFLOW)
                assert (found.frames_in, found.frames_out, *(found.dropped[r] for r in reasons)) == expected
                assert (found.last_out_ns is None) == (found.frames_out == 0)
                assert found.frames_in == found.frames_out + sum(found.dropped.values()) + self._in_encoder(model)
            for output in self.recorder.outputs(name):
                if output.is_video_frame and output.as_video_frame().content.is_internal():
                    frame = output.as_video_frame()
                    number = self.numbers[id(frame)]
                    if self.kinds[number] == "payload":
                        assert frame.content.get_data() == b"payload %d" % number
                        assert frame.keyframe == (number % 2 == 0)
                    else:
                        assert frame.keyframe == model.keyframes[number]
        self._compare_flood(stats)

    def _in_encoder(self, model: SourceModel) -> int:
        return len(self._held(model))

    def _held(self, model: SourceModel) -> list[ModelFrame]:
        return model._session.held if model._session else []

    def _compare_flood(self, stats) -> None:
        calls = self.recorder.calls("on_bypass_frame", source_id=FLOODED)
        times = [call.arguments[0].as_video_frame().pts for call in calls if not call.is_sentinel]
        assert times == sorted(set(times))
        assert sum(call.is_sentinel for call in calls) == self.flood_counts["sentinels"]
        dropped = stats[FLOODED].dropped[DropReason.OVERFLOW]
        assert len(times) + dropped == stats[FLOODED].frames_in == self.flood_counts["sent"]


TestEngineModel = pytest.mark.timeout(600)(EngineMachine.TestCase)
TestEngineModel.settings = settings(max_examples=4 * settings.default.max_examples, stateful_step_count=30)
