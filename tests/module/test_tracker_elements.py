"""The element ``nvtracker``: track ids by source, streams that begin again, frames that a model skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picasso.module import ConfigError, Module
from picasso.primitives import VideoFrame

WIDTH, HEIGHT, FRAME_NS = 320, 240, 40_000_000

CODE = """
from picasso.module import PyFunc

class Finds(PyFunc):
    '''Two walkers of which the first is a person and the second a dog; in frames that are skipped it finds none.'''
    every = 1

    def __call__(self, frame):
        number = frame.pts // 40_000_000
        if number % self.every:
            frame.note_skipped("yolo")
            return
        x = 20 + 4 * number
        frame.add_detections("yolo", [[x, 20, x + 40, 100], [x, 130, x + 50, 170]], ["person", "dog"],
                             confidences=[0.9, 0.8])

def keep_first(frame):
    for one in list(frame.objects)[:1]:
        one.track_id = 77
"""


def tree(folder: Path, every: int = 1, before: tuple[Any, ...] = (), **properties: Any) -> dict[str, Any]:
    (folder / "finds.py").write_text(CODE)
    return {
        "name": "tracks",
        "parameters": {"frame": {"width": WIDTH, "height": HEIGHT}, "code_root": str(folder), "batch_size": 2},
        "pipeline": {
            "elements": [
                {"element": "pyfunc", "module": "finds", "class_name": "Finds", "kwargs": {"every": every}},
                *before,
                {"element": "nvtracker", "properties": properties},
            ]
        },
    }


def run(config: dict[str, Any], sources: tuple[str, ...] = ("a", "b"), frames: int = 6) -> Any:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    with Module(config) as module:
        for number in range(frames):
            for source_id in sources:
                module.send(VideoFrame(source_id, "25/1", WIDTH, HEIGHT, pts=number * FRAME_NS), picture)
        return module.run()


def ids(outputs: Any, source_id: str) -> list[dict[str, int]]:
    return [{one.label: one.track_id for one in out.frame.objects} for out in outputs[source_id]]


def test_each_source_has_a_tracker_of_its_own(tmp_path: Path) -> None:
    outputs = run(tree(tmp_path))
    assert ids(outputs, "a") == ids(outputs, "b") == [{"person": 1, "dog": 2}] * 6
    (person, _dog) = outputs["a"][3].frame.objects
    assert person.fields.track_box.as_ltrb() == person.fields.detection_box.as_ltrb()


def test_ids_begin_again_with_the_next_stream(tmp_path: Path) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    with Module(tree(tmp_path)) as module:
        for stream in range(2):
            for number in range(3):
                pts = (3 * stream + number) * FRAME_NS
                module.send(VideoFrame("a", "25/1", WIDTH, HEIGHT, pts=pts), picture)
            module.send_eos("a")
        outputs = module.run()
    assert ids(outputs, "a") == [{"person": 1, "dog": 2}] * 6


def test_where_no_model_looked_the_objects_are_where_they_are_expected(tmp_path: Path) -> None:
    outputs = run(tree(tmp_path, every=3), frames=9)
    assert ids(outputs, "a") == [{"person": 1, "dog": 2}] * 9
    for number, out in enumerate(outputs["a"][3:], 3):  # the speed is known from the second look on
        boxes = {one.label: one.bbox.as_ltrb() for one in out.frame.objects}
        x = 20 + 4 * number
        assert boxes["person"] == pytest.approx((x, 20, x + 40, 100), abs=0.01)
        assert all(one.element_name == "yolo" for one in out.frame.objects)
    confidences = [one.confidence for one in outputs["a"][4].frame.objects]
    assert confidences == pytest.approx([0.9, 0.8])


def test_disable_obj_init_leaves_out_what_is_expected(tmp_path: Path) -> None:
    outputs = run(tree(tmp_path, every=3, **{"disable-obj-init": True}), frames=6)
    assert ids(outputs, "a") == [{"person": 1, "dog": 2}, {}, {}] * 2


def test_an_object_that_has_a_track_id_keeps_it(tmp_path: Path) -> None:
    outputs = run(tree(tmp_path, before=({"element": "pyfunc", "module": "finds", "class_name": "keep_first"},)))
    assert ids(outputs, "a") == [{"person": 77, "dog": 1}] * 6


@pytest.mark.parametrize("tracker", ["sort", "bytetrack", "ocsort"])
def test_trackers_of_the_library_run_in_a_module(tracker: str, tmp_path: Path) -> None:
    pytest.importorskip("trackers")
    outputs = run(tree(tmp_path, tracker=tracker), frames=8)
    last = ids(outputs, "a")[-1]
    assert sorted(last.values()) == [1, 2]
    assert ids(outputs, "a")[-2] == ids(outputs, "b")[-1] == last


def test_parameters_reach_the_tracker(tmp_path: Path) -> None:
    outputs = run(tree(tmp_path, options={"min_hits": 3}), frames=4)
    tracked = [[one.is_tracked for one in out.frame.objects] for out in outputs["a"]]
    assert tracked == [[False, False]] * 2 + [[True, True]] * 2


WRONG = {
    "an unknown tracker": ({"tracker": "nvdcf"}, "properties.tracker: unknown tracker 'nvdcf'; one of iou, sort"),
    "an unknown parameter": ({"options": {"speed": 1}}, "properties.options: tracker iou: .*'speed'.*min_iou"),
    "a value out of its range": ({"options": {"min_iou": 2}}, "properties.options: min_iou = 2: expected more than 0"),
    "a file that is not there": ({"ll-config-file": "a.yml"}, "properties.ll-config-file: no such file: a.yml"),
    "a library that is not there": ({"ll-lib-file": "a.so"}, "properties.ll-lib-file: no such file: a.so"),
}


@pytest.mark.parametrize(("properties", "said"), WRONG.values(), ids=WRONG)
def test_what_a_tracker_cannot_be_told_is_named_with_its_path(
    properties: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"pipeline\.elements\[1\]\.{said}"):
        Module(tree(tmp_path, **properties)).start()


def test_what_is_nvidias_is_accepted_and_said_to_have_no_effect(tmp_path: Path) -> None:
    lib = "/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so"
    config = tree(tmp_path, **{"ll-lib-file": lib, "tracker-width": 640, "display-tracking-id": 0})
    module = Module(config)
    said = [str(warning) for warning in module.config.warnings]
    assert [text for text in said if "ll-lib-file: has no effect" in text]
    assert [text for text in said if "tracker-width: has no effect" in text]
    with module:
        pass
