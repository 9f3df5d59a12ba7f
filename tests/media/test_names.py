"""A source id never becomes a path unchecked."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from picasso.media import safe_file_name
from picasso.media.names import MAX_NAME_BYTES

any_text = st.text(max_size=400) | st.text(alphabet="./\\-_\0ab :*", max_size=12)


@given(any_text)
@example("../../x")
@example("/etc/passwd")
@example("a\0b")
@example("x" * 10_000)
@example("é" * 10_000)
@example("")
@example(".")
@example("..")
@example("C:\\x")
@example("CON")
@example("nul.txt")
@example("\ud800")
@example("-rf")
@example("a\n")
def test_a_name_is_one_harmless_part_of_a_path(tmp_path_factory: pytest.TempPathFactory, source_id: str) -> None:
    name = safe_file_name(source_id)
    assert name
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"} for letter in name)
    assert name[0] not in ".- "
    assert name[-1] not in ". "
    assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert Path(name).parts == (name,)


@given(any_text, any_text)
@example("a/b", "a_b")
@example("a/b", "a?b")
@example("é", "e\u0301")
@example("x" * 9_999, "x" * 10_000)
def test_two_sources_never_share_a_name(first: str, second: str) -> None:
    assert (safe_file_name(first) == safe_file_name(second)) is (first == second)


@given(any_text)
def test_a_name_that_was_made_is_not_the_name_of_another_source(source_id: str) -> None:
    """An id that looks like the name of another id gets a name of its own."""
    name = safe_file_name(source_id)
    assert name == source_id or safe_file_name(name) != name


@pytest.mark.parametrize(
    "source_id", ["cam-1", "Front_Door", "камера", "東京-3", "a.b.c", "x" * MAX_NAME_BYTES, "con-1"]
)
def test_harmless_ids_are_their_own_names(source_id: str) -> None:
    assert safe_file_name(source_id) == source_id


@pytest.mark.parametrize(
    ("source_id", "beginning"),
    [
        ("../../x", "_.._x-"),
        ("a/b", "a_b-"),
        ("rtsp://host/stream 1", "rtsp_host_stream_1-"),
        ("con", "_con-"),
        ("LPT1.log", "_LPT1.log-"),
        ("", "_-"),
        (".hidden", "hidden-"),
        ("name.", "name-"),
    ],
)
def test_other_ids_keep_what_is_harmless(source_id: str, beginning: str) -> None:
    assert safe_file_name(source_id).startswith(beginning)
    assert len(safe_file_name(source_id)) == len(beginning) + 24


def test_names_exist_on_this_file_system(tmp_path: Path) -> None:
    ids = ["../x", "a\0b", "x" * 10_000, "..", "é" * 5_000, "\ud800", "name\n"]
    for source_id in ids:
        (tmp_path / f"{safe_file_name(source_id)}.ndjson").touch()
    assert len(list(tmp_path.iterdir())) == len(ids)


def test_an_id_is_a_string() -> None:
    with pytest.raises(TypeError, match="source id: expected str, got NoneType"):
        safe_file_name(None)  # type: ignore[arg-type]  # the point of the test
