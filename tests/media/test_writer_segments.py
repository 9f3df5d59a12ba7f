"""Recordings in segments: where they are cut, what they are called, and that nothing is replaced."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from test_writer import JPEG_KIND, jpeg, output, times_of, unit

from picasso.encode import Codec
from picasso.engine import OutputMessage
from picasso.errors import MediaError
from picasso.media import StreamKind, StreamWriter
from picasso.primitives import EndOfStream

MS = 1_000_000
END = OutputMessage(EndOfStream("camera"), is_eos=True)


def frame(index: int, *, gop: int = 5, **fields: Any) -> OutputMessage:
    """Frames at 25/s, of which each fifth is a keyframe."""
    return output(unit(index * 40 * MS, keyframe=index % gop == 0), **fields)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_segments_begin_at_the_keyframe_after_their_time(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "{index}.mp4", segment_s=0.3) as writer:
        for index in range(24):
            writer.write(frame(index))
    assert [path.name for path in writer.paths] == ["1.mp4", "2.mp4", "3.mp4"]
    assert [times_of(path) for path in writer.paths] == [
        [index * 40 * MS for index in part] for part in (range(10), range(10, 20), range(20, 24))
    ]
    assert (writer.frames, writer.safe_frames) == (24, 24)


def test_segments_begin_at_the_keyframe_after_their_size(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "{index}.mkv", segment_bytes=7 * len(jpeg())) as writer:
        for index in range(20):
            writer.write(frame(index))
    assert [len(times_of(path)) for path in writer.paths] == [10, 10]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_names_come_from_source_time_and_number_and_folders_are_made(tmp_path: Path, suffix: str) -> None:
    pattern = tmp_path / "rec" / "{source}" / ("{time:%Y}" + "-{time}-{index:03d}" + suffix)
    with StreamWriter(pattern, segment_s=1) as writer:
        writer.write(frame(0, source_id="../gate 1"))
    (path,) = writer.paths
    assert re.fullmatch(r"_\.\._gate_1-[0-9a-f]{24}|[\w.\-]+", path.parent.name)
    assert path.parent.parent == tmp_path / "rec"
    assert re.fullmatch(rf"20\d\d-20\d{{6}}T\d{{6}}Z-001{re.escape(suffix)}", path.name)


def test_nothing_is_replaced_and_names_of_one_second_get_numbers(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"before")
    (tmp_path / "out-3.part.mp4").write_bytes(b"in use")
    with StreamWriter(tmp_path / "out.mp4", segment_s=0.1) as writer:
        for index in range(15):
            writer.write(frame(index))
    assert [path.name for path in writer.paths] == ["out-2.mp4", "out-4.mp4", "out-5.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"before"
    assert (tmp_path / "out-3.part.mp4").read_bytes() == b"in use"


def test_a_file_that_comes_while_a_segment_is_written_is_kept(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "out.mp4", segment_s=1) as writer:
        writer.write(frame(0))
        (tmp_path / "out.mp4").write_bytes(b"someone else's")
    assert (tmp_path / "out.mp4").read_bytes() == b"someone else's"
    assert [path.name for path in writer.paths] == ["out-2.mp4"]
    assert times_of(writer.paths[0]) == [0]


def test_another_size_or_codec_begins_a_segment(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "{index}.mkv", segment_s=60) as writer:
        for index, size in enumerate([(64, 64), (64, 64), (32, 32), (64, 64)]):
            writer.write(output(unit(index * 40 * MS), size=size))
    assert [len(times_of(path)) for path in writer.paths] == [2, 1, 1]


def test_times_that_start_again_begin_a_segment_when_asked(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "{index}.mp4", on_restart="segment") as writer:
        for index in (0, 5, 10, 0, 5):
            writer.write(frame(index))
    assert [times_of(path) for path in writer.paths] == [[0, 200 * MS, 400 * MS], [0, 200 * MS]]


def test_the_end_of_a_stream_completes_its_segment_and_a_source_that_comes_back_begins_one(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "{index}.mp4", on_restart="segment") as writer:
        writer.write(frame(0))
        writer.write(END)
        assert times_of(tmp_path / "1.mp4") == [0]
        writer.write(frame(5))
        writer.write(END)
    assert names(tmp_path) == ["1.mp4", "2.mp4"]
    assert times_of(tmp_path / "2.mp4") == [200 * MS]


def test_a_recording_goes_on_after_a_segment_that_could_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    writer = StreamWriter(folder / "{index}.mp4", segment_s=0.2, kind=JPEG_KIND)
    writer.write(unit(0))
    (folder / "1.part.mp4").rename(folder / "taken away")
    for index in range(1, 15):
        writer.write(unit(index * 40 * MS, keyframe=index % 5 == 0))
    with pytest.raises(MediaError, match=r"1\.mp4: No such file or directory; 5 frames lost"):
        writer.close()
    assert [times_of(path)[0] for path in writer.paths] == [200 * MS, 400 * MS]
    writer.close()


def test_no_segment_means_no_file(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "rec" / "{index}.mp4", segment_s=1) as writer:
        writer.write(END)
    assert names(tmp_path) == []
    assert writer.paths == ()


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("{camera}.mp4", {"segment_s": 1}, ValueError, r"unknown field {camera}; one of source, time, index"),
        ("{}.mp4", {"segment_s": 1}, ValueError, r"unknown field {}; one of source, time"),
        ("{source.x}.mp4", {"segment_s": 1}, ValueError, r"unknown field {source.x}"),
        ("{index!r}.mp4", {"segment_s": 1}, ValueError, r"unknown field {index}"),
        ("{index.mp4", {"segment_s": 1}, ValueError, "expected '}'"),
        ("{index:%H}.mp4", {"segment_s": 1}, ValueError, "format"),
        ("a.mp4", {"segment_s": 0}, ValueError, "segment_s = 0: expected more than 0"),
        ("a.mp4", {"segment_bytes": -1}, ValueError, "segment_bytes = -1"),
        ("a.mp4", {"on_restart": "reset"}, ValueError, "one of continue, segment"),
        ("a.mp4", {"on_restart": "stop"}, ValueError, "unknown policy 'stop'"),
        ("/dev/null", {"segment_s": 1}, MediaError, "segments need files"),
    ],
)
def test_patterns_and_limits_that_mean_nothing(
    tmp_path: Path, name: str, options: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        StreamWriter(tmp_path / name, **options)
    assert names(tmp_path) == []


def test_units_bring_no_source(tmp_path: Path) -> None:
    kind = StreamKind(Codec.JPEG, (64, 64), Fraction(25))
    with (
        StreamWriter(tmp_path / "{source}.mp4", segment_s=1, kind=kind) as writer,
        pytest.raises(MediaError, match="the pattern names the source; an EncodedUnit needs source_id"),
    ):
        writer.write(unit(0))
    with StreamWriter(tmp_path / "{source}.mp4", segment_s=1, kind=kind, source_id="gate") as writer:
        writer.write(unit(0))
    assert names(tmp_path) == ["gate.mp4"]


def test_braces_without_segments_are_letters(tmp_path: Path) -> None:
    with StreamWriter(tmp_path / "{source}.mp4") as writer:
        writer.write(frame(0))
    assert names(tmp_path) == ["{source}.mp4"]
