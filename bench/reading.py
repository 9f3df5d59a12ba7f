"""What a frame takes of the interpreter before an engine has it, and when its boxes are read: readers, frames, boxes.

    python bench/reading.py                              instructions of bytecode by function
    python bench/reading.py --against ../before          another checkout, in turns with this one, with times
    python bench/reading.py --json                       the sums alone

``sys.settrace`` counts, so sums have no noise. NVDEC is a double that lends numbers as addresses, so no GPU is needed;
RGBA goes over a driver whose calls return at once (``gpu/hollow.c``, made by ``cc``), and needs ``cuda.bindings``.
Times are microseconds of the processor, a frame, medians; decoding on the CPU is in them, of pictures of 64x48.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import av
import numpy as np

from picasso.media import VideoReader, nvdec_frames, reader
from picasso.media.nvdec import NvdecSource
from picasso.media.nvdec_frames import HeldFrames, StreamPicture
from picasso.primitives import BBox, Detections, VideoFrame
from picasso.surface import DevicePlane, SurfaceView, VideoFormat

ROOT = Path(__file__).parents[1]
SIZE_WH, BOXES = (64, 48), 20
WARM, COUNTED, TIMED = 96, 96, 400
"""Frames before anything is looked at, frames that are counted, and frames of a time; multiples of a keyframe's 48."""
GROUP = 48
_copy_on_device = nvdec_frames.copy_on_device
HELD = 4
"""Frames that are in use at once."""

CORNERS = np.array([(10 * n, 5 * n, 10 * n + 60, 5 * n + 40) for n in range(BOXES)], np.float32)
LABELS = ["car", "bus", "person", "bicycle"] * (BOXES // 4)
CONFIDENCES = np.linspace(0.5, 0.9, BOXES, dtype=np.float32)


class Case(NamedTuple):
    """Work that is done frame by frame."""

    prepare: Callable[[int], Sequence[Any]]
    """Makes what a number of frames are made of; neither counted nor timed."""
    work: Callable[[Any], object]


class Packet(NamedTuple):
    """What PyNvVideoCodec says of a packet."""

    pts: int
    dts: int
    duration: int
    key: bool
    bsl: int


class Demuxer:
    """A stream without an end: two pictures of each three are shown before one that was decoded earlier."""

    def GetTimebaseNum(self) -> int:  # noqa: N802  # the library's name
        return 1

    def GetTimebaseDen(self) -> int:  # noqa: N802  # the library's name
        return 12_800

    def __iter__(self) -> Iterator[Packet]:
        for number in range(100_000):
            group, place = divmod(number, GROUP)
            shown = place if place == 0 else 3 * ((place - 1) // 3) + (3, 1, 2)[(place - 1) % 3]
            shown = min(shown, GROUP - 1) if place < GROUP - 2 else place
            yield Packet(512 * (group * GROUP + shown), 512 * (number - 2), 512, place == 0, 1000)


class LendingDecoder:
    """Gives a frame a packet, two packets late, in the order in which they are shown."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._free = list(range(0x10_0000, 0x1000_0000, 0x10_0000))

    def GetNumDecodedFrame(self, packet: Packet) -> int:  # noqa: N802  # the library's name
        self._times = sorted([*self._times, packet.pts])
        return int(len(self._times) > 2)

    def GetLockedFrame(self) -> int:  # noqa: N802  # the library's name
        self._times.pop(0)
        return self._free.pop()

    def UnlockFrame(self, address: int) -> None:  # noqa: N802  # the library's name
        self._free.append(address)

    def GetFrame(self) -> Any:  # noqa: N802  # the library's name
        pts, (width, height) = self._times.pop(0), SIZE_WH
        shapes = (height, width, 1), (height // 2, width // 2, 2)
        planes = [
            SimpleNamespace(
                __cuda_array_interface__={"shape": shape, "strides": (256, shape[2], 1), "data": (start, 0)}
            )
            for shape, start in zip(shapes, (0x1000, 0x9000), strict=True)
        ]
        return SimpleNamespace(getPTS=lambda: pts, cuda=lambda: planes)


class IdleStream:
    """A stream whose work is always done."""

    address = 7
    device = SimpleNamespace(index=0, wait_for=lambda _stream: None)


def clip(folder: Path) -> Path:
    """Write pictures of two keyframes a hundred."""
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": str(GROUP)})
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        for number in range(3 * GROUP):
            array = np.full((SIZE_WH[1] * 3 // 2, SIZE_WH[0]), number % 200, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array, "yuv420p")))
        container.mux(stream.encode(None))
    return path


def read(used: VideoReader) -> Case:
    """Read on; a few frames are held."""
    held: deque[object] = deque(maxlen=HELD)
    frames = iter(used.frames())
    return Case(range, lambda _: held.append(next(frames)))


def read_on_gpu(path: Path, *, rgba: bool) -> Case:
    """Read by the double of NVDEC."""

    def opened(place: Any, info: Any, _gpu_id: int, *, rgba: bool) -> NvdecSource:
        stream: Any = IdleStream()
        if rgba:
            from picasso.surface.cuda_memory import new_stream

            stream = new_stream(0)
        picture = StreamPicture(SIZE_WH, info.color, stream)
        frames = (nvdec_frames.RgbaFrames if rgba else HeldFrames)(LendingDecoder(), picture)
        return NvdecSource(place.for_ffmpeg, replace(info, start_ns=0), Demuxer(), frames)

    def view(decoded: SurfaceView, _stream: object) -> SurfaceView:
        planes = [DevicePlane(p.ptr, p.shape, p.strides, False, None, None) for p in decoded.device_planes]
        return SurfaceView(tuple(planes), VideoFormat.NV12, SIZE_WH, decoded.color)

    reader.open_nvdec = opened
    if rgba:
        from picasso_kernels.cuda import cubin

        cubin.load_cubin = lambda *_, **__: b"nothing"
    nvdec_frames.copy_on_device = _copy_on_device if rgba else view
    used = VideoReader(path, device="cuda", pixel_format="rgba" if rgba else "native")
    assert used.device == "cuda"
    return read(used)


def new_frame(number: int = 0) -> VideoFrame:
    """Make a frame as one does who has no reader."""
    return VideoFrame("camera", "25/1", 1920, 1080, codec="h264", keyframe=False, time_base=(1, 10**9), pts=number)


def with_boxes() -> VideoFrame:
    frame = new_frame()
    frame.add_detections("detector", CORNERS, LABELS, confidences=CONFIDENCES)
    return frame


def new_frames(number: int) -> list[VideoFrame]:
    return [new_frame() for _ in range(number)]


def labelled_frames(number: int) -> list[VideoFrame]:
    return [with_boxes() for _ in range(number)]


def create_objects(frame: VideoFrame) -> None:
    for corners, label in zip(CORNERS.tolist(), LABELS, strict=True):
        frame.create_object("detector", label, confidence=0.5, detection_box=BBox.ltrb(*corners))


def walk(frame: VideoFrame) -> list[object]:
    return [(one.label, one.confidence, one.track_id, *one.detection_box.as_ltrb()) for one in frame.get_all_objects()]


def case(name: str, folder: Path) -> Case:
    """Return what a name stands for."""
    if name.startswith("VideoReader"):
        path = clip(folder)
        if "cuda" in name:
            return read_on_gpu(path, rgba="RGBA" in name)
        return read(VideoReader(path, loops=None))
    found = Detections.of(CORNERS, LABELS, confidences=CONFIDENCES)
    return {
        "VideoFrame": Case(range, new_frame),
        "add_detections": Case(
            new_frames, lambda f: f.add_detections("detector", CORNERS, LABELS, confidences=CONFIDENCES)
        ),
        "add_detections of Detections": Case(new_frames, lambda f: f.add_detections("detector", found)),
        "create_object": Case(new_frames, create_objects),
        "get_detections": Case(labelled_frames, lambda f: f.get_detections()),
        "get_all_objects": Case(labelled_frames, walk),
    }[name]


NAMES = (
    "VideoReader, cuda, NV12", "VideoReader, cuda, RGBA", "VideoReader, cpu",
    "VideoFrame", "add_detections", "add_detections of Detections", "create_object",
    "get_detections", "get_all_objects",
)  # fmt: skip
"""What there is to count; of boxes there are 20."""


def counted(one: Case) -> Counter[str]:
    """Return the instructions that the counted frames take, by function."""
    for item in one.prepare(WARM):
        one.work(item)
    found: Counter[str] = Counter()

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename == __file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        name = f"{'/'.join(Path(code.co_filename).parts[-2:])}: {code.co_qualname}"

        def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
            found[name] += event == "opcode"
            return trace

        return trace

    items, before = one.prepare(COUNTED), sys.gettrace()
    sys.settrace(enter)
    try:
        for item in items:
            one.work(item)
    finally:
        sys.settrace(before)
    return found


def timed(one: Case, rounds: int = 7) -> float:
    """Return microseconds a frame, the median of some rounds."""
    taken = []
    for _ in range(rounds):
        items, work = one.prepare(TIMED), one.work
        started = time.thread_time()
        for item in items:
            work(item)
        taken.append((time.thread_time() - started) / TIMED * 1e6)
    return statistics.median(taken)


def once(names: Sequence[str], *, with_times: bool) -> dict[str, Any]:
    """Count, and time, some cases in this process."""
    found = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            one = case(name, Path(folder))
            found[name] = {"by_function": counted(one), "us": timed(one) if with_times else 0.0}
    return found


def has_cuda() -> bool:
    """Whether RGBA can be counted."""
    return importlib.util.find_spec("cuda") is not None and shutil.which("cc") is not None


def run(checkout: Path, names: Sequence[str], *options: str) -> dict[str, Any]:
    """Return what a process of a checkout finds."""
    paths = map(str, (checkout, checkout / "kernels", os.environ.get("PYTHONPATH", "")))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.TemporaryDirectory() as folder:
        if any("RGBA" in name for name in names):
            source, made = ROOT / "bench" / "gpu" / "hollow.c", f"{folder}/libcuda.so.1"
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", made, str(source), "-ldl"], check=True)
            environment["LD_LIBRARY_PATH"] = folder
        command = [sys.executable, __file__, *names, "--once", *options]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def a_frame(found: dict[str, Any]) -> float:
    """Return how many instructions a frame takes."""
    return float(sum(found["by_function"].values()) / COUNTED)


def compare(checkouts: Sequence[Path], names: Sequence[str], rounds: int, top: int) -> None:
    """Count and time in processes that take turns, and print."""
    runs: list[list[dict[str, Any]]] = [[] for _ in checkouts]
    for number in range(rounds):
        for place in range(len(checkouts))[:: -1 if number % 2 else 1]:
            runs[place].append(run(checkouts[place], names))
    for name in names:
        figures = [
            f"{a_frame(found[0][name]):.0f} instructions, {statistics.median(one[name]['us'] for one in found):.2f} us"
            for found in runs
        ]
        print(f"{name}: {'; before '.join(figures)}")
        for function, number in Counter(runs[0][0][name]["by_function"]).most_common(top):
            print(f"  {number / COUNTED:7.1f}  {function}")


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, help=f"some of: {'; '.join(NAMES)}")
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each checkout, in turns")
    parser.add_argument("--top", type=int, default=12, help="functions to print")
    parser.add_argument("--json", action="store_true", help="print only how many instructions a frame takes")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = [name for name in arguments.names if "RGBA" not in name or has_cuda()]
    if arguments.once:
        print(json.dumps(once(names, with_times=not arguments.json)))
    elif arguments.json:
        print(json.dumps({name: round(a_frame(found)) for name, found in run(ROOT, names, "--json").items()}))
    elif arguments.against:
        compare([ROOT, arguments.against.resolve()], names, arguments.rounds, arguments.top)
    else:
        compare([ROOT], names, 1, arguments.top)


if __name__ == "__main__":
    main()
