"""``picasso send`` and ``picasso receive``: files to a module, and what it makes as files."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from client_kit import grey, module_between, write_picture, write_video
from typer.testing import CliRunner

from picasso.cli.app import app
from picasso.client import DumpReader, SinkBuilder
from picasso.media import VideoReader
from picasso.primitives import EndOfStream
from picasso.wire import Reader, Received


def picasso(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments], prog_name="picasso")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr


def read(path: Path) -> list[float]:
    with VideoReader(path) as reader:
        return [float(item[1].planes[0].mean()) for item in reader if not isinstance(item, EndOfStream)]


def test_three_clips_go_through_a_module_and_become_files_again(tmp_path: Path) -> None:
    """Two commands of their own, beside the module."""
    clips = [write_video(tmp_path / f"{name}.mp4", bf="2") for name in ("a", "b", "c")]
    out = tmp_path / "out"
    command = [sys.executable, "-m", "picasso"]
    with module_between(tmp_path, {"output_frame": {"codec": "h264", "encoder": "software"}}):
        receiving = subprocess.Popen(
            [*command, "receive", f"router+connect:ipc://{tmp_path}/out.ipc", "-o", str(out), "--ends", "3"]
        )
        sending = subprocess.run(
            [*command, "send", *map(str, clips), f"dealer+connect:ipc://{tmp_path}/in.ipc"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert receiving.wait(60) == 0
    assert sending.returncode == 0, sending.stderr
    assert "a: 6 frames" in sending.stderr
    for name in ("a", "b", "c"):
        luma = read(out / f"{name}.mp4")
        assert len(luma) == 6
        assert all(abs(value - (16 + grey(n) * 219 / 255)) < 8 for n, value in enumerate(luma))
        lines = [json.loads(line) for line in (out / f"{name}.ndjson").read_text().splitlines()]
        assert [line["pts"] for line in lines if "pts" in line] == [n * 40_000_000 for n in range(6)]


def test_messages_are_recorded_and_sent_again(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.jpg")
    dump = tmp_path / "all.messages"
    receiving = subprocess.Popen(
        [
            *(sys.executable, "-m", "picasso", "receive", f"router+bind:ipc://{tmp_path}/in.ipc"),
            *("-o", str(dump), "--ends", "2", "-q"),
        ]
    )
    code, err = picasso("send", picture, picture, f"dealer+connect:ipc://{tmp_path}/in.ipc", "--timeout", "50")
    assert code == 0, err
    assert receiving.wait(60) == 0
    recorded = list(DumpReader(dump))
    assert {one.source_id for one in recorded} == {"a", "a-2"}
    with SinkBuilder(socket=f"router+bind:ipc://{tmp_path}/again.ipc", idle_timeout=60).build() as sink:
        results: list[bytes | None] = []
        taking = threading.Thread(target=lambda: results.extend(next(sink).frame_content for _ in recorded))
        taking.start()
        code, err = picasso("send", dump, f"dealer+connect:ipc://{tmp_path}/again.ipc", "-q", "--timeout", "50")
        taking.join()
    assert code == 0, err
    assert results[:2] == [picture.read_bytes()] * 2


def test_a_shutdown_key_is_sent_behind_the_frames(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.jpg")
    kinds: list[str] = []
    with Reader(f"router+bind:ipc://{tmp_path}/in.ipc", receive_timeout_s=20) as reader:

        def take() -> None:
            while len(kinds) < 3:
                received = reader.receive()
                assert isinstance(received, Received)
                kinds.append(received.kind.name)

        taking = threading.Thread(target=take)
        taking.start()
        code, _ = picasso(
            "send", picture, f"dealer+connect:ipc://{tmp_path}/in.ipc", "-s", "cam", "--shutdown", "key", "-q"
        )
        taking.join()
    assert (code, kinds) == (0, ["VIDEO_FRAME", "END_OF_STREAM", "SHUTDOWN"])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["send", "{jpg}", "dealer+connect:ipc://{tmp}/no one.ipc", "--timeout", "0.05"], 1, "no one took a message"),
        (["send", "{tmp}/none.mp4", "tcp://127.0.0.1:1"], 2, "none.mp4: no such file"),
        (["send", "{jpg}", "{jpg}", "tcp://h:1", "-s", "cam"], 2, "names one source; there are several files"),
        (["send", "{jpg}", "x.messages", "tcp://h:1"], 2, "holds messages of its own"),
        (["send", "{jpg}", "sub+bind:ipc:///x"], 1, "sub reads; a writer takes one of pub, dealer, req"),
        (["send", "{jpg}", "nonsense"], 1, "endpoint 'nonsense'"),
        (["send", "{jpg}", "dealer+connect:ipc://{tmp}/n", "--health", "http://127.0.0.1:9/", "--timeout", "0.05"], 1,
         "Module is not ready"),
        (["receive", "pub+bind:ipc:///x", "-o", "{tmp}/out"], 1, "pub writes; a reader takes"),
        (["receive", "router+bind:ipc://{tmp}/r.ipc", "-o", "{tmp}/out", "--idle", "0.01"], 1, "nothing was received"),
        (["receive", "router+bind:ipc://{tmp}/r.ipc"], 2, "-o"),
        (["send", "--help"], 0, ""),
        (["receive", "--help"], 0, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_exit_codes_and_sentences(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.jpg")
    ended, err = picasso(*[one.format(jpg=picture, tmp=tmp_path) for one in arguments])
    assert ended == code, err
    assert says in " ".join(err.split())
