"""Where letters come from."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from making_fonts import write_font

from picasso.draw import fonts
from picasso.draw.fonts import FaceChain, installed
from picasso.draw.fonts.color import shades_of_png
from picasso.draw.shaping import shape_line
from picasso.errors import SpecError

TIGER, PRIVATE = 0x1F405, 0xE000
BOX = (100, 0, 900, 700)


@pytest.fixture(autouse=True)
def no_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine without fonts, and nothing added."""
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PICASSO_FONTS", raising=False)
    monkeypatch.setattr(fonts, "_added", [])
    for cached in (installed._files, fonts.face_of):
        cached.cache_clear()
    fonts.say_once.forget()
    yield
    for cached in (installed._files, fonts.face_of):
        cached.cache_clear()


def install(folder: str, name: str, family: str, codes: list[int], style: str = "Regular") -> Path:
    path = Path(folder, "fonts", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_font(path, family, dict.fromkeys(codes, BOX), style=style)


def family_of(letter: int, family: str = "sans-serif") -> tuple[str, bool]:
    """Return whose glyph a letter gets, and whether it is a letter at all."""
    chain = FaceChain(family)
    (one,) = shape_line(chr(letter), chain)
    return chain[one.face].family, one.place.glyph != 0


def test_the_shipped_font_is_the_default_whatever_is_installed(tmp_path: Path) -> None:
    install(str(tmp_path / "share"), "a.ttf", "DejaVu Sans", [ord("a")])
    for family in ("sans-serif", "Sans-Serif", "DejaVu Sans"):
        face = fonts.face_of(family)
        assert (face.family, face.path) == ("DejaVu Sans", str(fonts.SHIPPED))
    for path, licence in ((fonts.SHIPPED, "LICENSE-DejaVu.txt"), (fonts.SHIPPED_DEVANAGARI, "LICENSE-Lohit.txt")):
        assert path.is_file()
        assert path.with_name(licence).is_file()


def test_an_unknown_family_falls_back_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert fonts.face_of("No Such Family").family == "DejaVu Sans"
    assert [record.getMessage() for record in caplog.records] == [
        "font family 'No Such Family' is not installed; labels are drawn in DejaVu Sans"
    ]


def test_letters_that_nobody_has_are_boxes_of_the_shipped_font() -> None:
    assert family_of(PRIVATE) == ("DejaVu Sans", False)


def test_an_added_font_gives_what_the_shipped_one_lacks(tmp_path: Path) -> None:
    path = write_font(tmp_path / "signs.ttf", "Signs", {PRIVATE: BOX, ord("a"): BOX})
    assert fonts.add(path) == "Signs"
    assert family_of(PRIVATE) == ("Signs", True)
    assert family_of(ord("a")) == ("DejaVu Sans", True)
    assert family_of(ord("a"), "signs") == ("Signs", True)
    assert family_of(ord("b"), "signs") == ("DejaVu Sans", True)
    assert fonts.added() == [path]


def test_an_added_font_counts_once(tmp_path: Path) -> None:
    path = write_font(tmp_path / "signs.ttf", "Signs", {PRIVATE: BOX})
    for _ in range(3):
        fonts.add(path)
    assert len(fonts.added()) == 1


def test_fonts_of_the_environment_count_as_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    path = write_font(tmp_path / "signs.ttf", "Signs", {PRIVATE: BOX})
    monkeypatch.setenv("PICASSO_FONTS", f"{tmp_path / 'gone.ttf'}:{path}")
    assert family_of(PRIVATE) == ("Signs", True)
    assert "gone.ttf is not a font that can be read" in caplog.text


def test_installed_fonts_come_last_and_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(str(tmp_path / "share"), "deep/er/signs.ttf", "Installed", [PRIVATE])
    assert family_of(PRIVATE) == ("Installed", True)
    fonts.add(write_font(tmp_path / "signs.ttf", "Signs", {PRIVATE: BOX}))
    assert family_of(PRIVATE) == ("Signs", True)
    monkeypatch.setattr(fonts, "_added", [])
    monkeypatch.setenv("PICASSO_INSTALLED_FONTS", "0")
    assert family_of(PRIVATE) == ("DejaVu Sans", False)


def test_the_regular_font_of_an_installed_family_is_taken(tmp_path: Path) -> None:
    install(str(tmp_path / "home/.local/share"), "a-bold.ttf", "Mine", [65], "Bold")
    regular = install(str(tmp_path / "home/.local/share"), "z.ttf", "Mine", [65])
    assert fonts.face_of("MINE").path == str(regular)


def test_generic_families_stand_for_known_ones(tmp_path: Path) -> None:
    path = install(str(tmp_path / "share"), "m.ttf", "Liberation Mono", [65])
    assert fonts.face_of("monospace").path == str(path)


@pytest.mark.parametrize(
    ("content", "says"), [(None, "No such file"), (b"", "no font"), (b"OTTO" + bytes(200), "no font")], ids=repr
)
def test_what_is_no_font_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "broken.ttf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        fonts.add(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert fonts.added() == []


def test_what_has_no_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ttf")
    for path in (tmp_path / "pipe.ttf", Path("/dev/zero"), tmp_path):
        with pytest.raises(SpecError, match="it is not a file"):
            fonts.add(path)


def test_broken_installed_fonts_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "share/fonts"
    folder.mkdir(parents=True)
    (folder / "a.ttf").write_bytes(b"garbage" * 100)
    (folder / "b.ttf").symlink_to(folder / "gone")
    os.mkfifo(folder / "bb.ttf")
    install(str(tmp_path / "share"), "c.ttf", "Installed", [PRIVATE])
    assert family_of(PRIVATE) == ("Installed", True)


def test_a_font_of_monstrous_letters_draws_nothing_and_costs_nothing(tmp_path: Path) -> None:
    path = write_font(tmp_path / "huge.ttf", "Huge", {65: (0, 0, 32000, 32000)}, upem=16)
    fonts.add(path)
    mask, _ = fonts.face_of("Huge").mask(fonts.face_of("Huge").glyph(65), 2400, (0, 0))
    assert mask.size == 0


def test_coloured_layers_are_shades(tmp_path: Path) -> None:
    """White covers fully, black by a quarter, and where there is no layer nothing is covered."""
    layers = {TIGER: [((0, 0, 500, 1000), 0), ((500, 0, 1000, 500), 1)]}
    palette = [(1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0)]
    path = write_font(tmp_path / "c.ttf", "Colour", {TIGER: (0, 0, 1000, 1000)}, layers=layers, palette=palette)
    fonts.add(path)
    face = fonts.face_of("Colour")
    assert face.is_color
    mask, (left, top) = face.mask(face.glyph(TIGER), 20, (0, 0))
    picture = np.zeros((20, 20), int)
    picture[top + 20 : top + 20 + mask.shape[0], left : left + mask.shape[1]] = mask
    assert (picture[:, :10] == 255).all()
    assert (picture[10:, 10:] == 64).all()
    assert (picture[:10, 10:] == 0).all()


def test_pictures_of_letters_are_shades_of_their_size(tmp_path: Path) -> None:
    """A picture of 40 pixels, white over black, transparent at its right edge, for a letter of 20."""
    import av

    pixels = np.full((40, 40, 4), 255, np.uint8)
    pixels[20:, :, :3], pixels[:, 30:, 3] = 0, 0
    codec = av.CodecContext.create("png", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = 40, 40, "rgba", Fraction(1)
    png = b"".join(bytes(packet) for packet in codec.encode(av.VideoFrame.from_ndarray(pixels, "rgba")))
    extents = SimpleNamespace(x_bearing=100, y_bearing=900, width=1000, height=-1000)
    mask, corner = shades_of_png(png, 0.02, (0.25, 0), extents)
    assert (mask.shape, corner) == ((20, 20), (2, -18))
    assert (mask[:10, :15] == 255).all()
    assert (mask[10:, :15] == 64).all()
    assert (mask[:, 15:] == 0).all()


@pytest.mark.parametrize("png", [b"\x89PNG\r\n\x1a\n", b"garbage" * 20, b"\x89PNG\r\n\x1a\n" + bytes(200)], ids=len)
def test_a_picture_that_is_damaged_is_none(png: bytes) -> None:
    extents = SimpleNamespace(x_bearing=0, y_bearing=900, width=1000, height=-1000)
    assert shades_of_png(png, 0.02, (0, 0), extents) is None


def test_emoji_come_from_a_font_of_colours_if_there_is_one(tmp_path: Path) -> None:
    """The shipped font has a smiley of its own, but a user who names a font of emoji wants that."""
    smiley, sun = 0x1F600, 0x2600
    assert family_of(smiley) == ("DejaVu Sans", True)
    boxes, layers = dict.fromkeys((smiley, sun, ord("1")), BOX), {smiley: [(BOX, 0)]}
    fonts.add(write_font(tmp_path / "c.ttf", "Colour", boxes, layers=layers, palette=[(1.0, 0.8, 0.0, 1.0)]))
    assert family_of(smiley) == ("Colour", True)
    assert family_of(sun) == ("DejaVu Sans", True)
    assert family_of(ord("1")) == ("DejaVu Sans", True)
    chain = FaceChain("sans-serif")
    assert chain[shape_line("\u2600\ufe0f", chain)[0].face].family == "Colour"
    assert chain[shape_line("\U0001f600\ufe0e", chain)[0].face].family == "DejaVu Sans"


def test_joined_emoji_come_from_the_font_that_has_all_of_them(tmp_path: Path) -> None:
    man, woman, girl = 0x1F468, 0x1F469, 0x1F467
    fonts.add(write_font(tmp_path / "one.ttf", "One", {man: BOX}))
    fonts.add(write_font(tmp_path / "all.ttf", "All", dict.fromkeys((man, woman, girl), BOX)))
    chain = FaceChain("sans-serif")
    text = "\u200d".join(map(chr, (man, woman, girl)))
    assert {chain[one.face].family for one in shape_line(text, chain)} == {"All"}
    assert family_of(man) == ("One", True)
