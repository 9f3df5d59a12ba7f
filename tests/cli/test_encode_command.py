"""``picasso encode``: what it writes, and what it refuses."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from running import picasso

from picasso.cli.look import AMBER
from picasso.media import MetadataReader, MetadataWriter, VideoReader
from picasso.primitives import VideoFrame

FRAMES = 6
BOX = (60.0, 40.0, 120.0, 110.0)
"""x0 y0 x1 y1 in pixels of the small clip, 176x144."""


def beginning(path: Path) -> list[VideoFrame]:
    """The first frames of a clip, without their pixels."""
    with VideoReader(path) as reader:
        return [frame for frame, _surface in itertools.islice(reader.frames(), FRAMES)]


def decoded(path: Path) -> list[np.ndarray]:
    """The pictures of a file, RGB."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(params=["as read", "in frames"])
def detections(small_clip: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """One object in each of the first frames of the small clip, which are named by nanoseconds or by number."""
    path = tmp_path / "detections.ndjson"
    with MetadataWriter(path) as writer:
        for index, frame in enumerate(beginning(small_clip)):
            if request.param == "in frames":
                frame.pts, frame.time_base = index, (1001, 30000)
            frame.add_detections("me", [BOX], "thing", track_ids=[7])
            writer.write(frame)
    return path


@pytest.mark.parametrize(
    ("codec", "suffix"), [("h264", "mp4"), ("hevc", "mkv"), ("av1", "mp4"), ("h264", "mov"), ("jpeg", "mkv")]
)
def test_a_file_has_every_frame_in_the_size_and_codec_asked_for(
    small_clip: Path, tmp_path: Path, codec: str, suffix: str
) -> None:
    out = tmp_path / f"out.{suffix}"
    done = picasso("encode", small_clip, "-o", out, "--codec", codec, "--size", "96x96", "--seconds", "0.2")
    assert done.code == 0, done.err
    assert done.out.startswith(f"{out}: {FRAMES} frames")
    with av.open(out) as container:
        video = container.streams.video[0]
        assert video.codec_context.codec.canonical_name == {"jpeg": "mjpeg"}.get(codec, codec)
        times = [frame.pts for frame in container.decode(video)]
    assert len(times) == FRAMES
    assert all(before < after for before, after in itertools.pairwise(times))


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_images_go_to_a_folder(small_clip: Path, tmp_path: Path, codec: str) -> None:
    done = picasso("encode", small_clip, "-o", tmp_path / "images", "--codec", codec, "--seconds", "0.2", "--quiet")
    assert (done.code, done.out) == (0, "")
    images = sorted((tmp_path / "images").iterdir())
    assert len(images) == FRAMES
    assert cv2.imread(str(images[0])).shape == (144, 192, 3)


@pytest.mark.parametrize(
    ("options", "size_wh"),
    [
        ("", (192, 144)),  # pixels of 128:117
        ("--raw-geometry", (176, 144)),
        ("--crop 16,0,101,75 --raw-geometry", (100, 74)),
        ("--crop 0,0,64,64 --size 128x32", (128, 32)),
    ],
)
def test_the_size_is_that_of_the_crop_made_even_unless_asked_for(
    small_clip: Path, tmp_path: Path, options: str, size_wh: tuple[int, int]
) -> None:
    out = tmp_path / "out.mp4"
    assert picasso("encode", small_clip, "-o", out, "--seconds", "0.1", *options.split()).code == 0
    assert decoded(out)[0].shape[1::-1] == size_wh


@pytest.mark.parametrize(
    ("options", "black_columns"),
    [
        ("--padding symmetric", [(0, 38), (216, 256)]),
        ("--padding right-bottom", [(178, 256)]),
        ("--padding none", []),
        ("--padding none --inset 20,0,0,0", [(0, 18)]),
    ],
)
def test_bars_stand_where_padding_and_inset_put_them(
    small_clip: Path, tmp_path: Path, options: str, black_columns: list[tuple[int, int]]
) -> None:
    """176x144 in 256x144 leaves 80 columns."""
    out = tmp_path / "out.mp4"
    arguments = ("--size", "256x144", "--seconds", "0.1", "--raw-geometry", *options.split())
    assert picasso("encode", small_clip, "-o", out, *arguments).code == 0
    columns = decoded(out)[0].mean(axis=(0, 2))
    expected = np.zeros(256, bool)
    for low, high in black_columns:
        expected[low:high] = True
    assert columns[expected].max(initial=0) < 6
    assert np.count_nonzero(columns < 6) <= expected.sum() + 6


def test_detections_are_drawn_where_they_were_found_and_come_back(
    small_clip: Path, tmp_path: Path, detections: Path
) -> None:
    out, metadata = tmp_path / "out.mp4", tmp_path / "out.ndjson"
    options = ("--size", "352x288", "--draw", detections, "--metadata", metadata, "--seconds", "0.2", "--bitrate", "4M")
    assert picasso("encode", small_clip, "-o", out, "--raw-geometry", *options).code == 0
    x0, y0, x1, y1 = (round(2 * side) for side in BOX)
    for picture in decoded(out):
        for edge in (picture[y1, (x0 + x1) // 2], picture[(y0 + y1) // 2, x0], picture[(y0 + y1) // 2, x1]):
            assert np.abs(edge.astype(int) - AMBER).sum() < 160
    with MetadataReader(metadata) as reader:
        written = [frame.get_detections() for frame in reader.frames()]
    assert [found.track_ids.tolist() for found in written] == [[7]] * FRAMES
    assert np.allclose([found.xyxy[0] for found in written], BOX, atol=0.01)


def test_a_blur_without_detections_is_refused(small_clip: Path, tmp_path: Path) -> None:
    done = picasso("encode", small_clip, "-o", tmp_path / "out.mp4", "--blur", "face")
    assert done.code == 2
    assert "--blur 'face'" in done.sentence
    assert "--draw" in done.sentence
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("label", "is_there"), [("thing", True), ("thign", False)])
def test_a_label_to_blur_that_no_object_has_is_said(
    small_clip: Path, tmp_path: Path, detections: Path, label: str, is_there: bool
) -> None:
    out = tmp_path / "out.mp4"
    done = picasso("encode", small_clip, "-o", out, "--draw", detections, "--blur", label, "--seconds", "0.1", "-q")
    assert (done.code, out.exists()) == (0, True)
    said = f"{detections}: no object is called 'thign', so none is blurred for it; its labels are thing"
    assert (done.err == "") if is_there else (done.sentence == said)


def test_blurred_labels_lose_their_detail(small_clip: Path, tmp_path: Path, detections: Path) -> None:
    detail = []
    for blurred in ("nothing", "thing"):
        out = tmp_path / f"{blurred}.mp4"
        options = ("--draw", detections, "--blur", blurred, "--seconds", "0.1", "--bitrate", "4M", "--raw-geometry")
        assert picasso("encode", small_clip, "-o", out, *options).code == 0
        x0, y0, x1, y1 = (round(side) for side in BOX)
        inside = decoded(out)[0][y0 + 25 : y1 - 6, x0 + 6 : x1 - 6]
        detail.append(cv2.Laplacian(inside, cv2.CV_64F).var())
    assert detail[1] < 0.5 * detail[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("-o out.avi", "h264 goes to a file, one of .mp4, .mov, .mkv; got 'out.avi'"),
        ("-o out", "h264 goes to a file"),
        ("-o out.mov --codec av1", "av1 goes to a file, one of .mp4, .mkv; got 'out.mov'"),
        ("-o out.mp4 --codec png", "png goes to a folder; got 'out.mp4'"),
        ("-o out.mp4 --codec h266", "unknown codec 'h266'; one of h264, hevc, av1, jpeg, png"),
        ("-o out.mp4 --padding left", "unknown padding 'left'; one of symmetric, right-bottom, none"),
        ("-o out.mp4 --filter magic", "unknown filter 'magic'; one of bilinear"),
        ("-o out.mp4 --size 640", "expected WIDTHxHEIGHT"),
        ("-o out.mp4 --size 641x480", "even"),
        ("-o out.mp4 --size 0x0", "16..16384"),
        ("-o out.mp4 --crop 0,0,177,144", "crop right edge 177 exceeds the width 176"),
        ("-o out.mp4 --crop 0,100,176,45", "crop bottom edge 145 exceeds the height 144"),
        ("-o out.mp4 --crop 0,0,0,10", "at least 1"),
        ("-o out.mp4 --inset 80", "effective"),
        ("-o out.mp4 --bitrate fast", "bits per second"),
        ("-o out.mp4 --crf 0", "expected 1..51 for h264"),
        ("-o out.mp4 --crf 52 --codec hevc", "expected 0..51 for hevc"),
        ("-o out.mp4 --crf 64 --codec av1", "expected 1..63 for av1"),
        ("-o out.mp4 --crf 30.5 --codec av1", "expected a whole number for av1"),
        ("-o out.mp4 --crf good", "--crf"),
        ("-o out.mp4 --crf 20 --bitrate 1M", "--crf holds the quality and --bitrate the rate: leave one of them out"),
        ("-o out.mp4 --codec jpeg --crf 20", "jpeg has no constant quality; one of h264, hevc, av1"),
        ("-o images --codec png --bitrate 1M", "png has no bit rate; one of h264, hevc, av1"),
        ("-o images --codec jpeg --preset 2", "jpeg has no preset; one of h264, hevc, av1"),
        ("-o out.mp4 --quality 90", "h264 has no quality from 0 to 100; only jpeg has"),
        ("-o out.mp4 --codec jpeg --quality 101", "--quality"),
        ("-o out.mp4 --metadata out.mp4", "'out.mp4' cannot hold both the frames and their metadata"),
        ("-o out.mp4 --preset 8", "--preset"),
        ("-o out.mp4 --seconds -1", "--seconds"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_written(
    small_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = picasso("encode", small_clip, *options.split())
    assert done.code == 2
    assert says in done.sentence
    assert list(tmp_path.iterdir()) == []


def psnr_db(reference: Sequence[np.ndarray], pictures: Sequence[np.ndarray]) -> float:
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(reference, pictures, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(errors)))


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_without_a_rate_the_file_is_much_like_one_of_libx264_at_crf_23(clip: Path, tmp_path: Path, codec: str) -> None:
    """Of two thirds more at most, and 3 dB less: there are no B-frames, and no frame is looked at in advance."""
    out, other = tmp_path / "ours.mp4", tmp_path / "theirs.mp4"
    assert picasso("encode", clip, "-o", out, "--codec", codec, "--seconds", "1", "-q").code == 0
    with av.open(clip) as source, av.open(other, "w") as target:
        stream = target.add_stream("libx264", rate=25, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 640, 272, "yuv420p"
        for frame in itertools.islice(source.decode(video=0), 25):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    source_pictures = decoded(clip)[:25]
    assert 0.5 < out.stat().st_size / other.stat().st_size < 1.7
    assert psnr_db(source_pictures, decoded(out)) > psnr_db(source_pictures, decoded(other)) - 3


def test_a_higher_crf_makes_a_smaller_file_and_a_bit_rate_is_kept(small_clip: Path, tmp_path: Path) -> None:
    def size(*options: str) -> int:
        out = tmp_path / "out.mp4"
        assert picasso("encode", small_clip, "-o", out, "-q", *options).code == 0
        return out.stat().st_size

    best, usual, worst = size("--crf", "15"), size(), size("--crf", "35.5")
    assert best > 1.8 * usual > 3.6 * worst
    assert size("--crf", "23") == pytest.approx(usual, rel=0.01)
    assert 8 * size("--bitrate", "300k") / 4 == pytest.approx(300_000, rel=0.2)
    assert size("--codec", "jpeg", "--quality", "95") > 2 * size("--codec", "jpeg", "--quality", "60")


def test_a_file_is_not_written_over_itself(small_clip: Path, tmp_path: Path, detections: Path) -> None:
    path = tmp_path / "in.mp4"
    path.write_bytes(small_clip.read_bytes())
    for arguments in (("-o", path), ("-o", tmp_path / "new.mp4", "--draw", detections, "--metadata", detections)):
        done = picasso("encode", path, *arguments)
        assert done.code == 2
        assert "is read and written at once" in done.sentence
    assert path.read_bytes() == small_clip.read_bytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"", "in.mp4", id="empty"),
        pytest.param(b"just words\n" * 100, "in.mp4", id="not a video"),
    ],
)
def test_what_is_no_video_is_one_sentence_and_makes_no_file(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "in.mp4"
    if content is not None:
        path.write_bytes(content)
    done = picasso("encode", path, "-o", tmp_path / "out.mp4")
    assert done.code == 1
    assert says in done.sentence
    assert not (tmp_path / "out.mp4").exists()


def test_a_truncated_file_is_encoded_as_far_as_it_goes(truncated: Path, tmp_path: Path) -> None:
    done = picasso("encode", truncated, "-o", tmp_path / "out.mp4", "--quiet")
    assert done.code == 1
    assert "truncated" in done.sentence
    assert done.sentence.endswith(f"what was written is in {tmp_path / 'out.part.mp4'})")
    assert not (tmp_path / "out.mp4").exists()
    assert 30 < len(decoded(tmp_path / "out.part.mp4")) < 120


@pytest.mark.parametrize("out", ["no/such/folder/out.mp4", "file.txt/out.mp4", "folder.mp4"])
def test_an_output_that_cannot_be_written_is_one_sentence(small_clip: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "folder.mp4").mkdir()
    done = picasso("encode", small_clip, "-o", tmp_path / out)
    assert done.code == 1
    assert out in done.sentence


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("not json", "detections.ndjson:1", id="no JSON"),
        pytest.param('{"pts": "soon"}', "detections.ndjson:1", id="no frame"),
    ],
)
def test_a_detections_file_that_is_none_is_one_sentence(
    small_clip: Path, tmp_path: Path, line: str | None, says: str
) -> None:
    path = tmp_path / "detections.ndjson"
    if line is not None:
        path.write_text(line)
    done = picasso("encode", small_clip, "-o", tmp_path / "out.mp4", "--draw", path)
    assert done.code == 1
    assert says in done.sentence
    assert not (tmp_path / "out.mp4").exists()


def test_detections_of_another_picture_are_refused(clip: Path, tmp_path: Path, detections: Path) -> None:
    done = picasso("encode", clip, "-o", tmp_path / "out.mp4", "--draw", detections, "--quiet", "--seconds", "0.1")
    assert done.code == 1
    assert "176x144 picture, and the source is 640x272" in done.sentence


def test_detections_of_other_times_are_refused(small_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "detections.ndjson"
    with MetadataWriter(path) as writer:
        for frame in beginning(small_clip):
            frame.pts += 1
            writer.write(frame)
    done = picasso("encode", small_clip, "-o", tmp_path / "out.mp4", "--draw", path, "--quiet", "--seconds", "0.1")
    assert done.code == 1
    assert "none of its 6 frames has the time of a frame" in done.sentence
