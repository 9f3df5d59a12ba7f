"""Still pictures: every kind comes as RGB, upright, from a path or from bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

import picasso
from picasso.errors import MediaError
from picasso.media import read_image, read_images
from picasso.media.stills import orientation_of

HEIGHT, WIDTH = 48, 64
TURNS = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}
"""What each orientation of Exif asks a viewer to do."""


def picture() -> np.ndarray:
    """Return soft colours, different in each corner."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([4 * across, 5 * down, 2 * (across + down)], axis=2).astype(np.uint8)


def jpeg(pixels: np.ndarray, orientation: int | None = None, order: str = "<") -> bytes:
    """Compress well, and write how the camera was held."""
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=98, colorsubsampling="444")
    if orientation is None:
        return data
    start = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = start + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)
    exif = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def png(path: Path, pixels: np.ndarray) -> Path:
    """Write a PNG file."""
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode())
    return path


def test_a_png_comes_as_it_was(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", picture())
    assert np.array_equal(np.asarray(read_image(path)), picture())
    assert np.array_equal(np.asarray(read_image(str(path))), picture())
    assert np.array_equal(np.asarray(read_image(path.read_bytes())), picture())


def test_pictures_come_in_order(tmp_path: Path) -> None:
    first, second = png(tmp_path / "a.png", picture()), png(tmp_path / "b.png", picture()[::-1].copy())
    made = picasso.read_images([second, first, second.read_bytes()])
    assert [bool(np.array_equal(np.asarray(surface), picture())) for surface in made] == [False, True, False]
    assert read_images([]) == []


@pytest.mark.parametrize("order", ["<", ">"], ids=["Intel", "Motorola"])
@pytest.mark.parametrize("orientation", [*TURNS])
def test_a_picture_stands_as_the_camera_was_held(orientation: int, order: str, tmp_path: Path) -> None:
    data = jpeg(picture(), orientation, order)
    path = tmp_path / "held.jpg"
    path.write_bytes(data)
    assert orientation_of(data) == orientation
    for source in (data, path):
        made = np.asarray(read_image(source)).astype(int)
        expected = TURNS[orientation](picture()).astype(int)
        assert made.shape == expected.shape
        assert np.abs(made - expected).mean() < 3


def test_a_file_without_exif_is_upright() -> None:
    assert orientation_of(jpeg(picture())) == 1
    assert orientation_of(jpeg(picture(), 9)) == 1
    assert orientation_of(b"") == 1


@given(data=st.binary(max_size=200), keep=st.integers(0, 100))
def test_an_orientation_is_read_of_anything(data: bytes, keep: int) -> None:
    assert 1 <= orientation_of(b"\xff\xd8\xff\xe1" + data) <= 8
    assert 1 <= orientation_of(jpeg(picture(), 6)[:keep] + data) <= 8


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"none\.png.*No such file"):
        read_image(tmp_path / "none.png")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(MediaError, match=r"text\.jpg"):
        read_image(tmp_path / "text.jpg")
    with pytest.raises(MediaError):
        read_image(b"no picture")
    with pytest.raises(ValueError, match="expected cpu, cuda or cuda:N"):
        read_image(b"", device="gpu")
