"""Display lists: what is to be painted, as tables that every painter reads alike."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

UNIT = 64
"""Bytes of which lists that lie behind each other start at multiples, from the first one's start."""
Ints = npt.NDArray[np.int32]
revisions: Final = itertools.count(1 << 40)
"""Numbers of coverages that no scene makes, each given once in this process."""


@dataclass(slots=True, eq=False)
class DisplayList:
    """What is to be painted, back to front; ``picasso_kernels.paint.display_list`` says what the columns mean.

    Those that a scene makes hold until it makes the next.
    """

    commands: Ints
    """``(N, COMMAND_SIZE)`` int32."""
    glyphs: Ints
    """``(M, GLYPH_SIZE)`` int32."""
    coverage: npt.NDArray[np.uint8]
    """``(B,)``, the pixels of the glyphs and the spots of runs."""
    revision: int = 0
    """Of two lists of one scene with the same revision, ``coverage`` is the same."""
    may_blur: bool = True
    """Whether a command may be a BLUR."""
    address: int = 0
    """Where in memory the glyphs begin and, at the next multiple of ``UNIT`` bytes behind them, the commands; 0 where
    they do not lie behind each other."""

    def __len__(self) -> int:
        return len(self.commands)

    def __reduce__(self) -> tuple[type[DisplayList], tuple[object, ...]]:
        """Copy and pickle the lists without ``address``: a copy lies elsewhere."""
        return DisplayList, (self.commands, self.glyphs, self.coverage, self.revision, self.may_blur)


def tints_of(colors: npt.ArrayLike, count: int) -> Ints:
    """Return ``(count,)`` packed colours, of as many or of one for all."""
    if isinstance(colors, np.ndarray) and colors.dtype == np.int32 and colors.shape == (count,):
        return colors if colors.flags.c_contiguous and colors.flags.writeable else colors.copy()
    tints = np.empty(count, np.int32)
    tints[:] = colors
    return tints
