"""Absurd sizes and counts: refused in no time, in a process that has no memory for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import resource, sys
import numpy as np
from picasso.draw import *
from picasso.encode import *
from picasso.engine import *
from picasso.media import *
from picasso.primitives import *
from picasso.surface import *
from picasso.transform import *
BILLION = 10**9
frame = VideoFrame("a", "30/1", 64, 48)
one = np.broadcast_to(np.zeros(4, np.float32), (10**8, 4))
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 200 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
before = resource.getrusage(resource.RUSAGE_SELF)
"""
EPILOGUE = """
after = resource.getrusage(resource.RUSAGE_SELF)
print((after.ru_maxrss - before.ru_maxrss) // 1024, "MiB", after.ru_utime - before.ru_utime < 2)
"""
CALLS = {
    "SurfaceView.allocate(VideoFormat.RGBA, (BILLION, BILLION))": "width and height must be in 1..16384",
    "SurfaceView.allocate(VideoFormat.I420, (-2, 2))": "width and height must be in 1..16384",
    "SurfaceView.wrap(np.broadcast_to(np.zeros(4, np.uint8), (BILLION, BILLION, 4)))": "must be in 1..16384",
    "BufferGenerator(VideoFormat.NV12, BILLION, 2)": "width and height must be in 1..16384",
    "EncoderConfig(Codec.H264, BILLION, 2)": "expected 1..16384",
    "EncoderConfig(Codec.H264, 2, 10**30)": "EncoderConfig.height",
    "VideoFrame('a', '30/1', 10**10, 2)": "width",
    "VideoFrame.from_json(frame.json.replace('\"width\":64', '\"width\":10000000000'))": "width",
    "frame.add_detections('d', one, 'car')": "100000000 boxes: expected at most 1000000",
    "frame.add_detections('d', [[0, 0, 1, 1]], 'car', track_xyxy=one)": "100000000 boxes: expected at most 1000000",
    "Rect(0, 0, 10**12, 5)": "Rect.width",
    "Placement.compute((64, 48), (64, 48), TransformConfig(dst_padding=DstPadding(BILLION, 0, 0, 0)))": "effective",
    "Placement.compute((64, 48), (64, 48), src_rect=Rect(0, 0, BILLION, BILLION))": "",
    "BoundingBoxDraw(thickness=BILLION)": "thickness must be in 0..500",
    "DotDraw(ColorDraw(), BILLION)": "radius must be in 0..100",
    "LabelDraw(ColorDraw(), font_scale=1e9)": "font_scale must be in 0..200",
    "GeneralSpec(inflight_queue_size=-1)": "inflight_queue_size",
    "SourceSpec(idle_timeout_secs=1e300)": "idle_timeout_secs",
    "SourceSpec(idle_timeout_secs=10**400)": "idle_timeout_secs",
    "EvictionDecision.keep_for(1e300)": "keep_for",
}


@pytest.mark.parametrize("call", CALLS)
def test_absurd_sizes_are_refused_before_memory_is_taken(call: str) -> None:
    script = (
        f"{PRELUDE}\ntry:\n    {call}\nexcept Exception as error:\n    print(type(error).__name__, error)\n{EPILOGUE}"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    *refusal, cost = done.stdout.splitlines()
    assert refusal, "it was accepted"
    assert CALLS[call] in refusal[0]
    assert "MemoryError" not in refusal[0]
    assert int(cost.split()[0]) < 20
    assert cost.endswith("True"), "it took long"
