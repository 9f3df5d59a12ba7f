"""The pytest plugin, as a project of its user's sees it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from picasso.engine import CodecSpec, SourceSpec
from picasso.testing.plugin import MakeEngine

pytest_plugins = ["pytester"]

LEAKS = """
import threading
import pytest

gate = threading.Event()

def leak(name):
    threading.Thread(target=gate.wait, name="picasso-" + name, daemon=True).start()

def test_nobody_asks():
    leak("silent")

@pytest.mark.no_leaked_threads
def test_a_mark_asks():
    leak("marked")

def test_a_fixture_asks(no_leaked_threads):
    leak("fixed")
"""
LITTLE_PATIENCE = "import picasso.testing.plugin\npicasso.testing.plugin.GRACE_S = 0.05"


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers", *arguments)


def test_a_leaked_thread_is_named_where_a_test_asks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LEAKS)
    pytester.makeconftest(LITTLE_PATIENCE)
    result = run(pytester)
    result.assert_outcomes(passed=3, errors=2)
    for name in ("marked", "fixed"):
        result.stdout.fnmatch_lines([f"*threads are left behind: picasso-{name}; is an engine not shut down?*"])


def test_the_check_can_be_asked_for_everywhere(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LEAKS)
    pytester.makeconftest(LITTLE_PATIENCE)
    pytester.makeini("[pytest]\npicasso_leaks = true")
    run(pytester).assert_outcomes(passed=3, errors=3)


def test_the_fixtures_work_together(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # pytest-benchmark measures nothing in a worker
    pytester.makepyfile(
        """
        from picasso import CodecSpec, SourceSpec

        def test_engine(picasso_engine, recording_callbacks, fake_clock, memory_encoder):
            engine = picasso_engine(inflight_queue_size=3)
            engine.set_source_spec("cam", SourceSpec(CodecSpec.bypass()))
            engine.send_eos("cam")
            assert recording_callbacks.wait_for("on_bypass_frame")[0].is_sentinel
            fake_clock.wait_for_sleepers(1)
            fake_clock.advance(30)

        def test_speed(throughput, benchmark):
            frames_per_s = throughput(sum, range(1000), frames=4)
            assert benchmark.extra_info["frames_per_s"] == frames_per_s > 0
        """
    )
    result = run(pytester, "--picasso-leaks", "--benchmark-max-time=0.01", "--benchmark-min-rounds=1")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*picasso throughput*", "*frames/s  test_the_fixtures_work_together.py::test_speed"])


def test_throughput_names_what_it_needs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_speed(throughput): pass")
    result = run(pytester, "-p", "no:benchmark")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*MissingDependencyError: *pip install 'picasso-engine?test?'*"])


def test_the_plugin_is_light() -> None:
    heavy = ["numba", "av", "skia", "hypothesis"]
    code = f"import sys, picasso.testing.plugin; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.no_leaked_threads
def test_the_fixtures_are_here_too(picasso_engine: MakeEngine, recording_callbacks) -> None:
    engine = picasso_engine("on_encoded_frame")
    engine.set_source_spec("cam", SourceSpec(CodecSpec.drop_frames()))
    engine.send_eos("cam")
    assert recording_callbacks.wait_for("on_encoded_frame")[0].is_sentinel
