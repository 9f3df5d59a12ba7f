"""Eight simulated cameras, one of which is lost after a second and comes back: ``python cameras.py``."""

import logging
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from picasso.errors import ConnectionLostError
from picasso.flow import Item, RestartPolicy, Source
from picasso.module import Module
from picasso.module.sources import PatternSource

FRAMES, LOST_AFTER = 60, 20


def camera(name: str, frames: int = FRAMES) -> PatternSource:
    return PatternSource(name, width=160, height=120, framerate="20/1", frames=frames, is_live=True)


class Flaky:
    """A camera that is lost on its first connection, and whole on the next one."""

    is_live = True
    restart = RestartPolicy(first_s=0.2)

    def __init__(self, name: str) -> None:
        self.source_id = name
        self._connections = 0
        self._camera = camera(name)

    def __iter__(self) -> Iterator[Item]:
        self._connections += 1
        if self._connections > 1:
            yield from self._camera
            return
        yield from islice(self._camera, LOST_AFTER)
        raise ConnectionLostError(f"{self.source_id}: connection lost")

    def stop(self) -> None:
        self._camera.stop()


def main() -> None:
    logging.basicConfig(format="%(message)s")
    os.environ.setdefault("OUT", "out")
    cameras: list[Source] = [camera(f"cam-{number}") for number in range(7)]
    cameras.append(Flaky("cam-7"))
    module = Module.from_file(Path(__file__).with_name("module.yml"), sources=cameras, sinks="configured")
    module.run()
    for status in module.statuses():
        gap = f", opened again {status.restarts} times after {status.gap_s:.1f} s" if status.restarts else ""
        print(f"{status.source_id}: {status.state}, {status.read} frames in, {status.delivered} out{gap}")


if __name__ == "__main__":
    main()
