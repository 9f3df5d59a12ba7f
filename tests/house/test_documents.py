"""Every Python example in the README and in docs/ runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TITLED = {"thirty_tasks.md"}
"""Pages whose blocks run one by one: tests/guides."""
LEDGERS = [ROOT / "bench" / "performance-ledger.md", ROOT / "tests" / "reliability-ledger.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def processors() -> Iterator[None]:
    """A page may bind its thread to a processor, as ``share_processor`` does; later tests run on all of them again."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield
    if allowed:
        os.sched_setaffinity(0, allowed)


def page_of(path: Path) -> object:
    return pytest.param(path, marks=pytest.mark.skia) if "import skia" in path.read_text() else path


@pytest.mark.usefixtures("processors")
@pytest.mark.parametrize(
    "page", [page_of(p) for p in PAGES if p.name not in TITLED and BLOCK.search(p.read_text())], ids=lambda p: p.name
)
def test_the_examples_of_a_page_run_top_to_bottom(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One namespace a page, one empty working folder; a failing line is named as in the page."""
    monkeypatch.chdir(tmp_path)
    text, namespace = page.read_text(), {"__name__": "__main__"}
    for block in BLOCK.finditer(text):
        line = text[: block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], str(page), "exec"), namespace)  # the pages are our own


def test_links_between_pages_lead_somewhere() -> None:
    links = [
        (page, link)
        for page in [*PAGES, *LEDGERS]
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    ]
    assert links
    assert not [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()]


def test_every_block_of_vector_code_has_its_lanes_drawn() -> None:
    page = (ROOT / "docs" / "adding_a_kernel.md").read_text()
    blocks = [
        name
        for path in (ROOT / "kernels" / "picasso_kernels" / "cpu").glob("*_blocks.py")
        for name in re.findall(r"^(\w+) = block\(", path.read_text(), re.MULTILINE)
    ]
    assert len(blocks) > 20
    assert not [name for name in blocks if f"`{name}`" not in page]
