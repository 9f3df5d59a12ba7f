"""What the block of a model may say, what is refused with its path, and how converters and failures are treated."""

from __future__ import annotations

import io
import json
import logging
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_kit import COLORS, FRAME_NS, HEIGHT, SIZE, WIDTH, boxes, detector, masked_squares, picture, squares, tree

sys.path.insert(0, str(Path(__file__).parents[1] / "infer"))
from serving import served

from picasso.module import ConfigError, Module, load_config
from picasso.module.elements import ElementError
from picasso.primitives import VideoFrame, mask_of

PATH = r"pipeline\.elements\[0\]\.model\."


def element(kind: str = "detector", **model: Any) -> dict[str, Any]:
    return {"element": f"nvinfer@{kind}", "name": "m", "model": model}


def box(left: int, top: int) -> tuple[int, ...]:
    return left, top, left + SIZE, top + SIZE


def send(module: Module, shown: np.ndarray, source_id: str = "a", number: int = 0) -> None:
    module.send(VideoFrame(source_id, "25/1", WIDTH, HEIGHT, pts=number * FRAME_NS), shown)


def loaded(one: dict[str, Any]) -> Any:
    """Return the configuration of a module with one element, as ``picasso module check`` loads it."""
    return load_config({"name": "m", "pipeline": {"elements": [one]}}, replaced=["source", "sink"])


CODE = {"module": "m", "class_name": "M"}
REFUSED = {
    "etlt": (element(format="etlt", model_file="y.etlt"), "format: etlt is NVIDIA's own; export the model to ONNX"),
    "etlt by name": (
        element(model_file="y.etlt"),
        "model_file: y.etlt: .etlt is NVIDIA's own; export the model to ONNX",
    ),
    "uff": (element(format="uff", model_file="y.uff"), "format: uff is an old format of TensorRT; export"),
    "caffe": (element(format="caffe", model_file="y.caffemodel"), "format: caffe is not loaded; convert the model"),
    "caffe by name": (element(model_file="y.caffemodel"), "model_file: y.caffemodel: .caffemodel is not loaded"),
    "custom": (element(format="custom", model_file="y.wts"), "format: custom is built by a library of TensorRT"),
    "a builder of engines": (
        element(engine_create_func_name="Build", custom_lib_path="a.so", model_file="y.onnx"),
        "format: custom is built by a library of TensorRT; export the model to ONNX",
    ),
    "an engine alone": (
        element(engine_file="y.engine"),
        "engine_file: y.engine: .engine is compiled by TensorRT for one GPU; name the ONNX file",
    ),
    "weights of PyTorch": (element(model_file="y.pt"), "model_file: y.pt: .pt is a file of PyTorch; export it"),
    "no file": (element(batch_size=1), "model_file: a nvinfer@detector needs it: the name of an ONNX file"),
    "an address without a scheme": (
        element(model_file="y.onnx", remote={"url": "models/y.zip"}),
        "remote.url: expected an address such as https://",
    ),
    "an object without a label": (
        element(model_file="y.onnx", input={"object": "yolo"}),
        "input.object: expected frame, or ELEMENT.LABEL, got 'yolo'",
    ),
    "an object with two dots": (
        element(model_file="y.onnx", input={"object": "a.b.c"}),
        "input.object: expected frame, or ELEMENT.LABEL, got 'a.b.c'",
    ),
    "four channels": (
        element(model_file="y.onnx", input={"shape": [4, 8, 8]}),
        "input.shape: expected \\[channels, height, width\\] with 1 or 3 channels, got \\[4, 8, 8\\]",
    ),
    "grey in colours": (
        element(model_file="y.onnx", input={"shape": [3, 8, 8], "color_format": "gray"}),
        "input.color_format: gray does not fit 3 channels",
    ),
    "limits that exclude each other": (
        element(model_file="y.onnx", input={"object_min_width": 9, "object_max_width": 8}),
        "input.object_max_width: 8 pixels is less than object_min_width, 9",
    ),
    "a converter without a shape": (
        element(model_file="y.onnx", output={"converter": CODE, "layer_names": ["a"]}),
        "input.shape: a converter needs it",
    ),
    "a converter without names": (
        element(model_file="y.onnx", input={"shape": [3, 8, 8]}, output={"converter": CODE}),
        "output.layer_names: a converter needs it",
    ),
    "a converter and a head": (
        element(
            model_file="y.onnx",
            input={"shape": [3, 8, 8]},
            output={"converter": CODE, "layer_names": ["a"], "head": "yolov8"},
        ),
        "output.head: given beside a converter",
    ),
    "a converter without a class": (
        element(
            model_file="y.onnx",
            input={"shape": [3, 8, 8]},
            output={"converter": {"module": "m"}, "layer_names": ["a"]},
        ),
        "output.converter.class_name: a value is required",
    ),
    "objects of a classifier": (
        element("classifier", model_file="y.onnx", output={"objects": [{"class_id": 0}]}),
        "output.objects: a nvinfer@classifier finds no objects",
    ),
    "attributes of a detector": (
        element(model_file="y.onnx", output={"attributes": [{"name": "a"}]}),
        "output.attributes: a nvinfer@detector gives no attributes; nvinfer@complex_model does",
    ),
    "a class twice": (
        element(model_file="y.onnx", output={"objects": [{"class_id": 1}, {"class_id": 1}]}),
        "output.objects\\[1\\].class_id: class 1 is given twice",
    ),
    "an attribute twice": (
        element("classifier", model_file="y.onnx", output={"attributes": [{"name": "a"}, {"name": "a"}]}),
        "output.attributes\\[1\\].name: attribute 'a' is given twice",
    ),
    "a misspelt key": (element(model_file="y.onnx", batchsize=1), "batchsize: unknown key 'batchsize'; did you mean"),
}


@pytest.mark.parametrize(("one", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_loaded_is_refused_with_its_path_when_the_file_is_checked(one: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=PATH + said):
        loaded(one)


def test_elements_of_a_disabled_group_are_not_looked_at() -> None:
    group = {"init_condition": {"expr": "a", "value": "b"}, "elements": [element(model_file="y.etlt")]}
    assert loaded({"group": group}).elements == ()


ACCEPTED = {
    "a detector with a stock converter": element(
        format="onnx",
        model_file="yolov8m.onnx",
        batch_size=4,
        precision="fp16",
        engine_file="yolov8m.onnx_b4_gpu0_fp16.engine",
        config_file="yolov8m.txt",
        workspace_size=6144,
        remote={
            "url": "s3://models/yolov8m.zip",
            "checksum_url": "s3://models/yolov8m.md5",
            "parameters": {"endpoint": "https://store.example"},
        },
        input={
            "layer_name": "images",
            "shape": [3, 640, 640],
            "maintain_aspect_ratio": True,
            "symmetric_padding": True,
            "scale_factor": 0.0039215697906911373,
            "offsets": [0.0, 0.0, 0.0],
            "color_format": "rgb",
        },
        output={
            "layer_names": ["output0"],
            "converter": {"module": "savant.converter.yolo", "class_name": "TensorToBBoxConverter"},
            "objects": [
                {
                    "class_id": 0,
                    "label": "person",
                    "selector": {
                        "module": "savant.selector.detector",
                        "class_name": "BBoxSelector",
                        "kwargs": {"confidence_threshold": 0.5, "nms_iou_threshold": 0.5, "min_height": 20},
                    },
                }
            ],
        },
    ),
    "an attribute model on objects": element(
        "attribute_model",
        model_file="age.onnx",
        precision="fp16",
        batch_size=16,
        input={
            "object": "face_detector.face",
            "shape": [3, 112, 112],
            "color_format": "bgr",
            "offsets": [127.5, 127.5, 127.5],
            "preprocess_object_image": {"module": "pre", "class_name": "Pre"},
            "preprocess_object_meta": {"module": "pre", "class_name": "Meta"},
        },
        output={
            "layer_names": ["age", "gender"],
            "converter": {"module": "age", "class_name": "AgeConverter"},
            "attributes": [{"name": "age"}, {"name": "gender", "internal": True}],
        },
    ),
    "a classifier": element(
        "classifier",
        model_file="color.onnx",
        label_file="labels.txt",
        input={"object": "cars.car", "object_min_width": 96},
        output={"layer_names": ["predictions/Softmax"], "attributes": [{"name": "color", "threshold": 0.51}]},
    ),
    "a complex model": element(
        "complex_model",
        model_file="faces.onnx",
        input={"object": "frame", "shape": [3, 640, 640], "scale_factor": 1.0},
        output={
            "layer_names": ["output"],
            "converter": {"module": "faces", "class_name": "Faces"},
            "objects": [{"class_id": 0, "label": "face"}],
            "attributes": [{"name": "landmarks"}],
        },
    ),
    "a segmentation": element("instance_segmentation", model_file="yolov8m-seg.onnx", output={"objects": None}),
}


@pytest.mark.parametrize("one", ACCEPTED.values(), ids=ACCEPTED)
def test_blocks_as_modules_have_them_are_accepted(one: Any) -> None:
    (found,) = loaded(one).elements
    assert found.model == one["model"]


def test_what_is_for_tensorrt_is_said_to_have_no_effect() -> None:
    one = ACCEPTED["a detector with a stock converter"]
    warnings = [str(each) for each in loaded(one).warnings]
    for key in ("engine_file", "config_file", "precision", "workspace_size"):
        assert [text for text in warnings if f"model.{key}: has no effect" in text]


MISMATCHES = {
    "a file that is not there": ({"model_file": "nowhere.onnx"}, "model_file: nowhere.onnx is not there; looked in "),
    "a file that is no model": ({"model_file": "labels.txt", "format": "onnx"}, "model_file: .*ONNX Runtime does not"),
    "labels that are too few": (
        {"label_file": "labels.txt"},
        "label_file: labels.txt has 2 labels; the outputs .* are not those of a head",
    ),
    "labels that are not there": ({"label_file": "nowhere.txt"}, "label_file: nowhere.txt is not there"),
    "a number of classes beside the labels": (
        {"output": {"num_detected_classes": 5}},
        "output.num_detected_classes: 5 classes, the model's own list has 3 labels",
    ),
    "another size": (
        {"input": {"shape": [3, 320, 320]}},
        r"input.shape: the model takes images: float32 \(any, 3, 160, 160\), got \[3, 320, 320\]",
    ),
    "another input": ({"input": {"layer_name": "x"}}, "input.layer_name: the model has no input 'x'; it has images"),
    "another output": (
        {"output": {"layer_names": ["x"]}},
        "output.layer_names: the model has no output 'x'; it has out",
    ),
    "no such head": ({"output": {"head": "yolov99"}}, "output: .*there is no head 'yolov99'; there are "),
    "a head that does not fit": ({"output": {"head": "yolov5"}}, "output: yolov5: "),
    "no such class": (
        {"output": {"objects": [{"class_id": 3}]}},
        r"output.objects\[0\].class_id: class 3: the model has 3, from 0",
    ),
    "no such argument of the selector": (
        {"output": {"objects": [{"class_id": 0, "selector": {"kwargs": {"confidence": 1}}}]}},
        r"output.objects\[0\].selector.kwargs.confidence: unknown argument 'confidence'; one of confidence_threshold",
    ),
    "a threshold out of its range": (
        {"output": {"objects": [{"class_id": 0, "selector": {"kwargs": {"confidence_threshold": 2}}}]}},
        "output: class 0 .*confidence: expected 0 to 1",
    ),
}


@pytest.mark.parametrize(("block", "said"), MISMATCHES.values(), ids=MISMATCHES)
def test_what_does_not_fit_the_graph_is_refused_before_a_source_is_opened(
    block: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\n")
    module = Module(tree(tmp_path, detector(tmp_path, **block)))
    with pytest.raises(ConfigError, match=PATH + said):
        module.start()
    assert module.statuses() == []


def test_an_element_whose_name_is_a_path_has_no_folder(tmp_path: Path) -> None:
    one = {"element": "nvinfer@detector", "name": "../up", "model": {"model_file": "y.onnx"}}
    with pytest.raises(ConfigError, match=r"model.local_path: element '../up' names a folder"):
        Module(tree(tmp_path, one)).start()


def test_a_model_beside_the_file_of_the_module_is_found(tmp_path: Path) -> None:
    (tmp_path / "squares.onnx").write_bytes(squares())
    config = tree(tmp_path, element(model_file="squares.onnx"))
    config["pipeline"]["source"] = {"element": "videotestsrc", "properties": {"num-buffers": 1}}
    config["pipeline"]["sink"] = [{"element": "devnull_sink"}]
    (tmp_path / "module.yml").write_text(json.dumps(config))
    Module.from_file(tmp_path / "module.yml").run()


def test_a_model_lies_in_the_folder_of_its_element(tmp_path: Path) -> None:
    (tmp_path / "models" / "m").mkdir(parents=True)
    (tmp_path / "models" / "m" / "squares.onnx").write_bytes(squares())
    config = tree(tmp_path, element(model_file="squares.onnx"), model_path=str(tmp_path / "models"))
    with Module(config) as module:
        send(module, picture(("red", 10, 10)))
        assert boxes(module.run()["a"][0].frame) == {"red": box(10, 10)}


def test_a_model_is_fetched_once_and_runs_without_a_network_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("squares.onnx", squares(metadata={}))
        archive.writestr("labels.txt", "rouge\nvert\nbleu\n")
    block = {"model_file": "squares.onnx", "label_file": "labels.txt", "output": {"head": "yolov8"}}
    places = {"model_path": str(tmp_path / "models"), "download_path": str(tmp_path / "downloads")}
    with served() as shelf:
        shelf.files["/squares.zip"] = out.getvalue()
        url = shelf.url("/squares.zip")
        for always in (False, False, True):
            one = element(**block, remote={"url": url, "always_check": always})
            with Module(tree(tmp_path, one, **places)) as module:
                send(module, picture(("green", 10, 10)))
                assert boxes(module.run()["a"][0].frame) == {"vert": box(10, 10)}
        assert shelf.asked == ["/squares.zip"] * 2
    with caplog.at_level(logging.WARNING), Module(tree(tmp_path, one, **places)) as module:
        pass
    assert "refused" in caplog.text
    assert (tmp_path / "downloads" / "m" / "remote.json").is_file()


def test_masks_travel_with_their_objects(tmp_path: Path) -> None:
    one = {**detector(tmp_path, masked_squares()), "element": "nvinfer@instance_segmentation"}
    with Module(tree(tmp_path, one)) as module:
        send(module, picture(("red", 16, 48)))
        (out,) = module.run()["a"]
    (found,) = out.frame.objects
    assert boxes(out.frame) == {"red": box(16, 48)}
    mask = mask_of(found.fields)
    assert mask is not None
    assert mask.mean() > 0.9
    again = VideoFrame.from_json(out.frame.video_frame.json)
    assert np.array_equal(mask_of(again.get_all_objects()[0]), mask)


CONVERTERS = """
import numpy as np
from picasso.module.models import (
    BaseAttributeModelOutputConverter, BaseComplexModelOutputConverter, BaseObjectModelOutputConverter
)

def rows_of(output, model, roi):
    left, top, width, height = roi
    scale = width / model.input.width, height / model.input.height
    places = np.flatnonzero(output[4:].max(axis=0) > 0.9)
    picked = output[:, places]
    return np.stack([picked[4:].argmax(axis=0), picked[4:].max(axis=0), left + picked[0] * scale[0],
                     top + picked[1] * scale[1], picked[2] * scale[0], picked[3] * scale[1]], axis=1)

class Objects(BaseObjectModelOutputConverter):
    def __call__(self, output, *, model, roi):
        assert [one.label for one in model.output.objects] == ["r", "g", "b"] and model.metadata["task"] == "detect"
        return rows_of(output, model, roi)

class Attributes(BaseAttributeModelOutputConverter):
    def __call__(self, output, *, model, roi):
        best = output[4:].max(axis=1)
        names = [name for name, sure in zip("rgb", best) if sure > 0.9]
        return [("colors", names, float(best.max()))] if names else None

class Complex(BaseComplexModelOutputConverter):
    def __call__(self, output, *, model, roi):
        rows = rows_of(output, model, roi)
        return rows, [[("left", float(row[2]), 0.5), ("side", "west" if row[2] < 160 else "east", 0.5)] for row in rows]

class Fails(BaseObjectModelOutputConverter):
    def __call__(self, output, *, model, roi):
        rows = rows_of(output, model, roi)
        if len(rows) > 1:
            raise ValueError("two are too many")
        return rows

class Wrong(BaseObjectModelOutputConverter):
    def __call__(self, output, *, model, roi):
        return np.zeros((1, 3))
"""
LETTERS = [{"class_id": number, "label": label} for number, label in enumerate("rgb")]


def converted(folder: Path, name: str, kind: str = "detector", **output: Any) -> dict[str, Any]:
    (folder / "conv.py").write_text(CONVERTERS)
    one = detector(
        folder,
        squares(metadata={"task": "detect"}),
        input={"shape": [3, 160, 160], "scale_factor": 1 / 255},
        output={
            "layer_names": ["output0"],
            "converter": {"module": "conv", "class_name": name},
            **({} if kind == "attribute_model" else {"objects": LETTERS}),
            **output,
        },
    )
    return {**one, "element": f"nvinfer@{kind}"}


def test_a_converter_of_objects_gives_rows_in_pixels_of_the_frame(tmp_path: Path) -> None:
    """The picture is stretched: squares of 32x24 pixels are 16x16 in the tensor."""
    shown = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shown[60:84, 100:132] = COLORS["green"]
    with Module(tree(tmp_path, converted(tmp_path, "Objects"))) as module:
        send(module, shown)
        assert boxes(module.run()["a"][0].frame) == {"g": pytest.approx((100, 60, 132, 84), abs=1)}


def test_a_converter_of_attributes_speaks_of_the_frame(tmp_path: Path) -> None:
    shown = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shown[60:84, 100:132] = COLORS["green"]
    with Module(tree(tmp_path, converted(tmp_path, "Attributes", "attribute_model"))) as module:
        send(module, shown)
        send(module, 0 * shown, number=1)
        first, second = module.run()["a"]
    (primary,) = first.frame.objects
    assert [meta.value for meta in primary.get_attr_meta_list("squares", "colors")] == [["g"]]
    assert len(second.frame.objects) == 0


def test_a_converter_of_both_gives_each_object_its_attributes(tmp_path: Path) -> None:
    shown = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shown[60:84, 100:132], shown[160:184, 240:272] = COLORS["green"], COLORS["red"]
    output = {"attributes": [{"name": "left", "internal": True}, {"name": "side"}]}
    with Module(tree(tmp_path, converted(tmp_path, "Complex", "complex_model", **output))) as module:
        send(module, shown)
        (out,) = module.run()["a"]
    said = {one.label: one.get_attr_meta("squares", "side").value for one in out.frame.objects}  # type: ignore[union-attr]
    assert said == {"g": "west", "r": "east"}
    assert not [one for one in out.frame.objects if one.get_attr_meta("squares", "left")]


def test_what_a_converter_returns_is_checked(tmp_path: Path) -> None:
    with Module(tree(tmp_path, converted(tmp_path, "Wrong"))) as module:
        send(module, picture())
        with pytest.raises(ElementError, match=r"element squares: source 'a' at pts 0: .*\(1, 3\); expected \(N, 6\)"):
            module.run()


def two() -> np.ndarray:
    shown = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shown[60:84, 100:132], shown[160:184, 240:272] = COLORS["green"], COLORS["red"]
    return shown


@pytest.mark.parametrize(("policy", "left"), [("drop_frame", [1, None, 1]), ("pass", [1, 0, 1])])
def test_a_frame_on_which_a_model_fails_costs_no_other(policy: str, left: list[int | None], tmp_path: Path) -> None:
    good = two()
    good[160:184] = 0
    config = tree(tmp_path, converted(tmp_path, "Fails"), batch_size=3, on_pyfunc_error=policy)
    with Module(config) as module:
        for source_id, shown in (("a", good), ("b", two()), ("c", good)):
            send(module, shown, source_id)
        outputs = module.run()
    counts = [len(outputs[name][0].frame.objects) if outputs[name] else None for name in "abc"]
    assert counts == left


def test_a_model_that_fails_stops_the_module_and_names_the_line(tmp_path: Path) -> None:
    with Module(tree(tmp_path, converted(tmp_path, "Fails"))) as module:
        send(module, two())
        with pytest.raises(ElementError, match=r"source 'a' at pts 0: ValueError: two are too many \(.*conv.py:\d+\)"):
            module.run()


BROKEN_CODE = {
    "a module that is not there": (
        {"module": "nowhere_at_all", "class_name": "X"},
        "module 'nowhere_at_all' is not found",
    ),
    "a class that is not there": ({"module": "conv", "class_name": "X"}, "has no 'X'; there are Attributes"),
    "an argument that it does not take": (
        {"module": "model_kit_plain", "class_name": "Plain", "kwargs": {"a": 1}},
        "Plain cannot be built: TypeError",
    ),
}


@pytest.mark.parametrize(("code", "said"), BROKEN_CODE.values(), ids=BROKEN_CODE)
def test_code_that_cannot_be_loaded_is_named_with_its_key(code: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "model_kit_plain.py").write_text("class Plain:\n    def __call__(self): ...\n")
    one = converted(tmp_path, "Objects")
    one["model"]["output"]["converter"] = code
    with pytest.raises(ElementError, match=f"element squares: output.converter: .*{said}"):
        Module(tree(tmp_path, one)).start()


def seen_of(folder: Path, kind: str, **block: Any) -> Any:
    """Return what a model finds on one picture, and what it reads, or why it is refused."""
    one = {**detector(folder, **block), "element": f"nvinfer@{kind}"}
    module = Module(tree(folder, one))
    try:
        with module:
            ((_queue, (element, *_)), *_) = module._ending.pipeline.groups()
            send(module, picture(("red", 10, 10), ("red", 200, 100), ("green", 100, 40)))
            (out,) = module.run()["a"]
    except ConfigError as error:
        return str(error)
    found = sorted((each.label, *(round(side) for side in each.bbox.as_ltrb())) for each in out.frame.objects)
    inference = element.prepared.inference
    return found, repr(inference.spec), inference.session.threads


KEYS: dict[str, dict[str, Any]] = {
    "provider": {"provider": "tensorrt"},
    "threads": {"threads": 3},
    "input.maintain_aspect_ratio": {"input": {"maintain_aspect_ratio": False}},
    "input.symmetric_padding": {"input": {"maintain_aspect_ratio": True, "symmetric_padding": False}},
    "input.pad": {"input": {"pad": 7}},
    "input.scale_factor": {"input": {"scale_factor": 0.001}},
    "input.offsets": {"input": {"scale_factor": 1 / 255, "offsets": [255, 255, 255]}},
    "input.color_format": {"input": {"color_format": "bgr"}},
    "output.confidence": {"output": {"confidence": 1.0}},
    "output.top_k": {"output": {"top_k": 1}},
    "output.max_objects": {"output": {"max_objects": 1}},
    "output.objects[].class_id": {"output": {"objects": [{"class_id": 1}]}},
    "output.objects[].label": {"output": {"objects": [{"class_id": 0, "label": "x"}]}},
}


@pytest.mark.parametrize("block", KEYS.values(), ids=KEYS)
def test_a_key_of_a_model_alone_changes_what_is_seen(block: dict[str, Any], tmp_path: Path) -> None:
    before = seen_of(tmp_path, "detector")
    assert len(before[0]) == 3
    assert seen_of(tmp_path, "detector", **block) != before
