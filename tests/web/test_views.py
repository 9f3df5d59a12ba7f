"""Pictures for viewers show what the module makes: where boxes lie, pixels lie, in every geometry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browser_kit import extent
from web_kit import H264, Blinking, Running, pattern, running, tree

pytestmark = pytest.mark.usefixtures("compiled_kernels")
BLUE = {"bbox": {"border_color": "0000FFFF", "background_color": "0000FFFF"}}
GEOMETRIES: dict[str, tuple[dict[str, Any], tuple[int, int], tuple[float, ...]]] = {
    "source size": ({"width": None, "height": None}, (160, 120), (80, 60, 40, 30)),
    "twice as wide": ({"width": 320, "height": 120}, (320, 120), (160, 60, 80, 30)),
    "padding kept": (
        {"width": 160, "height": 120, "padding": {"left": 32, "top": 16, "right": 8}},
        (200, 136),
        (112, 76, 40, 30),
    ),
    "padding dropped": (
        {"width": 160, "height": 120, "padding": {"left": 32, "top": 16, "keep": False}},
        (160, 120),
        (80, 60, 40, 30),
    ),
}
"""Frame block, size of the picture, and where the box that comes in at (80, 60, 40, 30) lies."""
EDITS = """
def It(frame):
    with frame.edit_image() as pixels:
        pixels[:8] = (0, 255, 0, 255)
"""


def snapshot(one: Running, source_id: str = "gate") -> np.ndarray[Any, Any]:
    answer = one.http.post(f"/sources/{source_id}/snapshot", json={"timeout_s": 60})
    assert answer.status_code == 200, answer.text
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)


@pytest.mark.parametrize("output", [None, H264], ids=["no pixels leave", "h264"])
@pytest.mark.parametrize("case", GEOMETRIES)
def test_boxes_and_pixels_of_a_picture_agree(case: str, output: dict[str, Any] | None) -> None:
    frame, size_wh, box = GEOMETRIES[case]
    with running(tree(pattern("unused"), frame=frame, output_frame=output), Blinking("gate")) as one:
        assert one.http.post("/sources/gate/drawing", json={"rendered_objects": {"yolo": {"car": BLUE}}}).is_success
        one.wait_for_more("gate")
        picture = snapshot(one)
    assert picture.shape[1::-1] == size_wh
    found = extent(picture, lambda pixels: np.abs(pixels - (0, 0, 255)).sum(2) < 150)
    for mine, wanted in zip(found.as_ltwh(), (box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]), strict=True):
        assert abs(mine - wanted) <= 4, (found, box)


@pytest.mark.parametrize("output", [None, H264], ids=["no pixels leave", "h264"])
def test_what_an_element_wrote_is_in_the_picture(tmp_path: Path, output: dict[str, Any] | None) -> None:
    code = tmp_path / "edits.py"
    code.write_text(EDITS)
    config = tree(pattern("unused"), output_frame=output)
    config["pipeline"]["elements"] = [{"element": "pyfunc", "module": str(code), "class_name": "It"}]
    with running(config, Blinking("gate")) as one:
        picture = snapshot(one)
    assert np.abs(picture[2] - (0, 255, 0)).max() < 60
    assert np.abs(picture[60] - (200, 40, 40)).max() < 30


def test_frames_that_leave_as_they_came_are_shown(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(25):
            pixels = np.full((120, 160, 3), (200, 40, 40), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    source = {
        "element": "uridecodebin",
        "properties": {"uri": str(clip), "source_id": "gate", "loop": True, "pace": True},
    }
    with running(tree(source, output_frame={"codec": "copy"})) as one:
        assert one.source("gate")["stream"] is None  # a decoder in the browser would have to wait for a keyframe
        picture = snapshot(one)
        one.wait_for_more("gate", 30)
        assert one.source("gate")["counts"]["dropped"] == 0
    assert picture.shape == (120, 160, 3)
    assert np.abs(picture[60] - (200, 40, 40)).max() < 30
