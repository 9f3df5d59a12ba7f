"""Checks the built site: every link and anchor leads somewhere, and nothing is loaded from the network."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("source", "src"),
    ("iframe", "src"),
    ("video", "src"),
    ("audio", "src"),
}
FOR_PEOPLE = {"canonical", "license", "author", "index", "search", "next", "prev"}
"""Kinds of ``link`` that a browser does not load."""
OUTSIDE = re.compile(r"""(?:@import\s+|url\()\s*["']?(?:https?:)?//""")


class Page(HTMLParser):
    """The links, anchors and loaded files of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag refers to, and its anchor."""
        values = dict(attrs)
        for key, value in attrs:
            if value and key in {"id", "name"}:
                self.anchors.add(value)
            if value and (tag, key) in LOADS and not FOR_PEOPLE & set((values.get("rel") or "").split()):
                self.loaded.append(value)
            if value and (tag, key) == ("a", "href"):
                self.links.append(value)


@cache
def parsed(path: Path) -> Page:
    """A page of the site."""
    page = Page()
    page.feed(path.read_text())
    return page


def faults(site: Path) -> list[str]:
    """What is wrong with the site in a folder, a line for each fault."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page, name = parsed(path), path.relative_to(site)
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{name}: loads {link} from the network")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{name}: {link} leads nowhere")
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in parsed(target).anchors:
                found.append(f"{name}: {link}: the page has no such anchor")
    for path in [*site.rglob("*.css"), *site.rglob("*.html")]:
        found += [
            f"{path.relative_to(site)}: {match[0]} loads from the network"
            for match in OUTSIDE.finditer(path.read_text())
        ]
    return found
