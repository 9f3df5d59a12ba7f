"""Objects of the real savant-rs package to ours and back, in one process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from wheel_kit import wheel_command

from picasso.errors import MissingDependencyError
from picasso.primitives import EndOfStream
from picasso.wire import to_savant

SCRIPT = """
import os
from picasso.primitives import *
from picasso.primitives import VideoFrameBatch, VideoFrameUpdate, UserData, Shutdown, Message, EndOfStream
from picasso.wire import from_savant, to_savant
import savant_rs.primitives as theirs
from savant_rs.match_query import MatchQuery

frame = VideoFrame("cam", "30/1", 640, 480, VideoFrameContent.internal(b"bytes"), codec="jpeg", keyframe=True,
                   time_base=(1, 10**9), pts=5, dts=4, duration=3)
frame.create_object("detector", "person", None, 0.5, RBBox(10, 20, 30, 40, 15.0), 7, RBBox(1, 2, 3, 4))
frame.set_attribute(Attribute("a", "b", [AttributeValue.floats([1.5, 2.5]), AttributeValue.string("x", 0.5)], "hint"))
frame.set_attribute(Attribute("a", "gone", [AttributeValue.boolean(True)], None, False))
one = to_savant(frame)
assert type(one).__module__ != type(frame).__module__
assert (one.source_id, one.width, one.pts, one.dts, one.duration, one.uuid) == ("cam", 640, 5, 4, 3, frame.uuid)
assert one.content.get_data() == b"bytes"
(person,) = one.access_objects(MatchQuery.idle())
assert (person.label, person.track_id, person.detection_box.angle) == ("person", 7, 15.0)
assert one.get_attribute("a", "b").values[0].as_floats() == [1.5, 2.5]
assert one.get_attribute("a", "gone") is None

one.set_persistent_attribute("they", "say", False, None, [theirs.AttributeValue.integer(3)])
person.label = "walker"
back = from_savant(one)
assert isinstance(back, VideoFrame) and back.uuid == frame.uuid
assert back.get_attribute("they", "say").values[0].as_integer() == 3
assert [each.label for each in back.get_all_objects()] == ["walker"]
assert frame.get_attribute("they", "say") is None  # copies on both sides

assert to_savant(EndOfStream("cam")).source_id == "cam"
assert from_savant(theirs.EndOfStream("cam")) == EndOfStream("cam")
assert from_savant(to_savant(Shutdown("key"))).auth == "key"
assert from_savant(to_savant(UserData("me"))).source_id == "me"
batch = VideoFrameBatch()
batch.add(3, frame)
assert from_savant(to_savant(batch)).ids == [3]
update = VideoFrameUpdate()
update.add_frame_attribute(Attribute("u", "v", [AttributeValue.integer(1)]))
assert len(from_savant(to_savant(update)).frame_attributes) == 1
message = Message(frame, labels=["east"], span_context={"traceparent": "t"}, seq_id=9)
again = from_savant(to_savant(message))
assert (again.labels, again.span_context, again.seq_id) == (["east"], {"traceparent": "t"}, 9)
for wrong, call in ((5, to_savant), (5, from_savant), (theirs.AttributeValue.integer(1), from_savant)):
    try:
        call(wrong)
    except TypeError as error:
        assert "expected" in str(error)
    else:
        raise AssertionError(wrong)
print("done")
"""


def test_objects_of_savant_rs_and_ours_become_each_other() -> None:
    (python,), environment = wheel_command()
    if python != sys.executable:
        pytest.skip("savant-rs has no wheel for this Python")
    done = subprocess.run([python, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr


def test_a_machine_without_savant_rs_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "savant_rs", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[savant\]'"):
        to_savant(EndOfStream("a"))
