"""Plain English: phrases that a reader stumbles over stand nowhere in code, messages or documents."""

from __future__ import annotations

import re
from pathlib import Path

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


def advice(said: str) -> str:
    (instead,) = (instead for phrase, instead in INSTEAD.items() if re.fullmatch(phrase, said, re.IGNORECASE))
    return f"{said!r}; write instead: {instead}"
