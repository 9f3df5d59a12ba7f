"""JPEG decoded by nvJPEG: the pixels of the CPU's decoder, in GPU memory; what it cannot decode comes from the CPU."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

from picasso.media import read_image, read_images
from picasso.surface import SurfaceView

sys.path.insert(0, str(Path(__file__).parents[1] / "media"))
from test_stills import jpeg, picture, png

pytestmark = pytest.mark.cuda


@pytest.fixture(scope="module")
def decoder() -> Any:
    """Open nvJPEG, or skip where it is not installed."""
    from picasso.errors import MissingDependencyError
    from picasso.media.nvjpeg_decoder import JpegDecoder

    try:
        made = JpegDecoder()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    yield made
    made.close()
    made.close()


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "Gray"])
@pytest.mark.parametrize("size_wh", [(64, 48), (63, 47), (1280, 720)])
def test_pixels_are_those_of_the_cpu(decoder: Any, subsampling: str, size_wh: tuple[int, int]) -> None:
    across, down = np.meshgrid(np.linspace(0, 250, size_wh[0]), np.linspace(0, 250, size_wh[1]))
    pixels = np.stack([across, down, (across + down) / 2], axis=2).astype(np.uint8)
    if subsampling == "Gray":
        data = simplejpeg.encode_jpeg(pixels[:, :, :1].copy(), quality=90, colorspace="GRAY", colorsubsampling="Gray")
    else:
        data = simplejpeg.encode_jpeg(pixels, quality=90, colorsubsampling=subsampling)
    assert decoder.size_of(data) == size_wh
    surface = decoder.decode(data)
    assert surface.is_cuda
    assert surface.size_wh == size_wh
    expected = simplejpeg.decode_jpeg(data, "RGB").astype(int)
    assert np.abs(surface.to_numpy().astype(int) - expected).mean() < 1.5


def test_a_damaged_file_is_refused_and_the_next_one_decoded(decoder: Any) -> None:
    from picasso.errors import MediaError

    with pytest.raises(MediaError, match="NVJPEG_STATUS"):
        decoder.decode(b"\xff\xd8\xff no picture")
    assert decoder.decode(jpeg(picture())).size_wh == (64, 48)


def test_read_image_gives_upright_pictures_of_every_kind_on_the_gpu(decoder: Any, tmp_path: Path) -> None:
    sources = [jpeg(picture()), jpeg(picture(), 6), png(tmp_path / "a.png", picture())]
    made = read_images(sources, device="cuda")
    assert all(surface.is_cuda for surface in made)
    for surface, source in zip(made, sources, strict=True):
        expected = np.asarray(read_image(source)).astype(int)
        assert np.abs(surface.to_numpy().astype(int) - expected).mean() < 1.5


class Counting:
    """The real library; it counts what is made and what is given back."""

    def __init__(self, library: Any) -> None:
        self.library, self.made, self.gone = library, 0, 0
        self.lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.library, name)

        def call(*arguments: Any) -> int:
            status: int = function(*arguments)
            with self.lock:
                self.made += not status and "Create" in name
                self.gone += not status and "Destroy" in name
            return status

        return call


def test_threads_that_end_give_back_their_handles(decoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real library, whose functions say that they succeed; some threads upload what the CPU decodes, too."""
    from picasso.encode.nvjpeg_library import load_nvjpeg
    from picasso.media import nvjpeg_decoder

    counting = Counting(load_nvjpeg())
    monkeypatch.setattr(nvjpeg_decoder, "load_nvjpeg", lambda: counting)
    made: dict[int, SurfaceView] = {}

    def read(number: int) -> None:
        made[number] = read_image(jpeg(picture(), 6 if number % 5 == 0 else None), device="cuda")

    for start in range(0, 50, 10):
        threads = [threading.Thread(target=read, args=(number,)) for number in range(start, start + 10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (counting.made, counting.gone) == (2 * 40, 2 * 40)
    for number, surface in made.items():
        expected = np.asarray(read_image(jpeg(picture(), 6 if number % 5 == 0 else None))).astype(int)
        assert np.abs(surface.to_numpy().astype(int) - expected).mean() < 1.5


def test_surfaces_outlive_the_decoder_and_differ(decoder: Any) -> None:
    from picasso.media.nvjpeg_decoder import JpegDecoder

    with JpegDecoder() as short:
        made = [short.decode(jpeg(np.full((32, 40, 3), level, np.uint8))) for level in (10, 200)]
    assert [round(float(surface.to_numpy().mean())) for surface in made] == [10, 200]
    assert all(isinstance(surface, SurfaceView) for surface in made)
