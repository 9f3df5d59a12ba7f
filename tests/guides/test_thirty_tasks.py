"""docs/thirty_tasks.md: each task takes at most eight lines of public names, and does what its title says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snippets import ROOT, Snippet, snippets

import picasso as pc

TASKS = snippets(ROOT / "docs" / "thirty_tasks.md")
MOST_LINES = 8
Names = dict[str, Any]
Check = Callable[[Names], object]

GIVEN: dict[int, Callable[[], Names]] = {
    14: lambda: {
        "result": pc.Detections.of([[1, 2, 30, 40]], ["car"], class_ids=[0], confidences=[0.5]).to_ultralytics((64, 48))
    },
    16: lambda: {
        "output": {
            "boxes": np.array([[1.0, 2, 30, 40]] * 2),
            "labels": np.array([1, 2]),
            "scores": np.array([0.9, 0.2]),
        }
    },
}
"""What the text says that the reader has."""


def says(condition: object) -> None:
    assert condition


def is_drawn(names: Names) -> None:
    drawn = names["drawn"]
    assert drawn.dtype == np.uint8
    assert drawn.shape == (360, 640, 3)
    before = names["surface"].to_rgb() if "surface" in names else np.zeros_like(drawn)
    assert 200 < (drawn != before).any(-1).sum() < 100_000


def cars(found: pc.Detections) -> list[tuple[str, list[float]]]:
    return sorted((one.label, one.xyxy.round(-1).tolist()) for one in found)


def check_reading(names: Names) -> None:
    assert names["image"].shape == (360, 640, 3)
    assert names["frame"].pts == 49 * 40_000_000


def check_letterbox(names: Names) -> None:
    pixels = np.asarray(names["square"])
    assert names["placement"].inner_ltwh == (0, 140, 640, 360)
    assert not pixels[:140].any()
    assert not pixels[500:].any()
    assert pixels[140:500].mean() > 50


def check_boxes(names: Names) -> None:
    assert names["boxes"].tolist() == [[100, 190, 300, 340]]
    assert names["again"].tolist() == [[100, 50, 300, 200]]


def check_tensor(names: Names) -> None:
    batch = names["batch"]
    assert (batch.shape, batch.dtype) == ((4, 3, 640, 640), np.float16)
    assert np.allclose(batch[:, :, :140], np.float16(114 / 255))
    assert [placement.pads_ltrb for placement in names["placements"]] == [(0, 140, 0, 140)] * 4


def check_detector(names: Names) -> None:
    assert names["frame"].pts == 32 * 40_000_000
    found = names["found"]
    assert set(found.labels) == {"car", "van", "bus"}
    (red,) = found[found.labels == "car"].xyxy
    assert np.abs(red - [200, 230, 262, 261]).max() < 6


def check_coco(names: Names) -> None:
    document = json.loads(Path("cars.json").read_text())
    assert [one["bbox"] for one in document["annotations"]] == [[10, 20, 100, 50]]
    assert [one["name"] for one in document["categories"]] == ["car"]
    assert names["of_image"][1].labels.tolist() == ["car", "person"]


def check_yolo(names: Names) -> None:
    assert names["found"].labels.tolist() == ["car", "person"]
    assert names["found"].xyxy[0].tolist() == [240, 90, 400, 270]
    copied = [[float(number) for number in line.split()] for line in Path("copy.txt").read_text().splitlines()]
    original = [[float(number) for number in line.split()] for line in names["text"].splitlines()]
    assert np.allclose(copied, original, atol=1e-6)


def check_blur(names: Names) -> None:
    before, after = names["surface"].to_rgb().astype(int), names["blurred"].astype(int)
    changed = (before != after).any(-1)
    assert changed[225:265, 230:330].mean() > 0.2
    assert not np.delete(changed, slice(225, 265), axis=0).any()


def video_differs(name: str, at_least: float) -> None:
    with pc.VideoReader("street.mp4", pixel_format="rgb") as before, pc.VideoReader(name, pixel_format="rgb") as after:
        assert len(before) == len(after) == 50
        changed = np.abs(np.asarray(before[40][1]).astype(int) - np.asarray(after[40][1])).max(-1) > 60
    assert at_least < changed.mean() < 0.5


def check_tracks(names: Names) -> None:
    video_differs("tracks.mp4", 0.004)
    assert names["tracker"].update([[0, 0, 9, 9]], [0.9], [0], 2_000_000_000).tolist() == [4]  # behind three cars


def check_zone(names: Names) -> None:
    counts = names["counts"]
    assert len(counts) == 10
    assert max(counts) == 2  # red and green drive in the lower lanes
    assert min(counts) >= 1


def check_line(names: Names) -> None:
    """Red and green come from the left of the picture; the line runs upwards, so they go from its left to its right."""
    assert (names["line"].in_count, names["line"].out_count) == (0, 2)


def check_written(_names: Names) -> None:
    with pc.VideoReader("gray.mp4", pixel_format="rgb") as reader:
        assert len(reader) == 100
        assert abs(float(np.asarray(reader[70][1]).mean()) - 140) < 3


def check_pictures(_names: Names) -> None:
    from PIL import Image

    with Image.open("street.gif") as gif:
        assert gif.is_animated
        assert gif.size == (320, 180)
    with Image.open("sheet.png") as sheet:
        assert sheet.width > 600


def check_runner(names: Names) -> None:
    assert {(status.source_id, status.state, status.delivered) for status in names["statuses"]} == {
        ("gate", "ended", 50),
        ("yard", "ended", 50),
    }
    for name in ("gate", "yard"):
        (file,) = Path("rec", name).iterdir()
        assert pc.probe(file).size_wh == (320, 180)


def check_module(names: Names) -> None:
    (status,) = names["outcome"].statuses
    assert (status.state, status.delivered) == ("ended", 50)
    (file,) = Path().glob("gate*.ndjson")
    *records, end = map(json.loads, file.read_text().splitlines())
    assert [record["schema"] for record in records] == ["VideoFrame"] * 50
    labels = [sorted(one["label"] for one in record["metadata"]["objects"]) for record in records]
    assert labels == [["bus", "car", "van"]] * 50
    assert end["schema"] == "EndOfStream"


CHECKS: dict[int, Check] = {
    1: check_reading,
    2: lambda names: says((names["frame"].pts, names["last"].pts) == (1_280_000_000, 1_960_000_000)),
    3: lambda names: says(names["times_s"] == [0.4, 0.6, 0.8, 1.0, 1.2, 1.4]),
    4: lambda names: says(
        (names["info"].codec, names["info"].size_wh, names["info"].frame_rate) == ("h264", (640, 360), 25)
    ),
    5: lambda _names: says(pc.probe("street.png").size_wh == (640, 360)),
    6: lambda names: says((names["part"].size_wh, names["small"].shape) == ((400, 170), (86, 200, 3))),
    7: lambda names: says(names["surface"]._repr_png_().startswith(b"\x89PNG")),
    8: check_letterbox,
    9: check_boxes,
    10: check_tensor,
    11: check_detector,
    12: lambda names: says(
        (len(names["sure"]), names["large_cars"].confidences.round(1).tolist()) == (2, pytest.approx([0.9, 0.6]))
    ),
    13: lambda names: says(names["found"].labels.tolist() == ["car", "person"]),
    14: lambda names: says(names["found"].xyxy.tolist() == [[1, 2, 30, 40]]),
    15: lambda names: says(
        names["again"].xyxy.tolist() == [[10, 10, 90, 60]] and names["theirs"].class_id.tolist() == [2]
    ),
    16: lambda names: says(
        (names["found"].labels.tolist(), names["found"].xyxy.tolist()) == (["car"], [[1, 2, 30, 40]])
    ),
    17: check_coco,
    18: check_yolo,
    19: lambda names: says(names["table"]["label"].tolist() == ["car", "person"]),
    20: is_drawn,
    21: is_drawn,
    22: is_drawn,
    23: check_blur,
    24: lambda _names: video_differs("drawn.mp4", 0.004),
    25: check_tracks,
    26: lambda _names: video_differs("heat.mp4", 0.001),
    27: check_zone,
    28: check_line,
    29: check_written,
    30: check_pictures,
    31: check_runner,
    32: check_module,
    35: lambda names: says(names["again"].get_detections("yolo").xyxy.tolist() == [[10, 10, 90, 60]]),
    33: lambda names: says((names["received"].source_id, names["received"].width) == ("gate", 640)),
    34: lambda names: says(
        (names["batch"].shape, names["reader"].device) in [((4, 3, 640, 640), "cpu"), ((4, 3, 640, 640), "cuda")]
    ),
}


def number_of(task: Snippet) -> int:
    return int(task.title.partition(".")[0])


def test_there_are_thirty_tasks_or_more_and_each_is_short_and_checked() -> None:
    assert len(TASKS) >= 30
    assert [number_of(task) for task in TASKS] == list(range(1, len(TASKS) + 1)) == sorted(CHECKS)
    assert not [f"{task.title}: {task.length} lines" for task in TASKS if task.length > MOST_LINES]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.title)
def test_a_task_does_what_its_title_says(task: Snippet, readers_folder: Path) -> None:
    given = GIVEN.get(number_of(task), dict)()
    CHECKS[number_of(task)](task.run(given))
