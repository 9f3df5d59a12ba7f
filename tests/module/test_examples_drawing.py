"""The examples that draw, run as users run them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from running import picasso

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FRAMES = 60


def pictures_of(folder: Path) -> list[np.ndarray[Any, Any]]:
    found = []
    for file in sorted(folder.iterdir()):
        with av.open(str(file)) as container:
            found.append(next(container.decode(video=0)).to_ndarray(format="rgb24"))
    return found


def run(name: str, out: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> list[np.ndarray[Any, Any]]:
    monkeypatch.setenv("OUT", str(out))
    done = picasso("run", *options, str(EXAMPLES / name / "module.yml"), "-q")
    assert done.code == 0, done.err
    pictures = pictures_of(out / "cam")
    assert len(pictures) == FRAMES
    return pictures


def left_of(number: int) -> int:
    """Where the orange square of the test picture is: as wide as a quarter of the height, 5 pixels a frame."""
    return number * 5 % (320 - 60 + 1)


def test_a_custom_drawer_draws_its_zone_and_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = run("custom_drawer", tmp_path, monkeypatch)
    for number, picture in enumerate(pictures):
        is_inside = 160 < left_of(number) + 30 < 300
        color = [255, 0, 0] if is_inside else [0, 160, 255]
        assert picture[100, 300].tolist() == color  # the edge of the zone
        assert picture[231, 311].tolist() == color  # the corner of the text
        assert (picture[10, 20] > 140).all() == is_inside  # the logo
        edge = picture[120, max(left_of(number) - 1, 0) : left_of(number) + 1]
        assert [255, 0, 0] in edge.tolist()  # the stock drawing's border


def test_a_module_written_for_the_reference_runs_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = run("compat", tmp_path, monkeypatch, "--compat")
    records = [one for one in json.loads((tmp_path / "all.json").read_text()) if one.get("objects")]
    assert len(records) == FRAMES
    crossings = 0
    before = False
    for number, picture in enumerate(pictures):
        is_right = left_of(number) + 30 > 160
        crossings += number > 0 and is_right != before
        before = is_right
        assert (picture[4:20, 4:44] == [0, 0, 255]).all()  # the overlay
        assert picture[20, 160].tolist() == [255, 255, 255]  # the line
        pad = 2 if is_right else 0
        edge = picture[120, max(left_of(number) - pad - 1, 0) : left_of(number) - pad + 1].tolist()
        assert ([255, 0, 0] if is_right else [0, 255, 0]) in edge
    assert crossings == 2
    tags = [attribute for attribute in records[-1]["attributes"] if attribute["name"] == "crossings"]
    assert json.dumps(tags).count("2") >= 1


def test_without_compat_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLES / "compat", tmp_path / "compat")
    monkeypatch.setenv("OUT", str(tmp_path))
    done = picasso("run", str(tmp_path / "compat" / "module.yml"), "-q")
    assert done.code == 1
    assert "picasso run --compat" in done.err
