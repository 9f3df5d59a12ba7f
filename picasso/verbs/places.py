"""What all calls of this room check and report: where they write, and how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from picasso.errors import SpecError
from picasso.media.location import Location, input_place, output_place, shown
from picasso.media.sameness import is_same

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called with how much is done, and with how much there is in all where that is known."""


def check_apart(destination: Location, *sources: Location | int) -> None:
    """Make sure that no file is written over while it is read.

    Raises:
        SpecError: The destination is one of the sources, also behind links.
    """
    written = output_place(destination)
    for source in sources:
        if not isinstance(source, int) and is_same(input_place(source), written):
            raise SpecError(f"{written.shown}: is read and written at once; choose another name to write to")


def check_read_twice(call: str, source: Location) -> None:
    """Make sure that a source is no pipe or device, of which a second reader finds nothing.

    Raises:
        SpecError: It is one.
    """
    if input_place(source).is_direct:
        raise SpecError(f"{call}: {shown(source)} is read once, and this reads it twice; save it as a file first")
