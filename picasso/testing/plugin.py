"""The pytest plugin: fixtures, a check for leaked threads, frames per second beside pytest-benchmark.

pytest loads it by its entry point, as ``picasso``; ``-p no:picasso`` keeps it out. It loads no codec, no compiler and
no hypothesis.

- ``fake_clock``, ``recording_callbacks``, ``memory_encoder``: fresh doubles for each test.
- ``picasso_engine``: makes engines over those three, and shuts them down at the end of the test.
- ``no_leaked_threads``: fails a test that leaves a thread of an engine behind. A test asks for it by name, by the mark
  of that name, or ``--picasso-leaks`` (or ``picasso_leaks = true`` in the configuration) does for all tests.
- ``throughput``: measures a function with pytest-benchmark and writes down frames per second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from picasso.engine import GeneralSpec, PicassoEngine
from picasso.errors import MissingDependencyError
from picasso.testing.callbacks import RecordingCallbacks
from picasso.testing.clock import FakeClock
from picasso.testing.encoder import MemoryEncoders

GRACE_S = 2.0
"""How long a thread may take to go once its test is over: an engine that no one holds shuts down by itself."""

_figures: pytest.StashKey[list[tuple[str, float]]] = pytest.StashKey()


class MakeEngine(Protocol):
    """What the fixture ``picasso_engine`` gives."""

    def __call__(self, *slots: str, **general: Any) -> PicassoEngine:
        """Make an engine over the test's doubles.

        Args:
            *slots: Callbacks to fill; by default all but ``on_eviction``, as ``RecordingCallbacks.callbacks`` says.
            **general: Fields of ``GeneralSpec``.
        """


class Throughput(Protocol):
    """What the fixture ``throughput`` gives."""

    def __call__(self, function: Callable[..., object], *arguments: Any, frames: int = 1) -> float:
        """Measure ``function(*arguments)`` and return frames per second, by the median; NaN when benchmarks are off.

        Args:
            function: What to measure.
            *arguments: Handed to it.
            frames: How many frames one call works on.
        """


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and its setting."""
    what = "fail tests that leave threads of an engine behind"
    parser.getgroup("picasso").addoption("--picasso-leaks", action="store_true", help=what)
    parser.addini("picasso_leaks", what, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", "no_leaked_threads: the test fails if it leaves threads of an engine behind")
    config.stash[_figures] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the threads checked around every other fixture of the tests that ask for it."""
    everywhere = config.getoption("--picasso-leaks") or config.getini("picasso_leaks")
    for item in items:
        names = getattr(item, "fixturenames", None)
        if names is not None and (everywhere or item.get_closest_marker("no_leaked_threads")):
            names[:] = ["no_leaked_threads", *(name for name in names if name != "no_leaked_threads")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the frames per second of this run."""
    figures = config.stash[_figures]
    if figures:
        terminalreporter.section("picasso throughput")
        for name, frames_per_s in figures:
            terminalreporter.write_line(f"{frames_per_s:12,.1f} frames/s  {name}")


@pytest.fixture
def fake_clock() -> FakeClock:
    """Time that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def recording_callbacks() -> RecordingCallbacks:
    """Callbacks that write down every call."""
    return RecordingCallbacks()


@pytest.fixture
def memory_encoder() -> MemoryEncoders:
    """An encoder factory whose encoders remember instead of encoding."""
    return MemoryEncoders()


@pytest.fixture
def picasso_engine(
    recording_callbacks: RecordingCallbacks, fake_clock: FakeClock, memory_encoder: MemoryEncoders
) -> Iterator[MakeEngine]:
    """Make engines over the doubles; they are shut down at the end of the test."""
    engines: list[PicassoEngine] = []

    def make(*slots: str, **general: Any) -> PicassoEngine:
        callbacks = recording_callbacks.callbacks(*slots)
        made = PicassoEngine(GeneralSpec(**general), callbacks, clock=fake_clock, encoder_factory=memory_encoder)
        engines.append(made)
        return made

    yield make
    for engine in engines:
        engine.shutdown()


@pytest.fixture
def no_leaked_threads() -> Iterator[None]:
    """Fail the test if threads of an engine are left that were not there before it."""
    before = set(threading.enumerate())
    yield
    deadline_s = time.monotonic() + GRACE_S
    left = []
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("picasso-"):
            thread.join(max(deadline_s - time.monotonic(), 0))
            if thread.is_alive():
                left.append(thread.name)
    if left:
        pytest.fail(f"threads are left behind: {', '.join(sorted(left))}; is an engine not shut down?", pytrace=False)


@pytest.fixture
def throughput(request: pytest.FixtureRequest) -> Throughput:
    """Measure with pytest-benchmark, and count in frames per second."""
    if not request.config.pluginmanager.hasplugin("benchmark"):
        raise MissingDependencyError("throughput needs pytest-benchmark; pip install 'picasso-engine[test]'")
    benchmark = request.getfixturevalue("benchmark")

    def measure(function: Callable[..., object], *arguments: Any, frames: int = 1) -> float:
        benchmark(function, *arguments)
        if benchmark.stats is None:  # --benchmark-disable
            return float("nan")
        frames_per_s = frames / float(benchmark.stats.stats.median)
        benchmark.extra_info["frames_per_s"] = frames_per_s
        request.config.stash[_figures].append((request.node.nodeid, frames_per_s))
        return frames_per_s

    return measure
