"""The page of sources and sinks names every property and every state."""

from __future__ import annotations

from pathlib import Path

import pytest

from picasso.flow import SourceState
from picasso.module.config.schema import kinds

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "sources.md").read_text() + (DOCS / "events.md").read_text()
WIRE = ("zeromq_source_bin", "zeromq_sink")
PROPERTIES = sorted(
    {
        name
        for kind in ("sources", "sinks")
        for element, schema in kinds(kind).items()
        if element not in WIRE
        for name in schema["properties"]
    }
)


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("state", SourceState)
def test_every_state_is_on_the_page(state: SourceState) -> None:
    assert f"`{state}`" in PAGE
