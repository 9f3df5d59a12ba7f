# %% [markdown]
# # Test your own geometry by its properties
#
#     pip install 'picasso-engine[test]'
#
# A test with one box and one size shows that this box is right. A *property* holds for all of them: what was placed and comes
# back is the same box. [Hypothesis](https://hypothesis.readthedocs.io) tries a hundred cases and shrinks one that fails to
# the plainest. `picasso.testing` has strategies for what picasso works with: boxes, placements, surfaces, frames, specs.

# %%
import numpy as np
from hypothesis import given, settings

from picasso.testing import assert_inverts, boxes, placements
from picasso.transform import Placement, place, unplace

np.round(boxes((1280, 720)).example(), 1)

# %% [markdown]
# ## A function of yours
#
# A tracker wants a margin around each box, in pixels of the model's input. This is how it is added and taken away:

# %%
MARGIN = np.array([-8.0, -8, 8, 8])


def padded(boxes_xyxy, placement):
    """Place boxes and add a margin."""
    return place(boxes_xyxy, placement) + MARGIN


def unpadded(boxes_xyxy, placement):
    """Take the margin away and come back."""
    return unplace(boxes_xyxy - MARGIN, placement)


@settings(deadline=None)
@given(boxes((1280, 720)), placements(source_wh=(1280, 720)))
def test_a_padded_box_comes_back(boxes_xyxy, placement):
    """The law."""
    assert_inverts(unpadded, padded, boxes_xyxy, placement, atol=1e-6)


test_a_padded_box_comes_back()

# %% [markdown]
# No message: a hundred sets of boxes and placements came back.
#
# ## A function with a fault
#
# This letterbox looks right and passes a test with a picture of 1280 × 720 in 640 × 640. It uses one scale for both axes, and
# bars of whole pixels.


# %%
def letterboxed(boxes_xyxy, source_wh, target_wh):
    """Scale by the smaller ratio and move by the bars: what many scripts do."""
    scale = min(target_wh[0] / source_wh[0], target_wh[1] / source_wh[1])
    pairs = zip(source_wh, target_wh, strict=True)
    pads = [(target - int(source * scale)) // 2 for source, target in pairs]
    return boxes_xyxy * scale + np.array([*pads, *pads])


box = np.array([[100.0, 200, 300, 400]])
placement = Placement.compute((1280, 720), (640, 640))
assert np.allclose(letterboxed(box, (1280, 720), (640, 640)), place(box, placement))

# %% [markdown]
# The law says: it lands where the pixels land, within a hundredth of a pixel. Hypothesis looks for a size where it does not.

# %%
from picasso.testing import sizes


@settings(database=None, derandomize=True, deadline=None)
@given(sizes(16, 2000), sizes(16, 2000))
def test_a_letterbox_lands_where_the_pixels_land(source_wh, target_wh):
    """The law that it breaks."""
    whole = np.array([[0.0, 0, *source_wh]])
    expected = place(whole, Placement.compute(source_wh, target_wh))
    found = letterboxed(whole, source_wh, target_wh)
    said = f"{source_wh} in {target_wh}: {found[0]}, expected {expected[0]}"
    assert np.abs(found - expected).max() < 0.01, said


try:
    test_a_letterbox_lands_where_the_pixels_land()
except AssertionError as error:
    message = str(error).splitlines()[0]
else:
    raise RuntimeError("the fault was not found")
assert "expected" in message
print(message)

# %% [markdown]
# It is the plainest case that Hypothesis came to. The remedy is to use the placement itself, for pixels and for boxes.
#
# ## Pixels, too
#
# `surfaces()` makes pictures of every format, with rows of any stride. A law of a function that flips pictures:

# %%
from picasso.testing import surfaces


def flipped(surface):
    """Turn a picture around its vertical axis, as RGB."""
    return surface.to_rgb()[:, ::-1]


@settings(max_examples=50, deadline=None)  # the first example loads the kernels
@given(surfaces())
def test_twice_flipped_is_the_same(surface):
    """The law."""
    once = flipped(surface)
    assert once.shape == (surface.height, surface.width, 3)
    assert np.array_equal(once[:, ::-1], surface.to_rgb())


test_twice_flipped_is_the_same()

# %% [markdown]
# In a test file the calls at the end go away: pytest makes them. `docs/testing.md` lists all strategies, and the doubles for
# time, callbacks and encoders.
