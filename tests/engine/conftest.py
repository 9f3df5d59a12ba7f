"""The plugin's doubles under short names, and the proof that no thread outlives a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_kit import picasso_threads

from picasso.engine import PicassoEngine
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks
from picasso.testing.plugin import MakeEngine
from picasso_kernels.cpu.compile import prepare
from picasso_kernels.cpu.entries import ENTRIES


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    """A first frame waits for the compiler, which on a busy machine takes longer than a test waits for a frame."""
    prepare(*ENTRIES)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    assert picasso_threads() == []
    yield
    assert picasso_threads() == []


@pytest.fixture
def recorder(recording_callbacks: RecordingCallbacks) -> RecordingCallbacks:
    return recording_callbacks


@pytest.fixture
def clock(fake_clock: FakeClock) -> FakeClock:
    return fake_clock


@pytest.fixture
def encoders(memory_encoder: MemoryEncoders) -> MemoryEncoders:
    return memory_encoder


@pytest.fixture
def make_engine(picasso_engine: MakeEngine) -> MakeEngine:
    return picasso_engine


@pytest.fixture
def engine(make_engine: MakeEngine) -> PicassoEngine:
    return make_engine()
