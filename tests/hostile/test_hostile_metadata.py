"""Frames in JSON from anybody: valid documents in which anything was replaced by anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from picasso.errors import MediaError, MetadataError
from picasso.media import MetadataReader, MetadataWriter
from picasso.primitives import Attribute, AttributeValue, EndOfStream, RBBox, VideoFrame

LAWLESS = settings(max_examples=400, suppress_health_check=list(HealthCheck))


def document() -> dict[str, Any]:
    """Return a frame with something of everything, as parsed JSON."""
    frame = VideoFrame("cam", "30/1", 640, 480, pts=7, duration=3, codec="h264", keyframe=True)
    frame.set_attribute(Attribute("a", "b", [AttributeValue.integer(1), AttributeValue.floats([0.5, 2.0])], hint="h"))
    car = frame.create_object("d", "car", detection_box=RBBox(30, 20, 10, 8, 45), confidence=0.5, track_id=9)
    frame.create_object("d", "plate", parent_id=car.id, detection_box=RBBox(30, 20, 5, 3))
    frame.add_detections("e", [[0, 0, 5, 5], [1, 1, 9, 9]], ["x", "y"], track_ids=[1, 2])
    parsed: dict[str, Any] = json.loads(frame.json)
    return parsed


DOCUMENT = document()
OBJECT = DOCUMENT["objects"][0]
DEEP = "[" * 100_000 + "]" * 100_000


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of a document, all but the root."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, value in items for place in [(*path, key), *paths(value, (*path, key))]]


HOSTILE = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            -1,
            0,
            2**31,
            2**32,
            2**63,
            2**64,
            -(2**63) - 1,
            10**400,
            1e308,
            -0.0,
            5e-324,
            "",
            "NaN",
            "Infinity",
        ]
    ),
    st.sampled_from(["\0", "../../x", "\ud7ff\U0010ffff", "x" * 100_000, [], {}, [[]], [{}] * 3, [None] * 5, {"": {}}]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(sorted(paths(DOCUMENT), key=repr)).map(lambda path: at(DOCUMENT, path)),
)


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Valid JSON of a frame of which parts were replaced, removed, or said twice."""
    tree = json.loads(json.dumps(DOCUMENT))
    for _ in range(draw(st.integers(1, 3))):
        *parents, key = draw(st.sampled_from(sorted(paths(tree), key=repr)))
        parent = at(tree, tuple(parents))
        match draw(st.sampled_from(["replace", "remove", "repeat", "add"])):
            case "replace":
                parent[key] = deepcopy(draw(HOSTILE))
            case "remove":
                del parent[key]
            case "repeat" if isinstance(parent, list):
                parent.append(parent[key])
            case _ if isinstance(parent, dict):
                parent[draw(st.text(max_size=5))] = deepcopy(draw(HOSTILE))
        if not paths(tree):
            break
    return json.dumps(tree)


@LAWLESS
@given(text=mutated())
@example(text=json.dumps(DOCUMENT))
def test_a_frame_is_read_whole_or_refused_in_one_sentence(text: str) -> None:
    """What is read can be used, written, and read again as the same."""
    try:
        frame = VideoFrame.from_json(text)
    except MetadataError as error:
        refusal = str(error)
    else:
        refusal = ""
        check_use(frame)
    assert "\n" not in refusal
    assert len(refusal) < 1000


def check_use(frame: VideoFrame) -> None:
    assert VideoFrame.from_json(frame.json).json == frame.json
    frame.copy().get_detections()
    for found in frame.get_all_objects():
        repr(found)
        frame.get_children(found.id)
        for box in (found.detection_box, found.track_box):
            if box is not None:
                box.iou(RBBox(1, 2, 3, 4, 5))
                assert len(box.wrapping_box.as_ltrb()) == len(box.vertices)


@LAWLESS
@given(lines=st.lists(mutated() | st.binary(max_size=40).map(repr) | st.just('{"end_of_stream": "x"}'), max_size=4))
def test_a_file_of_such_lines_is_read_up_to_the_first_bad_one(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lines") / "hostile.ndjson"
    path.write_text("\n".join(lines))
    read, refusal = 0, f"{path}:"
    try:
        with MetadataReader(path) as reader:
            for item in reader:
                assert isinstance(item, VideoFrame | EndOfStream)
                read += 1
    except MetadataError as error:
        refusal = str(error)
    assert refusal.startswith(f"{path}:")
    assert len(refusal) < 1000 + len(str(path))
    assert read <= len(lines)


TOO_MUCH: dict[str, Callable[[], str]] = {
    "deep list": lambda: DEEP,
    "deep map": lambda: '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep extra": lambda: json.dumps(DOCUMENT)[:-1] + f', "more": {DEEP}}}',
    "deep attributes": lambda: json.dumps(DOCUMENT | {"attributes": []})[:-1] + f', "attributes": {DEEP}}}',
    "huge numbers": lambda: json.dumps(DOCUMENT | {"width": 10**9, "height": 10**9, "pts": 10**400}),
    "200,000 objects": lambda: json.dumps(DOCUMENT | {"objects": DOCUMENT["objects"] * 50_000}),
    "one of 100,000 twice": lambda: json.dumps(
        DOCUMENT | {"objects": [OBJECT | {"id": number} for number in [*range(100_000), 99_999]]}
    ),
    "": lambda: "",
    "null": lambda: "null",
    "mark": lambda: "\ufeff{}",
}
"""Made by the test that reads it: many megabytes, which every process of a run would make and hold."""


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_documents_that_are_too_much_are_refused(text: Callable[[], str]) -> None:
    with pytest.raises(MetadataError) as caught:
        VideoFrame.from_json(text())
    assert len(str(caught.value)) < 1000


NAMES = [
    "../../x",
    "/etc/passwd",
    "..",
    ".",
    "a\0b",
    "x" * 10_000,
    "é" * 5_000,
    "a\nb",
    "\u202e",
    "con",
    "-rf",
    " ",
    "",
]


@pytest.mark.parametrize("source_id", NAMES, ids=lambda name: ascii(name)[:16])
def test_what_is_written_under_a_hostile_name_is_one_line_and_reads_back(source_id: str, tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    with MetadataWriter(path) as writer:
        frame = VideoFrame(source_id, "30/1", 64, 48)
        frame.create_object(source_id, source_id, detection_box=RBBox(1, 2, 3, 4))
        writer.write(frame)
    assert path.read_bytes().count(b"\n") == 1
    with MetadataReader(path) as reader:
        assert [item.source_id for item in reader] == [source_id]
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """The file is sparse: 8 GiB of zeros that take no disk."""
    path = tmp_path / "endless.ndjson"
    with path.open("wb") as file:
        file.truncate(8 << 30)
    with pytest.raises(MediaError, match="longer than"), MetadataReader(path) as reader:
        next(reader)
