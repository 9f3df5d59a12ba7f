"""The table against supervision's annotators: a row for each that the installed version has, and a picture of each."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picasso import annotators as an

sv = pytest.importorskip("supervision")
DOCS = Path(__file__).parents[2] / "docs"
ROWS = dict(re.findall(r"^\| `(\w+Annotator\w*)` \| (.+) \|$", (DOCS / "annotators.md").read_text(), re.MULTILINE))
NAMES = [name for name in dir(sv) if "Annotator" in name]


@pytest.fixture(scope="module")
def gallery() -> Any:
    spec = importlib.util.spec_from_file_location("make_annotators_gallery", DOCS / "make_annotators_gallery.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_every_annotator_of_the_installed_supervision_has_a_row() -> None:
    assert len(NAMES) > 30
    assert not set(NAMES) - set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_an_annotator_that_is_here_or_says_why_there_is_none(name: str) -> None:
    text = ROWS[name]
    if text.startswith("left out"):
        assert re.fullmatch(r"left out(: .{20,}|, as `\w+`)", text)
        assert not hasattr(an, name)
        return
    here = re.findall(r"`(\w+Annotator)", text)
    assert here
    assert all(issubclass(getattr(an, found), an.Annotator) for found in here)
    assert text.startswith("covered: ") or here[0] == name


def test_every_row_but_that_of_depth_has_a_picture_beside_supervisions(gallery: Any) -> None:
    sides = {title: theirs for title, _, theirs in gallery.cells()}
    drawn = {title for title, theirs in sides.items() if theirs is not None}
    assert set(NAMES) - {"DepthAnnotator"} <= drawn
    assert {title for title, theirs in sides.items() if theirs is None} == {"VertexRingAnnotator"}


def test_both_sides_of_every_picture_draw_something(gallery: Any) -> None:
    empty = gallery.picture()
    for title, ours, theirs in gallery.cells():
        for side in (ours, theirs):
            if side is not None:
                assert not np.array_equal(side(gallery.picture()), empty), title


def test_what_fills_or_frames_boxes_paints_nearly_the_pixels_of_supervision(gallery: Any) -> None:
    cells = {title: (ours, theirs) for title, ours, theirs in gallery.cells()}
    empty = gallery.picture()
    for title in ("BoxAnnotator", "ColorAnnotator", "MaskAnnotator", "BlurAnnotator"):
        mine, other = ((side(gallery.picture()) != empty).any(axis=2) for side in cells[title])
        together = (mine & other).sum() / (mine | other).sum()
        assert together > 0.6, (title, together)
