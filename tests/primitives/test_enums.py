from __future__ import annotations

import copy
import pickle

import pytest

from picasso.primitives.enums import NamedNativeEnum, NativeEnum, TextEnum, any_case_or_dash, exact


class Platform(NativeEnum, unknown="Unknown platform: '{}'"):
    DGPU = 0, "dgpu", "gpu", "discrete"
    JETSON = 1, "jetson", "tegra"


class Speed(NativeEnum, unknown="Unknown speed: '{}'", fold=any_case_or_dash):
    VERY_FAST = 1, "very_fast", "veryfast", "1"
    SLOW = 2, "slow"


class Letter(NamedNativeEnum):
    A = 0
    RAW_B = 1
    RawB = 1


class Order(TextEnum, unknown="Unknown Order: {}", fold=exact):
    SkiaFirst = "SkiaFirst"
    SkiaLast = "SkiaLast"


def test_a_member_equals_itself_and_its_int_only():
    assert Platform.JETSON == Platform.JETSON
    assert Platform.JETSON == 1
    assert 1 == Platform.JETSON  # noqa: SIM300 - both directions are the point
    assert Platform.JETSON != Platform.DGPU
    assert Platform.JETSON != 0
    assert Platform.JETSON != Speed.VERY_FAST
    assert Platform.JETSON != "jetson"
    assert Platform.JETSON != 1.0
    assert Platform.JETSON is not None


def test_a_member_is_an_index_and_a_key():
    assert int(Speed.SLOW) == 2
    assert "abc"[Speed.SLOW] == "c"
    assert {Speed.SLOW: "x"}[2] == "x"
    assert len({Platform.DGPU, Platform.DGPU, Platform.JETSON}) == 2


def test_zero_is_a_member_like_any_other():
    assert bool(Platform.DGPU)


def test_text_is_class_and_member():
    assert repr(Platform.DGPU) == str(Platform.DGPU) == f"{Platform.DGPU}" == "Platform.DGPU"
    assert repr(Order.SkiaLast) == "Order.SkiaLast"


@pytest.mark.parametrize(
    ("enum_type", "spelling", "member"),
    [
        (Platform, "DGpu", Platform.DGPU),
        (Platform, "discrete", Platform.DGPU),
        (Platform, "TEGRA", Platform.JETSON),
        (Speed, "Very-Fast", Speed.VERY_FAST),
        (Speed, "1", Speed.VERY_FAST),
        (Letter, "raw_b", Letter.RAW_B),
        (Order, "SkiaLast", Order.SkiaLast),
    ],
    ids=str,
)
def test_from_name_finds(enum_type, spelling, member):
    assert enum_type.from_name(spelling) is member


@pytest.mark.parametrize(
    ("enum_type", "spelling", "message"),
    [
        (Platform, "cpu", "Unknown platform: 'cpu'; one of dgpu, gpu, discrete, jetson, tegra"),
        (Platform, "", "Unknown platform: ''"),
        (Speed, "{}", "Unknown speed: '{}'"),
        (Letter, "c", "Unknown Letter: 'c'; one of a, raw_b"),
        (Order, "skialast", "Unknown Order: skialast; one of SkiaFirst, SkiaLast"),
    ],
    ids=["unknown", "empty", "braces", "default-text", "case"],
)
def test_from_name_refuses(enum_type, spelling, message):
    with pytest.raises(ValueError, match="Unknown") as raised:
        enum_type.from_name(spelling)
    assert str(raised.value).startswith(message)


def test_from_name_takes_text_only():
    with pytest.raises(TypeError, match=r"Platform\.from_name: expected str, got int"):
        Platform.from_name(0)


def test_name_is_a_call_where_listed():
    assert Letter.RAW_B.name() == "raw_b"
    assert Letter.RawB is Letter.RAW_B
    assert Platform.DGPU.name == "DGPU"


@pytest.mark.parametrize("member", [Platform.DGPU, Letter.RAW_B, Order.SkiaFirst], ids=str)
def test_members_survive_copy_and_pickle(member):
    assert pickle.loads(pickle.dumps(member)) is member
    assert copy.deepcopy(member) is member


def test_an_order_has_no_number():
    assert Order.SkiaFirst != 0
    with pytest.raises(TypeError):
        int(Order.SkiaFirst)
