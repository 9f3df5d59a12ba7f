"""The request to a module to shut down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from picasso.primitives.checks import text
from picasso.primitives.protocol import as_message

if TYPE_CHECKING:
    from picasso.primitives.message import Message


@dataclass(frozen=True, slots=True)
class Shutdown:
    """A module that knows the same secret finishes what it has and ends."""

    auth: str = field(repr=False)
    """The secret."""

    def __post_init__(self) -> None:
        text("auth", self.auth)

    @property
    def json(self) -> str:
        """The secret as a JSON text."""
        return msgspec.json.encode(self.auth).decode()

    def to_message(self) -> Message:
        """Return a message that holds it."""
        return as_message(self)
