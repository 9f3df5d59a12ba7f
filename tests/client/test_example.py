"""The example of docs/examples/three_clips: a module and a client, each a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from client_kit import write_video

HERE = Path(__file__).parents[2] / "docs" / "examples" / "three_clips"


def test_three_clips_are_sent_and_their_results_received(tmp_path: Path) -> None:
    clips = [write_video(tmp_path / f"{name}.mp4") for name in ("a", "b", "c")]
    environment = {
        **os.environ,
        "ZMQ_SRC_ENDPOINT": f"router+bind:ipc://{tmp_path}/in.ipc",
        "ZMQ_SINK_ENDPOINT": f"dealer+bind:ipc://{tmp_path}/out.ipc",
        "TO_MODULE": f"dealer+connect:ipc://{tmp_path}/in.ipc",
        "FROM_MODULE": f"router+connect:ipc://{tmp_path}/out.ipc",
        "SHUTDOWN_AUTH": "key",
    }
    module = subprocess.Popen([sys.executable, "-m", "picasso", "run", str(HERE / "module.yml"), "-q"], env=environment)
    try:
        client = subprocess.run(
            [sys.executable, str(HERE / "client.py"), *map(str, clips)],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert client.returncode == 0, client.stderr
        assert module.wait(60) == 0  # the client's key has stopped it
    finally:
        module.kill()
        module.wait()
    lines = [line.split(maxsplit=2) for line in client.stdout.splitlines()]
    for source in ("a", "b", "c"):
        assert [int(pts) for name, pts, _ in lines if name == source] == [number * 40_000_000 for number in range(6)]
    assert len(lines) == 18
    assert {rest for _, _, rest in lines} == {"(0, 0, 80, 80) (240, 320, 3)"}
