"""Other libraries on the same pictures: CV-CUDA, torch and DALI, each where it is installed.

Each does what it has for the work, into memory that it was given or has made before where it can be told to. What a
library lacks is left out of its work, to its advantage, and said in ``REMARKS``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from clock import REPEATS, Stopwatch, Work
from workloads import DETECTOR, FRAMES, Pictures, Workload

from picasso.transform import Interpolation

REMARKS = {
    "CV-CUDA": "resize, copymakeborder, cvtcolor where a picture needs them; planes by resize_crop_convert_reformat",
    "torch": "interpolate and pad of float16 that was there before, no NV12; planes by the quicker of two orders",
    "DALI": "resize alone, no bars, no NV12; planes by resize and crop_mirror_normalize",
}


class CvCuda:
    """Operators on tensors ``(N, H, W, C)``, one launch each."""

    name = "CV-CUDA"

    def __init__(self, watch: Stopwatch) -> None:
        import cvcuda
        import torch

        self.library, self.torch = cvcuda, torch
        self.version: str = cvcuda.__version__
        self.stream = cvcuda.as_stream(watch.stream.address)
        self._watch = watch

    def _empty(self, *shape: int, dtype: str = "uint8", layout: str = "NHWC") -> Any:
        memory = self.torch.empty(shape, dtype=getattr(self.torch, dtype), device="cuda")
        return self.library.as_tensor(memory, layout)

    def steps(self, workload: Workload, source: Any, target: str, frames: int) -> Work | None:
        """Return what makes all targets of ``source``; None where nothing is to be done."""
        library, stream, placement = self.library, self.stream, workload.placement
        (width, height), (left, top, inner_width, inner_height) = placement.target_wh, placement.inner_ltwh
        filters = {Interpolation.BILINEAR: library.Interp.LINEAR, Interpolation.AREA: library.Interp.AREA}
        how = filters[workload.interpolation]
        calls: list[Work] = []
        last = source
        if (inner_width, inner_height) != placement.source_wh:
            small, from_ = self._empty(frames, inner_height, inner_width, 4), last
            calls.append(lambda: library.resize_into(small, from_, how, stream=stream))
            last = small
        if (inner_width, inner_height) != (width, height):
            whole, inner = self._empty(frames, height, width, 4), last
            kind, black = library.Border.CONSTANT, [0.0, 0.0, 0.0, 255.0]
            calls.append(
                lambda: library.copymakeborder_into(whole, inner, kind, black, top=top, left=left, stream=stream)
            )
            last = whole
        if target == "NV12":
            planes, rgba = self._empty(frames, height * 3 // 2, width, 1), last
            code = library.ColorConversion.RGBA2YUV_NV12
            calls.append(lambda: library.cvtcolor_into(planes, rgba, code, stream=stream))
        return (lambda: [call() for call in calls]) if calls else None

    def picture_us(self, workload: Workload, pictures: Pictures, target: str) -> float | None:
        """Return the time a frame of all of ``pictures``."""
        work = self.steps(workload, self.library.as_tensor(pictures, "NHWC"), target, FRAMES)
        return self._watch.gpu_us(work) / FRAMES if work else None

    def launch_us(self, workload: Workload, pictures: Pictures) -> float:
        """Return the host's time to make NV12 of one frame."""
        one = self.torch.as_tensor(pictures, device="cuda")[:1]
        work = self.steps(workload, self.library.as_tensor(one, "NHWC"), "NV12", 1)
        assert work
        return self._watch.host_us(work)

    def planes_us(self, pictures: Pictures, dtype: str) -> float:
        """Return the time a frame of the fused operator, 3 bytes a pixel to planes."""
        library, (width, height) = self.library, DETECTOR.placement.target_wh
        source = library.as_tensor(pictures, "NHWC")
        target = self._empty(FRAMES, 3, height, width, dtype=dtype, layout="NCHW")
        size, linear, first = (width, height), library.Interp.LINEAR, (0, 0)

        def fused() -> None:
            library.resize_crop_convert_reformat_into(
                target, source, size, linear, first, scale=1 / 255, stream=self.stream
            )

        return self._watch.gpu_us(fused) / FRAMES


class Torch:
    """``torch.nn.functional`` on tensors ``(N, C, H, W)`` whose memory is channels last, on the stopwatch's stream."""

    name = "torch"

    def __init__(self, watch: Stopwatch) -> None:
        import torch

        self.torch, self.version, self._watch = torch, torch.__version__, watch
        self.stream = torch.cuda.ExternalStream(watch.stream.address)

    def _tensor(self, pictures: Pictures) -> Any:
        return self.torch.as_tensor(pictures, device="cuda").permute(0, 3, 1, 2)

    def _us(self, work: Work) -> float:
        with self.torch.cuda.stream(self.stream), self.torch.inference_mode():
            return self._watch.gpu_us(work) / FRAMES

    def picture_us(self, workload: Workload, pictures: Pictures, target: str) -> float | None:
        """Return the time a frame to resize and pad; None for what has nothing of both, or NV12."""
        placement = workload.placement
        (width, height), (left, top, inner_width, inner_height) = placement.target_wh, placement.inner_ltwh
        if target == "NV12" or (inner_width, inner_height) == placement.source_wh:
            return None
        source, functional = self._tensor(pictures).half(), self.torch.nn.functional
        area = workload.interpolation is Interpolation.AREA
        bars = (left, width - left - inner_width, top, height - top - inner_height)

        def work() -> Any:
            made = functional.interpolate(
                source, size=(inner_height, inner_width), mode="bilinear", antialias=area, align_corners=False
            )
            return functional.pad(made, bars) if any(bars) else made

        return self._us(work)

    def planes_us(self, pictures: Pictures, dtype: str) -> float:
        """Return the time a frame of the quicker of: planes then resize, resize then planes."""
        source, torch = self._tensor(pictures), self.torch
        number = getattr(torch, dtype)
        width, height = DETECTOR.placement.target_wh

        def resize(tensor: Any) -> Any:
            return torch.nn.functional.interpolate(tensor, size=(height, width), mode="bilinear", align_corners=False)

        contiguous = torch.contiguous_format
        orders: list[Work] = [
            lambda: resize(source.to(number, memory_format=contiguous)).mul_(1 / 255),
            lambda: resize(source.to(number)).mul_(1 / 255).contiguous(),
        ]
        return min(self._us(order) for order in orders)


class Dali:
    """Pipelines that read the same memory; 20 batches in a row by the clock, as their streams are their own."""

    name = "DALI"

    def __init__(self, watch: Stopwatch) -> None:
        import nvidia.dali
        import torch

        self.version: str = nvidia.dali.__version__
        self.torch, self._watch = torch, watch

    def _us(self, pictures: Pictures, graph: Callable[[Any], Any]) -> float:
        from nvidia.dali import fn, pipeline_def

        batch = list(self.torch.as_tensor(pictures, device="cuda"))

        @pipeline_def(batch_size=FRAMES, num_threads=2, device_id=0, prefetch_queue_depth=2)
        def pipeline() -> Any:
            source = fn.external_source(source=lambda: batch, device="gpu", layout="HWC", batch=True, no_copy=True)
            return graph(source)

        made = pipeline()
        made.build()
        times = []
        for _ in range(4):
            for _ in range(3):
                made.run()
            self.torch.cuda.synchronize()
            started = time.perf_counter()
            for _ in range(REPEATS):
                made.run()
            self.torch.cuda.synchronize()
            times.append((time.perf_counter() - started) / REPEATS / FRAMES * 1e6)
        return statistics.median(times)

    def picture_us(self, workload: Workload, pictures: Pictures, target: str) -> float | None:
        """Return the time a frame to resize; None for NV12, and where nothing is resized."""
        from nvidia.dali import fn, types

        _, _, width, height = workload.placement.inner_ltwh
        if target == "NV12" or (width, height) == workload.placement.source_wh:
            return None
        area = workload.interpolation is Interpolation.AREA
        linear = types.INTERP_LINEAR
        return self._us(
            pictures, lambda source: fn.resize(source, size=(height, width), interp_type=linear, antialias=area)
        )

    def planes_us(self, pictures: Pictures, dtype: str) -> float:
        """Return the time a frame to resize, scale and turn to planes."""
        from nvidia.dali import fn, types

        width, height = DETECTOR.placement.target_wh
        numbers = {"float16": types.FLOAT16, "float32": types.FLOAT}
        how = {"dtype": numbers[dtype], "output_layout": "CHW", "mean": [0.0] * 3, "std": [255.0] * 3}

        def graph(source: Any) -> Any:
            small = fn.resize(source, size=(height, width), interp_type=types.INTERP_LINEAR, antialias=False)
            return fn.crop_mirror_normalize(small, **how)

        return self._us(pictures, graph)


def find_peers(watch: Stopwatch) -> list[Any]:
    """Return the libraries that are there; say which are not."""
    found: list[Any] = []
    for kind in (CvCuda, Torch, Dali):
        try:
            found.append(kind(watch))
        except ImportError as error:
            print(f"{kind.name} is not compared: {error}")
    return found


def attempt(peer: Any, call: Callable[[], float | None]) -> float | None:
    """Return what ``call`` measures, or None and a line where the library refuses the work."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # each library has its own
        print(f"{peer.name} {peer.version} refuses: {str(error).splitlines()[0]}")
        return None
