"""The template language."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.draw.label import FIELDS, Template, decimal_texts, parse_lines, whole_texts
from picasso.errors import TemplateError


def render(line: str) -> str:
    """Write a line for an object whose every value is its placeholder's name in capitals."""
    return Template.parse(line).render({name: [name.upper()] for name in FIELDS}, [0])[0]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{label}", "LABEL"),
        ("{ label\t}", "LABEL"),
        ("{label} #{track_id}", "LABEL #TRACK_ID"),
        ("100% {confidence} %s", "100% CONFIDENCE %s"),
        ("{{{label}}}", "{LABEL}"),
        ("{{label}}", "{label}"),
        ("}}{{", "}{"),
    ],
)
def test_a_line_is_written(line, text) -> None:
    assert render(line) == text


@pytest.mark.parametrize("name", FIELDS)
def test_every_name_is_known(name) -> None:
    assert render(f"<{{{name}}}>") == f"<{name.upper()}>"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{}", "unknown name ''"),
        ("{nothing}", "unknown name 'nothing'; one of namespace, label,"),
        ("{det_xc:.0}", "unknown name 'det_xc:.0'"),
        ("{Label}", "unknown name 'Label'"),
        ("a {label", "unclosed '{' at 2"),
        ("{label{id}", "unclosed '{' at 0"),
        ("a } b", "stray '}' at 2"),
        ("{{label}", "stray '}' at 7"),
    ],
)
def test_a_fault_is_named_with_its_place(line, fault) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(line)
    assert fault in str(caught.value)
    assert repr(line) in str(caught.value)


@given(st.lists(st.text(st.sampled_from("{}% abel:.id")) | st.text(), max_size=4))
def test_lines_always_give_texts(lines) -> None:
    """Each line gives one text, and faulty ones give themselves."""
    parse_lines.cache_clear()
    templates = parse_lines(tuple(lines))
    texts = [template.render(dict.fromkeys(FIELDS, ("v", "w", "x")), [0, 2]) for template in templates]
    assert len(texts) == max(len(lines), 1)
    assert all(len(pair) == 2 for pair in texts)
    try:
        [Template.parse(line) for line in lines]
    except TemplateError:
        assert [pair[0] for pair in texts] == lines


@given(st.text())
def test_doubled_braces_are_literal(text) -> None:
    assert render(text.replace("{", "{{").replace("}", "}}")) == text


def test_no_lines_write_the_label() -> None:
    assert parse_lines(()) == (Template.parse("{label}"),)


def test_one_faulty_line_makes_all_raw_and_is_logged_once(caplog) -> None:
    parse_lines.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            templates = parse_lines(("{label}", "{nothing}"))
    assert [template.render({}, [0]) for template in templates] == [["{label}"], ["{nothing}"]]
    assert len(caplog.records) == 1


def test_absent_numbers_are_empty_texts() -> None:
    assert whole_texts([3, None, -1]) == ["3", "", "-1"]
    assert decimal_texts([0.125, None, float("nan"), 2], "%.2f") == ["0.12", "", "", "2.00"]
    assert decimal_texts([10.25], "%.1f") == ["10.2"]
