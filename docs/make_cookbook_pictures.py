"""Makes the pictures of the cookbook, docs/images/cookbook: what its recipes leave. Run it from a checkout."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import picasso as pc

DOCS = Path(__file__).parent
Names = dict[str, Any]


def of_video(name: str, number: int = 24) -> Callable[[Names], pc.SurfaceView]:
    """Take a frame of a video that a recipe wrote."""

    def take(_names: Names) -> pc.SurfaceView:
        with pc.VideoReader(name, pixel_format="rgb") as reader:
            return reader[number][1]

    return take


def of_jpeg(names: Names) -> pc.SurfaceView:
    """Take a picture of the frames that came out of a module."""
    Path("out.jpg").write_bytes(names["outputs"][24].data)
    return of_video("out.jpg", 0)(names)


PICTURES: dict[str, tuple[str, Callable[[Names], Any]]] = {
    "Find small objects in tiles": ("tiles", lambda names: pc.annotate(names["surface"], names["found"])),
    "Hide one kind of object, and leave the others": ("hidden", of_video("redacted.mp4")),
    "Put two videos side by side": ("both", of_video("both.mp4")),
    "Draw each track in a colour of its own, and fade what is behind": ("tracks", lambda names: names["drawn"]),
    "Detect and draw on every source": ("sources", of_video("gate.mp4")),
    "Draw on frames with a drawer of your own": ("drawer", of_jpeg),
}


def block_of(title: str) -> str:
    """Find the code below a title of the cookbook."""
    for page in sorted((DOCS / "cookbook").glob("*.md")):
        if found := re.search(rf"^### {re.escape(title)}\n.*?^```python\n(.*?)^```", page.read_text(), re.M | re.S):
            return found[1]
    raise SystemExit(f"no recipe {title!r}")


def main() -> None:
    """Run each recipe, and keep what it shows."""
    sys.path.insert(0, str(DOCS / "notebooks"))
    import street

    target = DOCS / "images" / "cookbook"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        street.write_street("street.mp4", 50)
        street.write_detector("cars.onnx")
        for title, (name, picture) in PICTURES.items():
            module = ModuleType("__main__")
            sys.modules["__main__"] = module
            exec(block_of(title), module.__dict__)  # the pages are our own
            shown = picture(module.__dict__)
            surface = shown if isinstance(shown, pc.SurfaceView) else pc.SurfaceView.wrap(shown)
            width, height = surface.size_wh
            surface.resize((480, 480 * height // width // 2 * 2)).save(target / f"{name}.jpg", quality=85)
        os.chdir(DOCS)


if __name__ == "__main__":
    main()
