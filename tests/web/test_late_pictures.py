"""A module that stops answers those who wait for a picture, also where the picture comes later than that."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from picasso.engine import ErrorStage, PicassoEngine
from picasso.errors import OperationError
from picasso.module.run.overrides import Overrides
from picasso.module.run.views import SNAPSHOT, Views
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

pytestmark = pytest.mark.usefixtures("compiled_kernels")
SIZE_WH = (64, 48)


class Slow:
    """An engine that gets to work only after it was told to stop."""

    def __init__(self, engine: PicassoEngine) -> None:
        self.engine, self.kept = engine, []

    def set_source_spec(self, *arguments: Any) -> None:
        self.engine.set_source_spec(*arguments)

    def send_frame(self, *arguments: Any) -> None:
        self.kept.append(arguments)

    def shutdown(self, timeout_s: float) -> None:
        pass

    def work(self) -> None:
        for arguments in self.kept:
            self.engine.send_frame(*arguments)
        self.engine.shutdown(60.0)


def ask(views: Views) -> tuple[threading.Thread, list[str]]:
    """Ask for a picture on a thread of its own, and return once it is wanted."""
    said: list[str] = []

    def call() -> None:
        try:
            views.snapshot("gate", 60.0)
        except OperationError as error:
            said.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: views.due("gate") == (SNAPSHOT,))
    return thread, said


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end_s
        threading.Event().wait(0.001)


def show(views: Views) -> None:
    frame = VideoFrame("gate", "30/1", *SIZE_WH)
    views.show((SNAPSHOT,), frame, SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH), None, SIZE_WH)


def test_a_picture_that_comes_after_the_end_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    views = Views(lambda: pytest.fail("not asked"), Overrides())
    views.engine = slow = Slow(views._opened())  # type: ignore[assignment]
    thread, said = ask(views)
    show(views)
    with caplog.at_level(logging.ERROR, "picasso"):
        views.close()
        thread.join(60.0)
        slow.work()
    assert said == ["the module has stopped"]
    assert not caplog.records


def test_a_picture_that_the_engine_does_not_take_is_not_waited_for() -> None:
    views = Views(lambda: pytest.fail("not asked"), Overrides())
    views.engine = slow = Slow(views._opened())  # type: ignore[assignment]
    slow.engine.shutdown(60.0)
    slow.send_frame = slow.engine.send_frame  # type: ignore[method-assign]
    slow.set_source_spec = lambda *_: None  # type: ignore[method-assign]
    thread, said = ask(views)
    show(views)
    thread.join(60.0)
    views.close()
    assert said == ["source 'gate': engine is shut down"]


def test_who_gives_up_leaves_the_picture_to_others_who_wait() -> None:
    views = Views(lambda: pytest.fail("not asked"), Overrides())
    with ThreadPoolExecutor(1) as pool:
        patient = pool.submit(views.snapshot, "gate", 60.0)
        wait_until(lambda: views.due("gate") == (SNAPSHOT,))
        with pytest.raises(OperationError, match=r"no frame within 0\.01 s"):
            views.snapshot("gate", 0.01)
        show(views)
        assert patient.result(60.0)[:2] == b"\xff\xd8"  # JPEG
    views.close()
    assert views.due("gate") == ()


def test_a_picture_that_fails_answers_who_asked_for_it_and_no_one_later(monkeypatch: pytest.MonkeyPatch) -> None:
    views = Views(lambda: pytest.fail("not asked"), Overrides())
    views.engine = slow = Slow(views._opened())  # type: ignore[assignment]
    slow.set_source_spec = lambda *_: None  # type: ignore[method-assign]
    report = views._report
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(views.snapshot, "gate", 60.0)
        wait_until(lambda: views.due("gate") == (SNAPSHOT,))
        show(views)
        later: list[Any] = []

        def ask_meanwhile(source_id: str, error: BaseException) -> None:
            later.append(pool.submit(views.snapshot, "gate", 60.0))
            wait_until(lambda: views.due("gate") == (SNAPSHOT,))
            show(views)
            report(source_id, error)

        monkeypatch.setattr(views, "_report", ask_meanwhile)
        views._failed(f"{SNAPSHOT}/gate", ErrorStage.ENCODE, RuntimeError("broken"), None)
        with pytest.raises(OperationError, match="broken"):
            first.result(60.0)
        views.close()
        with pytest.raises(OperationError, match="the module has stopped"):
            later[0].result(60.0)
        slow.engine.shutdown(60.0)
