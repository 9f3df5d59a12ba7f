"""Directives of ``log_level``, and the records that they let pass."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.engine.source_at_work import work_for
from picasso.engine.threads import EngineThread
from picasso.module.log_lines import REPEATS, TRACE, Format, JsonFormat
from picasso.module.log_repeats import MAX_KINDS, Repeats
from picasso.module.logs import OFF, LogLevels, doubts, logging_to

NAMES = ["insight.savant", "insight.savant.my_func", "picasso.module", "picasso.engine", "other"]
INFO, W, D = logging.INFO, logging.WARNING, logging.DEBUG
TABLE = {
    "": [INFO, INFO, INFO, INFO, INFO],
    "info": [INFO, INFO, INFO, INFO, INFO],
    "WARN": [W, W, W, W, W],
    "trace": [TRACE] * 5,
    "insight::savant=info": [INFO, INFO, INFO, INFO, OFF],
    "warn,insight::savant::my_func=debug": [W, D, W, W, W],
    "insight::savant::my_func=debug": [OFF, D, OFF, OFF, OFF],
    "insight::savant::engine=debug": [OFF, OFF, OFF, D, OFF],
    "other": [OFF, OFF, OFF, OFF, INFO],
    " , info ,, other=debug ": [INFO, INFO, INFO, INFO, D],
    "Warning": [W, W, W, W, W],
    "off": [OFF] * 5,
    "info,picasso.engine=off": [INFO, INFO, INFO, OFF, INFO],
    "info,a=b=c": [INFO, INFO, INFO, INFO, INFO],
    "info,other=loud": [INFO, INFO, INFO, INFO, INFO],
    "error,picasso=debug,picasso.engine=warn": [logging.ERROR, logging.ERROR, D, W, logging.ERROR],
}
"""The levels of the names under each text."""


@pytest.mark.parametrize(("spec", "levels"), TABLE.items(), ids=TABLE)
def test_the_longest_target_decides(spec: str, levels: list[int]) -> None:
    parsed = LogLevels.parse(spec)
    assert [parsed.level_of(name) for name in NAMES] == levels
    assert parsed.lowest <= min(levels)


@given(st.text(alphabet="abinfowardeug:=,. ", max_size=40))
def test_any_text_is_directives(spec: str) -> None:
    assert LogLevels.parse(spec).lowest > 0


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "verbose",
            ["'verbose' is taken for a target, and all other loggers are off; levels are off, critical, error,"],
        ),
        ("info,other=loud", ["'other=loud' is left out: unknown level 'loud'; one of off, critical, error,"]),
        ("other,x=loud", ["'x=loud' is left out", "'other' is taken for a target"]),
        ("warning", []),
        ("info,other", []),
        ("insight::savant::my_func", []),
        ("insight::savant=debug", []),
        ("", []),
    ],
)
def test_what_is_probably_no_level_is_said(spec: str, words: list[str]) -> None:
    said = doubts(spec)
    assert len(said) == len(words)
    assert all(one.startswith(word) for one, word in zip(said, words, strict=True))


def test_records_have_one_form_and_everything_is_as_before_afterwards() -> None:
    stream, root, own = io.StringIO(), logging.getLogger(), logging.getLogger("picasso")
    before = (root.level, own.level, list(root.handlers), list(own.handlers))
    with logging_to(stream, "warn,insight::savant::my_func=debug"):
        logging.getLogger("insight.savant.my_func").debug("seen %d", 1)
        logging.getLogger("insight.savant.other").info("not seen")
        logging.getLogger("picasso.module").warning("seen, too")
    assert stream.getvalue().splitlines() == [
        "DEBUG insight::savant::my_func > seen 1",
        "WARNING picasso::module > seen, too",
    ]
    assert (root.level, own.level, list(root.handlers), list(own.handlers)) == before


def written(form: str = "text", repeats: int = 10) -> tuple[io.StringIO, AbstractContextManager[None]]:
    stream = io.StringIO()
    return stream, logging_to(stream, "trace", form=form, repeats=repeats)


def test_a_line_says_for_which_source_and_trace_it_was_written() -> None:
    stream, logged = written()
    log = logging.getLogger("insight.savant.my_func")
    with logged:
        log.info("of none")
        work_for("cam")
        log.info("seen %d", 3)
        log.info("source %r: lost", "cam")
        log.info("mine", extra={"source_id": "gate"})
        work_for(None)
        log.info("traced", extra={"trace_id": "a" * 32, "source_id": "cam"})
    assert stream.getvalue().splitlines() == [
        "INFO insight::savant::my_func > of none",
        "[source_id=cam] INFO insight::savant::my_func > seen 3",
        "INFO insight::savant::my_func > source 'cam': lost",
        "[source_id=gate] INFO insight::savant::my_func > mine",
        f"[trace_id={'a' * 32}] [source_id=cam] INFO insight::savant::my_func > traced",
    ]


def test_threads_of_a_source_write_for_it_and_others_for_none() -> None:
    stream, logged = written()
    with logged:
        for source_id in ("cam", None):
            log = logging.getLogger("insight.savant.my_func")
            thread = EngineThread(target=log.info, args=("here",), name="t", source_id=source_id)
            thread.start()
            thread.join()
    assert stream.getvalue().splitlines() == [
        "[source_id=cam] INFO insight::savant::my_func > here",
        "INFO insight::savant::my_func > here",
    ]


def test_json_makes_one_object_of_each_record() -> None:
    stream, logged = written("json")
    log = logging.getLogger("insight.savant.my_func")
    with logged:
        given = {"source_id": "cam", "trace_id": "b" * 32, "plates": ["A 1"], "odd": {1, 2}, "_of_a_library": 7}
        log.info("two\nlines", extra=given)
        try:
            raise ValueError("no plate")
        except ValueError:
            log.exception("not read")
        log.log(TRACE, "deep")
    first, second, third = (json.loads(line) for line in stream.getvalue().splitlines())
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first == {
        "level": "info",
        "target": "insight::savant::my_func",
        "message": "two\nlines",
        "source_id": "cam",
        "trace_id": "b" * 32,
        "plates": ["A 1"],
        "odd": [1, 2],
    }
    assert (second["message"], second["exception"].splitlines()[-1]) == ("not read", "ValueError: no plate")
    assert (third["level"], set(third)) == ("trace", {"time", "level", "target", "message"})


def record(level: int, text: str, *values: object, source_id: str | None = None) -> logging.LogRecord:
    made = logging.LogRecord("picasso.module", level, "", 0, text, values, None)
    made.source_id = source_id
    return made


def test_json_writes_what_utf8_cannot_and_what_goes_in_a_circle() -> None:
    """Records are not logged here: what runs the tests writes them down, too, and cannot."""
    odd, wrong = record(INFO, "file %s", "a\udc80"), record(INFO, "seen")
    circle: list[object] = []
    circle.append(circle)
    odd.circle, wrong.thing = circle, object
    first, second = (json.loads(JsonFormat().format(one)) for one in (odd, wrong))
    assert (first["message"], first["circle"]) == ("file a\udc80", "[[...]]")
    assert second["thing"].startswith("<class")


def texts(records: Iterable[logging.LogRecord]) -> list[str]:
    return [Format().format(one).partition(" > ")[2] for one in records]


def test_warnings_that_repeat_themselves_are_counted() -> None:
    now_s = 0.0
    repeats = Repeats(2, lambda: now_s)
    said = [texts(repeats.pass_on(record(W, "lost %d", n))) for n in range(5)]
    assert said == [["lost 0"], ["lost 1"], [], [], []]
    assert texts(repeats.pass_on(record(W, "lost %d", 9, source_id="cam"))) == ["lost 9"]  # another source
    assert texts(repeats.pass_on(record(W, "other"))) == ["other"]
    assert [texts(repeats.pass_on(record(INFO, "seen"))) for _ in range(4)] == [["seen"]] * 4
    now_s = 9.0
    assert texts(repeats.pass_on(record(W, "lost %d", 5))) == []
    now_s = 10.5
    assert texts(repeats.pass_on(record(INFO, "anything"))) == ["lost 5 (4 more like it in 10 s)", "anything"]
    assert texts(repeats.pass_on(record(W, "lost %d", 6))) == ["lost 6"]
    assert texts(repeats.flush()) == []


@given(st.lists(st.tuples(st.sampled_from(["a", "b %d", "c"]), st.floats(0, 30)), max_size=60), st.integers(0, 4))
def test_what_is_written_and_what_is_counted_is_what_was_logged(kinds: list[tuple[str, float]], limit: int) -> None:
    now_s = 0.0
    repeats = Repeats(limit, lambda: now_s)
    out: list[logging.LogRecord] = []
    for text, pause_s in kinds:
        now_s += pause_s
        out += repeats.pass_on(record(W, text, *([1] if "%" in text else [])))
    out += repeats.flush()
    for text in {text for text, _pause_s in kinds}:
        counts = [getattr(one, REPEATS, None) for one in out if one.msg == text]
        counted = sum(count[0] for count in counts if count is not None)
        assert counts.count(None) + counted == [kind for kind, _pause_s in kinds].count(text)


def test_kinds_of_which_too_many_come_are_written_and_forgotten() -> None:
    repeats = Repeats(1, lambda: 0.0)
    for n in range(MAX_KINDS):
        for _ in range(3):
            list(repeats.pass_on(record(W, f"kind {n}")))
    assert texts(repeats.pass_on(record(W, "one more"))) == ["one more", "kind 0 (2 more like it in 0 s)"]


def test_what_was_counted_is_written_at_the_end() -> None:
    stream, logged = written(repeats=2)
    with logged:
        for n in range(7):
            logging.getLogger("picasso.module").warning("lost %d", n)
    *_, last = stream.getvalue().splitlines()
    assert len(stream.getvalue().splitlines()) == 3
    assert last == "WARNING picasso::module > lost 6 (5 more like it in 0 s)"


MODULE = """
name: m
parameters: {{frame: {{width: 64, height: 48}}, log_format: {form}, log_repeats: {repeats}, min_fps: 10/1}}
pipeline:
  source: {{element: videotestsrc, properties: {{width: 64, height: 48, num-buffers: 4, source_id: cam}}}}
  elements: [{{element: pyfunc, module: says.py, class_name: says}}]
  sink: [{{element: devnull_sink}}]
"""


@pytest.mark.parametrize(("form", "repeats"), [("json", 0), ("text", 2)])
def test_a_module_logs_as_its_parameters_say(tmp_path: Path, form: str, repeats: int) -> None:
    (tmp_path / "m.yml").write_text(MODULE.format(form=form, repeats=repeats))
    code = (
        "import logging\ndef says(frame):\n    logging.getLogger('insight.savant.says').warning('pts %d', frame.pts)\n"
    )
    (tmp_path / "says.py").write_text(code)
    command = [sys.executable, "-m", "picasso", "run", "-q", "m.yml"]
    lines = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stderr.splitlines()
    if form == "text":
        ours = [line for line in lines if " insight::savant::says > pts" in line]
        assert len(ours) == 3
        assert ours[0] == "[source_id=cam] WARNING insight::savant::says > pts 0"
        assert ours[2].endswith("(2 more like it in 0 s)")
        assert any(line.startswith("WARNING picasso::module > m.yml:3: parameters.min_fps: has no") for line in lines)
        return
    said = [json.loads(line) for line in lines]
    ours = [(one["source_id"], one["level"]) for one in said if one["target"] == "insight::savant::says"]
    assert ours == [("cam", "warning")] * 4
    assert "min_fps" in said[0]["message"]
