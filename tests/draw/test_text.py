"""Labels with any text in them: their lines, their width, their pixels."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from frames import BLACK, RED, WHITE, bounds, frame_of, kinds, specs_of
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.draw import DisplayList, LabelDraw, LabelPosition, LabelPositionKind, ObjectDraw, Painter, Scene, fonts
from picasso.draw.fonts import FaceChain
from picasso.draw.glyphs import GlyphAtlas
from picasso.draw.shaping import lines_of, shape_line
from picasso.surface import SurfaceView
from picasso_kernels.paint import display_list as at

INSIDE = LabelPosition(LabelPositionKind.TopLeftInside, 0, 0)
TEXTS = st.text(max_size=30) | st.text(
    st.sampled_from(
        "ab 01אبक\u0301\u093f\u094d\u200d\u200f\t\n\r\x00\x07\u2028\u202e\u2067\u2069()漢\U0001f468\U0001f3fd\ud83d"
    ),
    max_size=30,
)


def label(scale: float, *lines: str) -> ObjectDraw:
    escaped = [line.replace("{", "{{").replace("}", "}}") for line in lines]
    return ObjectDraw(label=LabelDraw(WHITE, BLACK, font_scale=scale, thickness=0, position=INSIDE, format=escaped))


def drawn(*lines: str, scale: float = 2) -> DisplayList:
    scene = Scene()
    scene.set_specs(specs_of(label(scale, *lines)))
    return scene.build(frame_of((320, 240, 640, 480)), {}, (640, 480))


def picture_of(*lines: str, scale: float = 2, size_wh: tuple[int, int] = (640, 240)) -> npt.NDArray[np.uint8]:
    """Return the levels of a label in the top left corner, white on black."""
    width, height = size_wh
    surface = SurfaceView.wrap(np.zeros((height, width, 4), np.uint8))
    painter = Painter()
    painter.set_specs(specs_of(label(scale, *lines)))
    painter.paint(surface, frame_of((width / 2, height / 2, width, height)), {})
    return np.asarray(surface.planes[0][..., 0])


def size_of(drawing: DisplayList) -> tuple[int, int]:
    left, top, right, bottom = bounds(drawing)[0]
    return right - left, bottom - top


@settings(deadline=None)
@given(TEXTS)
def test_a_label_is_as_wide_as_its_longest_line_and_as_high_as_all(text: str) -> None:
    """Each advance in 1/64 pixel, their sum up to a whole pixel; lines 1.25 em apart."""
    drawing, chain = drawn(text), FaceChain("sans-serif")
    lines = [shape_line(line, chain) for line in lines_of(text.replace("\0", "\ufffd"))]
    widths = [sum(round(one.place.advance * 24 * at.PEN_UNIT) for one in line) for line in lines]
    expected = min(math.ceil(max(widths) / at.PEN_UNIT), 640), min(math.ceil(len(lines) * 1.25 * 24), 480)
    if not expected[0]:
        assert kinds(drawing) == []
        return
    left, top, right, bottom = bounds(drawing)[0]
    assert (left, top, min(right, 640), min(bottom, 480)) == (0, 0, *expected)


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.1, 1, 3]))
def test_any_text_is_drawn_the_same_twice(text: str, scale: float) -> None:
    """By painters of their own, and by one that has drawn it before."""
    scene = Scene()
    scene.set_specs(specs_of(label(scale, text, "x")))
    frame = frame_of((320, 240, 640, 480))
    first = scene.build(frame, {}, (640, 480))
    commands, glyphs = first.commands.copy(), first.glyphs.copy()
    again = scene.build(frame, {}, (640, 480))
    assert np.array_equal(again.commands, commands)
    assert np.array_equal(again.glyphs, glyphs)
    assert np.array_equal(picture_of(text, "x", scale=scale), picture_of(text, "x", scale=scale))


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85"], ids=ascii)
def test_line_breaks_make_the_lines_that_templates_make(line_break: str) -> None:
    assert np.array_equal(picture_of(f"one{line_break}two", "three"), picture_of("one", "two", "three"))


def test_labels_of_many_objects_break_each_on_its_own() -> None:
    frame = frame_of((100, 100, 20, 20), (300, 100, 20, 20), (500, 100, 20, 20))
    for object_id, text in enumerate(("one", "a\nb\nc", "سيارة\nx")):
        frame.get_object(object_id).draw_label = text
    scene = Scene()
    look = LabelDraw(WHITE, BLACK, thickness=0, position=INSIDE, format=["{draw_label}", "{id}"])
    scene.set_specs(specs_of(ObjectDraw(label=look)))
    for _ in range(2):
        drawing = scene.build(frame, {}, (640, 480))
        heights = [bottom - top for (_, top, _, bottom) in bounds(drawing)[::2]]
        assert heights == [30, 60, 45]
    frame.get_object(1).draw_label = "one line"
    assert [bottom - top for (_, top, _, bottom) in bounds(scene.build(frame, {}, (640, 480)))[::2]] == [30, 30, 45]


def test_control_characters_leave_no_trace() -> None:
    assert np.array_equal(picture_of("a\x01\x1b\x7f\x9fb"), picture_of("ab"))
    assert np.array_equal(picture_of("a\0b"), picture_of("a\ufffdb"))


def test_arabic_is_not_its_letters_alone() -> None:
    joined = picture_of("سيارة")
    alone = picture_of("\u200c".join("سيارة"))
    backwards = picture_of("".join(reversed("سيارة")))
    assert not np.array_equal(joined, alone)
    assert not np.array_equal(joined, backwards)


def test_hebrew_is_its_letters_from_the_right() -> None:
    """An override to the left shows the letters in the order in which they are written."""
    assert np.array_equal(picture_of("רכב"), picture_of("\u202dבכר\u202c"))


def test_a_composed_letter_looks_as_one() -> None:
    assert np.array_equal(picture_of("cafe\u0301"), picture_of("café"))


def test_marks_without_end_are_drawn_and_the_label_stays_narrow() -> None:
    drawing = drawn("Z" + "\u0301\u0323" * 200)
    assert size_of(drawing)[0] == size_of(drawn("Z"))[0]


def test_letters_of_all_labels_of_a_frame_have_a_limit() -> None:
    scene = Scene()
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(RED, format=["{draw_label}"]))))
    frame = frame_of(*[(100, 100, 20, 20)] * 40)
    for number in range(40):
        frame.get_object(number).draw_label = chr(0x627 + number % 8) * 5000
    assert len(scene.build(frame, {}, (640, 480)).glyphs) < 1 << 16


def test_texts_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.draw.glyphs._MOST_SPELLED", 1000)
    atlas = GlyphAtlas("sans-serif")
    for number in range(100):
        assert atlas.spell(f"سيارة {number}") == atlas.spell(f"سيارة {number}")
        assert len(atlas._lines) < 16


def test_painters_of_many_threads_draw_alike() -> None:
    """They share the fonts, and each shapes its own texts."""
    texts = ["سيارة 1", "नमस्ते 2", "רכב 3", "e\u0301 4", "a\tb\nc"] * 4
    alone = [picture_of(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(picture_of, texts))
    assert all(map(np.array_equal, alone, together))


def test_shaped_letters_are_made_anew_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.draw.glyphs._MOST_SHAPED", 4)
    scene = Scene()
    scene.set_specs(specs_of(ObjectDraw(label=LabelDraw(RED, format=["{draw_label}"]))))
    frame = frame_of((100, 100, 20, 20))
    lists = []
    for word in ("سيارة", "رכב", "سيارة", "नमस्ते", "سيارة"):
        frame.get_object(0).draw_label = word
        drawing = scene.build(frame, {}, (640, 480))
        lists.append((word, drawing.commands.copy(), drawing.glyphs[:, : at.GLYPH_OFFSET].copy()))
    arabic = [(commands[:, : at.COLOR], glyphs) for word, commands, glyphs in lists if word == "سيارة"]
    for commands, glyphs in arabic[1:]:
        assert np.array_equal(commands, arabic[0][0])
        assert np.array_equal(glyphs, arabic[0][1])


ORACLE_TEXTS = ["سيارة 12 (abc)", "السَّلامُ عَلَيْكُمْ", "רכב 3 [car] 12:30", "Zoë café x\u0301", "car סוף 12"]


@pytest.mark.parametrize("text", ORACLE_TEXTS, ids=ascii)
def test_pillow_draws_the_same_where_it_shapes(text: str) -> None:
    """By Raqm and FriBidi, with the same font; hints and kerning apart, the ink is at the same places."""
    features = pytest.importorskip("PIL.features")
    if not (features.check("raqm") and features.check("fribidi")):
        pytest.skip("this Pillow shapes no text")
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(str(fonts.SHIPPED), 48, layout_engine=ImageFont.Layout.RAQM)
    image = Image.new("L", (640, 240))
    ImageDraw.Draw(image).text((0, 48), text, 255, font, anchor="ls", features=["-kern", "-liga"])
    ours, theirs = picture_of(text, scale=4).astype(float), np.asarray(image).astype(float)
    likeness = (ours * theirs).sum() / math.sqrt((ours**2).sum() * (theirs**2).sum())
    assert likeness > 0.9
