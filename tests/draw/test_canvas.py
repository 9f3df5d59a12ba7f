"""Skia canvases on surfaces."""

from __future__ import annotations

import gc
import sys
import threading

import numpy as np
import pytest

from picasso.draw import Painter, canvas_for, current_canvas
from picasso.draw.skia_library import skia_module
from picasso.errors import EngineError, MissingDependencyError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat

skia = pytest.importorskip("skia", exc_type=ImportError)
RED = skia.Paint(Color=skia.ColorRED)


@pytest.mark.parametrize(
    ("form", "expected"),
    [(VideoFormat.RGBA, (255, 0, 0, 255)), (VideoFormat.BGRA, (0, 0, 255, 255)), (VideoFormat.BGRx, (0, 0, 255, 255))],
    ids=lambda value: value.name() if isinstance(value, VideoFormat) else "",
)
def test_drawing_reaches_the_pixels_at_once(form, expected) -> None:
    picture = np.zeros((20, 30, 4), np.uint8)
    canvas_for(SurfaceView.wrap(picture, form)).drawRect(skia.Rect(5, 5, 10, 10), RED)
    assert tuple(picture[7, 7].tolist()) == expected
    assert not picture[4].any()


def test_rows_may_be_padded() -> None:
    memory = np.zeros((20, 40, 4), np.uint8)
    canvas_for(SurfaceView.wrap(memory[4:12, 3:20])).drawColor(skia.ColorWHITE)
    assert (memory[4:12, 3:20] == 255).all()
    assert memory.sum() == 8 * 17 * 4 * 255


def test_a_canvas_keeps_its_pixels_alive() -> None:
    """Skia itself does not: drawing on pixels that are gone crashes the process."""
    picture = np.zeros((64, 64, 4), np.uint8)
    before = sys.getrefcount(picture)
    canvas = canvas_for(SurfaceView.wrap(picture))
    gc.collect()
    assert sys.getrefcount(picture) > before
    del canvas
    gc.collect()
    assert sys.getrefcount(picture) == before


@pytest.mark.parametrize(
    ("surface", "text"),
    [
        (SurfaceView.allocate(VideoFormat.NV12, (8, 8)), "Skia draws on RGBA, BGRA, BGRx, not on NV12"),
        (SurfaceView.wrap(np.zeros((8, 8, 4), np.uint8)[::-1]), "rows of whole pixels that run downwards"),
        (SurfaceView.wrap(np.zeros((8, 16, 4), np.uint8)[:, ::2]), "not on strides (64, 8, 1)"),
        (SurfaceView.wrap(np.broadcast_to(np.zeros(4, np.uint8), (8, 8, 4))), "the pixels are read-only"),
    ],
    ids=["NV12", "upwards", "every other pixel", "read-only"],
)
def test_what_skia_cannot_draw_on_is_named(surface, text) -> None:
    with pytest.raises(SurfaceError) as caught:
        canvas_for(surface)
    assert text in str(caught.value)


def test_the_current_canvas_is_that_of_the_block_and_of_the_thread() -> None:
    surface = SurfaceView.allocate(VideoFormat.RGBA, (16, 16))
    with Painter().canvas(surface) as canvas:
        assert current_canvas() is canvas
        canvas.drawColor(skia.ColorGREEN)
        elsewhere: list[object] = []
        thread = threading.Thread(target=lambda: elsewhere.append(_canvas_or_error()))
        thread.start()
        thread.join()
        assert isinstance(elsewhere[0], EngineError)
    assert isinstance(_canvas_or_error(), EngineError)
    assert surface.planes[0][3, 3].tolist() == [0, 255, 0, 255]


def test_the_current_canvas_ends_with_an_exception_too() -> None:
    with pytest.raises(ZeroDivisionError), Painter().canvas(SurfaceView.allocate(VideoFormat.RGBA, (16, 16))):
        _ = 1 / 0
    assert isinstance(_canvas_or_error(), EngineError)


def _canvas_or_error() -> object:
    try:
        return current_canvas()
    except EngineError as error:
        return error


def test_missing_system_libraries_are_named_with_the_fix(monkeypatch) -> None:
    def fail(name: str) -> None:
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr("picasso.errors.importlib.import_module", fail)
    with pytest.raises(MissingDependencyError) as caught:
        skia_module()
    assert "libGL.so.1: cannot open" in str(caught.value)
    assert "apt-get install libgl1 libegl1" in str(caught.value)
    assert "\n" not in str(caught.value)
