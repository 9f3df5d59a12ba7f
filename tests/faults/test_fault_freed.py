"""After ``shutdown()`` an engine keeps nothing of the user's alive, however it came to its end."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from faults_kit import Gate, bypass_spec, drawn_spec, encode_spec, join_engine_threads, send

from picasso.engine import Callbacks, EvictionDecision, GeneralSpec, PicassoEngine, lifetime
from picasso.errors import EngineError
from picasso.testing import FakeClock, MemoryEncoder, MemoryEncoders


class App:
    """Holds its engine, and is held by its engine's callbacks."""

    def __init__(self, **engine: Any) -> None:
        self.encoders = MemoryEncoders()
        callbacks = Callbacks(on_encoded_frame=self.take, on_bypass_frame=self.take, on_eviction=self.decide)
        self.engine = PicassoEngine(GeneralSpec(), callbacks, encoder_factory=self.open, **engine)
        self.came = threading.Event()

    def open(self, config: Any) -> MemoryEncoder:
        return self.encoders(config)

    def take(self, _: object) -> None:
        self.came.set()

    def decide(self, _: str) -> EvictionDecision:
        return EvictionDecision.terminate()


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def end_by_shutdown(app: App) -> None:
    app.engine.shutdown()


def end_by_block(app: App) -> None:
    with app.engine:
        pass


def end_after_removal(app: App) -> None:
    app.engine.remove_source_spec("a")
    app.engine.shutdown()


def end_given_up(app: App) -> None:
    app.engine.shutdown(timeout=0)
    app.engine.shutdown()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("end", [end_by_shutdown, end_by_block, end_after_removal, end_given_up])
@pytest.mark.parametrize("spec", [bypass_spec, encode_spec, drawn_spec])
def test_an_application_whose_methods_are_callbacks_goes_with_its_last_reference(
    end: Callable[[App], None], spec: Callable[[], Any]
) -> None:
    """By counting references alone: the collector is off."""
    app = App()
    app.engine.set_source_spec("a", spec())
    send(app.engine)
    end(app)
    join_engine_threads()
    watched, engine = weakref.ref(app), weakref.ref(app.engine)
    del app
    assert (watched(), engine()) == (None, None)


def test_an_application_that_a_callback_shut_down_goes_too() -> None:
    class Ending(App):
        def take(self, output: object) -> None:
            self.engine.shutdown()
            super().take(output)

    app = Ending()
    app.engine.set_source_spec("a", bypass_spec())
    send(app.engine)
    assert app.came.wait(20)
    join_engine_threads()
    watched = weakref.ref(app)
    del app
    gc.collect()
    assert watched() is None


def test_nothing_of_ended_engines_stays_in_any_registry() -> None:
    running, finalizers = len(lifetime._running), len(weakref.finalize._registry)  # type: ignore[attr-defined]
    for _ in range(5):
        app = App()
        app.engine.set_source_spec("a", bypass_spec())
        app.engine.shutdown()
        del app
    gc.collect()
    assert len(lifetime._running) == running
    assert len(weakref.finalize._registry) == finalizers  # type: ignore[attr-defined]


def test_an_engine_that_gets_no_thread_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    class Taker:
        def take(self, _: object) -> None: ...

    taker = Taker()
    running = len(lifetime._running)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(EngineError, match="the engine gets no thread: can't start new thread"):
            PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=taker.take))
    watched = weakref.ref(taker)
    del taker
    gc.collect()
    assert watched() is None
    assert len(lifetime._running) == running


@pytest.mark.parametrize("way", ["evicted", "removed", "ended"])
def test_encoders_go_when_their_source_does_and_the_engine_lives_on(way: str, clock: FakeClock) -> None:
    app = App(clock=clock)
    app.engine.set_source_spec("a", drawn_spec())
    send(app.engine)
    assert app.came.wait(20)
    (opened,) = app.encoders.opened
    encoder = weakref.ref(opened)
    del opened
    app.encoders.opened.clear()
    if way == "removed":
        app.engine.remove_source_spec("a")
    elif way == "ended":
        app.engine.send_eos("a")
        app.engine.set_source_spec("a", bypass_spec())
        app.came.clear()
        send(app.engine, 1)
        assert app.came.wait(20)
    else:
        worker = app.engine._core._live["a"].worker
        clock.wait_for_sleepers(1)
        clock.advance(60)
        worker.join()
        del worker
    gc.collect()
    assert encoder() is None
    app.engine.shutdown()


def test_what_a_stuck_source_held_goes_when_its_callback_returns() -> None:
    gate, taken = Gate(), []

    class Taker:
        def take(self, _: object) -> None:
            taken.append(1)
            gate.wait()

    taker = Taker()
    engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=taker.take))
    engine.set_source_spec("a", bypass_spec())
    send(engine)
    assert gate.entered.wait(20)
    watched = weakref.ref(taker)
    del taker
    engine.shutdown(timeout=0)
    gate.open()
    join_engine_threads()
    gc.collect()
    assert watched() is None
    assert taken == [1]
