"""Sessions: what a model takes and gives, on each provider."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import IR, OPSET, graph, means
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from picasso.errors import MissingDependencyError, ModelError, ShapeError
from picasso.infer import Session, TensorInfo, choose_providers, threads_for
from picasso.infer import providers as providers_file

DYNAMIC = means()


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(DYNAMIC, provider="cpu", threads=1)


def pictures(count: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return np.random.default_rng(count).integers(0, 256, (count, 3, 6, 8)).astype(dtype)


def test_a_session_says_what_the_graph_takes_and_gives(session: Session) -> None:
    assert session.inputs == (TensorInfo("images", "float32", (None, 3, None, None)),)
    assert session.outputs == (TensorInfo("means", "float32", (None, 3)),)
    assert (session.batch, session.provider, session.on_gpu, session.threads) == (None, "cpu", False, 1)
    assert str(session.input) == "images: float32 (any, 3, any, any)"


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_a_tensor_goes_through_the_graph(dtype: str) -> None:
    tensor = pictures(2, dtype)
    found = Session(means(dtype=dtype), provider="cpu", threads=1).run(tensor)
    assert list(found) == ["means"]
    np.testing.assert_allclose(found["means"], tensor.astype(float).mean((2, 3)), rtol=1e-5)


@given(st.integers(1, 7), st.integers(1, 4), st.booleans())
def test_batches_say_of_each_picture_what_one_call_says(count: int, step: int, fixed: bool) -> None:
    """A fixed batch is filled, and what the filling gives is left out."""
    model = fixed_session(step) if fixed else dynamic_session()
    tensor, rows = pictures(count), []
    for which, outputs in model.run_batches(tensor, at_most=step):
        assert len(outputs["means"]) == which.stop - which.start <= step
        rows.append(outputs["means"])
    np.testing.assert_allclose(np.concatenate(rows), tensor.mean((2, 3)), rtol=1e-5)


_KEPT: dict[int, Session] = {}


def fixed_session(batch: int) -> Session:
    if batch not in _KEPT:
        _KEPT[batch] = Session(means(batch, (8, 6)), provider="cpu", threads=1)
    return _KEPT[batch]


def dynamic_session() -> Session:
    if 0 not in _KEPT:
        _KEPT[0] = Session(DYNAMIC, provider="cpu", threads=1)
    return _KEPT[0]


def test_pictures_behind_the_count_are_not_reported() -> None:
    found = list(fixed_session(4).run_batches(pictures(8), count=5))
    assert [which for which, _ in found] == [slice(0, 4), slice(4, 5)]
    assert [len(outputs["means"]) for _, outputs in found] == [4, 1]


def test_rows_for_a_whole_batch_are_not_cut_where_they_are_as_many_as_its_pictures() -> None:
    """A fixed batch of four, three pictures, four rows: all of them count."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["means"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("GreaterOrEqual", ["means", "zero"], ["chosen"]),
        helper.make_node("Compress", ["rows", "chosen"], ["output"], axis=0),
    ]
    weights = {"zero": np.zeros((), np.float32), "rows": np.ones((4, 7), np.float32)}
    model = graph(nodes, {"images": [4, 3, 8, 8]}, {"output": ["rows", 7]}, weights)
    (only,) = Session(model, provider="cpu", threads=1).run_batches(np.zeros((3, 3, 8, 8), np.float32))
    assert (only[0], only[1]["output"].shape) == (slice(0, 3), (4, 7))


def test_outputs_that_are_no_tensors_are_left_out() -> None:
    """Classifiers of other tools say their probabilities in a dictionary beside the label."""
    parts = helper.make_node("SplitToSequence", ["images"], ["parts"], axis=0)
    means = helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0)
    made = helper.make_graph(
        [parts, means],
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 8, 8])],
        [
            helper.make_tensor_sequence_value_info("parts", TensorProto.FLOAT, None),
            helper.make_tensor_value_info("means", TensorProto.FLOAT, [1, 3]),
        ],
    )

    def loaded(outputs: slice) -> Session:
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        kept = list(model.graph.output)[outputs]
        del model.graph.output[:]
        model.graph.output.extend(kept)
        return Session(model.SerializeToString(), provider="cpu", threads=1)

    session = loaded(slice(None))
    assert [info.name for info in session.outputs] == ["means"]
    assert list(session.run(np.ones((1, 3, 8, 8), np.float32))) == ["means"]
    with pytest.raises(ModelError, match=r"expected an output that is a tensor, got parts: seq\(tensor\(float\)\)"):
        loaded(slice(0, 1))


def test_a_file_is_loaded_like_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "means.onnx"
    file.write_bytes(DYNAMIC)
    assert Session(file, provider="cpu", threads=1).inputs == dynamic_session().inputs


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Session("/nowhere/x.onnx"), ModelError, "/nowhere/x.onnx: there is no such file"),
        (lambda: Session(b"not a model", provider="cpu"), ModelError, "model: ONNX Runtime does not load it: "),
        (lambda: Session(DYNAMIC, threads=0), ModelError, "threads = 0: expected 1 or more"),
        (lambda: Session(DYNAMIC, provider="gpu"), ModelError, "'gpu': expected one of auto, cpu, cuda, tensorrt"),
        (lambda: Session(DYNAMIC, provider=[]), ModelError, "expected one of auto, cpu, cuda, tensorrt"),
        (
            lambda: dynamic_session().run(pictures(1, "float64")),
            ModelError,
            "input images: float32 (any, 3, any, any), got float64 (1, 3, 6, 8)",
        ),
        (lambda: dynamic_session().run(pictures(1)[0]), ModelError, "got float32 (3, 6, 8)"),
        (lambda: dynamic_session().run({"image": pictures(1)}), ModelError, "a tensor for each of images, got image"),
        (lambda: fixed_session(2).run(pictures(3)), ModelError, "(2, 3, 6, 8), got float32 (3, 3, 6, 8)"),
        (lambda: list(dynamic_session().run_batches(pictures(1), at_most=0)), ShapeError, "at_most = 0"),
    ],
)
def test_what_a_session_refuses(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_a_runtime_that_is_not_installed_comes_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[onnx\]'"):
        Session(DYNAMIC)


@pytest.mark.parametrize(
    ("there", "gpus", "wanted", "chosen"),
    [
        (("cpu",), 1, "auto", ("cpu",)),
        (("cpu", "cuda", "tensorrt"), 0, "auto", ("cpu",)),
        (("cpu", "cuda", "tensorrt"), 1, "auto", ("cuda", "cpu")),
        (("cpu", "cuda", "tensorrt"), 1, "cpu", ("cpu",)),
        (("cpu", "cuda", "tensorrt"), 1, "tensorrt", ("tensorrt", "cuda", "cpu")),
        (("cpu", "cuda"), 1, ["cuda", "cpu"], ("cuda", "cpu")),
    ],
)
def test_the_best_provider_that_is_there_comes_first(
    there: tuple[str, ...], gpus: int, wanted: Any, chosen: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers_file, "available_providers", lambda: there)
    monkeypatch.setattr(providers_file, "count_gpus", lambda: gpus)
    assert choose_providers(wanted) == chosen


def test_a_provider_that_was_named_and_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers_file, "available_providers", lambda: ("cpu",))
    with pytest.raises(MissingDependencyError, match=r"this ONNX Runtime has cpu; .*picasso-engine\[onnx-gpu\]"):
        choose_providers("cuda")


@given(st.integers(0, 100), st.integers(1, 128))
def test_a_model_has_at_least_half_of_the_cores(sources: int, cores: int) -> None:
    threads = threads_for(sources, cores)
    assert max(1, cores // 2) <= threads <= cores
    assert threads_for(sources + 1, cores) <= threads
    assert threads_for(0, cores) == cores


def test_threads_follow_the_number_of_sources() -> None:
    few, many = (Session(DYNAMIC, provider="cpu", sources=sources) for sources in (0, 64))
    assert (few.threads, many.threads) == (threads_for(0), threads_for(64))
    np.testing.assert_array_equal(few.run(pictures(2))["means"], many.run(pictures(2))["means"])
