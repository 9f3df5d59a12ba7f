"""The end: shutdown, deadlines, garbage collection, the interpreter's exit, forks."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_kit import bypass_spec, encode_spec, make_frame, make_pixels, picasso_threads, send

from picasso.engine import GeneralSpec, PicassoEngine, SourceSpec
from picasso.engine.clock import Bell, MonotonicClock
from picasso.errors import EngineError, ShutDownError
from picasso.surface import SurfaceView
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks

KIT = Path(__file__).parent


def join_all_picasso_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("picasso-"):
            thread.join(10)
            assert not thread.is_alive()


def test_an_engine_says_whether_it_runs(engine: PicassoEngine) -> None:
    assert repr(engine) == "PicassoEngine(running)"
    engine.shutdown()
    assert repr(engine) == "PicassoEngine(shut_down)"


def test_the_watchdog_lives_from_construction_to_shutdown(engine: PicassoEngine) -> None:
    assert picasso_threads() == ["picasso-watchdog"]
    engine.shutdown()
    assert picasso_threads() == []


def test_shutdown_delivers_what_was_sent_and_may_be_repeated(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.delay = 3
    engine.set_source_spec("a", encode_spec())
    for pts in range(6):
        send(engine, pts)
    engine.shutdown()
    assert recorder.pts_ns() == list(range(6))
    engine.shutdown()
    engine.shutdown(timeout=0)


@pytest.mark.parametrize(
    "call",
    [
        lambda engine: engine.set_source_spec("a", SourceSpec()),
        lambda engine: engine.remove_source_spec("a"),
        lambda engine: engine.send_eos("a"),
        lambda engine: engine.request_keyframe("a"),
        send,
    ],
    ids=["set_source_spec", "remove_source_spec", "send_eos", "request_keyframe", "send_frame"],
)
def test_after_shutdown_everything_else_raises(engine: PicassoEngine, call: Callable[[PicassoEngine], object]) -> None:
    engine.set_source_spec("a", SourceSpec())
    engine.shutdown()
    with pytest.raises(RuntimeError, match="engine is shut down"):
        call(engine)
    assert engine.stats().sources["a"].frames_in == 0


def test_after_shutdown_a_surface_is_not_consumed(engine: PicassoEngine) -> None:
    engine.shutdown()
    surface = make_pixels()
    with pytest.raises(ShutDownError):
        engine.send_frame("a", make_frame(), surface)
    assert surface


def test_a_with_block_shuts_down_at_its_end(recorder: RecordingCallbacks) -> None:
    with PicassoEngine(GeneralSpec(), recorder.callbacks()) as engine:
        engine.set_source_spec("a", bypass_spec())
        send(engine, 1)
    assert recorder.pts_ns() == [1]
    with pytest.raises(ShutDownError):
        send(engine)


def test_a_with_block_shuts_down_after_an_error_too(recorder: RecordingCallbacks) -> None:
    def fail_inside() -> None:
        with PicassoEngine(GeneralSpec(), recorder.callbacks()) as engine:
            engine.set_source_spec("a", bypass_spec())
            send(engine, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert recorder.pts_ns() == [1]


def test_sends_that_race_with_shutdown_are_processed_or_refused(recorder: RecordingCallbacks) -> None:
    for _ in range(20):
        accepted: list[int] = []
        refused: list[SurfaceView] = []
        with PicassoEngine(GeneralSpec(inflight_queue_size=2), recorder.callbacks()) as engine:
            engine.set_source_spec("a", bypass_spec())

            def feed(
                engine: PicassoEngine = engine, accepted: list[int] = accepted, refused: list[SurfaceView] = refused
            ) -> None:
                for pts in range(10**9):
                    surface = make_pixels()
                    try:
                        engine.send_frame("a", make_frame(pts), surface)
                    except ShutDownError:
                        refused.append(surface)
                        return
                    accepted.append(pts)

            thread = threading.Thread(target=feed)
            thread.start()
            recorder.wait_for("on_bypass_frame", 20)
        thread.join(10)
        assert recorder.pts_ns() == accepted
        assert all(refused), "a frame that was refused leaves its surface to the caller"
        assert len(refused) == 1
        assert recorder.errors() == []
        recorder._calls.clear()


def test_concurrent_shutdowns_all_wait_for_the_callbacks(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine, opened, returned = make_engine(), threading.Event(), []
    recorder.on["on_bypass_frame"] = lambda _: opened.wait(10)
    engine.set_source_spec("a", bypass_spec())
    send(engine)
    recorder.wait_for("on_bypass_frame")

    def shut_down() -> None:
        engine.shutdown()
        returned.append(opened.is_set())

    threads = [threading.Thread(target=shut_down) for _ in range(3)]
    for thread in threads:
        thread.start()
    opened.set()
    for thread in threads:
        thread.join(10)
    assert returned == [True] * 3


def test_shutdown_returns_at_its_deadline_and_reports_the_frames_it_gives_up(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    clock: FakeClock,
    encoders: MemoryEncoders,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One source is stuck in a callback, with frames queued and frames in its encoder; the other stops in time."""
    encoders.delay = 1
    engine, stuck = make_engine(), threading.Event()
    recorder.on["on_gpumat"] = lambda _, frame, *__: frame.pts == 1 and stuck.wait(10)
    engine.set_source_spec("stuck", encode_spec(use_on_gpumat=True))
    engine.set_source_spec("fine", bypass_spec())
    frames = [send(engine, pts, "stuck") for pts in range(4)]
    send(engine, 0, "fine")
    recorder.wait_for("on_gpumat", 2)
    closer = threading.Thread(target=engine.shutdown, kwargs={"timeout": 5})
    closer.start()
    recorder.wait_until(lambda calls: any(call.source_id == "fine" for call in calls))
    clock.wait_for_sleepers(1)
    clock.advance(5)
    closer.join(10)
    assert not closer.is_alive()
    assert [call.arguments[3] for call in recorder.calls("on_error")] == frames[2:]
    assert {stage for stage, _ in recorder.errors()} == {"queue"}
    assert "source 'stuck' did not stop in time" in caplog.text
    stuck.set()
    join_all_picasso_threads()
    lost = [call.arguments[3] for call in recorder.calls("on_error")]
    delivered = [output.as_video_frame() for output in recorder.outputs("stuck")]
    assert delivered + lost[2:] == frames[:2], "nothing of the encoder is lost without a word"
    assert recorder.pts_ns("fine") == [0]


def test_an_interrupted_shutdown_may_be_repeated(recorder: RecordingCallbacks) -> None:
    """Ctrl-C while it waits."""
    interrupts = iter([KeyboardInterrupt()])

    class InterruptedClock(MonotonicClock):
        __slots__ = ()

        def wait(self, bell: Bell, deadline_ns: int | None) -> None:
            if threading.current_thread() is threading.main_thread():
                for interrupt in interrupts:
                    raise interrupt
            super().wait(bell, deadline_ns)

    opened = threading.Event()
    recorder.on["on_bypass_frame"] = lambda _: opened.wait(10)
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks(), clock=InterruptedClock())
    engine.set_source_spec("a", bypass_spec())
    for pts in range(3):
        send(engine, pts)
    with pytest.raises(KeyboardInterrupt):
        engine.shutdown()
    opened.set()
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1, 2]


def test_removal_waits_until_the_source_is_done(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec())
    for pts in range(5):
        send(engine, pts)
    engine.remove_source_spec("a")
    assert recorder.pts_ns() == list(range(5))
    assert picasso_threads() == ["picasso-watchdog"]


def test_a_garbage_collected_engine_delivers_and_ends(recorder: RecordingCallbacks) -> None:
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks())
    engine.set_source_spec("a", bypass_spec())
    for pts in range(5):
        send(engine, pts)
    facade = weakref.ref(engine)
    del engine
    gc.collect()
    assert facade() is None
    join_all_picasso_threads()
    assert recorder.pts_ns() == list(range(5))


def test_an_engine_in_a_reference_cycle_is_collected_by_any_thread(recorder: RecordingCallbacks) -> None:
    """The collector may run the finaliser on a worker of another engine, in the middle of anything."""
    for _ in range(20):
        engine = PicassoEngine(GeneralSpec(), recorder.callbacks())
        engine.set_source_spec("a", bypass_spec())
        send(engine)
        cycle: list[object] = [engine]
        cycle.append(cycle)
        del engine, cycle
    recorder.on["on_bypass_frame"] = lambda _: gc.collect()
    with PicassoEngine(GeneralSpec(), recorder.callbacks()) as other:
        other.set_source_spec("b", bypass_spec())
        send(other, source_id="b")
    join_all_picasso_threads()
    assert len(recorder.pts_ns()) == 21


def run_python(code: str, *, expect: int = 0) -> str:
    """Run ``code`` in an interpreter of its own, with the kit of these tests."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(KIT), os.environ.get("PYTHONPATH", "")])}
    prelude = "from engine_kit import *\nfrom picasso.engine import *\nimport os, sys, threading\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + code],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_at_the_interpreters_exit_what_was_sent_is_delivered() -> None:
    out = run_python(
        "engine = PicassoEngine(GeneralSpec(inflight_queue_size=100), Callbacks(on_encoded_frame=lambda output:"
        " print(output.as_video_frame().pts)))\n"
        "engine.set_source_spec('a', encode_spec())\n"
        "for pts in range(20): send(engine, pts)\n"
    )
    assert out.split() == [str(pts) for pts in range(20)]


def test_a_program_that_dies_of_an_exception_still_delivers() -> None:
    code = (
        "engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=lambda output: print('out')))\n"
        "engine.set_source_spec('a', bypass_spec())\n"
        "send(engine)\n"
        "sys.exit(3)\n"
    )
    assert run_python(code, expect=3) == "out\n"


FORK = """
import warnings
warnings.simplefilter('ignore', DeprecationWarning)  # what 3.12 says of forks with threads
engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=lambda output: print('out', flush=True)))
engine.set_source_spec('a', bypass_spec())
send(engine)
child = os.fork()
if child == 0:
    for call in (lambda: send(engine), lambda: engine.send_eos('a'), lambda: engine.stats(),
                 lambda: engine.set_source_spec('a', SourceSpec()), lambda: engine.remove_source_spec('a')):
        try:
            call()
        except RuntimeError as error:
            assert 'make an engine after the fork' in str(error), error
        else:
            raise SystemExit('not refused')
    engine.shutdown()
    with PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=lambda output: print('child', flush=True))) as own:
        own.set_source_spec('b', bypass_spec())
        send(own, source_id='b')
    del engine
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
send(engine)
engine.shutdown()
"""


def test_a_forked_child_is_refused_and_the_parent_goes_on() -> None:
    assert sorted(run_python(FORK).split()) == ["child", "out", "out"]


def test_a_fork_refusal_is_an_engine_error_but_not_a_shutdown() -> None:
    assert issubclass(ShutDownError, EngineError)


def test_nothing_of_a_frame_outlives_its_delivery(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """Neither the worker nor the inbox keeps the last frame or its pixels while the source waits."""

    class Pixels(SurfaceView):
        __slots__ = ("__weakref__",)

    engine.set_source_spec("a", bypass_spec())
    pixels = make_pixels()
    watched = Pixels(pixels.planes, pixels.format, pixels.size_wh, None)
    engine.send_frame("a", make_frame(), watched)
    engine.send_eos("a")
    recorder.wait_for("on_bypass_frame", 2)
    alive = weakref.ref(recorder.outputs()[0].surface)
    recorder._calls.clear()
    engine.remove_source_spec("a")
    gc.collect()
    assert alive() is None
