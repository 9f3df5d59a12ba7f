"""``--ray`` may stand alone, and before an address."""

import pytest
import typer

from picasso.cli.cluster import run_on_ray
from picasso.cli.ray_option import with_address
from picasso.cluster import Needs


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("m.yml --ray", "m.yml --ray auto"),
        ("--ray m.yml", "--ray auto m.yml"),
        ("--ray head:6379 m.yml", "--ray head:6379 m.yml"),
        ("--ray ray://head:10001 m.yml", "--ray ray://head:10001 m.yml"),
        ("--ray=head:6379 m.yml", "--ray=head:6379 m.yml"),
        ("--ray local m.yml", "--ray local m.yml"),
        ("--ray -q m.yml", "--ray auto -q m.yml"),
        ("m.yml -- --ray", "m.yml -- --ray"),
        ("m.yml", "m.yml"),
    ],
)
def test_an_address_is_read_behind_ray_only_where_it_looks_like_one(words: str, read: str) -> None:
    assert with_address(words.split()) == read.split()


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("vlan", "'vlan': expected NAME=AMOUNT, such as camera_vlan=1"),
        ("vlan=much", "'vlan=much': expected NAME=AMOUNT, such as camera_vlan=1"),
        ("vlan=-1", "Needs.vlan = -1.0: expected an amount of at least 0"),
        ("vlan=nan", "Needs.vlan = nan: expected an amount of at least 0"),
        ("vlan=inf", "Needs.vlan = inf: expected an amount of at least 0"),
        ("CPU=2", "Needs.resources: CPU is no custom resource: say cpus"),
        ("memory=2", "Needs.resources: memory is no custom resource: Ray counts it itself"),
    ],
)
def test_a_wrong_resource_is_a_wrong_argument(resource: str, words: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        run_on_ray(
            "m.yml", "local", actors=1, cpus=1.0, gpus=0.0, resources=[resource], quiet=True, web=None, every_s=None
        )
    assert str(raised.value) == words


def test_fractions_of_processors_and_of_one_gpu_are_needs() -> None:
    assert (Needs(1.5, 0.25).cpus, Needs(gpus=2.0).gpus) == (1.5, 0.25 * 8)
    with pytest.raises(ValueError, match=r"Needs.gpus = 1.5: expected a fraction of one, or a whole number"):
        Needs(gpus=1.5)
