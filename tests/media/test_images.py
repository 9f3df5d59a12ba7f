"""Images as numbered files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from picasso.encode import Codec, EncodedUnit
from picasso.engine import OutputMessage
from picasso.errors import MediaError
from picasso.media import ImageSequenceWriter, VideoReader
from picasso.primitives import EndOfStream, VideoFrame, VideoFrameContent


def png(tmp_path: Path, value: int) -> bytes:
    frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), value, np.uint8), "rgb24")
    frame.save(str(tmp_path / "one.png"))
    return (tmp_path / "one.png").read_bytes()


def output(data: bytes, codec: str | None) -> OutputMessage:
    frame = VideoFrame("camera", "25/1", 32, 16, VideoFrameContent.internal(data), codec=codec)
    return OutputMessage(frame, is_eos=False)


def test_images_are_numbered_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with ImageSequenceWriter(folder) as writer:
        paths = [writer.write(output(png(tmp_path, value), "png")) for value in (10, 20, 30)]
        assert writer.write(OutputMessage(EndOfStream("camera"), is_eos=True)) is None
    assert paths == [folder / f"{index:06d}.png" for index in range(3)]
    assert writer.frames == 3
    with VideoReader(folder / "%06d.png") as reader:
        assert [int(surface.planes[0][0, 0, 0]) for _, surface in reader.frames()] == [10, 20, 30]


def test_units_of_an_encoder(tmp_path: Path) -> None:
    writer = ImageSequenceWriter(tmp_path, "front door", codec=Codec.JPEG)
    path = writer.write(EncodedUnit(b"jpeg", 0, None, None, keyframe=True))
    assert path is not None
    assert path.name.startswith("front_door-")
    assert path.name.endswith("-000000.jpg")
    assert path.read_bytes() == b"jpeg"


def test_a_prefix_stays_in_its_folder(tmp_path: Path) -> None:
    path = ImageSequenceWriter(tmp_path / "out", "../../x").write(output(b"data", "jpeg"))
    assert path is not None
    assert path.resolve().parent == (tmp_path / "out").resolve()


@pytest.mark.parametrize(
    ("codec", "given", "message"),
    [
        (None, output(b"data", "h264"), "h264 is not an image; one of jpeg, png"),
        (None, output(b"data", None), "frame of source 'camera': Unknown codec"),
        (None, EncodedUnit(b"data", 0, None, None, keyframe=True), "an EncodedUnit without codec is not an image"),
        (Codec.RAW_RGBA, EncodedUnit(b"data", 0, None, None, keyframe=True), "raw_rgba is not an image"),
    ],
)
def test_what_is_no_image(tmp_path: Path, codec: Codec | None, given: Any, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        ImageSequenceWriter(tmp_path, codec=codec).write(given)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match=r"file/images: Not a directory"):
        ImageSequenceWriter(tmp_path / "file" / "images")
