"""What frames of a batch on a GPU have in common, kept for the next batch: then only addresses are written.

A batch of cameras looks like the one before it: the same formats, sizes and placements, other memory. So each batch is
compared with those before it, as a whole; where one fits, its table of descriptors takes the new addresses in a few
array operations, and nothing is looked up frame by frame.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picasso.surface.device_memory import StreamMemory
from picasso.surface.pixels import pixels_of
from picasso.transform.cuda_surfaces import grid_of
from picasso_kernels.cuda.driver import Stream
from picasso_kernels.cuda.frame_table import BATCH_FRAMES, FRAME
from picasso_kernels.cuda.launches import Arguments, Launch

if TYPE_CHECKING:
    from picasso.surface.cuda import DevicePlane
    from picasso.surface.view import SurfaceView
    from picasso.transform.cuda_frame import DevicePlan
    from picasso.transform.placement import Placement

Words = npt.NDArray[np.uint64]
_WORDS: Final = FRAME.itemsize // 8
_KEPT: Final = 8
"""Batches whose tables are kept; those of a detector that waits for frames differ in how many came."""

_LOW_BITS: Final = np.uint64(15)
"""Of an address: how it is aligned."""
_ptr, _strides, _read_only, _owner = map(attrgetter, ("ptr", "strides", "read_only", "owner"))
_home = attrgetter("stream.address")


class Pictures:
    """The surfaces that a batch reads, or those that it writes: what its plan depends on, and where they are.

    All of them are looked at together, an attribute at a time: the interpreter takes no step for each.
    """

    __slots__ = ("_flat", "addresses", "counts", "kinds", "streams")

    def __init__(self, surfaces: Sequence[SurfaceView]) -> None:
        """Look at each picture once.

        Raises:
            SurfaceError: One is in host memory.
            ConsumedError: One was handed over.
        """
        try:
            planes, formats, sizes, colors, gpus, self.streams, _ = zip(*map(pixels_of, surfaces), strict=True)
            flat: list[Any] = list(chain.from_iterable(planes))
            at = array("Q", map(_ptr, flat))
        except (AttributeError, TypeError):
            for surface in surfaces:
                surface.device_planes  # noqa: B018  # raises
            raise
        self._flat = flat
        self.addresses: Words = np.frombuffer(at, np.uint64)
        """Where the planes are, of all pictures one behind the other."""
        self.counts: tuple[int, ...] = tuple(map(len, planes))
        """How many planes each picture has."""
        self.kinds: tuple[object, ...] = (
            formats,
            sizes,
            colors,
            gpus,
            self.counts,
            tuple(map(_strides, flat)),
            tuple(map(_read_only, flat)),
            (self.addresses & _LOW_BITS).tobytes(),
        )
        """All of them that a plan depends on."""

    def to_hold(self, stream: int) -> list[DevicePlane]:
        """Return the planes that have to be held until ``stream`` has read them.

        Those of the stream itself, and those that are used again in the order of their producer, need not be.
        """
        makers = list(chain.from_iterable(map(repeat, self.streams, self.counts)))
        owners = list(map(_owner, self._flat))
        if all(map(isinstance, owners, repeat(StreamMemory))) and list(map(_home, owners)) == makers:
            return []
        return [
            plane
            for plane, maker in zip(self._flat, makers, strict=True)
            if maker != stream and not (isinstance(plane.owner, StreamMemory) and plane.owner.stream.address == maker)
        ]


class _Planes:
    """Which of all planes of a batch the frames of a group have, and what is added to their addresses."""

    __slots__ = ("_found", "_offsets", "_picks")

    def __init__(self, counts: tuple[int, ...], members: list[int], places: list[Any]) -> None:
        starts = [0, *accumulate(counts)]
        self._picks = np.array(
            [[starts[index] + plane for plane, _ in place] for index, place in zip(members, places, strict=True)]
        )
        self._offsets: Words = np.array([[offset for _, offset in place] for place in places], np.uint64)
        self._found: Words = np.empty(self._picks.shape, np.uint64)

    def write(self, addresses: Words, words: Words) -> None:
        """Write where the planes are, three a frame."""
        addresses.take(self._picks, out=self._found, mode="wrap")  # no index is outside; wrapping needs no copy
        np.add(self._found, self._offsets, out=words)


class _Group:
    """Frames of a batch that one launch makes: their rows are its arguments."""

    __slots__ = ("_launch", "_plans", "_read", "_sources", "_targets", "_written")

    def __init__(
        self,
        members: list[int],
        plans: list[DevicePlan],
        source_counts: tuple[int, ...],
        target_counts: tuple[int, ...],
        stream: Stream,
    ) -> None:
        self._plans = plans  # their tables live as long as the rows that point to them
        arguments = Arguments(BATCH_FRAMES * FRAME.itemsize)
        rows = np.frombuffer(arguments.block, FRAME)
        for index, prepared in enumerate(plans):
            rows[index] = prepared.row
        words: Words = np.frombuffer(arguments.block, np.uint64).reshape(-1, _WORDS)[: len(members)]
        self._read, self._written = words[:, :3], words[:, 3:6]
        self._sources = _Planes(source_counts, members, [prepared.plan.sources for prepared in plans])
        self._targets = _Planes(target_counts, members, [prepared.plan.targets for prepared in plans])
        columns, lines = (max(prepared.plan.blocks[axis] for prepared in plans) for axis in (0, 1))
        function = stream.device.function(plans[0].plan.kernel, batched=True)
        self._launch = Launch(function, *grid_of(columns, lines, len(members)), stream, arguments)

    def aim(self, targets: Words) -> None:
        """Say where the target planes of all frames of the batch are."""
        self._targets.write(targets, self._written)

    def put(self, sources: Words) -> None:
        """Write where the sources are, and put the kernel on the stream."""
        self._sources.write(sources, self._read)
        self._launch.put()


class Asked(NamedTuple):
    """What a batch is of, except its targets."""

    sources: tuple[object, ...]
    """``kinds`` of the pictures."""
    placements: tuple[Placement, ...]
    how: object
    """Filter, and what is done to numbers."""


class Batch:
    """A batch that was launched, ready for the next one like it."""

    __slots__ = ("_groups", "aimed_at", "asked", "owners", "targets")

    def __init__(
        self,
        asked: Asked,
        targets: tuple[object, ...],
        plans: list[DevicePlan],
        source_counts: tuple[int, ...],
        target_counts: tuple[int, ...],
        stream: Stream,
    ) -> None:
        self.asked, self.targets = asked, targets
        self.aimed_at: object = None
        """What ``aim`` was told last."""
        self.owners: frozenset[int] = frozenset()
        """Streams of the targets."""
        groups: dict[str, list[int]] = {}
        for index, prepared in enumerate(plans):
            groups.setdefault(prepared.plan.kernel, []).append(index)
        self._groups = [
            _Group(part, [plans[index] for index in part], source_counts, target_counts, stream)
            for members in groups.values()
            for part in (members[at : at + BATCH_FRAMES] for at in range(0, len(members), BATCH_FRAMES))
        ]

    def aim(self, targets: Words, owners: Iterable[int], at: object) -> None:
        """Write to these planes; ``at`` tells the caller next time whether they are the same.

        It holds numbers and no surfaces, which would be kept from their pool.
        """
        for group in self._groups:
            group.aim(targets)
        self.owners, self.aimed_at = frozenset(owners), at

    def launch(self, sources: Words) -> None:
        """Put all kernels that the frames need on the stream, each once for ``BATCH_FRAMES`` of them."""
        for group in self._groups:
            group.put(sources)


class Batches:
    """The latest batches of a transformer."""

    def __init__(self) -> None:
        self._kept: list[Batch] = []

    def find_aimed(self, asked: Asked, at: object) -> Batch | None:
        """Return the batch of such pictures that was aimed at these targets last."""
        for batch in self._kept:
            if batch.aimed_at == at and batch.asked == asked:
                return self._used(batch)
        return None

    def find(self, asked: Asked, targets: tuple[object, ...]) -> Batch | None:
        """Return the batch of such pictures into such targets."""
        for batch in self._kept:
            if batch.asked == asked and batch.targets == targets:
                return self._used(batch)
        return None

    def add(self, batch: Batch) -> Batch:
        """Keep one; the least recently used ones are forgotten."""
        self._kept.insert(0, batch)
        del self._kept[_KEPT:]
        return batch

    def _used(self, batch: Batch) -> Batch:
        if batch is not self._kept[0]:
            self._kept.remove(batch)
            self._kept.insert(0, batch)
        return batch

    def clear(self) -> None:
        """Forget all; memory on the device goes back in the order of the stream."""
        self._kept.clear()
