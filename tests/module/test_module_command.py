"""``picasso run`` and ``picasso module``, as users call them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from running import picasso

GOOD = """
name: good
parameters: {batchsize: 2, output_frame: {codec: jpeg}}
pipeline:
  source: {element: videotestsrc, properties: {num-buffers: 5}}
  sink: [{element: image_file_sink, properties: {location: images}}]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODULE_NAME", raising=False)
    return tmp_path


def test_run_runs_the_file_and_shows_how_each_source_fared(folder: Path) -> None:
    (folder / "m.yml").write_text(GOOD)
    done = picasso("run", "m.yml")
    assert done.code == 0, done.err
    assert len(list((folder / "images" / "test").iterdir())) == 5
    assert "did you mean 'batch_size'?" in done.err
    rows = [line.split() for line in done.err.splitlines()]
    assert ["test", "ended", "5"] in [row[:3] for row in rows]


def test_run_ends_with_1_where_every_source_failed(folder: Path) -> None:
    (folder / "m.yml").write_text(
        GOOD.replace("videotestsrc, properties: {num-buffers: 5}", "uridecodebin, properties: {uri: none.mp4}")
    )
    assert picasso("run", "m.yml", "-q").code == 1


def test_run_ends_with_1_where_a_sink_failed_and_others_went_on(folder: Path) -> None:
    (folder / "taken").touch()
    bad = ", {element: metadata_json_sink, name: records, properties: {location: 'taken/{source}.ndjson'}}]"
    (folder / "m.yml").write_text(GOOD.rstrip().removesuffix("]") + bad)
    done = picasso("run", "m.yml", "-q")
    assert done.code == 1
    assert len(list((folder / "images" / "test").iterdir())) == 5
    last = done.err.splitlines()[-1]
    assert last.startswith("picasso: sink records: 0 of 5 frames written: ")
    assert "taken" in last


@pytest.mark.parametrize(("level", "warnings"), [("loud", 1), ("error", 0), ("warning", 0), ("info,x=loud", 1)])
def test_a_word_that_is_no_level_is_said_though_it_ends_the_log(folder: Path, level: str, warnings: int) -> None:
    (folder / "m.yml").write_text(GOOD.replace("{batchsize: 2,", f"{{log_level: '{level}',"))
    for command in (["run", "-q"], ["module", "check"]):
        done = picasso(*command, "m.yml")
        assert done.code == 0
        assert done.err.count("m.yml:3: parameters.log_level: ") == warnings


def test_a_line_of_a_label_with_an_unknown_name_is_warned_about_before_it_is_drawn(folder: Path) -> None:
    look = "{yolo: {person: {label: {format: ['{label} {track_id}', '{labl}']}}, car: {bbox: {}}}}"
    (folder / "m.yml").write_text(GOOD.replace("{batchsize: 2,", f"{{draw_func: {{rendered_objects: {look}}},"))
    done = picasso("module", "check", "m.yml")
    assert done.code == 0
    place = "parameters.draw_func.rendered_objects.yolo.person.label.format[1]"
    (warning,) = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert warning.startswith(f"warning: m.yml:3: {place}: drawn as it stands: ")
    assert "unknown name 'labl'; one of namespace, label," in warning


def test_check_prints_every_value_with_its_origin(folder: Path) -> None:
    (folder / "m.yml").write_text(GOOD)
    done = picasso("module", "check", "m.yml")
    assert done.code == 0
    assert any(line.startswith("name: good") and line.endswith("# m.yml:2") for line in done.out.splitlines())
    assert "warning: m.yml:3: parameters.batchsize" in done.err


def test_faults_come_one_a_line_with_exit_code_1(folder: Path) -> None:
    (folder / "m.yml").write_text(GOOD.replace("jpeg", "jpg").replace("num-buffers: 5", "num-buffers: five"))
    for command in (("run",), ("module", "check")):
        done = picasso(*command, "m.yml")
        assert done.code == 1
        assert [line.split(": ")[0:2] for line in done.err.splitlines()[1:]] == [  # behind a warning
            ["m.yml:3", "parameters.output_frame.codec"],
            ["m.yml:5", "pipeline.source.properties.num-buffers"],
        ]


def test_a_key_that_is_probably_written_wrong_is_named_beside_faults(folder: Path) -> None:
    (folder / "m.yml").write_text(GOOD.replace("jpeg", "jpg"))
    warning, fault = picasso("module", "check", "m.yml").err.splitlines()
    assert warning.startswith("warning: m.yml:3: parameters.batchsize: ")
    assert "'batch_size'" in warning
    assert fault.startswith("m.yml:3: parameters.output_frame.codec: ")


def test_the_schema_is_json() -> None:
    done = picasso("module", "schema")
    assert json.loads(done.out)["title"] == "picasso module"
