"""Where pixels live."""

from picasso.primitives.field_texts import explain_fields as _explain_fields
from picasso.surface.cuda import DevicePlane
from picasso.surface.formats import MAX_SIDE, ColorSpace, Matrix, MemType, PlaneShape, VideoFormat
from picasso.surface.planes import PlaneLayout
from picasso.surface.platform import (
    gpu_architecture,
    gpu_compute_capability,
    gpu_mem_used_mib,
    gpu_name,
    gpu_platform_tag,
    has_nvenc,
    init_cuda,
    is_jetson_kernel,
    jetson_model,
)
from picasso.surface.pool import (
    BufferGenerator,
    SavantIdMetaKind,
    SharedBuffer,
    get_nvbufsurface_info,
    get_savant_id_meta,
)
from picasso.surface.tensor import DeviceTensor
from picasso.surface.view import SurfaceView

__all__ = [
    "MAX_SIDE",
    "BufferGenerator",
    "ColorSpace",
    "DevicePlane",
    "DeviceTensor",
    "Matrix",
    "MemType",
    "PlaneLayout",
    "PlaneShape",
    "SavantIdMetaKind",
    "SharedBuffer",
    "SurfaceView",
    "VideoFormat",
    "get_nvbufsurface_info",
    "get_savant_id_meta",
    "gpu_architecture",
    "gpu_compute_capability",
    "gpu_mem_used_mib",
    "gpu_name",
    "gpu_platform_tag",
    "has_nvenc",
    "init_cuda",
    "is_jetson_kernel",
    "jetson_model",
]

_explain_fields(globals())
