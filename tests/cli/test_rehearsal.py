from __future__ import annotations

from pathlib import Path

import pytest

from picasso.cli.progress import LineProgress
from picasso.cli.rehearsal import rehearse
from picasso.cli.showcase.acts import ACTS
from picasso.cli.showcase.show import Options, open_act
from picasso.primitives import VideoFrame
from picasso_kernels.cpu.forms import Form


@pytest.mark.skia
def test_a_rehearsal_draws_every_kind_once_and_writes_nothing(tmp_path: Path) -> None:
    jobs = [open_act(act, tmp_path, Options()) for act in ACTS]
    seen: dict[str, list[tuple[str, str]]] = {}

    def on_render(source_id: str, _fbo_id: int, _width: int, _height: int, frame: VideoFrame) -> None:
        seen.setdefault(source_id, []).extend((found.namespace, found.label) for found in frame.get_all_objects())

    rehearse(jobs, LineProgress(lambda _line: None), on_render=on_render)
    assert seen == {act.source_id: [(act.detector.namespace, act.detector.label)] for act in ACTS}
    for job in jobs:
        for file in job.files:
            file.close()
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (Form("jit", "nothing was built"), "Getting ready; the first run on a machine compiles its kernels."),
        (Form("built", "v3 is the best"), "Getting ready."),
    ],
)
def test_a_rehearsal_says_that_kernels_are_compiled_where_they_are(
    form: Form, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("picasso.cli.rehearsal.form", lambda: form)
    monkeypatch.setattr("picasso.cli.rehearsal.run", lambda *_arguments, **_options: None)
    lines: list[str] = []
    rehearse([], LineProgress(lines.append))
    assert lines == [line]


def test_an_interrupted_rehearsal_leaves_no_empty_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("picasso.cli.rehearsal.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rehearse([open_act(act, tmp_path, Options()) for act in ACTS], LineProgress(lambda _line: None))
    assert not list(tmp_path.glob("*.mp4"))
