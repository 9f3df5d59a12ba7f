"""Every property class: constructor order, ranges, snapshots."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable

import numpy as np
import pytest
from property_tables import GOOD, ORDER, PROFILES

from picasso.encode import (
    Av1DgpuProps,
    Av1JetsonProps,
    Codec,
    DgpuPreset,
    EncoderProperties,
    H264DgpuProps,
    H264JetsonProps,
    HevcDgpuProps,
    HevcJetsonProps,
    HevcProfile,
    JpegProps,
    Platform,
    PngProps,
)
from picasso.encode.property_types import Props

every_class = pytest.mark.parametrize("kind", ORDER, ids=lambda kind: kind.__name__)


@every_class
def test_fields_come_in_the_order_of_the_interface_and_default_to_none(kind: type[Props]) -> None:
    assert list(inspect.signature(kind).parameters) == ORDER[kind].split()
    assert kind().given() == {}


@every_class
def test_every_field_keeps_the_values_of_its_range(kind: type[Props]) -> None:
    for name in ORDER[kind].split():
        for value in GOOD.get(name) or list(PROFILES.get(kind, HevcProfile)):
            props = kind(**{name: value})
            assert props.given() == {name: value}
            setattr(props, name, None)
            assert props == kind()


@every_class
def test_every_field_refuses_the_wrong_kind_of_value(kind: type[Props]) -> None:
    for name in ORDER[kind].split():
        with pytest.raises(TypeError, match=rf"{kind.__name__}\.{name}: expected \w+, got"):
            kind(**{name: object()})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("H264DgpuProps(bitrate=999)", "H264DgpuProps.bitrate = 999: expected 1000..4294967295 bit/s"),
        ("H264DgpuProps(2**32)", "H264DgpuProps.bitrate = 4294967296: expected"),
        ("H264DgpuProps(iframeinterval=-1)", "H264DgpuProps.iframeinterval = -1: expected 0..4294967295 frames"),
        ('H264DgpuProps(qp_range="30:20")', "H264DgpuProps.qp_range = '30:20': expected 'min:max' with min <= max"),
        ('H264DgpuProps(qp_range="0:52")', "H264DgpuProps.qp_range = '0:52': expected 'min:max', each 0..51"),
        ('H264DgpuProps(qp_range="20")', "H264DgpuProps.qp_range = '20': expected 'min:max' in whole numbers"),
        ('H264DgpuProps(qp_range="-1:20")', "H264DgpuProps.qp_range = '-1:20'"),
        ('H264DgpuProps(qp_range="1:2\\n")', "H264DgpuProps.qp_range = '1:2\\n'"),
        ('H264DgpuProps(qp_range="١:٢")', "expected 'min:max' in whole numbers"),
        ('H264DgpuProps(const_qp="20:30")', "H264DgpuProps.const_qp = '20:30': expected 'I:P:B' in whole numbers"),
        ("H264DgpuProps(cq=52)", "H264DgpuProps.cq = 52: expected 0..51"),
        ("H264DgpuProps(aq=16)", "H264DgpuProps.aq = 16: expected 0..15"),
        ("H264DgpuProps(vbv_buf_size=-1)", "H264DgpuProps.vbv_buf_size = -1: expected 0..4294967295 bits"),
        ("H264JetsonProps(num_ref_frames=9)", "H264JetsonProps.num_ref_frames = 9: expected 0..8 frames"),
        ("Av1JetsonProps(num_ref_frames=5)", "Av1JetsonProps.num_ref_frames = 5: expected 0..4 frames"),
        ('Av1JetsonProps(tiles="1:0")', "Av1JetsonProps.tiles = '1:0': expected 'log2rows,log2cols'"),
        ('Av1JetsonProps(tiles="7,0")', "Av1JetsonProps.tiles = '7,0': expected 'log2rows,log2cols', each 0..6"),
        ("Av1JetsonProps(quant_i_frames=256)", "Av1JetsonProps.quant_i_frames = 256: expected 0..255"),
        ("JpegProps(101)", "JpegProps.quality = 101: expected 0..100"),
        ("PngProps(10)", "PngProps.compression_level = 10: expected 0..9"),
        ('setattr(JpegProps(85), "quality", -1)', "JpegProps.quality = -1: expected 0..100"),
    ],
)
def test_values_out_of_range_are_refused_by_name(call: str, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        eval(call)


@pytest.mark.parametrize(
    "call",
    [
        'H264DgpuProps(bitrate="4000000")',
        "H264DgpuProps(bitrate=4e6)",
        "H264DgpuProps(cq=True)",
        "H264DgpuProps(control_rate=1)",
        "H264DgpuProps(profile=HevcProfile.MAIN)",
        "H264DgpuProps(temporal_aq=1)",
        "H264DgpuProps(qp_range=(20, 30))",
        "EncoderProperties.h264_dgpu(HevcDgpuProps())",
        "EncoderProperties(None)",
        "H264DgpuProps(nonsense=1)",
    ],
)
def test_the_wrong_kind_of_value_is_a_type_error(call: str) -> None:
    with pytest.raises(TypeError, match=r"expected|unexpected"):
        eval(call)


def test_a_misspelt_field_cannot_be_assigned() -> None:
    with pytest.raises(AttributeError):
        H264DgpuProps().bit_rate = 1  # type: ignore[attr-defined]


def test_numpy_integers_count_as_integers() -> None:
    assert type(H264DgpuProps(bitrate=np.int64(5000)).bitrate) is int


FACTORIES = {
    EncoderProperties.h264_dgpu: H264DgpuProps,
    EncoderProperties.h264_jetson: H264JetsonProps,
    EncoderProperties.hevc_dgpu: HevcDgpuProps,
    EncoderProperties.hevc_jetson: HevcJetsonProps,
    EncoderProperties.av1_dgpu: Av1DgpuProps,
    EncoderProperties.av1_jetson: Av1JetsonProps,
    EncoderProperties.jpeg: JpegProps,
    EncoderProperties.png: PngProps,
}


@pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory.__name__)
def test_a_factory_takes_a_snapshot_of_its_own_class(factory: Callable[..., EncoderProperties]) -> None:
    kind = FACTORIES[factory]
    name = ORDER[kind].split()[-1]
    props = kind(**{name: GOOD[name][-1]})
    wrapped = factory(props)
    setattr(props, name, None)
    assert wrapped.props == kind(**{name: GOOD[name][-1]})
    setattr(wrapped.props, name, None)
    assert wrapped.props == kind(**{name: GOOD[name][-1]})
    assert wrapped == factory(wrapped.props) != factory(props)
    assert hash(wrapped) == hash(factory(wrapped.props))
    assert wrapped.codec is Codec.from_name(factory.__name__.split("_")[0])
    assert wrapped.platform in {None, Platform.DGPU, Platform.JETSON}
    for other in FACTORIES.values():
        if other is not kind:
            with pytest.raises(TypeError, match=f"expected {kind.__name__}, got {other.__name__}"):
                factory(other())


def test_properties_print_what_is_set() -> None:
    props = H264DgpuProps(4_000_000, qp_range="20:40", preset=DgpuPreset.P4)
    assert repr(props) == "H264DgpuProps(bitrate=4000000, preset=DgpuPreset.P4, qp_range='20:40')"
    assert repr(EncoderProperties.h264_dgpu(props)) == f"EncoderProperties({props!r})"
    assert copy.deepcopy(props) == props != HevcDgpuProps(4_000_000)
