"""How a surface becomes bytes."""

from picasso.encode.config import EncoderConfig
from picasso.encode.encoder import EncodedUnit, Encoder
from picasso.encode.enums import (
    Codec,
    DgpuPreset,
    H264Profile,
    HevcProfile,
    JetsonPresetLevel,
    Platform,
    RateControl,
    TuningPreset,
)
from picasso.encode.factory import open_encoder
from picasso.encode.properties import (
    Av1DgpuProps,
    Av1JetsonProps,
    EncoderProperties,
    H264DgpuProps,
    H264JetsonProps,
    HevcDgpuProps,
    HevcJetsonProps,
    JpegProps,
    PngProps,
)
from picasso.encode.property_types import Props as _Props
from picasso.encode.validate import validate
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "Av1DgpuProps",
    "Av1JetsonProps",
    "Codec",
    "DgpuPreset",
    "EncodedUnit",
    "Encoder",
    "EncoderConfig",
    "EncoderProperties",
    "H264DgpuProps",
    "H264JetsonProps",
    "H264Profile",
    "HevcDgpuProps",
    "HevcJetsonProps",
    "HevcProfile",
    "JetsonPresetLevel",
    "JpegProps",
    "Platform",
    "PngProps",
    "RateControl",
    "TuningPreset",
    "open_encoder",
    "validate",
]

_explain_fields(globals(), also_on_fields=(_Props,))
