"""Either side is killed under load and comes again: what is missing is told, and nothing hangs."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from wire_kit import FRAME, take

from picasso.errors import TransportTimeoutError
from picasso.wire import Reader, Received, Sent, Writer

WRITE = """
import sys
from picasso.wire import Writer
with Writer(sys.argv[1], send_timeout_s=60) as writer:
    while True:
        writer.send("cam", bytes.fromhex(sys.argv[2]), bytes(50_000))
"""
READ = """
import sys
from picasso.wire import Reader
with Reader(sys.argv[1], receive_timeout_s=60) as reader:
    for received in reader:
        print(received.sequence, flush=True)
"""
PAIRS = [("router", "dealer"), ("rep", "req"), ("sub", "pub")]


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize(("reading", "writing"), PAIRS)
def test_a_writer_that_is_killed_twice_is_noticed_twice(reading: str, writing: str, tmp_path: Path) -> None:
    gaps, last = [], 0
    with Reader(f"{reading}+bind:ipc://{tmp_path}/r.ipc", receive_timeout_s=60) as reader:
        for run in range(3):
            process = start(WRITE, f"{writing}+connect:ipc://{tmp_path}/r.ipc", FRAME.hex())
            try:
                count = 0
                while count < 30 or (writing != "pub" and len(gaps) < run):
                    received = take(reader)
                    assert isinstance(received, Received)
                    count += 1
                    if received.gap is None:
                        assert received.sequence == last + 1
                    else:
                        gaps.append(received.gap)
                    last = received.sequence
            finally:
                kill(process)
    if writing != "pub":  # which loses what comes too fast, and may begin behind where its predecessor was
        assert [gap.is_restart for gap in gaps] == [True, True]
        assert reader.stats().missed == 0  # what arrived is whole; what a writer had not sent, no reader can know


@pytest.mark.parametrize(("reading", "writing"), PAIRS[:2])
def test_a_reader_that_is_killed_is_waited_for_and_its_successor_tells_the_gap(
    reading: str, writing: str, tmp_path: Path
) -> None:
    address = f"ipc://{tmp_path}/r.ipc"
    first = start(READ, f"{reading}+bind:{address}")
    patience = {"send_timeout_s": 60.0, "receive_timeout_s": 0.05, "receive_retries": 0}
    with Writer(f"{writing}+connect:{address}", send_hwm=5, **patience) as writer:
        try:
            for _ in range(20):
                writer.send("cam", FRAME, bytes(50_000))
            assert first.stdout is not None
            assert [int(first.stdout.readline()) for _ in range(20)] == list(range(1, 21))
        finally:
            kill(first)
        second = start(READ, f"{reading}+bind:{address}")
        try:
            unanswered = 0
            for _ in range(20):
                try:
                    writer.send("cam", FRAME, bytes(50_000))
                except TransportTimeoutError:
                    unanswered += 1  # of REQ: sent, and the answer died with its reader
            assert second.stdout is not None
            seen = [int(second.stdout.readline())]
            while seen[-1] < 40 and not (writing == "req" and len(seen) >= 20 - unanswered):
                seen.append(int(second.stdout.readline()))
        finally:
            kill(second)
    assert seen[0] > 20
    assert seen == sorted(set(seen))
    assert writer.stats().lost == unanswered


@pytest.mark.parametrize("kinds", [("dealer", "router"), ("req", "rep")])
def test_an_answer_arrives_although_its_reader_closes_at_once(kinds: tuple[str, str], tmp_path: Path) -> None:
    sender, receiver = kinds
    for number in range(4):
        address = f"ipc://{tmp_path}/{number}.ipc"
        with Writer(f"{sender}+connect:{address}", receive_timeout_s=20, receive_retries=0) as writer:
            sent: list[Sent] = []
            sending = threading.Thread(target=lambda writer=writer, sent=sent: sent.append(writer.send_eos("cam")))
            sending.start()
            with Reader(f"{receiver}+bind:{address}", receive_timeout_s=20) as reader:
                assert isinstance(reader.receive(), Received)
            sending.join()
        assert sent[0].is_acknowledged
