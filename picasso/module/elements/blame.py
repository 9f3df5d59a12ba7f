"""Which frame and which line of the user's an error came from, in words."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from picasso.module.meta import Frame

MAX_FRAMES: Final = 4
"""Frames of a batch that a message names."""
_OWN: Final = str(Path(__file__).parents[2])
_INSTALLED: Final = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib"))


def place_of(frames: Sequence[Frame]) -> str:
    """Name the source and the time of each frame, with a colon behind; nothing where there is no frame."""
    if not frames:
        return ""
    named = [f"source {frame.source_id!r} at pts {frame.pts}" for frame in frames[:MAX_FRAMES]]
    more = f" and {len(frames) - MAX_FRAMES} more" if len(frames) > MAX_FRAMES else ""
    batch = f"a batch of {len(frames)}: " if len(frames) > 1 else ""
    return f"{batch}{', '.join(named)}{more}: "


def words_of(error: BaseException) -> str:
    """Return what was raised, and the last line of the user's own code that it came through.

    Lines of this package, of Python's library and of installed packages are not the user's; where there are no others,
    the last line of all is named.
    """
    lines = traceback.extract_tb(error.__traceback__)
    outside = [line for line in lines if not line.filename.startswith(_OWN)]
    own = [
        line for line in outside if not line.filename.startswith(_INSTALLED) and "site-packages" not in line.filename
    ]
    found = own or outside
    where = f" ({found[-1].filename}:{found[-1].lineno})" if found else ""
    return f"{type(error).__name__}: {error}{where}"
