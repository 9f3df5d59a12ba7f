"""Kills writers with SIGKILL at random moments and plays what is left.

``python tests/faults/crash_kit.py --trials 200`` prints a line a container and exits with 1 if a frame is missing that
should be there. Each writer is a process of its own, forked from one that has everything loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from picasso.encode import Codec, EncodedUnit, EncoderConfig, open_encoder
from picasso.media import StreamKind, StreamWriter, VideoReader
from picasso.surface import SurfaceView

SIZE_WH = (64, 48)
RATE = 25
FRAME_NS = 1_000_000_000 // RATE
GOP = 20
LOST_AT_MOST = 2 * RATE + 1
"""Frames: those of two seconds, and the one that was on its way."""
LUMAS = 40
CONTAINERS = ("mp4", "mov", "mkv")


@dataclass(frozen=True)
class Trial:
    """What became of one writer."""

    container: str
    written: int
    """Frames whose ``write`` had returned when it was killed, at least."""
    read: int
    """Frames that play, each with its own time and picture."""
    is_closed: bool
    """Whether the file was in its place already."""
    fault: str | None
    """What is wrong, if anything."""


def encode_units() -> list[EncodedUnit]:
    """Two groups of pictures, each picture of its own luma."""
    encoder = open_encoder(EncoderConfig(Codec.H264, *SIZE_WH).fps(RATE, 1))
    picture = SurfaceView.allocate(encoder.input_format, SIZE_WH, encoder.color)
    units: list[EncodedUnit] = []
    for index in range(LUMAS):
        if index % GOP == 0:
            encoder.close()
            encoder = open_encoder(EncoderConfig(Codec.H264, *SIZE_WH).fps(RATE, 1))
        picture.memset(128)
        picture.planes[0][...] = luma_of(index)
        units += encoder.encode(picture, index * FRAME_NS, FRAME_NS)
    encoder.close()
    assert [unit.keyframe for unit in units] == [index % GOP == 0 for index in range(LUMAS)]
    return units


def luma_of(index: int) -> int:
    return 30 + 5 * (index % LUMAS)


def write(path: Path, units: list[EncodedUnit], frames: int, told: int) -> None:
    """Write frames in a child, tell of each by a byte, then close; never returns."""
    try:
        writer = StreamWriter(path, kind=StreamKind(Codec.H264, SIZE_WH, Fraction(RATE)))
        for index in range(frames):
            unit = units[index % LUMAS]
            pts_ns = index * FRAME_NS
            writer.write(EncodedUnit(unit.data, pts_ns, pts_ns, FRAME_NS, unit.keyframe))
            os.write(told, b".")
        writer.close()
        os.write(told, b"!")
        signal.pause()
    finally:
        os._exit(1)


def kill_one(container: str, units: list[EncodedUnit], chance: random.Random) -> Trial:
    """Let a writer begin, kill it somewhere, and read what is there."""
    frames = chance.randint(1, 160)
    kill_at = chance.randint(1, 180)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{container}"
        reads, told = os.pipe()
        child = os.fork()
        if not child:
            write(path, units, frames, told)
        os.close(told)
        count, is_closed = 0, False
        while count < min(kill_at, frames) or (kill_at > frames and not is_closed and chance.random() < 0.7):
            heard = os.read(reads, chance.randint(1, 4))
            count += heard.count(b".")
            is_closed = b"!" in heard
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while heard := os.read(reads, 4096):
            count += heard.count(b".")
            is_closed = is_closed or b"!" in heard
        os.close(reads)
        return look(container, path, path.with_name(f"out.part.{container}"), count, is_closed)


def interrupt_one(container: str, units: list[EncodedUnit], chance: random.Random) -> Trial:
    """Press Ctrl-C somewhere while the main thread writes, then close; all that was written must be there."""
    frames, written = chance.randint(1, 160), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{container}"
        writer = StreamWriter(path, kind=StreamKind(Codec.H264, SIZE_WH, Fraction(RATE)))
        key = threading.Timer(chance.uniform(0, 0.003), os.kill, (os.getpid(), signal.SIGINT))
        try:
            key.start()
            for index in range(frames):
                pts_ns = index * FRAME_NS
                unit = units[index % LUMAS]
                writer.write(EncodedUnit(unit.data, pts_ns, pts_ns, FRAME_NS, unit.keyframe))
                written += 1
            writer.close()
            key.join()
        except KeyboardInterrupt:
            key.join()
        writer.close()
        return look(container, path, path.with_name(f"out.part.{container}"), written, is_closed=written > 0)


def look(container: str, path: Path, part: Path, written: int, is_closed: bool) -> Trial:
    """Decode what is left; every frame must be in its place."""
    left = [one for one in (path, part) if one.exists()]
    read, fault = 0, None
    if len(left) != 1 and (left or written):
        fault = f"{len(left)} files"
    elif left and left[0].stat().st_size:
        try:
            with VideoReader(left[0]) as reader:
                for frame, surface in reader.frames():
                    luma = float(surface.planes[0].mean())
                    if frame.pts != read * FRAME_NS or abs(luma - luma_of(read)) > 2.4:
                        fault = f"frame {read} at {frame.pts} ns has luma {luma}"
                    read += 1
        except OSError as error:
            if written > LOST_AT_MOST or is_closed:
                fault = str(error)
    if fault is None and read < (written if is_closed or path.exists() else written - LOST_AT_MOST):
        fault = "frames are missing"
    return Trial(container, written, read, is_closed, fault)


def main() -> int:
    """Run the trials of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200, help="writers to kill, a container")
    parser.add_argument("--containers", nargs="+", default=CONTAINERS, choices=CONTAINERS)
    parser.add_argument("--interrupt", action="store_true", help="press Ctrl-C instead, then close")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", action="store_true", help="print every trial")
    options = parser.parse_args()
    units = encode_units()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    faults = 0
    for container in options.containers:
        chance = random.Random(f"{seed} {container}")
        end = interrupt_one if options.interrupt else kill_one
        trials = [end(container, units, chance) for _ in range(options.trials)]
        bad = [trial for trial in trials if trial.fault]
        faults += len(bad)
        if options.json:
            print(json.dumps([vars(trial) for trial in trials]))
            continue
        lost = max(trial.written - trial.read for trial in trials)
        closed = sum(trial.is_closed for trial in trials)
        print(f"{container}: {len(trials)} killed, {closed} after close; at most {lost} frames lost; seed {seed}")
        for trial in bad:
            print(f"  {trial}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
