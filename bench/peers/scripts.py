"""Peers that run in the process of the bench: scripts as people write them, and the floor.

Each is made for one source, and then called with the number of the frame; it returns the bytes of its packets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from workloads import COLORS, FRAME_RATE, MOMENTS, PAD, WORKLOADS, Bytes, Moment, Workload, frames, moments, open_x264

Step = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured."""

    peer: str
    workload: str = "W1"
    preset: str = "ultrafast"
    boxes: int = 20
    sources: int = 1
    seconds: float = 2.0
    spin: int = 0
    """Threads of pure Python that are busy beside the sources."""
    switch_s: float = 0.005
    """The interpreter's switch interval."""
    computing: int = 0
    """Sources of picasso that may compute at once; 0 leaves it to the engine."""
    threads: int = 1
    """Threads of each encoder, 0 for as many as libx264 likes; scripts only, picasso's have one."""


@dataclass(frozen=True, slots=True)
class Material:
    """The input, shared by all sources."""

    workload: Workload
    frames: list[Bytes]
    moments: list[Moment]

    @property
    def mib(self) -> float:
        """Memory that the input itself takes."""
        return sum({frame.ctypes.data: frame.nbytes for frame in self.frames}.values()) / (1 << 20)

    def at(self, number: int) -> tuple[Bytes, Moment]:
        return self.frames[number % len(self.frames)], self.moments[number % MOMENTS]


def material(case: Case) -> Material:
    workload = WORKLOADS[case.workload]
    return Material(workload, frames(case.workload), moments(workload, case.boxes))


class _Encoder:
    """libx264 by PyAV; takes frames of yuv420p."""

    def __init__(self, case: Case) -> None:
        self._context = open_x264(WORKLOADS[case.workload].target_wh, case.preset, case.threads)
        self._count = 0

    def __call__(self, frame: Any) -> int:
        frame.pts = self._count
        self._count += 1
        return sum(len(bytes(packet)) for packet in self._context.encode(frame))


def _draw(picture: Bytes, workload: Any, moment: Moment) -> None:
    import cv2

    boxes = workload.place(moment.corners).astype(int).tolist()
    for (left, top, right, bottom), text, number in zip(boxes, moment.labels, moment.classes, strict=True):
        color = (*COLORS[number], 255)
        cv2.rectangle(picture, (left, top), (right, bottom), color, 2)
        (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
        cv2.rectangle(picture, (left, top - height - below - 2), (left + width + 2, top), color, -1)
        cv2.putText(picture, text, (left + 1, top - below), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0, 255), 1)


def opencv_plain(case: Case, source: Material) -> Step:
    """OpenCV and PyAV as most people write it: every step returns a new array."""
    import av
    import cv2
    from av.video.reformatter import VideoReformatter

    workload, encode, reformatter = WORKLOADS[case.workload], _Encoder(case), VideoReformatter()
    (wide, high), (left, top, inner_wide, inner_high) = workload.target_wh, workload.inner_ltwh
    bars = (top, high - inner_high - top, left, wide - inner_wide - left)

    def step(number: int) -> int:
        frame, moment = source.at(number)
        small = cv2.resize(frame, (inner_wide, inner_high), interpolation=cv2.INTER_LINEAR)
        canvas = cv2.copyMakeBorder(small, *bars, cv2.BORDER_CONSTANT, value=(PAD, PAD, PAD, 255))
        _draw(canvas, workload, moment)
        rgba = av.VideoFrame.from_ndarray(canvas, format="rgba")
        return encode(reformatter.reformat(rgba, format="yuv420p", threads=1))

    return step


def _tuned_pixels(case: Case, source: Material) -> Callable[[int], Bytes]:
    import cv2

    workload = WORKLOADS[case.workload]
    (wide, high), (left, top, inner_wide, inner_high) = workload.target_wh, workload.inner_ltwh
    canvas = np.full((high, wide, 4), (PAD, PAD, PAD, 255), np.uint8)
    inside = canvas[top : top + inner_high, left : left + inner_wide]
    planes = np.empty((high * 3 // 2, wide), np.uint8)

    def pixels(number: int) -> Bytes:
        frame, moment = source.at(number)
        if frame.shape == inside.shape:
            np.copyto(inside, frame)
        else:
            cv2.resize(frame, (inner_wide, inner_high), dst=inside, interpolation=cv2.INTER_LINEAR)
            canvas[:top] = canvas[top + inner_high :] = PAD  # labels may have left the picture
            canvas[:, :left] = canvas[:, left + inner_wide :] = PAD
        _draw(canvas, workload, moment)
        cv2.cvtColor(canvas, cv2.COLOR_RGBA2YUV_I420, dst=planes)
        return planes

    return pixels


def opencv_tuned(case: Case, source: Material) -> Step:
    """The strongest loop of OpenCV and PyAV: nothing is allocated, nothing copied without need."""
    import av

    encode, pixels = _Encoder(case), _tuned_pixels(case, source)
    return lambda number: encode(av.VideoFrame.from_numpy_buffer(pixels(number), format="yuv420p"))


def encode_only(case: Case, source: Material) -> Step:
    """The floor: the very pictures that the others encode, ready-made."""
    import av

    encode, pixels = _Encoder(case), _tuned_pixels(case, source)
    ready = [av.VideoFrame.from_ndarray(pixels(number), format="yuv420p") for number in range(MOMENTS)]
    return lambda number: encode(ready[number % MOMENTS])


def supervision(case: Case, source: Material) -> Step:
    """supervision's letterbox and annotators, as documented, and PyAV."""
    import av
    import cv2
    import supervision as sv
    from av.video.reformatter import VideoReformatter

    workload, encode, reformatter = WORKLOADS[case.workload], _Encoder(case), VideoReformatter()
    boxes, labels = sv.BoxAnnotator(), sv.LabelAnnotator()

    def step(number: int) -> int:
        frame, moment = source.at(number)
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGBA2BGR)
        canvas = sv.letterbox_image(bgr, workload.target_wh, color=sv.Color(PAD, PAD, PAD))
        corners, classes = workload.place(moment.corners), np.array(moment.classes)
        found = sv.Detections(xyxy=corners, class_id=classes, confidence=moment.confidences)
        canvas = labels.annotate(boxes.annotate(canvas, found), found, labels=moment.labels)
        picture = av.VideoFrame.from_ndarray(canvas, format="bgr24")
        return encode(reformatter.reformat(picture, format="yuv420p", threads=1))

    return step


def filter_graph(case: Case, source: Material) -> Step:
    """libavfilter in the process: scale, pad and drawbox; boxes stand still and have no labels."""
    import av
    import av.filter

    workload, encode = WORKLOADS[case.workload], _Encoder(case)
    graph = av.filter.Graph()
    graph.threads = 1
    wide, high = workload.source_wh
    rgba = av.VideoFormat("rgba", wide, high)
    last = graph.add_buffer(width=wide, height=high, format=rgba, time_base=Fraction(1, FRAME_RATE))
    for name, arguments in [*filter_chain(workload, source.moments[0]), ("buffersink", None)]:
        filter_ = graph.add(name, arguments)
        last.link_to(filter_)
        last = filter_
    graph.configure()

    def step(number: int) -> int:
        frame = av.VideoFrame.from_numpy_buffer(source.at(number)[0], format="rgba")
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        graph.vpush(frame)
        return encode(graph.vpull())

    return step


def filter_chain(workload: Any, moment: Moment) -> list[tuple[str, str]]:
    """Return filters and their arguments, in the syntax of FFmpeg."""
    left, top, wide, high = workload.inner_ltwh
    chain = [("scale", f"{wide}:{high}:flags=bilinear"), ("format", "yuv420p")]
    if (wide, high) != workload.target_wh:
        chain.append(("pad", "{}:{}:{}:{}:color=0x727272".format(*workload.target_wh, left, top)))
    for corners, number in zip(workload.place(moment.corners).astype(int).tolist(), moment.classes, strict=True):
        x, y, right, bottom = corners
        chain.append(("drawbox", f"{x}:{y}:{right - x}:{bottom - y}:color=0x{bytes(COLORS[number]).hex()}:t=2"))
    return chain


SCRIPTS: dict[str, Callable[[Case, Material], Step]] = {
    script.__name__: script for script in (encode_only, opencv_tuned, opencv_plain, supervision, filter_graph)
}
