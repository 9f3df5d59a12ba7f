"""Which filter of the kernels an interpolation is."""

from __future__ import annotations

from typing import Final

from picasso.transform.fitting import Interpolation

FILTERS: Final = {
    Interpolation.NEAREST: "nearest",
    Interpolation.BILINEAR: "bilinear",
    Interpolation.GPU_CUBIC_VIC_5TAP: "cubic5",
    Interpolation.GPU_SUPER_VIC_10TAP: "lanczos10",
    Interpolation.GPU_LANCZOS_VIC_SMART: "lanczos8",
    Interpolation.GPU_IGNORED_VIC_NICEST: "nicest",
    Interpolation.DEFAULT: "bilinear",
    Interpolation.AREA: "area",
}
"""By interpolation, a name of ``picasso_kernels.frame.plan.FILTERS``."""
