"""One measurement of one peer in this process: processor time, frames, page faults, memory."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from scripts import SCRIPTS, Case, Material, Step, material
from workloads import COLORS, NAMES

MIB = 1 << 20
WARM_UP = 10
PAGE = os.sysconf("SC_PAGE_SIZE")


def measure(case: Case) -> dict[str, Any]:
    """Run a case for its seconds, all sources at once, and return the figures."""
    source = material(case)
    sys.setswitchinterval(case.switch_s)
    load = EngineLoad if case.peer == "picasso" else ScriptLoad
    with load(case, source) as running:
        with _Bystanders(case.spin):
            before, counts = _snapshot(), running.counts()
            time.sleep(case.seconds)
            after = _snapshot()
            done = [late - early for late, early in zip(running.counts(), counts, strict=True)]
        return _figures(before, after, done) | {"rss_mib": _resident_mib() - source.mib}


class _Bystanders:
    """Threads of pure Python that never rest."""

    def __init__(self, count: int) -> None:
        self._stop = False
        self._threads = [threading.Thread(target=self._spin, daemon=True) for _ in range(count)]

    def _spin(self) -> None:
        while not self._stop:
            pass

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop = True
        for thread in self._threads:
            thread.join()


class ScriptLoad:
    """A thread for each source, which runs the script frame after frame."""

    def __init__(self, case: Case, source: Material) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._steps = [SCRIPTS[case.peer](case, source) for _ in range(case.sources)]
        self._counts = [0] * case.sources
        self._ready = threading.Barrier(case.sources + 1)
        self._stop = False
        self._threads = [
            threading.Thread(target=self._run, args=(index, step), daemon=True)
            for index, step in enumerate(self._steps)
        ]

    def counts(self) -> list[int]:
        return list(self._counts)

    def _run(self, index: int, step: Step) -> None:
        number = 5 * index  # sources are out of phase with one another
        for _ in range(WARM_UP):
            step(number)
            number += 1
        self._ready.wait()
        while not self._stop:
            step(number)
            number += 1
            self._counts[index] += 1

    def __enter__(self) -> ScriptLoad:
        for thread in self._threads:
            thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        for thread in self._threads:
            thread.join()


class EngineLoad:
    """picasso: a thread for each source, which sends frames as fast as the engine takes them."""

    def __init__(self, case: Case, source: Material) -> None:
        from adapter import source_spec

        from picasso.engine import Callbacks, GeneralSpec, PicassoEngine

        self._source = source
        self._names = [f"source-{index}" for index in range(case.sources)]
        self._counts = dict.fromkeys(self._names, 0)
        self._errors: list[BaseException] = []
        self._stop = False
        general = GeneralSpec(idle_timeout_secs=600)
        if case.computing:
            general.max_computing = case.computing
        on_error: Callable[..., None] = lambda _source, _stage, error, _frame: self._errors.append(error)  # noqa: E731
        self._engine = PicassoEngine(general, Callbacks(on_encoded_frame=self._count, on_error=on_error))
        looks = dict(zip(NAMES, COLORS, strict=True))
        for name in self._names:
            self._engine.set_source_spec(name, source_spec(source.workload.target_wh, looks, preset=case.preset))
        self.threads = [threading.Thread(target=self._run, args=item, daemon=True) for item in enumerate(self._names)]
        """They send."""

    def counts(self) -> list[int]:
        if self._errors:
            raise self._errors[0]
        return list(self._counts.values())

    def _count(self, output: Any) -> None:
        self._counts[output.as_video_frame().source_id] += 1

    def _run(self, index: int, name: str) -> None:
        from adapter import send

        number = 5 * index
        while not self._stop:
            frame, moment = self._source.at(number)
            send(self._engine, name, number, frame, moment.corners, moment.names, moment.confidences)
            number += 1

    def __enter__(self) -> EngineLoad:
        for thread in self.threads:
            thread.start()
        while min(self.counts()) < WARM_UP:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        for thread in self.threads:
            thread.join()
        self._engine.shutdown()


def thread_cpu_s(threads: Iterable[threading.Thread]) -> float:
    """Return the processor time that threads have used."""
    return sum(time.clock_gettime(time.pthread_getcpuclockid(thread.ident)) for thread in threads if thread.ident)


def _snapshot() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_s": time.perf_counter(),
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "faults": usage.ru_minflt,
        "switches": usage.ru_nvcsw,
    }


def _figures(before: dict[str, float], after: dict[str, float], done: list[int]) -> dict[str, Any]:
    spent = {name: after[name] - before[name] for name in after}
    count = max(sum(done), 1)
    return {
        "frames": sum(done),
        "cpu_ms": 1e3 * spent["cpu_s"] / count,
        "frames_a_second": sum(done) / spent["wall_s"],
        "cores": spent["cpu_s"] / spent["wall_s"],
        "faults": spent["faults"] / count,
        "switches": spent["switches"] / count,
        "fairness": min(done) / max(*done, 1),
    }


def _resident_mib() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE / MIB
