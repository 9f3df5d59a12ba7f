"""The first frames on a machine where nothing is compiled: many sources at once, one compile, the same pictures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import picasso_kernels

RUN = """
import hashlib, sys
import numpy as np
from picasso import Callbacks, CodecSpec, EncoderConfig, GeneralSpec, ObjectDrawSpec, PicassoEngine, SourceSpec
from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, ObjectDraw
from picasso.encode import Codec
from picasso.primitives import VideoFrame
from picasso.transform import TransformConfig
from picasso_kernels.cpu.compile import prepare
from picasso_kernels.processes.pending import MADE
from picasso_kernels.paint.compose import compose
from picasso_kernels.frame.transform import transform_frame
from picasso_kernels.paint.painter import paint_planes

if "warm" in sys.argv:
    prepare(transform_frame, paint_planes, compose)
draw = ObjectDrawSpec()
white = ColorDraw(255, 255, 255)
draw.insert("detector", "car", ObjectDraw(BoundingBoxDraw(ColorDraw(255, 64, 64)), label=LabelDraw(white), blur=True))
spec = SourceSpec(codec=CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.RAW_NV12, 160, 96)), draw=draw)
pixels = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
pictures, errors = [], []
callbacks = Callbacks(
    on_encoded_frame=lambda out: out.is_video_frame and pictures.append(out.as_video_frame().content.get_data()),
    on_error=lambda *what: errors.append(what),
)
with PicassoEngine(GeneralSpec(), callbacks) as engine:
    for number in range(50):
        engine.set_source_spec(f"{number}", spec)
        frame = VideoFrame(f"{number}", "30/1", 120, 90, time_base=(1, 30), pts=0)
        frame.add_detections("detector", np.array([[20.0, 30, 90, 70]]), ["car"], confidences=[0.9])
        engine.send_frame(f"{number}", frame, pixels)
assert not errors, errors
print(len(pictures), *{hashlib.sha256(picture).hexdigest() for picture in pictures})
print(*sorted(made.kernel for made in MADE if made.how != "loaded"))
"""


@pytest.mark.slow
def test_fifty_sources_start_with_one_compile_of_two_kernels(tmp_path: Path) -> None:
    ours = Path(picasso_kernels.__file__).parent
    shutil.copytree(ours, tmp_path / ours.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    env = os.environ | {"PICASSO_KERNELS": "jit"}
    cold_env = env | {"PYTHONPATH": str(tmp_path), "PICASSO_CACHE_DIR": str(tmp_path / "cache")}
    cold = subprocess.run([sys.executable, "-c", RUN], env=cold_env, capture_output=True, text=True, check=True)
    warm = subprocess.run([sys.executable, "-c", RUN, "warm"], env=env, capture_output=True, text=True, check=True)
    count, *digests = cold.stdout.splitlines()[0].split()
    assert (count, len(digests)) == ("50", 1)
    assert cold.stdout.splitlines()[0] == warm.stdout.splitlines()[0]  # composed by machine code or the interpreter
    assert {"paint_planes", "transform_frame"} <= set(cold.stdout.splitlines()[1].split())
    assert cold.stderr.count("compiling") == 1
    assert "compiling transform_frame and paint_planes for this processor, because none are kept in" in cold.stderr
