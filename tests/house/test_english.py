"""Plain English: phrases that a reader stumbles over stand nowhere in code, messages or documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTEAD = {
    "all the same": "still",
    "anew": "again",
    "at hand": "available",
    "behind your back": "say when and by what",
    "but for": "except",
    "come what may": "in every case",
    "dawdles?": "wait",
    "dearer|dearest": "slower, more expensive",
    "everybody|nobody|somebody": "everyone, no one, someone, or the thread, caller, user that it is",
    "for ever|forever": "indefinitely, without a limit",
    "forth and back|there and back": "and back, both ways",
    "hence|thus|hither|thither": "so",
    "henceforth|thereof|whereupon|therein|herein": "say it in two sentences",
    "heeds?|heeded": "use, follow",
    "in the midst": "within, during",
    "in the place of": "instead of",
    "(is|are) but": "is only",
    "it is said": "say who says it, and to whom",
    "lest": "so that … not",
    "lingers?|lingering": "stay",
    "mends?|mended|mending": "fix, replace",
    "of its own accord": "by itself",
    "said all the same": "still logged",
    "shall": "must, will",
    "so many": "a given number of, that many",
    "upon": "on",
    "what becomes of": "what happens to",
    "whatever": "any, every, what",
    "whoever|whosoever|whomever": "the thread, caller, user that …",
}
"""What is not written, and what is."""
IN_PAGES = {
    r"(^|[.;:] )What (is|was|are|were|comes|came|runs|waits|lies|limits)\b[^.?]*\.": "frames that …",
    r", for (it|they|we|he|GStreamer)\b": "because",
    r"\bunless said\b": "by default",
    r"\bfor so long\b|\bas long again\b|\bas ever\b": "for this time; say how long",
    r"\b(is|are|was|were) told (of|about|it)\b|\btells of\b": "gets, is called with, reports",
    r"\bheirs?\b": "successors",
    r"\b(of|by) chance\b": "at random",
    r"\bgives? way\b": "say what happens instead",
    r"\b(takes?|gives?|does|says?|costs?) nothing\b|\bnothing more\b": "say what it takes, does, costs",
    r"\bpassed over\b": "skipped",
    r"\b(is|are) let (in|go|out)\b": "accepted, released",
    r"\bbehind the (last|end)\b": "after",
    r"\blater and later\b": "after pauses that grow",
    r"\bwhere (there is none|nothing|none|no one)\b": "if there is none",
    r"\bno one\b|\bsomeone\b": "the thread, caller, user that it is",
    r"\bkeeps? to (itself|themselves|the same)\b": "holds back, follows",
    r"\bdo(es)? well to\b": "the imperative",
    r"\b(so|and) who\b|\bwho (ships|passes|reads|writes) (?!it\b)": "if you …; a program that …",
}
"""Kinds of turn that stop a reader of the pages: headless clauses, old conjunctions, people in place of programs."""
PHRASE = re.compile(rf"(?<![-\w.`])({'|'.join(INSTEAD)})(?![-\w=(]|\.\w)", re.IGNORECASE)
SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml"}
SKIPPED = {"__pycache__", "out", "dist", "build", ".venv", "built"}


def files() -> list[Path]:
    folders = [ROOT / name for name in ("picasso", "kernels", "tests", "bench", "docs", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES]
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "justfile", ".ci/run")]
    kept = [path for path in found if not SKIPPED & set(path.parts) and path != Path(__file__)]
    return sorted(kept) + [path for path in top if path.exists()]


def test_phrases_that_a_reader_stumbles_over_stand_nowhere() -> None:
    assert len(files()) > 500
    found = []
    for path in files():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found += [f"{path.relative_to(ROOT)}:{number}: {advice(match[0])}" for match in PHRASE.finditer(line)]
    assert not found, "\n".join(found)


def test_pages_speak_plainly_to_a_reader_in_a_hurry() -> None:
    """Prose only: neither code nor headings."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = []
    for page in pages:
        for number, line in prose(page.read_text()):
            for kind, instead in IN_PAGES.items():
                found += [f"{page.name}:{number}: {m[0]!r}; write instead: {instead}" for m in re.finditer(kind, line)]
    assert len(pages) > 35
    assert not found, "\n".join(found)


def prose(text: str) -> list[tuple[int, str]]:
    """The numbered lines of a page that are neither code nor headings."""
    blank = re.sub(r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    lines = enumerate(blank.splitlines(), 1)
    return [(number, line) for number, line in lines if not line.startswith(("#", "    "))]


@pytest.mark.parametrize("kind", IN_PAGES)
def test_each_kind_of_turn_is_found(kind: str) -> None:
    said = [
        "What is done is kept.",
        "It waits, for it has no work.",
        "as many as cores unless said",
        "left alone for so long",
        "It is told of each step.",
        "DETR's heirs",
        "spread by 20 % of chance",
        "the rule gives way",
        "a sink takes nothing more",
        "Fields are passed over.",
        "which sources are let in",
        "behind the last frame",
        "later and later",
        "where there is none",
        "no one views it",
        "holds what it keeps to itself",
        "An application does well to set it.",
        "and who ships them",
    ]
    assert [line for line in said if re.search(kind, line)]


def advice(said: str) -> str:
    (instead,) = (instead for phrase, instead in INSTEAD.items() if re.fullmatch(phrase, said, re.IGNORECASE))
    return f"{said!r}; write instead: {instead}"
