"""Settings of the whole suite."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from process_state import process_state, put_back

# How long one example takes says more about the machine than about the code.
settings.register_profile("suite", deadline=None)
# The same examples in every automatic run: what it says is about the change, not about the draw.
settings.register_profile("automatic", deadline=None, derandomize=True)
# For a night: ``--hypothesis-profile=long``, see ``just model``.
settings.register_profile("long", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("automatic" if "CI" in os.environ else "suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-level", metavar="FOLDER", help="run the kernels built there at every level, and compare")
    parser.addoption("--cluster", action="store_true", help="run the tests that start Ray on this machine")
    parser.addoption("--record-calls", metavar="FILE", help="write calls of kernels there, see picasso_build.replay")
    parser.addoption("--njit", action="store_true", help="compile kernels by numba.njit, not by the adapter")
    parser.addoption("--need-kernels", action="store_true", help="fail where CUDA kernels cannot be compiled")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of canvases are skipped, each with the reason, where Skia does not load; those of Ray, unless asked for."""
    if not config.option.cluster:
        for item in items:
            if item.get_closest_marker("cluster"):
                item.add_marker(pytest.mark.skip(reason="it starts Ray: --cluster"))
    marked = [item for item in items if item.get_closest_marker("skia")]
    if marked and (reason := _why_no_skia()):
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"Skia does not load: {reason}"))


def _why_no_skia() -> str | None:
    try:
        import skia  # noqa: F401 - to see whether it loads
    except ImportError as error:
        return str(error)
    return None


@pytest.fixture(autouse=True)
def process_as_it_was() -> Iterator[None]:
    """Fail the test after which the process is another one for all that follow, and not one of those."""
    before = process_state()
    yield
    if changed := put_back(before):
        pytest.fail(f"the test leaves the process changed: {'; '.join(changed)}")


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns after each few instructions."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before_s)


@pytest.fixture(scope="session")
def compiled_kernels() -> None:
    """Every kernel of the host is ready: loaded, or compiled by whichever process of the run comes first."""
    from picasso_kernels.cpu.compile import prepare
    from picasso_kernels.cpu.entries import ENTRIES

    prepare(*ENTRIES)


def pytest_configure(config: pytest.Config) -> None:
    """In every room: no test leaves a thread of an engine behind, see ``picasso.testing.plugin``."""
    config.option.picasso_leaks = True
    _hear_signals()
    if config.option.njit:
        from picasso_kernels.cpu.numba_adapter import check

        os.environ |= {"PICASSO_KERNELS": "jit", "PICASSO_COMPILERS": "0"}
        check._obstacle = lambda: "--njit"
    if config.option.every_level:
        from every_level import compare_levels

        compare_levels(Path(config.option.every_level))
    if config.option.record_calls:
        from recorded_calls import record_calls

        record_calls(Path(config.option.record_calls))


def _hear_signals() -> None:
    """Hear Ctrl-C and hangups: a run in the background or under ``nohup`` ignores them, and so would its programs."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, handler)
