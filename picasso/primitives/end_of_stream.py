"""The signal that a source has ended."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from picasso.primitives.checks import text


@dataclass(frozen=True, slots=True)
class EndOfStream:
    """No more frames of this source will come."""

    source_id: str

    def __post_init__(self) -> None:
        text("source_id", self.source_id)

    @property
    def json(self) -> str:
        """The signal as one line of JSON."""
        return self.to_message().decode()

    def to_message(self) -> bytes:
        """Return the signal as UTF-8 JSON, for a queue or a socket."""
        return msgspec.json.encode({"end_of_stream": self.source_id})
