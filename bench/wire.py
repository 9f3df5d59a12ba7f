"""Messages a second from one process to another: ``python bench/wire.py``, or ``just bench-wire``.

A process sends as fast as it can for some seconds, this one receives. What is counted arrived and was decoded:

- ``frame``: a frame with 10 objects, encoded each time, and 50 kB beside it, decoded to a frame at the other end;
- ``relayed``: the same, the message encoded once and only its outside read at the other end, as a router does;
- ``raw``: 720p RGBA, 3.7 MB beside a frame without objects.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from picasso.primitives import Message, RBBox, VideoFrame, VideoFrameContent
from picasso.wire import Reader, Received, Writer, encode_message

KINDS = ("frame", "relayed", "raw")
WARM = 200
"""Messages before the clock starts."""


def made(objects: int) -> VideoFrame:
    frame = VideoFrame(
        "cam-1", "30/1", 1280, 720, VideoFrameContent.external("zeromq"), codec="jpeg", keyframe=True,
        time_base=(1, 10**9), pts=1, duration=33_333_333,
    )  # fmt: skip
    for number in range(objects):
        frame.create_object("detector", "person", None, 0.87, RBBox(400 + number, 300, 200, 100, None), number, None)
    return frame


def write(kind: str, address: str, seconds: float) -> None:
    """Send until the time is over, then end the stream."""
    frame = made(0 if kind == "raw" else 10)
    payload = bytes(1280 * 720 * 4 if kind == "raw" else 50_000)
    with Writer(f"dealer+connect:{address}", send_timeout_s=60, receive_timeout_s=60) as writer:
        encoded = encode_message(Message.video_frame(frame))
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            for _ in range(20):
                writer.send("cam-1", encoded if kind == "relayed" else Message.video_frame(frame), payload)
        writer.send_eos("cam-1")


def measure(kind: str, protocol: str, seconds: float) -> float:
    """Return messages a second."""
    with tempfile.TemporaryDirectory() as folder:
        address = "tcp://127.0.0.1:*" if protocol == "tcp" else f"ipc://{folder}/s.ipc"
        with Reader(f"router+bind:{address}", receive_timeout_s=60) as reader:
            process = multiprocessing.get_context("spawn").Process(target=write, args=(kind, reader.address, seconds))
            process.start()
            try:
                return _count(kind, reader)
            finally:
                process.join()


def _count(kind: str, reader: Reader) -> float:
    count, began_s, now_s = 0, 0.0, 0.0
    while True:
        received = reader.receive()
        if not isinstance(received, Received):
            sys.exit(f"nothing came: {received}")
        if received.kind.name == "END_OF_STREAM":
            break
        if kind != "relayed":
            frame = received.message().as_video_frame()
            assert frame is not None
        count += 1
        now_s = time.perf_counter()
        if count == WARM:
            began_s = now_s
    assert reader.stats().missed == 0
    return (count - WARM) / (now_s - began_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="for how long each kind is sent")
    parser.add_argument("--protocol", choices=("ipc", "tcp"), default="ipc")
    parser.add_argument("--kind", choices=KINDS, help="one kind only")
    chosen = parser.parse_args()
    print(f"{chosen.protocol}, two processes, {Path(sys.executable).name} {sys.version.split()[0]}")
    for kind in KINDS if chosen.kind is None else (chosen.kind,):
        print(f"{kind:8} {measure(kind, chosen.protocol, chosen.seconds):10,.0f} messages/s", flush=True)


if __name__ == "__main__":
    main()
