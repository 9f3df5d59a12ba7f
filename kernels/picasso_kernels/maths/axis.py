"""Where the samples of one axis come from: the tables of indices and weights that row loops read."""

from __future__ import annotations

from typing import NamedTuple

from picasso_kernels.maths.memory import Ints
from picasso_kernels.maths.pixel import WEIGHT_BITS, nearest, place_numerator, position


class Axis(NamedTuple):
    """One axis of a component: how the samples of the target lie over those of the source."""

    start: int
    """First luma pixel of the target's rectangle."""
    size: int
    """Luma pixels of the target's rectangle."""
    target_unit: int
    """Luma pixels a target sample covers, 1 or 2."""
    crop: int
    """First luma pixel of the source's rectangle."""
    crop_size: int
    """Luma pixels of the source's rectangle."""
    source_unit: int
    """Luma pixels a source sample covers, 1 or 2."""

    @property
    def first_target(self) -> int:
        """First target sample that shows any of the picture."""
        return self.start // self.target_unit

    @property
    def targets(self) -> int:
        """Target samples that show any of the picture."""
        return -(-(self.start + self.size) // self.target_unit) - self.first_target

    @property
    def first_source(self) -> int:
        """First source sample of the crop."""
        return self.crop // self.source_unit

    @property
    def samples(self) -> int:
        """Source samples of the crop."""
        return (self.crop + self.crop_size - 1) // self.source_unit - self.first_source + 1

    @property
    def is_copy(self) -> bool:
        """Whether target samples are source samples as they stand: each has the place of the next."""
        whole = 2 * self.size * self.source_unit
        first = place_numerator(self.first_target, self.target_unit, self.start, self.size, self.crop, self.crop_size)
        same = self.targets == self.samples and 2 * self.crop_size * self.target_unit == whole
        return same and first == whole * self.first_source + whole // 2


def fill_nearest(
    table: Ints,
    at: int,
    count: int,
    first_target: int,
    start: int,
    size: int,
    target_unit: int,
    crop: int,
    crop_size: int,
    source_unit: int,
    first_source: int,
    samples: int,
) -> None:
    """Write the index of each target sample's nearest source sample, counted from ``first_source``."""
    last = first_source + samples - 1
    for i in range(count):
        place = place_numerator(first_target + i, target_unit, start, size, crop, crop_size)
        table[at + i] = nearest(place, size, source_unit, first_source, last) - first_source


def fill_bilinear(
    table: Ints,
    at: int,
    count: int,
    first_target: int,
    start: int,
    size: int,
    target_unit: int,
    crop: int,
    crop_size: int,
    source_unit: int,
    first_source: int,
    samples: int,
) -> None:
    """Write the index of each target sample's left source sample and, ``count`` entries on, the right one's weight."""
    last = first_source + samples - 1
    for i in range(count):
        place = place_numerator(first_target + i, target_unit, start, size, crop, crop_size)
        where = position(place, size, source_unit, first_source, last)
        table[at + i] = (where >> WEIGHT_BITS) - first_source
        table[at + count + i] = where & ((1 << WEIGHT_BITS) - 1)
