"""Source ids that would like to be paths: nothing is written outside of the output folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import MediaError
from picasso.media import ImageSequenceWriter, MetadataReader, MetadataWriter, StreamWriter, VideoReader, safe_file_name
from picasso.primitives import VideoFrame
from picasso.transform import TransformConfig

SOURCE_IDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.lists(st.sampled_from(["..", ".", "/", "\\", "\0", "~", "C:", "x", "%2e", "\u2215", "\uff0e"]), max_size=8).map(
        "".join
    ),
    st.sampled_from(
        ["../../x", "/etc/passwd", "x" * 10_000, "é" * 10_000, "NUL", "a\nb", "-rf", "$(id)", "%06d", "x:y"]
    ),
)


def tree(folder: Path) -> list[Path]:
    """Return every file and folder below ``folder``."""
    return sorted(folder.rglob("*"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(source_id=SOURCE_IDS)
@example(source_id="../../x")
@example(source_id="")
@example(source_id="a\0b")
def test_everything_a_source_writes_stays_in_its_folder(
    source_id: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Through the engine and every writer, with files named as the documentation says."""
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "deep" / "out"
    folder.mkdir(parents=True)
    name = safe_file_name(source_id)
    video, lines = folder / f"{name}.mkv", folder / f"{name}.ndjson"
    with (
        StreamWriter(video) as stream,
        MetadataWriter(lines) as metadata,
        ImageSequenceWriter(folder, source_id) as images,
    ):

        def write(output: object) -> None:
            metadata.write(output)  # type: ignore[arg-type]
            images.write(output)  # type: ignore[arg-type]
            stream.write(output)  # type: ignore[arg-type]

        errors: list[object] = []
        callbacks = Callbacks(on_encoded_frame=write, on_error=lambda *report: errors.append(report))
        with PicassoEngine(GeneralSpec(), callbacks) as engine:
            encoder = EncoderConfig(Codec.JPEG, 32, 32)
            engine.set_source_spec(source_id, SourceSpec(codec=CodecSpec.encode(TransformConfig(), encoder)))
            engine.send_frame(source_id, VideoFrame(source_id, "30/1", 32, 32), np.zeros((32, 32, 4), np.uint8))
    assert errors == []
    picture = next(path for path in tree(folder) if path.suffix == ".jpg")
    assert tree(outside) == sorted([outside / "deep", folder, video, lines, picture])
    assert all(path.parent == folder for path in (video, lines, picture))
    with MetadataReader(lines) as reader:
        assert [item.source_id for item in reader] == [source_id]


@pytest.mark.parametrize(
    "make", [StreamWriter, MetadataWriter, VideoReader, MetadataReader], ids=lambda make: make.__name__
)
@pytest.mark.parametrize(
    "path",
    ["a\0b.mkv", "x" * 10_000 + ".mkv", "no/such/folder/x.mkv", "\udcff/x.mkv"],
    ids=lambda path: ascii(path)[:12],
)
def test_a_path_that_cannot_be_is_one_sentence(make: type, path: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        make(tmp_path / path)
    assert "\n" not in str(caught.value)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of four frames."""
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 30 * index, np.uint8), "yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["encode", "{clip}", "-o", "x" * 10_000 + ".mp4"], 1),
        (["encode", "{clip}", "-o", "no/such/../../folder/x.mp4"], 1),
        (["encode", "../" * 500 + "x.mp4", "-o", "out.mp4"], 1),
        (["encode", "{clip}", "-o", "out.mp4", "--size", "1000000000x1000000000"], 2),
        (["encode", "{clip}", "-o", "out.mp4", "--crop", "0,0,999999999999,5"], 2),
        (["encode", "{clip}", "-o", "out.mp4", "--draw", "/dev/null/x"], 1),
        (["probe", "x" * 10_000], 1),
        (["probe", "concat:/etc/passwd|/etc/passwd"], 1),
        (["probe", "/dev/null"], 1),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else str(value),
)
def test_the_command_refuses_hostile_arguments_in_one_sentence(
    arguments: list[str], code: int, clip: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    line = [sys.executable, "-m", "picasso", *(argument.format(clip=clip) for argument in arguments)]
    done = subprocess.run(
        line, capture_output=True, text=True, timeout=100, cwd=work, env=os.environ | {"NO_COLOR": "1"}, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert 1 <= len(done.stderr.strip().splitlines()) <= 12
    assert tree(tmp_path) == sorted([clip, work])


def test_a_clip_whose_name_is_hostile_is_encoded_beside_nothing_else(clip: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "..%2f..%2fx\nid ;rm -rf $HOME.mp4"
    clip.rename(hostile)
    line = [
        sys.executable,
        "-m",
        "picasso",
        "encode",
        str(hostile),
        "-o",
        "out.mp4",
        "--metadata",
        "out.ndjson",
        "-q",
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(tmp_path) == sorted([hostile, tmp_path / "out.mp4", tmp_path / "out.ndjson"])
