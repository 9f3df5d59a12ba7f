"""Letters as sprites."""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt
import pytest
import skia

from picasso.draw import fonts
from picasso.draw.glyphs import GlyphAtlas
from picasso_kernels import display as at


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
    text = "The quick brown fox, 0.97"
    font = skia.Font(fonts.typeface("sans-serif"), 12)
    font.setLinearMetrics(True)
    pens = sprites_of(GlyphAtlas("sans-serif"), text)[:, 0, at.SPRITE_ADVANCE] / at.PEN_UNIT
    assert pens.sum() == pytest.approx(font.measureText(text), abs=0.2)


def test_phases_move_a_letter_by_quarters_of_a_pixel() -> None:
    atlas = GlyphAtlas("sans-serif")
    centers = []
    for sprite in sprites_of(atlas, "l", 24)[0]:
        mask = mask_of(atlas, sprite).astype(float)
        centers.append((mask.sum(0) @ np.arange(mask.shape[1])) / mask.sum() + sprite[at.SPRITE_DX])
    assert np.diff(centers) == pytest.approx([0.25] * 3, abs=0.05)


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


def test_the_shipped_font_is_the_default_whatever_is_installed() -> None:
    assert fonts.typeface("sans-serif").getFamilyName() == "DejaVu Sans"
    assert fonts.SHIPPED.is_file()
    assert fonts.SHIPPED.with_name("LICENSE-DejaVu.txt").is_file()


def test_an_unknown_family_falls_back_and_is_logged_once(caplog) -> None:
    fonts.typeface.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert fonts.typeface("No Such Family").getFamilyName() == "DejaVu Sans"
    assert [record.getMessage() for record in caplog.records] == [
        "font family 'No Such Family' is not installed; labels are drawn in DejaVu Sans"
    ]
