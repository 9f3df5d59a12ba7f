"""Clocks: of work on a GPU's stream, of the host that puts it there, of one kernel alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from picasso_kernels.cuda.driver import Device, Event, Stream, check, driver

REPEATS = 20
Work = Callable[[], object]


class Stopwatch:
    """Times work on one stream. A long copy goes before it, so that the host is ahead and the L2 cold."""

    def __init__(self, stream: Stream) -> None:
        stream.device.make_current()  # for the calls of this process that are the driver's own
        self.stream = stream
        self.size = 1 << 30
        self.memory = [stream.device.allocate(self.size, stream) for _ in range(2)]
        self.start, self.end = (Event(stream.device, timed=True) for _ in range(2))

    def copy(self) -> None:
        """Copy a gigabyte."""
        check(driver.cuMemcpyDtoDAsync(*self.memory, self.size, self.stream.handle), "cuMemcpyDtoDAsync")

    def gpu_us(self, work: Work) -> float:
        """Return the median time of ``work`` on the GPU."""
        times = []
        for _ in range(REPEATS + 3):
            self.copy()
            self.start.record(self.stream)
            work()
            self.end.record(self.stream)
            self.end.wait()
            times.append(self.end.milliseconds_since(self.start) * 1000)
        return statistics.median(times[3:])

    def copy_rate(self) -> float:
        """Return bytes read and written a microsecond."""
        return 2 * self.size / self.gpu_us(self.copy)

    def host_us(self, work: Work) -> float:
        """Return the host's time for a call that puts work on the stream: the median of runs of 40."""
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            for _ in range(40):
                work()
            times.append((time.perf_counter() - started) / 40 * 1e6)
            self.stream.wait()
        return statistics.median(times[1:])


def kernel_us(work: Work, name: str, device: Device) -> float | None:
    """Return the median time of the kernels whose name has ``name`` in it, by torch's profiler; None without torch."""
    try:
        from torch.profiler import ProfilerActivity, profile
    except ImportError:
        return None
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        for _ in range(REPEATS + 3):
            work()
        device.wait()
    times = [event.device_time for event in profiler.events() if name in event.name]
    return statistics.median(times) if times else None
