"""``zeromq_sink``: every frame as a message with its payload beside it, and an end behind each stream."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from picasso.flow import LeftOut
from picasso.media.payload import codec_name
from picasso.media.times import NS, Ticks
from picasso.module.run.baggage import baggage_of
from picasso.primitives import Message, VideoFrameContent
from picasso.wire import SocketKind, Writer, encode_message
from picasso.wire.sockets import IPC_PERMISSIONS

if TYPE_CHECKING:
    from fractions import Fraction

    from picasso.engine import OutputMessage
    from picasso.primitives import VideoFrame

EXTERNAL: Final = VideoFrameContent.external("zeromq")
SEND_TIMEOUT_S: Final = 5.0
"""Seconds between two warnings that no one takes what is sent."""
FAREWELL_S: Final = 1.0
"""Seconds that a sink which is closed waits for ends of streams to be acknowledged."""
_TRAVELLING: Final = {"raw-rgb": "raw-rgb24"}
"""Names of codecs that peers know by another one."""
logger: logging.Logger = logging.getLogger("picasso.module")


class WireSink:
    """Sends what comes out through a socket.

    Who reads slowly slows the module, except through PUB, which drops what its readers cannot take. A DEALER that
    no one reads waits for a reader, with a warning now and then. A REQ that no one answers fails, as the reader may
    have lost the frame.
    """

    name = "zeromq_sink"

    def __init__(
        self,
        socket: str,
        socket_type: str = "PUB",
        bind: bool = True,
        send_hwm: int = 50,
        receive_timeout: int = 5000,
        req_receive_retries: int = 3,
        set_ipc_socket_permissions: bool = True,
        old_peers: bool = True,
    ) -> None:
        """Open the socket.

        Args:
            socket: Its endpoint; a prefix such as ``dealer+connect:`` wins over the next two.
            socket_type: ``PUB``, ``DEALER`` or ``REQ``.
            bind: Whether it waits for readers, instead of calling one.
            send_hwm: Messages that may wait for one reader.
            receive_timeout: Longest wait for an answer in milliseconds, for each attempt.
            req_receive_retries: Further attempts.
            set_ipc_socket_permissions: Whether everyone may use the file of an ipc socket.
            old_peers: Whether chains are written as readers before savant-rs 1.0 understand them, which newer ones do,
                too; if not, a letter box is one step instead of two.

        Raises:
            SpecError: The endpoint is none, or of a reader.
            TransportError: It cannot be opened.
        """
        self._writer = Writer(
            socket,
            kind=socket_type,
            bind=bind,
            send_hwm=send_hwm,
            send_timeout_s=SEND_TIMEOUT_S,
            send_retries=None,
            receive_timeout_s=receive_timeout / 1e3,
            receive_retries=req_receive_retries,
            ipc_permissions=IPC_PERMISSIONS if set_ipc_socket_permissions else None,
        )
        self._old_peers = old_peers
        self._is_answered = self._writer.endpoint.kind is SocketKind.DEALER
        self._patience_s = receive_timeout / 1e3 * (req_receive_retries + 1)
        self._ends: deque[tuple[float, str]] = deque()
        """Ends of streams that were not acknowledged yet, each with the time until which that may take."""
        self.address: str = self._writer.address
        """Where it is bound, or what it calls."""

    def write(self, output: OutputMessage) -> LeftOut | None:
        """Send an ``output``, or say why it is left out.

        Raises:
            TransportError: No one answered a REQ in time, or it was stopped.
        """
        self._note_answers()
        if output.is_eos:
            sent = self._writer.send_eos(output.source_id, wait=False)
            if self._is_answered and not sent.is_acknowledged:
                self._ends.append((time.monotonic() + self._patience_s, output.source_id))
            return None
        frame = output.as_video_frame()
        baggage = baggage_of(frame)
        travelling, payload = travelling_frame(frame)
        message = Message(travelling, labels=baggage.labels, span_context=baggage.trace)
        self._writer.send(output.source_id, encode_message(message, old_peers=self._old_peers), payload)
        return None

    def stop(self) -> None:
        """Send no further, also where a reader is waited for. Any thread."""
        self._writer.stop()

    def close(self) -> None:
        """Close the socket when what was sent has left, or after five seconds."""
        self._note_answers(FAREWELL_S)
        for _due_s, source_id in self._ends:
            logger.warning("source %r: no one has acknowledged the end of its stream yet", source_id)
        self._writer.close()

    def _note_answers(self, wait_s: float = 0.0) -> None:
        """Take notice of ends of streams that were acknowledged, waiting so long, and of those that came too late."""
        for _ in range(self._writer.take_answers(wait_s)):
            if self._ends:
                self._ends.popleft()
        while self._ends and self._ends[0][0] < time.monotonic():
            logger.warning("source %r: no one acknowledged the end of its stream in time", self._ends.popleft()[1])


def travelling_frame(frame: VideoFrame) -> tuple[VideoFrame, bytes]:
    """Return a frame as peers read it, and its payload, which goes beside it.

    Times are in nanoseconds: peers get other time bases wrong.
    """
    twin = frame.copy()
    payload = b""
    if frame.content.is_internal():
        payload = frame.content.get_data()
        twin.content = EXTERNAL
    if frame.codec is not None:
        name = codec_name(frame.codec)
        twin.codec = _TRAVELLING.get(name, name)
    if frame.time_base != (1, NS):
        from fractions import Fraction

        base: Fraction = Fraction(*frame.time_base)
        to_ns = Ticks(base).to_ns
        twin.pts = to_ns(frame.pts)
        twin.dts = None if frame.dts is None else to_ns(frame.dts)
        twin.duration = None if frame.duration is None else to_ns(frame.duration)
        twin.time_base = (1, NS)
    return twin, payload
