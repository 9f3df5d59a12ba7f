"""Fixtures of the tests of the web."""

import pytest
from ports import free_port


@pytest.fixture
def unused_port() -> int:
    return free_port()
