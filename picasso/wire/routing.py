"""Which of several senders a source belongs to."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, final

MAX_FORMER: Final = 64
"""Former senders of one source that are remembered."""


@final
class Owners:
    """Binds each source to the sender that began last; a former one is refused until the stream has ended.

    So a sender that was restarted takes its source over, and two that send at once do not mix.
    """

    def __init__(self, size: int = 512) -> None:
        """Remember at most ``size`` sources, those that were heard last."""
        self._size = size
        self._owners: OrderedDict[str, OrderedDict[bytes, None]] = OrderedDict()
        """Senders of each source by their routing ids; the last one is its owner."""

    def accept(self, source_id: str, routing_id: bytes) -> bool:
        """Tell whether a message of ``source_id`` from the sender ``routing_id`` counts."""
        senders = self._owners.get(source_id)
        if senders is None:
            self._owners[source_id] = OrderedDict.fromkeys([routing_id])
            if len(self._owners) > self._size:
                self._owners.popitem(last=False)
            return True
        self._owners.move_to_end(source_id)
        if routing_id in senders:
            return next(reversed(senders)) == routing_id
        senders[routing_id] = None
        if len(senders) > MAX_FORMER:
            senders.popitem(last=False)
        return True

    def end(self, source_id: str) -> None:
        """Let the source belong to the next sender."""
        self._owners.pop(source_id, None)
