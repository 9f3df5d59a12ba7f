"""Letters as sprites."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from picasso.draw import fonts
from picasso.draw.fonts.face import Face
from picasso.draw.glyphs import GlyphAtlas
from picasso_kernels.paint import display_list as at


def places_of(atlas: GlyphAtlas, text: str, size: float) -> npt.NDArray[np.int64]:
    font = atlas.font(round(size * at.PEN_UNIT))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    places = codes + font * at.CODE_POINTS
    atlas.ensure(places)
    return places


def sprites_of(atlas: GlyphAtlas, text: str, size: float = 12) -> npt.NDArray[np.int32]:
    """Return the sprites of a text's letters, ``(letters, phases, SPRITE_SIZE)``."""
    places = places_of(atlas, text, size)
    first = atlas.first_sprite[places]
    return atlas.sprites.reshape(-1, at.SPRITE_SIZE)[first[:, None] + np.arange(at.PHASES)]


def mask_of(atlas: GlyphAtlas, sprite: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    width, height, start = sprite[at.SPRITE_WIDTH], sprite[at.SPRITE_HEIGHT], sprite[at.SPRITE_OFFSET]
    return atlas.coverage[start : start + width * height].reshape(height, width)


def test_pens_advance_as_skia_measures() -> None:
    skia = pytest.importorskip("skia", exc_type=ImportError)
    text = "The quick brown fox, 0.97"
    font = skia.Font(skia.Typeface.MakeFromFile(str(fonts.SHIPPED)), 12)
    font.setLinearMetrics(True)
    pens = sprites_of(GlyphAtlas("sans-serif"), text)[:, 0, at.SPRITE_ADVANCE] / at.PEN_UNIT
    assert pens.sum() == pytest.approx(font.measureText(text), abs=0.2)


def areas_of(face: Face, glyph: int, size: int, shift_x: float) -> npt.NDArray[np.float64]:
    """Return a glyph's coverage from one that is 16 times as large, in a picture of 2 em."""
    large, (left, top) = face.mask(glyph, 16 * size, (16 * shift_x, 0))
    picture = np.zeros((32 * size, 32 * size))
    left, top = left + 8 * size, top + 24 * size
    picture[top : top + large.shape[0], left : left + large.shape[1]] = large
    return picture.reshape(2 * size, 16, 2 * size, 16).mean((1, 3))


@pytest.mark.parametrize("size", [12, 24])
def test_coverage_is_the_area_of_the_letter(size: int) -> None:
    """Within 10 of 255 in each pixel, and within 2 in the mean over letters."""
    face, errors = fonts.shipped_face(), []
    for letter in "The quick, 0189 @g&%Жé":
        mask, (left, top) = face.mask(face.glyph(ord(letter)), size, (0.25, 0))
        if not mask.size:
            continue
        exact = areas_of(face, face.glyph(ord(letter)), size, 0.25)
        made = np.zeros_like(exact)
        left, top = left + size // 2, top + 3 * size // 2
        made[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        assert abs(made - exact).max() <= 10
        errors.append(abs(made - exact)[(made > 0) | (exact > 0)].mean())
    assert np.mean(errors) <= 2


@pytest.mark.parametrize("size", [12, 24])
def test_letters_look_as_skia_draws_them(size: int) -> None:
    """Skia counts the rows of a letter in quarters of a pixel, so up to a third of a pixel on flat edges differs."""
    skia = pytest.importorskip("skia", exc_type=ImportError)
    face, font = fonts.shipped_face(), skia.Font(skia.Typeface.MakeFromFile(str(fonts.SHIPPED)), size)
    font.setSubpixel(True)
    font.setHinting(skia.FontHinting.kNone)
    for letter in "The quick, 0189 @g&%Жé":
        mask, (left, top) = face.mask(face.glyph(ord(letter)), size, (0, 0))
        theirs = np.zeros((2 * size, 2 * size), np.uint8)
        canvas = skia.Surface.MakeRasterDirect(skia.ImageInfo.MakeA8(2 * size, 2 * size), theirs).getCanvas()
        canvas.translate(size // 2, 3 * size // 2)
        if path := font.getPath(face.glyph(ord(letter))):
            canvas.drawPath(path, skia.Paint(AntiAlias=True))
        ours = np.zeros_like(theirs)
        left, top = left + size // 2, top + 3 * size // 2
        ours[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        distance = abs(ours.astype(int) - theirs)
        assert distance.max() <= 90
        assert distance.sum() <= 0.06 * 255 * max((theirs > 0).sum(), 1)


def test_phases_move_a_letter_by_quarters_of_a_pixel() -> None:
    """Within what the centre of exact areas tells: that of a stem 2.16 pixels wide is off by up to 0.056."""
    atlas = GlyphAtlas("sans-serif")
    centers = []
    for sprite in sprites_of(atlas, "l", 24)[0]:
        mask = mask_of(atlas, sprite).astype(float)
        centers.append((mask.sum(0) @ np.arange(mask.shape[1])) / mask.sum() + sprite[at.SPRITE_DX])
    assert np.diff(centers) == pytest.approx([0.25] * 3, abs=0.056)


def test_a_letter_is_made_once() -> None:
    atlas = GlyphAtlas("sans-serif")
    first = sprites_of(atlas, "ab")
    revision = atlas.revision
    assert np.array_equal(sprites_of(atlas, "ab"), first)
    assert atlas.revision == revision
    sprites_of(atlas, "c")
    assert atlas.revision > revision


def test_sizes_do_not_mix() -> None:
    atlas = GlyphAtlas("sans-serif")
    heights = [sprites_of(atlas, "M", size)[0, 0, at.SPRITE_HEIGHT] for size in (12, 24, 12, 48)]
    assert heights == [9, 18, 9, 35]


def test_large_letters_share_one_sprite() -> None:
    sprites = sprites_of(GlyphAtlas("sans-serif"), "M", 100)[0]
    assert (sprites == sprites[0]).all()


@pytest.mark.parametrize("text", [" ", "\n", "\t", "\x00", "\u200b", "\u202e"], ids=ascii)
def test_what_has_no_shape_has_no_pixels(text: str) -> None:
    assert sprites_of(GlyphAtlas("sans-serif"), text)[0, 0, at.SPRITE_WIDTH] == 0


@pytest.mark.parametrize("text", ["é", "Ж", "漢", "\U0001f600", "\ud800", "\U0010ffff"], ids=ascii)
def test_every_code_point_has_some_sprite(text: str) -> None:
    """What no font has gets the box of a missing letter, which has a width."""
    assert sprites_of(GlyphAtlas("sans-serif"), text)[0, 0, at.SPRITE_ADVANCE] > 0


def test_the_sprites_start_anew_when_there_are_too_many(monkeypatch) -> None:
    monkeypatch.setattr("picasso.draw.glyphs._MAX_BYTES", 1000)
    atlas = GlyphAtlas("sans-serif")
    before, kept, revision = sprites_of(atlas, "abcdefgh", 40), atlas.coverage, atlas.revision
    atlas.trim()
    assert not atlas.first_sprite.any()
    assert np.array_equal(sprites_of(atlas, "abcdefgh", 40), before)
    assert not np.shares_memory(atlas.coverage, kept)
    assert atlas.revision > revision
