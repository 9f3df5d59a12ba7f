"""CPU time of encoding and writing: our writers beside FFmpeg's plain muxer, in turn, in one run.

``python bench/writing.py`` prints, for each writer, the median over the rounds of its CPU time ÷ that of the plain
muxer in the same round, and the sizes of the files.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from picasso.encode import Codec, EncodedUnit, EncoderConfig, open_encoder
from picasso.media import StreamKind, StreamWriter
from picasso.surface import SurfaceView

RATE: Final = 30
FRAME_NS: Final = 33_333_333


class PlainMuxer:
    """What the writer was before: FFmpeg's muxer, which writes its index at the end."""

    def __init__(self, path: Path, kind: StreamKind) -> None:
        self._container = av.open(str(path), "w")
        width, height = kind.size_wh
        self._stream = self._container.add_mux_stream(
            "h264", rate=kind.frame_rate, width=width, height=height, time_base=Fraction(1, 1_000_000)
        )

    def write(self, unit: EncodedUnit) -> None:
        packet: av.Packet[Any] = av.Packet(unit.data)
        packet.dts = packet.pts = unit.pts_ns // 1000
        packet.time_base, packet.duration = Fraction(1, 1_000_000), FRAME_NS // 1000
        packet.is_keyframe, packet.stream = unit.keyframe, self._stream
        self._container.mux_one(packet)

    def close(self) -> None:
        self._container.close()


def pictures(size_wh: tuple[int, int], count: int) -> Callable[[int], np.ndarray]:
    """Smooth noise that moves by four pixels a frame."""
    width, height = size_wh
    small = np.random.default_rng(1).integers(60, 180, (height // 8 + 1, (width + 4 * count) // 8 + 1), dtype=np.uint8)
    wide = np.repeat(np.repeat(small, 8, 0), 8, 1)
    return lambda index: wide[:height, 4 * index : 4 * index + width]


def cpu_s(make: Callable[[], Any], size_wh: tuple[int, int], count: int) -> float:
    """CPU seconds of the whole process for encoding and writing."""
    picture_of = pictures(size_wh, count)
    encoder = open_encoder(EncoderConfig(Codec.H264, *size_wh).fps(RATE, 1))
    surface = SurfaceView.allocate(encoder.input_format, size_wh, encoder.color)
    surface.memset(128)
    writer = make()
    begin = time.process_time()
    for index in range(count):
        surface.planes[0][...] = picture_of(index)
        for unit in encoder.encode(surface, index * FRAME_NS, FRAME_NS):
            writer.write(unit)
    writer.close()
    spent = time.process_time() - begin
    encoder.close()
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--size", default="1280x720")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    kind = StreamKind(Codec.H264, (width, height), Fraction(RATE))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        makes: dict[str, Callable[[], Any]] = {
            "plain.mp4": lambda: PlainMuxer(folder / "plain.mp4", kind),
            "fragments.mp4": lambda: StreamWriter(folder / "fragments.mp4", kind=kind),
            "fsync.mp4": lambda: StreamWriter(folder / "fsync.mp4", kind=kind, fsync=True),
            "no-fragment.mp4": lambda: StreamWriter(folder / "no-fragment.mp4", kind=kind, fragment=False),
            "clusters.mkv": lambda: StreamWriter(folder / "clusters.mkv", kind=kind),
        }
        cpu_s(makes["plain.mp4"], kind.size_wh, 10)
        spent = [
            {key: cpu_s(make, kind.size_wh, options.frames) for key, make in makes.items()}
            for _ in range(options.rounds)
        ]
        for key in makes:
            ratio = statistics.median(one[key] / one["plain.mp4"] for one in spent)
            print(f"{key:16} CPU x {ratio:.3f}, {(folder / key).stat().st_size} bytes")


if __name__ == "__main__":
    main()
