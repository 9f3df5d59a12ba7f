"""Lays the pages of the repository out as Sphinx reads them: one folder, links that hold, lists of pages."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FROM_ELSEWHERE = {
    "CONTRIBUTING": ROOT / "CONTRIBUTING.md",
    "CHANGELOG": ROOT / "CHANGELOG.md",
    "performance-ledger": ROOT / "bench" / "performance-ledger.md",
    "reliability-ledger": ROOT / "tests" / "reliability-ledger.md",
}
"""Pages that lie outside of docs/, by the name that they have on the site."""
FILES = {"performance.json": ROOT / "bench" / "performance.json"}
"""Files outside of docs/ that pages lead to; they are copied."""
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
NOT_PAGES = {"index", "how-to", "tutorials", "reference", "explanation"}
LANGUAGES = {".py": "python", ".yml": "yaml", ".rules": "yaml", ".json": "json", ".service": "ini", "": "docker"}


@dataclass(frozen=True)
class Group:
    """Pages that stand together in the navigation; without a title they stand below their kind."""

    kind: str
    title: str
    does: str
    pages: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its page."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


def pages_of_docs() -> list[str]:
    """The names of the pages that lie in docs/ itself."""
    return sorted(path.stem for path in DOCS.glob("*.md") if path.stem not in NOT_PAGES)


def navigation() -> list[tuple[dict[str, Any], list[Group]]]:
    """The kinds of ``navigation.toml`` with their groups, of the pages that are there."""
    kinds = tomllib.loads(Path(__file__).with_name("navigation.toml").read_text())["kind"]
    there = {*pages_of_docs(), *FROM_ELSEWHERE, "api/index", "examples/index"}
    listed = {page for kind in kinds for group in kind["group"] for page in group.get("pages", [])}
    found = []
    for kind in kinds:
        groups = []
        for group in kind["group"]:
            inside = pages_of_folder(group["folder"]) if "folder" in group else []
            pages = [page for page in group.get("pages", []) if page in there or page in inside]
            pages += [page for page in inside if page not in pages]
            if pages:
                groups.append(Group(kind["title"], group.get("title", ""), group.get("does", ""), tuple(pages)))
        found.append((kind, groups))
    if rest := sorted(there - listed):
        found[1][1].append(Group("How-to", "More", "What is new here.", tuple(rest)))
    return found


def pages_of_folder(name: str) -> list[str]:
    """The pages and notebooks of a folder of docs/."""
    paths = [path for path in sorted((DOCS / name).glob("*")) if path.suffix in {".md", ".ipynb"}]
    return [f"{name}/{path.stem}" for path in paths if path.stem.lower() != "readme"]


def lay_out(target: Path) -> None:
    """Write the whole source of the site into ``target``, except for the reference of the API."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in DOCS.iterdir():
        if path.is_dir() and path.name not in {"site", "examples"}:
            shutil.copytree(path, target / path.name)
        elif path.suffix not in {".md", ""}:
            shutil.copy(path, target)
    shutil.copytree(DOCS / "examples", target / "examples" / "files", ignore=shutil.ignore_patterns("__pycache__"))
    for name, path in FILES.items():
        shutil.copy(path, target / name)
    pages = {f"{name}.md": DOCS / f"{name}.md" for name in pages_of_docs()}
    pages |= {f"{name}.md": path for name, path in FROM_ELSEWHERE.items()}
    pages |= {path.relative_to(DOCS).as_posix(): path for path in DOCS.glob("*/*.md") if path.parent.name != "examples"}
    for name, path in pages.items():
        (target / name).write_text(with_links(path.read_text(), path, name))
    for name, text in example_pages():
        (target / "examples" / f"{name}.md").write_text(text)
    home = DOCS / "index.md"
    (target / "index.md").write_text(with_links(home.read_text(), home, "index.md") + trees())
    for _, groups in navigation():
        for group in groups:
            if group.title:
                (target / f"{group.name}.md").write_text(listing(group))


def with_links(text: str, source: Path, name: str) -> str:
    """The text of a page with links that hold on the site, outside of its blocks of code."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    up = "../" * name.count("/")
    return "".join(
        part
        if part.startswith("```")
        else LINK.sub(lambda found: found[1] + leads(found[2], source, up) + found[3], part)
        for part in parts
    )


def leads(link: str, source: Path, up: str) -> str:
    """Where a link of the repository leads on the site."""
    path, _, anchor = link.partition("#")
    if "://" in link or not path:
        return link
    target = (source.parent / path).resolve()
    if target == ROOT / "README.md":
        return f"{up}index.md"
    for name, page in [(f"{name}.md", page) for name, page in FROM_ELSEWHERE.items()] + [*FILES.items()]:
        if target == page:
            return f"{up}{name}" + (f"#{anchor}" if anchor else "")
    if target.is_relative_to(DOCS / "examples"):
        inner = target.relative_to(DOCS / "examples").parts
        if len(inner) > 1 or target.is_dir():
            return f"{up}examples/{inner[0] if inner else 'index'}.md"
        return f"{up}examples/index.md" if target.name == "README.md" else f"{up}examples/files/{inner[0]}"
    if target.is_relative_to(DOCS):
        return up + target.relative_to(DOCS).as_posix() + (f"#{anchor}" if anchor else "")
    raise ValueError(f"{source.relative_to(ROOT)}: {link} leads out of docs/: to what page of the site?")


def example_pages() -> Iterator[tuple[str, str]]:
    """A page for each folder of docs/examples that shows its files, and their list."""
    home = DOCS / "examples"
    folders = sorted(path for path in home.iterdir() if path.is_dir() and path.name != "__pycache__")
    for folder in folders:
        text = f"# {folder.name.replace('_', ' ').capitalize()}\n\nThe files of `docs/examples/{folder.name}`.\n"
        files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        for path in files:
            inside = path.relative_to(folder).as_posix()
            language = LANGUAGES.get(path.suffix, "text")
            text += f"\n## {inside}\n\n````{language}\n{path.read_text().rstrip()}\n````\n"
        yield folder.name, text
    about = with_links((home / "README.md").read_text(), home / "README.md", "examples/index.md")
    yield "index", about + tree("", [folder.name for folder in folders])


def trees() -> str:
    """The navigation as toctrees of the home page: one for each kind."""
    text = ""
    for kind, groups in navigation():
        names = [name for group in groups for name in ([group.name] if group.title else group.pages)]
        text += tree(kind["title"], names)
    return text


def tree(caption: str, names: list[str] | tuple[str, ...]) -> str:
    """A toctree that shows in the navigation only."""
    options = ":hidden:\n" + (f":caption: {caption}\n" if caption else "")
    return f"\n```{{toctree}}\n{options}\n" + "\n".join(names) + "\n```\n"


def listing(group: Group) -> str:
    """The page of a group: its pages, each with its first sentence."""
    text = f"# {group.title}\n\n{group.does}\n"
    for name in group.pages:
        path = FROM_ELSEWHERE.get(name, DOCS / f"{name}.md")
        text += f"\n- {{doc}}`{name}`"
        if path.suffix == ".md" and path.exists() and (said := opening(path.read_text())):
            text += f": {with_links(said, path, 'x.md')}"
    return text + "\n" + tree("", group.pages)


def opening(text: str) -> str:
    """The first sentence of a page."""
    for block in text.split("\n\n"):
        line = " ".join(block.split())
        if line[:1].isalnum() or (line[:1] == "`" and line[:3] != "```"):
            return re.split(r"(?<=\.)\s", line, maxsplit=1)[0]
    return ""
