"""Messages as newer peers send them, made from the schema: ``python tests/wire/record.py`` writes recorded.json.

No peer newer than savant-rs 0.3.0 is on the package index. What changed since is in the schema, so these bytes have it:
another version text, a system id, letter boxes with padding, crops, and fields that this schema does not have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from picasso.wire.codec.schema import protocol_class

RECORDED = Path(__file__).with_name("recorded.json")
UUID = "01a229ba-9114-707e-96d0-bda7b8201166"
LATER = bytes.fromhex("f83e2a") + bytes.fromhex("fa3e03616263")
"""Two fields of number 1007: what a peer of tomorrow may add anywhere."""


def frame() -> Any:
    """A frame that uses every field."""
    return protocol_class("VideoFrame")(
        previous_frame_seq_id=41,
        source_id="cam-1",
        uuid=UUID,
        creation_timestamp_ns_low=1_700_000_000_000_000_000,
        framerate="25/1",
        width=640,
        height=480,
        transcoding_method=1,
        codec="hevc",
        keyframe=False,
        time_base_numerator=1,
        time_base_denominator=1_000_000_000,
        pts=80_000_000,
        dts=40_000_000,
        duration=40_000_000,
        external={"method": "zeromq", "location": "beside"},
        transformations=[
            {"initial_size": {"width": 1920, "height": 1080}},
            {"crop": {"left": 240, "right": 240}},
            {"letter_box": {"outer_width": 640, "outer_height": 480, "top": 0, "bottom": 0}},
            {"padding": {"left": 8, "top": 8, "right": 8, "bottom": 8}},
        ],
        attributes=[{"namespace": "n", "name": "draw", "values": [{"boolean": {"data": True}}], "is_persistent": True}],
        objects=[
            {
                "id": 2,
                "namespace": "det",
                "label": "car",
                "detection_box": {"xc": 10, "yc": 20, "width": 4, "height": 2},
            },
            {
                "id": 5,
                "parent_id": 2,
                "namespace": "det",
                "label": "plate",
                "draw_label": "AB-123",
                "detection_box": {"xc": 10, "yc": 21, "width": 2, "height": 0, "angle": 0},
                "confidence": 0.5,
                "track_box": {"xc": 1, "yc": 1, "width": 1, "height": 1, "angle": 45},
                "track_id": 7,
                "attributes": [{"namespace": "n", "name": "a", "hint": "h", "is_hidden": True}],
            },
        ],
        previous_keyframe=UUID,
    )


def messages() -> dict[str, bytes]:
    """What is recorded, by the version that its sender writes."""
    message = protocol_class("Message")
    envelope = {"seq_id": 42, "routing_labels": ["a"], "propagated_context": {"uber-trace-id": "1:2:3:4"}}
    eos = protocol_class("EndOfStream")(source_id="cam-1")
    made = {
        "0.2.0 of savant-rs 0.4": message(protocol_version="0.2.0", video_frame=frame(), **envelope),
        "1.15.0": message(protocol_version="1.15.0", video_frame=frame(), system_id="host-1", **envelope),
        "1.15.0, end of stream": message(protocol_version="1.15.0", end_of_stream=eos, system_id="host-1", seq_id=43),
    }
    recorded = {name: each.SerializeToString(deterministic=True) for name, each in made.items()}
    later = frame()
    later.objects[0].MergeFromString(LATER)
    later.objects[1].attributes[0].MergeFromString(LATER)
    later.transformations[1].MergeFromString(LATER)
    later.MergeFromString(LATER)
    newest = message(protocol_version="9.0.0", video_frame=later, system_id="host-1", **envelope)
    recorded["9.0.0, with fields of tomorrow"] = newest.SerializeToString(deterministic=True) + LATER
    return recorded


def as_text() -> str:
    """The file."""
    return json.dumps({name: data.hex() for name, data in messages().items()}, indent=1) + "\n"


if __name__ == "__main__":
    RECORDED.write_text(as_text())
