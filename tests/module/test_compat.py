"""Existing modules: their imports, when they are answered, and what cannot be used yet."""

from __future__ import annotations

import ast
import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from picasso.module import Frame, Module, NvDsPyFuncPlugin, ObjectMeta, compat
from picasso.module.compat import answer_imports, answered_imports, stop_answering
from picasso.module.elements import CodePath, ElementError
from picasso.module.entry import main
from picasso.module.sinks import MemorySink

NAMES = {
    "savant.deepstream.meta.frame": ["NvDsFrameMeta", "BBox"],
    "savant.gstreamer": ["Gst"],
    "savant.deepstream.pyfunc": ["NvDsPyFuncPlugin"],
    "savant.deepstream.drawfunc": ["NvDsDrawFunc"],
    "savant.deepstream.base_drawfunc": ["BaseNvDsDrawFunc"],
    "savant.parameter_storage": ["param_storage", "EtcdStorageConfig"],
    "savant.meta.object": ["ObjectMeta"],
    "savant.meta.constants": ["UNTRACKED_OBJECT_ID"],
    "savant.utils.artist": ["Artist", "Position"],
    "savant.deepstream.opencv_utils": ["nvds_to_gpu_mat", "alpha_comp", "draw_rect", "apply_cuda_filter"],
    "savant.deepstream.utils.surface": ["get_nvds_buf_surface"],
    "savant.deepstream.utils": ["get_nvds_buf_surface"],
    "savant_rs.primitives.geometry": ["Point", "PolygonalArea", "RBBox", "BBox"],
    "savant.utils.nms": ["nms_cpu", "nms_gpu"],
    "savant.base.model": ["AttributeModel", "ObjectModel", "ComplexModel"],
    "savant.base.input_preproc": ["BasePreprocessObjectImage", "BasePreprocessObjectMeta"],
    "savant.base.selector": ["BaseSelector"],
    "savant.selector.detector": ["BBoxSelector"],
    "savant.base.converter": [
        "BaseAttributeModelOutputConverter",
        "BaseComplexModelOutputConverter",
        "BaseObjectModelOutputConverter",
        "TensorFormat",
    ],
    "savant.utils.memory_repr": ["as_cupy", "as_opencv", "as_pytorch", "opencv_gpu_mat_as_cupy_array"],
    "savant.utils.memory_repr_pytorch": ["pytorch_tensor_as_opencv_gpu_mat", "opencv_gpu_mat_as_pytorch_tensor"],
    "savant.deepstream.auxiliary_stream": ["AuxiliaryStream"],
    "savant_rs.draw_spec": ["ObjectDraw", "LabelDraw", "BoundingBoxDraw", "ColorDraw", "PaddingDraw"],
    "savant_rs.utils": ["eval_expr", "TelemetrySpan", "PropagatedContext"],
    "savant_rs": ["init_jaeger_tracer"],
    "savant_rs.primitives": ["Attribute", "AttributeValue", "VideoFrameUpdate", "VideoFrame", "VideoObject"],
    "savant_rs.match_query": [
        "MatchQuery",
        "register_utility_resolver",
        "register_env_resolver",
        "register_config_resolver",
        "register_etcd_resolver",
        "update_config_resolver",
        "unregister_resolver",
    ],
    "savant.utils.logging": ["get_logger", "init_logging"],
    "savant.metrics": ["Counter", "Gauge"],
    "savant.api.builder": ["build_bbox"],
    "savant.entrypoint.main": ["main"],
    "savant.client": ["SourceBuilder", "SinkBuilder", "JpegSource", "JaegerLogProvider"],
    "savant.config.schema": ["DrawFunc"],
}
"""What existing modules import, by module."""


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = list(sys.meta_path)
    yield
    assert sys.meta_path == before
    assert not [name for name in sys.modules if name.partition(".")[0] == "savant"]


@pytest.mark.parametrize(("module", "names"), NAMES.items(), ids=NAMES)
def test_every_import_of_existing_modules_is_answered(module: str, names: list[str]) -> None:
    with answered_imports():
        found = importlib.import_module(module)
        assert [name for name in names if not hasattr(found, name)] == []
        assert found is importlib.import_module(f"picasso.{module}")
        assert found.__name__ == f"picasso.{module}"
        spec = found.__spec__
        assert spec is not None
        assert spec.name == f"picasso.{module}"


@pytest.mark.parametrize("package", ["savant", "savant_rs"])
def test_every_door_exports_what_it_names(package: str) -> None:
    root = Path(str(importlib.import_module(f"picasso.{package}").__file__)).parent
    for file in sorted(root.rglob("*.py")):
        name = ".".join([f"picasso.{package}", *file.relative_to(root).with_suffix("").parts])
        module = importlib.import_module(name.removesuffix(".__init__"))
        assert [one for one in getattr(module, "__all__", []) if not hasattr(module, one)] == []


def test_the_door_holds_no_logic() -> None:
    root = Path(str(importlib.import_module("picasso.savant").__file__)).parent
    for file in sorted(root.rglob("*.py")):
        docstring, *rest = ast.parse(file.read_text()).body
        assert isinstance(docstring, ast.Expr)
        for statement in rest:
            assert isinstance(statement, ast.ImportFrom | ast.Assign), file
            if isinstance(statement, ast.Assign):
                assert ast.unparse(statement.targets[0]) == "__all__", file


def test_names_that_are_ours_are_the_same_objects() -> None:
    with answered_imports():
        assert importlib.import_module("savant.deepstream.meta.frame").NvDsFrameMeta is Frame
        assert importlib.import_module("savant.deepstream.pyfunc").NvDsPyFuncPlugin is NvDsPyFuncPlugin
        assert importlib.import_module("savant.meta.object").ObjectMeta is ObjectMeta


def test_imports_are_answered_only_between_the_calls_and_calls_count() -> None:
    answer_imports()
    answer_imports()
    stop_answering()
    importlib.import_module("savant.gstreamer")
    stop_answering()
    with pytest.raises(ModuleNotFoundError, match="savant"):
        importlib.import_module("savant.gstreamer")


def test_a_package_that_was_imported_before_is_there_again_afterwards() -> None:
    theirs = ModuleType("savant_rs")
    sys.modules["savant_rs"] = theirs
    try:
        with answered_imports():
            assert importlib.import_module("savant_rs") is importlib.import_module("picasso.savant_rs")
        assert sys.modules["savant_rs"] is theirs
    finally:
        del sys.modules["savant_rs"]


def test_a_module_that_no_door_has_is_not_found_and_the_error_names_the_door() -> None:
    with (
        answered_imports(),
        pytest.raises(ModuleNotFoundError, match=r"no module 'savant\.jupyter': picasso\.savant does not have it"),
    ):
        importlib.import_module("savant.jupyter")


def test_gi_is_answered_only_where_it_is_missing() -> None:
    with answered_imports():
        gi: Any = importlib.import_module("gi")
        is_ours = gi.__name__.startswith("picasso")
        if is_ours:
            gi.require_version("Gst", "1.0")
            assert importlib.import_module("gi.repository").Gst.SECOND == 10**9
    assert not is_ours or "gi" not in sys.modules


PYFUNC = """
from savant.deepstream.meta.frame import NvDsFrameMeta
from savant.deepstream.pyfunc import NvDsPyFuncPlugin
from savant.gstreamer import Gst
from savant.meta.object import ObjectMeta
from savant_rs.primitives.geometry import BBox

class Adds(NvDsPyFuncPlugin):
    def __init__(self, label, **kwargs):
        super().__init__(**kwargs)
        self.label = label

    def process_frame(self, buffer: Gst.Buffer, frame_meta: NvDsFrameMeta):
        from savant.meta.constants import UNTRACKED_OBJECT_ID  # late, while it runs

        assert frame_meta.batch_meta is buffer and frame_meta.frame_meta is frame_meta
        one = ObjectMeta("yolo", self.label, BBox(20, 10, 8, 6), track_id=UNTRACKED_OBJECT_ID)
        frame_meta.add_obj_meta(one)
"""


def tree(folder: Path, **parameters: Any) -> dict[str, Any]:
    (folder / "adds.py").write_text(PYFUNC)
    element = {"element": "pyfunc", "module": str(folder / "adds.py"), "class_name": "Adds", "kwargs": {"label": "car"}}
    source = {"element": "videotestsrc", "properties": {"width": 64, "height": 48, "num-buffers": 3}}
    return {
        "name": "m",
        "parameters": {"frame": {"width": 64, "height": 48}, "code_root": None, **parameters},
        "pipeline": {"source": source, "sink": [{"element": "devnull_sink"}], "elements": [element]},
    }


@pytest.mark.parametrize("way", ["argument", "parameter"])
def test_an_existing_module_runs_unchanged(tmp_path: Path, way: str) -> None:
    options: dict[str, Any] = {"compat": True} if way == "argument" else {}
    parameters: dict[str, Any] = {"compat": True} if way == "parameter" else {}
    sink = MemorySink()
    Module(tree(tmp_path, **parameters), sinks=[sink], **options).run()
    frames = [output.as_video_frame() for output in sink.outputs if output.is_video_frame]
    assert [[one.label for one in frame.get_all_objects()] for frame in frames] == [["car"]] * 3


SKIPS = """
from savant.deepstream.pyfunc import NvDsPyFuncPlugin
from savant.meta.object import ObjectMeta
from savant_rs.primitives.geometry import BBox, RBBox

class Adds(NvDsPyFuncPlugin):
    def __init__(self, label, **kwargs):
        super().__init__(**kwargs)

    def process_frame(self, buffer, frame_meta):
        frame_meta.add_obj_meta(ObjectMeta("yolo", "car", BBox(20, 10, 8, 6)))
        frame_meta.add_obj_meta(ObjectMeta("yolo", "bus", RBBox(20, 10, 8, 6, 30)))
        kinds = [(one.label, one.is_primary, type(one.bbox).__name__) for one in frame_meta.objects]
        assert kinds == [("frame", True, "BBox"), ("car", False, "BBox"), ("bus", False, "RBBox")], kinds
        assert frame_meta.objects_number == 3
        for one in frame_meta.objects:
            if one.is_primary:
                frame_meta.remove_obj_meta(one)
        assert [one.label for one in frame_meta.objects] == ["car", "bus"]
"""


def test_the_primary_object_comes_first_as_existing_code_expects(tmp_path: Path) -> None:
    config = tree(tmp_path)
    (tmp_path / "adds.py").write_text(SKIPS)
    sink = MemorySink()
    Module(config, sinks=[sink], compat=True).run()
    frames = [output.as_video_frame() for output in sink.outputs if output.is_video_frame]
    assert [[one.label for one in frame.get_all_objects()] for frame in frames] == [["car", "bus"]] * 3


def test_without_compat_the_error_names_it(tmp_path: Path) -> None:
    module = Module(tree(tmp_path), sinks=[MemorySink()])
    with pytest.raises(ElementError, match=r"No module named 'savant'; picasso run --compat"):
        module.run()


def test_two_modules_may_run_at_once_and_the_last_one_ends_the_answers(tmp_path: Path) -> None:
    modules = [Module(tree(tmp_path), sinks=[MemorySink()], compat=True) for _ in range(2)]
    threads = [threading.Thread(target=module.run) for module in modules]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert compat._users == 0
    assert [module.failure for module in modules] == [None, None]


def test_a_module_that_cannot_start_leaves_no_answers(tmp_path: Path) -> None:
    config = tree(tmp_path)
    config["pipeline"]["elements"][0]["class_name"] = "Missing"
    with pytest.raises(ElementError, match="has no 'Missing'"):
        Module(config, sinks=[MemorySink()], compat=True).run()
    assert compat._users == 0


def test_main_runs_a_file_and_exits_with_1_where_it_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "adds.py").write_text(PYFUNC)
    file = tmp_path / "module.yml"
    text = f"""
name: m
parameters: {{frame: {{width: 64, height: 48}}, code_root: null}}
pipeline:
  source: {{element: videotestsrc, properties: {{width: 64, height: 48, num-buffers: 3}}}}
  elements: [{{element: pyfunc, module: adds, class_name: Adds, kwargs: {{label: car}}}}]
  sink: [{{element: file_sink, properties: {{file_path: {tmp_path / "out.json"}}}}}]
"""
    file.write_text(text)
    main(file)
    assert (tmp_path / "out.json").read_text().count('"car"') >= 3
    file.write_text(text.replace("num-buffers", "numbuffers"))
    with pytest.raises(SystemExit) as caught:
        main(str(file))
    assert caught.value.code == 1
    assert "num-buffers" in capsys.readouterr().err
    file.write_text(text.replace("class_name: Adds", "class_name: Gone"))
    with pytest.raises(SystemExit):
        main(file)
    assert "has no 'Gone'" in capsys.readouterr().err


def test_the_code_path_takes_files_that_import_the_reference(tmp_path: Path) -> None:
    (tmp_path / "adds.py").write_text(PYFUNC)
    with answered_imports():
        assert CodePath.of(str(tmp_path), None).load("adds").Adds.__mro__[1] is NvDsPyFuncPlugin
    del sys.modules["adds"]


def test_resolvers_add_symbols_to_config_and_unregistering_takes_them_away() -> None:
    query: Any = importlib.import_module("picasso.savant_rs.match_query")
    evaluate: Any = importlib.import_module("picasso.savant_rs.utils").eval_expr
    query.register_utility_resolver()
    query.register_env_resolver()
    query.register_config_resolver({"lane": "3"})
    query.update_config_resolver({"exit": "true"})
    assert evaluate('(config("lane", 1), config("exit", false))') == ([3, True], False)
    query.register_config_resolver({"exit": "false"})
    assert evaluate('(config("lane", 1), config("exit", false))') == ([1, False], False)
    query.unregister_resolver(query.config_resolver_name())
    query.unregister_resolver("no such resolver")
    assert evaluate('(config("lane", 1), config("exit", true))') == ([1, True], False)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"connect_timeout": 0}, "connect_timeout must be greater than 0 seconds, got 0"),
        ({"watch_path_wait_timeout": -1}, "watch_path_wait_timeout must be greater than 0 seconds, got -1"),
        ({"tls_config": object()}, "tls_config is not supported"),
    ],
)
def test_an_etcd_that_cannot_be_meant_is_refused(arguments: dict[str, Any], text: str) -> None:
    query: Any = importlib.import_module("picasso.savant_rs.match_query")
    with pytest.raises(ValueError, match=text):
        query.register_etcd_resolver(["127.0.0.1:1"], **arguments)
