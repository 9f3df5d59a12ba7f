"""``picasso encode`` where the times of its input do not simply rise."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from running import picasso

from picasso.media import MetadataReader, VideoReader

MS = 1_000_000
FRAMES = 12


@pytest.fixture
def clip_with_b_frames(tmp_path: Path) -> Callable[[str], Path]:
    """Encode twelve frames at 25 frames/s; frame ``i`` has luma ``40 + 10 * i``."""

    def make(name: str) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.options = {"bf": "2", "b-adapt": "0"}
            for index in range(FRAMES):
                planes = np.full((72, 64), 128, np.uint8)
                planes[:48] = 40 + 10 * index
                frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


def read(path: Path) -> tuple[list[int], list[int]]:
    """Return times in milliseconds, the first of which is 0, and lumas as multiples of ten."""
    with VideoReader(path) as reader:
        pictures = [(frame.pts, float(surface.planes[0].mean())) for frame, surface in reader.frames()]
    begin = pictures[0][0]
    return [(pts - begin) // MS for pts, _ in pictures], [round(luma / 10) for _, luma in pictures]


TIMES = [40 * index for index in range(FRAMES)]
LUMAS = [4 + index for index in range(FRAMES)]


def test_frames_of_avi_with_b_frames_come_in_order_at_their_times(
    clip_with_b_frames: Callable[[str], Path], tmp_path: Path
) -> None:
    done = picasso("encode", clip_with_b_frames("in.avi"), "-o", tmp_path / "out.mp4", "-q")
    assert done.code == 0
    assert "order of decoding" not in done.err, "what is usual is not a warning"
    assert read(tmp_path / "out.mp4") == (TIMES, LUMAS)


@pytest.fixture
def joined(clip_with_b_frames: Callable[[str], Path]) -> Path:
    """A transport stream that begins a second time."""
    path = clip_with_b_frames("in.ts")
    path.write_bytes(path.read_bytes() * 2)
    return path


@pytest.mark.parametrize("policy", [(), ("--on-restart", "continue"), ("--on-restart", "reset")], ids=str)
def test_joined_files_make_one_file_of_all_frames(joined: Path, tmp_path: Path, policy: tuple[str, ...]) -> None:
    assert picasso("encode", joined, "-o", tmp_path / "out.mp4", *policy).code == 0
    assert read(tmp_path / "out.mp4") == ([40 * index for index in range(2 * FRAMES)], LUMAS * 2)


def test_each_part_of_joined_files_goes_to_a_file_of_its_own(joined: Path, tmp_path: Path) -> None:
    assert picasso("encode", joined, "-o", tmp_path / "out.mp4", "--on-restart", "segment").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.ts", "out-2.mp4", "out.mp4"]
    assert read(tmp_path / "out.mp4") == read(tmp_path / "out-2.mp4") == (TIMES, LUMAS)


@pytest.mark.parametrize(("policy", "falls"), [("continue", 0), ("segment", 1), ("reset", 1)])
def test_the_metadata_has_the_times_of_the_policy(joined: Path, tmp_path: Path, policy: str, falls: int) -> None:
    ndjson = tmp_path / "out.ndjson"
    done = picasso("encode", joined, "-o", tmp_path / "out.mp4", "--on-restart", policy, "--metadata", ndjson)
    assert done.code == 0
    with MetadataReader(ndjson) as reader:
        times = [frame.pts for frame in reader.frames()]
    assert len(times) == 2 * FRAMES
    assert sum(after <= before for before, after in itertools.pairwise(times)) == falls


def test_a_policy_that_is_none_is_named(joined: Path, tmp_path: Path) -> None:
    done = picasso("encode", joined, "-o", tmp_path / "out.mp4", "--on-restart", "stop")
    assert done.code == 2
    assert "one of continue, segment, reset" in " ".join(done.err.split())
