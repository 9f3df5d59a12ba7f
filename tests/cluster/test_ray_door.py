"""The one door to Ray."""

import sys

import pytest

from picasso.cluster import RaySession, load_ray
from picasso.errors import MissingDependencyError


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[ray\]'"):
        load_ray()
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[ray\]'"), RaySession():
        pytest.fail("it was entered")
