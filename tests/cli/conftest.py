from __future__ import annotations

from pathlib import Path

import av
import pytest

from picasso.cli.showcase.clips import clip_path

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first on a machine waits for the compiler of the kernels."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session", autouse=True)
def _no_compiler_is_at_work(compiled_kernels: None) -> None:
    """None is while threads are counted."""


@pytest.fixture(scope="session")
def clip() -> Path:
    """640x272, 25 frames/s, 250 frames of H.264."""
    return clip_path("bikes.mp4")


@pytest.fixture(scope="session")
def small_clip() -> Path:
    """176x144, 30000/1001 frames/s, 120 frames of H.264."""
    return clip_path("carphone_pristine.mp4")


@pytest.fixture(scope="session")
def truncated(small_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small clip with its header in front, cut in the middle."""
    path = tmp_path_factory.mktemp("truncated") / "cut.mp4"
    with av.open(small_clip) as source, av.open(path, "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path
