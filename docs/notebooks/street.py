"""What the notebooks show: real clips of the demo, a street that is drawn, and a small detector that really computes."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from picasso.cli.showcase.clips import clip_path

COLORS = {"red": (225, 40, 45), "green": (40, 190, 70), "blue": (45, 70, 225)}
LABELS = ("car", "van", "bus")
"""What the detector calls things that are red, green and blue."""
SIZE_WH = (640, 360)
RATE = 25
_LANES = {"red": (230, 5, 62), "green": (270, 3, 74), "blue": (186, -4, 54)}
"""Of each car: its top row, pixels a frame to the right, its width."""


def demo_clip(name: str = "bikes.mp4") -> Path:
    """Return a real clip: ``bikes.mp4``, ``bigbuckbunny.mp4`` or ``carphone_pristine.mp4``.

    They come with ``pip install 'picasso-engine[demo]'``.
    """
    return clip_path(name)


def _background() -> np.ndarray[Any, Any]:
    width, height = SIZE_WH
    y, x = np.mgrid[:height, :width]
    picture = np.stack([130 + y // 4, 150 + y // 5, 175 + y // 8], axis=2).clip(0, 255)
    houses = ((x // 72) * 37 % 90 + 90 > 190 - y) & (y < 180)
    shade = 90 + (x // 72) * 23 % 60
    picture[houses] = np.stack([shade, shade - 10, shade - 16], axis=2)[houses]
    picture[houses & (x % 22 > 12) & (y % 26 > 15)] = (205, 198, 160)
    picture[y >= 180] = (92, 93, 96)
    picture[(y >= 256) & (y < 260) & (x % 80 > 40)] = (222, 222, 215)
    return picture.astype(np.uint8)


def car_boxes(number: int) -> dict[str, tuple[int, int, int, int]]:
    """Return where the cars of a frame are: left, top, right, bottom in pixels."""
    boxes = {}
    for name, (top, speed, width) in _LANES.items():
        left = (40 if speed > 0 else SIZE_WH[0] - 100) + speed * number
        boxes[name] = (left, top, left + width, top + width // 2)
    return boxes


def write_street(path: str | os.PathLike[str], frames: int = 100) -> Path:
    """Write a clip of a street with three cars, 640 x 360 at 25 frames a second."""
    scene = _background()
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(RATE), options={"crf": "16", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
        for number in range(frames):
            picture = scene.copy()
            for name, (left, top, right, bottom) in car_boxes(number).items():
                picture[top:bottom, max(left, 0) : max(right, 0)] = COLORS[name]
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
            )
        container.mux(stream.encode(None))
    return Path(path)


def write_detector(
    path: str | os.PathLike[str], size_wh: tuple[int, int] = (160, 96), turns: int = 24
) -> Path:
    """Write a detector of red, green and blue things as an ONNX file, in the form of YOLO v8: ``(N, 4 + 3, W * H)``.

    A convolution says for each pixel how red, green and blue it is. Then each coloured pixel learns the farthest
    corners of its region from its neighbours, a pixel a turn; all pixels of a region propose the same box.
    """
    import onnx
    from onnx import TensorProto, helper

    width, height = size_wh
    rows, columns = np.indices((height, width), np.float32)
    far = np.stack([width - columns, height - rows, columns + 1, rows + 1])
    to_center = np.array(
        [[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [-1, 0, 1, 0], [0, -1, 0, 1]], np.float32
    )
    weights = {
        "colors": np.array(
            [[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]], np.float32
        )[:, :, None, None],
        "bias": np.full(3, -0.15, np.float32),
        "zero": np.float32(0),
        "one": np.float32(1),
        "two": np.float32(2),
        "far": np.tile(far, (3, 1, 1))[None],
        "four": np.kron(np.eye(3), np.ones((4, 1))).astype(np.float32)[
            :, :, None, None
        ],
        "sign": np.tile(np.array([-1, -1, 1, 1], np.float32), 3).reshape(1, 12, 1, 1),
        "offset": np.tile(np.array([width, height, 0, 0], np.float32), 3).reshape(
            1, 12, 1, 1
        ),
        "sum": np.tile(np.eye(4, dtype=np.float32), (1, 3))[:, :, None, None],
        "to_center": to_center[:, :, None, None],
        "shape": np.array([0, 7, -1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["images", "colors", "bias"], ["share"]),
        node("Mul", ["share", "two"], ["raised"]),
        node("Clip", ["raised", "zero", "one"], ["scores"]),
        node("Greater", ["share", "zero"], ["is_colored"]),
        node("Cast", ["is_colored"], ["mask"], to=TensorProto.FLOAT),
        node("Conv", ["mask", "four"], ["masks"]),
        node("Mul", ["masks", "far"], ["reach0"]),
    ]
    for turn in range(turns):
        nodes.append(
            node(
                "MaxPool",
                [f"reach{turn}"],
                [f"grown{turn}"],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
            )
        )
        nodes.append(node("Mul", [f"grown{turn}", "masks"], [f"reach{turn + 1}"]))
    nodes += [
        node("Mul", [f"reach{turns}", "sign"], ["signed"]),
        node("Mul", ["offset", "masks"], ["from"]),
        node("Add", ["signed", "from"], ["corners"]),
        node("Conv", ["corners", "sum"], ["own"]),
        node("Conv", ["own", "to_center"], ["boxes"]),
        node("Concat", ["boxes", "scores"], ["rows"], axis=1),
        node("Reshape", ["rows", "shape"], ["output0"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "street",
        [value("images", TensorProto.FLOAT, ["batch", 3, height, width])],
        [value("output0", TensorProto.FLOAT, ["batch", 7, width * height])],
        [
            onnx.numpy_helper.from_array(np.asarray(array), name)
            for name, array in weights.items()
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    helper.set_model_props(
        model, {"task": "detect", "names": str(dict(enumerate(LABELS)))}
    )
    onnx.save(model, path)
    return Path(path)
