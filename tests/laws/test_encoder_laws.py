"""Every encoder keeps count, order and timestamps in every configuration."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picasso.encode import Codec, EncodedUnit, EncoderConfig, open_encoder
from picasso.encode.validate import ENCODABLE
from picasso.surface import SurfaceView
from picasso.testing import encoder_configs

VIDEO = {Codec.H264, Codec.HEVC, Codec.AV1}
rising_ns = st.lists(st.integers(0, 2**40), min_size=1, max_size=5, unique=True).map(sorted)


@pytest.mark.parametrize("codec", ENCODABLE, ids=lambda codec: codec.name())
@given(data=st.data())
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
def test_count_order_and_timestamps_are_kept(codec: Codec, data: st.DataObject) -> None:
    config: EncoderConfig = data.draw(encoder_configs([codec], max_side=96))
    times_ns = data.draw(rising_ns)
    durations_ns = data.draw(
        st.lists(st.none() | st.integers(1, 10**9), min_size=len(times_ns), max_size=len(times_ns))
    )
    units: list[EncodedUnit] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # properties that no software encoder has are told once
        encoder = open_encoder(config)
        try:
            color = encoder.color if encoder.input_format.is_yuv else None
            surface = SurfaceView.allocate(encoder.input_format, (config.width, config.height), color)
            for pts_ns, duration_ns in zip(times_ns, durations_ns, strict=True):
                units += encoder.encode(surface, pts_ns, duration_ns)
            units += encoder.flush()
        finally:
            encoder.close()
    assert [(unit.pts_ns, unit.duration_ns) for unit in units] == list(zip(times_ns, durations_ns, strict=True))
    assert all(unit.dts_ns is None or unit.dts_ns <= unit.pts_ns for unit in units)
    assert all(unit.data for unit in units)
    assert units[0].keyframe
    assert codec in VIDEO or all(unit.keyframe for unit in units)
