"""The queue between those who send to a source and the one thread that works for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Container
from queue import SimpleQueue
from typing import final

from picasso.engine.clock import Bell, Clock, Waiter
from picasso.engine.messages import STOP, FrameMessage, Message
from picasso.engine.policies import NS_PER_S, OverflowPolicy
from picasso.engine.stats import DropReason, Meter
from picasso.engine.threads import is_owned
from picasso.errors import SendTimeoutError

PATIENCE_NS = 250_000_000
"""How long a sender waits for half the queue before it takes any room: the reader may need its frame to go on."""


Sender = Waiter[FrameMessage]
"""A sender that waits for room, and the frame it would like to send."""


@final
class Inbox:
    """A bounded first-in, first-out queue with many senders and one reader.

    Guarantees:

    - Messages are read in the order in which they were accepted. Blocked senders are admitted first come, first served.
    - Blocked senders are admitted when half the queue is free, or within ``PATIENCE_NS`` if less is: waking a thread
      for every frame costs as much as making one, and half a queue keeps the reader busy meanwhile.
    - Only frames count against the capacity. Control messages never wait, nor do frames sent by ``exempt`` threads.
    - A message is accepted, or its sender is told that it was not; nothing is accepted once the inbox has closed.
    - The lock is held for a few list operations, never while anybody waits, and no foreign code runs under it.

    Any thread may call any method, except ``get`` and ``close_if_empty``: those are the reader's.
    """

    __slots__ = (
        "_capacity",
        "_clock",
        "_closed",
        "_discarded",
        "_exempt",
        "_frames",
        "_lock",
        "_low",
        "_messages",
        "_meter",
        "_reader_bell",
        "_reader_waits",
        "_senders",
        "overflow",
    )

    def __init__(
        self, capacity: int, overflow: OverflowPolicy, clock: Clock, meter: Meter, exempt: Container[int] = ()
    ) -> None:
        """Make an empty inbox.

        Args:
            capacity: Frames that may wait, at least 1.
            overflow: What happens to the frame that is one too many; may be assigned at any time.
            clock: For all waiting.
            meter: Counts frames in and frames dropped; touched under this inbox's lock only.
            exempt: Identifiers of threads whose frames exceed the capacity rather than wait.
        """
        self.overflow: OverflowPolicy = overflow
        self._capacity = capacity
        self._low = capacity - max(capacity // 2, 1)
        self._clock = clock
        self._meter = meter
        self._exempt = exempt
        self._discarded: list[FrameMessage] = []  # frames go when the lock is free: what is theirs may run foreign code
        self._lock = threading.RLock()  # a signal's handler may come amid any of these methods
        self._messages: deque[Message] = deque()
        self._senders: deque[Sender] = deque()  # not empty only while more than ``_low`` frames wait
        self._frames = 0
        self._closed = False
        self._reader_waits = False
        self._reader_bell: Bell = SimpleQueue()

    @property
    def depth(self) -> int:
        """Frames that wait to be read."""
        return self._frames

    @property
    def is_held_here(self) -> bool:
        """Whether the calling thread is amid one of these methods: this is a signal's handler, or a finaliser."""
        return is_owned(self._lock)

    @property
    def closed(self) -> bool:
        """Whether nothing is accepted any more."""
        return self._closed

    def put(self, message: Message) -> bool:
        """Append a control message without waiting; False if the inbox has closed."""
        with self._lock:
            if self._closed:
                return False
            self._append(message)
        return True

    def put_frame(self, message: FrameMessage, timeout_ns: int | None = None) -> bool:
        """Append a frame; when the queue is full, do what ``overflow`` says.

        Args:
            message: The frame.
            timeout_ns: How long ``OverflowPolicy.BLOCK`` waits at most; None waits for as long as it takes.

        Returns:
            False if the inbox has closed, before or while waiting.

        Raises:
            SendTimeoutError: There was no room within ``timeout_ns``; the frame is not in the queue.
        """
        with self._lock:
            if self._closed:
                return False
            if self._frames < self._capacity and not self._senders:  # what ``_receive`` does, without its calls
                if self._reader_waits:
                    self._wake_reader()
                self._meter.frames_in += 1
                self._frames += 1  # with no call before the append: an interrupt cannot come between
                self._messages.append(message)
                return True
            sender = self._receive(message)
        if self._discarded:
            self._discarded.clear()
        return sender is None or self._wait_for_room(sender, timeout_ns)

    def get(self, timeout_ns: int) -> Message | None:
        """Take the oldest message, waiting for one; None if none came for ``timeout_ns``."""
        deadline_ns = None
        while (message := self._take()) is None:
            now_ns = self._clock.now_ns()
            if deadline_ns is None:
                deadline_ns = now_ns + timeout_ns
            elif now_ns >= deadline_ns:
                return None
            self._clock.wait(self._reader_bell, deadline_ns)
        return message

    def stop(self) -> None:
        """Close; the reader finds ``STOP`` behind everything that was accepted, blocked senders are refused."""
        with self._lock:
            if not self._closed:
                self._wake_reader()
                self._closed = True  # with no call before the append: an interrupt cannot come between
                self._messages.append(STOP)
            self._refuse_senders()

    def close_if_empty(self) -> bool:
        """Close if there is nothing to read, and say whether that was so."""
        with self._lock:
            if self._messages:
                return False
            self._closed = True
            self._refuse_senders()
            return True

    def abandon(self) -> list[FrameMessage]:
        """Close, and take the frames away from the reader, who finds nothing but ``STOP``."""
        with self._lock:
            frames = [message for message in self._messages if isinstance(message, FrameMessage)]
            self._messages.clear()
            self._frames = 0
            self._append(STOP)
            self._closed = True
            self._refuse_senders()
        return frames

    def _receive(self, message: FrameMessage) -> Sender | None:
        """Accept a frame or drop one; or return the sender, in line and to be waited for."""
        if self._senders:
            self._admit_senders()  # they came first
        if self._frames < self._capacity:
            self._accept(message)
        elif self.overflow is OverflowPolicy.BLOCK:
            if threading.get_ident() not in self._exempt:
                sender = Sender(message)
                self._senders.append(sender)
                return sender
            self._accept(message)
        else:
            self._overflow(message)
        return None

    def _overflow(self, message: FrameMessage) -> None:
        """Drop a frame: the oldest for the sake of this one, or this one."""
        self._meter.dropped[DropReason.OVERFLOW] += 1
        if self.overflow is OverflowPolicy.DROP_OLDEST:
            self._remove_oldest_frame()
            self._accept(message)
        else:
            self._meter.frames_in += 1
            message.frame.release()

    def _accept(self, message: FrameMessage, sender: Sender | None = None) -> None:
        self._wake_reader()
        self._meter.frames_in += 1
        if sender is not None:
            sender.admitted = True
        self._frames += 1  # with no call before the append: an interrupt cannot come between
        self._messages.append(message)

    def _append(self, message: Message) -> None:
        self._wake_reader()
        self._messages.append(message)

    def _wake_reader(self) -> None:
        """Ring before the message is there: an interrupt (Ctrl-C) leaves a ring for nothing, none unannounced."""
        if self._reader_waits:
            self._reader_bell.put(None)
            self._reader_waits = False

    def _remove_oldest_frame(self) -> None:
        for index, message in enumerate(self._messages):
            if isinstance(message, FrameMessage):
                del self._messages[index]
                self._frames -= 1
                message.frame.release()
                self._discarded.append(message)
                return

    def _take(self) -> Message | None:
        """Take the oldest message; if there is none, ask for the bell."""
        with self._lock:
            if not self._messages:
                self._reader_waits = True
                return None
            message = self._messages.popleft()
            if type(message) is FrameMessage:
                self._frames -= 1
                if self._senders and self._frames <= self._low:
                    self._admit_senders()
            return message

    def _admit_senders(self) -> None:
        """Let in as many of those who wait as there is room for; an interrupt leaves them in the queue."""
        while self._senders and self._frames < self._capacity:
            sender = self._senders[0]
            if sender.admitted is None:
                self._accept(sender.wish, sender)
            self._senders.popleft().answer(admitted=True)

    def _refuse_senders(self) -> None:
        for sender in self._senders:
            sender.answer(admitted=False)
        self._senders.clear()

    def _wait_for_room(self, sender: Sender, timeout_ns: int | None) -> bool:
        """Wait until the sender is admitted or refused; however the wait ends, its frame is in the queue or out."""
        now_ns = self._clock.now_ns()
        deadline_ns = None if timeout_ns is None else now_ns + timeout_ns
        try:
            while sender.admitted is None and (deadline_ns is None or now_ns < deadline_ns):
                patient_ns = now_ns + PATIENCE_NS
                self._clock.wait(sender.bell, patient_ns if deadline_ns is None else min(patient_ns, deadline_ns))
                now_ns = self._clock.now_ns()
                if sender.admitted is None:
                    with self._lock:
                        self._admit_senders()
        except BaseException:  # Ctrl-C
            self._withdraw(sender)
            if not sender.admitted:
                sender.wish.is_withdrawn = True
            raise
        self._withdraw(sender)
        if sender.admitted is None:
            seconds = (timeout_ns or 0) / NS_PER_S
            raise SendTimeoutError(f"the queue of {self._capacity} frames stayed full for {seconds:g} s")
        return sender.admitted

    def _withdraw(self, sender: Sender) -> None:
        """Take a sender out of the line, unless its frame was accepted or refused."""
        with self._lock:
            if sender.admitted is None:
                self._senders.remove(sender)
