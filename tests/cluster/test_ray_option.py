"""``--ray`` may stand alone, and before an address."""

import pytest

from picasso.cli.ray_option import with_address


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
