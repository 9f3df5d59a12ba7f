# %% [markdown]
# # Ten minutes with picasso
#
# Read a video, look at it, draw on it, write it again, and make numbers for a model. Install what this page uses:
#
#     pip install 'picasso-engine[demo]'
#
# The clip comes with the demo, nothing is downloaded.

# %%
import numpy as np
from street import demo_clip

import picasso as pc

clip = demo_clip("bikes.mp4")

# %% [markdown]
# ## Read frames by number and by time
#
# A reader is an iterator and a sequence. The last line of a cell is shown: a surface is its picture.

# %%
reader = pc.VideoReader(clip, pixel_format="rgb")
assert len(reader) == 250
frame, surface = reader[120]
surface

# %%
frame, surface = reader.at(8.4)  # the frame on the screen at 8.4 s
assert frame.pts == 8_400_000_000  # nanoseconds
every_second = reader[0:100:25]  # a sequence; frames are decoded when you take them
[frame.pts / 1e9 for frame, _ in every_second]

# %% [markdown]
# A frame has its pixels as a *surface*. NumPy reads it without a copy, `crop` and `resize` give surfaces again.

# %%
pixels = np.asarray(surface)
assert pixels.shape == (272, 640, 3)
assert pixels.dtype == np.uint8
part = surface.crop((200, 60, 420, 250))
part.resize((440, 380))

# %% [markdown]
# ## Draw what was found
#
# `Detections` are the objects of a picture as arrays. They come from a model (the notebook *From a detector to a drawn
# video*), from other libraries (`from_supervision`, `from_ultralytics`, `from_coco`), or from your hands:

# %%
found = pc.Detections.of(
    [[222, 95, 312, 272], [300, 60, 532, 192]],
    labels=["bollard", "bicycle"],
    confidences=[0.94, 0.81],
)
found

# %%
from picasso import annotators as an
from picasso.surface import SurfaceView

look = [an.RoundBoxAnnotator(), an.LabelAnnotator(texts="{label} {confidence:.0%}")]
drawn = pc.annotate(pixels, found, look)
assert (drawn != pixels).any()
SurfaceView.wrap(drawn)

# %% [markdown]
# Index and mask detections as arrays: `found[found.confidence > 0.9]`, `found[0]`, `found[::-1]`, `found.with_nms(0.5)`.

# %%
assert found[found.confidence > 0.9].labels.tolist() == ["bollard"]
found.area

# %% [markdown]
# ## Do something to each frame of a video
#
# `process_video` calls you with each frame and its pixels, and writes what you draw. Here a function finds what moves:
# the box around the pixels that differ from the frame before. It gets gray pixels, the video keeps its colours.

# %%
before = None


def find_motion(frame, surface):
    """Return the box around what moved, if anything did."""
    global before
    gray = np.asarray(surface).astype(np.int16)
    moved = np.abs(gray - (gray if before is None else before)) > 25
    before = gray
    rows, columns = np.nonzero(moved)
    if rows.size < 50:
        return None
    left, right = np.percentile(columns, [2, 98])
    top, bottom = np.percentile(rows, [2, 98])
    return pc.Detections.of([[left, top, right, bottom]], ["motion"])


count = pc.process_video(
    clip, "moving.mp4", find_motion, pixel_format="gray", start_s=7.6, end_s=8.8
)
assert count == 30

# %%
from picasso.verbs import compare_videos, contact_sheet

contact_sheet("moving.mp4", columns=3, rows=2, width=720)

# %% [markdown]
# How much did encoding lose? Encode the clip once more, without drawing, and compare.

# %%
pc.process_video(clip, "again.mp4", end_s=2)
comparison = compare_videos(clip, "again.mp4")
assert comparison.ssim > 0.97
comparison

# %% [markdown]
# ## Numbers for a model
#
# `to_tensor` takes pictures of any size and format and makes the array that a model reads, in one pass. `unplace` brings
# boxes of the model back to pixels of the source, exactly.

# %%
batch, placements = pc.to_tensor([surface, part], size=(320, 320), pad=114)
assert batch.shape == (2, 3, 320, 320)
box = [[100.0, 120.0, 200.0, 180.0]]  # what a model found in the first picture
pc.unplace(box, placements[0])

# %%
placements[0]

# %%
reader.close()
