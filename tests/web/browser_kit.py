"""A real Chromium, the one of the system, that a test drives."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from web_kit import until

from picasso.primitives import BBox

ORANGE = (255, 128, 0)
"""The square of the pattern ``moving``."""
BOXER = """
from picasso.module import ObjectMeta
from picasso.primitives import BBox


def It(frame):
    number = round(frame.pts * 30 / 1e9)
    side = min(frame.width, frame.height) // 4
    left = number * max(frame.width // 64, 1) % (frame.width - side + 1)
    top = (frame.height - side) // 2
    frame.add_obj_meta(ObjectMeta("yolo", "square", BBox(left + side / 2, top + side / 2, side, side), 0.9))
"""
"""A pyfunc that finds the square of the pattern ``moving`` at 30 frames a second."""


def chromium(playwright: Playwright) -> Browser:
    """Start the Chromium of the system; skip where there is none, fail where it has to be there."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing = "no Chromium: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("PICASSO_NEED_SERVICES") else pytest.skip(missing)
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


class Visitor:
    """A page in a browser, and what went wrong in it."""

    def __init__(self, browser: Browser, address: str, script: str | None = None, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.addresses: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("websocket", lambda socket: self.addresses.append(socket.url))
        if script is not None:
            self.page.add_init_script(script)
        self.page.goto(address)

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)

    def wait(self, script: str) -> Any:
        """Wait until a script gives something true, without the ``eval`` that the page forbids."""
        return until(lambda: self.page.evaluate(script), f"{script} in the page")

    def wait_for_pictures(self, selector: str, more: int = 5) -> None:
        shown = f"Number(document.querySelector({selector!r})?.dataset.shown ?? 0)"
        before = self.run(shown)
        self.wait(f"{shown} >= {before + more}")

    def picture(self, selector: str) -> np.ndarray[Any, Any]:
        """What is seen of an element: a screenshot, read back."""
        shot = self.page.locator(selector).screenshot(animations="disabled")
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def close(self) -> None:
        """Close the page; may be called again."""
        self.context.close()


def extent(pixels: np.ndarray[Any, Any], is_so: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> BBox:
    """The box around the pixels of which something is so."""
    rows, columns = np.nonzero(is_so(pixels))
    assert len(rows), "nothing of the kind is seen"
    left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    return BBox.ltrb(float(left), float(top), float(right), float(bottom))


def is_orange(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    near: np.ndarray[Any, Any] = np.abs(pixels - ORANGE).sum(2) < 90
    return near
