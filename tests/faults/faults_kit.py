"""What the tests of faults share: small frames, books over them, and scripts in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from typing import Any

import numpy as np

from picasso.draw import BoundingBoxDraw, ObjectDraw, ObjectDrawSpec
from picasso.encode import Codec, EncoderConfig
from picasso.engine import CodecSpec, ErrorStage, PicassoEngine, SourceSpec
from picasso.primitives import RBBox, VideoFrame
from picasso.testing import RecordingCallbacks
from picasso.transform import TransformConfig

WIDTH, HEIGHT = 64, 48
STEP_NS = 1_000_000
CALLBACKS = [stage.value for stage in ErrorStage if stage.value.startswith("on_")]


def make_frame(number: int = 0, source_id: str = "a") -> VideoFrame:
    frame = VideoFrame(source_id, "30/1", WIDTH, HEIGHT, time_base=(1, 1_000_000_000), pts=number * STEP_NS)
    frame.create_object("detector", "car", detection_box=RBBox(30, 20, 10, 8))
    return frame


def make_pixels(width: int = WIDTH, height: int = HEIGHT) -> Any:
    return np.full((height, width, 4), 200, np.uint8)


def send(engine: PicassoEngine, number: int = 0, source_id: str = "a", **keywords: Any) -> VideoFrame:
    frame = make_frame(number, source_id)
    engine.send_frame(source_id, frame, make_pixels(), **keywords)
    return frame


def encode_spec(width: int = 32, height: int = 32, codec: Codec = Codec.RAW_RGBA, **spec: Any) -> SourceSpec:
    return SourceSpec(codec=CodecSpec.encode(TransformConfig(), EncoderConfig(codec, width, height)), **spec)


def drawn_spec(**spec: Any) -> SourceSpec:
    draw = ObjectDrawSpec()
    draw.insert("detector", "car", ObjectDraw(bounding_box=BoundingBoxDraw()))
    return encode_spec(use_on_render=True, use_on_gpumat=True, draw=draw, **spec)


def bypass_spec(**spec: Any) -> SourceSpec:
    return SourceSpec(codec=CodecSpec.bypass(), **spec)


def assert_accounted(recorder: RecordingCallbacks, sent: list[VideoFrame]) -> None:
    """Every frame that was sent was delivered or reported as lost, exactly once."""
    delivered = [output.as_video_frame() for output in recorder.outputs() if not output.is_eos]
    reports = [call.arguments for call in recorder.calls("on_error")]
    lost = [frame for _, stage, _, frame in reports if frame is not None and stage not in CALLBACKS]
    assert sorted(map(id, delivered + lost)) == sorted(map(id, sent))


def join_engine_threads() -> None:
    """Wait until no thread of an engine is left."""
    for thread in threading.enumerate():
        if thread.name.startswith("picasso-"):
            thread.join(20)
            assert not thread.is_alive(), thread.name


class Gate:
    """Something to wait in: a callback or an encoder blocks in ``wait`` until ``open``."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._opened = threading.Event()

    def wait(self, *_: object) -> None:
        self.entered.set()
        assert self._opened.wait(60)

    def open(self) -> None:
        self._opened.set()


PRELUDE = """
import faulthandler, gc, os, signal, sys, threading
faulthandler.register(signal.SIGALRM, chain=True)  # all stacks, then the end; no thread, for the sake of forks
signal.alarm(50)
sys.path.insert(0, {here!r})
from faults_kit import *
from picasso.engine import *
from picasso.testing import *
"""


def run_script(text: str, *, returncode: int = 0) -> list[str]:
    """Run a script in a process of its own, dead after 50 s, and return the lines that it printed.

    It must end with ``returncode`` and print nothing to standard error.
    """
    script = PRELUDE.format(here=str(__file__).rpartition("/")[0]) + textwrap.dedent(text)
    command = [sys.executable, "-X", "faulthandler", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    # pytest rewrites no asserts here, so this one says itself what it saw.
    assert (done.returncode, done.stderr) == (returncode, ""), f"exit {done.returncode}, after:\n{done.stderr}"
    return done.stdout.split()
