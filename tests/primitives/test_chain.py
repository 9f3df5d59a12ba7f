"""The chain of transformations: its steps, the one affine it amounts to, and the frames that are moved by it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from picasso.errors import TransformationChainError
from picasso.primitives import RBBox, VideoFrame
from picasso.primitives import VideoFrameTransformation as Step
from picasso.primitives.transformation import ChainAffine, _kept_affine_of

sides = st.integers(0, 400)
dimensions = st.integers(500, 4000)


@st.composite
def steps(draw):
    """Steps that leave at least 100 pixels after any steps before."""
    return draw(
        st.one_of(
            st.builds(Step.padding, sides, sides, sides, sides),
            st.builds(Step.crop, *[st.integers(0, 20)] * 4),
            st.builds(Step.letter_box, st.integers(1000, 4000), st.integers(1000, 4000), sides, sides, sides, sides),
        )
    )


@st.composite
def chains(draw):
    start = Step.initial_size(draw(dimensions), draw(dimensions))
    return [start, *draw(st.lists(steps(), max_size=6))]


def frame_with(chain, *boxes):
    frame = VideoFrame("cam", "30/1", 1920, 1080)
    frame.clear_transformations()
    for step in chain:
        frame.add_transformation(step)
    for box in boxes:
        frame.create_object("d", "car", detection_box=box, track_id=1, track_box=box)
    return frame


def naive_affine(chain):
    """Follow two corners through the chain in float64; two points tell scale and offset."""
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    for step in chain:
        size, box, pad, crop = step.as_initial_size, step.as_letter_box, step.as_padding, step.as_crop
        if size:
            current = np.array(size, float)
        elif box:
            outer, low, high = np.array(box[:2]), np.array(box[2:4]), np.array(box[4:])
            points = points * np.maximum(outer - low - high, 1) / current + low
            current = outer.astype(float)
        elif pad:
            points, current = points + pad[:2], current + pad[:2] + pad[2:]
        else:
            points, current = points - crop[:2], current - crop[:2] - crop[2:]
    return points[1] - points[0], points[0], current


@given(chains())
def test_a_chain_is_one_affine(chain):
    affine = ChainAffine.of(chain)
    scale, offset, current = naive_affine(chain)
    assert_allclose(affine.scale_xy, scale, rtol=1e-5)
    assert_allclose(affine.offset_xy, offset, rtol=1e-4, atol=1e-1)
    assert affine.current_wh == tuple(current)


@given(chains(), st.floats(0, 4000, width=32), st.floats(0, 4000, width=32))
def test_forward_then_backward_is_where_it_was(chain, x, y):
    affine = ChainAffine.of(chain)
    there = np.array([x, y]) * affine.scale_xy + affine.offset_xy
    back = there * affine.inverted().scale_xy + affine.inverted().offset_xy
    assert_allclose(back, [x, y], rtol=1e-4, atol=1.0)


@given(chains(), st.floats(0, 4000, width=32), st.floats(0, 4000, width=32), st.floats(1, 500, width=32))
def test_a_frame_moves_its_boxes_by_the_affine(chain, x, y, size):
    affine = ChainAffine.of(chain)
    frame = frame_with(chain, RBBox(x, y, size, size))
    frame.transform_forward()
    scale, offset = np.array(affine.scale_xy), np.array(affine.offset_xy)
    expected = [*(np.array([x, y]) * scale + offset), *(size * scale)]
    assert_allclose(frame.detection_boxes()[0, :4], expected, rtol=1e-4, atol=1e-2)
    assert_array_equal(frame.track_boxes(), frame.detection_boxes())
    assert frame.transformations == [Step.initial_size(*affine.current_wh)]
    assert (frame.width, frame.height) == affine.current_wh


@given(chains())
def test_backward_returns_to_the_initial_size(chain):
    frame = frame_with(chain, RBBox(1, 2, 3, 4))
    frame.transform_backward()
    assert frame.transformations == chain[:1]
    assert (frame.width, frame.height) == chain[0].as_initial_size


# Worked examples: source, chain after it, a box (xc, yc, w, h) here and there.
FORWARD = {
    "800x600 into 800x800": (
        (800, 600),
        [Step.letter_box(800, 800, 0, 100, 0, 100)],
        [
            ((400, 300, 80, 60), (400, 400, 80, 60)),
            ((400, 0, 1, 1), (400, 100, 1, 1)),
            ((400, 600, 1, 1), (400, 700, 1, 1)),
        ],
    ),
    "600x800 into 800x800": (
        (600, 800),
        [Step.letter_box(800, 800, 100, 0, 100, 0)],
        [((300, 400, 10, 20), (400, 400, 10, 20))],
    ),
    "1280x720 into 1920x1080": (
        (1280, 720),
        [Step.letter_box(1920, 1080, 0, 0, 0, 0)],
        [
            ((640, 360, 100, 100), (960, 540, 150, 150)),
            ((0, 0, 20, 20), (0, 0, 30, 30)),
            ((1280, 720, 2, 2), (1920, 1080, 3, 3)),
        ],
    ),
    "1920x1080 into 800x600 right bottom": (
        (1920, 1080),
        [Step.letter_box(800, 600, 0, 0, 0, 150)],
        [((960, 540, 100, 100), (400, 225, 41.67, 41.67)), ((1920, 1080, 40, 40), (800, 450, 16.67, 16.67))],
    ),
    "720x1280 into 1920x1080": (
        (720, 1280),
        [Step.letter_box(1920, 1080, 656, 0, 656, 0)],
        [((360, 640, 100, 100), (960, 540, 84.44, 84.375))],
    ),
    "800x600 into 1600x1200 stretched": (
        (800, 600),
        [Step.letter_box(1600, 1200, 0, 0, 0, 0)],
        [((400, 300, 100, 100), (800, 600, 200, 200))],
    ),
    "centre crop at its size": (
        (1920, 1080),
        [Step.crop(480, 270, 480, 270), Step.letter_box(960, 540, 0, 0, 0, 0)],
        [((960, 540, 100, 100), (480, 270, 100, 100))],
    ),
    "corner crop at its size": (
        (1000, 1000),
        [Step.crop(0, 0, 500, 500), Step.letter_box(500, 500, 0, 0, 0, 0)],
        [((250, 250, 80, 80), (250, 250, 80, 80))],
    ),
    "crop doubled": (
        (1920, 1080),
        [Step.crop(640, 360, 640, 360), Step.letter_box(1280, 720, 0, 0, 0, 0)],
        [((960, 540, 50, 50), (640, 360, 100, 100))],
    ),
    "square crop into a smaller square": (
        (1920, 1080),
        [Step.crop(480, 60, 480, 60), Step.letter_box(800, 800, 0, 0, 0, 0)],
        [((960, 540, 96, 96), (400, 400, 80, 80))],
    ),
    "crop letterboxed": (
        (1280, 720),
        [Step.crop(390, 210, 390, 210), Step.letter_box(720, 1280, 0, 424, 0, 424)],
        [((640, 360, 100, 100), (360, 640, 144, 144))],
    ),
    "crop stretched": (
        (1280, 720),
        [Step.crop(390, 210, 390, 210), Step.letter_box(720, 1280, 0, 0, 0, 0)],
        [((640, 360, 100, 100), (360, 640, 144, 426.67))],
    ),
    "320x240 doubled": (
        (320, 240),
        [Step.letter_box(640, 480, 0, 0, 0, 0)],
        [((160, 120, 80, 120), (320, 240, 160, 240))],
    ),
    "800x600 with an inset": (
        (800, 600),
        [Step.letter_box(840, 660, 10, 22, 10, 23)],
        [((400, 300, 80, 80), (420, 329.5, 82, 82))],
    ),
}


@pytest.mark.parametrize(("source", "chain", "boxes"), FORWARD.values(), ids=FORWARD.keys())
def test_forward_by_hand(source, chain, boxes):
    frame = frame_with([Step.initial_size(*source), *chain], *[RBBox(*before) for before, _ in boxes])
    frame.transform_forward()
    assert_allclose(frame.detection_boxes()[:, :4], [after for _, after in boxes], atol=0.01)


BACKWARD = {
    "letter box and padding": (
        [Step.initial_size(1920, 1080), Step.letter_box(640, 480, 0, 0, 0, 0), Step.padding(10, 10, 10, 10)],
        (100, 100, 50, 50),
        (270, 202.5, 150, 112.5),
    ),
    "nothing": ([Step.initial_size(1920, 1080)], (500, 300, 100, 80), (500, 300, 100, 80)),
    "two letter boxes": (
        [
            Step.initial_size(2000, 2000),
            Step.letter_box(1000, 1000, 0, 0, 0, 0),
            Step.padding(100, 100, 100, 100),
            Step.letter_box(600, 600, 0, 0, 0, 0),
        ],
        (300, 300, 60, 60),
        (1000, 1000, 240, 240),
    ),
    "padding at two sides": (
        [Step.initial_size(1280, 720), Step.padding(500, 200, 0, 0)],
        (750, 350, 100, 100),
        (250, 150, 100, 100),
    ),
    "half size, padded": (
        [Step.initial_size(1920, 1080), Step.letter_box(960, 540, 0, 0, 0, 0), Step.padding(20, 10, 20, 10)],
        (520, 280, 40, 40),
        (1000, 540, 80, 80),
    ),
    "padding alone": (
        [Step.initial_size(640, 480), Step.padding(100, 50, 60, 30)],
        (200, 150, 50, 50),
        (100, 100, 50, 50),
    ),
    "crop, then half size": (
        [Step.initial_size(1920, 1080), Step.crop(160, 40, 160, 40), Step.letter_box(800, 500, 0, 0, 0, 0)],
        (400, 250, 1, 1),
        (960, 540, 2, 2),
    ),
}


@pytest.mark.parametrize(("chain", "before", "after"), BACKWARD.values(), ids=BACKWARD.keys())
def test_backward_by_hand(chain, before, after):
    frame = frame_with(chain, RBBox(*before))
    frame.transform_backward()
    assert_allclose(frame.detection_boxes()[0, :4], after, atol=0.01)
    assert_allclose(frame.track_boxes()[0, :4], after, atol=0.01)
    assert frame.transformations == chain[:1]


@pytest.mark.parametrize(
    ("chain", "scale", "offset"),
    [
        ([Step.initial_size(1920, 1080), Step.letter_box(660, 500, 10, 10, 10, 10)], (1 / 3, 4 / 9), (10, 10)),
        (
            [
                Step.initial_size(2000, 1000),
                Step.crop(200, 100, 200, 100),
                Step.letter_box(840, 420, 20, 10, 20, 10),
                Step.padding(5, 5, 5, 5),
            ],
            (0.5, 0.5),
            (-75, -35),
        ),
        (BACKWARD["two letter boxes"][0], (0.25, 0.25), (50, 50)),
        ([Step.initial_size(1920, 1080), Step.letter_box(100, 100, 42, 45, 42, 46)], (1 / 120, 1 / 120), (42, 45)),
    ],
    ids=["thirds", "crop-box-pad", "quarter", "smallest-inset"],
)
def test_affine_by_hand(chain, scale, offset):
    affine = ChainAffine.of(chain)
    assert_allclose(affine.scale_xy, scale, rtol=1e-6)
    assert_allclose(affine.offset_xy, offset, atol=1e-4)


def test_the_last_initial_size_counts():
    chain = [Step.initial_size(10, 10), Step.padding(5, 5, 5, 5), Step.initial_size(100, 50)]
    assert ChainAffine.of(chain) == ChainAffine((1, 1), (0, 0), (100, 50), (100, 50))


@pytest.mark.parametrize("move", [VideoFrame.transform_forward, VideoFrame.transform_backward])
def test_a_first_step_of_another_size_gives_the_frame_its_size(move):
    frame = frame_with([Step.initial_size(100, 50)], RBBox(1, 2, 3, 4))
    move(frame)
    assert (frame.width, frame.height) == (100, 50)
    assert frame.get_object(0).detection_box == RBBox(1, 2, 3, 4)


def test_steps_before_an_initial_size_do_not_count():
    assert ChainAffine.of([Step.padding(5, 5, 5, 5), Step.initial_size(8, 6)]).offset_xy == (0, 0)


def test_a_letter_box_without_inner_size_scales_to_one_pixel():
    chain = [Step.initial_size(4000, 10), Step.letter_box(100, 100, 50, 50, 50, 50)]
    assert ChainAffine.of(chain).scale_xy == pytest.approx((1 / 4000, 1 / 10))


def test_chain_errors_change_nothing():
    cases = {
        "Transformation chain has no InitialSize entry": [],
        "no computable current size": [Step.initial_size(10, 10), Step.crop(5, 5, 5, 5)],
    }
    for message, chain in cases.items():
        frame = frame_with(chain, RBBox(1, 2, 3, 4))
        before = frame.json
        with pytest.raises(TransformationChainError, match=message):
            frame.transform_forward()
        assert frame.json == before


def test_a_degenerate_affine_cannot_be_inverted():
    shrink = [Step.padding(2**31 - 1, 2**31 - 1, 0, 0), Step.letter_box(1, 1, 0, 0, 0, 0)]
    frame = frame_with([Step.initial_size(10, 10), *shrink * 6], RBBox(1, 2, 3, 4))
    before = frame.json
    with pytest.raises(TransformationChainError, match="Cannot invert degenerate affine"):
        frame.transform_backward()
    assert frame.json == before
    with pytest.raises(RuntimeError, match="no InitialSize entry"):
        frame_with([]).transform_backward()


def test_a_box_may_leave_the_frame():
    frame = frame_with([Step.initial_size(100, 100), Step.crop(50, 50, 0, 0)], RBBox(10, 10, 4, 4), RBBox(500, 5, 0, 0))
    frame.transform_forward()
    assert frame.detection_boxes()[:, :4].tolist() == [[-40, -40, 4, 4], [450, -45, 0, 0]]


def test_a_rotated_box_follows_the_rule_of_boxes():
    frame = frame_with([Step.initial_size(100, 100), Step.letter_box(200, 300, 0, 0, 0, 0)], RBBox(0, 0, 100, 100, 45))
    frame.transform_forward()
    assert_allclose(frame.detection_boxes()[0], [0, 0, 254.95, 254.95, 33.69], atol=0.01)


@pytest.mark.parametrize(
    ("step", "accessor", "values"),
    [
        (Step.initial_size(1, 2), "initial_size", (1, 2)),
        (Step.letter_box(1, 2, 3, 4, 5, 6), "letter_box", (1, 2, 3, 4, 5, 6)),
        (Step.padding(1, 2, 3, 4), "padding", (1, 2, 3, 4)),
        (Step.crop(0, 0, 0, 0), "crop", (0, 0, 0, 0)),
    ],
    ids=["initial_size", "letter_box", "padding", "crop"],
)
def test_a_step_is_read_by_its_own_accessor(step, accessor, values):
    for name in ("initial_size", "letter_box", "padding", "crop"):
        assert getattr(step, f"is_{name}") is (name == accessor)
        assert getattr(step, f"as_{name}") == (values if name == accessor else None)


def test_steps_compare_by_value_and_read_well():
    assert Step.crop(1, 2, 3, 4) == Step.crop(1, 2, 3, 4) != Step.padding(1, 2, 3, 4)
    assert repr([Step.initial_size(1280, 720), Step.letter_box(1, 2, 3, 4, 5, 6)]) == (
        "[InitialSize(1280, 720), LetterBox(1, 2, 3, 4, 5, 6)]"
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Step.initial_size(0, 1), ValueError, "width: must be at least 1, got 0"),
        (lambda: Step.initial_size(1, -1), ValueError, "height: must be at least 1, got -1"),
        (lambda: Step.letter_box(0, 1, 0, 0, 0, 0), ValueError, "outer_width"),
        (lambda: Step.letter_box(1, 1, 0, -1, 0, 0), ValueError, "top: must be at least 0, got -1"),
        (lambda: Step.padding(0, 0, -1, 0), ValueError, "right"),
        (lambda: Step.crop(0, 0, 0, -1), ValueError, "bottom"),
        (lambda: Step.initial_size(2**31, 1), OverflowError, "width"),
        (lambda: Step.initial_size(1.5, 1), TypeError, "width: expected int, got 1.5"),
        (lambda: frame_with([]).add_transformation("crop"), TypeError, "expected VideoFrameTransformation, got str"),
    ],
    ids=["w=0", "h=-1", "outer=0", "pad<0", "padding<0", "crop<0", "w=2**31", "w=1.5", "str"],
)
def test_bad_steps_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_long_chains_are_not_kept_alive() -> None:
    chain = [Step.initial_size(640, 480), *[Step.padding(1, 1, 1, 1)] * 100]
    before = _kept_affine_of.cache_info().currsize
    assert ChainAffine.of(chain).current_wh == (840, 680)
    assert _kept_affine_of.cache_info().currsize == before
