"""The sockets of a module, and the sources that come and go through them."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, final

from picasso.errors import ShutDownError

if TYPE_CHECKING:
    from picasso.flow import Runner, Source, SourceState, SourceStatus
    from picasso.module.sources.wire_ingress import WireIngress

MAX_GONE: Final = 1024
"""Sources that are gone and whose counts are kept by name."""


@final
class Ingresses:
    """Every ``zeromq_source_bin`` of a module.

    Sources are added to the runner and removed from it by the threads of the sockets. What a source that is gone has
    counted is added to what it counts when it comes again.
    """

    def __init__(self, ingresses: Sequence[WireIngress]) -> None:
        """Take the sockets; none is open yet."""
        self._ingresses = list(ingresses)
        self._inside: set[str] = set()
        self._gone: OrderedDict[str, SourceStatus] = OrderedDict()
        self._is_stopped = False
        self._runner: Runner
        self._add: Callable[[Source], None]
        self._drain: Callable[[], None]
        self._forget: Callable[[SourceStatus], None] = lambda _last: None

    def __bool__(self) -> bool:
        return bool(self._ingresses)

    @property
    def addresses(self) -> list[str | None]:
        """Where each socket is bound, or what it calls."""
        return [ingress.address for ingress in self._ingresses]

    def open(self) -> None:
        """Open every socket.

        Raises:
            TransportError: One cannot be opened.
        """
        for ingress in self._ingresses:
            ingress.open()

    def start(
        self,
        runner: Runner,
        add: Callable[[Source], None],
        drain: Callable[[], None],
        forget: Callable[[SourceStatus], None],
    ) -> None:
        """Begin to read.

        Args:
            runner: Knows the sources.
            add: Adds one to the runner.
            drain: Stops the module in order.
            forget: Told how a source fared that is gone.
        """
        self._runner, self._add, self._drain, self._forget = runner, add, drain, forget
        for ingress in self._ingresses:
            ingress.start(self)

    def admit(self, source: Source) -> None:
        """Read a source from now on.

        Raises:
            ShutDownError: The module stops.
        """
        if self._is_stopped:
            raise ShutDownError("the module stops")
        self._inside.add(source.source_id)
        try:
            self._add(source)
        except BaseException:
            self._inside.discard(source.source_id)
            raise

    def has(self, source_id: str) -> bool:
        """Whether a source that is there came through a socket."""
        return source_id in self._inside

    def dismiss(self, source_id: str) -> None:
        """Forget a source that is over, and keep what it counted."""
        status = self._runner.remove(source_id)
        self._forget(status)
        self._inside.discard(source_id)
        self._gone[source_id] = _together(self._gone.pop(source_id, None), status)
        if len(self._gone) > MAX_GONE:
            self._gone.popitem(last=False)

    def drain(self) -> None:
        """Stop the module in order."""
        self._drain()

    def note_state(self, source_id: str, state: SourceState) -> None:
        """Take notice of the ``state`` of a source of the runner. Any thread."""
        for ingress in self._ingresses:
            ingress.note_state(source_id, state)

    def statuses(self, current: Sequence[SourceStatus]) -> list[SourceStatus]:
        """Return the ``current`` statuses with what was counted before, and those of sources that are gone."""
        gone = dict(self._gone)
        return [_together(gone.pop(status.source_id, None), status) for status in current] + list(gone.values())

    def finish(self) -> None:
        """Read no further; every source ends behind what was read. Does not wait."""
        for ingress in self._ingresses:
            ingress.finish()

    def stop(self) -> None:
        """Read no further, and drop what waits. Does not wait."""
        self._is_stopped = True
        for ingress in self._ingresses:
            ingress.stop()

    def join(self, deadline_s: float) -> bool:
        """Wait until nothing comes through the sockets any more; tell whether that is so."""
        joined = [ingress.join(max(deadline_s - time.monotonic(), 0.0)) for ingress in self._ingresses]
        return all(joined)

    def refused(self) -> Counter[str]:
        """Return the frames and messages that were not let in, by reason."""
        counts: Counter[str] = Counter()
        for ingress in self._ingresses:
            counts.update(ingress.dropped.copy())
        return counts

    @property
    def is_over(self) -> bool:
        """Whether no socket lets a source in any more."""
        return all(ingress.is_over for ingress in self._ingresses)


def _together(before: SourceStatus | None, now: SourceStatus) -> SourceStatus:
    """Add what a source counted before it was gone."""
    if before is None:
        return now
    return replace(
        now,
        read=before.read + now.read,
        delivered=before.delivered + now.delivered,
        dropped=before.dropped + now.dropped,
        stage_dropped=dict(Counter(before.stage_dropped) + Counter(now.stage_dropped)),
        source_dropped=dict(Counter(before.source_dropped) + Counter(now.source_dropped)),
        restarts=before.restarts + now.restarts,
    )
