"""Modules that run while a test asks them over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import httpx
import numpy as np

from picasso.engine.clock import MonotonicClock
from picasso.flow import RestartPolicy
from picasso.module import Module
from picasso.primitives import BBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat

PATIENCE_S = 60.0
"""How long a test waits for what has to happen; it never waits for what must not."""
STEP = threading.Event()
"""Never set: waiting for it is a pause."""


def until(is_so: Callable[[], Any], what: str = "it") -> Any:
    """Return what ``is_so`` gives as soon as that is true."""
    for _look in range(int(PATIENCE_S / 0.02)):
        if found := is_so():
            return found
        STEP.wait(0.02)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


class Running:
    """A module in a thread, and a client of it."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.failure: BaseException | None = None
        self.guests: list[Callable[[], object]] = []
        """What ends before the module does."""
        module.start()
        self._thread = threading.Thread(target=self._run, name="module-under-test")
        self._thread.start()
        assert module.web.page is not None
        token = (module.config.parameters.get("web") or {}).get("token")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=module.web.page, timeout=PATIENCE_S, headers=headers)

    def _run(self) -> None:
        try:
            self.module.run()
        except BaseException as error:  # noqa: BLE001 - raised where the test ends
            self.failure = error

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def source(self, source_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/sources/{source_id}").json()
        return found

    def wait_for_state(self, source_id: str, state: str) -> None:
        until(lambda: self.source(source_id).get("state") == state, f"{source_id} to be {state}")

    def wait_for_more(self, source_id: str, frames: int = 3) -> None:
        before = self.source(source_id)["counts"]["delivered"]
        until(lambda: self.source(source_id)["counts"]["delivered"] >= before + frames, f"frames of {source_id}")

    def join(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self.is_running

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for leave in self.guests:
            leave()
        self.http.close()
        self.module.stop()
        self.join()
        if kind is None and self.failure is not None:
            raise self.failure


def pattern(source_id: str, **properties: Any) -> dict[str, Any]:
    """An entry of ``pipeline.source`` that never ends."""
    return {
        "element": "videotestsrc",
        "properties": {"source_id": source_id, "width": 160, "height": 120, "is-live": True, **properties},
    }


def tree(*sources: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The tree of a module that serves a page at a free port."""
    return {
        "name": "watched",
        "parameters": {
            "frame": {"width": None, "height": None},
            "code_root": None,
            "web": {"port": 0},
            "queue_maxsize": 4,
            **parameters,
        },
        "pipeline": {"source": list(sources), "sink": [{"element": "devnull_sink"}]},
    }


H264 = {"codec": "h264", "encoder": "software", "encoder_params": {"speed-preset": "ultrafast", "key-int-max": 250}}


class Blinking:
    """A camera that a test turns off and on: each frame is one colour, with one object on it."""

    is_live = True
    restart = RestartPolicy(first_s=0.05, most_s=0.1, on_end=True)

    def __init__(self, source_id: str, *, size_wh: tuple[int, int] = (160, 120), rate: int = 30) -> None:
        self._source_id = source_id
        self._size_wh = size_wh
        self._rate = rate
        self._stopped = threading.Event()
        self.is_lost = threading.Event()
        self.opened = 0
        self.color = (200, 40, 40)
        self._number = 0

    @property
    def source_id(self) -> str:
        return self._source_id

    def __iter__(self) -> Iterator[tuple[VideoFrame, SurfaceView]]:
        self.opened += 1
        width, height = self._size_wh
        while not self._stopped.wait(1 / self._rate):
            if self.is_lost.is_set():
                raise OSError("rtsp://admin:hunter2@camera/stream: the cable was cut")
            frame = VideoFrame(
                self._source_id,
                f"{self._rate}/1",
                width,
                height,
                time_base=(1, 10**9),
                pts=self._number * 10**9 // self._rate,
            )
            self._number += 1
            frame.create_object("yolo", "car", detection_box=BBox(width / 2, height / 2, width / 4, height / 4))
            surface = SurfaceView.allocate(VideoFormat.RGB, self._size_wh)
            surface.planes[0].reshape(height, width, 3)[...] = np.array(self.color, np.uint8)
            yield frame, surface

    def stop(self) -> None:
        self._stopped.set()

    def interrupt(self) -> None:
        """End the running iteration: a frame later than a real camera would."""


def running(config: dict[str, Any], *sources: Any) -> Running:
    """Run a module, with sources of the test's own where there are any."""
    given: dict[str, Any] = {"sources": list(sources), "clock": MonotonicClock()} if sources else {}
    return Running(Module(config, **given))
