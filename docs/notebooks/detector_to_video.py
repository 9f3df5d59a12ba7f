# %% [markdown]
# # From a detector to a drawn video
#
#     pip install 'picasso-engine[onnx]' onnx
#
# `Detector` takes an ONNX file: YOLO v5 to v12, RT-DETR, DETR, SSD and others are recognised. No file is downloaded here,
# so the first cell makes a small one: convolutions that find coloured things, in the form of YOLO v8. Put your own file in
# its place: `pc.Detector("yolo11n.onnx", confidence=0.4)`.

# %%
from street import car_boxes, write_detector, write_street

import picasso as pc

clip = write_street("street.mp4")
detect = pc.Detector(write_detector("street.onnx"), confidence=0.4, threads=1)
detect

# %% [markdown]
# ## One picture
#
# A detector takes a surface in any format, an array, or a list of them, and answers in pixels of the picture that it was given.

# %%
with pc.VideoReader(clip, pixel_format="rgb") as reader:
    frame, surface = reader[30]
found = detect(surface)
found

# %% [markdown]
# The model looks at 160 × 96 pixels, so a pixel of it is four of the picture. The boxes are right within that:

# %%
import numpy as np

truth = np.array(list(car_boxes(30).values()))
order = [found.labels.tolist().index(label) for label in ("car", "van", "bus")]
assert np.abs(found.xyxy[order] - truth).max() <= 4
np.abs(found.xyxy[order] - truth).max()

# %%
from picasso.surface import SurfaceView

SurfaceView.wrap(pc.annotate(surface.to_rgb(), found))

# %% [markdown]
# ## Track
#
# A tracker gives the same number to the boxes of the same thing. `open_tracker()` needs nothing else to be installed;
# `open_tracker("bytetrack")` and others come with `pip install 'picasso-engine[track]'`.

# %%
from dataclasses import replace

from picasso import annotators as an
from picasso.track import open_tracker

tracker = open_tracker()
gate = an.LineZone((320, 170), (320, 340))


def follow(frame, surface):
    """Detect, track and count."""
    found = detect(surface)
    ids = tracker.update(found.xyxy, found.confidences, found.class_ids, frame.pts)
    found = replace(found, track_ids=ids)
    gate.trigger(found)
    return found


look = [
    an.BoxCornerAnnotator(color_by="track"),
    an.TraceAnnotator(color_by="track"),
    an.LabelAnnotator(texts="{label} #{track_id}", color_by="track"),
    an.LineZoneAnnotator(gate),
]
count = pc.process_video(clip, "tracked.mp4", follow, annotators=look)
assert count == 100
assert (gate.in_count, gate.out_count) in {
    (1, 2),
    (2, 1),
}  # car and van one way, bus the other
print(f"{count} frames; {gate.in_count} one way, {gate.out_count} the other")

# %%
with pc.VideoReader("tracked.mp4", pixel_format="rgb") as reader:
    _, last = reader[80]
last

# %%
from picasso.verbs import contact_sheet

contact_sheet("tracked.mp4", columns=3, rows=2, width=720)

# %% [markdown]
# ## Keep what was found
#
# Write the objects beside the video, a frame a line. The same goes to COCO, YOLO, MOT, pandas, polars and Arrow.

# %%
from picasso.media import MetadataReader, MetadataWriter

tracker.reset()
with (
    pc.VideoReader(clip) as reader,
    MetadataWriter("street.ndjson", space="source") as writer,
):
    for frame, surface in reader.frames():
        frame.add_detections(follow(frame, surface))
        writer.write(frame)
with MetadataReader("street.ndjson") as reader:
    frames = list(reader.frames())
assert len(frames) == 100
frames[30]

# %% [markdown]
# A frame shows its boxes and its objects. From here, `frames[30].get_detections()` are the arrays again.

# %%
again = frames[30].get_detections()
assert sorted(again.labels) == ["bus", "car", "van"]
again.to_pandas() if hasattr(again, "to_pandas") else again

# %% [markdown]
# On the command line the same is `picasso track street.mp4 --model street.onnx -o tracked.mp4`.
