"""A machine on which Skia does not load: everything but canvases works, and those are refused at once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from engine_kit import encode

from picasso import warm_up
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import MissingDependencyError


@pytest.fixture
def no_skia(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put a Skia that lacks a library of the system in front; return its folder."""
    package = tmp_path / "skia"
    package.mkdir()
    (package / "__init__.py").write_text('raise ImportError("libGL.so.1: cannot open shared object file")\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "skia", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "codec", [encode(), CodecSpec.bypass(), CodecSpec.drop_frames()], ids=["encode", "bypass", "drop"]
)
def test_a_spec_with_on_render_is_refused_with_what_to_install(no_skia: Path, codec: CodecSpec) -> None:
    with PicassoEngine(GeneralSpec(), Callbacks()) as engine:
        with pytest.raises(MissingDependencyError) as caught:
            engine.set_source_spec("cam", SourceSpec(codec=codec, use_on_render=True))
        assert "libGL.so.1: cannot open" in str(caught.value)
        assert "apt-get install libgl1 libegl1" in str(caught.value)
        assert engine.stats().sources == {}
        engine.set_source_spec("cam", SourceSpec(codec=codec))
        assert list(engine.stats().sources) == ["cam"]


def test_warming_up_for_on_render_says_what_is_missing(no_skia: Path) -> None:
    done = warm_up(SourceSpec(codec=encode(), use_on_render=True))
    assert len(done.failures) == 1
    assert "apt-get install libgl1 libegl1" in done.failures[0]


def test_labels_in_arabic_are_encoded(no_skia: Path) -> None:
    """In a process of its own, which loads no library of X11, OpenGL, FreeType, FriBidi or fontconfig."""
    program = """
        import sys
        import numpy as np
        from picasso.draw import ColorDraw, LabelDraw, ObjectDraw, ObjectDrawSpec
        from picasso.encode import Codec, EncoderConfig
        from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
        from picasso.primitives import VideoFrame
        from picasso.transform import TransformConfig

        draw, outputs, errors = ObjectDrawSpec(), [], []
        white = ColorDraw(255, 255, 255)
        draw.insert("d", "\\u0633\\u064a\\u0627\\u0631\\u0629", ObjectDraw(label=LabelDraw(white, font_scale=3.0)))
        callbacks = Callbacks(on_encoded_frame=outputs.append, on_error=errors.append)
        with PicassoEngine(GeneralSpec(), callbacks) as engine:
            codec = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.RAW_RGBA, 320, 240))
            engine.set_source_spec("cam", SourceSpec(codec=codec, draw=draw))
            frame = VideoFrame("cam", "30/1", 320, 240, None, time_base=(1, 30), pts=0)
            frame.add_detections("d", np.array([[50.0, 120, 300, 200]]), ["\\u0633\\u064a\\u0627\\u0631\\u0629"])
            engine.send_frame("cam", frame, np.zeros((240, 320, 3), np.uint8))
        assert not errors, errors
        pixels = np.frombuffer(outputs[0].as_video_frame().content.get_data(), np.uint8).reshape(240, 320, 4)
        assert pixels[60:120, 50:200, 0].max() == 255
        print(sorted({line.split()[-1].rsplit("/", 1)[-1] for line in open("/proc/self/maps") if ".so" in line}))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    path = os.pathsep.join([str(no_skia), *filter(None, sys.path)])
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=False)
    assert done.returncode == 0, done.stderr
    for library in ("libGL", "libEGL", "libX11", "libfreetype", "libfribidi", "libfontconfig", "libharfbuzz"):
        assert library not in done.stdout
