"""The signal that a source has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import msgspec

from picasso.primitives.checks import text
from picasso.primitives.protocol import as_message

if TYPE_CHECKING:
    from picasso.primitives.message import Message


@dataclass(frozen=True, slots=True)
class EndOfStream:
    """No more frames of this source will come."""

    source_id: str
    """The source that has ended."""

    def __post_init__(self) -> None:
        text("source_id", self.source_id)

    @property
    def json(self) -> str:
        """The signal as one line of JSON."""
        return msgspec.json.encode({"source_id": self.source_id}).decode()

    def __iter__(self) -> NoReturn:
        raise TypeError(
            "this is the end of the stream, not a frame and its pixels; go through reader.frames(), which leaves it out"
        )

    def to_message(self) -> Message:
        """Return a message that holds it."""
        return as_message(self)
