"""The other side of the wire: runs with the wheel of ``savant-rs``, answers one line of JSON with one line of JSON.

A request is ``["describe", [[bytes, names of attributes]…]]`` or ``["build", [spec…]]``, bytes as base64. It runs on
Python 3.9 and imports nothing of picasso.
"""

import base64
import json
import os
import sys

os.environ["LOGLEVEL"] = "error"  # the wheel reads it when it is imported
from savant_rs import primitives as p
from savant_rs.match_query import MatchQuery, QueryFunctions
from savant_rs.primitives.geometry import Intersection, IntersectionKind, Point, PolygonalArea, RBBox, Segment
from savant_rs.utils.serialization import Message, load_message_from_bytes, save_message_to_bytes

POLICIES = (
    p.AttributeUpdatePolicy.ReplaceWithForeignWhenDuplicate,
    p.AttributeUpdatePolicy.KeepOwnWhenDuplicate,
    p.AttributeUpdatePolicy.ErrorWhenDuplicate,
)
OBJECT_POLICIES = (
    p.ObjectUpdatePolicy.AddForeignObjects,
    p.ObjectUpdatePolicy.ErrorIfLabelsCollide,
    p.ObjectUpdatePolicy.ReplaceSameLabelObjects,
)
KINDS = (IntersectionKind.Enter, IntersectionKind.Inside, IntersectionKind.Leave, IntersectionKind.Cross)
KINDS += (IntersectionKind.Outside,)
METHODS = (p.VideoFrameTranscodingMethod.Copy, p.VideoFrameTranscodingMethod.Encoded)


def main():
    for line in sys.stdin:
        verb, items = json.loads(line)
        answer = [answered(VERBS[verb], item) for item in items]
        print(json.dumps(answer), flush=True)


def answered(verb, item):
    try:
        return verb(item)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return {"error": f"{type(error).__name__}: {error}"}


# what the wheel read -------------------------------------------------------------------------------------------------


def describe(item):
    text, names = item
    message = load_message_from_bytes(base64.b64decode(text))
    described = describe_content(message, names)
    described["labels"] = message.labels
    described["context"] = message.span_context.as_dict()
    described["again"] = base64.b64encode(save_message_to_bytes(message)).decode()
    return described


def describe_content(message, names):  # noqa: PLR0911 - one for each kind
    if message.is_video_frame():
        return {"video_frame": describe_frame(message.as_video_frame(), names)}
    if message.is_video_frame_batch():
        batch = message.as_video_frame_batch()
        return {
            "video_frame_batch": [[number, describe_frame(batch.get(number), names)] for number in sorted(batch.ids)]
        }
    if message.is_video_frame_update():
        return {"video_frame_update": describe_update(message.as_video_frame_update())}
    if message.is_user_data():
        data = message.as_user_data()
        return {"user_data": [data.source_id, json.loads(data.json)["attributes"]]}
    if message.is_end_of_stream():
        return {"end_of_stream": message.as_end_of_stream().source_id}
    if message.is_shutdown():
        return {"shutdown": message.as_shutdown().auth}
    return {"unknown": message.as_unknown()}


def describe_frame(frame, names):
    described = json.loads(frame.json)
    described["creation_timestamp_ns"] = frame.creation_timestamp_ns  # the JSON of 0.3.0 caps it at 55
    described["content"] = describe_content_of(frame.content)
    described["transformations"] = [describe_step(step) for step in frame.transformations]
    keys = frame.find_attributes_with_names(names)  # hidden ones too, which are not listed otherwise
    described["attributes"] = [json.loads(frame.get_attribute(*key).json) for key in keys]
    del described["version"], described["type"]
    return described


def describe_content_of(content):
    if content.is_internal():
        return {"internal": base64.b64encode(bytes(content.get_data())).decode()}
    if content.is_external():
        return {"external": [content.get_method(), content.get_location()]}
    return None


def describe_step(step):
    for name in ("initial_size", "scale", "padding", "resulting_size"):
        values = getattr(step, "as_" + name)
        if values is not None:
            return [name, list(values)]
    return None


def describe_update(update):
    described = json.loads(update.json)
    described["objects"] = [
        [one.id, one.namespace, one.label, list(one.detection_box.as_xcycwh()), one.detection_box.angle, parent]
        for one, parent in update.objects
    ]
    described["object_policy"] = OBJECT_POLICIES.index(update.object_policy)
    return described


# what the wheel makes ------------------------------------------------------------------------------------------------


def build(spec):
    message = build_content(*spec["content"])
    message.labels = spec["labels"]
    answer = {"bytes": base64.b64encode(save_message_to_bytes(message)).decode()}
    if message.is_video_frame():
        frame = message.as_video_frame()
        answer["uuid"], answer["creation_timestamp_ns"] = frame.uuid, frame.creation_timestamp_ns
    return answer


def build_content(kind, given):  # noqa: PLR0911 - one for each kind
    if kind == "video_frame":
        return build_frame(given).to_message()
    if kind == "video_frame_batch":
        batch = p.VideoFrameBatch()
        for number, frame in given:
            batch.add(number, build_frame(frame))
        return Message.video_frame_batch(batch)
    if kind == "video_frame_update":
        return Message.video_frame_update(build_update(given))
    if kind == "user_data":
        data = p.UserData(given[0])
        for attribute in given[1]:
            data.set_attribute(build_attribute(attribute))
        return data.to_message()
    if kind == "end_of_stream":
        return p.EndOfStream(given).to_message()
    if kind == "shutdown":
        return p.Shutdown(given).to_message()
    return Message.unknown(given)


def build_frame(given):
    frame = p.VideoFrame(
        source_id=given["source_id"],
        framerate=given["framerate"],
        width=given["width"],
        height=given["height"],
        content=build_content_of(given["content"]),
        transcoding_method=METHODS[given["transcoding_method"]],
        codec=given["codec"],
        keyframe=given["keyframe"],
        time_base=tuple(given["time_base"]),
        pts=given["pts"],
        dts=given["dts"],
        duration=given["duration"],
    )
    for name, values in given["transformations"]:
        frame.add_transformation(getattr(p.VideoFrameTransformation, name)(*values))
    for attribute in given["attributes"]:
        frame.set_attribute(build_attribute(attribute))
    for one in given["objects"]:
        frame.add_object(build_object(one), p.IdCollisionResolutionPolicy.Error)
        if one["draw_label"] is not None:
            frame.get_object(one["id"]).draw_label = one["draw_label"]
    for one in given["objects"]:
        if one["parent_id"] is not None:
            frame.set_parent_by_id(one["id"], one["parent_id"])
    return frame


def build_content_of(given):
    if given is None:
        return p.VideoFrameContent.none()
    if "internal" in given:
        return p.VideoFrameContent.internal(base64.b64decode(given["internal"]))
    return p.VideoFrameContent.external(*given["external"])


def build_object(one):
    attributes = [build_attribute(attribute) for attribute in one["attributes"]]
    track = None if one["track_box"] is None else RBBox(*one["track_box"])
    box = RBBox(*one["detection_box"])
    return p.VideoObject(
        one["id"], one["namespace"], one["label"], box, attributes, one["confidence"], one["track_id"], track
    )


def build_update(given):
    update = p.VideoFrameUpdate()
    update.frame_attribute_policy = POLICIES[given["frame_attribute_policy"]]
    update.object_attribute_policy = POLICIES[given["object_attribute_policy"]]
    update.object_policy = OBJECT_POLICIES[given["object_policy"]]
    for attribute in given["frame_attributes"]:
        update.add_frame_attribute(build_attribute(attribute))
    for number, attribute in given["object_attributes"]:
        update.add_object_attribute(number, build_attribute(attribute))
    for one, parent in given["objects"]:
        update.add_object(build_object(one), parent)
    return update


def build_attribute(given):
    namespace, name, values, hint, is_persistent, is_hidden = given
    make = p.Attribute.persistent if is_persistent else p.Attribute.temporary
    return make(namespace, name, [build_value(*value) for value in values], hint, is_hidden)


def build_value(kind, content, confidence):
    if kind == "none":
        return p.AttributeValue.none()
    if kind == "bytes":
        return p.AttributeValue.bytes(content[0], base64.b64decode(content[1]), confidence)
    if kind == "intersection":
        edges = [tuple(edge) for edge in content[1]]
        return p.AttributeValue.intersection(Intersection(KINDS[content[0]], edges), confidence)
    made = MAKERS.get(kind, lambda plain: plain)
    several = kind in ("bboxes", "points", "polygons")
    return getattr(p.AttributeValue, kind)([made(item) for item in content] if several else made(content), confidence)


def build_polygon(given):
    return PolygonalArea([Point(*point) for point in given[0]], given[1])


def build_box(given):
    return RBBox(*given)


MAKERS = {
    "bbox": build_box,
    "bboxes": build_box,
    "point": lambda given: Point(*given),
    "points": lambda given: Point(*given),
    "polygon": build_polygon,
    "polygons": build_polygon,
}


# what the wheel selects ----------------------------------------------------------------------------------------------


def query(item):
    """The ids of what a query selects, the two parts of a partition, and the query as the wheel writes it."""
    text, form = item
    frame = load_message_from_bytes(base64.b64decode(text)).as_video_frame()
    asked = MatchQuery.from_json(form)
    view = frame.access_objects(MatchQuery.idle()).sorted_by_id
    yes, no = QueryFunctions.partition(view, asked)
    return {"filter": QueryFunctions.filter(view, asked).ids, "yes": yes.ids, "no": no.ids, "json": asked.json}


def cross(item):
    """How segments meet an area, and which of their beginnings lie in it."""
    vertices, tags, segments = item
    area = PolygonalArea([Point(*vertex) for vertex in vertices], tags)
    made = [Segment(Point(*begin), Point(*end)) for begin, end in segments]
    met = [[KINDS.index(one.kind), [list(edge) for edge in one.edges]] for one in area.crossed_by_segments(made)]
    inside = area.contains_many_points([Point(*begin) for begin, _ in segments])
    return {"met": met, "inside": inside, "crosses_itself": area.is_self_intersecting()}


def update(item):
    """What an update makes of a frame."""
    frame, changes = (load_message_from_bytes(base64.b64decode(text)) for text in item)
    frame.as_video_frame().update(changes.as_video_frame_update())
    return {"bytes": base64.b64encode(save_message_to_bytes(frame)).decode()}


VERBS = {"describe": describe, "build": build, "query": query, "cross": cross, "update": update}

if __name__ == "__main__":
    main()
