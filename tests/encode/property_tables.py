"""Every field of every property class, and values that it takes."""

from __future__ import annotations

from picasso.encode import (
    Av1DgpuProps,
    Av1JetsonProps,
    DgpuPreset,
    H264DgpuProps,
    H264JetsonProps,
    H264Profile,
    HevcDgpuProps,
    HevcJetsonProps,
    JetsonPresetLevel,
    JpegProps,
    PngProps,
    RateControl,
    TuningPreset,
)
from picasso.encode.property_types import Props

DGPU = (
    "bitrate control_rate profile iframeinterval idrinterval preset tuning_info qp_range const_qp init_qp max_bitrate "
    "vbv_buf_size vbv_init cq aq temporal_aq extended_colorformat"
)
JETSON = (
    "bitrate control_rate profile iframeinterval idrinterval preset_level peak_bitrate vbv_size qp_range "
    "quant_i_frames quant_p_frames ratecontrol_enable maxperf_enable two_pass_cbr num_ref_frames"
)
ORDER: dict[type[Props], str] = {
    H264DgpuProps: DGPU,
    HevcDgpuProps: DGPU,
    H264JetsonProps: f"{JETSON} insert_sps_pps insert_aud insert_vui disable_cabac",
    HevcJetsonProps: f"{JETSON} enable_lossless",
    Av1DgpuProps: (
        "bitrate control_rate iframeinterval idrinterval preset tuning_info qp_range max_bitrate vbv_buf_size vbv_init "
        "cq aq temporal_aq"
    ),
    Av1JetsonProps: (
        "bitrate control_rate iframeinterval idrinterval preset_level peak_bitrate vbv_size qp_range quant_i_frames "
        "quant_p_frames quant_b_frames ratecontrol_enable maxperf_enable two_pass_cbr num_ref_frames "
        "insert_seq_hdr tiles"
    ),
    JpegProps: "quality",
    PngProps: "compression_level",
}
GOOD = {
    "bitrate": [1000, 4_000_000, 2**32 - 1],
    "control_rate": list(RateControl),
    "iframeinterval": [0, 2**32 - 1],
    "idrinterval": [0, 256],
    "preset": list(DgpuPreset),
    "preset_level": list(JetsonPresetLevel),
    "tuning_info": list(TuningPreset),
    "qp_range": ["0:51", "20:20"],
    "const_qp": ["0:0:0", "51:51:51"],
    "init_qp": ["20:22:24"],
    "max_bitrate": [1000],
    "peak_bitrate": [1000],
    "vbv_buf_size": [0, 1_000_000],
    "vbv_init": [0],
    "vbv_size": [0],
    "cq": [0, 51],
    "aq": [0, 15],
    "temporal_aq": [True, False],
    "extended_colorformat": [True],
    "quant_i_frames": [0, 51],
    "quant_p_frames": [0, 51],
    "quant_b_frames": [0, 255],
    "ratecontrol_enable": [False],
    "maxperf_enable": [True],
    "two_pass_cbr": [True],
    "num_ref_frames": [0, 4],
    "insert_sps_pps": [True],
    "insert_aud": [True],
    "insert_vui": [True],
    "insert_seq_hdr": [True],
    "disable_cabac": [True],
    "enable_lossless": [True],
    "tiles": ["1,0", "3,4"],
    "quality": [0, 85, 100],
    "compression_level": [0, 9],
}
PROFILES = {H264DgpuProps: H264Profile, H264JetsonProps: H264Profile}
