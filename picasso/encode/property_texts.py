"""What each property of an encoder means, for ``help``: a name means the same in every class that has it.

What it does to each library: docs/encoders.md. None always leaves it to the default.
"""

from __future__ import annotations

from typing import Final

PROPERTY_TEXTS: Final[dict[str, str]] = {
    "aq": "Strength of spatial adaptive quantisation, 1..15; 0 leaves it to the encoder.",
    "bitrate": "Bits per second; 4,000,000 by default.",
    "compression_level": "PNG's compression, 0..9; higher makes a smaller file and takes longer. 6 by default.",
    "const_qp": 'Quantisers ``"I:P:B"`` under ``CONSTANT_QP``, each 0..51.',
    "control_rate": "What is held constant: the bit rate by default.",
    "cq": "Target quality under ``VARIABLE_BITRATE``, 0..51, lower is better; 0 leaves it to the encoder.",
    "disable_cabac": "Whether H.264 codes its symbols with CAVLC in place of CABAC.",
    "enable_lossless": "Whether every picture comes back exactly.",
    "extended_colorformat": "Whether luma spans 0..255 (full range); else 16..235.",
    "idrinterval": "Frames from one IDR picture to the next, as ``iframeinterval``; the shorter of the two holds.",
    "iframeinterval": "Frames from one keyframe to the next, 30 by default; 0 makes only the first one.",
    "init_qp": 'Quantisers ``"I:P:B"`` that rate control begins with, each 0..51.',
    "insert_aud": "Whether an access unit delimiter stands before each picture.",
    "insert_seq_hdr": "Whether a sequence header stands at each keyframe; here it always does.",
    "insert_sps_pps": "Whether parameter sets stand at each keyframe; here they always do.",
    "insert_vui": "Whether colours and rate are written into the stream; here they always are.",
    "max_bitrate": "Most bits per second under ``VARIABLE_BITRATE``.",
    "maxperf_enable": "Whether a Jetson raises its clocks.",
    "num_ref_frames": "Reference frames; 0 leaves it to the encoder.",
    "peak_bitrate": "Most bits per second under ``VARIABLE_BITRATE``.",
    "preset": "Effort: P1 is the fastest, P7 the smallest file.",
    "preset_level": "Effort of a Jetson's encoder: from ULTRA_FAST, the default, to SLOW.",
    "profile": "Which coding tools may be used.",
    "qp_range": 'Smallest and largest quantiser under a bit rate, ``"min:max"``.',
    "quality": "JPEG's quality, 0 (smallest) to 100 (best); 85 by default.",
    "quant_b_frames": "Quantiser of B-frames, of which there are none.",
    "quant_i_frames": "Quantiser of I-frames where the rate is not controlled.",
    "quant_p_frames": "Quantiser of P-frames where the rate is not controlled.",
    "ratecontrol_enable": "Whether the bit rate is controlled; False holds the quantisers.",
    "temporal_aq": "Whether quantisers follow what changes from frame to frame.",
    "tiles": 'Rows and columns of AV1 tiles, ``"log2rows,log2cols"``.',
    "tuning_info": "What the stream is for: quality, low latency, or no loss.",
    "two_pass_cbr": "Whether each frame is encoded twice under a constant bit rate.",
    "vbv_buf_size": "Buffer of the rate control, in bits; 0 or None: one second of the bit rate.",
    "vbv_init": "Bits that are in that buffer at the start; 0 leaves it to the encoder.",
    "vbv_size": "Buffer of the rate control, in bits; 0 or None: one second of the bit rate.",
}
