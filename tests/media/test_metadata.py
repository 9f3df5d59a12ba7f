"""Metadata beside the pictures: one line a frame, boxes where they belong, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picasso.engine import OutputMessage
from picasso.errors import MediaError, MetadataError
from picasso.media import MetadataReader, MetadataWriter
from picasso.primitives import AttributeValue, EndOfStream, RBBox, VideoFrame, VideoFrameContent
from picasso.transform import DstPadding, Padding, Placement, Rect, TransformConfig

PLACEMENT = Placement.compute(
    (640, 480), (200, 300), TransformConfig(Padding.NONE, DstPadding(4, 0, 0, 6)), Rect(8, 16, 600, 400)
)


def frame_with_objects(pts: int = 0) -> VideoFrame:
    frame = VideoFrame("камера/1", "25/1", 640, 480, pts=pts, time_base=(1, 10**9))
    frame.add_detections("yolo", [[100, 50, 200, 90], [-5, 0, 700, 500]], ["car", "dog"], confidences=[0.5, 0.25])
    frame.create_object("yolo", "bus", detection_box=RBBox(300, 200, 80, 40, 30.0), track_id=7,
                        track_box=RBBox(301, 202, 81, 41))  # fmt: skip
    frame.set_persistent_attribute("weather", "rain", False, None, [AttributeValue.float(0.75, confidence=0.5)])
    return frame


def encoded(frame: VideoFrame, placement: Placement = PLACEMENT) -> OutputMessage:
    """The output for a frame: boxes moved, size changed, bytes attached."""
    frame.move_boxes(placement.scale_xy, placement.offset_xy)
    frame.set_geometry(*placement.target_wh)
    frame.content = VideoFrameContent.internal(b"\0" * 1000)
    return OutputMessage(frame, is_eos=False, placement=placement)


def round_trip(path: Path, *outputs: Any, space: Any = "output") -> list[Any]:
    with MetadataWriter(path, space=space) as writer:
        for output in outputs:
            writer.write(output)
    with MetadataReader(path) as reader:
        return list(reader)


def test_a_line_is_a_frame(tmp_path: Path) -> None:
    frame = frame_with_objects()
    path = tmp_path / "out.ndjson"
    (read,) = round_trip(path, frame)
    assert read.json == frame.json
    assert path.read_bytes().count(b"\n") == 1
    assert json.loads(path.read_text())["source_id"] == "камера/1"


def test_encoded_bytes_stay_out(tmp_path: Path) -> None:
    output = encoded(frame_with_objects())
    (read,) = round_trip(tmp_path / "out.ndjson", output)
    assert read.content.is_none()
    assert output.as_video_frame().content.is_internal()


def test_boxes_in_output_pixels(tmp_path: Path) -> None:
    output = encoded(frame_with_objects())
    (read,) = round_trip(tmp_path / "out.ndjson", output)
    assert (read.width, read.height) == (200, 300)
    assert np.array_equal(read.detection_boxes(), output.as_video_frame().detection_boxes(), equal_nan=True)


def test_boxes_in_source_pixels(tmp_path: Path) -> None:
    source = frame_with_objects()
    output = encoded(frame_with_objects())
    (read,) = round_trip(tmp_path / "out.ndjson", output, space="source")
    assert (read.width, read.height) == (640, 480)
    assert read.transformations == source.transformations
    assert np.allclose(read.detection_boxes(), source.detection_boxes(), atol=1e-2, equal_nan=True)
    assert np.allclose(read.track_boxes(), source.track_boxes(), atol=1e-2, equal_nan=True)
    assert (output.as_video_frame().width, output.as_video_frame().height) == (200, 300)


def test_without_a_placement_boxes_are_where_they_are(tmp_path: Path) -> None:
    frame = frame_with_objects()
    (read,) = round_trip(tmp_path / "out.ndjson", OutputMessage(frame, is_eos=False), space="source")
    assert read.json == frame.json


def test_ends_of_streams_are_lines_of_their_own(tmp_path: Path) -> None:
    end = OutputMessage(EndOfStream("a"), is_eos=True)
    items = round_trip(tmp_path / "out.ndjson", frame_with_objects(1), end, frame_with_objects(2))
    assert [item.pts if isinstance(item, VideoFrame) else item for item in items] == [1, EndOfStream("a"), 2]
    with MetadataReader(tmp_path / "out.ndjson") as reader:
        assert [frame.pts for frame in reader.frames()] == [1, 2]


def test_lines_can_be_read_before_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    with MetadataWriter(path) as writer:
        writer.write(frame_with_objects())
        writer.flush()
        assert writer.part_path == tmp_path / "out.part.ndjson"
        with MetadataReader(writer.part_path) as reader:
            assert len(list(reader)) == 1
    with MetadataReader(path) as reader:
        assert len(list(reader)) == 1


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_text("\n" + frame_with_objects().json + "\r\n\n  \n")
    with MetadataReader(path) as reader:
        assert len(list(reader)) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", ":2: frame: Input data was truncated"),
        (b"[]", ":2: frame: Expected `object`, got `array`"),
        (b'{"source_id": 5}', ":2: frame: Expected `str`, got `int` - at `$.source_id`"),
        (b'{"end_of_stream": 5}', ":2: Expected `str`, got `int` - at `$.end_of_stream`"),
        (b'{"end_of_stream": "a", "more": 1}', ":2: Object contains unknown field `more`"),
        (b"\xff\xfe", ":2: "),
        (b"[" * 100_000, ":2: "),
    ],
)
def test_bad_lines_name_the_file_and_the_line(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "out.ndjson"
    path.write_bytes(frame_with_objects().json.encode() + b"\n" + line + b"\n")
    with MetadataReader(path) as reader:
        next(reader)
        with pytest.raises(MetadataError) as caught:
            next(reader)
    assert str(caught.value).startswith(f"{path}{message}")
    assert caught.value.__cause__ is None


def test_a_line_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.media.metadata.MAX_LINE_BYTES", 1000)
    (tmp_path / "out.ndjson").write_bytes(b" " * 5000)
    with (
        MetadataReader(tmp_path / "out.ndjson") as reader,
        pytest.raises(MediaError, match=":1: the line is longer than"),
    ):
        next(reader)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_anything_is_a_frame_or_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out.ndjson"
    path.write_bytes(content)
    with MetadataReader(path) as reader:
        try:
            list(reader)
        except MetadataError as error:
            said = str(error)
        else:
            return
    assert said.startswith(f"{path}:")


def test_an_unknown_space(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="space 'target': expected one of output, source"):
        MetadataWriter(tmp_path / "out.ndjson", space="target")  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("door", [MetadataWriter, MetadataReader])
def test_places_that_cannot_be_opened(tmp_path: Path, door: Any) -> None:
    with pytest.raises(MediaError, match=r"missing/out\.ndjson: No such file or directory"):
        door(tmp_path / "missing" / "out.ndjson")


def test_closed_files_say_so(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    writer = MetadataWriter(path)
    writer.write(frame_with_objects())
    writer.close()
    writer.close()
    with pytest.raises(MediaError, match=r"out\.ndjson: the file is closed"):
        writer.write(frame_with_objects())
    reader = MetadataReader(path)
    reader.close()
    with pytest.raises(MediaError, match=r"out\.ndjson: "):
        next(reader)
