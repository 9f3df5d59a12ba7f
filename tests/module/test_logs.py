"""Directives of ``log_level``, and the records that they let pass."""

from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.module.logs import OFF, TRACE, LogLevels, logging_to

NAMES = ["insight.savant", "insight.savant.my_func", "picasso.module", "picasso.engine", "other"]
INFO, W, D = logging.INFO, logging.WARNING, logging.DEBUG
TABLE = {
    "": [INFO, INFO, INFO, INFO, INFO],
    "info": [INFO, INFO, INFO, INFO, INFO],
    "WARN": [W, W, W, W, W],
    "trace": [TRACE] * 5,
    "insight::savant=info": [INFO, INFO, INFO, INFO, OFF],
    "warn,insight::savant::my_func=debug": [W, D, W, W, W],
    "insight::savant::my_func=debug": [OFF, D, OFF, OFF, OFF],
    "insight::savant::engine=debug": [OFF, OFF, OFF, D, OFF],
    "other": [OFF, OFF, OFF, OFF, INFO],
    " , info ,, other=debug ": [INFO, INFO, INFO, INFO, D],
    "info,a=b=c": [INFO, INFO, INFO, INFO, INFO],
    "info,other=loud": [INFO, INFO, INFO, INFO, INFO],
    "error,picasso=debug,picasso.engine=warn": [logging.ERROR, logging.ERROR, D, W, logging.ERROR],
}
"""The levels of the names under each text."""


@pytest.mark.parametrize(("spec", "levels"), TABLE.items(), ids=TABLE)
def test_the_longest_target_decides(spec: str, levels: list[int]) -> None:
    parsed = LogLevels.parse(spec)
    assert [parsed.level_of(name) for name in NAMES] == levels
    assert parsed.lowest <= min(levels)


@given(st.text(alphabet="abinfowardeug:=,. ", max_size=40))
def test_any_text_is_directives(spec: str) -> None:
    assert LogLevels.parse(spec).lowest > 0


def test_records_have_one_form_and_everything_is_as_before_afterwards() -> None:
    stream, root, own = io.StringIO(), logging.getLogger(), logging.getLogger("picasso")
    before = (root.level, own.level, list(root.handlers), list(own.handlers))
    with logging_to(stream, "warn,insight::savant::my_func=debug"):
        logging.getLogger("insight.savant.my_func").debug("seen %d", 1)
        logging.getLogger("insight.savant.other").info("not seen")
        logging.getLogger("picasso.module").warning("seen, too")
    assert stream.getvalue().splitlines() == [
        "DEBUG insight::savant::my_func > seen 1",
        "WARNING picasso::module > seen, too",
    ]
    assert (root.level, own.level, list(root.handlers), list(own.handlers)) == before
