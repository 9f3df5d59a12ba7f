"""The plugin's doubles under short names, and the proof that no thread outlives a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_kit import picasso_threads

from picasso.engine import PicassoEngine
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks
from picasso.testing.plugin import MakeEngine


@pytest.fixture(scope="session", autouse=True)
def _no_first_frame_waits_for_a_compiler(compiled_kernels: None) -> None:
    """On a busy machine it takes longer than a test waits for a frame."""


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
