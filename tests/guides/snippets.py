"""Titled blocks of Python of a page, and how they run: each by itself, in a folder with the reader's files."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
TITLED = re.compile(r"^### (?P<title>[^\n]+)\n(?P<body>.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """What stands below one title of a page."""

    page: Path
    title: str
    line: int
    code: str
    text: str

    @property
    def length(self) -> int:
        """Lines that hold code."""
        return sum(bool(line.strip()) for line in self.code.splitlines())

    def run(self, names: dict[str, Any]) -> dict[str, Any]:
        """Run it with these names, and return those that there are then; a failing line is named as in the page."""
        for number, written in enumerate(YAML.findall(self.text)):  # what the reader has saved
            Path("street.yml" if number == 0 else f"street-{number}.yml").write_text(written)
        main = ModuleType("__main__")
        main.__dict__.update(names)
        tests = sys.modules["__main__"]
        sys.modules["__main__"] = main  # where a block looks for its own functions by name
        try:
            exec(compile("\n" * self.line + self.code, str(self.page), "exec"), main.__dict__)  # the pages are our own
        finally:
            sys.modules["__main__"] = tests
        return main.__dict__


def snippets(page: Path) -> list[Snippet]:
    """Return the titled blocks of a page; each title has one."""
    text, found = page.read_text(), []
    for match in TITLED.finditer(text):
        blocks = list(BLOCK.finditer(match["body"]))
        assert len(blocks) == 1, f"{page.name}: {match['title']}: expected one block of Python, got {len(blocks)}"
        line = text[: match.start("body") + blocks[0].start()].count("\n") + 1
        found.append(Snippet(page, match["title"], line, blocks[0][1], match["body"]))
    return found


def write_files(folder: Path) -> None:
    """Write what the reader of a page has: a street, its detector, label files."""
    sys.path.insert(0, str(ROOT / "docs" / "notebooks"))
    try:
        import street
    finally:
        sys.path.remove(str(ROOT / "docs" / "notebooks"))
    street.write_street(folder / "street.mp4", 50)
    street.write_detector(folder / "cars.onnx")
    (folder / "street.txt").write_text("0 0.5 0.5 0.25 0.5\n1 0.25 0.75 0.1 0.2\n")
    boxes = [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 20, 100, 50], "area": 5000, "iscrowd": 0}]
    boxes.append({"id": 2, "image_id": 1, "category_id": 1, "bbox": [200, 40, 30, 90], "area": 2700, "iscrowd": 0})
    document = {
        "images": [{"id": 1, "file_name": "street.png", "width": 640, "height": 360}],
        "annotations": boxes,
        "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}],
    }
    (folder / "instances.json").write_text(json.dumps(document))
