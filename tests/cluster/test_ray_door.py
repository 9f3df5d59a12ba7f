"""The one door to Ray."""

import sys

import pytest

from picasso.cluster import RaySession, load_ray
from picasso.errors import MissingDependencyError, TransportError


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[ray\]'"):
        load_ray()
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[ray\]'"), RaySession():
        pytest.fail("it was entered")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_an_address_where_no_cluster_is_is_named_at_once(address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(TransportError, match=f"Ray at {address}: no cluster answers there"), RaySession(address):
        pytest.fail("it was entered")


def test_the_address_of_the_environment_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(TransportError, match="no cluster answers there"), RaySession("auto"):
        pytest.fail("it was entered")
