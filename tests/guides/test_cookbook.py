"""docs/cookbook: each recipe is short, runs by itself, and does what its title says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snippets import ROOT, Snippet, snippets

import picasso as pc

PAGES = sorted((ROOT / "docs" / "cookbook").glob("*.md"))
RECIPES = [recipe for page in PAGES for recipe in snippets(page)]
FEWEST, MOST = 3, 16
Names = dict[str, Any]


def pixels_of(path: str, number: int) -> np.ndarray[Any, Any]:
    with pc.VideoReader(path, pixel_format="rgb") as reader:
        return reader[number][1].to_rgb().astype(int)


def count_of(path: str) -> int:
    with pc.VideoReader(path) as reader:
        return len(reader)


def check_tiles(names: Names) -> None:
    found = names["found"]
    assert sorted(found.labels) == ["bus", "car", "van"]
    (van,) = found[found.labels == "van"].xyxy
    assert np.abs(van - [100, 270, 174, 307]).max() < 12


def check_regions(names: Names) -> None:
    assert {*names["near"].labels} == {"car", "van"}
    assert {*names["far"].labels} == {"bus"}
    (car,) = names["near"][names["near"].labels == "car"].xyxy
    assert np.abs(car - [140, 230, 202, 261]).max() < 6


def check_part(names: Names) -> None:
    (output,) = names["seen"]
    assert output.as_video_frame().get_detections().xyxy.tolist() == [[70, 25, 101, 40.5]]


def check_masks(names: Names) -> None:
    assert names["moved"].masks[0][240:340, 100:300].all()
    assert names["moved"].masks.areas.tolist() == [100 * 200]
    assert (names["again"].masks[0] == names["mask"][0]).all()
    assert names["again"].keypoints[0, 0, :2].tolist() == [200, 150]


def check_fails_where_the_function_is_wrong(names: Names) -> None:
    names["test_shares_of_the_width_come_back"]()
    names["hidden"] = lambda shares, _placement: shares
    with pytest.raises(AssertionError):
        names["test_shares_of_the_width_come_back"]()


def check_training_tensor(names: Names) -> None:
    batch, picture = names["batch"], names["surface"].resize((224, 224)).to_rgb()
    expected = (picture / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    assert batch.shape == (1, 224, 224, 3)
    assert np.abs(batch[0] - expected).mean() < 0.02


def check_filled(names: Names) -> None:
    assert names["filled"] is names["batch"]
    assert 0.2 < names["batch"][:, :, 80:200].mean() < 0.8


def check_shared(names: Names) -> None:
    assert np.shares_memory(names["view"], names["pixels"])
    assert (names["wrapped"].to_rgb() == 7).all()


def check_slow(_names: Names) -> None:
    assert count_of("slow.mp4") == 10
    assert pc.probe("slow.mp4").duration_ns == pytest.approx(1.6e9, rel=0.01)


def check_scene(_names: Names) -> None:
    info = pc.probe("scene.mp4")
    assert (info.codec, info.size_wh, info.frame_count) == ("hevc", (320, 180), 20)


def check_hidden(_names: Names) -> None:
    changed = np.abs(pixels_of("redacted.mp4", 20) - pixels_of("street.mp4", 20)).max(-1) > 40
    assert changed[183:216, 456:518].mean() > 0.1  # the bus's edge is no longer where it was
    assert changed[225:310].mean() < 0.01  # car and van are as they were


def check_underline(names: Names) -> None:
    below = names["drawn"].any(-1)
    assert below[202:206, 100:300].all()
    assert below.sum() == 4 * 200


def check_copy(_names: Names) -> None:
    assert count_of("copy/gate.mp4") == 50
    assert (pixels_of("copy/gate.mp4", 37) == pixels_of("street.mp4", 37)).all()


def check_yolo(_names: Names) -> None:
    assert len(list(Path("set").glob("*.png"))) == len(list(Path("set").glob("*.txt"))) == 5
    found = pc.Detections.from_yolo(Path("set/000002.txt").read_text(), (320, 320), names=["car", "van", "bus"])
    (car,) = found[found.labels == "car"].xyxy
    assert np.abs(car - [70, 185, 101, 200.5]).max() < 4  # half size, below a bar of 70 lines


def check_coco(_names: Names) -> None:
    document = json.loads(Path("instances.out.json").read_text())
    assert sorted(pc.Detections.from_coco(document)) == [1, 2, 3, 4, 5]
    assert [one["id"] for one in document["annotations"]] == list(range(1, 16))
    assert {one["name"] for one in document["categories"]} == {"car", "van", "bus"}


def check_table(names: Names) -> None:
    assert len(names["table"]) == 30
    assert names["table"]["time_s"].nunique() == 10


def check_speeds(names: Names) -> None:
    speeds = {label: speed for (_track, label), speed in names["speeds"].items()}
    assert speeds == pytest.approx({"bus": -100, "car": 125, "van": 75}, abs=1)


def check_stay(names: Names) -> None:
    assert set(names["seconds"]) == {"car", "van"}
    assert all(1.4 < seconds < 1.9 for seconds in names["seconds"].values())


def check_fade(names: Names) -> None:
    before, after = names["surface"].to_rgb().astype(int), names["drawn"].astype(int)
    assert np.abs(after[:100] - before[:100] / 2).max() < 3  # sky, half as bright
    assert (np.abs(after - before / 2).max(-1) > 60).mean() > 0.01


def check_recording(names: Names) -> None:
    files = sorted(path.name for path in Path("rec").iterdir())
    assert files == ["gate-01.mp4", "gate-02.mp4", "yard-01.mp4", "yard-02.mp4"]
    for name in ("gate", "yard"):
        assert [state for source, state in names["states"] if source == name] == ["connecting", "live", "ended"]
        assert sum(count_of(f"rec/{name}-{index:02d}.mp4") for index in (1, 2)) == 50


def check_patience(names: Names) -> None:
    gone, gate = names["statuses"]["gone"], names["statuses"]["gate"]
    assert (str(gone.state), gone.restarts) == ("failed", 3)
    assert (str(gate.state), gate.delivered) == ("ended", 50)


def check_screens(_names: Names) -> None:
    assert [round(float(pixels_of("screens.mp4", number).mean()), -1) for number in (2, 5, 9)] == [40, 100, 180]


def check_each_drawn(_names: Names) -> None:
    for name in ("gate.mp4", "yard.mp4"):
        white = (pixels_of(name, 20) > 200).all(-1)
        assert white[228:264, 138:205].mean() > 0.1


def check_dropped(names: Names) -> None:
    stats = names["stats"]
    assert stats.frames_in == stats.frames_out + sum(stats.dropped.values()) == 50


def check_metrics(names: Names) -> None:
    lines = names["text"].splitlines()
    assert 'picasso_source_frames_read_total{source_id="gate"} 50.0' in lines
    assert 'picasso_source_state{source_id="gate",state="ended"} 1.0' in lines


def check_spent(names: Names) -> None:
    spent = names["spent_ns"]
    assert {"queue", "transform", "encode", "callback", "total"} == set(spent)
    assert spent["total"] >= spent["encode"] > 0


def check_tracked(names: Names) -> None:
    first, *_ = names["outputs"]["gate"]
    for out in names["outputs"]["gate"][:20]:
        found = {one.label: one.track_id for one in out.frame.objects if one.label in {"car", "van", "bus"}}
        assert found == {one.label: one.track_id for one in first.frame.objects if one.label in found}
        assert len({*found.values()} - {None}) == 3


def check_clock(names: Names) -> None:
    from picasso.surface import SurfaceView

    (path := Path("clock.jpg")).write_bytes(names["outputs"][0].data)
    with pc.VideoReader(path, pixel_format="rgb") as reader:
        surface: SurfaceView = next(reader.frames())[1]
        pixels = surface.to_rgb()[..., :3]
    assert (pixels[:40, :120] > 200).all(-1).mean() > 0.03


CHECKS: dict[str, Callable[[Names], object]] = {
    "Find small objects in tiles": check_tiles,
    "Look in two regions only": check_regions,
    "Send only a part of each frame to the encoder, with its boxes": check_part,
    "Move masks and keypoints with the letterbox": check_masks,
    "Test a crop of your own with hypothesis": check_fails_where_the_function_is_wrong,
    "Make the tensor that your training code made": check_training_tensor,
    "Fill a tensor that is there already": check_filled,
    "Share pixels with NumPy, torch and CuPy": check_shared,
    "Look at luma without converting the picture": lambda names: says(
        len(names["brightness"]) == 50 and 100 < min(names["brightness"]) < max(names["brightness"]) < 130
    ),
    "Make a time lapse": lambda _names: says(count_of("lapse.mp4") == 10),
    "Show a moment in slow motion": check_slow,
    "Cut a scene out, smaller and as HEVC": check_scene,
    "Put two videos side by side": lambda _names: says(pc.probe("both.mp4").size_wh == (1280, 360)),
    "Sample the frames where the picture changes": lambda names: says(5 <= len(names["kept"]) <= 25),
    "Write thumbnails, one a second": lambda _names: says(
        [pc.probe(f"thumbnail-{second:03d}.jpg").size_wh for second in range(2)] == [(160, 90)] * 2
    ),
    "Hide one kind of object, and leave the others": check_hidden,
    "Draw something of your own": check_underline,
    "Record a stream without encoding it again": check_copy,
    "Begin a keyframe when something happens": lambda names: says(names["keyframes"] == [0, 400_000_000]),
    "Export a YOLO data set with letterboxed pictures": check_yolo,
    "Export a COCO data set": check_coco,
    "Compare a model with what is true": lambda names: says(
        (names["recall"], names["precision"]) == (1, pytest.approx(2 / 3))
    ),
    "Put a whole video into a table": check_table,
    "Keep detections beside a video, and read them again": lambda names: says(names["counts"] == [3] * 50),
    "Measure how fast things move": check_speeds,
    "Measure how long things stay in a zone": check_stay,
    "Ask for objects by a query that fits into a file": lambda names: says(
        names["frame"].access_objects(names["query"]).ids == [1]
    ),
    "Attach what you know of an object, and find it behind the encoder": lambda names: says(
        names["plates"] == ["B-AB 123"]
    ),
    "Draw each track in a colour of its own, and fade what is behind": check_fade,
    "Record cameras in segments, and say when one is lost": check_recording,
    "Choose when a lost camera is opened again": check_patience,
    "Write a sink of your own": lambda names: says(names["sink"].total > 50_000),
    "Read from a source of your own": check_screens,
    "Detect and draw on every source": check_each_drawn,
    "Encode only frames that carry an attribute": lambda names: says(
        [output.as_video_frame().pts for output in names["kept"]] == [40_000_000 * number for number in range(10, 15)]
    ),
    "Change a source while it runs": lambda names: says(names["sizes"] == [640] * 10 + [320] * 10),
    "Drop old frames where a reader must not wait": check_dropped,
    "Show how a runner is doing to Prometheus": check_metrics,
    "See where the time of each frame goes": check_spent,
    "Keep a state in a step, and test it without files": lambda names: says(
        [out.frame.pts for out in names["outputs"]] == [2, 5, 8]
    ),
    "Run a detector and a tracker in a module": check_tracked,
    "Encode only frames with something on them": lambda names: says(
        [out.is_encoded for out in names["outputs"]] == [False] * 25 + [True] * 25
    ),
    "Draw on frames with a drawer of your own": check_clock,
    "Read a model's outputs with a converter of your own": lambda names: says(
        names["found"][1].tolist() == [0, 1, 115, 15, 8, 8]
    ),
    "Take values from the environment": lambda names: says(names["outputs"][0].frame.width == 320),
    "Ask a module how it is doing": lambda names: says(
        str(names["street"].account) == "50 frames in = 50 out + 0 dropped" and names["street"].latency.p99_ns > 0
    ),
}


def says(condition: object) -> None:
    assert condition


def test_there_are_forty_recipes_or_more_and_each_is_short_and_checked() -> None:
    titles = [recipe.title for recipe in RECIPES]
    assert len(titles) >= 40
    assert sorted(titles) == sorted(CHECKS)
    wrong = [f"{recipe.title}: {recipe.length} lines" for recipe in RECIPES if not FEWEST <= recipe.length <= MOST]
    assert not wrong


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_a_recipe_does_what_its_title_says(recipe: Snippet, readers_folder: Path) -> None:
    CHECKS[recipe.title](recipe.run({}))
