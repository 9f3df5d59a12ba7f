"""The pages of modules: the first module runs as it stands, and every key is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from every_key import keys_of_the_schema

from picasso.media import probe

DOCS = Path(__file__).parents[2] / "docs"
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_the_first_module_of_the_guide_runs_by_copy_and_paste(tmp_path: Path) -> None:
    (script, *_) = SHELL.findall((DOCS / "module.md").read_text())
    script = script.replace("pip install", ": pip install").replace("picasso run", f"{sys.executable} -m picasso run")
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert probe(tmp_path / "out" / "test.mp4").frame_count == 90
    lines = (tmp_path / "out" / "test-0000.ndjson").read_text().splitlines()
    assert sum('"label":"square"' in line for line in lines) == 90


def test_every_key_stands_in_the_reference() -> None:
    page = re.sub(r"```.*?```", "", (DOCS / "module_keys.md").read_text(), flags=re.DOTALL)
    elsewhere = (
        "element.model.",
        "element.nvtracker.",
        "parameters.draw_func.rendered_objects.",
        "source.zeromq",
        "sink.zeromq",
    )
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", page))))
    keys = [key for key in keys_of_the_schema() if not key.startswith(elsewhere)]
    assert [key for key in keys if key.rpartition(".")[2] not in words] == []
