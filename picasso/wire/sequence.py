"""Numbers of messages within their source: given by a writer, checked by a reader."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, final

MAX_SOURCES: Final = 65_536
"""Sources whose numbers are remembered; beyond that the one that was quiet the longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a source that did not follow each other."""

    expected: int
    """The number that should have come."""
    got: int
    """The number that came."""

    @property
    def missed(self) -> int:
        """Messages that did not come. Those before a sender's restart are not known."""
        return self.got - self.expected if self.got > self.expected else self.got - 1

    @property
    def is_restart(self) -> bool:
        """Whether the sender began to count from 1 again without an end of its stream."""
        return self.got < self.expected

    def __str__(self) -> str:
        if self.is_restart:
            missed = f", {self.missed} missed since" if self.missed else ""
            return f"numbers began again at {self.got}, {self.expected} was expected{missed}"
        return f"{self.missed} missed: {self.expected} was expected, {self.got} came"


@final
class SequenceCounter:
    """Numbers the messages of each source from 1, and from 1 again behind the end of its stream."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, source_id: str) -> int:
        """Return the number of the next message of a source."""
        number = self._last.get(source_id, 0) + 1
        self._last[source_id] = number
        self._last.move_to_end(source_id)
        if len(self._last) > MAX_SOURCES:
            self._last.popitem(last=False)
        return number

    def end(self, source_id: str) -> None:
        """Begin at 1 with the source's next message."""
        self._last.pop(source_id, None)


@final
class SequenceCheck:
    """Says where the numbers of a source do not follow each other.

    Behind the end of a stream both 1 and the number that follows are in order: senders differ there. A message without
    a number is never part of a gap.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()
        """Of each source; negative where its stream has ended."""

    def check(self, source_id: str, number: int, *, is_end: bool = False) -> Gap | None:
        """Take notice of a message of ``source_id``; ``is_end`` says that it ends the stream.

        Args:
            source_id: The source.
            number: The message's number; 0 where it has none.
            is_end: Whether it ends the source's stream.

        Returns:
            What is wrong with the number, None where nothing is.
        """
        if not number:
            return None
        last = self._last.get(source_id, 0)
        self._last[source_id] = -number if is_end else number
        self._last.move_to_end(source_id)
        if len(self._last) > MAX_SOURCES:
            self._last.popitem(last=False)
        if number == abs(last) + 1 or (last < 0 and number == 1):
            return None
        return Gap(1 if last < 0 and number < -last else abs(last) + 1, number)
