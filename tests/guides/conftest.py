"""The folder in which the blocks of the pages run."""

from __future__ import annotations

from pathlib import Path

import pytest
from snippets import write_files


@pytest.fixture(scope="session")
def readers_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of the reader lie."""
    folder = tmp_path_factory.mktemp("reader")
    write_files(folder)
    return folder


@pytest.fixture
def readers_folder(readers_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with links to the reader's files."""
    for file in readers_files.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIDTH", "320")  # a recipe sets it, too: behind it the variable is as before
    return tmp_path
