"""Drawing specs that match nothing are told once, with what there is instead."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest
from engine_kit import WIDTH, encode_spec, make_frame, make_pixels, send

from picasso.draw import BoundingBoxDraw, ObjectDraw, ObjectDrawSpec
from picasso.engine import ConditionalSpec, PicassoEngine, SourceSpec
from picasso.engine.path.unmatched import LOOK_FRAMES, Unmatched
from picasso.primitives import RBBox
from picasso.testing import FakeClock, RecordingCallbacks


def draw_spec(*labels: str, namespace: str = "detector") -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    for label in labels:
        draw.insert(namespace, label, ObjectDraw(BoundingBoxDraw()))
    return draw


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def spec_of(draw: ObjectDrawSpec, **spec: object) -> SourceSpec:
    return encode_spec(WIDTH, WIDTH, draw=draw, **spec)


def test_a_misspelt_label_is_told_at_the_end_of_the_stream_and_never_again(
    engine: PicassoEngine, recorder: RecordingCallbacks, caplog: pytest.LogCaptureFixture
) -> None:
    engine.set_source_spec("cam", spec_of(draw_spec("car", "cra")))
    for start in (0, 10):
        for pts in range(start, start + 3):
            send(engine, pts, "cam")
        engine.send_eos("cam")
    recorder.wait_until(lambda calls: sum(call.is_sentinel for call in calls) == 2)
    engine.shutdown()
    assert warnings_of(caplog) == [
        "picasso: source 'cam': the drawing spec matches no object for 'detector/cra': of 3 frames with objects, "
        "the objects are 'detector/car'"
    ]


@pytest.mark.parametrize("end", ["shutdown", "remove", "mode"])
def test_every_end_of_a_source_tells(engine: PicassoEngine, caplog: pytest.LogCaptureFixture, end: str) -> None:
    engine.set_source_spec("cam", spec_of(draw_spec("car", namespace="detectr")))
    send(engine, 0, "cam")
    if end == "remove":
        engine.remove_source_spec("cam")
    elif end == "mode":
        engine.set_source_spec("cam", SourceSpec())
    engine.shutdown()
    (warning,) = warnings_of(caplog)
    assert "matches no object for 'detectr/car': of the frame with objects, the objects are 'detector/car'" in warning


def test_a_camera_is_told_while_it_runs_and_looked_at_no_longer(
    engine: PicassoEngine, recorder: RecordingCallbacks, caplog: pytest.LogCaptureFixture
) -> None:
    engine.set_source_spec("cam", spec_of(draw_spec("cra")))
    for pts in range(LOOK_FRAMES + 5):
        send(engine, pts, "cam")
    recorder.wait_for("on_encoded_frame", LOOK_FRAMES + 5, timeout_s=60)
    assert len(warnings_of(caplog)) == 1
    assert f"of {LOOK_FRAMES} frames with objects" in warnings_of(caplog)[0]


def test_a_source_that_was_evicted_and_comes_back_is_not_told_again(
    engine: PicassoEngine, recorder: RecordingCallbacks, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    engine.set_source_spec("cam", spec_of(draw_spec("cra")))
    for pts in (1, 2):
        send(engine, pts, "cam")
        recorder.wait_for("on_encoded_frame", 2 * pts - 1)
        worker = engine._core._live["cam"].worker
        clock.wait_for_sleepers(1)
        clock.advance(60)
        worker.join()
    assert len(warnings_of(caplog)) == 1


QUIET = {
    "everything matches": (draw_spec("car"), {}, 3),
    "no objects": (draw_spec("cra"), {}, 0),
    "nothing to draw": (draw_spec(), {}, 3),
    "never drawn on": (draw_spec("cra"), {"conditional": ConditionalSpec(render_attribute=("draw", "me"))}, 3),
    "a catalogue of classes": (draw_spec("car", *(f"class {number}" for number in range(80))), {}, 3),
}


@pytest.mark.parametrize(("draw", "more", "frames"), QUIET.values(), ids=QUIET.keys())
def test_nothing_is_told_where_nothing_is_wrong(
    engine: PicassoEngine,
    caplog: pytest.LogCaptureFixture,
    draw: ObjectDrawSpec,
    more: dict[str, object],
    frames: int,
) -> None:
    engine.set_source_spec("cam", spec_of(draw, **more))
    for pts in range(frames):
        send(engine, pts, "cam")
    if not frames:
        frame = make_frame()
        frame.clear_objects()
        engine.send_frame("cam", frame, make_pixels())
    engine.shutdown()
    assert warnings_of(caplog) == []


def test_another_spec_is_looked_at_from_the_beginning(engine: PicassoEngine, caplog: pytest.LogCaptureFixture) -> None:
    for pts, label in enumerate(["cra", "car", "rac"]):
        engine.set_source_spec("cam", spec_of(draw_spec(label)))
        send(engine, pts, "cam")
    engine.shutdown()
    (warning,) = warnings_of(caplog)
    assert "'detector/rac'" in warning, "the last one's; those before had no time"


def sentence_of(labels: Iterable[str], seen: Iterable[str]) -> str | None:
    unmatched, frame = Unmatched(draw_spec(*labels), set()), make_frame()
    for label in seen:
        frame.create_object("detector", label, detection_box=RBBox(8, 8, 4, 4))
    unmatched.look(frame)
    return unmatched.sentence()


def test_a_sentence_ends_however_many_names_there_are() -> None:
    names = [f"{number:04}" for number in range(1000)]
    sentence = sentence_of([f"x{name}" for name in names], names)
    assert sentence is not None
    assert sentence.count("detector/") == 16
    assert "and 992 more: of" in sentence
    assert len(sentence) < 500
