from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from running import picasso


def test_json_says_what_the_file_is(clip: Path) -> None:
    facts = json.loads(picasso("probe", clip, "--decode", "--json").out)
    assert facts["file"] == str(clip)
    assert (facts["codec"], facts["width"], facts["height"], facts["pixel_format"]) == ("h264", 640, 272, "yuv420p")
    assert (facts["frames_per_s"], facts["frames"], facts["duration_s"]) == (25, 250, 10)
    assert (facts["decoded_frames"], facts["decoded_end_s"], facts["times_rise"]) == (250, 10, True)
    assert (facts["times_restarted"], facts["times_made"], facts["times_moved"], facts["damage"]) == (0, 0, 0, [])


def test_the_table_has_a_line_a_fact(clip: Path) -> None:
    done = picasso("probe", clip)
    assert done.code == 0
    lines = {tuple(line.rsplit(maxsplit=1)) for line in done.out.splitlines()}
    assert {("codec", "h264"), ("width", "640"), ("full range", "no"), ("frames per s", "25")} <= lines


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"just words\n" * 100, "Invalid data|no video", id="not a video"),
        pytest.param(bytes(100_000), "Invalid data|no video", id="zeros"),
    ],
)
def test_what_is_no_video_is_one_sentence(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "in.mp4"
    if content is not None:
        path.write_bytes(content)
    done = picasso("probe", path)
    assert done.code == 1
    assert str(path) in done.sentence
    assert any(words in done.sentence for words in says.split("|"))


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    done = picasso("probe", tmp_path)
    assert done.code == 1
    assert done.sentence


def test_decoding_finds_out_a_truncated_file(truncated: Path) -> None:
    assert picasso("probe", truncated).code == 0
    done = picasso("probe", truncated, "--decode")
    assert done.code == 1
    assert "truncated" in done.sentence


def test_what_a_file_says_beside_its_pixels_is_told(tmp_path: Path) -> None:
    path = tmp_path / "anamorphic.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        stream.set_display_rotation(-90)
        container.mux([*stream.encode(av.VideoFrame(720, 576, "yuv420p")), *stream.encode(None)])
    facts = json.loads(picasso("probe", path, "--json").out)
    assert (facts["sample_aspect_ratio"], facts["display_size_wh"]) == ("64:45", [576, 1024])
    assert (facts["rotation_deg"], facts["mirrored"], facts["field_order"]) == (-90, False, "progressive")
    assert (facts["color_transfer"], facts["hdr"], facts["bit_depth"], facts["audio"]) == (None, False, 8, [])
    lines = {tuple(line.rsplit(maxsplit=1)) for line in picasso("probe", path).out.splitlines()}
    assert {("sample aspect ratio", "64:45"), ("display size wh", "576x1024"), ("rotation deg", "-90")} <= lines


def test_decoding_tells_where_a_file_is_damaged(tmp_path: Path, small_clip: Path) -> None:
    path = tmp_path / "damaged.mp4"
    data = bytearray(small_clip.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path.write_bytes(data)
    done = picasso("probe", path, "--decode", "--json")
    assert done.code == 1
    damage = json.loads(done.out)["damage"]
    assert damage
    assert all(20 < each["frame"] < 100 and 0.6 < each["time_s"] < 3.5 for each in damage)
    first = damage[0]
    assert f"damaged: frame {first['frame']} at {first['time_s']:.3f} s: {first['what']}" in done.sentence
    assert f"frame {first['frame']} at {first['time_s']:.3f} s" in picasso("probe", path, "--decode").out
