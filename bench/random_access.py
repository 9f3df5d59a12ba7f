"""Frames at random times of a file: ``VideoReader.at`` beside the shortest script with PyAV that gives the same frames.

python bench/random_access.py --pairs 20

Processor time of one process, pairs whose order changes; 720p H.264 with B-frames, a keyframe every 60 frames, both
with one thread. The target is 1.1.

``--torchcodec`` compares with ``torchcodec.decoders.VideoDecoder.get_frame_played_at`` instead, where it is installed;
both give RGB then, as torchcodec gives nothing else.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av

from picasso.media import VideoReader
from picasso.media.pictures import PixelFormat

SECONDS = 20
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "60"]
FRAMES = 24
"""Frames of a round."""


def clip(folder: Path) -> Path:
    """Make the file."""
    path = folder / "clip.mp4"
    made = f"ffmpeg -loglevel error -y -f lavfi -i testsrc2=size=1280x720:rate=30 -t {SECONDS} -pix_fmt yuv420p"
    subprocess.run([*made.split(), *X264, str(path)], check=True)
    return path


def by_reader(path: Path, form: PixelFormat) -> tuple[Callable[[float], int], Callable[[], None]]:
    """Return what gives the time of the frame shown at a time, nanoseconds, and what closes it."""
    reader = VideoReader(path, pixel_format=form)
    return lambda time_s: reader.at(time_s)[0].pts, reader.close


def by_pyav(path: Path) -> tuple[Callable[[float], int], Callable[[], None]]:
    """Return the same: seek back to the keyframe, decode on until the next frame would be too late."""
    container = av.open(str(path))
    stream = container.streams.video[0]
    stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
    base = stream.time_base or 1

    def at(time_s: float) -> int:
        container.seek(int(time_s / base), stream=stream, backward=True)
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.duration is not None
            if (frame.pts + frame.duration) * base > time_s:
                return round(frame.pts * base * 1_000_000_000)
        raise LookupError(time_s)

    return at, container.close


def by_torchcodec(path: Path) -> tuple[Callable[[float], int], Callable[[], None]]:
    """Return the same by torchcodec."""
    import torch
    from torchcodec.decoders import VideoDecoder

    torch.set_num_threads(1)
    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, seek_mode="exact")
    return lambda time_s: round(decoder.get_frame_played_at(time_s).pts_seconds * 1_000_000_000), lambda: None


def cost(at: Callable[[float], int], times_s: list[float]) -> tuple[float, list[int]]:
    """Return the processor time of all, seconds, and the times of the frames."""
    start_s = time.process_time()
    found = [at(time_s) for time_s in times_s]
    return time.process_time() - start_s, found


def main() -> None:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--torchcodec", action="store_true", help="compare with torchcodec instead of PyAV")
    chosen = parser.parse_args()
    pairs, peer = chosen.pairs, "torchcodec" if chosen.torchcodec else "PyAV"
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        path = clip(Path(name))
        ours, close_ours = by_reader(path, "rgb" if chosen.torchcodec else "native")
        theirs, close_theirs = by_torchcodec(path) if chosen.torchcodec else by_pyav(path)
        start_s = time.process_time()
        ours(1.0)
        first_ms = (time.process_time() - start_s) * 1e3
        theirs(1.0)
        ratios, mine_ms, pyav_ms = [], [], []
        for number in range(pairs):
            times_s = [chance.uniform(0, SECONDS - 0.1) for _ in range(FRAMES)]
            costs = {}
            for way in (ours, theirs) if number % 2 else (theirs, ours):
                costs[way] = cost(way, times_s)
            near = [abs(one - other) <= 1 for one, other in zip(costs[ours][1], costs[theirs][1], strict=True)]
            assert all(near), "not the same frames"
            ratios.append(costs[ours][0] / costs[theirs][0])
            mine_ms.append(costs[ours][0] / FRAMES * 1e3)
            pyav_ms.append(costs[theirs][0] / FRAMES * 1e3)
        close_ours()
        close_theirs()
    low, median, high = statistics.quantiles(ratios, n=4)
    ours_ms, theirs_ms = statistics.median(mine_ms), statistics.median(pyav_ms)
    verdict = "within" if median <= 1.1 else "ABOVE"
    print(f"load {os.getloadavg()[0]:.1f}; reader.at {ours_ms:.1f} ms a frame, {peer} {theirs_ms:.1f}")
    print(f"the first call, which makes the index: {first_ms:.0f} ms")
    print(f"reader.at / {peer}: {median:.3f} (quartiles {low:.3f} to {high:.3f}, {pairs} pairs) {verdict} 1.1")


if __name__ == "__main__":
    main()
