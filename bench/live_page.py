"""Glass to glass: how old a picture is when it is on the canvas of the live page.

A simulated camera gives 30 pictures a second, each with a clock in it: the time at which it was taken, as black and
white fields. A real Chromium shows the page of the module on loopback, and reads the clock back from the canvas at
each of its own frames. What the screen adds is not in it.

    python bench/live_page.py [--seconds 20] [--size 1280x720] [--view large] [--codec h264|jpeg|null] [--sources 1]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import threading
import time
from collections.abc import Iterator

import numpy as np
from playwright.sync_api import sync_playwright

from picasso.engine.clock import MonotonicClock
from picasso.flow import RestartPolicy
from picasso.module import Module
from picasso.primitives import BBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat

BITS = 40
"""Milliseconds since 1970, the lowest bits."""
RATE = 30
READER = """
(bits) => {
  const canvas = document.querySelector('#detail:not([hidden]) #picture') ?? document.querySelector('.tile canvas');
  const ages = [];
  let last = -1;
  const read = () => {
    const wide = canvas.width / bits;
    const strip = canvas.getContext('2d').getImageData(0, Math.round(canvas.height / 32), canvas.width, 1).data;
    let value = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const at = 4 * Math.floor((bit + 0.5) * wide);
      value = value * 2 + (strip[at] > 127 ? 1 : 0);
    }
    if (value !== last) {
      last = value;
      const now = Math.floor(performance.timeOrigin + performance.now()) % 2 ** bits;
      ages.push(now - value);
    }
    window.reading = requestAnimationFrame(read);
  };
  window.ages = ages;
  read();
}
"""


class Clock:
    """A camera that looks at a clock."""

    is_live = True
    restart = RestartPolicy(on_end=True)

    def __init__(self, source_id: str, size_wh: tuple[int, int]) -> None:
        self.source_id = source_id
        self._size_wh = size_wh
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[tuple[VideoFrame, SurfaceView]]:
        width, height = self._size_wh
        begun_s, number = time.monotonic(), 0
        rng = np.random.default_rng(0)
        scene = rng.integers(0, 255, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        edges = np.linspace(0, width, BITS + 1).round().astype(int)
        while not self._stopped.wait(max(begun_s + number / RATE - time.monotonic(), 0)):
            taken_ms = time.time_ns() // 1_000_000 % (1 << BITS)
            surface = SurfaceView.allocate(VideoFormat.RGB, self._size_wh)
            pixels = surface.planes[0].reshape(height, width, 3)
            pixels[:] = np.roll(scene, 4 * number, 1)
            for bit in range(BITS):
                pixels[: height // 16, edges[bit] : edges[bit + 1]] = 255 * (taken_ms >> (BITS - 1 - bit) & 1)
            frame = VideoFrame(
                self.source_id, f"{RATE}/1", width, height, time_base=(1, 10**9), pts=number * 10**9 // RATE
            )
            for place in range(10):
                box = BBox(width * (place + 1) / 11, height / 2, 60, 80)
                frame.create_object("yolo", "person", detection_box=box)
            number += 1
            yield frame, surface

    def stop(self) -> None:
        self._stopped.set()

    def interrupt(self) -> None:
        """It cannot be lost."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--view", choices=["tile", "large"], default="large")
    parser.add_argument("--codec", choices=["h264", "jpeg", "null"], default="h264")
    parser.add_argument("--sources", type=int, default=1)
    options = parser.parse_args()
    size_wh = tuple(map(int, options.size.split("x")))
    params = {"speed-preset": "ultrafast", "key-int-max": 250}
    output = {
        "h264": {"codec": "h264", "encoder": "software", "encoder_params": params},
        "jpeg": {"codec": "jpeg", "encoder": "software"},
        "null": None,
    }[options.codec]
    config = {
        "name": "bench",
        "parameters": {"frame": {"width": None, "height": None}, "output_frame": output, "code_root": None},
        "pipeline": {"source": {"element": "videotestsrc"}, "sink": [{"element": "devnull_sink"}]},
    }
    cameras = [Clock(f"cam{number}", size_wh) for number in range(options.sources)]
    module = Module(config, sources=cameras, sinks="configured", clock=MonotonicClock(), web=0)
    module.start()
    runs = threading.Thread(target=module.run)
    runs.start()
    try:
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{module.web.page}{'#cam0' if options.view == 'large' else ''}")
            selector = "#picture" if options.view == "large" else ".tile canvas"
            for _look in range(600):
                if page.evaluate(f"Number(document.querySelector('{selector}')?.dataset.shown ?? 0)") > RATE:
                    break
                page.wait_for_timeout(50)
            page.evaluate(READER, BITS)
            page.wait_for_timeout(options.seconds * 1000)
            ages_ms = sorted(page.evaluate("ages")[1:])
            browser.close()
    finally:
        module.stop()
        runs.join()
    wrong = [age for age in ages_ms if not 0 <= age < 10_000]
    good = [age for age in ages_ms if 0 <= age < 10_000]
    share = lambda part: good[min(int(len(good) * part), len(good) - 1)]  # noqa: E731
    print(
        f"{options.codec} {options.size} {options.view}, {options.sources} sources: {len(good)} pictures, "
        f"{len(wrong)} misread, median {statistics.median(good):.0f} ms, p90 {share(0.9)} ms, p99 {share(0.99)} ms, "
        f"least {good[0]} ms"
    )


if __name__ == "__main__":
    main()
