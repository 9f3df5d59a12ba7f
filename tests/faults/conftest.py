"""Doubles for the tests of faults, and a look for threads left over.

A deadlock is proved by pytest-timeout: it ends every test of this suite after two minutes, and prints all stacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from faults_kit import drawn_spec, join_engine_threads, send

from picasso.engine import Callbacks, GeneralSpec, PicassoEngine
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks


@pytest.fixture(scope="session", autouse=True)
def _no_compiler_is_at_work(compiled_kernels: None) -> None:
    """No test waits for a compiler, and none is at work while descriptors and threads are counted."""
    with PicassoEngine(GeneralSpec(), Callbacks(), encoder_factory=MemoryEncoders()) as engine:
        engine.set_source_spec("a", drawn_spec())
        send(engine)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    join_engine_threads()


@pytest.fixture
def recorder() -> RecordingCallbacks:
    return RecordingCallbacks()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def encoders() -> MemoryEncoders:
    return MemoryEncoders()


@pytest.fixture
def make_engine(recorder: RecordingCallbacks, clock: FakeClock, encoders: MemoryEncoders) -> Iterator[Any]:
    """Make engines over the doubles, or over others; those still running are shut down at the end of the test."""
    engines: list[PicassoEngine] = []

    def make(**general: Any) -> PicassoEngine:
        doubles = {"clock": general.pop("clock", clock), "encoder_factory": general.pop("encoder_factory", encoders)}
        engine = PicassoEngine(GeneralSpec(**general), recorder.callbacks(), **doubles)
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.shutdown()


MakeEngine = Callable[..., PicassoEngine]
