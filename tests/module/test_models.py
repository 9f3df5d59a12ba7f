"""Models in a module find what is there, in the pixels of each frame, on many sources at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_kit import COLORS, FRAME_NS, HEIGHT, SIZE, WIDTH, boxes, detector, picture, shades, squares, tree

from picasso.module import Module
from picasso.primitives import VideoFrame


def frame_of(source_id: str, number: int, size_wh: tuple[int, int] = (WIDTH, HEIGHT)) -> VideoFrame:
    return VideoFrame(source_id, "25/1", *size_wh, pts=number * FRAME_NS)


def box(left: int, top: int) -> tuple[int, ...]:
    return left, top, left + SIZE, top + SIZE


def test_squares_of_four_sources_are_found_where_they_are(tmp_path: Path) -> None:
    names = list(COLORS)
    with Module(tree(tmp_path, detector(tmp_path), batch_size=4)) as module:
        for number in range(4):
            for index in range(4):
                shown = picture((names[index % 3], 20 * index, 40), (names[(index + 1) % 3], 200, 10 * number))
                module.send(frame_of(f"cam-{index}", number), shown)
        outputs = module.run()
    for index in range(4):
        for number, out in enumerate(outputs[f"cam-{index}"]):
            expected = {names[index % 3]: box(20 * index, 40), names[(index + 1) % 3]: box(200, 10 * number)}
            assert boxes(out.frame) == expected
            assert {one.element_name for one in out.frame.objects} == {"squares"}
            assert all(one.confidence == pytest.approx(1, abs=0.02) for one in out.frame.objects)


def test_frames_of_many_sources_are_one_call_of_the_model(tmp_path: Path) -> None:
    with Module(tree(tmp_path, detector(tmp_path, batch_size=4), batch_size=4)) as module:
        calls = count_calls(module)
        for number in range(3):
            for index in range(4):
                module.send(frame_of(f"cam-{index}", number), picture())
        module.run()
    assert sum(calls) == 12
    assert max(calls) == 4


def count_calls(module: Module) -> list[int]:
    """Return the numbers of pictures of each call of the first model, from now on."""
    (element,) = [
        one for _queue, group in module._ending.pipeline.groups() for one in group if hasattr(one, "prepared")
    ]
    session, calls = element.prepared.inference.session, []
    plain = session.run

    def counted(feeds: Any) -> Any:
        calls.append(len(feeds if isinstance(feeds, np.ndarray) else next(iter(feeds.values()))))
        return plain(feeds)

    session.run = counted
    return calls


@pytest.mark.parametrize("batch", [1, 2, 3, "batch"])
def test_a_fixed_batch_is_filled_up(batch: int | str, tmp_path: Path) -> None:
    element = detector(tmp_path, squares(batch))
    with Module(tree(tmp_path, element, batch_size=4)) as module:
        for index in range(4):
            module.send(frame_of(f"cam-{index}", 0), picture(("red", 30 * index, 60)))
        outputs = module.run()
    found = [boxes(outputs[f"cam-{index}"][0].frame) for index in range(4)]
    assert found == [{"red": box(30 * index, 60)} for index in range(4)]


def test_a_model_runs_in_a_thread_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(
        "import threading\nseen = {}\n"
        "def before(frame): seen['before'] = threading.current_thread().name\n"
        "def behind(frame): seen['behind'] = threading.current_thread().name\n"
    )
    steps = [{"element": "pyfunc", "module": "watch", "class_name": name} for name in ("before", "behind")]
    with Module(tree(tmp_path, steps[0], detector(tmp_path), steps[1])) as module:
        module.send(frame_of("a", 0), picture())
        module.run()
    import watch  # type: ignore[import-not-found]  # written above

    assert watch.seen == {"before": "elements-0", "behind": "elements-2"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("elements-")]


def test_sources_of_other_sizes_have_boxes_in_pixels_of_the_frame(tmp_path: Path) -> None:
    """A picture of twice the size is scaled to the frame, and so are its boxes; the model sees its own pixels."""
    large = np.repeat(np.repeat(picture(("green", 50, 70)), 2, axis=0), 2, axis=1)
    config = tree(tmp_path, detector(tmp_path))
    config["parameters"]["frame"]["padding"] = {"left": 16, "top": 8}
    with Module(config) as module:
        module.send(frame_of("large", 0, (2 * WIDTH, 2 * HEIGHT)), large)
        module.send(frame_of("small", 0), picture(("red", 50, 70)))
        outputs = module.run()
    assert boxes(outputs["large"][0].frame) == {"green": (66, 78, 66 + SIZE, 78 + SIZE)}
    assert boxes(outputs["small"][0].frame) == {"red": (66, 78, 66 + SIZE, 78 + SIZE)}


def test_what_an_element_wrote_is_what_the_next_model_sees(tmp_path: Path) -> None:
    (tmp_path / "paint.py").write_text(
        "def paint(frame):\n    with frame.edit_image() as pixels:\n        pixels[40:72, 100:132] = (0, 0, 255, 255)\n"
    )
    step = {"element": "pyfunc", "module": "paint", "class_name": "paint"}
    with Module(tree(tmp_path, step, detector(tmp_path))) as module:
        module.send(frame_of("a", 0), picture(("red", 10, 10)))
        outputs = module.run()
    assert boxes(outputs["a"][0].frame) == {"red": box(10, 10), "blue": box(100, 40)}


def test_an_interval_skips_frames_of_each_source(tmp_path: Path) -> None:
    with Module(tree(tmp_path, detector(tmp_path, interval=2), batch_size=1)) as module:
        for number in range(7):
            for source_id in ("a", "b"):
                module.send(frame_of(source_id, number), picture(("red", 10, 10)))
        module.send_eos("a")
        module.send(frame_of("a", 9), picture(("red", 10, 10)))
        outputs = module.run()
    counts = {name: [len(out.frame.objects) for out in outputs[name]] for name in "ab"}
    assert counts == {"a": [1, 0, 0, 1, 0, 0, 1, 1], "b": [1, 0, 0, 1, 0, 0, 1]}


def test_a_tracker_fills_the_frames_between(tmp_path: Path) -> None:
    elements = [detector(tmp_path, interval=2), {"element": "nvtracker"}]
    with Module(tree(tmp_path, *elements)) as module:
        for number in range(9):
            module.send(frame_of("a", number), picture(("red", 10 + 4 * number, 20)))
        outputs = module.run()
    assert [[one.track_id for one in out.frame.objects] for out in outputs["a"]] == [[1]] * 9
    for number, out in enumerate(outputs["a"][3:], 3):
        assert boxes(out.frame)["red"] == pytest.approx(box(10 + 4 * number, 20), abs=1)


def test_a_frame_whose_primary_object_was_removed_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "skip.py").write_text(
        "def skip(frame):\n    if frame.pts:\n        frame.remove_obj_meta(frame.primary)\n"
    )
    step = {"element": "pyfunc", "module": "skip", "class_name": "skip"}
    with Module(tree(tmp_path, step, detector(tmp_path))) as module:
        for number in range(2):
            module.send(frame_of("a", number), picture(("red", 10, 10)))
        outputs = module.run()
    assert [len(out.frame.objects) for out in outputs["a"]] == [1, 0]


def test_the_region_of_a_frame_is_what_a_model_looks_at(tmp_path: Path) -> None:
    (tmp_path / "region.py").write_text(
        "from picasso.primitives import BBox\ndef region(frame):\n    frame.roi = BBox(240, 120, 160, 240)\n"
    )
    step = {"element": "pyfunc", "module": "region", "class_name": "region"}
    # the right half is scaled to 107 x 160 pixels: squares of 24 pixels are 16 there
    shown = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shown[60:84, 20:44] = shown[60:84, 200:224] = COLORS["green"]
    with Module(tree(tmp_path, step, detector(tmp_path))) as module:
        module.send(frame_of("a", 0), shown)
        outputs = module.run()
    (found,) = [one for one in outputs["a"][0].frame.objects if one.element_name == "squares"]
    assert found.bbox.as_ltrb() == pytest.approx((200, 60, 224, 84), abs=1)


def test_a_second_model_gives_attributes_to_the_objects_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades())
    second = {
        "element": "nvinfer@attribute_model",
        "name": "shades",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "shades.onnx",
            "input": {"object": "squares.green", "scale_factor": 1 / 255},
            "output": {"attributes": [{"name": "shade", "labels": list(COLORS)}]},
        },
    }
    with Module(tree(tmp_path, detector(tmp_path), second, batch_size=2)) as module:
        for source_id in "ab":
            module.send(frame_of(source_id, 0), picture(("green", 10, 10), ("red", 100, 40), ("green", 200, 100)))
        outputs = module.run()
    for source_id in "ab":
        said = [
            (one.label, getattr(one.get_attr_meta("shades", "shade"), "value", None))
            for one in outputs[source_id][0].frame.objects
        ]
        assert sorted(said, key=str) == [("green", "green"), ("green", "green"), ("red", None)]


def test_attributes_of_the_whole_frame_belong_to_its_primary_object(tmp_path: Path) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades({"task": "classify", "names": "{0: 'r', 1: 'g', 2: 'b'}"}))
    element = {
        "element": "nvinfer@classifier",
        "name": "shades",
        "model": {"local_path": str(tmp_path), "model_file": "shades.onnx"},
    }
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), np.full((HEIGHT, WIDTH, 3), (0, 0, 200), np.uint8))
        outputs = module.run()
    (primary,) = outputs["a"][0].frame.objects
    assert (primary.element_name, primary.label) == ("auto", "frame")
    attribute = primary.get_attr_meta("shades", "class")
    assert attribute is not None
    assert (attribute.value, attribute.confidence > 0.9) == ("b", True)


def test_internal_attributes_are_seen_by_later_elements_and_do_not_leave(tmp_path: Path) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades())
    (tmp_path / "look.py").write_text(
        "seen = []\ndef look(frame):\n"
        "    seen.extend(one.get_attr_meta('shades', 'shade').value for one in frame.objects)\n"
    )
    second = {
        "element": "nvinfer@classifier",
        "name": "shades",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "shades.onnx",
            "input": {"object": "squares.red", "scale_factor": 1 / 255},
            "output": {"attributes": [{"name": "shade", "labels": list(COLORS), "internal": True}]},
        },
    }
    step = {"element": "pyfunc", "module": "look", "class_name": "look"}
    with Module(tree(tmp_path, detector(tmp_path), second, step)) as module:
        module.send(frame_of("a", 0), picture(("red", 10, 10)))
        outputs = module.run()
    import look  # type: ignore[import-not-found]  # written above

    assert look.seen == ["red"]
    (one,) = outputs["a"][0].frame.objects
    assert one.fields.attributes == []


def test_objects_found_on_objects_have_them_as_parents(tmp_path: Path) -> None:
    """The second detector looks at the first one's boxes, widened by a hook: there the square is 16 pixels again."""
    (tmp_path / "widen.py").write_text(
        "from picasso.primitives import BBox\n"
        "def widen(one):\n    box = one.bbox\n    return BBox(box.xc, box.yc, 320, 240)\n"
    )
    second = {
        "element": "nvinfer@detector",
        "name": "again",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "squares.onnx",
            "input": {
                "object": "squares.blue",
                "preprocess_object_meta": {"module": "widen", "class_name": "widen"},
            },
            "output": {"objects": [{"class_id": 2, "label": "inner"}]},
        },
    }
    with Module(tree(tmp_path, detector(tmp_path), second)) as module:
        module.send(frame_of("a", 0), picture(("blue", 144, 104), ("red", 10, 10)))
        outputs = module.run()
    found = {one.label: one for one in outputs["a"][0].frame.objects}
    assert sorted(found) == ["blue", "inner", "red"]
    assert found["inner"].parent == found["blue"]
    assert found["inner"].bbox.as_ltrb() == pytest.approx(box(144, 104), abs=1)


def test_a_hook_may_change_the_picture_of_an_object(tmp_path: Path) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades())
    (tmp_path / "redden.py").write_text(
        "class Redden:\n    def __init__(self, color): self.color = color\n"
        "    def __call__(self, image):\n        assert image.shape[2] == 4\n        image[:] = self.color\n"
    )
    second = {
        "element": "nvinfer@classifier",
        "name": "shades",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "shades.onnx",
            "input": {
                "object": "squares.green",
                "scale_factor": 1 / 255,
                "preprocess_object_image": {
                    "module": "redden",
                    "class_name": "Redden",
                    "kwargs": {"color": [255, 0, 0, 255]},
                },
            },
            "output": {"attributes": [{"name": "shade", "labels": list(COLORS)}]},
        },
    }
    with Module(tree(tmp_path, detector(tmp_path), second)) as module:
        module.send(frame_of("a", 0), picture(("green", 10, 10)))
        outputs = module.run()
    (one,) = outputs["a"][0].frame.objects
    assert getattr(one.get_attr_meta("shades", "shade"), "value", None) == "red"


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"object_min_width": SIZE + 2}, []),
        ({"object_max_height": SIZE - 2}, []),
        ({"object_min_width": SIZE - 2, "object_max_height": SIZE + 2}, ["green"]),
    ],
    ids=["too small", "too large", "within"],
)
def test_objects_outside_the_limits_are_not_looked_at(limits: dict[str, int], found: list[str], tmp_path: Path) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades())
    second = {
        "element": "nvinfer@classifier",
        "name": "shades",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "shades.onnx",
            "input": {"object": "squares.green", "scale_factor": 1 / 255, **limits},
            "output": {"attributes": [{"name": "shade", "labels": list(COLORS)}]},
        },
    }
    with Module(tree(tmp_path, detector(tmp_path), second)) as module:
        module.send(frame_of("a", 0), picture(("green", 10, 10)))
        outputs = module.run()
    (one,) = outputs["a"][0].frame.objects
    assert [meta.value for meta in one.get_attr_meta_list("shades", "shade")] == found


def test_labels_and_classes_are_those_of_the_block(tmp_path: Path) -> None:
    objects = [{"class_id": 0, "label": "warm"}, {"class_id": 2, "label": "cold"}]
    element = detector(tmp_path, output={"objects": objects})
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), picture(("red", 10, 10), ("green", 100, 10), ("blue", 200, 10)))
        outputs = module.run()
    assert boxes(outputs["a"][0].frame) == {"warm": box(10, 10), "cold": box(200, 10)}


def test_two_classes_with_one_label_are_one(tmp_path: Path) -> None:
    element = detector(tmp_path, output={"objects": [{"class_id": 0, "label": "x"}, {"class_id": 1, "label": "x"}]})
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), picture(("red", 10, 10), ("green", 100, 10)))
        outputs = module.run()
    assert [one.label for one in outputs["a"][0].frame.objects] == ["x", "x"]


def test_a_file_of_labels_names_the_classes(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("rouge\nvert\nbleu\n")
    element = detector(tmp_path, squares(metadata={}), label_file="labels.txt", output={"head": "yolov8"})
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), picture(("blue", 10, 10)))
        outputs = module.run()
    assert boxes(outputs["a"][0].frame) == {"bleu": box(10, 10)}


def test_a_user_selector_decides_which_candidates_are_objects(tmp_path: Path) -> None:
    (tmp_path / "left.py").write_text(
        "class Left:\n    def __call__(self, rows):\n        return rows[rows[:, 2] < 80]\n"
    )
    objects = [{"class_id": 0, "label": "left", "selector": {"module": "left", "class_name": "Left"}}]
    element = detector(tmp_path, output={"objects": objects, "confidence": 0.5})
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), picture(("red", 10, 10), ("red", 250, 100)))
        outputs = module.run()
    assert boxes(outputs["a"][0].frame) == {"left": box(10, 10)}


def test_numbers_of_the_stock_selector_are_taken_by_the_names_of_the_reference(tmp_path: Path) -> None:
    selector = {"module": "savant.selector.detector", "class_name": "BBoxSelector", "kwargs": {"top_k": 1}}
    element = detector(tmp_path, output={"objects": [{"class_id": 0, "label": "red", "selector": selector}]})
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), picture(("red", 10, 10), ("red", 200, 100)))
        outputs = module.run()
    assert len(outputs["a"][0].frame.objects) == 1


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ({}, ["green"]),
        ({"threshold": 0.999}, []),
        ({"multi_label": True, "threshold": 0.0001}, ["green", "red", "blue"]),
    ],
    ids=["one", "a threshold", "many"],
)
def test_thresholds_and_many_labels_of_a_classifier(attribute: dict[str, Any], said: list[str], tmp_path: Path) -> None:
    (tmp_path / "shades.onnx").write_bytes(shades())
    element = {
        "element": "nvinfer@classifier",
        "name": "shades",
        "model": {
            "local_path": str(tmp_path),
            "model_file": "shades.onnx",
            "input": {"scale_factor": 1 / 255, "offsets": [0, 0, 0]},
            "output": {"attributes": [{"name": "shade", "labels": list(COLORS), **attribute}]},
        },
    }
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), np.full((HEIGHT, WIDTH, 3), (60, 200, 0), np.uint8))
        outputs = module.run()
    values = [meta.value for one in outputs["a"][0].frame.objects for meta in one.get_attr_meta_list("shades", "shade")]
    assert values == said


@pytest.mark.parametrize(
    ("output", "colors", "found"),
    [
        ({"iou": 0.05}, ("red", "red"), 1),
        ({"iou": 0.5}, ("red", "red"), 2),
        ({"iou": 0.05}, ("red", "green"), 2),
        ({"iou": 0.05, "agnostic": True}, ("red", "green"), 1),
    ],
    ids=["one class", "little overlap", "two classes", "agnostic"],
)
def test_overlapping_objects_suppress_each_other_as_the_block_says(
    output: dict[str, Any], colors: tuple[str, str], found: int, tmp_path: Path
) -> None:
    """Two squares that share a quarter of each: an overlap of a seventh."""
    shown = picture((colors[0], 100, 100), (colors[1], 116, 116))
    element = detector(tmp_path, output={"confidence": 0.7, **output})
    with Module(tree(tmp_path, element)) as module:
        module.send(frame_of("a", 0), shown)
        outputs = module.run()
    assert len(outputs["a"][0].frame.objects) == found
