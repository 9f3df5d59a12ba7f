"""What frames of a batch on a GPU have in common, kept for the next batch: then only addresses are written.

A batch of cameras looks like the one before it: the same formats, sizes and placements, other memory. So each batch is
compared with those before it, as a whole; where one fits, its table of descriptors takes the new addresses in a few
array operations, and nothing is looked up frame by frame.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from picasso.surface.cuda_memory import DeviceBlock
from picasso_kernels.cuda.driver import Arguments, Launch, Stream
from picasso_kernels.cuda.frame_table import BATCH_FRAMES, FRAME

if TYPE_CHECKING:
    from picasso.surface.cuda import DevicePlane
    from picasso.surface.pixels import Pixels
    from picasso.surface.view import SurfaceView
    from picasso.transform.cuda import DevicePlan

Grid = tuple[int, int, int]
Words = npt.NDArray[np.uint64]
_WORDS: Final = FRAME.itemsize // 8
_KEPT: Final = 8
"""Batches whose tables are kept; those of a detector that waits for frames differ in how many came."""


class Sources:
    """The pictures that a batch reads: what its plan depends on, and where they are."""

    __slots__ = ("kinds", "pixels", "streams")

    def __init__(self, surfaces: Sequence[SurfaceView]) -> None:
        """Look at each picture once.

        Raises:
            SurfaceError: One is in host memory.
        """
        self.pixels: list[Pixels] = [surface.device_pixels for surface in surfaces]
        self.kinds: list[tuple[object, ...]] = [_kind_of(pixels) for pixels in self.pixels]
        self.streams: set[int] = {pixels.cuda_stream for pixels in self.pixels}

    def addresses(self) -> Words:
        """Return where the planes are, three a picture in one row, ``(3 N)``; of fewer planes the rest is the first."""
        flat = chain.from_iterable([_addresses_of(pixels.planes) for pixels in self.pixels])
        return np.frombuffer(array("Q", flat), np.uint64)

    def to_hold(self, stream: int) -> list[tuple[DevicePlane, ...]]:
        """Return the planes that have to be held until ``stream`` has read them.

        Those of the stream itself, and those that go back to a pool in the order of their producer, need not be.
        """
        held: list[tuple[DevicePlane, ...]] = []
        for pixels in self.pixels:
            producer = pixels.cuda_stream
            if producer == stream:
                continue
            planes: Any = pixels.planes
            owner = planes[0].owner
            pooled = type(owner) is DeviceBlock and owner.stream.address == producer
            if not (pooled and all(plane.owner is owner for plane in planes)):
                held.append(planes)
        return held


def _kind_of(pixels: Pixels) -> tuple[object, ...]:
    """Return all of a picture that a plan depends on, as ``signature_of`` does, at a third of its time."""
    planes: Any = pixels.planes
    first = planes[0]
    kind = (pixels.format, pixels.size_wh, pixels.color, pixels.gpu_id, first.strides, first.ptr & 15)
    if len(planes) == 1:
        return kind
    return (*kind, *[(plane.strides, plane.ptr & 15) for plane in planes[1:]])


def _addresses_of(planes: Any) -> tuple[int, int, int]:
    first = planes[0].ptr
    if len(planes) == 1:
        return first, first, first
    return first, planes[1].ptr, planes[-1].ptr


class _Group:
    """Frames of a batch that one launch makes: their rows are its arguments."""

    __slots__ = ("_found", "_launch", "_members", "_offsets", "_picks", "_plans", "_words")

    def __init__(self, name: str, members: list[int], plans: list[DevicePlan], stream: Stream, block: Grid) -> None:
        self._members = np.array(members)
        self._plans = plans  # their tables live as long as the rows that point to them
        arguments = Arguments(BATCH_FRAMES * FRAME.itemsize)
        rows = np.frombuffer(arguments.block, FRAME)
        for index, prepared in enumerate(plans):
            rows[index] = prepared.row
        self._words: Words = np.frombuffer(arguments.block, np.uint64).reshape(-1, _WORDS)[: len(members)]
        places = [prepared.plan.sources for prepared in plans]
        self._picks = np.array([[plane for plane, _ in place] for place in places]) + 3 * self._members[:, None]
        self._offsets: Words = np.array([[offset for _, offset in place] for place in places], np.uint64)
        self._found: Words = np.empty((len(members), 3), np.uint64)
        columns, lines = (max(prepared.plan.blocks[axis] for prepared in plans) for axis in (0, 1))
        grid = (-(-columns // block[0]), -(-lines // block[1]), len(members))
        self._launch = Launch(stream.device.function(name, batched=True), grid, block, stream, arguments)

    def aim(self, targets: Words) -> None:
        """Say where the target planes of all frames of the batch are, ``(N, 3)``."""
        self._words[:, 3:6] = targets[self._members]

    def put(self, sources: Words) -> None:
        """Write where the sources are, and put the kernel on the stream."""
        sources.take(self._picks, out=self._found, mode="wrap")  # no index is outside; wrapping needs no copy
        np.add(self._found, self._offsets, out=self._words[:, :3])
        self._launch.put()


class Batch:
    """A batch that was launched, ready for the next one like it."""

    __slots__ = ("_groups", "_placements", "_sources", "_what", "aimed_at", "plans")

    def __init__(
        self,
        kinds: list[tuple[object, ...]],
        placements: list[Any],
        what: tuple[object, ...],
        plans: list[DevicePlan],
        stream: Stream,
        block: Grid,
    ) -> None:
        self._sources, self._placements, self._what = kinds, placements, what
        self.plans: list[DevicePlan] = plans
        """One a frame."""
        self.aimed_at: object = None
        """What ``aim`` was told last."""
        groups: dict[str, list[int]] = {}
        for index, prepared in enumerate(plans):
            groups.setdefault(prepared.plan.kernel, []).append(index)
        self._groups = [
            _Group(name, part, [plans[index] for index in part], stream, block)
            for name, members in groups.items()
            for part in (members[at : at + BATCH_FRAMES] for at in range(0, len(members), BATCH_FRAMES))
        ]

    def fits(self, kinds: list[tuple[object, ...]], placements: list[Any], what: tuple[object, ...]) -> bool:
        """Whether its plans are those of a batch of these sources, placements and targets."""
        return self._sources == kinds and self._what == what and self._placements == placements

    def aim(self, targets: Words, at: object) -> None:
        """Write to these planes, ``(N, 3)``; ``at`` tells the caller next time whether they are the same.

        It holds numbers and no surfaces, which would be kept from their pool.
        """
        for group in self._groups:
            group.aim(targets)
        self.aimed_at = at

    def launch(self, sources: Words) -> None:
        """Put all kernels that the frames need on the stream, each once for ``BATCH_FRAMES`` of them."""
        for group in self._groups:
            group.put(sources)


class Batches:
    """The latest batches of a transformer."""

    def __init__(self) -> None:
        self._kept: list[Batch] = []

    def find(
        self,
        kinds: list[tuple[object, ...]],
        placements: list[Any],
        what: tuple[object, ...],
        make: Callable[[], Batch],
    ) -> Batch:
        """Return the batch that fits, or make it; the least recently used ones are forgotten."""
        for index, batch in enumerate(self._kept):
            if batch.fits(kinds, placements, what):
                if index:
                    self._kept.insert(0, self._kept.pop(index))
                return batch
        self._kept.insert(0, make())
        del self._kept[_KEPT:]
        return self._kept[0]

    def clear(self) -> None:
        """Forget all; memory on the device goes back in the order of the stream."""
        self._kept.clear()
