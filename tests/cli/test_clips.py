from __future__ import annotations

from pathlib import Path

import pytest

from picasso.cli.showcase import clips
from picasso.errors import MissingDependencyError


@pytest.mark.parametrize("name", ["bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4"])
def test_the_clips_lie_in_the_wheel(name: str) -> None:
    assert clips.clip_path(name).is_file()


def test_a_missing_wheel_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependencyError, match=r"not installed.*pip install 'picasso-engine\[demo\]'"):
        clips.clip_path("bikes.mp4")


def test_a_wheel_without_the_clip_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(clips, "find_spec", lambda _name: Spec)
    with pytest.raises(MissingDependencyError, match=r"no bikes\.mp4"):
        clips.clip_path("bikes.mp4")
