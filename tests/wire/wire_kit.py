"""Pairs of sockets, and messages that need no codec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from picasso.wire import Reader, Received, Rejected, Writer

FRAME = b"\x0a\x050.2.0\x2a\x00"
"""A message with an empty video frame."""
PAIRS = [("router", "dealer"), ("rep", "req"), ("sub", "pub")]


def address_of(protocol: str, folder: Path) -> str:
    return "tcp://127.0.0.1:*" if protocol == "tcp" else f"ipc://{folder}/s.ipc"


@contextmanager
def pair(
    protocol: str, reading: str, writing: str, folder: Path, *, reader_binds: bool = True
) -> Iterator[tuple[Reader, Writer]]:
    """A reader and a writer that talk."""
    address = address_of(protocol, folder)
    patience = {"send_timeout_s": 5.0, "send_retries": 0, "receive_timeout_s": 5.0, "receive_retries": 0}
    if reader_binds:
        with Reader(f"{reading}+bind:{address}", receive_timeout_s=5) as reader:
            with Writer(f"{writing}+connect:{reader.address}", **patience) as writer:
                yield reader, writer
    else:
        with Writer(f"{writing}+bind:{address}", **patience) as writer:
            with Reader(f"{reading}+connect:{writer.address}", receive_timeout_s=5) as reader:
                yield reader, writer


def meet(reader: Reader, writer: Writer) -> None:
    """Send until a subscription has arrived, and take what came."""
    while not isinstance(reader.receive(0.02), Received):
        writer.send("meet", FRAME)
    writer.send_eos("meet")
    while (result := reader.receive()).kind != 9:  # type: ignore[union-attr]
        assert isinstance(result, Received)


def take(reader: Reader) -> Received | Rejected:
    """The next message, which must come."""
    result = reader.receive()
    assert isinstance(result, Received | Rejected), result
    return result
