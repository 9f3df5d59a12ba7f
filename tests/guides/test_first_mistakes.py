"""What new users write first, where it is not what they mean: the error says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import picasso as pc
from picasso import annotators as an
from picasso.encode import Codec, EncoderConfig
from picasso.flow import Camera, File, Runner
from picasso.infer import Session

SQUARE = pc.Placement.compute((64, 48), (32, 32))
FOUND = pc.Detections.of([[0, 0, 9, 9]], ["car"])
H264 = EncoderConfig(Codec.H264, 64, 48)


def model_file(name: str) -> Callable[[], object]:
    def load() -> Session:
        Path(name).write_bytes(b"weights")
        return Session(name)

    return load


def added(source: Any, **options: Any) -> Callable[[], object]:
    def add() -> None:
        with Runner(encoder=H264) as runner:
            runner.add(source, **options)

    return add


MISTAKES: list[tuple[str, Callable[[], Any], str]] = [
    ("a codec by its name", lambda: EncoderConfig("h264", 64, 48), r"got 'h264'; Codec\.from_name\('h264'\)"),
    ("a path as a source", added("a.mp4"), r"expected a source, got str: File\(path, name\) reads a file"),
    (
        "a path as a sink",
        added(File("a.mp4"), sinks=["out.mp4"]),
        r"got str: StreamWriter\(path\) writes a video file",
    ),
    (
        "a function as a sink",
        added(File("a.mp4"), sinks=[print]),
        r"Output\(spec, on_output=\.\.\.\) takes a function",
    ),
    (
        "a crop as four numbers",
        lambda: pc.Placement.compute((64, 48), (32, 32), src_rect=(0, 0, 32, 32)),
        r"expected Rect\(top, left, width, height\) or None, got \(0, 0, 32, 32\)",
    ),
    ("detections as boxes", lambda: pc.unplace(FOUND, SQUARE), "place_detections and unplace_detections move"),
    ("weights of PyTorch", model_file("yolo11n.pt"), r"yolo11n\.pt: weights of PyTorch; export the model to ONNX"),
    ("an engine", model_file("yolo.engine"), "an engine of TensorRT; export the model to ONNX"),
    ("a colour by its name", lambda: an.BoxAnnotator(color="red"), "unknown name 'red'; one of safe, bright"),
    ("a colour as numbers", lambda: an.BoxAnnotator(color=(255, 0, 0)), r"expected a ColorDraw.*got \(255, 0, 0\)"),
    ("a picture of floats", lambda: pc.to_tensor(np.zeros((8, 8, 3))), "expected an array of uint8, got dtype float64"),
    ("a path as a picture", lambda: pc.to_tensor("a.png"), "VideoReader opens files, pictures too"),
    ("a frame as a picture", lambda: pc.annotate((1, 2), FOUND), "pass the pixels, as in `frame, surface = reader"),
    ("a list of results", lambda: pc.Detections.from_ultralytics([1]), r"pass results\[0\]"),
    ("scores for confidences", lambda: pc.Detections.of([[0, 0, 1, 1]], scores=[1]), "unknown column 'scores'; one of"),
    ("a name of another room", lambda: pc.BoxAnnotator, r"there is picasso\.annotators\.BoxAnnotator"),
]


@pytest.mark.parametrize(("call", "words"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_answered_by_what_to_write_instead(
    call: Callable[[], Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError, AttributeError, RuntimeError), match=words):
        call()


def test_what_may_be_shorter_is() -> None:
    assert (H264.fps(30).fps_num, H264.fps_den) == (30, 1)
    assert Camera(0).location == "/dev/video0"
    assert Camera(0).source_id == "video0"
    red = np.zeros((16, 16, 3), np.uint8)
    an.ColorAnnotator(color="#ff0000", opacity=1).annotate(red, FOUND)
    assert red[4, 4].tolist() == [255, 0, 0]
