# %% [markdown]
# # Geometry that cannot disagree
#
# A picture is cropped, scaled and letterboxed before a model sees it. The boxes that come back must take the same way in
# reverse. Two pieces of code for the two directions disagree sooner or later: by half a pixel, by a rounded size, by a
# forgotten bar. In picasso one `Placement` moves both.

# %%
import matplotlib.pyplot as plt
import numpy as np
from street import SIZE_WH, car_boxes, write_street

import picasso as pc
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import (
    Padding,
    Placement,
    Rect,
    TransformConfig,
    place,
    place_mask,
    place_points,
    unplace,
)
from picasso.transform.cpu import transform

write_street("street.mp4", frames=1)
with pc.VideoReader("street.mp4", pixel_format="rgb") as reader:
    _, street = reader[0]
boxes = np.array(list(car_boxes(0).values()), float)
labels = ["car", "van", "bus"]


def shown(surface, boxes_xyxy):
    """Return a picture with boxes drawn on it."""
    return SurfaceView.wrap(
        pc.annotate(surface.to_rgb(), pc.Detections.of(boxes_xyxy, labels))
    )


shown(street, boxes)

# %% [markdown]
# ## The letterbox and its inverse
#
# `Placement.compute` fits one size into another. The placement shows itself: what of the source lands where.

# %%
placement = Placement.compute(SIZE_WH, (320, 320))
assert placement.scale_xy == (0.5, 0.5)
assert placement.pads_ltrb == (0, 70, 0, 70)
placement

# %%
square = SurfaceView.allocate(VideoFormat.RGB, (320, 320))
transform(street, placement, square)
shown(square, place(boxes, placement))

# %% [markdown]
# Back again it is the same box, not nearly the same:

# %%
assert np.array_equal(unplace(place(boxes, placement), placement), boxes)
unplace(place(boxes, placement), placement)

# %% [markdown]
# ## A crop, an inset, a stretch
#
# Each of them is a placement, and everything else stays as it is. The ratio of the sides is kept unless you say
# `Padding.NONE`; sizes are rounded to whole pixels, and the boxes use the scale of what came out.

# %%
cases = {
    "crop": Placement.compute(
        SIZE_WH, (240, 240), src_rect=Rect(top=160, left=20, width=300, height=180)
    ),
    "bars right and below": Placement.compute(
        SIZE_WH, (240, 240), TransformConfig(Padding.RIGHT_BOTTOM)
    ),
    "stretched": Placement.compute(SIZE_WH, (240, 240), TransformConfig(Padding.NONE)),
}
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), dpi=80)
for axis, (name, chosen) in zip(axes, cases.items(), strict=True):
    target = SurfaceView.allocate(VideoFormat.RGB, chosen.target_wh)
    transform(street, chosen, target)
    axis.imshow(target)  # a surface is an array for NumPy, and so for matplotlib
    axis.set_title(name)
    for x0, y0, x1, y1 in place(boxes, chosen):
        corner = (x0 - 0.5, y0 - 0.5)  # matplotlib's first pixel begins at -0.5
        axis.add_patch(
            plt.Rectangle(corner, x1 - x0, y1 - y0, fill=False, color="yellow")
        )
    assert np.allclose(unplace(place(boxes, chosen), chosen), boxes)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Points, masks and turned boxes take the same way
#
# The mask of the first car is placed by the rule that moves pixels. What it covers in the square is what is red there.

# %%
mask = np.zeros(SIZE_WH[::-1], bool)
left, top, right, bottom = boxes[0].astype(int)
mask[top:bottom, left:right] = True
placed = place_mask(mask, placement)
red = (np.asarray(square).astype(int) @ [2, -1, -1]) > 150
overlap = (placed & red).sum() / (placed | red).sum()
assert overlap > 0.9
assert np.allclose(
    place_points(np.array([[left, top]]), placement)[0], place(boxes, placement)[0, :2]
)
overlap

# %% [markdown]
# ## A chain of steps
#
# A frame remembers each step that was taken with it, so boxes that were found in the last picture come back to the first one,
# however many steps there were. Here: a crop, then a letterbox.

# %%
from picasso.primitives import VideoFrame

crop = Placement.compute(
    SIZE_WH, (300, 180), src_rect=Rect(top=160, left=20, width=300, height=180)
)
small = Placement.compute((300, 180), (160, 160))
in_small = place(place(boxes, crop), small)
assert np.allclose(unplace(unplace(in_small, small), crop), boxes)
frame = VideoFrame("street", "25/1", *SIZE_WH)
frame.add_detections("hands", boxes, labels)
frame

# %% [markdown]
# ## Rounding is part of the map
#
# 641 × 361 into 320 × 320 cannot keep its ratio exactly, since heights are whole pixels. Both axes then have scales of their
# own, and the inverse uses them. A script with one common scale is off by up to half a pixel at the far edge:

# %%
odd = Placement.compute((641, 361), (320, 320))
far = np.array([[600.0, 340, 641, 361]])
one_scale = (place(far, odd) - [0, odd.pads_ltrb[1]] * 2) / odd.scale_xy[0]
assert np.allclose(unplace(place(far, odd), odd), far)
print("scales:", odd.scale_xy)
print("off with one scale, pixels:", np.abs(one_scale - far).max().round(3))
