"""Lines become glyphs: held against HarfBuzz asked directly, run by run."""

from __future__ import annotations

import locale

import pytest
import uharfbuzz as hb
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.draw import fonts
from picasso.draw.fonts import FaceChain
from picasso.draw.glyphs import GlyphAtlas, plain_glyph
from picasso.draw.shaping import MOST_LETTERS, MOST_LINES, NEEDS_SHAPING, TAB_SPACES, Placed, lines_of, shape_line

FACE = fonts.shipped_face()
LATIN = st.text(st.sampled_from("AVTo fi.0123456789,:éßЖαñ#%"), max_size=20)


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> FaceChain:
    """The shipped fonts alone."""
    monkeypatch.setenv("PICASSO_INSTALLED_FONTS", "0")
    return FaceChain("sans-serif")


def glyphs(placed: list[Placed]) -> list[int]:
    return [one.place.glyph for one in placed]


def by_harfbuzz(text: str, path: object = fonts.SHIPPED) -> list[int]:
    """Shape a text of one script as HarfBuzz's own documentation does."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(hb.Font(hb.Face(hb.Blob.from_file_path(str(path)))), buffer, {})
    return [info.codepoint for info in buffer.glyph_infos]


@pytest.mark.parametrize("word", ["سيارة", "عربي", "لا", "السَّلامُ", "پژواک", "ﷺ"], ids=ascii)
def test_arabic_letters_are_joined(faces: FaceChain, word: str) -> None:
    shaped = glyphs(shape_line(word, faces))
    assert shaped == by_harfbuzz(word)
    assert shaped != [FACE.glyph(ord(letter)) for letter in reversed(word)] or len(word) == 1


def test_a_letter_has_another_shape_at_each_place(faces: FaceChain) -> None:
    end, middle, start = glyphs(shape_line("ععع", faces))
    (alone,) = glyphs(shape_line("ع", faces))
    assert len({start, middle, end, alone}) == 4


def test_lam_and_alef_are_one_glyph(faces: FaceChain) -> None:
    assert len(shape_line("لا", faces)) == 1


def test_hebrew_runs_from_right_to_left(faces: FaceChain) -> None:
    word = "רכב"
    assert glyphs(shape_line(word, faces)) == [FACE.glyph(ord(letter)) for letter in reversed(word)]


def test_numbers_and_latin_stay_as_they_are_between_hebrew(faces: FaceChain) -> None:
    assert glyphs(shape_line("רכב 12 car", faces)) == [FACE.glyph(ord(letter)) for letter in "car 12 בכר"]


def test_brackets_are_mirrored(faces: FaceChain) -> None:
    assert glyphs(shape_line("א(ב)", faces)) == [FACE.glyph(ord(letter)) for letter in "(ב)א"]


@pytest.mark.parametrize(("written", "composed"), [("e\u0301", "é"), ("n\u0303", "ñ"), ("A\u030a", "Å")], ids=ascii)
def test_a_letter_and_its_mark_are_one(faces: FaceChain, written: str, composed: str) -> None:
    assert shape_line(written, faces) == [plain_glyph(faces, ord(composed))]


def test_a_mark_without_a_letter_of_its_own_stands_above_the_letter(faces: FaceChain) -> None:
    letter, mark = shape_line("x\u0301", faces)
    assert letter == plain_glyph(faces, ord("x"))
    assert mark.place.advance == 0
    assert -letter.place.advance < mark.place.dx < 0


def test_devanagari_is_reordered_and_joined(faces: FaceChain) -> None:
    assert glyphs(shape_line("हिन्दी", faces)) == by_harfbuzz("हिन्दी", fonts.SHIPPED_DEVANAGARI)
    vowel_first = shape_line("कि", faces)
    assert [one.place.glyph for one in vowel_first][1] == fonts.shipped_face(fonts.SHIPPED_DEVANAGARI).glyph(ord("क"))
    assert len(shape_line("क्षत्रिय", faces)) < len("क्षत्रिय")


def test_joiners_and_marks_of_direction_have_no_width(faces: FaceChain) -> None:
    for invisible in "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202c\ufe0f":
        width = sum(one.place.advance for one in shape_line(f"a{invisible}b", faces))
        assert width == pytest.approx(FACE.advance(FACE.glyph(ord("a"))) + FACE.advance(FACE.glyph(ord("b"))))


@given(LATIN)
def test_plain_text_is_shaped_as_it_stands(text: str) -> None:
    """So a line looks the same with and without an Arabic word in it: no kerning, no ligatures."""
    faces = FaceChain("sans-serif")
    assert NEEDS_SHAPING.search(text) is None
    assert shape_line(text, faces) == [plain_glyph(faces, ord(letter)) for letter in text]


def test_what_is_called_plain_needs_no_shaping(faces: FaceChain) -> None:
    """Every such letter below the planes of Chinese characters, of which the first stands for all."""
    letters = [letter for code in range(1, 0x20000) if not NEEDS_SHAPING.search(letter := chr(code))]
    tested = [letter for letter in letters if not ("\u4e01" <= letter <= "\u9fff" or "\uac01" <= letter <= "\ud7a3")]
    assert len(tested) > 15_000
    x = plain_glyph(faces, ord("x"))
    odd = [letter for letter in tested if shape_line(f"x{letter}x", faces) != [x, plain_glyph(faces, ord(letter)), x]]
    assert odd == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb", ["a", "b"]),
        ("a\rb", ["a", "b"]),
        ("a\u2028b\u2029c", ["a", "b", "c"]),
        ("a\x85b\x0bc\x0cd", ["a", "b", "c", "d"]),
        ("a\n\nb", ["a", "", "b"]),
        ("\na", ["", "a"]),
        ("a\n", ["a"]),
        ("\n", [""]),
    ],
    ids=ascii,
)
def test_line_breaks_of_all_kinds(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines


def pens(text: str, faces: FaceChain) -> list[float]:
    """Return where each glyph of a line ends, in spaces."""
    space, pen, ends = FACE.advance(FACE.glyph(ord(" "))), 0.0, []
    for one in shape_line(text, faces):
        pen += one.place.advance
        ends.append(pen / space)
    return ends


def test_tabs_go_to_the_next_stop(faces: FaceChain) -> None:
    assert pens("\tx", faces)[0] == pytest.approx(TAB_SPACES)
    assert pens("ab\tx", faces)[2] == pytest.approx(TAB_SPACES)
    assert pens("a\t\tx", faces)[2] == pytest.approx(2 * TAB_SPACES)
    assert pens("Wide words\tx", faces)[10] == pytest.approx(3 * TAB_SPACES)


def test_tabs_of_a_line_from_right_to_left_are_counted_from_the_right(faces: FaceChain) -> None:
    ends = pens("אב\tג", faces)
    assert ends[-1] - ends[0] == pytest.approx(TAB_SPACES)  # the tab and what is right of it


@pytest.mark.parametrize("control", [*map(chr, [*range(1, 9), *range(0x0E, 0x1B), 0x7F, 0x80, 0x9F])], ids=ascii)
def test_control_characters_are_left_out(faces: FaceChain, control: str) -> None:
    assert shape_line(f"a{control}b", faces) == shape_line("ab", faces)


def test_half_a_surrogate_pair_is_a_replacement_character(faces: FaceChain) -> None:
    assert shape_line("a\ud800", faces) == shape_line("a\ufffd", faces)


def test_what_no_font_has_is_a_visible_box(faces: FaceChain) -> None:
    for letter in ("\U0001f9ff", "\U00040001", "\U0010ffff", "漢", "\ue000"):
        (box,) = shape_line(letter, faces)
        assert (box.face, box.place.glyph) == (0, 0)
        assert box.place.advance > 0.3
        mask, _ = FACE.mask(0, 24, (0, 0))
        assert mask.any()


def test_flags_and_joined_emoji_are_not_torn_between_fonts(faces: FaceChain) -> None:
    """The shipped font has none of them whole: all of their parts are boxes of one font."""
    for text in ("\U0001f1e9\U0001f1ea", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f44d\U0001f3fd"):
        assert {one.face for one in shape_line(text, faces)} == {0}


def test_the_language_of_the_process_changes_nothing(faces: FaceChain, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape_line("бгдпт \u0431\u0301", faces)
    monkeypatch.setenv("LANG", "sr_RS.UTF-8")
    monkeypatch.setenv("LC_ALL", "sr_RS.UTF-8")
    saved = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("sr_RS.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            assert shape_line("бгдпт \u0431\u0301", faces) == before
    finally:
        locale.setlocale(locale.LC_CTYPE, saved)


def test_the_length_of_what_is_shaped_has_a_limit(faces: FaceChain) -> None:
    assert len(shape_line("ب" * 5000, faces)) <= MOST_LETTERS
    assert len(lines_of("a\n" * 5000)) == MOST_LINES


@settings(deadline=None)
@given(
    st.text(max_size=40)
    | st.text(st.sampled_from("aب\u0301\u200d\t\u202e\u2067\u2069()1 \U0001f468\ud83d"), max_size=40)
)
def test_any_text_has_glyphs_that_never_go_back(text: str) -> None:
    faces = FaceChain("sans-serif")
    for line in lines_of(text):
        placed = shape_line(line, faces)
        assert all(one.place.advance >= 0 for one in placed)
        assert placed == shape_line(line, faces)


def test_a_line_is_shaped_once_and_plain_lines_never() -> None:
    atlas = GlyphAtlas("sans-serif")
    assert atlas.spell("plain 0.97") == ("plain 0.97",)
    (first,) = atlas.spell("سيارة")
    assert all(0x40000 <= ord(letter) < 0xE0000 for letter in first)
    assert atlas.spell("سيارة")[0] is first


def test_a_text_cannot_name_shaped_glyphs_itself() -> None:
    """The code points that stand for them are letters of no font when they come from outside."""
    atlas = GlyphAtlas("sans-serif")
    (shaped,) = atlas.spell("سيارة")
    (outside,) = atlas.spell(shaped[0])
    assert outside != shaped[0]
