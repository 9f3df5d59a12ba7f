from __future__ import annotations

from collections.abc import Iterator

import pytest
from wheel_kit import WheelSide


@pytest.fixture(scope="module")
def wheel() -> Iterator[WheelSide]:
    side = WheelSide()
    yield side
    side.close()
