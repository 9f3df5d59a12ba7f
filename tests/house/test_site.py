"""The documentation site: each page has its place, each public name its entry, each anchor its heading."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"
BUILT = ROOT / "out" / "site"


def part(name: str) -> ModuleType:
    """A file of docs/site as a module; it lies outside of the import path."""
    spec = importlib.util.spec_from_file_location(f"site_{name}", SITE / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


pages, reference, check = part("pages"), part("reference"), part("check")


def test_every_page_of_the_docs_stands_in_the_navigation_once() -> None:
    listed = [page for _, groups in pages.navigation() for group in groups for page in group.pages]
    assert len(listed) == len(set(listed))
    assert set(pages.pages_of_docs()) <= set(listed)
    assert [kind["title"] for kind, _ in pages.navigation()] == ["Tutorials", "How-to", "Reference", "Explanation"]


def test_each_public_name_has_an_entry_in_the_reference() -> None:
    names = (ROOT / "tests" / "house" / "public_names.txt").read_text().split()
    found = {room: reference.page_of(room) for room in reference.ROOMS}
    without = []
    for name in names:
        room, last = name.rsplit(".", 1)
        is_there = re.search(rf"^\.\. (auto|py:)\w+:: ({re.escape(name)}|{last})$", found[room], re.MULTILINE)
        is_there = is_there or re.search(rf"^\.\. automodule:: \S*\b{last}$", found[room], re.MULTILINE)
        without += [] if is_there else [name]
    assert names
    assert without == []


def test_links_to_headings_lead_to_one() -> None:
    dead = [
        f"{page.name}: {link}"
        for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
        for link in re.findall(r"\]\((?!https?:)([^)\s]*#[^)\s]+)\)", page.read_text())
        if not has_heading(page, link)
    ]
    assert dead == []


def has_heading(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.suffix != ".md" or anchor in {slug(text) for text in headings(target)}


def headings(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def slug(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_the_checks_find_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("<p id='here'></p>")
    (tmp_path / "index.html").write_text(
        "<script src='https://cdn.example.com/x.js'></script><link rel='stylesheet' href='//fonts.example.com/x.css'>"
        "<link rel='canonical' href='https://example.com'><a href='https://example.com'>fine</a>"
        "<a href='gone.html'></a><a href='other.html#there'></a><a href='other.html#here'></a><a href='#nowhere'></a>"
    )
    (tmp_path / "site.css").write_text("@import 'https://fonts.example.com/y.css'; a {background: url(data:x)}")
    found = "\n".join(check.faults(tmp_path))
    for said in ("x.js from the network", "x.css from the network", "gone.html", "#there", "#nowhere", "@import"):
        assert said in found
    assert len(found.splitlines()) == 6


@pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="the site is not built: just docs")
def test_the_built_site_searches_and_loads_nothing_from_the_network() -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for name in ("index", "media", "api/picasso.media", "search"):
            page.goto((BUILT / f"{name}.html").as_uri())
        page.goto((BUILT / "search.html").as_uri() + "?q=letterbox")
        page.wait_for_selector("#search-results li a")
        assert page.locator("#search-results li a").count() > 2
        browser.close()
    assert len(asked) > 20
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
