"""One spelling means one thing: files of any name, streams, devices and URLs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from picasso.errors import MediaError
from picasso.media.location import Kind, Location, input_place, output_place

PROTOCOL_LIKE = [
    "12:30:05.ts",
    "file:x.mp4",
    "tee:c.mkv",
    "concat:a.ts|b.ts",
    "subfile,,start,0,end,10,,:c.mp4",
    "data:text/plain,x",
    "lavfi:testsrc",
    "fd:",
    "pipe:9.mp4",
    "-x.mp4",
    "~",
    "[f=null]x.mp4",
    "|tee",
    "a?b#c.mp4",
]


@pytest.mark.parametrize("place_of", [input_place, output_place])
@pytest.mark.parametrize("name", PROTOCOL_LIKE)
def test_a_string_without_two_slashes_is_a_file(name: str, place_of: object, tmp_path: Path) -> None:
    for location in (name, Path(name), os.fsencode(name)):
        place = place_of(location)  # type: ignore[operator]
        assert (place.kind, place.path) == (Kind.FILE, Path(name))
        assert place.for_ffmpeg == f"file:{Path.cwd() / name}"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=40))
@example("-")
@example("pipe:")
@example("http:")
@example("%")
def test_a_path_is_a_file_whatever_it_is_called(name: str) -> None:
    assert input_place(Path("no folder", name)).path == Path("no folder", name)
    assert output_place(Path("no folder", name)).for_ffmpeg == f"file:{os.path.abspath(Path('no folder', name))}"


@pytest.mark.parametrize(
    ("location", "kind", "given"),
    [
        ("-", Kind.STREAM, 0),
        ("pipe:", Kind.STREAM, 0),
        ("pipe:0", Kind.STREAM, 0),
        ("pipe:7", Kind.STREAM, 7),
        ("frames/%06d.png", Kind.SEQUENCE, Path("frames/%06d.png")),
        (Path("frames/%d.png"), Kind.SEQUENCE, Path("frames/%d.png")),
        ("file:///no/a%20b.mp4", Kind.FILE, Path("/no/a b.mp4")),
        ("file:///no/%06d.png", Kind.SEQUENCE, Path("/no/%06d.png")),
        ("file:///no/a?b.mp4", Kind.FILE, Path("/no/a")),
        ("FILE://localhost/no/x.mp4", Kind.FILE, Path("/no/x.mp4")),
        ("/dev/zero", Kind.SPECIAL, Path("/dev/zero")),
        ("/proc/self/status", Kind.SPECIAL, Path("/proc/self/status")),
        ("rtsp://u:p@host/x", Kind.URL, "rtsp://u:p@host/x"),
        ("cache:http://host/x", Kind.URL, "cache:http://host/x"),
    ],
)
def test_other_locations_are_what_they_say(location: Location, kind: Kind, given: object) -> None:
    place = input_place(location)
    assert place.kind is kind
    assert given in (place.descriptor, place.path, place.url)


def test_standard_output_is_where_a_writer_without_a_file_writes() -> None:
    assert [output_place(name).descriptor for name in ("-", "pipe:", "pipe:1", "pipe:5")] == [1, 1, 1, 5]
    with pytest.raises(MediaError, match="http://host/x: is a URL"):
        output_place("http://user:word@host/x")


def test_an_existing_file_is_that_file_though_its_name_is_a_url_or_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:" / "host").mkdir(parents=True)
    for name in ("http://host/x.mp4", "a%03d.png", "file:x.mp4"):
        Path(name).write_bytes(b"x")
        assert (input_place(name).kind, input_place(name).path) == (Kind.FILE, Path(name))


def test_named_pipes_are_told_from_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ts")
    (tmp_path / "link.ts").symlink_to("pipe.ts")
    for name in ("pipe.ts", "link.ts"):
        place = input_place(tmp_path / name)
        assert (place.kind, place.is_direct, place.can_be_read_again) == (Kind.SPECIAL, True, False)


def test_what_is_left_to_ffmpeg_is_asked_for() -> None:
    assert input_place("concat:a.ts|b.ts", trust="any").url == "concat:a.ts|b.ts"
    assert input_place("12:30:05.ts", trust="any").kind is Kind.FILE


@pytest.mark.parametrize(
    "location", ["", "a\0b.mp4", Path("a\0b.mp4"), b"\0", "file://elsewhere/x.mp4", "file:///a%00b"], ids=ascii
)
def test_what_names_nothing_is_refused_in_one_sentence(location: Location) -> None:
    with pytest.raises(MediaError) as caught:
        input_place(location)
    assert "\0" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_can_be_printed_and_hold_no_password() -> None:
    assert input_place(b"\xffx.mp4").shown.isascii()
    assert input_place("\ud800.mp4").shown.encode()
    assert input_place("rtsp://user:word@host/x").shown == "rtsp://host/x"
    assert input_place("rtsp://user:word@host/x").stem == "rtsp://host/x"
    assert (input_place("/data/cam:1.mp4").stem, input_place("-").stem) == ("cam:1", "stdin")


def test_an_unknown_trust_is_refused() -> None:
    with pytest.raises(ValueError, match="trust 'all': expected one of origin, any"):
        input_place("x.mp4", trust="all")  # type: ignore[arg-type]  # the point of the test
