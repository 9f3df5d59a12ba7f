"""What new users write first, where it is not what they mean: the error says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import picasso as pc
from picasso import annotators as an
from picasso.encode import Codec, EncoderConfig
from picasso.flow import Camera, File, Runner
from picasso.infer import Session
from picasso.surface import SurfaceView, VideoFormat

SQUARE = pc.Placement.compute((64, 48), (32, 32))
FOUND = pc.Detections.of([[0, 0, 9, 9]], ["car"])
H264 = EncoderConfig(Codec.H264, 64, 48)


PICTURE = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
SURFACE = SurfaceView.wrap(PICTURE)
PLANES = SurfaceView.allocate(VideoFormat.NV12, (16, 16))


def reader_of(name: str) -> Any:
    SURFACE.save("still.png")
    with pc.VideoReader("still.png") as reader:
        return getattr(reader, name)


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
    ("a box in a list for detections", lambda: pc.annotate(PICTURE, [[0, 0, 9, 9]]), r"Detections\.of\(boxes_xyxy"),
    ("detections by their class", lambda: pc.Detections(xyxy=np.zeros((1, 4))), r"Detections\.of\(xyxy, labels"),
    (
        "a device",
        lambda: pc.Detector("a.onnx", device="cuda"),
        r"'device': write provider \('cuda', 'cpu'\) and gpu_id",
    ),
    ("a size of ultralytics", lambda: pc.Detector("a.onnx", imgsz=640), "unknown option 'imgsz': write size"),
    ("an option of no one", lambda: pc.Detector("a.onnx", half=True), "unknown option 'half'; one of confidence, iou"),
    ("a rate of the reader", lambda: reader_of("fps"), r"no attribute 'fps': write reader\.info\.frame_rate"),
    ("metadata of torchcodec", lambda: reader_of("metadata"), r"no attribute 'metadata': write reader\.info$"),
    ("a method of torchcodec", lambda: reader_of("get_frame_at"), r"'get_frame_at': write reader\[i\]"),
    ("a name that no one has", lambda: reader_of("colour"), "has no attribute 'colour'$"),
    ("a surface for Pillow", lambda: Image.fromarray(SURFACE), r"surface\.to_pil\(\) gives an image of Pillow"),
    ("pixels of planes", lambda: PLANES[2:4, 2:4], r"NV12 has 2 planes; surface\.to_rgb\(\) gives"),
    ("a loop over a picture", lambda: list(SURFACE), "'SurfaceView' object is not iterable"),  # type: ignore[call-overload]
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


def test_a_surface_is_indexed_as_its_pixels() -> None:
    assert (SURFACE[10:14, 5:9] == PICTURE[10:14, 5:9]).all()
    assert SURFACE[3, 4].tolist() == PICTURE[3, 4].tolist()
    assert (SURFACE[..., 0] == PICTURE[..., 0]).all()
