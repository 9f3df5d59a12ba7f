"""Clips that the benches read: H.264 of moving pictures, made once a folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE_WH = (1280, 720)
TARGET_WH = (640, 360)
FRAMES_A_SECOND = 30
BIT_RATE = 1_000_000
INTERVAL = 30


def clip(folder: Path, seconds: float, size_wh: tuple[int, int] = SOURCE_WH) -> Path:
    """Return a clip of a number of seconds, made with FFmpeg's command line if it is not there."""
    path = folder / f"clip-{size_wh[0]}x{size_wh[1]}-{seconds:g}s.mp4"
    if not path.exists():
        if shutil.which("ffmpeg") is None:
            raise SystemExit("no ffmpeg on the path: the clip cannot be made")
        pattern = f"mandelbrot=size={size_wh[0]}x{size_wh[1]}:rate={FRAMES_A_SECOND}"
        made_by = f"ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i {pattern} -t {seconds}"
        command = f"{made_by} -c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 {path}"
        subprocess.run(command.split(), check=True)
    return path
